"""The bytes that all members of a room receive, and the proof that they are right.

Frames of facts and presence are shared, so after joining, all members receive the same bytes. The member who is ahead
extends the stream; all others are compared with it. The stream itself is parsed whole: each post exactly once, each
sender's posts in order, offsets without a hole, each at the offset that its sender was told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec

from bench.frames import TEXT, Incoming
from bench.markers import marker_of, read_marker

PRESENCE: Final = frozenset({"presence", "typing", "counts"})
"""Pushes that do not concern posts."""


class Unfaithful(Exception):
    """A delivery was lost, repeated, changed or out of order. The figures of such a run are worth nothing."""


class _Post(msgspec.Struct):
    text: str


class _Push(msgspec.Struct):
    push: str
    offset: int = 0
    post: _Post | None = None


_push: Final = msgspec.json.Decoder(_Push)

ReadPush: TypeAlias = Callable[[bytes], tuple[str, int] | None]
"""Reads what all members of a room are shown: a post's text and offset, or None where it is no post."""


def read_push(payload: bytes) -> tuple[str, int] | None:
    """A push of protocol v1. Raises Unfaithful where nothing of the kind is expected here."""
    push = _push.decode(payload)
    if push.push in PRESENCE:
        return None
    if push.post is None:
        raise Unfaithful(f"an unexpected push: {payload[:120]!r}")
    return push.post.text, push.offset


class Shown(msgspec.Struct):
    """One post in the stream: where its frame ends, which post it is, when it was sent, and when it was first and last
    received."""

    end: int
    marker: str
    offset: int
    sent: float = 0.0
    first: float = 0.0
    last: float = 0.0


class Stream:
    """The shared bytes of one room since `clear`. `sent` maps markers to when they were sent; a post's text is its
    marker, a space, and `words`."""

    __slots__ = (
        "_last_offset",
        "_next",
        "_parser",
        "_read",
        "acknowledged",
        "data",
        "has_offsets",
        "has_told",
        "name",
        "sent",
        "shown",
        "words",
    )

    def __init__(
        self, name: str, words: str, read: ReadPush = read_push, *, has_offsets: bool, has_told: bool | None = None
    ) -> None:
        """`has_told` says whether senders are told their posts' offsets, as they are where there are offsets."""
        self.name = name
        self.words = words
        self._read = read
        self.has_offsets = has_offsets
        self.has_told = has_offsets if has_told is None else has_told
        self.data = bytearray()
        self.shown: list[Shown] = []
        self.sent: dict[str, float] = {}
        self.acknowledged: dict[str, int] = {}
        self._parser = 0
        self._next: dict[str, int] = {}
        self._last_offset: int | None = None

    def clear(self) -> None:
        """Forget the bytes that were received, which have been checked."""
        self.data.clear()
        self.shown.clear()
        self.sent.clear()
        self.acknowledged.clear()
        self._next.clear()
        self._parser = 0

    def parse(self, now: float = 0.0) -> None:
        """Parse what has arrived since the last call, and check that it continues the stream. Raises Unfaithful."""
        frames = Incoming(bytes(self.data[self._parser :]))
        for first, payload in frames:
            if first != TEXT:
                raise Unfaithful(f"{self.name}: an unexpected frame {first:#x}: {payload[:60]!r}")
            if (post := self._read(payload)) is None:
                continue
            text, offset = post
            marker, _, words = text.partition(" ")
            if words != self.words:
                raise Unfaithful(f"{self.name}: {marker} was shown with other words: {words!r}")
            self._check(marker, offset)
            self.shown.append(Shown(self._parser + frames.at, marker, offset, self.sent[marker], now))
        self._parser += frames.at

    def check_end(self) -> None:
        """Check that everything sent was received, at the offset that its sender was told. Raises Unfaithful."""
        if len(self.shown) != len(self.sent):
            missing = sorted(self.sent.keys() - {one.marker for one in self.shown})
            raise Unfaithful(f"{self.name}: {len(missing)} posts were never shown, such as {missing[:3]}")
        if not self.has_told:
            return
        for one in self.shown:
            if (told := self.acknowledged.get(one.marker)) != one.offset:
                raise Unfaithful(f"{self.name}: {one.marker} was acknowledged at {told} and shown at {one.offset}")

    def _check(self, marker: str, offset: int) -> None:
        if marker not in self.sent:
            raise Unfaithful(f"{self.name}: {marker} was shown and never sent")
        sender, number = read_marker(marker)
        expected = self._next.get(sender)
        if expected is not None and number != expected:
            raise Unfaithful(f"{self.name}: {marker} was shown where {marker_of(sender, expected)} was due")
        self._next[sender] = number + 1
        if self.has_offsets:
            if self._last_offset is not None and offset != self._last_offset + 1:
                raise Unfaithful(f"{self.name}: offset {offset} follows {self._last_offset}")
            self._last_offset = offset
