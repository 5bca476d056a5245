"""Serving from one process: the listening socket, uvicorn's settings and its server, and the signals of a process that
serves alone.

SIGHUP to a process that serves alone drains it, and it serves anew. Where several workers serve, see `supervisor.py`.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import logging
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

from uvicorn import Config, Server

from chatserver.config import Settings
from chatserver.logs import log_config

APP: Final = "chatserver.server:create_app"
HTTP_PROTOCOL: Final = "chatserver.edge.http_protocol:ChatHttpProtocol"
WS_PROTOCOL: Final = "chatserver.edge.websocket_protocol:ChatWebSocketProtocol"

DRAIN_SLACK_SECONDS: Final = 7
"""What uvicorn waits beyond the drain before it cancels what is left."""
FIRST_RETRY_SECONDS: Final = 0.5
LONGEST_OUTAGE_RETRY_SECONDS: Final = 5.0
"""The longest pause between two starts while nobody serves."""
MOST_FAILURES: Final = 10
"""In a row, that are counted: more make no difference."""

_BACKLOG: Final = 2_048
_UNSENT_BYTES: Final = 128 * 1024
"""What the kernel keeps for a peer beyond what is on its way to it: as much as `limits.outbox_bytes` is by default."""
_SPARE_FILES: Final = 1_024
"""Beyond the WebSockets: other TCP connections, the database, Redis."""
_REST_SECONDS: Final = 0.1

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
        timeout_graceful_shutdown=round(settings.limits.drain_seconds) + DRAIN_SLACK_SECONDS,
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


class Terminal:
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
        self._terminal = Terminal()
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
    allow_files(settings)
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
            asked.rest(min(FIRST_RETRY_SECONDS * 2**failures, LONGEST_OUTAGE_RETRY_SECONDS))
            failures = min(failures + 1, MOST_FAILURES)
        ready = None
        # The last server was put among what is there to stay (`server.py`).
        gc.unfreeze()
        gc.collect()
    for one in socks:
        one.close()


def allow_files(settings: Settings) -> None:
    """Ask for as many open files as there may be sockets: a process that does not ask often has 1,024, and a single
    visitor could take them all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.limits.connections_per_worker + _SPARE_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
