"""Serves the page's own files. They are read once at the start and served from memory, so no other file is
reachable."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_INDEX: Final = "index.html"
_MOST_BYTES: Final = 4 * 1024 * 1024
"""The largest file, in bytes; a larger one would load too slowly on a bad network."""
_COMMENTS: Final = re.compile(
    r"""^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*$   # a block on lines of its own
      | ^[ \t]*//[^\n]*$         # a line of its own
      | /\*\*[ ]@[^*\n]*\*/[ ]?   # a type within a line
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
"""The forms in which comments of scripts and style sheets are written here. `tests/edge/test_static.py` checks that
nothing else is removed."""


class _File(NamedTuple):
    kind: str
    etag: str
    plain: bytes
    packed: bytes | None


class StaticFiles:
    """The ASGI app for GET and HEAD of everything under a folder, and for every path without another route.

    A path with a final slash means its `index.html`. A path that ends in an encoded `#` and more is redirected to the
    page with that as its fragment: mail programs encode it, and links to staff carry a secret there.

    Browsers may store every answer but must revalidate it (`no-cache`); an unchanged file costs a 304.
    """

    def __init__(self, root: Path) -> None:
        self._files = dict(_read(root))

    @property
    def paths(self) -> frozenset[str]:
        """Every path that is served."""
        return frozenset(self._files)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        path: str = scope["path"]
        file = self._files.get(path + _INDEX if path.endswith("/") else path)
        if file is None:
            page, sign, rest = path.partition("#")
            if sign and page in self._files:
                # A mail program has written "#" as "%23". The fragment is a secret for the page alone.
                return Response(
                    None, 302, {"location": f"{page}#{quote(rest, safe='=&')}", "cache-control": "no-store"}
                )
            return PlainTextResponse("There is nothing here.\n", 404)
        if scope["method"] not in {"GET", "HEAD"}:
            return PlainTextResponse("Only GET and HEAD are allowed here.\n", 405, {"allow": "GET, HEAD"})
        headers = Headers(scope=scope)
        answer = {"etag": file.etag, "cache-control": "no-cache", "vary": "accept-encoding"}
        if _names(headers.get("if-none-match", ""), file.etag):
            return Response(None, 304, answer)
        if file.packed is not None and takes_gzip(headers.get("accept-encoding", "")):
            return Response(file.packed, 200, {**answer, "content-encoding": "gzip"}, file.kind)
        return Response(file.plain, 200, answer, file.kind)


def _read(root: Path) -> list[tuple[str, _File]]:
    """Return every regular file inside `root`, except hidden files and links that lead out of it."""
    home = root.resolve()
    found = []
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home)
        if any(part.startswith(".") for part in name.parts) or not path.resolve().is_relative_to(home):
            continue
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            continue
        plain = path.read_bytes()
        if path.suffix in {".js", ".css"}:
            plain = without_comments(plain.decode()).encode()
        packed = gzip.compress(plain, 9, mtime=0)
        file = _File(
            kind=_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            # Weak: the same for both encodings.
            etag=f'W/"{hashlib.blake2b(plain, digest_size=12).hexdigest()}"',
            plain=plain,
            packed=packed if len(packed) < len(plain) * 0.9 else None,
        )
        found.append((f"/{name.as_posix()}", file))
    return found


def without_comments(text: str) -> str:
    """Return a script or a style sheet without its comments. Line numbers stay the same, for error messages."""
    return _COMMENTS.sub(lambda found: "\n" * found[0].count("\n"), text)


def _names(condition: str, etag: str) -> bool:
    """Return whether If-None-Match names this tag (RFC 9110, section 13.1.2: the comparison is weak)."""
    bare = etag.removeprefix("W/")
    return any(tag.strip() == "*" or tag.strip().removeprefix("W/") == bare for tag in condition.split(","))


def takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
