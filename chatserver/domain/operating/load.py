"""The load of rooms: every worker's sample of its own part, and the one picture that they make together.

Pure. A sample counts only what its worker answers for, and nothing is counted twice, so that sums are exact: a post by
the worker that committed it, a reader by the worker that holds the socket, a member by the first (in the order of ids)
of the workers that they are connected to.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from itertools import zip_longest
from typing import Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import NodeId
from chatserver.domain.rooms.rooms import RoomId

STEPS_MS: Final = (1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500, 800, 1200, 2000, 3000, 5000)
"""The upper ends of the histogram steps of deliveries; one more step, without an end, follows."""

STEP_COUNT: Final = len(STEPS_MS) + 1


class RoomSample(msgspec.Struct, frozen=True, array_like=True):
    """One worker's part of a room. Encoded as arrays on the bus: a thousand of them come every second.

    `writers`, `posts` and `reactions` are of the last minute. `behind` are connections in catch-up, `outbox` the bytes
    that wait for them. `delivered` counts, by `STEPS_MS`, how long the posts of the last half minute took to be written
    here; steps at its end that are 0 are left out.
    """

    members: int = 0
    writers: int = 0
    posts: int = 0
    reactions: int = 0
    behind: int = 0
    outbox: int = 0
    moderators: int = 0
    delivered: tuple[int, ...] = ()


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One worker at one moment (`at`, by its own clock), with the rooms that are not empty.

    `cpu` is the share of one core that it used since the sample before, `lag_ms` the longest delay of its event loop
    meanwhile, `bus_ms` the last round trip through the bus (None if none came back lately), `healed`, `evictions`,
    `dropped` and `store_failures` count since the start. `store` is "ok" or what is wrong.
    """

    at: Millis
    name: str
    version: str
    started_at: Millis
    connections: int
    cpu: float
    rss: int
    lag_ms: int
    bus_ms: float | None
    is_attached: bool
    dropped: int
    healed: int
    evictions: int
    store: str
    store_ms: float | None
    store_failures: int
    is_draining: bool
    rooms: dict[RoomId, RoomSample]


