"""Keeps a second server off a data directory whose people the first one would never hear of.

Workers reach one another through Redis. Without it two servers on one directory each have half of the people: posts
cross by way of the database, and who is here, who is typing and every count are wrong. So a server without Redis holds
its directory alone, and those with Redis hold one together. The lock ends with the process, however it ends.
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
    """Lock a data directory for as long as this process lives, together with others where it is `shared`.

    Return the descriptor of the lock; closing it lets go. Raises DirectoryInUse, or OSError where the file of the lock
    cannot be made. A file system that knows no locks keeps nobody off.
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
