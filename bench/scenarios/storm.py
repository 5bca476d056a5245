"""Everybody loses the network at once and comes back: the time until the last one has received everything."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import msgspec

from bench.load import Member, Visit, now
from bench.machine import cpu_seconds
from bench.measure import Bench, Stage, percentile
from bench.report import OURS, Mark, Section, figure
from bench.stream import Stream, Unfaithful
from bench.targets import RAISED, RAISED_FOR_SENDERS

_ROOM = 50
_MISSED = 20
_AWAY_SECONDS = 2.0


def storm(bench: Bench) -> Section:
    """Drop all but one member of each room, write 20 posts in each room, and let all come back at the same moment."""
    members = round(bench.pick(2_000, 500))
    rooms = members // _ROOM
    last: list[float] = []
    half: list[float] = []
    reads: list[float] = []
    cost: list[float] = []
    loads: list[float] = []
    with ExitStack() as stack:
        target = bench.ours(rooms=rooms, raised={**RAISED, **RAISED_FOR_SENDERS})
        stage = Stage(stack.enter_context(target), rooms, members + rooms, rooms, stack)
        crowd = stage.crowd
        for _ in range(1 if bench.quick else 3):
            stage.open(1.0, 2.0 * rooms)
            since = [_position(crowd.members, stream, room) for room, stream in enumerate(crowd.streams)]
            away = [member for member in crowd.members if member.sender is None]
            crowd.drop(away)
            stage.open(_AWAY_SECONDS, rooms * _MISSED / _AWAY_SECONDS)
            missed = [[(one.offset, one.marker) for one in stream.shown] for stream in crowd.streams]
            before = target.sum_of("chat_store_reads_total")
            cpu, load, began = cpu_seconds(target.pids), time.process_time(), now()
            came = crowd.arrive(
                [Visit(room=one.room, token=one.token, since=since[one.room]) for one in away], at_once=len(away)
            )
            last.append(now() - began)
            loads.append((time.process_time() - load) / last[-1])
            cost.append((cpu_seconds(target.pids) - cpu) / len(came) * 1_000)
            half.append(percentile([at - began for at in crowd.arrived_at], 0.5))
            for member in came:
                _check(member, missed[member.room])
            reads.append((target.sum_of("chat_store_reads_total") - before) / rooms)
            # Check that all of them are live again.
            stage.open(0.5, 2.0 * rooms)
    return Section(
        scenario="storm",
        about=f"{members:,} of {rooms} rooms dropped at once come back in the same moment, each missed {_MISSED} posts",
        figures=[
            figure("until the last one is complete", "s", {"ours": last}, Mark(most=15)),
            figure("until half are", "s", {"ours": half}),
            figure("store reads of the log", "per room and worker", {"ours": reads}, Mark(most=1)),
            figure("server CPU", "ms/return", {"ours": cost}),
        ],
        notes=[
            "every missed post is checked; nobody waits a random time as the protocol asks of clients",
            "relay and naive loop cannot recover anything",
            "raised for it: connections and guests per address, posts per second of those who stay",
        ],
        loads={OURS: max(loads)},
    )


class _Missed(msgspec.Struct):
    offset: int
    post: dict[str, Any]


class _Joined(msgspec.Struct):
    position: dict[str, Any]
    history: str
    missed: list[_Missed]


class _Reply(msgspec.Struct):
    ok: _Joined


def _position(members: list[Member], stream: Stream, room: int) -> dict[str, Any]:
    """Return the position of a room's members after everything was delivered."""
    joined = next(member.joined for member in members if member.room == room)
    epoch = msgspec.json.decode(joined, type=_Reply).ok.position["epoch"]
    return {"epoch": epoch, "offset": stream.shown[-1].offset}


def _check(member: Member, missed: list[tuple[int, str]]) -> None:
    ok = msgspec.json.decode(member.joined, type=_Reply).ok
    got = [(one.offset, str(one.post["text"]).partition(" ")[0]) for one in ok.missed]
    if ok.history != "exact" or got != missed:
        raise Unfaithful(f"room {member.room}: a return got {ok.history} and {len(got)} of {len(missed)} missed posts")
