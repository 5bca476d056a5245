"""One server process that a test owns: start, wait until it answers, freeze, kill, stop; its output in a file."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import pytest

from tests.kit.forks import Fork

START_SECONDS: Final = 45.0
STOP_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.03

T = TypeVar("T")

# The keeper is told of every process group that starts (+) and ends (-). When the tests end, however they end, its
# input ends, and it kills the groups that are left.
_KEEPER: Final = """
trap '' HUP INT TERM
groups=
while read -r sign group; do
    kept=
    for one in $groups; do [ "$one" = "$group" ] || kept="$kept $one"; done
    groups=$kept
    [ "$sign" = - ] || groups="$groups $group"
done
for one in $groups; do kill -s KILL -- "-$one" 2>/dev/null; done
"""

_running: weakref.WeakSet[Process] = weakref.WeakSet()


class PartMissing(RuntimeError):
    """A part that this machine does not have. Tests that need it are skipped here, and fail under CI."""


def obtain(make: Callable[[], T]) -> T:
    """Return what `make` returns. If it raises PartMissing, the test is skipped, or fails in CI."""
    try:
        return make()
    except PartMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(f"missing under CI: {missing}", pytrace=False)
        pytest.skip(str(missing))


class Process:
    """A command in its own process group, so that nothing it starts can outlive the tests."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        user: int | None = None,
        cwd: Path | None = None,
        is_forked: bool = False,
        hashes_quickly: bool = True,
    ) -> None:
        """If it `is_forked`, `command` must be Python with `-m` and a module, and `env` and `cwd` must be given; if
        `command` is changed to something else later, it is started without a fork. Only a fork may be one that
        `hashes_quickly`.
        """
        self.command = [str(part) for part in command]
        self.log = log
        self.env = dict(env) if env is not None else None
        self.user = user
        self.cwd = cwd
        self.is_forked = is_forked
        self.hashes_quickly = hashes_quickly
        self._popen: subprocess.Popen[bytes] | Fork | None = None

    @property
    def pid(self) -> int:
        if self._popen is None:
            raise RuntimeError(f"{self.command[0]} was not started")
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Return the exit code, or None while it runs; the negative number of a signal that ended it."""
        return None if self._popen is None else self._popen.poll()

    def start(self, is_ready: Callable[[], bool], timeout: float = START_SECONDS) -> None:
        """Start, and return once `is_ready` returns True. Otherwise raise RuntimeError with the end of the log."""
        if self.is_running:
            raise RuntimeError(f"{self.command[0]} runs already")
        self._popen = self._fork() if self.is_forked and self.command[0] == sys.executable else self._open()
        _running.add(self)
        _tell_keeper("+", self._popen.pid)
        deadline = time.monotonic() + timeout
        while not is_ready():
            if not self.is_running:
                raise RuntimeError(f"{self.command[0]} ended with {self.exit_code} at its start:\n{self.tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{self.command[0]} was not ready after {timeout:g} s:\n{self.tail()}")
            time.sleep(_POLL_SECONDS)

    def _open(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.env,
                user=self.user,
                group=self.user,
                extra_groups=[] if self.user is not None else None,
                cwd=self.cwd,
                start_new_session=True,
            )

    def _fork(self) -> Fork:
        assert self.env is not None
        assert self.cwd is not None
        files = (Path(os.devnull), self.log, self.log)
        return Fork(self.command[2:], files, self.env, self.cwd, hashes_quickly=self.hashes_quickly)

    def send_signal(self, number: signal.Signals) -> None:
        if self.is_running:
            os.kill(self.pid, number)

    def freeze(self) -> None:
        """Stop the whole group: its sockets stay open, and send nothing."""
        self._signal_group(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_group(signal.SIGCONT)

    def kill(self) -> None:
        """Kill the whole group at once."""
        if self._popen is None:
            return
        self._signal_group(signal.SIGKILL)
        self._popen.wait(STOP_SECONDS)
        self._forget()

    def stop(self, timeout: float = STOP_SECONDS) -> int:
        """Ask it to end (SIGTERM) and return its exit code. If it does not end in time, kill it and raise
        RuntimeError."""
        if self._popen is None:
            return 0
        self.thaw()
        self.send_signal(signal.SIGTERM)
        return self.wait(timeout)

    def wait(self, timeout: float = STOP_SECONDS) -> int:
        """Wait for it to end by itself, and return the exit code."""
        if self._popen is None:
            return 0
        try:
            code = self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"{self.command[0]} did not end within {timeout:g} s:\n{self.tail()}") from None
        self._signal_group(signal.SIGKILL)
        self._forget()
        return code

    def output(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def tail(self, lines: int = 30) -> str:
        return "\n".join(self.output().splitlines()[-lines:])

    def _forget(self) -> None:
        _running.discard(self)
        _tell_keeper("-", self.pid)

    def _signal_group(self, number: signal.Signals) -> None:
        if self._popen is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, number)


@functools.cache
def _keeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["/bin/sh", "-c", _KEEPER], stdin=subprocess.PIPE, start_new_session=True)


def _tell_keeper(sign: str, group: int) -> None:
    line = _keeper().stdin
    assert line is not None
    line.write(f"{sign} {group}\n".encode())
    line.flush()


@atexit.register
def _end_what_is_left() -> None:
    for process in list(_running):
        process.kill()
    if _keeper.cache_info().currsize:
        _keeper().communicate(timeout=STOP_SECONDS)


def wait_until(condition: Callable[[], bool], what: str, timeout: float = START_SECONDS) -> None:
    """Return once `condition` holds, or raise a TimeoutError that names `what`. Blocks the thread."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:g} s for: {what}")
        time.sleep(_POLL_SECONDS)
