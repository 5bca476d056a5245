"""Limits that hold over all workers without asking anybody: each worker counts, and tells the others in lumps.

Pure: the clock arrives as an argument, and what has to be told is fetched (`to_tell`) and brought (`heard`) by others.

A rate is a token bucket on each worker. Once a sixth of what a key may do at once has been spent here and not yet been
told, it is told, and every other worker takes it out of its own bucket, down to a debt of one whole bucket. Over W
workers a key has its average rate, and at once (1 + (W - 1) / 6) of its burst and what it does within one telling
(0.05 seconds). A number (open sockets) is told likewise, as it stands, and again every ten seconds.

While nothing is carried between workers, what is allowed to an address is divided by their number as it was last known.
What a member may do is not: an outage must not make those slower who are in need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from math import ceil
from typing import Final, NamedTuple

from chatserver.domain.limits import Bucket
from chatserver.domain.sources import WIDENING, Source


class Shared(StrEnum):
    """The kind of limit. The value is used in messages between workers."""

    COMMANDS = "commands"
    POSTS = "posts"
    REACTIONS = "reactions"
    NAMES = "names"
    CODES = "codes"
    CONNECTIONS = "connections"
    GUESTS = "guests"
    EXPORTS = "exports"
    ERASURES = "erasures"
    APPEALS = "appeals"
    SOCKETS = "sockets"
    CALLS = "calls"
    FILES = "files"


_OF_MEMBERS: Final = frozenset(
    {Shared.COMMANDS, Shared.POSTS, Shared.REACTIONS, Shared.NAMES, Shared.CODES, Shared.CONNECTIONS}
)
LUMP: Final = 1 / 6
"""The share of a burst, or of the largest number, that is told at once."""
TELL_SECONDS: Final = 0.05
"""The least number of seconds between two messages. The first is sent at once."""
_RETELL_SECONDS: Final = 10.0
"""Seconds after which open sockets are told again, so that a worker that starts learns of them."""
_HELD_SECONDS: Final = 25.0
"""Seconds for which another worker's number of sockets counts."""
_AT_ONCE: Final = 500
"""Entries in one message."""
TABLE_SIZE: Final = 50_000
_LOOKED_AT: Final = 8
"""Buckets examined for each new one: more than one address adds, so that the table shrinks by itself."""
_CROWD: Final = b"\0crowd"
_CROWD_SCALE: Final = 10.0


class Spending(NamedTuple):
    """An amount that was spent of a bucket. `scale` is how many times the ordinary allowance its key has."""

    kind: Shared
    key: bytes
    amount: float
    scale: float


class Holding(NamedTuple):
    """A number of things that are open now."""

    kind: Shared
    key: bytes
    number: int


class Sharing:
    """What one worker tells others, and has heard, about limits that hold over all workers."""

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers
        """How many workers there are, as far as was last known."""
        self.is_attached = True
        """Whether messages to other workers are carried at this moment."""
        self.on_owing: Callable[[], None] = lambda: None
        """Called when there is something to tell."""
        self._owed: dict[SharedBucket, None] = {}
        self._hearers: dict[Shared, Callable[[Spending, float], None]] = {}
        self._counts: dict[Shared, SharedCounts] = {}

    def divisor(self, kind: Shared) -> int:
        """Return how many times everything costs at this moment because other workers do not hear of it."""
        return 1 if self.is_attached or kind in _OF_MEMBERS else max(1, self.workers)

    def owe(self, bucket: SharedBucket) -> None:
        """Note that a bucket's spending has to be told."""
        self._owed[bucket] = None
        self.on_owing()

    def cap_owed(self, now: float) -> None:
        """Owe only what is still missing. Call it now and then while nothing is carried: otherwise spending that has
        been refilled would be taken from everybody at the end of an outage, and be remembered for everybody who was
        here."""
        self._owed = {bucket: None for bucket in self._owed if bucket.cap_owed(now)}

    def on_spent(self, kind: Shared, hear: Callable[[Spending, float], None]) -> None:
        """Set the callback that applies what other workers spent, with the time."""
        self._hearers[kind] = hear

    def on_held(self, kind: Shared, counts: SharedCounts) -> None:
        """Set the counts that include what is open at other workers."""
        self._counts[kind] = counts

    def to_tell(self, now: float) -> Iterator[tuple[list[Spending], list[Holding]]]:
        """Yield what has to be told, in messages of bounded size. It counts as told."""
        owed, self._owed = [*self._owed], {}
        spent = [bucket.tell() for bucket in owed]
        held = [holding for counts in self._counts.values() for holding in counts.to_tell(now)]
        for at in range(0, max(len(spent), len(held)), _AT_ONCE):
            yield spent[at : at + _AT_ONCE], held[at : at + _AT_ONCE]

    def heard(self, sender: str, spent: list[Spending], held: list[Holding], now: float) -> None:
        """Apply another worker's message."""
        for spending in spent:
            if (hear := self._hearers.get(spending.kind)) is not None:
                hear(spending, now)
        for holding in held:
            if (counts := self._counts.get(holding.kind)) is not None:
                counts.heard(sender, holding, now)


