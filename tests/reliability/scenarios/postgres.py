"""PostgreSQL goes away: nobody is told yes without it, everybody is told so, and it is found again."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.reliability.cluster import Parts, blocking
from tests.reliability.crowd import SILENCE_SECONDS
from tests.reliability.report import Row
from tests.reliability.scenarios.stage import Stage, stage

ANSWER_SECONDS = 5.5
"""P-ERROR-2: five seconds for the store, and the way there and back."""
RECOVERY_SECONDS = 5.0
_ON_ITS_WAY_SECONDS = 0.5
"""An acknowledgement that left in time may be read so much later, on a machine that has much to do."""


class Window(NamedTuple):
    """Moments: when it began to go, when it was surely gone, when it began to be back."""

    began: float
    gone: float
    back: float


async def postgres_frozen(parts: Parts, *, seconds: float, rate: float, members: int, pause: float) -> Row:
    """SIGSTOP of PostgreSQL and all its backends."""

    async def strike() -> Window:
        began = time.monotonic()
        parts.postgres.freeze()
        since = time.monotonic()
        try:
            await asyncio.sleep(seconds)
        finally:
            until = time.monotonic()
            parts.postgres.thaw()
        return Window(began, since, until)

    async with stage(await parts.two_machines(), members) as on:
        await _strike(on, strike, 1, rate, pause)
        if not any(post.refusals for member in on.talk.members for post in member.diary.posts):
            on.complaints.append("nobody was told that nothing can be saved")
        return await on.end("postgres_frozen", f"PostgreSQL frozen for {seconds:g} s", 1)


async def postgres_restart(parts: Parts, *, times: int, rate: float, members: int, pause: float) -> Row:
    """A fast shutdown, as `pg_ctl restart` does: it ends every connection with a word."""

    async def strike() -> Window:
        began = time.monotonic()
        parts.postgres.process.send_signal(signal.SIGINT)
        await blocking(parts.postgres.process.wait)
        return Window(began, time.monotonic(), await _started(parts))

    async with stage(await parts.two_machines(), members) as on:
        await _strike(on, strike, times, rate, pause)
        return await on.end("postgres_restart", "PostgreSQL restarted (fast shutdown)", times)


async def postgres_kills(parts: Parts, *, times: int, down: float, rate: float, members: int, pause: float) -> Row:
    """kill -9 of PostgreSQL and all its backends."""

    async def strike() -> Window:
        began = time.monotonic()
        await blocking(parts.postgres.kill)
        since = time.monotonic()
        await asyncio.sleep(down)
        return Window(began, since, await _started(parts))

    async with stage(await parts.two_machines(), members) as on:
        await _strike(on, strike, times, rate, pause)
        return await on.end("postgres_kills", f"PostgreSQL killed -9, {down:g} s later started", times)


async def _started(parts: Parts) -> float:
    """When it began to start: after that it may answer before this process knows."""
    began = time.monotonic()
    await blocking(parts.postgres.start)
    return began


async def _strike(on: Stage, strike: Callable[[], Awaitable[Window]], times: int, rate: float, pause: float) -> None:
    """Strike while people write; check every answer of the time in between, and how soon all is well."""
    broken, recoveries, answers = [], [], [0.0]
    async with on.talk.busy(rate):
        for _ in range(times):
            await asyncio.sleep(pause)
            away = await strike()
            broken.append((away.began, away.back))
            recoveries.append(await _acknowledged_after(on, away.back))
            await asyncio.gather(*(one.until_ready(away.back) for one in on.ready))
            on.complaints += [
                f"{post.text} was acknowledged while PostgreSQL was away"
                for member in on.talk.members
                for post in member.diary.posts
                if post.acked_at is not None and away.gone + _ON_ITS_WAY_SECONDS < post.acked_at < away.back
            ]
        await asyncio.sleep(pause)
    on.truth(broken)
    posts = [post for member in on.talk.members for post in member.diary.posts]
    for post in posts:
        on.complaints += [
            f"{post.text} was refused with {code}" for _, code, _ in post.refusals if code != "storage_unavailable"
        ]
        answers += [seconds for _, _, seconds in post.refusals]
    on.mark("refused within s", max(answers), ANSWER_SECONDS, at_worst=SILENCE_SECONDS)
    on.mark("acknowledged again within s", max(recoveries), RECOVERY_SECONDS)
    on.notes.append(f"{sum(len(post.refusals) for post in posts):,} times `storage_unavailable`")
    if on.talk.measured().outages:
        on.complaints.append("connections were lost")


async def _acknowledged_after(on: Stage, moment: float) -> float:
    """Wait until something sent after `moment` is acknowledged; how many seconds after `moment` the first was."""
    async with asyncio.timeout(30):
        while True:
            moments = [
                post.acked_at
                for member in on.talk.members
                for post in member.diary.posts[-50:]
                if post.acked_at is not None and post.acked_at > moment
            ]
            if moments:
                return min(moments) - moment
            await asyncio.sleep(0.02)
