"""Several workers on one listening socket, kept running.

A worker that ends is replaced at once, by a fork of this process if the system allows it (`forking`). A worker that no
longer makes progress (`pulse`) is replaced too, but never two at the same time: while one starts, no other is ended.
Workers end when their supervisor does, however that happens: each watches a pipe that only the supervisor holds open.

SIGHUP replaces all workers. Only the supervisor handles it: workers ignore it, because a terminal that is closed, or a
`kill` of the whole group, sends it to all processes. docs/decisions/0177 says why uvicorn's own supervisor is not used.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from logging.config import dictConfig
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import FrameType
from typing import Any, Final

from chatserver.config import Settings, effective
from chatserver.forking import Child, Fork, can_fork, prepare
from chatserver.logs import log_config
from chatserver.pulse import START_SECONDS, Pulse
from chatserver.serving import (
    APP,
    DRAIN_SLACK_SECONDS,
    FIRST_RETRY_SECONDS,
    HTTP_PROTOCOL,
    LONGEST_OUTAGE_RETRY_SECONDS,
    MOST_FAILURES,
    WS_PROTOCOL,
    Terminal,
    WorkerServer,
    allow_files,
    uvicorn_config,
)
from chatserver.shared_numbers import forget_worker

_END_SLACK_SECONDS: Final = 5.0
_PING_SECONDS: Final = 1.0
_LONGEST_RETRY_SECONDS: Final = 30.0
"""The longest pause in seconds between two starts while others serve."""
_ORPHANED: Final = 1
"""The exit code of a worker whose supervisor died."""

_NEEDED: Final = (APP.partition(":")[0], HTTP_PROTOCOL.partition(":")[0], WS_PROTOCOL.partition(":")[0], "uvloop")

_spawn = multiprocessing.get_context("spawn")
_log = logging.getLogger("chatserver.supervisor")


class Supervisor:
    """Keeps `settings.workers` processes serving one socket.

    SIGTERM and SIGINT drain and end; a second one ends at once. SIGHUP replaces the workers one by one, each when its
    successor is ready; if it means that the terminal was closed, it drains and ends.
    """

    def __init__(
        self,
        settings: Settings,
        sock: socket.socket,
        on_ready: Callable[[], None],
        inside: Sequence[socket.socket] = (),
    ) -> None:
        self._wanted = settings.workers
        self._drain_seconds = settings.limits.drain_seconds + DRAIN_SLACK_SECONDS + _END_SLACK_SECONDS
        self._logging = log_config(settings.log_level, settings.log_format)
        self._socks = [sock, *inside]
        self._on_ready = on_ready
        self._workers: list[_Worker] = []
        self._retiring: list[_Worker] = []
        self._to_replace: list[_Worker] = []
        self._has_served = False
        """Whether any worker has ever been ready."""
        self._failures = 0
        self._next_start = 0.0
        self._held_back_at: float | None = None
        """Since when a worker that hangs waits until another has started."""
        self._stops = 0
        self._hangups = 0
        self._terminal = Terminal()

    def run(self) -> bool:
        """Serve until told to end. Return False if no worker could start at all."""
        dictConfig(self._logging)
        if can_fork():
            prepare(*_NEEDED)
        with self._signals() as woken:
            for _ in range(self._wanted):
                self._start_one()
            started = True
            while not self._stops and started:
                watched = [worker.watched for worker in (*self._workers, *self._retiring)]
                ready = wait([woken, *(one for pair in watched for one in pair)], _PING_SECONDS / 2)
                if woken in ready:
                    os.read(woken, 1_024)
                started = self._look_after_or_go_on()
            self._end()
        return started

    def _look_after_or_go_on(self) -> bool:
        """Do one round. An unexpected failure is logged, because the workers that serve still need a supervisor."""
        try:
            return self._look_after()
        except Exception:
            if not self._has_served:
                raise
            _log.exception("supervisor_failed")
            time.sleep(FIRST_RETRY_SECONDS)
            return True

    def _start_one(self) -> None:
        """Start a worker. If the machine has no process left, log it and try again later."""
        try:
            self._workers.append(_Worker(self._socks))
        except OSError as error:
            _log.error("worker_not_started", extra={"cause": error.strerror})
            self._put_off_start()

    def _put_off_start(self) -> None:
        """Put off the next start after a failed one, longer for each failure in a row. Simultaneous failures count
        once."""
        now = time.monotonic()
        if now >= self._next_start:
            serves = any(worker.is_ready for worker in self._workers)
            longest = _LONGEST_RETRY_SECONDS if serves else LONGEST_OUTAGE_RETRY_SECONDS
            delay = min(FIRST_RETRY_SECONDS * 2**self._failures, longest)
            self._failures = min(self._failures + 1, MOST_FAILURES)
            self._next_start = now + delay

    def _look_after(self) -> bool:
        """Do one round. Return False if no worker has ever served and all have failed."""
        now = time.monotonic()
        ready = sum(worker.is_ready for worker in self._workers)
        for worker in (*self._workers, *self._retiring):
            worker.listen(now)
        if sum(worker.is_ready for worker in self._workers) > ready:
            # One that started now shows that others can start. That the rest serves already shows nothing.
            self._failures = 0
        if not self._has_served and any(worker.is_ready for worker in self._workers):
            self._has_served = True
            self._on_ready()
        self._bury()
        if not self._has_served:
            # Another worker may still start; only when all have failed is there nothing to wait for.
            return bool(self._workers)
        may_start = now >= self._next_start
        if len(self._workers) < self._wanted and may_start:
            self._start_one()
        self._replace_next(may_start=may_start)
        return True

    def _bury(self) -> None:
        now = time.monotonic()
        if (hung := self._first_hung(now)) is not None:
            _log.error("worker_hung", extra={"worker": hung.pid})
            hung.process.kill()
            hung.process.join()
        for worker in [worker for worker in self._workers if not worker.process.is_alive()]:
            self._workers.remove(worker)
            _log.warning("worker_ended", extra={"worker": worker.pid, "code": worker.process.exitcode})
            worker.forget()
            if not worker.is_ready:
                self._put_off_start()
        for worker in self._retiring:
            if worker.retires_since is not None and now - worker.retires_since > self._drain_seconds:
                # It should have drained by now, and hangs.
                worker.process.kill()
        for worker in [worker for worker in self._retiring if not worker.process.is_alive()]:
            self._retiring.remove(worker)
            worker.forget()

    def _first_hung(self, now: float) -> _Worker | None:
        """Return a worker that must be ended now, or None. If several hang, the next one waits until the first is
        replaced, because people who are cut off need a worker to come back to. It waits no longer than a start takes:
        otherwise one that fails to start again and again would let the others hang for ever."""
        hung = [worker for worker in self._workers if worker.is_hung(now)]
        starting = [worker for worker in self._workers if not worker.is_ready and worker not in hung]
        if not hung:
            self._held_back_at = None
            return None
        if starting or len(self._workers) < self._wanted:
            self._held_back_at = now if self._held_back_at is None else self._held_back_at
            if now - self._held_back_at < START_SECONDS:
                return None
        self._held_back_at = None
        return hung[0]

    def _replace_next(self, *, may_start: bool) -> None:
        """If a worker is to be replaced, start its successor; once all serve, let the old one drain."""
        if self._hangups:
            self._hangups = 0
            self._to_replace = list(self._workers)
        self._to_replace = [worker for worker in self._to_replace if worker in self._workers]
        if not self._to_replace:
            return
        if len(self._workers) == self._wanted:
            if may_start:
                self._start_one()
        elif all(worker.is_ready for worker in self._workers):
            old = self._to_replace.pop(0)
            self._workers.remove(old)
            self._retiring.append(old)
            old.retire()

    def _end(self) -> None:
        # New connections are refused at once, instead of waiting for somebody to accept.
        for sock in self._socks:
            sock.close()
        everyone = [*self._workers, *self._retiring]
        for worker in everyone:
            worker.terminate()
        deadline = time.monotonic() + self._drain_seconds
        while any(worker.process.is_alive() for worker in everyone):
            if time.monotonic() > deadline or self._stops > 1:
                for worker in everyone:
                    worker.process.kill()
            wait([worker.process.sentinel for worker in everyone if worker.process.is_alive()], 0.1)
        for worker in everyone:
            worker.forget()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[int]:
        """Count signals, and yield a file descriptor that becomes readable with each."""
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        # The handlers work without it, but this ends a wait at once.
        before_fd = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        handlers = {
            number: signal.signal(number, self._take) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        }
        try:
            yield woken
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before_fd)
            os.close(woken)
            os.close(wake)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGHUP:
            self._stops += 1
        elif not self._terminal.was_closed():
            self._hangups += 1
        elif self._terminal.is_needed:
            self._stops += 1


class _Worker:
    """One worker process as its supervisor sees it."""

    def __init__(self, socks: Sequence[socket.socket], work: Callable[..., None] | None = None) -> None:
        self._line, theirs = _spawn.Pipe()
        try:
            self.process = _start(work or _work, [*socks], theirs)
        except BaseException:
            self._line.close()
            raise
        finally:
            theirs.close()
        self.is_ready = False
        self.retires_since: float | None = None
        """When it was told to drain because another has replaced it."""
        self._cpu: float | None = None
        self._pulse = Pulse(time.monotonic())

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def watched(self) -> tuple[int, Connection[Any, Any]]:
        return (self.process.sentinel, self._line)

    def listen(self, now: float) -> None:
        """Take its answers, and ask again when it is time."""
        with contextlib.suppress(OSError, EOFError):
            while self._line.poll():
                started, turned_ago, self._cpu = self._line.recv()
                self.is_ready = self.is_ready or started
                self._pulse.answered(now, turned_ago if started else None)
            if not self._pulse.is_asked and (now - self._pulse.answered_at >= _PING_SECONDS or not self.is_ready):
                self._line.send(None)
                self._pulse.asked(now)
        self._pulse.used(now, _cpu_of(self.pid, self._cpu))

    def is_hung(self, now: float) -> bool:
        return self._pulse.is_hung(now)

    def retire(self) -> None:
        """Let it drain, because another has replaced it."""
        self.retires_since = time.monotonic()
        self.terminate()

    def terminate(self) -> None:
        if self.process.is_alive():
            # A stopped process handles no signal until it continues.
            os.kill(self.pid, signal.SIGCONT)
            self.process.terminate()

    def forget(self) -> None:
        self.process.join()
        self._line.close()
        forget_worker(self.pid)
        self.process.close()


def _start(work: Callable[..., None], socks: list[socket.socket], line: Connection[Any, Any]) -> Child:
    if can_fork():
        return Fork(lambda: work(socks, line), [line.fileno(), *(sock.fileno() for sock in socks)])
    process = _spawn.Process(target=work, args=(socks, line), name="chat worker")
    with _without_hangups():
        process.start()
    return process


def _work(socks: list[socket.socket], line: Connection[Any, Any]) -> None:
    """Run a worker from its start to its end."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    settings = effective()
    allow_files(settings)
    server = WorkerServer(uvicorn_config(settings))
    _end_by_signals(server)
    patience = settings.limits.drain_seconds + DRAIN_SLACK_SECONDS + _END_SLACK_SECONDS
    threading.Thread(target=_answer, args=(server, line, patience), name="answers the supervisor", daemon=True).start()
    server.run(sockets=socks)


