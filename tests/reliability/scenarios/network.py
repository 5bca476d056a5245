"""What lies between people and the server goes wrong: networks, phones, clocks, everybody at once."""

from __future__ import annotations

import asyncio
import random
import time

from prometheus_client.parser import text_string_to_metric_families

from tests.kit.client import ChatClient, Refused
from tests.kit.proxy import TcpProxy
from tests.kit.web import WebClient
from tests.reliability.cluster import Parts, own_house
from tests.reliability.report import Row
from tests.reliability.scenarios.stage import Stage, stage

HOUR = 3_600.0
_LONG_TEXT = 1_900


async def clocks_apart(parts: Parts, *, machines: int, moves: int, rate: float, members: int, pause: float) -> Row:
    """Machines, one an hour behind and one an hour ahead; everybody moves from one to the next."""
    urls = [parts.redis.url] * machines
    async with (
        own_house(urls, postgres=parts.postgres, clocks=(-HOUR, HOUR, 0.0)[:machines]) as built,
        stage(built, members) as on,
    ):
        async with on.talk.busy(rate):
            for _ in range(moves):
                await asyncio.sleep(pause)
                _lose_all(on)
                await on.talk.back()
            await asyncio.sleep(pause)
        await _same_answers(on)
        on.mark_reconnects()
        on.truth([])
        return await on.end("clocks_apart", "clocks an hour behind and ahead, everybody moves on", moves)


async def stalled_client(
    parts: Parts, *, patience: float, rate: float, members: int, writers: int, pause: float
) -> Row:
    """One of them takes not a byte any more, until the server has let them go."""
    limits = {"catch_up_seconds": patience, "recovery_publications": 20_000}
    async with (
        own_house([parts.redis.url], limits=limits) as built,
        stage(built, members, length=_LONG_TEXT, writers=writers) as on,
    ):
        sleeper = on.talk.members[-1]
        async with on.talk.busy(rate):
            await asyncio.sleep(pause)
            asleep = sleeper.client
            assert asleep is not None
            began = time.monotonic()
            asleep.stall()
            await _evicted(on)
            on.notes.append(f"let go after {time.monotonic() - began:.1f} s")
            asleep.wake()
            # All that was on its way to them comes before the end of the connection.
            async with asyncio.timeout(60):
                while sleeper.client is asleep:  # noqa: ASYNC110 - another task's state
                    await asyncio.sleep(0.02)
            await on.talk.back()
            await asyncio.sleep(pause)
        others = on.talk.measured(apart=[sleeper])
        on.mark_acks(others.acks)
        on.mark("shown to others within s", max(others.shown), 2.0)
        if others.outages:
            on.complaints.append("others lost their connections too")
        on.notes.append("the longest outage is that of the one who slept")
        return await on.end("stalled_client", f"one of {members} stops reading", 1, settle=40)


async def reconnect_storm(parts: Parts, *, times: int, rate: float, members: int, pause: float) -> Row:
    """Everybody loses the network at the same moment."""
    rooms = max(1, members // 50)
    async with stage(await parts.three_workers(), members, rooms=rooms) as on:
        async with on.talk.busy(rate):
            for _ in range(times):
                await asyncio.sleep(pause)
                _lose_all(on)
                # Their clients have to notice first.
                await asyncio.sleep(0)
                await on.talk.back(60)
            await asyncio.sleep(pause)
        outages = on.talk.measured().outages
        if len(outages) < times * members:
            on.complaints.append(f"only {len(outages)} came back")
        on.notes.append(
            f"{len(outages):,} reconnects, the last after {max(outages):.2f} s; one process is the whole crowd"
        )
        return await on.end("reconnect_storm", f"{members:,} lose the network at once", times, settle=40)


async def hostile_network(parts: Parts, *, seconds: float, hole: float, rate: float, members: int, pause: float) -> Row:
    """A proxy before three workers passes everything on in shreds, late, cuts connections at any byte, and for a while
    swallows everything without a word."""
    site = await parts.three_workers()
    async with (
        TcpProxy(site.servers[0].port) as network,
        stage(site, members, ws_urls=[f"ws://127.0.0.1:{network.port}/ws"], pings=True) as on,
    ):
        on.may_be_silent = True
        network.piece = 100
        network.delay = lambda: random.uniform(0.0, 0.3) if random.random() < 0.02 else 0.0
        async with on.talk.busy(rate):
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                await asyncio.sleep(pause)
                network.cut(0.15)
            network.black_hole()
            await asyncio.sleep(hole)
            network.heal()
            network.delay = lambda: 0.0
            await on.talk.back()
            await asyncio.sleep(pause)
        if not network.cuts:
            on.complaints.append("the proxy cut nothing")
        on.truth([])
        on.notes.append(
            f"then {hole:g} s in which everything is swallowed; {on.talk.silences} commands went unanswered"
        )
        return await on.end("hostile_network", "a proxy that shreds, delays and cuts", network.cuts, settle=40)


def _lose_all(on: Stage) -> None:
    for member in on.talk.members:
        if member.client is not None:
            member.is_up.clear()
            member.client.abort()


async def _same_answers(on: Stage) -> None:
    """The newest posts, sent once more, unchanged, to each machine, get the answers that they had."""
    for member in on.talk.members[:6]:
        post = next(post for post in reversed(member.diary.posts) if post.acked_at is not None)
        for url in on.site.ws_urls:
            try:
                async with ChatClient(url, token=member.token) as again:
                    await again.ask("join", room=member.diary.room)
                    ok = await again.ask("post", id=post.id, room=member.diary.room, text=post.text)
            except Refused as refused:
                on.complaints.append(f"{post.text} sent again: {refused}")
            else:
                if ok["offset"] != post.offset:
                    on.complaints.append(f"{post.text} sent again is at {ok['offset']}, before at {post.offset}")


async def _evicted(on: Stage) -> None:
    """Wait until the server has let somebody go."""
    async with asyncio.timeout(120), WebClient(base_url=on.site.urls[0]) as http:
        while True:
            families = text_string_to_metric_families((await http.get("/metrics")).text)
            if sum(one.value for family in families for one in family.samples if one.name == "chat_evictions_total"):
                return
            await asyncio.sleep(0.2)
