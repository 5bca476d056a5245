"""The frames of one open WebSocket: turns received bytes into messages, and makes the control frames to send.

It knows no socket and no event loop. Masks, sizes, reserved bits, close codes and control frames are checked by
websockets' public sans-I/O `Protocol`; putting fragments together and reading their text is done here.
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


class FrameReader:
    """Reads the frames of one connection whose upgrade was accepted.

    `largest` is the size of the largest message in bytes. A larger one fails the connection.
    """

    __slots__ = ("_answer", "_core", "_is_open", "_is_text", "_pieces")

    def __init__(self, largest: int) -> None:
        self._core = Protocol(Side.SERVER, state=State.OPEN, max_size=largest, logger=frame_log)
        self._answer = b""
        self._is_open = True
        """Whether neither side has closed or failed the connection."""
        self._is_text = False
        self._pieces: list[bytes] | None = None

    def feed(self, data: bytes) -> list[str | bytes | FrameEvent]:
        """Read received bytes. Return one entry for each whole frame: a message that is now complete, or a signal.

        FAILED can only be the last entry. The caller must send what `to_send` returns afterwards.
        """
        core = self._core
        if not self._is_open and core.state is _CLOSED:
            return []
        core.receive_data(data)
        found: list[str | bytes | FrameEvent] = []
        for received in cast("list[Frame]", core.events_received()):
            # After a close frame of our own only the peer's answer to it counts.
            is_read = self._is_open or received.opcode is _CLOSE
            entry = self._entry(received) if is_read else _PART
            found.append(entry)
            if entry is _FAILED:
                self._is_open = False
                return found
        if self._is_open and core.state is not _OPEN:
            self._is_open = False
            if not found or found[-1] is not FrameEvent.CLOSED:
                found.append(self._failure())
        return found

    def to_send(self) -> bytes:
        """Return the control frames that must be sent now: answers to pings, and a close frame."""
        answer, self._answer = self._answer, b""
        return answer + b"".join(self._core.data_to_send())

    def close(self, code: int, reason: str) -> bytes:
        """Return the bytes that close the connection, including what must be sent before. Frames can still be read."""
        if self._core.state is _OPEN:
            self._core.send_close(code, reason)
        self._is_open = False
        return self.to_send()

    def release(self) -> None:
        """Free what websockets holds. Nothing may be called after this.

        websockets' parser is a generator that refers to the object that owns it; without this, both would wait for the
        garbage collector.
        """
        vars(self._core).clear()

    def _entry(self, received: Frame) -> str | bytes | FrameEvent:
        opcode = received.opcode
        if opcode is _TEXT or opcode is _BINARY:
            self._is_text = opcode is _TEXT
            if received.fin:
                return self._message(bytes(received.data))
            self._pieces = [bytes(received.data)]
            return _PART
        if opcode is _CONT:
            pieces = self._pieces
            # websockets has refused a continuation of nothing.
            assert pieces is not None
            pieces.append(bytes(received.data))
            if received.fin:
                self._pieces = None
                return self._message(b"".join(pieces))
            if len(pieces) < _FRAGMENTS:
                return _PART
            return self._fail(Close.MESSAGE_TOO_BIG, "too many fragments")
        return FrameEvent.CLOSED if opcode is _CLOSE else FrameEvent.CONTROL

    def _message(self, data: bytes) -> str | bytes | FrameEvent:
        if not self._is_text:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError:
            return self._fail(Close.INVALID_TEXT, "")

    def _fail(self, code: int, reason: str) -> FrameEvent:
        self._core.fail(code, reason)
        return _FAILED

    def _failure(self) -> FrameEvent:
        """Return CLOSE if the peer closed in the middle of a fragmented message, or else FAILED. websockets fails in
        both cases, but a close frame may come between fragments like any control frame (RFC 6455, section 5.4), and is
        answered with its own code."""
        core = self._core
        # Nothing is read any more, and websockets tells only of a closed connection how it ended.
        core.receive_eof()
        left = core.close_exc.rcvd
        if left is None:
            return _FAILED
        payload = b"" if left.code == _NO_CODE else left.code.to_bytes(2, "big") + left.reason.encode()
        *before, _ = [data for data in core.data_to_send() if data]
        self._answer = b"".join((*before, frame(_CLOSE, payload)))
        return FrameEvent.CLOSED
