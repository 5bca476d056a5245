"""The load: thousands of raw sockets in one process, which write like members and check every byte that they receive.

It must be much cheaper than any server: one `recv` and one comparison for each write of the server, whatever that
contained. Only the senders' streams are parsed, because replies occur in them between the shared bytes.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from bench.frames import (
    ACCEPT,
    CLOSE,
    LINE_PING,
    LINE_PONG,
    PING,
    TEXT,
    Incoming,
    TornFrame,
    pong,
    server_frame,
    without_pings,
)
from bench.markers import marker_of, sender_of
from bench.stream import Stream, Unfaithful
from bench.targets import Dialect

_CHUNK: Final = 65_536
_EVENTS: Final = 2_048
_TEND_SECONDS: Final = 0.5
_RESET: Final = struct.pack("ii", 1, 0)
QUIET_SECONDS: Final = 0.4
"""Seconds without a byte after which nothing more is expected. Presence is sent ten times a second."""
_SILENT_SECONDS: Final = 0.05
"""The same for a server that sends no presence."""
now = time.perf_counter


class _Ok(msgspec.Struct):
    ok: str
    offset: int | None = None
    token: str | None = None


class _Answer(msgspec.Struct):
    re: str
    ok: _Ok | None = None
    error: dict[str, Any] | None = None


_answer: Final = msgspec.json.Decoder(_Answer)


class Visit(msgspec.Struct, frozen=True):
    """One arrival: into which room, as whom (None: a new guest), and since which position."""

    room: int
    token: str | None = None
    since: Mapping[str, Any] | None = None


class Member:
    """One socket. `at` is how far it has received the stream of its room."""

    __slots__ = (
        "at", "fd", "heard", "index", "joined", "number", "outstanding", "rest", "room", "seen", "sender", "sock",
        "step", "steps", "token",
    )  # fmt: skip

    def __init__(self, sock: socket.socket, visit: Visit, steps: Sequence[bytes]) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.room = visit.room
        self.token = visit.token
        self.steps = steps
        self.step = -1
        """How many of `steps` were sent; below zero if the upgrade was not answered yet."""
        self.rest = b""
        self.joined = b""
        """The reply to the last step."""
        self.at = 0
        self.seen = 0
        """How many of the stream's posts this member has received, if it is timed."""
        self.heard = 0
        self.sender: str | None = None
        """The first part of the markers of a member who writes."""
        self.number = 0
        self.outstanding = ""
        self.index = 0

    @property
    def is_live(self) -> bool:
        return self.step >= len(self.steps)


