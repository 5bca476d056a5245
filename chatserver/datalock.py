"""Prevents two servers from using one data directory if they cannot hear each other.

Workers reach each other through Redis. Without it, two servers on one directory would each serve half of the people:
posts would cross through the database, but presence, typing and every count would be wrong. So a server without Redis
locks its directory exclusively, and servers with Redis share the lock. The lock ends with the process, however that
ends.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

_NAME: Final = "server.lock"


class DirectoryInUse(Exception):
    """Another server holds the data directory. The message is one line for the operator."""


def hold(directory: Path, *, shared: bool) -> int:
    """Lock a data directory for as long as this process lives, together with others if `shared`.

    Return the descriptor of the lock; closing it releases the lock. Raises DirectoryInUse, or OSError if the lock file
    cannot be made. On a file system without locks, no other server is kept out.
    """
    descriptor = os.open(directory / _NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DirectoryInUse(
            f"another server runs on the data directory {directory}, and the people on one would not see those on the "
            "other; stop it, choose another with --data-dir, or give both the same redis_url"
        ) from None
    except OSError:
        return descriptor
    return descriptor
