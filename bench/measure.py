"""One repetition: lets a crowd write and read for a while, and measures the cost for the server and the load.

`compare` repeats it in turn for several servers, each of which has its crowd connected all the time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from bench.load import Crowd, Member, Visit, now
from bench.machine import Cores, allowed_files, cpu_seconds, own_seconds
from bench.targets import Baselines, Chat, Target

_NAP_SECONDS: Final = 0.0003
_SPARE_FILES: Final = 500
_ARRIVAL_SECONDS: Final = 1_800.0
"""Enough for the largest crowd on a machine of which others have nearly everything."""

Maker: TypeAlias = Callable[[], Target]
T = TypeVar("T")


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What scenarios share. The caller closes every target."""

    cores: Cores
    baselines: Baselines
    quick: bool
    peers: Sequence[Maker] = ()
    """Makers of the peers that were requested and are available."""
    rows: int = 1_000_000
    """The number of old rows that expire."""

    def ours(self, **more: Any) -> Chat:
        """Start our server (see `Chat`). In a quick run it is a fork, which starts sooner."""
        return Chat(self.cores, is_forked=self.quick, **more)

    @property
    def others(self) -> list[Maker]:
        """Return the makers of all servers that ours is compared with."""
        return [self.baselines.limit, self.baselines.naive, *self.peers]

    def pick(self, thorough: float, quick: float) -> float:
        return quick if self.quick else thorough

    @property
    def repetitions(self) -> int:
        return 2 if self.quick else 5


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of CPU and of wall time; `latencies` in seconds, sorted. `load_cpu` has in it what the load waited for
    its core."""

    cpu: float
    load_cpu: float
    wall: float
    deliveries: int
    posts: int
    bytes: int
    """Of all posts, as one member of each room is shown them, with their frames and what else is told meanwhile."""
    latencies: list[float] = []

    @property
    def per_million(self) -> float:
        """Return the CPU seconds for a million deliveries."""
        return self.cpu / self.deliveries * 1e6

    @property
    def per_post(self) -> float:
        """Return the CPU seconds for a post with all its deliveries."""
        return self.cpu / self.posts

    @property
    def load_share(self) -> float:
        return self.load_cpu / self.wall


class Stage:
    """One server and the crowd in its rooms. The caller closes the server."""

    def __init__(
        self,
        target: Target,
        rooms: int,
        members: int,
        senders: int,
        stack: ExitStack,
        *,
        sizes: Sequence[int] = (),
        idle: Sequence[Stage] = (),
    ) -> None:
        """`senders` members write: the first of each room, then the second. `stack` closes what is opened here. Rooms
        have the same size unless `sizes` gives one for each. The pings of `idle` are answered meanwhile."""
        self.target = target
        self.crowd = Crowd(target.dialect, rooms)
        self.crowd.idle = [other.crowd for other in idle]
        stack.callback(self.crowd.close)
        came = self.crowd.arrive((Visit(room=room) for room in layout(rooms, members, sizes)), timeout=_ARRIVAL_SECONDS)
        self.senders = self.crowd.make_senders(came[:senders])

    def closed(self, seconds: float, timeout: float = 60.0, until: Callable[[float], bool] | None = None) -> Run:
        """For `seconds`, let every sender write its next post when the last one was acknowledged (window 1); then read
        everything. `until` is called now and then with the seconds that have passed, and may end it earlier. Raises
        Unfaithful."""
        crowd = self.crowd
        crowd.settle()
        crowd.latencies = None
        crowd.on_answered = crowd.post
        return self._run(self.senders, seconds, timeout, until=until)

    def open(
        self,
        seconds: float,
        rate: float,
        timeout: float = 60.0,
        until: Callable[[float], bool] | None = None,
        room: int | None = None,
    ) -> Run:
        """Send a fixed number of posts a second, whether or not earlier ones were acknowledged; the senders take turns,
        or those of one room. `until` is called before each post with the seconds that have passed, and may end it
        earlier."""
        crowd = self.crowd
        crowd.settle()
        crowd.latencies = []
        crowd.on_answered = lambda member: None
        senders = [one for one in self.senders if room is None or one.room == room]
        return self._run(senders, seconds, timeout, rate=rate, until=until)

    def _run(
        self,
        senders: Sequence[Member],
        seconds: float,
        timeout: float,
        rate: float | None = None,
        until: Callable[[float], bool] | None = None,
    ) -> Run:
        crowd, pids = self.crowd, self.target.pids
        cpu, load, wall = cpu_seconds(pids), own_seconds(), now()
        if rate is None:
            for member in senders:
                crowd.post(member)
            while (elapsed := now() - wall) < seconds and not (until is not None and until(elapsed)):
                # Do not wait for bytes: waking a process costs the server, and how often that happens is chance.
                if not crowd.pump(0.0):
                    time.sleep(_NAP_SECONDS)
        else:
            for number in range(round(seconds * rate)):
                due = wall + number / rate
                while (left := due - now()) > 0:
                    crowd.pump(left)
                if until is not None and until(now() - wall):
                    break
                crowd.post(senders[number % len(senders)])
                crowd.pump(0.0)
        crowd.on_answered = lambda member: None
        deliveries = crowd.drain(timeout)
        return Run(
            cpu=cpu_seconds(pids) - cpu,
            load_cpu=own_seconds() - load,
            wall=now() - wall,
            deliveries=deliveries,
            posts=sum(len(stream.shown) for stream in crowd.streams),
            bytes=sum(len(stream.data) for stream in crowd.streams),
            latencies=sorted(crowd.latencies or ()),
        )


def layout(rooms: int, members: int, sizes: Sequence[int] = ()) -> list[int]:
    """Return the room of each member: the first of each room, then the second of each, until there are `members` or all
    rooms are full. `sizes` may give the number of members of each room."""
    if not sizes:
        return [number % rooms for number in range(members)]
    return [room for place in range(max(sizes)) for room in range(rooms) if place < sizes[room]][:members]


def compare(
    bench: Bench,
    makers: Sequence[Maker],
    members: int,
    arrange: Callable[[Target, ExitStack, Sequence[Stage]], Stage],
    warm_up: Callable[[Stage], object],
    measure: Callable[[Stage], T],
) -> list[dict[str, T]]:
    """Measure servers one after another, repeatedly, starting with another one each time. Return the repetitions, each
    by the server's name.

    The first of `makers` is in every repetition. If the `members` of all need more sockets than may be open, the others
    are measured in groups, one group after another. All servers of a group start before the first crowd connects, and
    crowds answer pings while they are not measured.
    """
    rounds: list[dict[str, T]] = []
    for group in groups(makers, members, allowed_files(len(makers) * members + _SPARE_FILES) - _SPARE_FILES):
        with ExitStack() as stack:
            targets = [stack.enter_context(make()) for make in group]
            stages: list[Stage] = []
            for target in targets:
                stages.append(arrange(target, stack, stages))
            for stage in stages:
                stage.crowd.idle = [other.crowd for other in stages if other is not stage]
            for stage in stages:
                warm_up(stage)
            for number in range(bench.repetitions):
                first = number % len(stages)
                rounds.append({one.target.name: measure(one) for one in (*stages[first:], *stages[:first])})
    return rounds


def groups(makers: Sequence[Maker], members: int, sockets: int) -> list[list[Maker]]:
    """Return the makers in groups whose members need at most `sockets`. The first maker is in each group."""
    first, *others = makers
    beside = max(1, sockets // members - 1)
    return [[first, *others[at : at + beside]] for at in range(0, len(others), beside)] or [[first]]


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that `share` of a sorted sequence do not exceed."""
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]
