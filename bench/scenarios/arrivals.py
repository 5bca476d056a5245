"""Connecting and being idle: connections per second, and the memory of an idle member."""

from __future__ import annotations

import time
from contextlib import ExitStack

from bench.load import Crowd, Visit, now
from bench.machine import allow_files, cpu_seconds, open_files, resident
from bench.measure import Bench
from bench.report import Mark, Section, figure
from bench.targets import RAISED, Chat, Target

_ROOM = 50
_WARM = 50


def connect(bench: Bench) -> Section:
    """Connect everybody at once, until the last join was answered: as new guests, and again with the tokens they
    got."""
    members = round(bench.pick(2_000, 500))
    rooms = members // _ROOM
    rates: dict[str, list[float]] = {"relay": [], "ours": [], "naive": []}
    walls: dict[str, list[float]] = {"relay": [], "ours": [], "naive": []}
    back: dict[str, list[float]] = {"ours": []}
    loads: list[float] = []
    with ExitStack() as stack:
        targets: list[Target] = [
            bench.baselines.limit(),
            Chat(bench.cores, rooms=rooms, raised=RAISED),
            bench.baselines.naive(),
        ]
        for target in targets:
            stack.enter_context(target)
        guests = [Visit(room=number % rooms) for number in range(members)]
        for target in targets:
            _come_and_go(target, rooms, guests[:_WARM])
        for _ in range(bench.repetitions):
            for target in targets:
                cpu, wall, load, tokens = _come_and_go(target, rooms, guests)
                rates[target.name].append(members / cpu)
                walls[target.name].append(wall)
                if target.name == "ours":
                    loads.append(load)
                    known = [Visit(room=visit.room, token=token) for visit, token in zip(guests, tokens, strict=True)]
                    back["ours"].append(members / _come_and_go(target, rooms, known)[0])
    return Section(
        scenario="connect",
        about=f"{members:,} at once, rooms of {_ROOM}; ours: upgrade, hello, join with history and roster, durable",
        figures=[
            figure("connects, as new guests", "1/s CPU", rates, Mark(least=1_200)),
            figure("connects, with a token", "1/s CPU", back),
            figure("until the last is in", "s", walls),
        ],
        notes=["relay and naive loop: upgrade only", "raised for it: connections and guests per address"],
        load=max(loads),
    )


def memory(bench: Bench) -> Section:
    """Measure the PSS of the server's processes with everybody connected, above that after the first crowd came and
    went."""
    members = round(bench.pick(5_000, 1_000))
    rooms = members // _ROOM
    allow_files(members + 1_000)
    held: dict[str, list[float]] = {}
    for make in (
        bench.baselines.limit,
        lambda: Chat(bench.cores, rooms=rooms, raised=RAISED),
        bench.baselines.naive,
    ):
        with ExitStack() as stack:
            target: Target = stack.enter_context(make())
            guests = [Visit(room=number % rooms) for number in range(members)]
            _come_and_go(target, rooms, guests[:_WARM])
            before = resident(target.pids)
            crowd = Crowd(target.dialect, rooms)
            stack.callback(crowd.close)
            crowd.arrive(guests)
            crowd.settle()
            held[target.name] = [(resident(target.pids) - before) / members / 1_024]
    return Section(
        scenario="memory",
        about=f"{members:,} idle members in rooms of {_ROOM}",
        figures=[figure("memory", "KB/connection", held, Mark(most=20))],
        notes=["kernel buffers are not in it", "raised for it: connections and guests per address"],
    )


def _come_and_go(target: Target, rooms: int, visits: list[Visit]) -> tuple[float, float, float, list[str | None]]:
    """Let everybody come and go. Return the seconds of CPU and of wall time until all were in, the load's share of its
    core, and their tokens. On return the server has forgotten them."""
    pids = target.pids
    files = open_files(pids)
    crowd = Crowd(target.dialect, rooms)
    try:
        cpu, load, wall = cpu_seconds(pids), time.process_time(), now()
        came = crowd.arrive(visits, at_once=len(visits))
        wall, load = now() - wall, time.process_time() - load
        # CPU time is counted in hundredths of a second.
        cpu = max(cpu_seconds(pids) - cpu, 0.01)
        tokens = [member.token for member in came]
    finally:
        crowd.close()
    deadline = now() + 30
    # Some of the server's own files (its database's) may stay open.
    while open_files(pids) > files + len(visits) // 20:
        if now() > deadline:
            raise TimeoutError("the server does not forget connections that are gone")
        time.sleep(0.05)
    return cpu, wall, load / wall, tokens
