"""The frames of one open WebSocket: turns received bytes into messages, and makes the control frames to send.

It knows no socket and no event loop. Masks, sizes, reserved bits, close codes and control frames are checked by
websockets' public sans-I/O `Protocol`; putting fragments together and reading their text is done here. Between frames a
connection has no `Protocol`: connections share one (docs/decisions/0195). Nearly all commands arrive as one whole frame
each, which is read here, too: that takes a third of the time.
"""

from __future__ import annotations

import logging
from enum import Enum
from typing import Final, cast

from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from chatserver.protocol.codes import Close
from chatserver.protocol.frames import frame

_FRAGMENTS: Final = 128
"""The most fragments of one message, including empty ones."""
# Looking up a member of an enumeration costs about as much as the rest of handling a frame.
_TEXT, _BINARY, _CONT, _CLOSE = Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.CLOSE
_OPEN, _CLOSED = State.OPEN, State.CLOSED
_WHOLE_TEXT, _WHOLE_BINARY = 0x80 | Opcode.TEXT, 0x80 | Opcode.BINARY
"""The first bytes of frames that are whole messages, without reserved bits."""
_MASKED, _TWO_BYTES, _EIGHT_BYTES, _SHORT_HEADER = 0x80, 126, 127, 6
"""Of the second byte: the mask's bit, and the sizes that say that the size follows in two or in eight bytes. The bytes
of the shortest header, with its mask."""
_NO_CODE: Final = 1005
"""The code that websockets reports for a close frame without one (RFC 6455, section 7.1.5)."""

frame_log: Final = logging.getLogger("chatserver.edge.frames")
"""The logger that websockets uses. `logs.py` sets its level: at DEBUG whole frames would be logged."""


class FrameEvent(Enum):
    """A received frame that is not a whole message."""

    PART = "part"
    """A fragment of a message that is not complete."""
    CONTROL = "control"
    """A ping or a pong."""
    CLOSED = "closed"
    """A close frame. Its answer is in `to_send`, unless this side has sent a close frame before."""
    FAILED = "failed"
    """The peer broke the protocol. The close frame that says how is in `to_send`. Nothing more is read."""


_PART, _FAILED = FrameEvent.PART, FrameEvent.FAILED


class FrameParsers:
    """Lends websockets' parsers to the readers of one worker. A parser takes more than a kilobyte, and one that has
    read only whole frames and messages knows nothing of the connection that they came from.

    `largest` is the size of the largest message in bytes. A larger one fails the connection.
    """

    __slots__ = ("_spare", "largest")

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self._spare: Protocol | None = None

    def take(self) -> Protocol:
        """Return an open parser that is between two messages. It belongs to the caller."""
        spare, self._spare = self._spare, None
        if spare is None:
            return Protocol(Side.SERVER, state=State.OPEN, max_size=self.largest, logger=frame_log)
        return spare

    def give_back(self, parser: Protocol) -> None:
        """Take a parser back. It MUST be open, have read nothing beyond a whole message, and have nothing to send."""
        if self._spare is None:
            self._spare = parser
        else:
            dismantle(parser)


def dismantle(parser: Protocol) -> None:
    """Free what websockets holds. Nothing of it may be called after this.

    websockets' parser is a generator that refers to the object that owns it; without this, both would wait for the
    garbage collector.
    """
    vars(parser).clear()


