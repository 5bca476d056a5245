"""A real PgBouncer in front of a PostgreSQL server. On machines without one, tests that need it are skipped."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from tests.kit.ports import HOST, free_port
from tests.kit.postgres import USER, PostgresServer
from tests.kit.process import PartMissing, Process

_UNPRIVILEGED_UID: Final = 65_534


class PgBouncer:
    """One pooler on a port of its own, with only the necessary settings. `size` is how many connections it has to each
    database."""

    def __init__(
        self, postgres: PostgresServer, mode: Literal["session", "transaction", "statement"], *, size: int = 4
    ) -> None:
        program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
        if program is None:
            raise PartMissing("no PgBouncer: install the package of that name")
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="chat-pgbouncer-"))
        self.directory.chmod(0o755)
        file = self.directory / "pgbouncer.ini"
        file.write_text(
            f"[databases]\n* = host={postgres.host} port={postgres.port} user={USER}\n"
            f"[pgbouncer]\nlisten_addr = {HOST}\nlisten_port = {self.port}\nunix_socket_dir =\nauth_type = any\n"
            f"pool_mode = {mode}\ndefault_pool_size = {size}\nmax_client_conn = 200\n"
        )
        # PgBouncer refuses to run as root.
        user = _UNPRIVILEGED_UID if os.geteuid() == 0 else None
        self.process = Process([program, file], self.directory / "log", user=user)

    def url(self, database_url: str) -> str:
        """Return the URL of a database of the server through this pooler."""
        return f"postgresql://{USER}@{HOST}:{self.port}/{database_url.rpartition('/')[2]}"

    def __enter__(self) -> Self:
        try:
            self.process.start(self._listens)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0

    def _end(self) -> None:
        self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
