"""Worker processes that are forked from a process that has imported everything already.

Importing the server takes seconds of processor time. A fork takes a fraction of one, so people who were cut off by a
worker's death can reconnect at once, and it shares the memory of the code with its siblings.

A fork inherits every open file of its parent, and must keep only those that it is given: a lock would outlive the
parent, and a sibling would not notice that the parent has died. The other descriptors are pointed at the null device
instead of being closed, because copied Python objects still refer to them and may close them later.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Collection
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol

_DESCRIPTORS: Final = Path("/proc/self/fd")
_STANDARD: Final = frozenset({0, 1, 2})
_HANDLED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Child(Protocol):
    """A process as its supervisor sees it: `Fork`, or multiprocessing's."""

    @property
    def pid(self) -> int | None: ...
    @property
    def exitcode(self) -> int | None: ...
    @property
    def sentinel(self) -> int: ...
    def is_alive(self) -> bool: ...
    def join(self) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...
    def close(self) -> None: ...


@cache
def can_fork() -> bool:
    """Return whether this system forks safely, and can wait for a process by a descriptor. macOS does not, because its
    own libraries use threads."""
    if sys.platform != "linux" or not _DESCRIPTORS.is_dir():
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        # An old kernel, or a sandbox that refuses the call.
        return False
    return True


def prepare(*modules: str) -> None:
    """Import the modules that the forks will need. Existing objects are excluded from garbage collection, so that their
    memory stays shared."""
    for module in modules:
        import_module(module)
    gc.collect()
    gc.freeze()


class Fork:
    """A process forked from this one. It does `work` and ends.

    `keep` are the descriptors that it may use besides the standard ones. SIGTERM and SIGINT end it until it handles
    them itself, and it ignores SIGHUP. Threads of the parent do not exist in it, so none of them may hold a lock that
    it needs. Raises OSError if the system has no process or no descriptor left.
    """

    def __init__(self, work: Callable[[], None], keep: Collection[int]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        # Signals that arrive while the parent's handlers are still in place would be lost on the child.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
        try:
            with warnings.catch_warnings():
                # Python warns of threads. The only one is the log writer's, and the child does not need its locks.
                warnings.simplefilter("ignore", DeprecationWarning)
                self.pid = os.fork()
            if self.pid == 0:
                _be_a_worker(work, frozenset(keep), before)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self.exitcode: int | None = None
        try:
            self.sentinel = os.pidfd_open(self.pid)
        except OSError:
            # Without the descriptor, nobody would learn that the child has ended.
            os.kill(self.pid, signal.SIGKILL)
            self.join()
            raise

    def is_alive(self) -> bool:
        if self.exitcode is None:
            self._take(os.WNOHANG)
        return self.exitcode is None

    def join(self) -> None:
        if self.exitcode is None:
            self._take(0)

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def close(self) -> None:
        """Close the descriptor of the process, once it has ended."""
        os.close(self.sentinel)

    def _signal(self, number: signal.Signals) -> None:
        # Its number is not reused until it has been waited for.
        if self.is_alive():
            os.kill(self.pid, number)

    def _take(self, options: int) -> None:
        pid, status = os.waitpid(self.pid, options)
        if pid:
            self.exitcode = os.waitstatus_to_exitcode(status)


def _be_a_worker(work: Callable[[], None], keep: frozenset[int], mask: Collection[int]) -> None:
    """Run as the fork. Never returns, because the code that called this in the parent must not go on in the child."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        _let_go_of_all_but(keep | _STANDARD)
        work()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - reported as the interpreter would
        traceback.print_exc()
    finally:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _let_go_of_all_but(kept: frozenset[int]) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    # One of the listed descriptors is that of the listing itself, which is closed by now.
    for descriptor in {int(name) for name in os.listdir(_DESCRIPTORS)} - kept - {nothing}:
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        os.dup2(nothing, descriptor, inheritable=False)
    os.close(nothing)
