"""Rooms that need a moderator, and what those in them hear while none is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet, Rooms
from tests.conformance.peer import Peer
from tests.conformance.personnel import Personnel
from tests.conformance.test_room_settings import WHY, at_console, ready
from tests.conformance.traffic import Traffic
from tests.kit.redis import RedisServer

GRACE = 4.0
PATIENCE = 4.0
SHORT = {"duty": {"grace_seconds": GRACE, "patience_minutes": PATIENCE / 60}}
LONG = 30.0
"""Seconds for which something is waited for that a busy machine may do late."""


@pytest.fixture(scope="module")
def watched() -> Iterator[Cluster]:
    with Cluster(config=SHORT) as site:
        yield site
        assert site.complaints() == []


@pytest.fixture(scope="module")
def crew(watched: Cluster) -> Personnel:
    return Personnel(watched)


@pytest.fixture
async def come(watched: Cluster, traffic: Traffic, encoding: Encoding) -> AsyncIterator[Meet]:
    meet = Meet(watched, traffic, encoding)
    yield meet
    await meet.see_off()


@pytest.fixture
def rooms(watched: Cluster) -> Rooms:
    return watched.rooms


async def became(peer: Peer, room: str, attendance: str, skip: int = 0) -> None:
    def find() -> bool | None:
        heard = peer.pushes("room_changed", lambda push: push["room"]["id"] == room)
        return any(push["room"]["attendance"] == attendance for push in heard[skip:]) or None

    await peer.until(find, LONG)


async def need(boss: Peer, room: str) -> None:
    seen = await ready(boss, room)
    await boss.ask("change_room", room=room, seen=seen, needs_moderator=True, reason=WHY)


async def paged(peer: Peer, room: str) -> None:
    def find() -> bool | None:
        waiting = [each for push in peer.pushes("standby") for each in push["rooms"]]
        return any(each["id"] == room and each["attendance"] == "slowed" for each in waiting) or None

    await peer.until(find, LONG)


async def test_a_room_that_loses_its_moderator_slows_is_read_only_and_opens_by_itself(
    come: Meet, crew: Personnel, rooms: Rooms
) -> None:
    """[P-DUTY-1] [P-DUTY-3] [P-DUTY-4] [P-DUTY-6]"""
    boss, marlowe = await at_console(come, crew), await at_console(come, crew, "moderator")
    wren, room = await come(), rooms.plain()
    await marlowe.join(room)
    await need(boss, room)
    there = (await wren.join(room))["people"]
    assert [each.get("role") for each in there] == ["moderator", None]
    assert not any("·" in each["name"] for each in there)
    offset = await wren.post(room, "first")
    said = await marlowe.post(room, "Good evening.")
    heard = await wren.push("posted", lambda push: push["post"]["offset"] == said)
    assert (heard["post"]["name"], heard["post"]["role"]) == (there[0]["name"], "moderator")

    async def see_card() -> None:
        while True:
            cards = {card["id"]: card for card in (await wren.ask("rooms"))["rooms"]}
            if cards[room].get("attended") is True:
                return
            await asyncio.sleep(0.1)

    await asyncio.wait_for(see_card(), LONG)
    # Nobody is missed while somebody is there, however long.
    await asyncio.sleep(GRACE + 2.5)
    assert not wren.pushes("room_changed", lambda push: push["room"]["attendance"] != "attended")

    left = time.monotonic()
    await marlowe.ask("leave", room=room)
    await became(wren, room, "slowed")
    assert time.monotonic() - left >= GRACE - 2.5
    refusal = await wren.refusal("post", room=room, text="second")
    assert refusal["code"] == "slow_mode"
    assert 0 < refusal["retry_after"] <= 30
    await became(wren, room, "read_only")
    for cmd, fields in (
        ("post", {"text": "x"}),
        ("edit", {"offset": offset, "text": "x"}),
        ("react", {"offset": said, "reaction": "hug", "on": True}),
    ):
        assert (await wren.refusal(cmd, room=room, **fields))["code"] == "unattended", cmd
    await wren.ask("redact", room=room, offset=offset)

    count = len(wren.pushes("room_changed"))
    joined = await marlowe.join(room)
    assert joined["room"]["attendance"] == "attended"
    await became(wren, room, "attended", skip=count)
    another = await come()
    await another.join(room)
    await another.post(room, "third")


async def test_every_moderator_is_paged_wherever_they_are_and_nobody_else(
    come: Meet, crew: Personnel, rooms: Rooms
) -> None:
    """[P-DUTY-5] [P-DUTY-7]"""
    boss, marlowe = await at_console(come, crew), await at_console(come, crew, "moderator")
    listener, wren, room = await at_console(come, crew, "listener"), await come(), rooms.plain()
    await marlowe.join(rooms.plain())
    await wren.join(room)
    await need(boss, room)
    await asyncio.gather(*(paged(peer, room) for peer in (boss, marlowe)))
    late = await at_console(come, crew, "moderator")
    await late.push("standby", lambda push: room in {each["id"] for each in push["rooms"]})
    load = await late.ask("load")
    assert [each["kind"] for each in load["attention"] if each.get("room") == room] == ["unattended"]

    seen = await ready(boss, room)
    changed = await boss.ask("change_room", room=room, seen=seen, needs_moderator=False, reason=WHY)
    assert changed["room"]["attendance"] == "attended"
    await wren.post(room, "hello")
    await wren.post(room, "and again")
    await late.push("standby", lambda push: room not in {each["id"] for each in push["rooms"]})
    assert not listener.pushes("standby")
    assert not wren.pushes("standby")


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_it_holds_through_every_worker_with_the_bus_away_and_the_moderators_worker_killed(
    redis_server: RedisServer, traffic: Traffic
) -> None:
    """[P-DUTY-2]"""
    with Cluster(redis_url=redis_server.url, config=SHORT) as first:
        secret = (first.server.directory / "data" / "secret.key").read_text().strip()
        config = {**SHORT, "secret_key": secret, "database_url": f"sqlite:///{first.database}"}
        with Cluster(redis_url=redis_server.url, rooms=first.rooms, config=config) as second:
            here, there = (Meet(site, traffic, Encoding.JSON) for site in (first, second))
            try:
                crew = Personnel(first)
                boss, (token, _) = await at_console(here, crew), await crew.hire("moderator")
                marlowe = await there.silent()
                await marlowe.hello(token=token, staff=True)
                wren, room = await here(), first.rooms.plain()
                await marlowe.join(room)
                await need(boss, room)
                await wren.join(room)
                redis_server.kill()
                # Somebody is there, on the other worker, whom nobody here can hear of.
                await asyncio.sleep(GRACE + 2.5)
                await wren.post(room, "hello")
                assert not wren.pushes("room_changed", lambda push: push["room"]["attendance"] != "attended")
                second.server.process.kill()
                await became(wren, room, "slowed")
                await became(wren, room, "read_only")
                assert (await wren.refusal("post", room=room, text="x"))["code"] == "unattended"
                await boss.join(room)
                await became(wren, room, "attended", skip=len(wren.pushes("room_changed")) - 1)
                await boss.post(room, "I am here.")
                redis_server.start()
            finally:
                await here.see_off()
                await there.see_off()
