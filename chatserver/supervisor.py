"""From one command to running workers: the listening socket, uvicorn's settings, and several processes kept alive.

A worker that ends is replaced at once, by a fork of this process where the system allows it (`forking`). One that makes
no progress any more (`pulse`) is replaced, too, but never two at the same time: while one starts, nobody else is ended.
Workers end when their supervisor does, however that happens: each watches a pipe that only the supervisor holds open.

SIGHUP replaces all workers. It is for the supervisor alone: workers ignore it, because a terminal that is closed, or a
`kill` of the whole group, sends it to everybody. A worker that runs alone drains, and serves anew from its process.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import logging
import multiprocessing
import os
import resource
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

from uvicorn import Config, Server

from chatserver.config import Settings, effective
from chatserver.forking import Child, Fork, can_fork, prepare
from chatserver.logs import log_config
from chatserver.pulse import START_SECONDS, Pulse
from chatserver.shared_numbers import forget_worker

APP: Final = "chatserver.server:create_app"
HTTP_PROTOCOL: Final = "chatserver.edge.http_protocol:ChatHttpProtocol"
WS_PROTOCOL: Final = "chatserver.edge.websocket_protocol:ChatWebSocketProtocol"

_BACKLOG: Final = 2_048
_UNSENT_BYTES: Final = 128 * 1024
"""What the kernel keeps for a peer beyond what is on its way to it: as much as `limits.outbox_bytes` is by default."""
_SPARE_FILES: Final = 1_024
"""Beyond the WebSockets: other TCP connections, the database, Redis."""
_DRAIN_SLACK_SECONDS: Final = 7
"""What uvicorn waits beyond the drain before it cancels what is left."""
_END_SLACK_SECONDS: Final = 5.0
_PING_SECONDS: Final = 1.0
_FIRST_RETRY_SECONDS: Final = 0.5
_LONGEST_RETRY_SECONDS: Final = 30.0
_LONGEST_OUTAGE_RETRY_SECONDS: Final = 5.0
"""The same while nobody serves."""
_REST_SECONDS: Final = 0.1
_MOST_FAILURES: Final = 10
"""In a row, that are counted: more make no difference."""
_ORPHANED: Final = 1
"""The exit code of a worker whose supervisor died."""

_NEEDED: Final = (APP.partition(":")[0], HTTP_PROTOCOL.partition(":")[0], WS_PROTOCOL.partition(":")[0], "uvloop")

_spawn = multiprocessing.get_context("spawn")
_log = logging.getLogger("chatserver.supervisor")


class CannotListen(Exception):
    """The address cannot be listened on. The message is one line for the operator."""


def listen(host: str, port: int) -> socket.socket:
    """The bound socket that all workers share. Raises CannotListen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}: {error.strerror}") from None
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        # Connections inherit it. Otherwise the kernel takes megabytes for a peer that reads nothing before we notice.
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
    try:
        sock.bind(address)
        # Already now, so that a port somebody else listens on is found out here and not in a worker.
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        taken = error.errno == errno.EADDRINUSE
        hint = "; choose another with --port" if taken else ""
        raise CannotListen(f"cannot listen on {host} port {port}: {error.strerror}{hint}") from None
    sock.set_inheritable(True)
    return sock


def uvicorn_config(settings: Settings) -> Config:
    """How uvicorn runs one worker."""
    return Config(
        APP,
        factory=True,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=HTTP_PROTOCOL,
        ws=WS_PROTOCOL,
        # Our protocols have limits, pings and deadlines of their own (`limits`): uvicorn's are for uvicorn's protocols.
        lifespan="on",
        log_config=log_config(settings.log_level, settings.log_format),
        access_log=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        date_header=True,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=round(settings.limits.drain_seconds) + _DRAIN_SLACK_SECONDS,
    )


