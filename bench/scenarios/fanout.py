"""The cost of a delivery: one room of 1,000, with 32 senders (writes can be joined) and with one (they cannot)."""

from __future__ import annotations

from functools import partial

from bench.measure import Bench, Stage, compare
from bench.report import Mark, Section, each, figure, most
from bench.targets import RAISED, RAISED_FOR_SENDERS

_WARM_UP_SECONDS = 0.3


def throughput(bench: Bench) -> Section:
    """32 senders, each with one post under way."""
    return fan_out(bench, "throughput", 32, Mark(most=1.3, from_naive=15))


def single(bench: Bench) -> Section:
    """One sender with one post under way, so that writes cannot be joined."""
    return fan_out(bench, "single", 1, Mark(to_relay=1.7))


def fan_out(bench: Bench, name: str, senders: int, mark: Mark) -> Section:
    """Measure all servers in turn, repeatedly, each with its crowd connected all the time."""
    members, seconds = round(bench.pick(1_000, 300)), bench.pick(4, 0.5)
    rounds = compare(
        bench,
        [partial(bench.ours, rooms=1, raised={**RAISED, **RAISED_FOR_SENDERS}), *bench.others],
        members,
        lambda target, stack, idle: Stage(target, 1, members, senders, stack, idle=idle),
        lambda stage: stage.closed(_WARM_UP_SECONDS),
        lambda stage: stage.closed(seconds),
    )
    return Section(
        scenario=name,
        about=f"one room of {members:,}, senders: {senders}, window 1, durable (SQLite on disk)",
        figures=[
            figure("server CPU", "s/M deliveries", each(rounds, lambda run: run.per_million), mark),
            figure("deliveries", "1/s", each(rounds, lambda run: run.deliveries / run.wall)),
            figure("posts", "1/s", each(rounds, lambda run: run.posts / run.wall)),
            figure("size of a post", "bytes", each(rounds, lambda run: run.bytes / run.posts)),
        ],
        notes=["raised for it: connections and guests per address, commands and posts per second"],
        loads=most(each(rounds, lambda run: run.load_share)),
    )