class FrameReader:
    """Reads the frames of one connection whose upgrade was accepted, with a parser of its own only while a frame or a
    message is incomplete, and from the beginning of the close."""

    __slots__ = ("_answer", "_core", "_is_open", "_is_text", "_parsers", "_pieces", "_unread")

    def __init__(self, parsers: FrameParsers) -> None:
        self._parsers = parsers
        self._core: Protocol | None = None
        self._unread = 0
        """Bytes that the parser was given beyond the whole frames that it has returned. It is too large if the peer
        wrote a length with more bytes than necessary; the reader then keeps the parser."""
        self._answer = b""
        self._is_open = True
        """Whether neither side has closed or failed the connection."""
        self._is_text = False
        self._pieces: list[bytes] | None = None

    def feed(self, data: bytes) -> list[str | bytes | FrameEvent]:
        """Read received bytes. Return one entry for each whole frame: a message that is now complete, or a signal.

        FAILED can only be the last entry. The caller must send what `to_send` returns afterwards.
        """
        if self._is_open and self._unread == 0 and self._pieces is None:
            message = _whole_message(data, self._parsers.largest)
            if message is not None:
                return [message]
        core = self._core
        if core is None:
            core = self._core = self._parsers.take()
        elif not self._is_open and core.state is _CLOSED:
            return []
        core.receive_data(data)
        self._unread += len(data)
        found: list[str | bytes | FrameEvent] = []
        for received in cast("list[Frame]", core.events_received()):
            self._unread -= _least_size(len(received.data))
            # After a close frame of our own only the peer's answer to it counts.
            is_read = self._is_open or received.opcode is _CLOSE
            entry = self._entry(received, core) if is_read else _PART
            found.append(entry)
            if entry is _FAILED:
                self._is_open = False
                return found
        if core.state is _OPEN:
            if self._unread == 0 and self._pieces is None:
                self._part_with(core)
        elif self._is_open:
            self._is_open = False
            if not found or found[-1] is not FrameEvent.CLOSED:
                found.append(self._failure(core))
        return found

    def to_send(self) -> bytes:
        """Return the control frames that must be sent now: answers to pings, and a close frame."""
        answer, self._answer = self._answer, b""
        return answer if self._core is None else answer + b"".join(self._core.data_to_send())

    def close(self, code: int, reason: str) -> bytes:
        """Return the bytes that close the connection, including what must be sent before. Frames can still be read."""
        core = self._core
        if core is None:
            core = self._core = self._parsers.take()
        if core.state is _OPEN:
            core.send_close(code, reason)
        self._is_open = False
        return self.to_send()

    def release(self) -> None:
        """Free what the connection holds. Nothing may be called after this."""
        if self._core is not None:
            dismantle(self._core)
            self._core = None

    def _part_with(self, core: Protocol) -> None:
        """Give the parser back, because it has read whole messages and nothing more."""
        self._answer += b"".join(core.data_to_send())
        self._core = None
        self._parsers.give_back(core)

    def _entry(self, received: Frame, core: Protocol) -> str | bytes | FrameEvent:
        opcode = received.opcode
        if opcode is _TEXT or opcode is _BINARY:
            self._is_text = opcode is _TEXT
            if received.fin:
                return self._message(bytes(received.data), core)
            self._pieces = [bytes(received.data)]
            return _PART
        if opcode is _CONT:
            pieces = self._pieces
            # websockets has refused a continuation of nothing.
            assert pieces is not None
            pieces.append(bytes(received.data))
            if received.fin:
                self._pieces = None
                return self._message(b"".join(pieces), core)
            if len(pieces) < _FRAGMENTS:
                return _PART
            return _fail(core, Close.MESSAGE_TOO_BIG, "too many fragments")
        return FrameEvent.CLOSED if opcode is _CLOSE else FrameEvent.CONTROL

    def _message(self, data: bytes, core: Protocol) -> str | bytes | FrameEvent:
        if not self._is_text:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError:
            return _fail(core, Close.INVALID_TEXT, "")

    def _failure(self, core: Protocol) -> FrameEvent:
        """Return CLOSE if the peer closed in the middle of a fragmented message, or else FAILED. websockets fails in
        both cases, but a close frame may come between fragments like any control frame (RFC 6455, section 5.4), and is
        answered with its own code."""
        # Nothing is read any more, and websockets tells only of a closed connection how it ended.
        core.receive_eof()
        left = core.close_exc.rcvd
        if left is None:
            return _FAILED
        payload = b"" if left.code == _NO_CODE else left.code.to_bytes(2, "big") + left.reason.encode()
        *before, _ = [data for data in core.data_to_send() if data]
        self._answer = b"".join((*before, frame(_CLOSE, payload)))
        return FrameEvent.CLOSED


def _fail(core: Protocol, code: int, reason: str) -> FrameEvent:
    core.fail(code, reason)
    return _FAILED


def _whole_message(data: bytes, largest: int) -> str | bytes | None:
    """Return the message, if these bytes are exactly one masked frame with a whole message of at most `largest` bytes.
    Everything else is for websockets to read, or to refuse."""
    if len(data) < _SHORT_HEADER or (data[0] != _WHOLE_TEXT and data[0] != _WHOLE_BINARY):
        return None
    size, start = data[1] - _MASKED, _SHORT_HEADER
    if size == _TWO_BYTES:
        size, start = int.from_bytes(data[2:4], "big"), _SHORT_HEADER + 2
    elif size == _EIGHT_BYTES:
        return None
    if not 0 <= size <= largest or len(data) != start + size:
        return None
    # All bytes at once, as two large numbers.
    mask = (data[start - 4 : start] * (size // 4 + 1))[:size]
    payload = (int.from_bytes(data[start:], "little") ^ int.from_bytes(mask, "little")).to_bytes(size, "little")
    if data[0] == _WHOLE_BINARY:
        return payload
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return None


def _least_size(payload: int) -> int:
    """Return how many bytes a masked frame takes at least. One that takes more, because its length is written in more
    bytes than necessary, seems to leave some unread, and what follows it is left to websockets."""
    return payload + _SHORT_HEADER + (0 if payload < _TWO_BYTES else 2 if payload < 65_536 else 8)
