"""One connection to one Redis server: publishes, subscriptions, and the proof that both work.

It speaks RESP3, where pushes and replies share a connection, so one socket does everything and one probe proves it: a
message published on a topic of this link's own and heard again. Since Redis answers in order, hearing the first probe
also proves that every subscription sent before it is in force.

A link never repairs itself. The first irregularity ends it, with a reason, and the bus makes another (decision 0030).
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Final, Protocol, cast

import hiredis

from chatserver.bus.address import Credentials, Endpoint
from chatserver.bus.contract import Topic

CONNECT_SECONDS: Final = 1.0
PROBE_SECONDS: Final = 1.0
SILENCE_SECONDS: Final = 2.5
"""Seconds without a byte after which the server is frozen, gone, or no longer the right one."""
LATE_SECONDS: Final = 10.0
"""Seconds after which a probe is late although bytes arrive: messages then arrive too late to be of use."""
_TICK_SECONDS: Final = 0.25
_GRACE_SECONDS: Final = 0.1
"""Seconds added to timers, because a loop that stood still runs its timers before it reads what arrived meanwhile."""
_PROBE = struct.Struct("!d")


class LinkError(Exception):
    """A link could not be made."""


class LinkListener(Protocol):
    """What a link reports to its bus, on the event loop."""

    def heard(self, topic: Topic, payload: bytes) -> None:
        """A message arrived."""

    def attached(self, link: Link) -> None:
        """The first probe came back."""

    def lost(self, link: Link, reason: str) -> None:
        """The link has ended. Called once, also for a link that never was attached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """The settings that all links of a bus share. `buffer_*` bound what was published and not yet answered."""

    credentials: Credentials
    tls: SSLContext | None
    prefix: str
    is_sharded: bool
    must_be_master: bool
    buffer_messages: int
    buffer_bytes: int