def _answer(server: WorkerServer, line: Connection[Any, Any], patience: float) -> None:
    """Tell the supervisor how this worker is, and end with it. `patience` is how long draining may take, in seconds."""
    with contextlib.suppress(OSError, EOFError):
        while True:
            line.recv()
            turned_ago = time.monotonic() - server.turned_at if server.started else 0.0
            line.send((server.started, turned_ago, time.process_time()))
    # The supervisor is gone, so nobody else will end this process.
    if server.started:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(patience)
    # Either it serves nobody yet, and may take long to start, or it hangs.
    os._exit(_ORPHANED)


def _cpu_of(pid: int, told: float | None) -> float | None:
    """Return the seconds of the processor that a process has used, even if it cannot report them itself because it was
    stopped, or something holds Python's lock. `told` is what it reported last, used if there is no `/proc`."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        # proc(5): utime and stime are fields 14 and 15; the first two fields, up to the name, are cut off here.
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return told


def _end_by_signals(server: WorkerServer) -> None:
    """Let SIGTERM and SIGINT end a server even before uvicorn handles them, which it does late in its start. uvicorn
    raises them once more when it has ended; ignoring that, a server that drained as told has not failed."""

    def end(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


@contextlib.contextmanager
def _without_hangups() -> Iterator[None]:
    """Block SIGHUP, so that a process started meanwhile never gets it. A signal to this process is delivered
    afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
