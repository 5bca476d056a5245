"""From one command to running workers: the listening socket, uvicorn's settings, and several processes kept alive.

A worker that ends, hangs or blocks its loop is replaced at once. Workers end when their supervisor does, however that
happens: each watches a pipe that only the supervisor holds open.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import multiprocessing
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from logging.config import dictConfig
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any, Final

from prometheus_client.multiprocess import mark_process_dead
from uvicorn import Config, Server

from chatserver.config import Settings, effective
from chatserver.logs import log_config

APP: Final = "chatserver.server:create_app"
HTTP_PROTOCOL: Final = "chatserver.edge.heads:ChatHttpProtocol"
WS_PROTOCOL: Final = "chatserver.edge.transport:ChatProtocol"

_BACKLOG: Final = 2_048
_UNSENT_BYTES: Final = 128 * 1024
"""What the kernel keeps for a peer beyond what is on its way to it: as much as `limits.outbox_bytes` is by default."""
_SPARE_FILES: Final = 1_024
"""Beyond the WebSockets: other TCP connections, the database, Redis."""
_DRAIN_SLACK_SECONDS: Final = 7
"""What uvicorn waits beyond the drain before it cancels what is left."""
_END_SLACK_SECONDS: Final = 5.0
_PING_SECONDS: Final = 1.0
_HUNG_SECONDS: Final = 10.0
"""A process that does not answer for so long, or whose loop has not turned, is replaced."""
_START_SECONDS: Final = 60.0
"""How long a new process may take until its first answer, on a machine that is busy starting all of them."""
_FIRST_RETRY_SECONDS: Final = 0.5
_LONGEST_RETRY_SECONDS: Final = 30.0

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
        ws_max_size=settings.limits.frame_bytes,
        # The transport has its own: uvicorn's closes a stalled client by asking it to.
        ws_ping_interval=None,
        ws_ping_timeout=None,
        ws_per_message_deflate=False,
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

    def __init__(self, config: Config, on_ready: Callable[[], None] | None = None) -> None:
        super().__init__(config)
        self.turned_at = 0.0
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.turned_at = time.monotonic()
        if self._on_ready is not None:
            self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        self.turned_at = time.monotonic()
        return await super().on_tick(counter)


def run_alone(settings: Settings, sock: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve from this process until SIGTERM or SIGINT, then drain and return."""
    config = uvicorn_config(settings)
    _ignore_reraised_signals()
    _allow_files(settings)
    WorkerServer(config, on_ready).run(sockets=[sock])


class Supervisor:
    """Keeps `settings.workers` processes serving one socket.

    SIGTERM and SIGINT drain and end; a second one ends at once. SIGHUP replaces the workers one by one, each when its
    successor is ready.
    """

    def __init__(self, settings: Settings, sock: socket.socket, on_ready: Callable[[], None]) -> None:
        self._wanted = settings.workers
        self._drain_seconds = settings.limits.drain_seconds + _DRAIN_SLACK_SECONDS + _END_SLACK_SECONDS
        self._logging = log_config(settings.log_level, settings.log_format)
        self._sock = sock
        self._on_ready = on_ready
        self._workers: list[_Worker] = []
        self._retiring: list[_Worker] = []
        self._to_replace: list[_Worker] = []
        self._has_served = False
        self._failures = 0
        self._next_start = 0.0
        self._stops = 0
        self._hangups = 0

    def run(self) -> bool:
        """Serve until told to end. False where the workers could not start at all."""
        dictConfig(self._logging)
        with self._signals() as woken:
            for _ in range(self._wanted):
                self._workers.append(_Worker(self._sock))
            started = True
            while not self._stops and started:
                watched = [worker.watched for worker in (*self._workers, *self._retiring)]
                ready = wait([woken, *(one for pair in watched for one in pair)], _PING_SECONDS / 2)
                if woken in ready:
                    os.read(woken, 1_024)
                started = self._look_after()
            self._end()
        return started

    def _look_after(self) -> bool:
        """One round. False where no worker has ever served and one failed."""
        now = time.monotonic()
        for worker in (*self._workers, *self._retiring):
            worker.listen(now)
        if not self._has_served and self._workers and all(worker.is_ready for worker in self._workers):
            self._has_served = True
            self._on_ready()
        self._bury()
        if not self._has_served and len(self._workers) < self._wanted:
            return False
        if all(worker.is_ready for worker in self._workers):
            self._failures = 0
        if len(self._workers) < self._wanted and now >= self._next_start:
            self._workers.append(_Worker(self._sock))
        self._replace_next()
        return True

    def _bury(self) -> None:
        now = time.monotonic()
        for worker in [worker for worker in self._workers if worker.is_hung(now)]:
            _log.error("worker_hung", extra={"worker": worker.pid})
            worker.process.kill()
            worker.process.join()
        for worker in [worker for worker in self._workers if not worker.process.is_alive()]:
            self._workers.remove(worker)
            _log.warning("worker_ended", extra={"worker": worker.pid, "code": worker.process.exitcode})
            worker.forget()
            if not worker.is_ready:
                delay = min(_FIRST_RETRY_SECONDS * 2**self._failures, _LONGEST_RETRY_SECONDS)
                self._failures += 1
                self._next_start = now + delay
        for worker in [worker for worker in self._retiring if not worker.process.is_alive()]:
            self._retiring.remove(worker)
            worker.forget()

    def _replace_next(self) -> None:
        """Where a replacement is wanted: start a successor; when all serve, let the old one go."""
        if self._hangups:
            self._hangups = 0
            self._to_replace = list(self._workers)
        self._to_replace = [worker for worker in self._to_replace if worker in self._workers]
        if not self._to_replace:
            return
        if len(self._workers) == self._wanted:
            self._workers.append(_Worker(self._sock))
        elif all(worker.is_ready for worker in self._workers):
            old = self._to_replace.pop(0)
            self._workers.remove(old)
            self._retiring.append(old)
            old.terminate()

    def _end(self) -> None:
        # Whoever comes now is refused at once, instead of waiting for somebody to accept.
        self._sock.close()
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
        if number == signal.SIGHUP:
            self._hangups += 1
        else:
            self._stops += 1