class SharedBucket(Bucket):
    """A bucket whose spending is told to other workers. `rate` and `burst` are `scale` times the ordinary ones."""

    __slots__ = ("_sharing", "_untold", "key", "kind", "scale")

    def __init__(
        self, sharing: Sharing, kind: Shared, key: bytes, rate: float, burst: float, now: float, *, scale: float = 1.0
    ) -> None:
        super().__init__(rate, burst, now)
        self._sharing = sharing
        self._untold = 0.0
        self.kind = kind
        self.key = key
        self.scale = scale

    def wait(self, cost: float, now: float) -> float:
        return super().wait(cost * self._sharing.divisor(self.kind), now)

    def take(self, cost: float, now: float) -> float:
        wait = super().take(cost * self._sharing.divisor(self.kind), now)
        if wait == 0.0:
            self._untold += cost
            if self._untold >= self.burst * LUMP:
                self._sharing.owe(self)
        return wait

    def give_back(self, cost: float, now: float) -> None:
        """Undo a `take` of this cost. Other workers that were told of it already go on counting it."""
        self.refill(now)
        self.level = min(self.burst, self.level + cost * self._sharing.divisor(self.kind))
        self._untold = max(0.0, self._untold - cost)

    def tell(self) -> Spending:
        """Return what was spent here since the last call."""
        untold, self._untold = self._untold, 0.0
        return Spending(self.kind, self.key, untold, self.scale)

    def cap_owed(self, now: float) -> bool:
        """Owe no more than what is missing here. Return whether anything is missing."""
        self.refill(now)
        self._untold = min(self._untold, self.burst - self.level)
        return self._untold > 0.0

    def spent_elsewhere(self, amount: float, now: float) -> None:
        """Apply that another worker let this key spend an amount. Nobody owes more than one whole bucket."""
        self.refill(now)
        self.level = max(-self.burst, self.level - amount)


