"""Many who ask and few who listen, while workers are killed and Redis is away."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from typing import Final

from chatserver.domain.identity import MemberId
from chatserver.domain.listening.state import ListeningRules
from chatserver.domain.listening.training import QUESTIONS
from tests.kit.staff import add_listeners
from tests.reliability.cluster import Cluster, Parts, blocking, own_house
from tests.reliability.history import Verdict
from tests.reliability.queue import Listener, Person, Seeker
from tests.reliability.queue_judge import IDLE_SECONDS, Watch, judge_floor
from tests.reliability.report import Mark, Row, p99, row
from tests.reliability.workload import Measured

FREED_SECONDS: Final = 1.0
RECOVERY_SECONDS: Final = 5.0
_CAP: Final = 2
_PAUSE_SECONDS: Final = 1.0
_MANY: Final = 1_000
_LISTENING: Final = {
    "pause_minutes": _PAUSE_SECONDS / 60,
    "sessions_a_day": _MANY,
    "sessions_a_week": _MANY,
    "lease_minutes": 120.0,
    "longest_minutes": 120.0,
    "sessions_per_member_a_day": _MANY,
    "brief_seconds": 0,
    "rest_seconds": 0,
}
_RULES: Final = ListeningRules(
    pause=round(_PAUSE_SECONDS * 1000),
    sessions_a_day=_MANY,
    sessions_a_week=_MANY,
    lease=120 * 60_000,
    member_sessions_a_day=_MANY,
    brief=0,
    rest=0,
)
"""The same as `_LISTENING` says."""


async def queue(parts: Parts, *, seekers: int, listeners: int, kills: int, pause: float, patience: float) -> Row:
    """Three workers on SQLite."""
    async with own_house([parts.redis.url], workers=3, listening=_LISTENING) as site:
        return await _play("queue", parts, site, seekers, listeners, kills, pause, patience)


async def queue_postgres(
    parts: Parts, *, seekers: int, listeners: int, kills: int, pause: float, patience: float
) -> Row:
    """Three workers on PostgreSQL."""
    async with own_house([parts.redis.url], workers=3, listening=_LISTENING, postgres=parts.postgres) as site:
        return await _play("queue_postgres", parts, site, seekers, listeners, kills, pause, patience)


async def _play(
    name: str, parts: Parts, site: Cluster, asking: int, listening: int, kills: int, pause: float, patience: float
) -> Row:
    store = site.store()
    await store.open()
    try:
        tokens = await add_listeners(store, listening)
        right = [question.right for question in QUESTIONS]
        consoles = [
            Listener(f"listener{n}", site.ws_urls, token, right, _CAP, _RULES.proposal / 1000)
            for n, token in enumerate(tokens)
        ]
        crowd = [Seeker(f"seeker{n}", site.ws_urls, talk_seconds=0.5) for n in range(asking)]
        watch = Watch(store, site.urls, _RULES)
        lives: list[asyncio.Task[None]] = []
        killed: list[float] = []
        complaints: list[str] = []
        try:
            await _in_place(consoles, lives)
            await asyncio.gather(*(console.open_up() for console in consoles))
            lives.append(asyncio.create_task(watch.run()))
            began = time.monotonic()
            breaking = asyncio.create_task(_break(parts, site, kills, pause, killed))
            lives += [asyncio.create_task(seeker.live()) for seeker in crowd]
            try:
                async with asyncio.timeout(patience):
                    await asyncio.gather(*(seeker.done.wait() for seeker in crowd))
                    took = time.monotonic() - began
                    await breaking
            except TimeoutError:
                took = patience
                left = [seeker for seeker in crowd if not seeker.done.is_set()]
                complaints.append(f"{len(left)} were not met after {patience:g} s, of them {left[0].diary}"[:600])
                breaking.cancel()
            for task in lives:
                if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                    raise error
        finally:
            for task in lives:
                task.cancel()
            await asyncio.gather(*lives, return_exceptions=True)
            if not parts.redis.answers():
                await blocking(parts.redis.start)
        floor = await store.listening_state()
    finally:
        await store.close()
    logs = await blocking(site.logs, [f"room:{session}" for session in floor.sessions])
    verdict = judge_floor(
        [each.diary for each in crowd],
        [each.diary for each in consoles],
        floor,
        logs,
        _RULES,
        {MemberId(each.diary.member): _CAP for each in consoles},
    )
    complaints += [*watch.complaints, *site.tracebacks()]
    return _row(name, crowd, consoles, verdict, complaints, watch, killed, took)


async def _break(parts: Parts, site: Cluster, kills: int, pause: float, killed: list[float]) -> None:
    """Kill a worker, again and again; every other time Redis is away meanwhile."""
    server = site.servers[0]
    for number in range(kills):
        await asyncio.sleep(pause)
        if number % 2:
            await blocking(parts.redis.kill)
            await asyncio.sleep(pause / 2)
        killed.append(time.monotonic())
        await blocking(server.kill_worker, random.choice(server.worker_pids()))
        if number % 2:
            await asyncio.sleep(pause / 2)
            await blocking(parts.redis.start)
        await blocking(server.wait_for_workers)


async def _in_place(people: Sequence[Person], lives: list[asyncio.Task[None]]) -> None:
    for start in range(0, len(people), 50):
        some = people[start : start + 50]
        lives += [asyncio.create_task(each.live()) for each in some]
        async with asyncio.timeout(30):
            await asyncio.gather(*(each.in_place.wait() for each in some))


def _row(
    name: str,
    crowd: Sequence[Seeker],
    consoles: Sequence[Listener],
    verdict: Verdict,
    complaints: Sequence[str],
    watch: Watch,
    killed: Sequence[float],
    took: float,
) -> Row:
    people: list[Person] = [*crowd, *consoles]
    lines = [line for each in people for line in each.diary.lines]
    acked = [line for line in lines if line.acked is not None]
    outages = [until - since for each in people for since, until in each.diary.outages]
    freed = [seconds for console in consoles for seconds in console.freed]
    shown = [seconds for console in consoles for seconds in console.shown]
    accepted = sorted(at for console in consoles for at in console.accepted_at)
    resumed = [next((at - kill for at in accepted if at >= kill), 0.0) for kill in killed]
    measured = Measured(
        asked=len(crowd) / took, achieved=len(acked) / took, acked=len(acked), acks=[], shown=[], outages=outages
    )
    waits = [seeker.met_at - seeker.asked_at for seeker in crowd if seeker.met_at and seeker.asked_at]
    return row(
        name,
        f"{len(killed)} kill -9 of a worker (of 3), Redis away every other time",
        len(killed),
        measured,
        verdict,
        marks=[
            Mark(name="free and not asked s", value=watch.longest_idle, most=IDLE_SECONDS, at_worst=IDLE_SECONDS),
            Mark(name="freed to asked p99 s", value=p99(freed), most=FREED_SECONDS, at_worst=5.0),
            Mark(
                name="next accept after a kill s", value=max(resumed, default=0.0), most=RECOVERY_SECONDS, at_worst=20.0
            ),
            Mark(name="back in place p99 s", value=p99(outages), most=RECOVERY_SECONDS, at_worst=20.0),
        ],
        notes=[
            f"{len(crowd)} asked, {sum(each.done.is_set() for each in crowd)} were met in {took:.0f} s",
            f"{len(consoles)} listened, to {_CAP} at once at most",
            f"{len(accepted)} accepts, {len(freed)} times somebody waited for whoever was freed",
            f"and was shown it within {p99(shown):.2f} s at p99",
            f"longest wait {max(waits, default=0):.1f} s",
            f"the floor was looked at {watch.looks:,} times and /metrics {watch.scrapes:,} times",
            f"{sum(each.diary.views for each in people):,} views were shown",
        ],
        complaints=complaints,
    )