class _Worker:
    """One worker process as its supervisor sees it."""

    def __init__(self, sock: socket.socket) -> None:
        self._line, theirs = _spawn.Pipe()
        self.process = _spawn.Process(target=_work, args=(sock, theirs), name="chat worker")
        self.process.start()
        theirs.close()
        self.is_ready = False
        self._asked_at: float | None = None
        self._answered_at = time.monotonic()
        self._has_answered = False
        self._turned_ago = 0.0

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
                started, self._turned_ago = self._line.recv()
                self.is_ready = self.is_ready or started
                self._asked_at = None
                self._answered_at = now
                self._has_answered = True
            if self._asked_at is None and (now - self._answered_at >= _PING_SECONDS or not self.is_ready):
                self._line.send(None)
                self._asked_at = now

    def is_hung(self, now: float) -> bool:
        patience = _HUNG_SECONDS if self._has_answered else _START_SECONDS
        is_silent = self._asked_at is not None and now - self._asked_at > patience
        return is_silent or (self.is_ready and self._turned_ago > _HUNG_SECONDS)

    def terminate(self) -> None:
        if self.process.is_alive():
            # A frozen worker must be able to hear it.
            os.kill(self.pid, signal.SIGCONT)
            self.process.terminate()

    def forget(self) -> None:
        self.process.join()
        self._line.close()
        directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if directory is not None:
            mark_process_dead(self.pid, directory)  # type: ignore[no-untyped-call]


def _work(sock: socket.socket, line: Connection[Any, Any]) -> None:
    """A worker's whole life."""
    settings = effective()
    _ignore_reraised_signals()
    _allow_files(settings)
    server = WorkerServer(uvicorn_config(settings))
    threading.Thread(target=_answer, args=(server, line), name="answers the supervisor", daemon=True).start()
    server.run(sockets=[sock])


def _answer(server: WorkerServer, line: Connection[Any, Any]) -> None:
    try:
        while True:
            line.recv()
            line.send((server.started, time.monotonic() - server.turned_at if server.started else 0.0))
    except (OSError, EOFError):
        # The supervisor is gone: nobody else will end this process.
        os.kill(os.getpid(), signal.SIGTERM)


def _allow_files(settings: Settings) -> None:
    """Ask for as many open files as there may be sockets: a process that does not ask often has 1,024, and a single
    visitor could take them all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.limits.connections_per_worker + _SPARE_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _ignore_reraised_signals() -> None:
    """uvicorn raises the signals that ended it once more; a server that drained as it was told has not failed."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
