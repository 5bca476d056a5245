"""The files in which the workers of one server keep their metrics, so that any of them can report all.

prometheus_client maps files whose disk space is not allocated yet. If the disk is full, writing a number into such a
page ends the process (SIGBUS), and metrics must never decide whether somebody is served. So space is allocated before a
page is used, in memory rather than on the database's disk. If there is no space a worker keeps its counts to itself:
they are missing in the total, and the log says so once (decision 0139).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import mmap
import os
import shutil
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import mark_process_dead

DIRECTORY_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that tells workers where the files are. prometheus_client reads it, too."""
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - only a new directory inside it is used
_PREFIX: Final = "chatserver-metrics-"
_FIRST_BYTES: Final = 64 * 1024
"""The first size of each file in bytes. It doubles when it is used up."""
_BYTES_A_WORKER: Final = 2 * 1024 * 1024
_TRIES: Final = 3
_UNSUPPORTED: Final = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})

log = logging.getLogger("chatserver.metrics")


class NumbersPlace:
    """A directory for the files of one server, locked so that others see that it is in use."""

    def __init__(self, directory: Path, lock: int) -> None:
        self.directory = directory
        self._lock = lock

    def close(self) -> None:
        """Remove the directory and everything in it."""
        shutil.rmtree(self.directory, ignore_errors=True)
        os.close(self._lock)


def find_place(workers: int, *others: Path) -> NumbersPlace | None:
    """Make a directory in memory if there is room for that many workers, else in the first of `others` where it can be
    made. Return None if it can be made nowhere. Directories left by killed servers are removed."""
    for parent in (*([MEMORY] if _has_room(MEMORY, workers) else []), *others):
        with contextlib.suppress(OSError):
            _remove_dead(parent)
            for _ in range(_TRIES):
                directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
                if (lock := _hold(directory)) is not None:
                    return NumbersPlace(directory, lock)
    return None


def _has_room(parent: Path, workers: int) -> bool:
    try:
        found = os.statvfs(parent)
    except OSError:
        return False
    return os.access(parent, os.W_OK) and found.f_bavail * found.f_frsize >= workers * _BYTES_A_WORKER


def _hold(directory: Path) -> int | None:
    """Lock a directory and return the lock, or None if another server that starts is removing it as a leftover."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        # On a file system without locks no directory is ever removed by another server.
        return descriptor
    if directory.exists():
        return descriptor
    os.close(descriptor)
    return None


def _remove_dead(parent: Path) -> None:
    for left in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(left, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(descriptor)


def reserve_room() -> None:
    """Make prometheus_client keep its numbers in our files. Call it before the first instrument is made."""
    vars(values)["MmapedDict"] = ReservedDict
    # In forked workers it was imported before the directory was known.
    vars(values)["ValueClass"] = values.get_value_class()  # type: ignore[no-untyped-call]


class ReservedDict(MmapedDict):
    """prometheus_client's dictionary of numbers in a mapped file, with every page allocated."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        self._is_shared = read_mode or _reserve(filename, _FIRST_BYTES)
        if self._is_shared:
            super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]
            return
        self._fname = filename
        self._f: Any = None
        self._positions: dict[str, int] = {}
        self._capacity = _FIRST_BYTES
        self._m = mmap.mmap(-1, _FIRST_BYTES)
        # The format begins with the number of bytes used.
        self._used = 8
        struct.pack_into("i", self._m, 0, self._used)

    def _init_value(self, key: str) -> None:
        # The size of an entry besides its key: its length, its alignment, and two numbers.
        while self._used + len(key.encode()) + 32 > self._capacity:
            self._grow()
        super()._init_value(key)  # type: ignore[no-untyped-call]

    def _grow(self) -> None:
        wanted = 2 * self._capacity
        if self._is_shared and _reserve(self._fname, wanted):
            self._m = mmap.mmap(self._f.fileno(), wanted)
        else:
            self._is_shared = False
            mapped, self._m = self._m, mmap.mmap(-1, wanted)
            self._m[: self._used] = mapped[: self._used]
        self._capacity = wanted


def _reserve(filename: str, size: int) -> bool:
    """Return whether the file now has `size` allocated bytes. If it cannot have them it is removed."""
    try:
        descriptor = os.open(filename, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _take_room(descriptor, size)
        finally:
            os.close(descriptor)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(filename)
        log.warning("metrics_not_shared", extra={"cause": error.strerror, "worker": os.getpid()})
        return False
    return True


def _take_room(descriptor: int, size: int) -> None:
    try:
        os.posix_fallocate(descriptor, 0, size)
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _UNSUPPORTED:
            raise
        missing = size - os.fstat(descriptor).st_size
        if missing > 0:
            os.lseek(descriptor, 0, os.SEEK_END)
            with open(descriptor, "wb", buffering=0, closefd=False) as file:
                while missing > 0:
                    missing -= file.write(bytes(missing))


def forget_worker(pid: int) -> None:
    """Add the counts of a worker that has ended to one file for all such workers, and remove its own."""
    directory = os.environ.get(DIRECTORY_VARIABLE)
    if directory is None:
        return
    with contextlib.suppress(OSError):
        # A worker that is asked for metrics at this moment removes the same files.
        mark_process_dead(pid, directory)  # type: ignore[no-untyped-call]
    for kind in ("counter", "histogram"):
        ended = Path(directory, f"{kind}_{pid}.db")
        try:
            _add(ended, Path(directory, f"{kind}_ended.db"))
        except FileNotFoundError:
            continue
        except Exception as error:  # noqa: BLE001 - a worker that was killed may leave anything in it
            log.warning("metrics_of_ended_worker_lost", extra={"cause": type(error).__name__, "worker": pid})
            with contextlib.suppress(OSError):
                ended.unlink()


def _add(ended: Path, total: Path) -> None:
    found: Sequence[tuple[str, float, float, int]] = [
        *MmapedDict.read_all_values_from_file(ended)  # type: ignore[no-untyped-call]
    ]
    ended.unlink()
    sums = ReservedDict(str(total))
    try:
        for key, value, _, _ in found:
            sums.write_value(key, sums.read_value(key)[0] + value, 0.0)  # type: ignore[no-untyped-call]
    finally:
        sums.close()  # type: ignore[no-untyped-call]