class SharedBuckets:
    """A bucket for each of many addresses and the wider networks around them (`WIDENING`).

    The table is bounded, and no bucket is pushed out of it: a bucket is forgotten once it is full, and if the table is
    full of buckets that are not, new addresses share one bucket of ten times an address's size.
    """

    def __init__(
        self,
        sharing: Sharing,
        kind: Shared,
        rate: float,
        burst: float,
        now: Callable[[], float],
        size: int = TABLE_SIZE,
    ) -> None:
        self._sharing = sharing
        self._kind = kind
        self._rate = rate
        self._burst = burst
        self._now = now
        self._size = size
        self._buckets: dict[bytes, SharedBucket] = {}
        self._crowd = self._made(_CROWD, now(), _CROWD_SCALE)
        sharing.on_spent(kind, self._hear)

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, source: Source, cost: float = 1.0) -> float:
        """Charge `cost` to an address. Return 0.0, or the seconds to wait; then nothing was charged."""
        now = self._now()
        pairs = zip(source.prefixes.today, WIDENING, strict=False)
        buckets = [self._bucket(key, now, scale * source.share) for key, scale in pairs]
        wait = max(bucket.wait(cost, now) for bucket in buckets)
        if wait == 0.0:
            for bucket in dict.fromkeys(buckets):
                bucket.take(cost, now)
                self._keep(bucket)
        return wait

    def _bucket(self, key: bytes, now: float, scale: float) -> SharedBucket:
        """Return the bucket of a key; a new one is not kept yet, so that a refused request leaves nothing behind."""
        bucket = self._buckets.get(key)
        if bucket is None:
            self._forget(now)
            bucket = self._crowd if len(self._buckets) >= self._size else self._made(key, now, scale)
        return bucket

    def _keep(self, bucket: SharedBucket) -> None:
        if bucket is not self._crowd:
            self._buckets.setdefault(bucket.key, bucket)

    def _forget(self, now: float) -> None:
        """Look at the next few buckets in turn, and drop those that are full."""
        for _ in range(min(_LOOKED_AT, len(self._buckets))):
            key, bucket = next(iter(self._buckets.items()))
            del self._buckets[key]
            if not bucket.is_full(now):
                self._buckets[key] = bucket

    def _made(self, key: bytes, now: float, scale: float) -> SharedBucket:
        return SharedBucket(self._sharing, self._kind, key, self._rate * scale, self._burst * scale, now, scale=scale)

    def _hear(self, spending: Spending, now: float) -> None:
        is_crowd = spending.key == _CROWD
        bucket = self._crowd if is_crowd else self._bucket(spending.key, now, spending.scale)
        bucket.spent_elsewhere(spending.amount, now)
        self._keep(bucket)


class SharedCounts:
    """How many of something each key has open, here and at other workers."""

    def __init__(self, sharing: Sharing, kind: Shared, most: int) -> None:
        self._sharing = sharing
        self._kind = kind
        self._most = most
        self._lump = max(1, ceil(most * LUMP))
        self._here: dict[bytes, int] = {}
        self._told: dict[bytes, int] = {}
        self._changed: set[bytes] = set()
        self._elsewhere: dict[bytes, dict[str, tuple[int, float]]] = {}
        self._retell_at = 0.0
        sharing.on_held(kind, self)

    def is_full(self, key: bytes, now: float, scale: float = 1.0) -> bool:
        """Return whether a key has as many as it may, `scale` times the ordinary number."""
        here, most = self._here.get(key, 0), self._most * scale
        if not self._sharing.is_attached:
            return here >= max(1.0, most // self._sharing.divisor(self._kind))
        told = self._elsewhere.get(key, {}).values()
        return here + sum(count for count, until in told if until > now) >= most

    def enter(self, key: bytes) -> None:
        """Count one more here."""
        self._here[key] = self._here.get(key, 0) + 1
        self._note(key)

    def leave(self, key: bytes) -> None:
        """Count one less here."""
        left = self._here[key] - 1
        if left:
            self._here[key] = left
        else:
            del self._here[key]
        self._note(key)

    def to_tell(self, now: float) -> list[Holding]:
        """Return what others have to know, and to be reminded of."""
        if now >= self._retell_at:
            self._retell_at = now + _RETELL_SECONDS
            self._changed.update(self._told)
            self._forget(now)
        changed, self._changed = self._changed, set()
        return [Holding(self._kind, key, self._told.get(key, 0)) for key in changed]

    def heard(self, sender: str, holding: Holding, now: float) -> None:
        """Apply how many another worker has of a key."""
        told = self._elsewhere.setdefault(holding.key, {})
        told[sender] = (holding.number, now + _HELD_SECONDS)
        if holding.number == 0:
            del told[sender]
        if not told:
            del self._elsewhere[holding.key]

    def _note(self, key: bytes) -> None:
        lumps = self._here.get(key, 0) // self._lump * self._lump
        if lumps != self._told.get(key, 0):
            self._changed.add(key)
            self._sharing.on_owing()
            if lumps:
                self._told[key] = lumps
            else:
                del self._told[key]

    def _forget(self, now: float) -> None:
        for key, told in [*self._elsewhere.items()]:
            for sender in [sender for sender, (_, until) in told.items() if until <= now]:
                del told[sender]
            if not told:
                del self._elsewhere[key]
