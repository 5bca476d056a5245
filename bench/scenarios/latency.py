"""The delay of a post on a server that is not busy: 100 rooms of 50, 200 posts a second."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from functools import partial

from bench.load import now
from bench.measure import Bench, Run, Stage, percentile
from bench.report import NAMES, Figure, Mark, Section, figure
from bench.targets import RAISED, Chat

ROOMS, POSTS_PER_SECOND = 100, 200.0
_SENDERS = 2
"""Senders in each room, so that nobody writes more than one post a second, which is the default limit."""
_FSYNCS = 100
_MS = 1_000


def latency(bench: Bench) -> Section:
    """Measure from before the sender's write until each member's bytes are read. Two senders a room, one post a second
    each."""
    members = round(bench.pick(50, 10))
    runs: dict[str, list[Run]] = {"relay": [], "ours": [], "memory": [], "naive": []}
    fsyncs: list[float] = []
    chat = partial(Chat, bench.cores, rooms=ROOMS, raised=RAISED)
    # The naive loop comes afterwards, because four crowds at once need more open files than many machines allow.
    for makers in (
        (bench.baselines.limit, chat, partial(chat, name="memory", in_memory=True)),
        (bench.baselines.naive,),
    ):
        with ExitStack() as stack:
            stages = [Stage(make(), ROOMS, ROOMS * members, ROOMS * _SENDERS, stack) for make in makers]
            for stage in stages:
                stage.open(bench.pick(1, 0.5), POSTS_PER_SECOND)
            for _ in range(bench.repetitions):
                for stage in stages:
                    runs[stage.target.name].append(stage.open(bench.pick(8, 1.5), POSTS_PER_SECOND))
                fsyncs += _fsyncs()
    fsyncs.sort()
    p50, p99 = (percentile(fsyncs, share) * _MS for share in (0.5, 0.99))
    disk = f"one fdatasync of 4 KB on this disk, in between: p50 {p50:.2g} ms, p99 {p99:.2g} ms"
    without_disk = {**runs, "ours": runs["memory"]}
    return Section(
        scenario="latency",
        about=f"{ROOMS} rooms of {members}, {POSTS_PER_SECOND:g} posts/s in all, sender to member, durable",
        figures=[
            _figure("p50", 0.5, runs, None),
            _figure("p99", 0.99, runs, Mark(to_relay=1.5)),
            _figure("p99.9", 0.999, runs, None),
            _figure("p50, database in memory", 0.5, without_disk, None),
            _figure("p99, database in memory", 0.99, without_disk, Mark(to_relay=1.5)),
            _figure("p99.9, database in memory", 0.999, without_disk, None),
            figure("server CPU", "s/M deliveries", {name: [one.per_million for one in runs[name]] for name in NAMES}),
        ],
        notes=[
            "the relay and the naive loop keep nothing; ours shows a post when it is on the disk",
            disk,
            "raised for it: connections and guests per address",
        ],
        load=max(run.load_share for run in runs["ours"]),
    )


def _fsyncs() -> list[float]:
    """Return the seconds of some small durable appends on the disk of our database."""
    took = []
    with tempfile.TemporaryFile() as file:
        for _ in range(_FSYNCS):
            os.write(file.fileno(), bytes(4_096))
            began = now()
            os.fdatasync(file.fileno())
            took.append(now() - began)
    return took


def _figure(name: str, share: float, runs: dict[str, list[Run]], mark: Mark | None) -> Figure:
    values = {server: [percentile(run.latencies, share) * _MS for run in runs[server]] for server in NAMES}
    return figure(name, "ms", values, mark)
