"""Connecting and being idle: connections per second, and the memory of an idle member."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import partial

import msgspec

from bench.load import Crowd, Visit, now
from bench.machine import allow_files, cpu_seconds, open_files, own_seconds, resident
from bench.measure import Bench, Maker
from bench.report import ENOUGH_ROUNDS, OURS, Mark, Section, each, figure, most
from bench.targets import RAISED, Target

_ROOM = 50
_WARM = 50


def connect(bench: Bench) -> Section:
    """Connect everybody at once, until the last join was answered: as new guests, and again with the tokens they
    got."""
    members = round(bench.pick(2_000, 500))
    rooms = members // _ROOM
    guests: list[dict[str, _Coming]] = []
    back: list[dict[str, _Coming]] = []
    with ExitStack() as stack:
        makers: list[Maker] = [partial(bench.ours, rooms=rooms, raised=RAISED), *bench.others]
        targets: list[Target] = [stack.enter_context(make()) for make in makers]
        visits = [Visit(room=number % rooms) for number in range(members)]
        for target in targets:
            _come_and_go(target, rooms, visits[:_WARM])
        for number in range(bench.repetitions):
            first = number % len(targets)
            guests.append({})
            for target in (*targets[first:], *targets[:first]):
                guests[-1][target.name] = came = _come_and_go(target, rooms, visits)
                if target.name == OURS:
                    known = [Visit(room=one.room, token=token) for one, token in zip(visits, came.tokens, strict=True)]
                    back.append({OURS: _come_and_go(target, rooms, known)})
    return Section(
        scenario="connect",
        about=f"{members:,} at once, rooms of {_ROOM}; ours: upgrade, hello, join with history and roster, durable",
        figures=[
            figure(
                "connects, as new guests", "1/s CPU", each(guests, lambda one: members / one.cpu), Mark(least=1_200)
            ),
            figure("connects, with a token", "1/s CPU", each(back, lambda one: members / one.cpu)),
            figure("CPU, as new guests", "ms/connect", each(guests, lambda one: one.cpu / members * 1_000)),
            figure("until the last is in", "s", each(guests, lambda one: one.wall)),
        ],
        notes=[
            "Centrifugo: upgrade, connect and subscribe; all others but ours: upgrade only",
            "raised for it: connections and guests per address",
        ],
        loads=most(each(guests, lambda one: one.load)),
    )


def memory(bench: Bench) -> Section:
    """Measure the PSS of the server's processes with everybody connected, above that after the first crowd came and
    went."""
    members = round(bench.pick(5_000, 500))
    rooms = members // _ROOM
    allow_files(members + 1_000)
    rounds: list[dict[str, float]] = []
    makers: list[Maker] = [partial(bench.ours, rooms=rooms, raised=RAISED), *bench.others]
    for _ in range(1 if bench.quick else ENOUGH_ROUNDS):
        rounds.append({})
        for make in makers:
            with ExitStack() as stack:
                target: Target = stack.enter_context(make())
                guests = [Visit(room=number % rooms) for number in range(members)]
                _come_and_go(target, rooms, guests[:_WARM])
                before = resident(target.pids)
                crowd = Crowd(target.dialect, rooms)
                stack.callback(crowd.close)
                crowd.arrive(guests)
                crowd.settle()
                rounds[-1][target.name] = (resident(target.pids) - before) / members / 1_024
    return Section(
        scenario="memory",
        about=f"{members:,} idle members in rooms of {_ROOM}",
        figures=[figure("memory", "KB/connection", rounds, Mark(most=20))],
        notes=[
            "kernel buffers are not in it, and a server of its own for each value",
            "raised for it: connections and guests per address",
        ],
    )


class _Coming(msgspec.Struct, frozen=True):
    """The seconds of CPU and of wall time until all were in, the load's share of the time, and their tokens."""

    cpu: float
    wall: float
    load: float
    tokens: list[str | None]


def _come_and_go(target: Target, rooms: int, visits: list[Visit]) -> _Coming:
    """Let everybody come and go. On return the server has forgotten them."""
    pids = target.pids
    files = open_files(pids)
    crowd = Crowd(target.dialect, rooms)
    try:
        cpu, load, wall = cpu_seconds(pids), own_seconds(), now()
        came = crowd.arrive(visits, at_once=len(visits))
        wall, load = now() - wall, own_seconds() - load
        cpu = cpu_seconds(pids) - cpu
        tokens = [member.token for member in came]
    finally:
        crowd.close()
    deadline = now() + 30
    # Some of the server's own files (its database's) may stay open.
    while open_files(pids) > files + len(visits) // 20:
        if now() > deadline:
            raise TimeoutError("the server does not forget connections that are gone")
        time.sleep(0.05)
    return _Coming(cpu, wall, load / wall, tokens)