class WorkerServer(Server):
    """uvicorn's server, which also says when it is ready and when its loop last turned."""

    def __init__(
        self,
        config: Config,
        on_ready: Callable[[], None] | None = None,
        on_shutdown: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(config)
        self.turned_at = 0.0
        self.is_told_to_end = False
        """Whether a signal asked for its end while uvicorn took them."""
        self._on_ready = on_ready
        self._on_shutdown = on_shutdown

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.turned_at = time.monotonic()
        if self._on_ready is not None:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._on_shutdown is not None:
            self._on_shutdown()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.is_told_to_end = True
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        self.turned_at = time.monotonic()
        return await super().on_tick(counter)


class _Terminal:
    """Whether SIGHUP means that the terminal was closed, under which this process was started."""

    def __init__(self) -> None:
        self._is_there = _has_terminal()
        self.is_needed = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
        """Whether what runs in it should end with it: `nohup` says no."""

    def was_closed(self) -> bool:
        """Whether it has gone since this was last asked."""
        was_there, self._is_there = self._is_there, _has_terminal()
        return was_there and not self._is_there


def _has_terminal() -> bool:
    """Whether this process has a controlling terminal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


class _Alone:
    """What signals have asked of a server that runs alone."""

    def __init__(self) -> None:
        self.ends = False
        self.returns = False
        self._terminal = _Terminal()
        self._server: WorkerServer | None = None
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._take)

    def runs(self, server: WorkerServer) -> None:
        """This is the server that the next signal is for."""
        self._server, self.returns = server, False
        server.should_exit = self.ends

    def _take(self, number: int, _frame: FrameType | None) -> None:
        # While uvicorn serves it takes SIGTERM and SIGINT itself, and raises them once more when it has ended.
        if number != signal.SIGHUP:
            self.ends = True
        elif not self._terminal.was_closed():
            self.returns = True
        elif self._terminal.is_needed:
            self.ends = True
        if self._server is not None and (self.ends or self.returns):
            self._server.should_exit = True

    def rest(self, seconds: float) -> None:
        """Wait, but not for longer than until it is to end."""
        until = time.monotonic() + seconds
        while not self.ends and (left := until - time.monotonic()) > 0:
            # Python goes on with a sleep after a signal.
            time.sleep(min(left, _REST_SECONDS))


def run_alone(
    settings: Settings, sock: socket.socket, on_ready: Callable[[], None], inside: Sequence[socket.socket] = ()
) -> None:
    """Serve from this process until SIGTERM or SIGINT, then drain and return. `inside` are sockets of inner ports.

    SIGHUP drains as well, and then serves anew. Whoever comes meanwhile is not refused: the socket stays open, and they
    are answered when the new server runs. Where that cannot start, because the database is away, it is tried again.
    Raises SystemExit where the first one cannot start.
    """
    _allow_files(settings)
    asked = _Alone()
    socks = (sock, *inside)
    ready: Callable[[], None] | None = on_ready

    def refuse_unless_returning() -> None:
        """Whoever comes while this ends for good is refused at once, instead of waiting for somebody to accept."""
        if not asked.returns:
            for one in socks:
                one.close()

    has_served, failures = False, 0
    while not asked.ends:
        server = WorkerServer(uvicorn_config(settings), ready, refuse_unless_returning)
        asked.runs(server)
        given = [one.dup() for one in socks]
        try:
            server.run(sockets=given)
        except SystemExit:
            # uvicorn's way to say that it could not start. It raises no signal again then.
            if server.is_told_to_end:
                asked.ends = True
            if not has_served:
                raise
        finally:
            # uvicorn has closed them, if it came so far.
            for one in given:
                one.close()
        has_served = has_served or server.started
        if asked.ends or (server.started and not asked.returns):
            break
        if server.started:
            failures = 0
            _log.info("serving_anew")
        else:
            _log.error("server_not_started")
            asked.rest(min(_FIRST_RETRY_SECONDS * 2**failures, _LONGEST_OUTAGE_RETRY_SECONDS))
            failures = min(failures + 1, _MOST_FAILURES)
        ready = None
        # The last server was put among what is there to stay (`server.py`).
        gc.unfreeze()
        gc.collect()
    for one in socks:
        one.close()


class Supervisor:
    """Keeps `settings.workers` processes serving one socket.

    SIGTERM and SIGINT drain and end; a second one ends at once. SIGHUP replaces the workers one by one, each when its
    successor is ready; where it says that the terminal was closed, it drains and ends.
    """

    def __init__(
        self,
        settings: Settings,
        sock: socket.socket,
        on_ready: Callable[[], None],
        inside: Sequence[socket.socket] = (),
    ) -> None:
        self._wanted = settings.workers
        self._drain_seconds = settings.limits.drain_seconds + _DRAIN_SLACK_SECONDS + _END_SLACK_SECONDS
        self._logging = log_config(settings.log_level, settings.log_format)
        self._socks = [sock, *inside]
        self._on_ready = on_ready
        self._workers: list[_Worker] = []
        self._retiring: list[_Worker] = []
        self._to_replace: list[_Worker] = []
        self._has_served = False
        """Whether any worker was ever ready."""
        self._failures = 0
        self._next_start = 0.0
        self._held_back_at: float | None = None
        """Since when one that hangs waits for another to start."""
        self._stops = 0
        self._hangups = 0
        self._terminal = _Terminal()

    def run(self) -> bool:
        """Serve until told to end. False where the workers could not start at all."""
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
        """One round. Whatever it ran into: those who serve go on, and have somebody who looks after them."""
        try:
            return self._look_after()
        except Exception:
            if not self._has_served:
                raise
            _log.exception("supervisor_failed")
            time.sleep(_FIRST_RETRY_SECONDS)
            return True

    def _start_one(self) -> None:
        """Start a worker, or say that the machine gives no process for one now; then it is tried again later."""
        try:
            self._workers.append(_Worker(self._socks))
        except OSError as error:
            _log.error("worker_not_started", extra={"cause": error.strerror})
            self._put_off_start()

    def _put_off_start(self) -> None:
        """A start failed: each in a row is tried again later than the one before. What fails together counts once."""
        now = time.monotonic()
        if now >= self._next_start:
            serves = any(worker.is_ready for worker in self._workers)
            longest = _LONGEST_RETRY_SECONDS if serves else _LONGEST_OUTAGE_RETRY_SECONDS
            delay = min(_FIRST_RETRY_SECONDS * 2**self._failures, longest)
            self._failures = min(self._failures + 1, _MOST_FAILURES)
            self._next_start = now + delay

    def _look_after(self) -> bool:
        """One round. False where no worker has ever served and all have failed."""
        now = time.monotonic()
        ready = sum(worker.is_ready for worker in self._workers)
        for worker in (*self._workers, *self._retiring):
            worker.listen(now)
        if sum(worker.is_ready for worker in self._workers) > ready:
            # One that started has shown that others can. That the rest serves since long says nothing of it.
            self._failures = 0
        if not self._has_served and any(worker.is_ready for worker in self._workers):
            self._has_served = True
            self._on_ready()
        self._bury()
        if not self._has_served:
            # What one could not do another may: only when all have failed there is nothing to wait for.
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
                # It was to drain in that time, and hangs.
                worker.process.kill()
        for worker in [worker for worker in self._retiring if not worker.process.is_alive()]:
            self._retiring.remove(worker)
            worker.forget()

    def _first_hung(self, now: float) -> _Worker | None:
        """A worker that must be ended now. Where several hang, the next one waits until the first is replaced: those
        who are cut off need somebody to come back to. They wait no longer than a start takes: one that fails again
        and again would let the others hang for ever."""
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
        """Where a replacement is wanted: start a successor; when all serve, let the old one go."""
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
        # Whoever comes now is refused at once, instead of waiting for somebody to accept.
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
        """Count signals, and give a file descriptor that becomes readable with each."""
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        # The handlers would do without: this is what ends a wait at once.
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
        """When it was told to drain because another has taken its place."""
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
        """Take its answers and ask again when it is time."""
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
        """Let it drain: another has taken its place."""
        self.retires_since = time.monotonic()
        self.terminate()

    def terminate(self) -> None:
        if self.process.is_alive():
            # A frozen worker must be able to hear it.
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
    """A worker's whole life."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    settings = effective()
    _allow_files(settings)
    server = WorkerServer(uvicorn_config(settings))
    _end_by_signals(server)
    patience = settings.limits.drain_seconds + _DRAIN_SLACK_SECONDS + _END_SLACK_SECONDS
    threading.Thread(target=_answer, args=(server, line, patience), name="answers the supervisor", daemon=True).start()
    server.run(sockets=socks)


def _answer(server: WorkerServer, line: Connection[Any, Any], patience: float) -> None:
    """Tell the supervisor how this worker is, and end with it. `patience` is how long draining may take, in seconds."""
    with contextlib.suppress(OSError, EOFError):
        while True:
            line.recv()
            turned_ago = time.monotonic() - server.turned_at if server.started else 0.0
            line.send((server.started, turned_ago, time.process_time()))
    # The supervisor is gone: nobody else will end this process.
    if server.started:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(patience)
    # Either nobody is here yet, and what starts may take long to notice, or it hangs.
    os._exit(_ORPHANED)


def _cpu_of(pid: int, told: float | None) -> float | None:
    """Seconds of the processor that a process has used, also where it cannot say so itself: it was stopped, or holds
    Python's lock in something that does not return. `told` is what it said last, for where there is no `/proc`."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        # proc(5): utime and stime are fields 14 and 15, and the two before the name are gone.
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return told


def _allow_files(settings: Settings) -> None:
    """Ask for as many open files as there may be sockets: a process that does not ask often has 1,024, and a single
    visitor could take them all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.limits.connections_per_worker + _SPARE_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _end_by_signals(server: WorkerServer) -> None:
    """Let SIGTERM and SIGINT end a server also before uvicorn takes them, which it does late in its start. When it has
    ended it raises them once more; a server that drained as it was told has not failed."""

    def end(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


@contextlib.contextmanager
def _without_hangups() -> Iterator[None]:
    """Hold SIGHUP back, so that what is started meanwhile never gets it. Ours is not lost: it comes afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
