"""One repetition: lets a crowd write and read for a while, and measures the cost for the server and the load."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

import msgspec

from bench.load import Crowd, Member, Visit, now
from bench.machine import Cores, cpu_seconds
from bench.targets import Baselines, Target

_NAP_SECONDS: Final = 0.0003


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What scenarios share. The caller closes every target."""

    cores: Cores
    baselines: Baselines
    quick: bool

    def pick(self, thorough: float, quick: float) -> float:
        return quick if self.quick else thorough

    @property
    def repetitions(self) -> int:
        return 2 if self.quick else 5


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of CPU and of wall time; `latencies` in seconds, sorted."""

    cpu: float
    load_cpu: float
    wall: float
    deliveries: int
    posts: int
    latencies: list[float] = []

    @property
    def per_million(self) -> float:
        """Return the CPU seconds for a million deliveries."""
        return self.cpu / self.deliveries * 1e6

    @property
    def load_share(self) -> float:
        return self.load_cpu / self.wall


class Stage:
    """One server and the crowd in its rooms. Close it, or use it in a `with`."""

    def __init__(self, target: Target, rooms: int, members: int, senders: int, stack: ExitStack) -> None:
        """`senders` members write: the first of each room, then the second. `stack` closes what is opened here."""
        self.target = stack.enter_context(target)
        self.crowd = Crowd(target.dialect, rooms)
        stack.callback(self.crowd.close)
        came = self.crowd.arrive((Visit(room=number % rooms) for number in range(members)), timeout=300.0)
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
        self, seconds: float, rate: float, timeout: float = 60.0, until: Callable[[float], bool] | None = None
    ) -> Run:
        """Send a fixed number of posts a second, whether or not earlier ones were acknowledged; the senders take turns.
        `until` is called before each post with the seconds that have passed, and may end it earlier."""
        crowd = self.crowd
        crowd.settle()
        crowd.latencies = []
        crowd.on_answered = lambda member: None
        return self._run((), seconds, timeout, rate=rate, until=until)

    def _run(
        self,
        first: Sequence[Member],
        seconds: float,
        timeout: float,
        rate: float | None = None,
        until: Callable[[float], bool] | None = None,
    ) -> Run:
        crowd, pids = self.crowd, self.target.pids
        cpu, load, wall = cpu_seconds(pids), time.process_time(), now()
        for member in first:
            crowd.post(member)
        if rate is None:
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
                crowd.post(self.senders[number % len(self.senders)])
                crowd.pump(0.0)
        crowd.on_answered = lambda member: None
        deliveries = crowd.drain(timeout)
        return Run(
            cpu=cpu_seconds(pids) - cpu,
            load_cpu=time.process_time() - load,
            wall=now() - wall,
            deliveries=deliveries,
            posts=sum(len(stream.shown) for stream in crowd.streams),
            latencies=sorted(crowd.latencies or ()),
        )


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that `share` of a sorted sequence do not exceed."""
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]