class RoomLoad(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A room over all workers. `p50` and `p99` are milliseconds from a post's commit to its first write on a worker,
    over the last half minute; None if nothing was delivered."""

    id: RoomId
    members: int = 0
    writers: int = 0
    posts: int = 0
    reactions: int = 0
    behind: int = 0
    outbox: int = 0
    moderators: int = 0
    p50: int | None = None
    p99: int | None = None


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over all rooms and workers. `members` counts somebody once for each room that they are in."""

    members: int = 0
    connections: int = 0
    posts: int = 0
    reactions: int = 0
    behind: int = 0
    outbox: int = 0
    occupied: int = 0
    workers: int = 0
    p50: int | None = None
    p99: int | None = None


def step_of(milliseconds: int) -> int:
    """Return the step in which a delivery is counted."""
    return bisect_left(STEPS_MS, milliseconds)


def quantile(counts: Collection[int], share: float) -> int | None:
    """Return how many milliseconds that share of the deliveries took at most, interpolated within a step; the last step
    has no end, so its beginning is returned. None if nothing was delivered."""
    total = sum(counts)
    if total == 0:
        return None
    wanted, before = share * total, 0
    for step, count in enumerate(counts):
        if before + count >= wanted and count > 0:
            low = 0 if step == 0 else STEPS_MS[step - 1]
            high = STEPS_MS[step] if step < len(STEPS_MS) else low
            return max(1, round(low + (high - low) * (wanted - before) / count))
        before += count
    return STEPS_MS[-1]


def trimmed(counts: Collection[int]) -> tuple[int, ...]:
    """Return counts without the zeros at their end."""
    found = list(counts)
    while found and found[-1] == 0:
        found.pop()
    return tuple(found)


class _Sum:
    """The sums of a room while samples are added."""

    __slots__ = ("behind", "delivered", "members", "moderators", "outbox", "posts", "reactions", "writers")

    def __init__(self) -> None:
        self.members = self.writers = self.posts = self.reactions = self.behind = self.outbox = self.moderators = 0
        self.delivered: tuple[int, ...] = ()

    def add(self, part: RoomSample) -> None:
        self.members += part.members
        self.writers += part.writers
        self.posts += part.posts
        self.reactions += part.reactions
        self.behind += part.behind
        self.outbox += part.outbox
        self.moderators += part.moderators
        if part.delivered:
            self.delivered = added(self.delivered, part.delivered)


def added(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sum of two rows of counts."""
    if not one:
        return other
    return tuple(a + b for a, b in zip_longest(one, other, fillvalue=0))


def merge(samples: Iterable[Sample], rooms: Iterable[RoomId]) -> tuple[dict[RoomId, RoomLoad], Totals]:
    """Merge all workers' newest samples into one picture of these rooms, including empty ones, and their totals."""
    taken = list(samples)
    sums: dict[RoomId, _Sum] = {room: _Sum() for room in rooms}
    for sample in taken:
        for room, part in sample.rooms.items():
            # A room that this worker does not know yet follows a moment later.
            if (found := sums.get(room)) is not None:
                found.add(part)
    everything: tuple[int, ...] = ()
    loads: dict[RoomId, RoomLoad] = {}
    for room, found in sums.items():
        everything = added(everything, found.delivered) if found.delivered else everything
        loads[room] = RoomLoad(
            id=room,
            members=found.members,
            writers=found.writers,
            posts=found.posts,
            reactions=found.reactions,
            behind=found.behind,
            outbox=found.outbox,
            moderators=found.moderators,
            p50=quantile(found.delivered, 0.5),
            p99=quantile(found.delivered, 0.99),
        )
    return loads, _totals(loads.values(), taken, everything)


def _totals(loads: Collection[RoomLoad], samples: Collection[Sample], delivered: tuple[int, ...]) -> Totals:
    return Totals(
        members=sum(load.members for load in loads),
        connections=sum(sample.connections for sample in samples),
        posts=sum(load.posts for load in loads),
        reactions=sum(load.reactions for load in loads),
        behind=sum(load.behind for load in loads),
        outbox=sum(load.outbox for load in loads),
        occupied=sum(load.members > 0 for load in loads),
        workers=len(samples),
        p50=quantile(delivered, 0.5),
        p99=quantile(delivered, 0.99),
    )


class Roll:
    """The newest sample of every living worker, by a clock in seconds that the caller reads.

    A worker that is silent for `SILENT_SECONDS` is dead, and its numbers are dropped, unless it was this worker that
    stood still. A sample that arrives late or twice changes nothing.
    """

    SILENT_SECONDS: Final = 4.0
    STALL_SECONDS: Final = 1.5
    """Seconds between two calls after which this worker itself stood still, so that silence proves nothing."""
    MOST_WORKERS: Final = 1_024

    def __init__(self) -> None:
        self._heard: dict[NodeId, tuple[float, Sample]] = {}
        self._looked_at: float | None = None

    def take(self, node: NodeId, sample: Sample, now: float) -> bool:
        """Take a worker's sample. Return False if it is older than what is known of it, or there are too many."""
        known = self._heard.get(node)
        if known is None and len(self._heard) >= self.MOST_WORKERS:
            return False
        if known is not None and known[1].at > sample.at and known[1].started_at >= sample.started_at:
            return False
        self._heard[node] = now, sample
        return True

    def drop(self, node: NodeId) -> None:
        """Drop a worker that said goodbye."""
        self._heard.pop(node, None)

    def alive(self, now: float) -> dict[NodeId, Sample]:
        """Return the newest samples of living workers. Call it every second."""
        stood = 0.0 if self._looked_at is None else now - self._looked_at
        self._looked_at = now
        if stood > self.STALL_SECONDS:
            self._heard = {node: (heard_at + stood, sample) for node, (heard_at, sample) in self._heard.items()}
        self._heard = {
            node: (heard_at, sample)
            for node, (heard_at, sample) in self._heard.items()
            if now - heard_at < self.SILENT_SECONDS
        }
        return {node: sample for node, (_, sample) in self._heard.items()}


class Histories:
    """How many members were in each room, every half minute for the last half hour: at most `MOST_ROOMS` times `KEPT`
    numbers.

    Rooms that were empty all that time are not kept.
    """

    EVERY_MS: Final = 30_000
    KEPT: Final = 60
    MOST_ROOMS: Final = 5_000

    def __init__(self) -> None:
        self._rows: dict[RoomId, list[int]] = {}
        self._period: int | None = None

    def is_due(self, now: Millis) -> bool:
        return self._period is None or now // self.EVERY_MS > self._period

    def add(self, members: Mapping[RoomId, int], now: Millis) -> None:
        """Add the present numbers if one `is_due`. Half minutes without a sample repeat the one before."""
        period = now // self.EVERY_MS
        missed = 0 if self._period is None else min(period - self._period, self.KEPT) - 1
        self._period = period
        for room, row in [*self._rows.items()]:
            row.extend([row[-1]] * missed + [members.get(room, 0)])
            del row[: -self.KEPT]
            if not any(row):
                del self._rows[room]
        for room, count in members.items():
            if count > 0 and room not in self._rows and len(self._rows) < self.MOST_ROOMS:
                self._rows[room] = [count]

    @property
    def rows(self) -> dict[RoomId, list[int]]:
        """Return each room's numbers, oldest first; rooms with fewer began later."""
        return {room: [*row] for room, row in self._rows.items()}
