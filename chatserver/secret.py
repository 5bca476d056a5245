"""The one master secret of a server, and the keys derived from it.

The file is made once, complete and private, so that processes that start at the same moment use the same secret.
"""

from __future__ import annotations

import codecs
import contextlib
import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import Final

SHORTEST: Final = 32
"""The least number of characters, so that a secret that an operator chooses is as hard to guess as a generated one."""
_MADE_BYTES: Final = 48


class SecretUnusable(Exception):
    """The secret exists but must not be used. The message says why and what to do, and contains nothing of it."""


def derive(master: bytes, label: str) -> bytes:
    """Return 32 bytes for one purpose (RFC 5869, section 2.3, with one block). They reveal neither the master secret
    nor the key of another purpose."""
    return hmac.digest(hmac.digest(b"chatserver", master, "sha256"), label.encode() + b"\x01", "sha256")


def read_or_make_secret(path: Path) -> bytes:
    """Return the secret in a file. Make the file first if there is none. Raises SecretUnusable or OSError."""
    if not path.exists():
        _make(path)
    return read_secret(path)


def read_secret(path: Path) -> bytes:
    """Return the secret in a file. Raises SecretUnusable or OSError.

    The file must be private if it is ours. A file of another user, or on a read-only file system, was mounted by a
    platform, whose modes we cannot choose.
    """
    about = path.stat()
    mode = stat.S_IMODE(about.st_mode)
    if about.st_uid == os.geteuid() and mode & 0o077 and not _is_read_only(path):
        raise SecretUnusable(
            f"others may read or change this secret (mode {mode:04o}); run: chmod 600 {path}, or give the secret as "
            "CHATSERVER_SECRET_KEY where its file system keeps no modes"
        )
    value = path.read_bytes().removeprefix(codecs.BOM_UTF8).strip()
    if len(value) < SHORTEST:
        raise SecretUnusable(f"this secret is shorter than {SHORTEST} characters")
    return value


def _is_read_only(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_urlsafe(_MADE_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # A link is made only if there is none yet, so that a second process uses the first one's secret.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
