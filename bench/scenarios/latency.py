"""The delay of a post on a server that is not busy: 100 rooms of 50, 200 posts a second."""

from __future__ import annotations

import os
import tempfile
from functools import partial

from bench.load import now
from bench.measure import Bench, Run, Stage, compare, percentile
from bench.report import OURS, Figure, Mark, Section, each, figure, most
from bench.targets import RAISED

ROOMS, POSTS_PER_SECOND = 100, 200.0
_SENDERS = 2
"""Senders in each room, so that nobody writes more than one post a second, which is the default limit."""
_FSYNCS = 100
_MEMORY = "memory"
_MS = 1_000


def latency(bench: Bench) -> Section:
    """Measure from before the sender's write until each member's bytes are read. Two senders a room, one post a second
    each."""
    members = round(bench.pick(50, 10))
    fsyncs: list[float] = []
    chat = partial(bench.ours, rooms=ROOMS, raised=RAISED)

    def measure(stage: Stage) -> Run:
        run = stage.open(bench.pick(8, 1), POSTS_PER_SECOND)
        if stage.target.name == OURS:
            fsyncs.extend(_fsyncs())
        return run

    rounds = compare(
        bench,
        [chat, partial(chat, name=_MEMORY, in_memory=True), *bench.others],
        ROOMS * members,
        lambda target, stack, idle: Stage(target, ROOMS, ROOMS * members, ROOMS * _SENDERS, stack, idle=idle),
        lambda stage: stage.open(bench.pick(1, 0.5), POSTS_PER_SECOND),
        measure,
    )
    fsyncs.sort()
    p50, p99 = (percentile(fsyncs, share) * _MS for share in (0.5, 0.99))
    on_disk = [{name: run for name, run in one.items() if name != _MEMORY} for one in rounds]
    without_disk = [
        {OURS if name == _MEMORY else name: run for name, run in one.items() if name != OURS}
        for one in rounds
        if _MEMORY in one
    ]
    return Section(
        scenario="latency",
        about=f"{ROOMS} rooms of {members}, {POSTS_PER_SECOND:g} posts/s in all, sender to member, durable",
        figures=[
            _figure("p50", 0.5, on_disk, None),
            _figure("p99", 0.99, on_disk, Mark(to_relay=1.5)),
            _figure("p99.9", 0.999, on_disk, None),
            _figure("p50, database in memory", 0.5, without_disk, None),
            _figure("p99, database in memory", 0.99, without_disk, Mark(to_relay=1.5)),
            _figure("p99.9, database in memory", 0.999, without_disk, None),
            figure("server CPU", "s/M deliveries", each(on_disk, lambda run: run.per_million)),
            figure("server CPU", "ms/post", each(on_disk, lambda run: run.per_post * _MS)),
        ],
        notes=[
            "only ours keeps posts, and shows them when they are on the disk (Centrifugo keeps 300 a room in memory)",
            f"one fdatasync of 4 KB on this disk, in between: p50 {p50:.2g} ms, p99 {p99:.2g} ms",
            "raised for it: connections and guests per address",
        ],
        loads=most(each(rounds, lambda run: run.load_share)),
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


def _figure(name: str, share: float, rounds: list[dict[str, Run]], mark: Mark | None) -> Figure:
    return figure(name, "ms", each(rounds, lambda run: percentile(run.latencies, share) * _MS), mark)
