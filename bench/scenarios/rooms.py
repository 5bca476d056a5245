"""The cost of the size of a room: posts in rooms of 10 to 5,000, and joins of new and of returning members."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

import msgspec

from bench.load import Visit
from bench.machine import cpu_seconds
from bench.measure import Bench, Maker, Run, Stage, compare, percentile
from bench.report import OURS, Section, each, figure, most
from bench.targets import RAISED, RAISED_FOR_SENDERS, Target

_SIZES = (10, 50, 200, 1_000, 5_000)
_QUICK_SIZES = (50, 200)
_SENDERS = 8
_MOST_POSTS, _MOST_DELIVERIES = 50.0, 20_000.0
"""A second, so that no server is at its limit in the largest room."""
_AT_ONCE = 8
_SMALL = 50
"""The size that the largest is compared with."""
_MS = 1_000


class _Found(msgspec.Struct, frozen=True):
    """One server in one repetition, by room. Joins are seconds of CPU each, and are empty if the server has none."""

    posts: list[Run]
    new: list[float]
    back: list[float]


def rooms(bench: Bench) -> Section:
    """Measure the rooms of one server one after another. A join is counted until the room was told of it."""
    sizes = _QUICK_SIZES if bench.quick else _SIZES
    makers: list[Maker] = [
        partial(bench.ours, rooms=len(sizes), raised={**RAISED, **RAISED_FOR_SENDERS}),
        *bench.others,
    ]
    rounds = compare(
        bench,
        makers,
        sum(sizes),
        partial(_arrange, sizes),
        lambda stage: stage.open(0.3, _MOST_POSTS),
        partial(_measure, sizes, bench.pick(2.0, 0.4), round(bench.pick(50, 16))),
    )
    figures = []
    for room, size in enumerate(sizes):
        posts = [{name: found.posts[room] for name, found in one.items()} for one in rounds]
        figures.append(figure(f"{size:,}: post, CPU", "ms", each(posts, lambda run: run.per_post * _MS)))
        figures.append(
            figure(f"{size:,}: post, p50", "ms", each(posts, lambda run: percentile(run.latencies, 0.5) * _MS))
        )
        figures.append(figure(f"{size:,}: join, new", "ms CPU", _joins(rounds, "new", room)))
        figures.append(figure(f"{size:,}: join, back", "ms CPU", _joins(rounds, "back", room)))
    small, large = sizes.index(_SMALL), len(sizes) - 1
    for kind in ("new", "back"):
        growth = [
            {name: value / low[name] for name, value in high.items()}
            for high, low in zip(_joins(rounds, kind, large), _joins(rounds, kind, small), strict=True)
        ]
        figures.append(figure(f"join, {kind}: {sizes[large]:,} / {_SMALL}", "x", growth))
    return Section(
        scenario="rooms",
        about=f"rooms of {', '.join(f'{size:,}' for size in sizes)}; {_SENDERS} senders; joins {_AT_ONCE} at once",
        figures=figures,
        notes=[
            "a join is upgrade, hello, join, and what the room is told of it; of Centrifugo connect and subscribe",
            "deliveries to the senders are checked and not timed",
            "raised for it: connections and guests per address, commands and posts per second",
        ],
        loads=most(each(rounds, lambda found: max(run.load_share for run in found.posts))),
    )


def _arrange(sizes: tuple[int, ...], target: Target, stack: ExitStack, idle: list[Stage]) -> Stage:
    return Stage(target, len(sizes), sum(sizes), _SENDERS * len(sizes), stack, sizes=sizes, idle=idle)


def _measure(sizes: tuple[int, ...], seconds: float, joins: int, stage: Stage) -> _Found:
    found = _Found([], [], [])
    for room, size in enumerate(sizes):
        found.posts.append(stage.open(seconds, min(_MOST_POSTS, _MOST_DELIVERIES / size), room=room))
        if not stage.target.dialect.has_replies:
            continue
        cpu, tokens = _join(stage, [Visit(room=room)] * joins)
        found.new.append(cpu)
        found.back.append(_join(stage, [Visit(room=room, token=token) for token in tokens])[0])
    return found


def _join(stage: Stage, visits: list[Visit]) -> tuple[float, list[str | None]]:
    """Let members join and leave. Return the seconds of CPU for each, and their tokens."""
    crowd, pids = stage.crowd, stage.target.pids
    crowd.settle()
    before = cpu_seconds(pids)
    came = crowd.arrive(visits, at_once=_AT_ONCE)
    crowd.settle()
    cpu = cpu_seconds(pids) - before
    crowd.drop(came)
    return cpu / len(visits), [member.token for member in came]


def _joins(rounds: list[dict[str, _Found]], kind: str, room: int) -> list[dict[str, float]]:
    """Return the milliseconds of CPU for a kind of join, for the servers that have it."""
    return [
        {
            name: values[room] * _MS
            for name, found in one.items()
            if (values := found.new if kind == "new" else found.back) and (kind == "new" or name == OURS)
        }
        for one in rounds
    ]
