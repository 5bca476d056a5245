"""One room of 10,000 on four workers and Redis: the time between the first and the last delivery of a post."""

from __future__ import annotations

from contextlib import ExitStack

from bench.machine import allow_files, cpu_seconds
from bench.measure import Bench, Maker, Run, Stage
from bench.report import Mark, Section, figure
from bench.targets import RAISED
from tests.kit.redis import RedisServer

SENDERS, POSTS_PER_SECOND = 10, 2.0
_MS = 1_000


def room10k(bench: Bench) -> Section:
    """Measure each post's first and last delivery, one server after another, because three such crowds at once do not
    fit."""
    members, workers = round(bench.pick(10_000, 1_000)), round(bench.pick(4, 2))
    if not allow_files(members + 1_000):
        raise OSError(f"{members + 1_000} open files are not allowed here (ulimit -n)")
    seconds = bench.pick(20, 2)
    apart: dict[str, list[float]] = {}
    whole: dict[str, list[float]] = {}
    cost: dict[str, list[float]] = {}
    loads: dict[str, float] = {}
    with ExitStack() as outer:
        redis = outer.enter_context(RedisServer())
        makers: list[Maker] = [
            lambda: bench.ours(rooms=1, raised=RAISED, workers=workers, redis_url=redis.url),
            *bench.others,
        ]
        redis_cpu = 0.0
        for make in makers:
            with ExitStack() as stack:
                stage = Stage(stack.enter_context(make()), 1, members, SENDERS, stack)
                stage.open(bench.pick(2, 1), POSTS_PER_SECOND)
                before = cpu_seconds([redis.process.pid])
                run = stage.open(seconds, POSTS_PER_SECOND)
                name = stage.target.name
                if name == "ours":
                    redis_cpu = _per_million(cpu_seconds([redis.process.pid]) - before, run)
                shown = stage.crowd.streams[0].shown
                apart[name] = [(one.last - one.first) * _MS for one in shown]
                whole[name] = [(one.last - one.sent) * _MS for one in shown]
                cost[name] = [run.per_million]
                loads[name] = run.load_share
    return Section(
        scenario="room10k",
        about=f"one room of {members:,} over {workers} workers and Redis, {POSTS_PER_SECOND:g} posts/s",
        figures=[
            figure("first to last delivery", "ms", apart, Mark(most=250)),
            figure("sent to last delivery", "ms", whole),
            figure("server CPU", "s/M deliveries", cost),
        ],
        notes=[
            f"the workers and Redis share {len(bench.cores.others)} core(s); all others are one process each",
            f"Redis itself took {redis_cpu:.3g} s/M more",
            "spreads are over posts; raised for it: connections and guests per address",
        ],
        loads=loads,
    )


def _per_million(cpu: float, run: Run) -> float:
    return cpu / run.deliveries * 1e6
