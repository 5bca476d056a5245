"""Activity of each room on this worker: posts, reactions and writers of the last minute, deliveries of the last half
minute.

Sans-I/O: the clock arrives as an argument, in whole seconds of any monotonic clock. An event counts until it is that
old, so at rest everything is zero and nothing is kept.
"""

from __future__ import annotations

from typing import Final

from chatserver.domain.identity import MemberId
from chatserver.domain.operating.load import STEP_COUNT, step_of, trimmed
from chatserver.domain.rooms.rooms import RoomId

MINUTE_SECONDS: Final = 60
DELIVERY_SECONDS: Final = 30


class _Window:
    """Counts over the last given number of seconds. Adding costs O(1), reading O(seconds that have passed)."""

    __slots__ = ("_at", "_slots", "total")

    def __init__(self, seconds: int, now: int) -> None:
        self._slots = [0] * seconds
        self._at = now
        self.total = 0

    def add(self, now: int) -> None:
        self.advance(now)
        self._slots[now % len(self._slots)] += 1
        self.total += 1

    def advance(self, now: int) -> None:
        length = len(self._slots)
        for second in range(max(self._at + 1, now - length + 1), now + 1):
            self.total -= self._slots[second % length]
            self._slots[second % length] = 0
        self._at = max(self._at, now)


class _Delivered:
    """Deliveries by histogram step, over the last given number of seconds."""

    __slots__ = ("_at", "_slots", "counts")

    def __init__(self, now: int) -> None:
        self._slots: list[dict[int, int]] = [{} for _ in range(DELIVERY_SECONDS)]
        self._at = now
        self.counts = [0] * STEP_COUNT

    def add(self, step: int, now: int) -> None:
        self.advance(now)
        slot = self._slots[now % DELIVERY_SECONDS]
        slot[step] = slot.get(step, 0) + 1
        self.counts[step] += 1

    def advance(self, now: int) -> None:
        for second in range(max(self._at + 1, now - DELIVERY_SECONDS + 1), now + 1):
            slot = self._slots[second % DELIVERY_SECONDS]
            for step, count in slot.items():
                self.counts[step] -= count
            slot.clear()
        self._at = max(self._at, now)


class Activity:
    """The activity of one room on this worker."""

    __slots__ = ("_posts", "_reactions", "_writers", "delivered")

    def __init__(self, now: int) -> None:
        self._posts = _Window(MINUTE_SECONDS, now)
        self._reactions = _Window(MINUTE_SECONDS, now)
        self._writers: dict[MemberId, int] = {}
        """When each member last wrote; the one who has been silent longest comes first."""
        self.delivered = _Delivered(now)

    def posted(self, member: MemberId, now: int) -> None:
        self._posts.add(now)
        self._writers.pop(member, None)
        self._writers[member] = now

    def reacted(self, now: int) -> None:
        self._reactions.add(now)

    def advance(self, now: int) -> None:
        self._posts.advance(now)
        self._reactions.advance(now)
        self.delivered.advance(now)
        while self._writers and now - self._writers[silent := next(iter(self._writers))] >= MINUTE_SECONDS:
            del self._writers[silent]

    @property
    def posts(self) -> int:
        return self._posts.total

    @property
    def reactions(self) -> int:
        return self._reactions.total

    @property
    def writers(self) -> int:
        return len(self._writers)

    @property
    def steps(self) -> tuple[int, ...]:
        return trimmed(self.delivered.counts)

    @property
    def is_over(self) -> bool:
        return not (self.posts or self.reactions or self.writers or any(self.delivered.counts))


class Meter:
    """All rooms of one worker in which anything happened within the last minute."""

    def __init__(self) -> None:
        self._rooms: dict[RoomId, Activity] = {}

    def posted(self, room: RoomId, member: MemberId, now: float) -> None:
        """Count a post that was committed here."""
        self._room(room, now).posted(member, int(now))

    def reacted(self, room: RoomId, now: float) -> None:
        """Count a reaction that was added here."""
        self._room(room, now).reacted(int(now))

    def delivered(self, room: RoomId, milliseconds: int, now: float) -> None:
        """Count a post that was written to the connections here, with the milliseconds since its commit."""
        self._room(room, now).delivered.add(step_of(milliseconds), int(now))

    def read(self, now: float) -> dict[RoomId, Activity]:
        """Return every room in which anything still counts."""
        second = int(now)
        for room, activity in [*self._rooms.items()]:
            activity.advance(second)
            if activity.is_over:
                del self._rooms[room]
        return self._rooms

    def _room(self, room: RoomId, now: float) -> Activity:
        found = self._rooms.get(room)
        if found is None:
            found = self._rooms[room] = Activity(int(now))
        return found
