"""Posts while old rows expire: two servers, one of which has a million old rows."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from bench.measure import Bench, Run, Stage, percentile
from bench.report import OURS, Section, figure
from bench.targets import RAISED, Chat, room_id
from chatserver.domain.rooms.rooms import RoomId, room_channel
from tests.kit.process import wait_until

ROOMS, _POSTS_PER_SECOND = 10, 20.0
_OLD_DAYS = 3_650
_MS = 1_000

_FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)
INSERT INTO log (channel, offset, kind, at, author, command_id, part, digest, name, text, redacted, generation)
SELECT :channel, i, 'posted', :at + i, 'p_old', 'old' || i, 0, zeroblob(16), 'Quiet Wren',
       'I have been awake since three again, and it helps to read that I am not the only one.', 0, 0 FROM n
"""


def expiry(bench: Bench) -> Section:
    """Measure both servers in turn while rows expire on one. Only windows at whose end rows were left count."""
    rows, members, seconds = bench.rows, round(bench.pick(50, 10)), bench.pick(4, 0.8)
    kept = rows
    beside: list[Run] = []
    calm: list[Run] = []
    with ExitStack() as stack:
        make = partial(bench.ours, rooms=ROOMS + 1, raised=RAISED)
        busy = stack.enter_context(make(prepare=lambda path: fill(path, rows), expires_when_told=True))
        other = stack.enter_context(make())
        stages: list[Stage] = []
        for target in (busy, other):
            # The room of old rows, the last one, stays empty.
            stages.append(Stage(target, ROOMS, ROOMS * members, 2 * ROOMS, stack, idle=stages))
        stages[0].crowd.idle, stages[1].crowd.idle = [stages[1].crowd], [stages[0].crowd]
        for stage in stages:
            stage.open(0.3, _POSTS_PER_SECOND)
        busy.begin_expiry()
        wait_until(lambda: _has_begun(busy, stages), "the first rows to expire", 120.0)
        while len(beside) < bench.repetitions:
            run = stages[0].open(seconds, _POSTS_PER_SECOND)
            rest = left(busy)
            if rest == 0:
                break
            kept = rest
            beside.append(run)
            calm.append(stages[1].open(seconds, _POSTS_PER_SECOND))
    if not beside:
        raise RuntimeError(f"{rows:,} rows were gone before the first window was over: give --rows a higher number")
    values = {
        share: [
            (percentile(one.latencies, at) * _MS, percentile(two.latencies, at) * _MS)
            for one, two in zip(beside, calm, strict=True)
        ]
        for share, at in (("p50", 0.5), ("p99", 0.99), ("most", 1.0))
    }
    figures = []
    for share, pairs in values.items():
        figures.append(figure(f"{share} beside it", "ms", {OURS: [one for one, _ in pairs]}))
        figures.append(figure(f"{share} without", "ms", {OURS: [two for _, two in pairs]}))
        figures.append(figure(f"{share}, beside / without", "x", {OURS: [one / two for one, two in pairs]}))
    return Section(
        scenario="expiry",
        about=f"{rows:,} rows expire, {ROOMS} rooms of {members}, {_POSTS_PER_SECOND:g} posts/s, SQLite on disk",
        figures=figures,
        notes=[
            f"{len(beside)} windows on each, in turn; {kept:,} rows were left at the end of the last",
            "the first round of expiry begins when both crowds are there, and not a minute after the start",
            "raised for it: connections and guests per address",
        ],
        loads={OURS: max(run.load_share for run in (*beside, *calm))},
    )


def fill(path: Path, rows: int) -> None:
    """Insert old posts into the last room of a database that no server has open. Raises RuntimeError if it has no such
    room."""
    channel = room_channel(RoomId(room_id(ROOMS)))
    at = int(time.time() * _MS) - _OLD_DAYS * 86_400_000
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA synchronous=OFF")
        database.execute(_FILL, {"rows": rows, "channel": channel, "at": at})
        changed = database.execute(
            "UPDATE channels SET first_offset = 1, last_offset = ?, last_at = ? WHERE channel = ?",
            (rows, at + rows, channel),
        )
        if changed.rowcount != 1:
            raise RuntimeError(f"there is no channel {channel}")


def _has_begun(target: Chat, stages: Sequence[Stage]) -> bool:
    """Return whether anything expired. Answer the crowds' pings, because this may take long."""
    for stage in stages:
        stage.crowd.look_after()
    return _steps(target) > 0


def _steps(target: Chat) -> float:
    """How many parts expired so far."""
    return target.sum_of("chat_channels_expired_total")


def left(target: Chat) -> int:
    """Return how many rows of the last room are left."""
    channel = room_channel(RoomId(room_id(ROOMS)))
    with closing(sqlite3.connect(target.database, timeout=30)) as database:
        first, last = database.execute(
            "SELECT first_offset, last_offset FROM channels WHERE channel = ?", (channel,)
        ).fetchone()
    return int(last - first + 1)
