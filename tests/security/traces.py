"""Words that are somebody's, and every place where a server could leave them: files, tables, Redis, what it says."""

from __future__ import annotations

import base64
import json
import socket
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import asyncpg

from tests.kit.process import wait_until
from tests.kit.redis import RedisServer

SETTLED: Final = b"the-watch-ends-here"


def forms(word: str) -> set[bytes]:
    """A word as it may stand in a file: plain, in other widths, escaped, in hexadecimal, in base64 at each place."""
    plain = word.encode()
    found = {plain, plain.lower(), plain.upper(), word.encode("utf-16-le"), word.encode("utf-16-be")}
    found |= {quote(word).encode(), json.dumps(word)[1:-1].encode(), plain.hex().encode(), plain.hex().upper().encode()}
    for before in range(3):
        # The first letters and the last depend on what stands around the word.
        found.add(base64.b64encode(b"\0" * before + plain)[(0, 2, 3)[before] : -4])
    return found


class Words:
    """What is looked for: kinds of secret, and the words of each."""

    def __init__(self, kinds: Mapping[str, Iterable[str]]) -> None:
        self._forms = {kind: {form for word in words for form in forms(word)} for kind, words in kinds.items()}

    def in_bytes(self, data: bytes) -> set[str]:
        """The kinds of which something stands there."""
        return {kind for kind, known in self._forms.items() if any(form in data for form in known)}

    def in_files(self, root: Path) -> dict[str, set[str]]:
        """The same for every file below a folder, by its path there. Files with nothing of it are left out."""
        files = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
        found = {str(path.relative_to(root)): self.in_bytes(path.read_bytes()) for path in files}
        return {path: kinds for path, kinds in found.items() if kinds}

    def in_sqlite(self, file: Path) -> dict[str, set[str]]:
        """By `table.column`, the schema's own table included."""
        found: dict[str, set[str]] = {}
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10) as db:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in [*tables, "sqlite_master"]:
                rows = db.execute(f'SELECT * FROM "{table}"')
                self._note(found, table, [column[0] for column in rows.description], rows.fetchall())
        db.close()
        return found

    async def in_postgres(self, url: str) -> dict[str, set[str]]:
        """By `table.column`, those of the system included: it keeps samples, statements and descriptions."""
        db = await asyncpg.connect(url)
        found: dict[str, set[str]] = {}
        tables = await db.fetch(
            "SELECT attrelid::regclass::text, array_agg(quote_ident(attname) ORDER BY attnum)"
            " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped GROUP BY 1"
        )
        for table, columns in tables:
            as_text = ", ".join(f"{column}::text" for column in columns)
            rows = [tuple(row) for row in await db.fetch(f"SELECT {as_text} FROM {table}")]
            self._note(found, table, columns, rows)
        await db.close()
        return found

    def _note(
        self, found: dict[str, set[str]], table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
    ) -> None:
        for column, values in zip(columns, zip(*rows, strict=True), strict=False):
            all_ = b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)
            if kinds := self.in_bytes(all_):
                found[f"{table}.{column}"] = kinds


class Watch:
    """Everything that a Redis server is told while this is open, as MONITOR prints it: one line for each command."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._socket = socket.create_connection((server.host, server.port))
        self._said = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)

    def lines(self) -> list[bytes]:
        """What was said until now."""
        before = self._said.count(SETTLED)
        self._server.command("ECHO", SETTLED.decode())
        wait_until(lambda: self._said.count(SETTLED) > before, "MONITOR to tell all")
        return bytes(self._said).splitlines()

    def __enter__(self) -> Self:
        self._socket.sendall(b"MONITOR\r\n")
        self._reader.start()
        wait_until(lambda: b"+OK" in self._said, "MONITOR to begin")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join()
        self._socket.close()

    def _read(self) -> None:
        while data := self._socket.recv(65_536):
            self._said += data
