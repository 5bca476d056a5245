"""The cost of a delivery: one room of 1,000, with 32 senders (writes can be joined) and with one (they cannot)."""

from __future__ import annotations

from contextlib import ExitStack

from bench.measure import Bench, Run, Stage
from bench.report import Mark, Section, figure
from bench.targets import RAISED, RAISED_FOR_SENDERS, Chat

_WARM_UP_SECONDS = 0.3


def throughput(bench: Bench) -> Section:
    """32 senders, each with one post under way."""
    return fan_out(bench, "throughput", 32, Mark(most=1.3, from_naive=15))


def single(bench: Bench) -> Section:
    """One sender with one post under way, so that writes cannot be joined."""
    return fan_out(bench, "single", 1, Mark(to_relay=1.7))


def fan_out(bench: Bench, name: str, senders: int, mark: Mark) -> Section:
    """Measure all three servers in turn, repeatedly, each with its crowd connected all the time."""
    members, seconds = round(bench.pick(1_000, 300)), bench.pick(4, 0.8)
    runs: dict[str, list[Run]] = {"relay": [], "ours": [], "naive": []}
    with ExitStack() as stack:
        targets = (
            bench.baselines.limit(),
            Chat(bench.cores, rooms=1, raised={**RAISED, **RAISED_FOR_SENDERS}),
            bench.baselines.naive(),
        )
        stages = [Stage(target, 1, members, senders, stack) for target in targets]
        for stage in stages:
            stage.closed(_WARM_UP_SECONDS)
        for _ in range(bench.repetitions):
            for stage in stages:
                runs[stage.target.name].append(stage.closed(seconds))
    cost = {server: [run.per_million for run in held] for server, held in runs.items()}
    rate = {server: [run.deliveries / run.wall for run in held] for server, held in runs.items()}
    acks = {server: [run.posts / run.wall for run in held] for server, held in runs.items()}
    return Section(
        scenario=name,
        about=f"one room of {members:,}, senders: {senders}, window 1, durable (SQLite on disk)",
        figures=[
            figure("server CPU", "s/M deliveries", cost, mark),
            figure("deliveries", "1/s", rate),
            figure("posts", "1/s", acks),
        ],
        notes=["raised for it: connections and guests per address, commands and posts per second"],
        load=max(run.load_share for run in runs["ours"]),
    )
