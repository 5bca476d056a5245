"""Workers that are killed, told to stop, or replaced one by one while people write."""

from __future__ import annotations

import asyncio
import os
import signal
import time

from tests.reliability.cluster import Parts, blocking, own_house
from tests.reliability.report import Row
from tests.reliability.scenarios.stage import Stage, stage

EXIT_SECONDS = 30.0
_SENT_BACK_SECONDS = 9.0
"""At worst: whoever is told when to come back may meet another worker that goes, and be told once more."""


async def worker_kills(parts: Parts, *, kills: int, rate: float, members: int, pause: float) -> Row:
    """kill -9, again and again, each time another worker of three."""
    async with stage(await parts.three_workers(), members) as on:
        server = on.site.servers[0]
        async with on.talk.busy(rate):
            for _ in range(kills):
                await asyncio.sleep(pause)
                # The oldest, so that in time every worker is one that was started under load.
                await blocking(server.kill_worker, server.worker_pids()[0])
                # First the new worker: by then everybody whose worker was killed has noticed, and is waited for.
                await blocking(server.wait_for_workers)
                await on.talk.back()
            await asyncio.sleep(pause)
        on.mark_reconnects()
        if len(on.talk.measured().outages) < kills:
            on.complaints.append("a killed worker had nobody on it")
        return await on.end("worker_kills", "kill -9 of a worker (of 3, SQLite)", kills)


async def sigterm(parts: Parts, *, rate: float, members: int, pause: float) -> Row:
    """The whole server is asked to end, and started again once it has: a restart by the service manager."""
    async with stage(await parts.three_workers(), members) as on:
        server = on.site.servers[0]
        async with on.talk.busy(rate):
            await asyncio.sleep(pause)
            began = time.monotonic()
            code = await blocking(server.stop)
            on.mark("exit s", time.monotonic() - began, EXIT_SECONDS)
            if code != 0:
                on.complaints.append(f"exit code {code}")
            _judge_closes(on, began)
            await blocking(server.start)
            await on.talk.back(60)
            await asyncio.sleep(pause)
        on.notes.append("nobody serves between the exit and the start: outages are as long as that takes")
        return await on.end("sigterm", "SIGTERM of all 3 workers, and a new start", 1)


async def rolling_restart(parts: Parts, *, rate: float, members: int, pause: float) -> Row:
    """SIGHUP: the supervisor replaces its three workers one by one."""
    async with stage(await parts.three_workers(), members) as on:
        server = on.site.servers[0]
        old = set(server.worker_pids())
        async with on.talk.busy(rate):
            await asyncio.sleep(pause)
            began = time.monotonic()
            os.kill(server.process.pid, signal.SIGHUP)
            ends = await _ends(old, began)
            await blocking(server.wait_for_workers)
            await on.talk.back()
            await asyncio.sleep(pause)
        if old & set(server.worker_pids()):
            on.complaints.append("a worker was not replaced")
        on.mark("all replaced s", max(ends), 3 * EXIT_SECONDS)
        on.mark_reconnects(_SENT_BACK_SECONDS)
        _judge_closes(on, began)
        return await on.end("rolling_restart", "rolling restart of 3 workers (SIGHUP)", 3)


async def machines_in_turn(parts: Parts, *, rate: float, members: int, pause: float) -> Row:
    """Three machines with one worker each, each stopped with SIGTERM and started again before the next."""
    async with (
        own_house([parts.redis.url] * 3, postgres=parts.postgres) as built,
        stage(built, members) as on,
    ):
        began = time.monotonic()
        exits = []
        async with on.talk.busy(rate):
            for server in on.site.servers:
                await asyncio.sleep(pause)
                stopping = time.monotonic()
                if (code := await blocking(server.stop)) != 0:
                    on.complaints.append(f"exit code {code}")
                exits.append(time.monotonic() - stopping)
                await blocking(server.start)
                await on.talk.back()
            await asyncio.sleep(pause)
        on.mark("exit s", max(exits), EXIT_SECONDS)
        on.mark_reconnects(_SENT_BACK_SECONDS)
        _judge_closes(on, began)
        return await on.end("machines_in_turn", "SIGTERM and start of 3 machines in turn (PostgreSQL)", 3)


async def _ends(pids: set[int], began: float) -> list[float]:
    """When each of these processes ended, in seconds after `began`."""
    ends: dict[int, float] = {}
    async with asyncio.timeout(3 * EXIT_SECONDS + 10):
        while len(ends) < len(pids):
            for pid in pids - ends.keys():
                try:
                    os.kill(pid, 0)
                except ProcessLookupError:
                    ends[pid] = time.monotonic() - began
            await asyncio.sleep(0.02)
    return [*ends.values()]


def _judge_closes(on: Stage, since: float) -> None:
    """Everybody was told to come back, and not all in the same moment."""
    closes = [close for member in on.talk.members for close in member.closes if close[0] >= since]
    rude = [code for _, code in closes if code != 1012]
    if rude or not closes:
        on.complaints.append(f"{len(closes)} closes, of which not 1012: {rude}")
        return
    moments = sorted(at for at, _ in closes)
    on.notes.append(f"{len(closes)} closes with 1012 over {moments[-1] - moments[0]:.2f} s")
    returns = sorted(outage for member in on.talk.members for outage in member.outages)
    if returns:
        on.notes.append(f"back after {returns[0]:.2f} to {returns[-1]:.2f} s")
