"""What holds on one worker holds between two: two servers with one store and one Redis."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet
from tests.conformance.personnel import Personnel
from tests.conformance.traffic import Traffic
from tests.kit.redis import RedisServer


@pytest.fixture
def encoding() -> Encoding:
    return Encoding.JSON


@contextlib.asynccontextmanager
async def _meets(two_clusters: tuple[Cluster, Cluster], traffic: Traffic) -> AsyncIterator[tuple[Meet, Meet]]:
    meets = Meet(two_clusters[0], traffic, Encoding.JSON), Meet(two_clusters[1], traffic, Encoding.MSGPACK)
    try:
        yield meets
    finally:
        for meet in meets:
            await meet.see_off()


async def test_two_workers_are_one_place_and_one_is_enough(
    two_clusters: tuple[Cluster, Cluster], traffic: Traffic
) -> None:
    """[P-HELLO-4] [P-DEDUPE-1] [P-ORDER-1] [P-ORDER-2] [P-PRESENCE-2] [P-NAME-3] [P-TYPING-1] [P-RECOVER-1]

    People of a worker that died are gone in five seconds; their clients come back on the other and have missed nothing.
    """
    async with _meets(two_clusters, traffic) as (here, there):
        room = two_clusters[0].rooms.plain()
        wren = await here()
        device = await there(token=wren.token)
        assert device.member == wren.member
        otter = await there()
        for peer in (wren, device, otter):
            await peer.join(room)
        await otter.push("presence", lambda push: push["here"] == 2)

        await asyncio.gather(*(peer.post(room, "x") for peer in (wren, device, otter) for _ in range(20)))
        first = await wren.ask("post", id="any-worker", room=room, text="once")
        assert await device.ask("post", id="any-worker", room=room, text="once") == first
        assert first["offset"] == 61
        for peer in (wren, device, otter):
            await peer.heard_offset(room, 61)
            assert [fact["offset"] for fact in peer.facts(room)] == list(range(1, 62))
            assert peer.facts(room) == wren.facts(room)

        await otter.ask("typing", room=room)
        await wren.push("typing", lambda push: push["member"] == otter.id_in(room))
        name = f"Far {wren.letters}"
        await wren.ask("rename", name=name)
        assert (await device.push("self"))["member"]["name"] == name
        # Under the new name they have a new id, and whoever hides now is gone under that.
        await otter.push("presence", lambda push: device.id_in(room) in [each["id"] for each in push["came"]])
        them = otter.id_in(room)
        await wren.ask("mute", member=them, on=True)
        await device.push("self", lambda push: push["rooms"][room]["hidden"] == [them])
        gone = await otter.push("presence", lambda push: wren.id_in(room) in push["went"])
        assert gone["here"] == 2, "the number counts everybody"
        await wren.ask("mute", member=them, on=False)
        await otter.push("presence", lambda push: wren.id_in(room) in [each["id"] for each in push["came"]])

        assert two_clusters[0].complaints() == two_clusters[1].complaints() == []
        two_clusters[1].server.process.kill()
        killed = time.monotonic()
        offset = await wren.post(room, "while you were away")
        await wren.push("presence", lambda push: otter.id_in(room) in push["went"] and push["here"] == 1)
        assert time.monotonic() - killed < 5.5
        back = await here(token=otter.token)
        ok = await back.join(room, since={"epoch": first["epoch"], "offset": first["offset"]})
        assert (ok["history"], [fact["offset"] for fact in ok["missed"]]) == ("exact", [offset])


async def test_an_escalation_outlives_its_worker_with_redis_away(
    two_clusters: tuple[Cluster, Cluster], redis_server: RedisServer, traffic: Traffic
) -> None:
    """[P-CARE-2]"""
    async with _meets(two_clusters, traffic) as (here, there):
        room = two_clusters[0].rooms.plain()
        token, _ = await Personnel(two_clusters[0]).hire("moderator")
        moderator = await here(staff=True, token=token)
        await moderator.ask("reports")
        otter = await there()
        await otter.join(room)
        redis_server.kill()
        ok = await otter.ask("post", room=room, text="I have the pills in front of me")
        two_clusters[1].server.process.kill()
        acknowledged = time.monotonic()
        ring = await moderator.push("ring")
        assert time.monotonic() - acknowledged < 1.0
        (report,) = [each for each in (await moderator.ask("reports"))["open"] if each["id"] == ring["report"]]
        assert (report["room"], report["offset"], report["level"]) == (room, ok["offset"], 3)


async def test_two_installations_on_one_redis_do_not_hear_each_other(
    redis_server: RedisServer, traffic: Traffic
) -> None:
    """Staging and production that share a Redis by mistake: nobody sees the other's people or drains its workers."""
    with Cluster(redis_url=redis_server.url) as ours, Cluster(redis_url=redis_server.url) as theirs:
        async with _meets((ours, theirs), traffic) as (here, there):
            room, foreign = await here(), await there()
            name = ours.rooms.plain()
            for peer in (room, foreign):
                assert (await peer.join(name))["here"] == 1
            token, _ = await Personnel(theirs).hire("operator")
            operator = await there(staff=True, token=token)
            load = await operator.ask("load")
            workers = {each["id"] for each in load["workers"]}
            assert len(workers) == 1
            token, _ = await Personnel(ours).hire("operator")
            mine = await here(staff=True, token=token)
            assert not workers & {each["id"] for each in (await mine.ask("load"))["workers"]}
