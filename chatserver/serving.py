"""Serving from one process: the listening socket, uvicorn's settings and server, and the signals of a process that
serves alone.

A process that serves alone handles SIGHUP by draining and then serving anew. For several workers see `supervisor.py`.
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
"""Seconds that uvicorn waits after the drain before it cancels what is left."""
FIRST_RETRY_SECONDS: Final = 0.5
LONGEST_OUTAGE_RETRY_SECONDS: Final = 5.0
"""The longest pause in seconds between two starts while nobody serves."""
MOST_FAILURES: Final = 10
"""How many failures in a row are counted. More do not lengthen the pause."""

_BACKLOG: Final = 2_048
_UNSENT_BYTES: Final = 128 * 1024
"""Unsent bytes that the kernel keeps for a peer besides those on their way: the default of `limits.outbox_bytes`."""
_SPARE_FILES: Final = 1_024
"""Open files besides the WebSockets: other TCP connections, the database, Redis."""
_REST_SECONDS: Final = 0.1

_log = logging.getLogger("chatserver.supervisor")


class CannotListen(Exception):
    """The address cannot be listened on. The message is one line for the operator."""


def listen(host: str, port: int) -> socket.socket:
    """Return the bound socket that all workers share. Raises CannotListen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}: {error.strerror}") from None
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        # Connections inherit it. Otherwise the kernel buffers megabytes for a peer that reads nothing, before we
        # notice.
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
    try:
        sock.bind(address)
        # Listen now, so that a port in use is found out here and not in a worker.
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        taken = error.errno == errno.EADDRINUSE
        hint = "; choose another with --port" if taken else ""
        raise CannotListen(f"cannot listen on {host} port {port}: {error.strerror}{hint}") from None
    sock.set_inheritable(True)
    return sock


def uvicorn_config(settings: Settings) -> Config:
    """Return uvicorn's configuration for one worker."""
    return Config(
        APP,
        factory=True,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=HTTP_PROTOCOL,
        ws=WS_PROTOCOL,
        # Our protocols have limits, pings and deadlines of their own (`limits`); uvicorn's apply only to its own
        # protocols.
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
    """uvicorn's server, which also reports when it is ready and when its loop last turned."""

    def __init__(
        self,
        config: Config,
        on_ready: Callable[[], None] | None = None,
        on_shutdown: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(config)
        self.turned_at = 0.0
        self.is_told_to_end = False
        """Whether a signal asked it to end while uvicorn handled signals."""
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
    """Tells whether SIGHUP means that the terminal in which this process was started was closed."""

    def __init__(self) -> None:
        self._is_there = _has_terminal()
        self.is_needed = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
        """Whether the process should end with its terminal; under `nohup` it should not."""

    def was_closed(self) -> bool:
        """Return whether the terminal has gone since the last call."""
        was_there, self._is_there = self._is_there, _has_terminal()
        return was_there and not self._is_there


def _has_terminal() -> bool:
    """Return whether this process has a controlling terminal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


class _Alone:
    """What signals have requested of a server that runs alone."""

    def __init__(self) -> None:
        self.ends = False
        self.returns = False
        self._terminal = Terminal()
        self._server: WorkerServer | None = None
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._take)

    def runs(self, server: WorkerServer) -> None:
        """Set the server that the next signal is for."""
        self._server, self.returns = server, False
        server.should_exit = self.ends

    def _take(self, number: int, _frame: FrameType | None) -> None:
        # While uvicorn serves it handles SIGTERM and SIGINT itself, and raises them once more when it has ended.
        if number != signal.SIGHUP:
            self.ends = True
        elif not self._terminal.was_closed():
            self.returns = True
        elif self._terminal.is_needed:
            self.ends = True
        if self._server is not None and (self.ends or self.returns):
            self._server.should_exit = True

    def rest(self, seconds: float) -> None:
        """Wait, but no longer than until the process is to end."""
        until = time.monotonic() + seconds
        while not self.ends and (left := until - time.monotonic()) > 0:
            # Python resumes a sleep after a signal.
            time.sleep(min(left, _REST_SECONDS))


def run_alone(
    settings: Settings, sock: socket.socket, on_ready: Callable[[], None], inside: Sequence[socket.socket] = ()
) -> None:
    """Serve from this process until SIGTERM or SIGINT, then drain and return. `inside` are sockets of inner ports.

    SIGHUP drains as well, and then serves anew. Connections that arrive meanwhile are not refused: the socket stays
    open, and the new server answers them. If the new server cannot start because the database is away, it is tried
    again. Raises SystemExit if the first server cannot start.
    """
    allow_files(settings)
    asked = _Alone()
    socks = (sock, *inside)
    ready: Callable[[], None] | None = on_ready

    def refuse_unless_returning() -> None:
        """Close the sockets if this ends for good, so that new connections are refused at once instead of waiting."""
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
            # uvicorn exits like this if it could not start. It raises no signal again then.
            if server.is_told_to_end:
                asked.ends = True
            if not has_served:
                raise
        finally:
            # uvicorn has closed them already, if it got that far.
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
        # The last server was excluded from garbage collection (`server.py`).
        gc.unfreeze()
        gc.collect()
    for one in socks:
        one.close()


def allow_files(settings: Settings) -> None:
    """Raise the limit of open files to the number of possible sockets: the default is often 1,024, which a single
    visitor could use up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.limits.connections_per_worker + _SPARE_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
