"""How long a post is on its way where the server is not busy: 100 rooms of 50, 200 posts a second."""

from __future__ import annotations

from contextlib import ExitStack

from bench.measure import Bench, Run, Stage, percentile
from bench.report import Figure, Mark, Section, figure
from bench.targets import RAISED, Chat

ROOMS, POSTS_PER_SECOND = 100, 200.0
_MS = 1_000


def latency(bench: Bench) -> Section:
    """From before the sender's write until each member's bytes are read. One sender a room, two posts a second each."""
    members = round(bench.pick(50, 20))
    runs: dict[str, list[Run]] = {"relay": [], "ours": [], "naive": []}
    with ExitStack() as stack:
        targets = (
            bench.baselines.limit(),
            Chat(bench.cores, rooms=ROOMS, raised=RAISED),
            bench.baselines.naive(),
        )
        stages = [Stage(target, ROOMS, ROOMS * members, ROOMS, stack) for target in targets]
        for stage in stages:
            stage.open(1.0, POSTS_PER_SECOND)
        for _ in range(bench.repetitions):
            for stage in stages:
                runs[stage.target.name].append(stage.open(bench.pick(8, 2), POSTS_PER_SECOND))
    return Section(
        scenario="latency",
        about=f"{ROOMS} rooms of {members}, {POSTS_PER_SECOND:g} posts/s in all, sender to member, durable",
        figures=[
            _figure("p50", 0.5, runs, None),
            _figure("p99", 0.99, runs, Mark(to_relay=1.5)),
            _figure("p99.9", 0.999, runs, None),
            figure(
                "server CPU", "s/M deliveries", {name: [run.per_million for run in held] for name, held in runs.items()}
            ),
        ],
        notes=[
            "the relay and the naive loop keep nothing: ours includes the commit to disk",
            "raised for it: connections and guests per address",
        ],
        load=max(run.load_share for held in runs.values() for run in held),
    )


def _figure(name: str, share: float, runs: dict[str, list[Run]], mark: Mark | None) -> Figure:
    values = {server: [percentile(run.latencies, share) * _MS for run in held] for server, held in runs.items()}
    return figure(name, "ms", values, mark)