class Crowd:
    """The members of one server's rooms, present at once."""

    def __init__(self, dialect: Dialect, rooms: int) -> None:
        self.dialect = dialect
        self.streams = [
            Stream(
                f"room {number}",
                dialect.words,
                dialect.read_push,
                has_offsets=dialect.has_offsets,
                has_told=dialect.has_told,
            )
            for number in range(rooms)
        ]
        self.members: list[Member] = []
        self.arrived_at: list[float] = []
        """When each of the last arrivals was complete."""
        self.latencies: list[float] | None = None
        """Seconds from the sending of each post until each member received it, if they are measured."""
        self.on_answered: Callable[[Member], None] = lambda member: None
        self.idle: Sequence[Crowd] = ()
        """Crowds of other servers, whose pings are answered while this one arrives, writes and reads."""
        self._tended_at = now()
        self._by_fd: dict[int, Member] = {}
        self._epoll = select.epoll()
        self._is_settling = True
        self._senders = 0

    # ------------------------------------------------------------------------------------------ coming and going

    def arrive(self, visits: Iterable[Visit], *, at_once: int = 128, timeout: float = 600.0) -> list[Member]:
        """Connect, say hello and join, `at_once` at a time. Return when all are in. Raises Unfaithful if somebody is
        refused, and TimeoutError."""
        self._is_settling = True
        waiting = deque(visits)
        arriving: set[Member] = set()
        came: list[Member] = []
        self.arrived_at = []
        deadline = now() + timeout
        while waiting or arriving:
            while waiting and len(arriving) < at_once:
                member = self._connect(waiting.popleft())
                arriving.add(member)
                came.append(member)
            self._tend()
            for fd, event in self._epoll.poll(_TEND_SECONDS, _EVENTS):
                member = self._by_fd[fd]
                if member.is_live:
                    self._settle(member)
                elif event & select.EPOLLOUT:
                    member.sock.sendall(self.dialect.upgrade(member.room))
                    self._epoll.modify(fd, select.EPOLLIN)
                else:
                    self._proceed(member)
                    if member.is_live:
                        arriving.discard(member)
                        self.arrived_at.append(now())
            if now() > deadline:
                raise TimeoutError(f"{len(waiting) + len(arriving)} of {len(came)} did not get in in {timeout:g} s")
        return came

    def settle(self, timeout: float = 30.0) -> None:
        """Read until nothing more arrives, and clear all streams."""
        self._is_settling = True
        quiet_since, deadline = now(), now() + timeout
        quiet = QUIET_SECONDS if self.dialect.has_told else _SILENT_SECONDS
        while now() - quiet_since < quiet:
            self._tend()
            for fd, _ in self._epoll.poll(quiet / 2, _EVENTS):
                if self._settle(self._by_fd[fd]):
                    quiet_since = now()
            if now() > deadline:
                raise TimeoutError("the server does not come to rest")
        for member in self.members:
            member.at = member.seen = 0
            member.rest = b""
        for stream in self.streams:
            stream.clear()
        self._is_settling = False

    def look_after(self) -> None:
        """Read what has arrived while this crowd was not measured, and answer pings: a server closes connections that
        stay silent. Raises Unfaithful if the server has closed a connection."""
        while ready := self._epoll.poll(0, _EVENTS):
            for fd, _ in ready:
                self._settle(self._by_fd[fd])

    def take_in(self, member: Member, events: int = select.EPOLLIN) -> None:
        """Add a member whose socket is connected, or is connecting, to this crowd."""
        self._by_fd[member.fd] = member
        self.members.append(member)
        self._epoll.register(member.fd, events)

    def make_senders(self, members: Iterable[Member]) -> list[Member]:
        """Let these members write from now on."""
        made = [*members]
        for member in made:
            member.sender = sender_of(self._senders)
            self._senders += 1
        return made

    def drop(self, members: Iterable[Member]) -> None:
        """Break connections, as when a network is lost."""
        gone = {*members}
        for member in gone:
            del self._by_fd[member.fd]
            member.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            member.sock.close()
        self.members = [member for member in self.members if member not in gone]

    def deafen(self, member: Member) -> None:
        """Stop reading for good, with the smallest possible buffer in the kernel."""
        self._epoll.unregister(member.fd)
        self.members.remove(member)
        member.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)

    def close(self) -> None:
        """Close all connections."""
        self.drop(self._by_fd.values())
        self._epoll.close()

    # ------------------------------------------------------------------------------------------ writing and reading

    def post(self, member: Member) -> None:
        """Write one post, even if earlier ones were not answered yet."""
        assert member.sender is not None
        marker = marker_of(member.sender, member.number)
        member.number += 1
        member.outstanding = marker
        self.streams[member.room].sent[marker] = now()
        frame = self.dialect.post(member.room, marker)
        if member.sock.send(frame) != len(frame):
            raise Unfaithful("the server does not read its senders' posts")

    def pump(self, timeout: float) -> bool:
        """Receive once what has arrived, waiting for it at most `timeout` seconds. Return whether there was anything.
        Raises Unfaithful."""
        by_fd, streams, latencies = self._by_fd, self.streams, self.latencies
        self._tend()
        ready = self._epoll.poll(timeout, _EVENTS)
        for fd, _ in ready:
            member = by_fd[fd]
            try:
                chunk = member.sock.recv(_CHUNK)
            except BlockingIOError:
                continue
            stream = streams[member.room]
            if not chunk:
                raise Unfaithful(f"{stream.name}: the server closed a connection")
            if member.rest:
                chunk = member.rest + chunk
                member.rest = b""
            if self.dialect.joins_lines:
                self._take_lines(member, stream, chunk)
            elif member.sender is not None:
                self._take_apart(member, stream, chunk)
            elif stream.data.startswith(chunk, member.at):
                member.at += len(chunk)
            else:
                self._differs(member, stream, chunk)
            if latencies is not None:
                self._time(member, stream, latencies)
        return bool(ready)

    def drain(self, timeout: float = 30.0) -> int:
        """Read until everybody has received everything that was sent, and check it. Return the number of deliveries.

        Raises Unfaithful.
        """
        deadline = now() + timeout
        while not self._is_complete():
            self.pump(0.05)
            if now() > deadline:
                self._explain()
        for stream in self.streams:
            stream.check_end()
        shown = [len(stream.shown) for stream in self.streams]
        return sum(shown[member.room] for member in self.members)

    # ------------------------------------------------------------------------------------------------ arriving

    def _tend(self) -> None:
        if not self.idle or now() - self._tended_at < _TEND_SECONDS:
            return
        for crowd in self.idle:
            crowd.look_after()
        self._tended_at = now()

    def _connect(self, visit: Visit) -> Member:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        member = Member(sock, visit, self.dialect.steps(visit.room, visit.token, visit.since))
        with contextlib.suppress(BlockingIOError):
            sock.connect(("127.0.0.1", self.dialect.port))
        self.take_in(member, select.EPOLLOUT)
        return member

    def _proceed(self, member: Member) -> None:
        data = member.rest + member.sock.recv(_CHUNK)
        if len(data) == len(member.rest):
            raise Unfaithful(f"turned away: {data[:200]!r}")
        if member.step < 0:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                member.rest = head
                return
            if not head.startswith(b"HTTP/1.1 101 ") or ACCEPT.encode() not in head:
                raise Unfaithful(f"the upgrade was refused: {head[:200]!r}")
            self._next_step(member)
        frames = Incoming(data)
        for first, payload in frames:
            if first == TEXT and payload.startswith(self.dialect.reply):
                # Decoded only if necessary, because the reply to a join is long.
                if payload.startswith(b'"error"', payload.find(b",") + 1):
                    raise Unfaithful(f"refused: {payload[:300]!r}")
                if member.token is None and member.step == 0 and self.dialect.has_told:
                    answer = _answer.decode(payload)
                    member.token = answer.ok.token if answer.ok is not None else None
                member.joined = payload
                self._next_step(member)
            elif first == TEXT and payload == LINE_PING:
                member.sock.send(LINE_PONG)
            elif first == CLOSE:
                raise Unfaithful(f"closed with {int.from_bytes(payload[:2], 'big')}")
        member.rest = b"" if member.is_live else frames.rest()

    def _next_step(self, member: Member) -> None:
        member.step += 1
        if not member.is_live:
            member.sock.sendall(member.steps[member.step])

    def _settle(self, member: Member) -> bool:
        """Discard what a live member receives while others come and go. Return whether there was more than pings, of
        which a large crowd gets one every few milliseconds."""
        rest = b""
        with contextlib.suppress(BlockingIOError):
            chunk = member.sock.recv(_CHUNK)
            if not chunk:
                raise Unfaithful("the server closed a connection")
            if self.dialect.joins_lines:
                frames = Incoming(member.rest + chunk)
                rest = b"".join(self._lines_of(member, frames, lambda line: None))
                member.rest = frames.rest()
                return bool(rest)
            rest, payloads, torn = without_pings(member.rest + chunk)
            member.rest = chunk[len(chunk) - torn :]
            for payload in payloads:
                member.sock.send(pong(payload))
        return bool(rest)

    # ------------------------------------------------------------------------------------------------ comparing

    def _differs(self, member: Member, stream: Stream, chunk: bytes) -> None:
        """Handle bytes that differ: the member is ahead of all others, or was pinged, or the server made a mistake."""
        end = chunk
        chunk, payloads, torn = without_pings(chunk)
        member.rest = end[len(end) - torn :]
        for payload in payloads:
            member.sock.send(pong(payload))
        known = len(stream.data) - member.at
        if not stream.data.startswith(chunk[:known], member.at):
            raise Unfaithful(_difference(stream, member, chunk))
        if len(chunk) > known:
            stream.data += chunk[known:]
            if self.latencies is not None:
                stream.parse(now())
        member.at += len(chunk)

    def _take_apart(self, member: Member, stream: Stream, chunk: bytes) -> None:
        """Parse a sender's stream, which has replies to it between the shared bytes."""
        if not self.dialect.has_replies:
            before = member.at
            self._differs(member, stream, chunk)
            wanted = member.outstanding.encode()
            if wanted and stream.data.find(wanted, max(0, before - len(wanted)), member.at) >= 0:
                member.outstanding = ""
                self.on_answered(member)
            return
        frames = Incoming(chunk)
        start = shared = 0
        answered = False
        try:
            for first, payload in frames:
                if first == TEXT and not payload.startswith(self.dialect.reply):
                    shared = frames.at
                    continue
                if shared > start:
                    self._differs(member, stream, chunk[start:shared])
                start = shared = frames.at
                if first == TEXT:
                    self._take_answer(member, stream, payload)
                    answered = True
                elif first == PING:
                    member.sock.send(pong(payload))
                else:
                    raise Unfaithful(f"{stream.name}: a sender got {first:#x} {payload[:60]!r}")
        except TornFrame as torn:
            raise Unfaithful(f"{stream.name}: a sender got what is no frame: {torn}") from None
        if shared > start:
            self._differs(member, stream, chunk[start:shared])
        member.rest = frames.rest()
        if answered and not member.outstanding:
            self.on_answered(member)

    def _take_lines(self, member: Member, stream: Stream, chunk: bytes) -> None:
        """Compare a chunk of a server that joins messages and replies in one frame, differently for each member. In the
        room's stream each message has a frame of its own, so that all members can be compared."""
        frames = Incoming(chunk)
        answers: list[bytes] = []
        try:
            shared = b"".join(self._lines_of(member, frames, answers.append))
        except TornFrame as torn:
            raise Unfaithful(f"{stream.name}: a member got what is no frame: {torn}") from None
        if stream.data.startswith(shared, member.at):
            member.at += len(shared)
        else:
            self._differs(member, stream, shared)
        member.rest = frames.rest()
        for line in answers:
            if b'"error"' in line:
                raise Unfaithful(f"{stream.name}: a post was refused: {line[:300]!r}")
            if self.dialect.answers(line, member.outstanding):
                member.outstanding = ""
        if answers and not member.outstanding:
            self.on_answered(member)

    def _lines_of(self, member: Member, frames: Incoming, take: Callable[[bytes], None]) -> Iterator[bytes]:
        """Yield the messages for the whole room, each in a frame. Pass replies to `take`, and answer pings."""
        reply = self.dialect.reply
        for first, payload in frames:
            if first == PING:
                member.sock.send(pong(payload))
                continue
            if first != TEXT:
                raise Unfaithful(f"a member got {first:#x} {payload[:60]!r}")
            for line in payload.split(b"\n"):
                if line == LINE_PING:
                    member.sock.send(LINE_PONG)
                elif line.startswith(reply):
                    take(line)
                elif line:
                    yield server_frame(line)

    def _take_answer(self, member: Member, stream: Stream, payload: bytes) -> None:
        answer = _answer.decode(payload)
        if answer.ok is None or answer.ok.offset is None:
            raise Unfaithful(f"{stream.name}: a post was refused: {answer.error}")
        if answer.re in stream.acknowledged:
            raise Unfaithful(f"{stream.name}: {answer.re} was answered twice")
        stream.acknowledged[answer.re] = answer.ok.offset
        if answer.re == member.outstanding:
            member.outstanding = ""

    def _time(self, member: Member, stream: Stream, latencies: list[float]) -> None:
        shown = stream.shown
        if member.seen == len(shown):
            return
        at = now()
        while member.seen < len(shown) and shown[member.seen].end <= member.at:
            one = shown[member.seen]
            one.last = at
            if member.sender is None:
                latencies.append(at - one.sent)
            member.seen += 1

    def _is_complete(self) -> bool:
        for stream in self.streams:
            stream.parse(now())
            if len(stream.shown) < len(stream.sent):
                return False
        lengths = [len(stream.data) for stream in self.streams]
        return all(member.at == lengths[member.room] and not member.outstanding for member in self.members)

    def _explain(self) -> None:
        for stream in self.streams:
            stream.check_end()
        for member in self.members:
            stream = self.streams[member.room]
            if member.at < len(stream.data):
                lost = sum(one.end > member.at for one in stream.shown)
                raise Unfaithful(f"{stream.name}: a member was not shown the last {lost} posts")
        raise Unfaithful("a post was shown and never acknowledged")


def _difference(stream: Stream, member: Member, chunk: bytes) -> str:
    expected = bytes(stream.data[member.at : member.at + len(chunk)])
    at = next((i for i, (one, other) in enumerate(zip(chunk, expected, strict=False)) if one != other), 0)
    around = slice(max(0, at - 60), at + 60)
    return f"{stream.name}: a member was shown {chunk[around]!r} where others were shown {expected[around]!r}"