class Link(asyncio.Protocol):
    """A link, made by `connect`. Only `round_trip_seconds` and the methods without underscore are for the bus."""

    def __init__(self, endpoint: Endpoint, settings: LinkSettings, listener: LinkListener, probe_topic: Topic) -> None:
        self.endpoint = endpoint
        self.is_attached = False
        self.round_trip_seconds: float | None = None
        self.dropped = 0
        """The number of publishes that this link refused, or accepted without ever getting an answer."""
        self._settings = settings
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._end_reason: str | None = None
        verb = b"S" if settings.is_sharded else b""
        self._publish_head = b"*3\r\n$%d\r\n%bPUBLISH\r\n$" % (len(verb) + 7, verb)
        self._subscribe, self._unsubscribe = verb + b"SUBSCRIBE", verb + b"UNSUBSCRIBE"
        self._message_kind, self._gone_kind = verb.lower() + b"message", verb.lower() + b"unsubscribe"
        self._reader = hiredis.Reader(replyError=hiredis.ReplyError, notEnoughData=Ellipsis)
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._is_flush_due = False
        self._unanswered = 0
        self._probes_out = 0
        self._names: dict[bytes, Topic] = {}
        self._leaving: dict[bytes, int] = {}
        self._is_welcome = False
        self._welcomed: asyncio.Future[None] = self._loop.create_future()
        self._syncing: dict[bytes, asyncio.Future[None]] = {}
        self._sync_number = 0
        self._probe_topic = self._wire_name(probe_topic)
        self._probe_age = 0.0
        self._since_bytes = 0.0
        self._since_probe = 0.0
        self._ticked_at = 0.0
        self._tick_handle: asyncio.TimerHandle | None = None

    async def connect(self) -> None:
        """Connect, sign in, subscribe, and send the first probe; `LinkListener.attached` follows when it is heard.

        Takes at most `CONNECT_SECONDS`. Raises LinkError with a reason that holds no secret.
        """
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._open()
                await self._welcomed
        except TimeoutError:
            self.end("it did not answer in time")
        except (OSError, UnicodeError) as error:
            self.end(f"it could not be reached ({type(error).__name__})")
        except asyncio.CancelledError:
            self.end("it is no longer wanted")
            raise
        if self._end_reason is not None:
            raise LinkError(self._end_reason)
        self._is_welcome = True
        for name in (self._probe_topic, *self._names):
            self._command(self._subscribe, name)
        self._ticked_at = self._loop.time()
        self._probe()
        self._tick_handle = self._loop.call_later(_TICK_SECONDS, self._tick)

    def subscribe(self, topics: Iterable[Topic]) -> None:
        """Subscribe to topics; `sync` waits until this is in force. Before the link is connected, this only notes the
        topics."""
        for topic in topics:
            name = self._wire_name(topic)
            if name not in self._names:
                self._names[name] = topic
                if self._is_welcome:
                    self._command(self._subscribe, name)

    def unsubscribe(self, topics: Iterable[Topic]) -> None:
        """Unsubscribe from topics."""
        for topic in topics:
            name = self._wire_name(topic)
            if self._names.pop(name, None) is not None and self._is_welcome:
                self._leaving[name] = self._leaving.get(name, 0) + 1
                self._command(self._unsubscribe, name)

    def publish(self, topic: Topic, payload: bytes) -> None:
        """Send one payload, with everything else of this turn of the loop. Counted in `dropped` if it cannot be
        sent."""
        transport = self._transport
        if (
            not self.is_attached
            or transport is None
            or self._unanswered >= self._settings.buffer_messages
            or self._out_bytes + transport.get_write_buffer_size() + len(payload) > self._settings.buffer_bytes
        ):
            self.dropped += 1
            return
        self._unanswered += 1
        self._send_publish(self._wire_name(topic), payload)

    async def sync(self, seconds: float) -> bool:
        """Wait until the server has processed everything sent so far. Return False if it did not within about
        `seconds`, or the link has ended."""
        if self._end_reason is not None:
            return False
        self._sync_number += 1
        token = b"%d" % self._sync_number
        settled = self._syncing[token] = self._loop.create_future()
        self._command(b"ECHO", token)
        for patience in (seconds, _GRACE_SECONDS):
            if not settled.done():
                await asyncio.wait({settled}, timeout=patience)
        self._syncing.pop(token, None)
        return settled.done() and self._end_reason is None

    def end(self, reason: str) -> None:
        """Drop the connection now. Unanswered publishes are counted as lost."""
        if self._end_reason is not None:
            return
        self._end_reason = reason
        self.is_attached = False
        self.dropped += max(0, self._unanswered - self._probes_out)
        self._unanswered = 0
        self._out.clear()
        if self._tick_handle is not None:
            self._tick_handle.cancel()
        if self._transport is not None:
            self._transport.abort()
        for waiting in (self._welcomed, *self._syncing.values()):
            if not waiting.done():
                waiting.set_result(None)
        self._listener.lost(self, reason)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._end_reason is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.end("the connection was closed")

    def data_received(self, data: bytes) -> None:
        self._since_bytes = 0.0
        reader = self._reader
        try:
            reader.feed(data)
            while (item := reader.gets()) is not Ellipsis:
                if type(item) is hiredis.PushNotification:
                    self._pushed(item)
                else:
                    self._replied(item)
        except hiredis.ProtocolError:
            self.end("it does not speak the Redis protocol")

    # Incoming.

    def _pushed(self, item: list[Any]) -> None:
        kind, name = item[0], item[1]
        if kind == self._message_kind:
            topic = self._names.get(name)
            if topic is not None:
                self._listener.heard(topic, item[2])
            elif name == self._probe_topic:
                self._probe_heard(item[2])
        elif kind == self._gone_kind and name is not None:
            leaving = self._leaving.get(name, 0)
            if leaving == 0:
                self.end("the topic moved to another server")
            elif leaving == 1:
                del self._leaving[name]
            else:
                self._leaving[name] = leaving - 1

    def _replied(self, item: object) -> None:
        """Handle a reply. Replies need no matching to commands: each kind of command has its own kind of reply."""
        match item:
            case int():
                self._unanswered = max(0, self._unanswered - 1)
            case bytes():
                settled = self._syncing.pop(item, None)
                if settled is not None and not settled.done():
                    settled.set_result(None)
            case dict():
                if not self._welcomed.done():
                    self._welcomed.set_result(None)
            case [bytes() as role, *_]:
                if role != b"master":
                    self.end("it is a replica now")
            case hiredis.ReplyError():
                self.end(f"it refused a command ({str(item).partition(' ')[0]})")

    def _probe_heard(self, payload: bytes) -> None:
        self._since_probe = 0.0
        self._probes_out = max(0, self._probes_out - 1)
        self.round_trip_seconds = max(0.0, time.monotonic() - _PROBE.unpack(payload)[0])
        if not self.is_attached and self._end_reason is None:
            self.is_attached = True
            self._listener.attached(self)

    # Outgoing.

    async def _open(self) -> None:
        settings, endpoint = self._settings, self.endpoint
        if endpoint.path:
            await self._loop.create_unix_connection(lambda: self, endpoint.path)
        else:
            await self._loop.create_connection(lambda: self, endpoint.host, endpoint.port, ssl=settings.tls)
        credentials = settings.credentials
        sign_in: tuple[str, ...] = ()
        if credentials.password is not None:
            sign_in = ("AUTH", credentials.username, credentials.password)
        self._command("HELLO", "3", *sign_in, "SETNAME", f"{settings.prefix.replace(' ', '-')}-bus")
        if settings.must_be_master:
            self._command("ROLE")

    def _probe(self) -> None:
        self._probe_age = 0.0
        # Its answer is an integer too, like that of every publish.
        self._unanswered += 1
        self._probes_out += 1
        self._send_publish(self._probe_topic, _PROBE.pack(time.monotonic()))
        if self._settings.must_be_master:
            self._command("ROLE")

    def _tick(self) -> None:
        """Measure silence. Time in which this process itself stood still does not count against the server."""
        now = self._loop.time()
        passed = min(now - self._ticked_at, 2 * _TICK_SECONDS)
        self._ticked_at = now
        self._since_bytes += passed
        self._since_probe += passed
        self._probe_age += passed
        if self._since_bytes > SILENCE_SECONDS or self._since_probe > LATE_SECONDS:
            self.end("it is silent")
            return
        if self._probe_age >= PROBE_SECONDS:
            self._probe()
        self._tick_handle = self._loop.call_later(_TICK_SECONDS, self._tick)

    def _wire_name(self, topic: Topic) -> bytes:
        return f"{self._settings.prefix}:{topic}".encode()

    def _send_publish(self, name: bytes, payload: bytes) -> None:
        self._send(b"%b%d\r\n%b\r\n$%d\r\n%b\r\n" % (self._publish_head, len(name), name, len(payload), payload))

    def _command(self, *words: str | bytes) -> None:
        # The stub says that this is a tuple of one.
        self._send(hiredis.pack_command(words))  # type: ignore[arg-type]

    def _send(self, data: bytes) -> None:
        """Send data; everything of one turn of the loop leaves in one write."""
        if self._end_reason is not None:
            return
        self._out.append(data)
        self._out_bytes += len(data)
        if not self._is_flush_due:
            self._is_flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flush_due = False
        data = b"".join(self._out)
        self._out.clear()
        self._out_bytes = 0
        if self._transport is not None and self._end_reason is None and data:
            self._transport.write(data)
