"""What operators do with rooms, and what those in them hear of it."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet, Rooms
from tests.conformance.peer import Peer, Refused
from tests.conformance.personnel import Personnel
from tests.conformance.traffic import Traffic
from tests.kit.process import wait_until
from tests.kit.redis import RedisServer

Json = dict[str, Any]
WHY = "to see that it works"
_names = itertools.count(1)


@pytest.fixture(scope="module")
def steered() -> Iterator[Cluster]:
    """A house of its own: what is announced to all is heard by all."""
    with Cluster() as site:
        yield site
        assert site.complaints() == []


@pytest.fixture(scope="module")
def crew(steered: Cluster) -> Personnel:
    return Personnel(steered)


@pytest.fixture
async def come(steered: Cluster, traffic: Traffic, encoding: Encoding) -> AsyncIterator[Meet]:
    meet = Meet(steered, traffic, encoding)
    yield meet
    await meet.see_off()


@pytest.fixture
def rooms(steered: Cluster) -> Rooms:
    return steered.rooms


async def at_console(come: Meet, crew: Personnel, role: str = "operator") -> Peer:
    token, _ = await crew.hire(role)
    peer = await come.silent()
    await peer.hello(token=token, staff=True)
    return peer


async def ready(boss: Peer, room: str) -> int:
    """The room's revision."""
    found: Json = (await boss.ask("house", room=room))["rooms"][0]
    return int(found["revision"])


def solve(details: Json) -> str:
    bits, challenge = details["bits"], details["challenge"]
    for number in itertools.count():
        proof = f"{challenge}:{number}"
        if int.from_bytes(hashlib.sha256(proof.encode()).digest()) >> (256 - bits) == 0:
            return proof
    raise AssertionError


async def test_a_change_is_heard_by_everybody_inside(come: Meet, crew: Personnel, rooms: Rooms) -> None:
    """[P-ROOM-10] [P-ROOM-11]"""
    boss, wren, room = await at_console(come, crew), await come(), rooms.plain()
    await wren.join(room)
    seen = await ready(boss, room)
    ok = await boss.ask("change_room", room=room, seen=seen, reason=WHY, topic="Tea", agreement="Be very kind.")
    heard = await wren.push("room_changed", lambda push: push["channel"] == f"room:{room}")
    assert heard["room"] == ok["room"]
    assert (heard["room"]["topic"], heard["room"]["agreement_version"]) == ("Tea", 2)
    assert (await wren.refusal("post", room=room, text="x"))["code"] == "agreement_required"
    refusal = await boss.refusal("change_room", room=room, seen=seen, reason=WHY, topic="Coffee")
    assert (refusal["code"], refusal["details"]) == ("room_changed", {"revision": seen + 1})
    for field, value, code in (
        ("name", "x" * 41, "text_too_long"),
        ("capacity", 1, "invalid"),
        ("name", "plain-299", "room_name_taken"),
    ):
        refusal = await boss.refusal("change_room", room=room, seen=seen + 1, reason=WHY, **{field: value})
        assert refusal["code"] == code
    assert (await boss.refusal("change_room", room="nowhere", seen=0, reason=WHY, topic="x"))["code"] == "room_unknown"
    assert (await boss.refusal("change_room", room=room, seen=seen + 1, reason=" ", topic="x"))["code"] == "text_empty"


async def test_a_room_opens_closes_and_opens_again(come: Meet, crew: Personnel) -> None:
    """[P-ROOM-10]"""
    boss, wren = await at_console(come, crew), await come()
    name = f"Night shift {next(_names)}"
    asked = await boss.send("open_room", name=name, about="Up while others sleep.", reason=WHY)
    room = (await boss.answer_to(asked))["room"]
    await boss.send_raw(
        boss.pack({"cmd": "open_room", "id": asked, "name": name, "about": "Up while others sleep.", "reason": WHY})
    )
    await boss.ask("ping")
    cards = {card["id"]: card for card in (await wren.ask("rooms"))["rooms"]}
    assert [card["name"] for card in cards.values()].count(name) == 1
    await wren.join(room["id"])
    await wren.post(room["id"], "first")
    closed = (await boss.ask("close_room", room=room["id"], seen=1, reason=WHY))["room"]
    assert (closed["status"], closed["revision"]) == ("closed", 2)
    await wren.push("room_changed", lambda push: push["room"]["status"] == "closed")
    assert (await wren.refusal("post", room=room["id"], text="x"))["code"] == "room_closed"
    assert (await (await come()).refusal("join", room=room["id"], agreement=1))["code"] == "room_closed"
    assert room["id"] not in {card["id"] for card in (await wren.ask("rooms"))["rooms"]}
    await boss.ask("reopen_room", room=room["id"], seen=2, reason=WHY)
    await wren.post(room["id"], "second")


async def test_moderators_slow_a_room_and_announce_in_it(come: Meet, crew: Personnel, rooms: Rooms) -> None:
    """[P-ROOM-12] [P-ROOM-19]"""
    guard, wren, room = await at_console(come, crew, "moderator"), await come(), rooms.plain()
    await wren.join(room)
    assert (await guard.ask("slow_room", room=room, seen=0, seconds=30, reason=WHY))["room"]["slow_mode"] == 30
    await wren.post(room, "one")
    assert (await wren.refusal("post", room=room, text="two"))["code"] == "slow_mode"
    notice = (await guard.ask("announce", room=room, text="I am here.", minutes=5, reason=WHY))["notice"]
    heard = await wren.push("notices", lambda push: notice in push["notices"])
    assert [each for each in heard["notices"] if each.get("room") == room] == [notice]
    late = await come()
    await late.push("notices", lambda push: notice in push["notices"])
    await guard.ask("withdraw", notice=notice["id"], reason=WHY)
    await wren.push("notices", lambda push: notice not in push["notices"] and push is not heard)
    assert (await guard.refusal("withdraw", notice="unheard", reason=WHY))["code"] == "notice_unknown"


async def test_an_announcement_to_all_is_heard_by_all(come: Meet, crew: Personnel) -> None:
    """[P-ROOM-12] [P-ROOM-19]"""
    boss, guard, wren = await at_console(come, crew), await at_console(come, crew, "moderator"), await come()
    asked = {"text": "We restart at three.", "minutes": 5, "reason": WHY}
    assert (await guard.refusal("announce_all", **asked))["code"] == "not_allowed"
    assert (await boss.refusal("announce_all", **{**asked, "minutes": 0}))["code"] == "invalid"
    notice = (await boss.ask("announce_all", **asked))["notice"]
    await wren.push("notices", lambda push: notice in push["notices"])
    assert (await guard.refusal("withdraw", notice=notice["id"], reason=WHY))["code"] == "not_allowed"
    await boss.ask("withdraw", notice=notice["id"], reason=WHY)
    assert notice not in (await boss.ask("house"))["notices"]


async def _full(come: Meet, boss: Peer, room: str) -> list[Peer]:
    """Eight people in a room, who speak in two circles."""
    people = [await come() for _ in range(8)]
    for peer in people:
        await peer.join(room)
    for circle in (people[:4], people[4:]):
        first = await circle[0].post(room, "hello")
        for other in circle[1:]:
            await other.post(room, "hello you", reply_to=first)
    # Counts of other workers are a tick old; one worker's are its own.
    await boss.ask("ping")
    return people


async def test_a_full_room_is_split_and_nobody_is_left_outside(come: Meet, crew: Personnel, rooms: Rooms) -> None:
    """[P-ROOM-13] [P-ROOM-14]"""
    boss, room = await at_console(come, crew), rooms.plain()
    people = await _full(come, boss, room)
    plan = await boss.ask("plan_split", room=room, parts=2)
    circles = [{peer.member["id"] for peer in people[:4]}, {peer.member["id"] for peer in people[4:]}]
    groups = [{person["id"] for person in group} for group in plan["groups"]]
    assert sorted(groups, key=sorted) == sorted(circles, key=sorted)
    seen, named = plan["revision"], plan["plan"]
    split = (await boss.ask("split", room=room, seen=seen, plan=named, reason=WHY))["rooms"]
    assert [each.get("split_of") for each in split] == [None, room]
    beside = split[1]["id"]
    led = [peer for peer in people if peer.member["id"] in groups[1]]
    lost, back, staying, choosing = led
    for peer in led:
        moved = await peer.push("moved")
        assert (moved["room"], moved["to"]["id"]) == (room, beside)
        assert [place["id"] for place in moved["beside"]] == [room, beside]
    assert not any(peer.pushes("moved") for peer in people if peer not in led)

    lost.drop()
    again = await come(token=lost.token)
    await again.push("moved")
    for peer in (again, back):
        # Without an agreement: it was accepted before the split.
        await peer.ask("join", room=beside)
        await peer.ask("settle", room=room, to=beside)
    await staying.ask("settle", room=room, to=room)
    assert (await choosing.refusal("settle", room=room, to=rooms.plain()))["code"] == "room_unknown"
    await choosing.ask("settle", room=room, to=beside)
    for peer in (again, back, staying, choosing):
        once_more = await come(token=peer.token or lost.token)
        await once_more.ask("ping")
        assert once_more.pushes("moved") == []
    assert (await back.refusal("post", room=room, text="x"))["code"] == "not_in_room"
    await staying.post(room, "still here")

    newcomer = await come()
    refusal = await newcomer.refusal("join", room=room, agreement=1)
    assert (refusal["code"], refusal["details"]["rooms"][0]["id"]) == ("room_split", beside)
    await newcomer.join(room, exact=True)


async def test_a_split_that_is_not_as_it_was_shown_is_refused(come: Meet, crew: Personnel, rooms: Rooms) -> None:
    """[P-ROOM-20]"""
    boss, room = await at_console(come, crew), rooms.plain()
    people = await _full(come, boss, room)
    plan = await boss.ask("plan_split", room=room, parts=2)
    seen = plan["revision"]
    unknown = await boss.refusal("split", room=room, seen=seen, plan="never-shown", reason=WHY)
    assert (unknown["code"], unknown["details"]) == ("room_changed", {"revision": seen})
    for peer in people:
        if peer.member["id"] in {person["id"] for person in plan["groups"][1]}:
            await peer.ask("leave", room=room)
    assert (await boss.refusal("split", room=room, seen=seen, plan=plan["plan"], reason=WHY))["code"] == "room_changed"
    assert not any(peer.pushes("moved") for peer in people)


async def test_a_room_that_is_as_full_as_an_operator_set_is_split_by_itself(
    come: Meet, crew: Personnel, rooms: Rooms
) -> None:
    """[P-ROOM-13]"""
    boss, room = await at_console(come, crew), rooms.plain()
    await boss.ask("change_room", room=room, seen=0, split_at=6, reason=WHY)
    people = [await come() for _ in range(6)]
    for peer in people:
        await peer.join(room)

    async def told() -> list[Peer]:
        while len(found := [peer for peer in people if peer.pushes("moved")]) < 3:
            await asyncio.gather(*(peer.ask("ping") for peer in people))
        return found

    assert len(await asyncio.wait_for(told(), 12)) == 3
    assert (await boss.refusal("plan_split", room=rooms.plain()))["code"] == "too_few"


async def test_a_raid_asks_new_guests_for_a_sum_and_lets_them_read(come: Meet, crew: Personnel, rooms: Rooms) -> None:
    """[P-ROOM-15] [P-ROOM-16]"""
    boss, room, other = await at_console(come, crew), rooms.plain(), rooms.plain()
    before = await come()
    raid = (await boss.ask("raid", room=room, minutes=5, quiet_minutes=5, reason=WHY))["raid"]
    assert raid in (await boss.ask("house"))["raids"]
    await before.join(room)
    target = await before.post(room, "I was here before.")
    new, thief = await come(), await come()
    refusal = await new.refusal("join", room=room, agreement=1)
    assert refusal["code"] == "challenge"
    proof = solve(refusal["details"])
    assert (await new.refusal("join", room=room, agreement=1, proof=proof + "1"))["code"] == "challenge"
    assert (await thief.refusal("join", room=room, agreement=1, proof=proof))["code"] == "challenge"
    await new.join(room, proof=proof)
    for cmd, fields in (("post", {"text": "x"}), ("react", {"offset": target, "reaction": "hug", "on": True})):
        refused = await new.refusal(cmd, room=room, **fields)
        assert (refused["code"], refused["details"]["until"] <= raid["until"]) == ("read_only", True)
    await new.join(other)
    await new.post(other, "Here is no raid.")
    await boss.ask("end_raid", raid=raid["id"], reason=WHY)
    await new.post(room, "Now I may.")
    await thief.join(room)


async def _try(peer: Peer, room: str) -> Json | None:
    """Join; the error where it was refused."""
    try:
        await peer.join(room)
    except Refused as refused:
        return refused.error
    return None


async def test_a_moderator_is_let_in_whatever_keeps_newcomers_out(come: Meet, crew: Personnel, rooms: Rooms) -> None:
    """[P-ROOM-14] [P-ROOM-15]"""
    boss, raided, full = await at_console(come, crew), rooms.plain(), rooms.tiny()
    for _ in range(Rooms.TINY):
        await (await come()).join(full)
    raid = (await boss.ask("raid", room=raided, minutes=5, quiet_minutes=5, reason=WHY))["raid"]
    split = rooms.plain()
    people = await _full(come, boss, split)
    await boss.ask("split", room=split, seen=0, parts=2, reason=WHY)
    # An account that is newer than all of it.
    guard, guest = await at_console(come, crew, "moderator"), await come()
    for peer in people[:5]:
        peer.drop()
        await peer.ended()
    for room, code in ((full, "room_full"), (raided, "challenge")):
        assert (await guest.refusal("join", room=room, agreement=1))["code"] == code
        await guard.join(room)
        await guard.post(room, "I am here.")
    await guard.join(split)
    await boss.ask("end_raid", raid=raid["id"], reason=WHY)


async def test_joins_are_slowed_while_a_room_is_protected(come: Meet, crew: Personnel, rooms: Rooms) -> None:
    """[P-ROOM-15]"""
    boss, room = await at_console(come, crew), rooms.plain()
    raid = (await boss.ask("raid", room=room, minutes=5, quiet_minutes=0, reason=WHY))["raid"]

    async def enter(peer: Peer, proof: str) -> Json | None:
        try:
            await peer.join(room, proof=proof)
        except Refused as refused:
            return refused.error
        return None

    people = [await come() for _ in range(12)]
    # All sums are done before anybody enters: one after another they would slow the joins themselves.
    proofs = [solve((await peer.refusal("join", room=room, agreement=1))["details"]) for peer in people]
    answers = await asyncio.gather(*map(enter, people, proofs))
    slowed = [answer for answer in answers if answer is not None]
    assert slowed
    assert {answer["code"] for answer in slowed} == {"joins_slowed"}
    waiting = people[answers.index(slowed[0])]
    # The sum was right, and is not asked again: whoever waits as they are told is let in.
    while (answer := await _try(waiting, room)) is not None:
        assert answer["code"] == "joins_slowed"
        await asyncio.sleep(answer["retry_after"])
    await boss.ask("end_raid", raid=raid["id"], reason=WHY)


async def test_hours_hold_at_once(come: Meet, crew: Personnel) -> None:
    """[P-ROOM-17]"""
    boss, wren = await at_console(come, crew), await come()
    now = await boss.ask("house")
    assert (await wren.ask("standing"))["open"] is True
    await boss.ask("set_hours", hours="never", timezone="Europe/Berlin", seen=now["hours_revision"], reason=WHY)
    assert (await wren.ask("standing"))["open"] is False
    assert (await boss.refusal("set_hours", hours="always", timezone="UTC", seen=0, reason=WHY))[
        "code"
    ] == "hours_changed"
    for wrong in ({"hours": "mon"}, {"timezone": "Nowhere/Else"}):
        asked = {"hours": "always", "timezone": "UTC", "seen": 1, "reason": WHY, **wrong}
        assert (await boss.refusal("set_hours", **asked))["code"] == "invalid"
    after = await boss.ask("house")
    await boss.ask("set_hours", hours="always", timezone="UTC", seen=after["hours_revision"], reason=WHY)
    assert (await wren.ask("standing"))["open"] is True


@pytest.mark.parametrize("role", [None, "listener", "moderator"])
async def test_what_is_for_operators_is_refused_to_everybody_else(
    come: Meet, crew: Personnel, rooms: Rooms, role: str | None
) -> None:
    """[P-ROOM-19]"""
    peer = await come() if role is None else await at_console(come, crew, role)
    room = rooms.plain()
    seen: Json = {"room": room, "seen": 0, "reason": WHY}
    for cmd, fields in (
        ("open_room", {"name": "x", "about": "x", "reason": WHY}),
        ("change_room", {**seen, "topic": "x"}),
        ("close_room", seen),
        ("reopen_room", seen),
        ("announce_all", {"text": "x", "minutes": 1, "reason": WHY}),
        ("set_hours", {"hours": "never", "timezone": "UTC", "seen": 0, "reason": WHY}),
        ("plan_split", {"room": room}),
        ("split", seen),
        ("raid", {"room": room, "minutes": 1, "quiet_minutes": 1, "reason": WHY}),
        ("raid_all", {"minutes": 1, "quiet_minutes": 1, "reason": WHY}),
        ("end_raid", {"raid": "x", "reason": WHY}),
        ("drain", {"worker": "x", "reason": WHY}),
        *(() if role == "moderator" else (("house", {}), ("slow_room", {**seen, "seconds": 1}))),
    ):
        assert (await peer.refusal(cmd, **fields))["code"] == "not_allowed", cmd


async def test_a_raid_on_all_is_ended_too(come: Meet, crew: Personnel, rooms: Rooms) -> None:
    """[P-ROOM-15]"""
    boss = await at_console(come, crew)
    raid = (await boss.ask("raid_all", minutes=5, quiet_minutes=1, reason=WHY))["raid"]
    new = await come()
    assert (await new.refusal("join", room=rooms.plain(), agreement=1))["code"] == "challenge"
    await boss.ask("end_raid", raid=raid["id"], reason=WHY)
    assert (await boss.refusal("end_raid", raid="unheard", reason=WHY))["code"] == "raid_unknown"
    await new.join(rooms.plain())


async def test_the_only_worker_is_not_drained(come: Meet, crew: Personnel) -> None:
    """[P-ROOM-18]"""
    boss = await at_console(come, crew)
    here = (await boss.ask("load", watch=False))["here"]
    assert (await boss.refusal("drain", worker=here, reason=WHY))["code"] == "last_worker"
    assert (await boss.refusal("drain", worker="000000000000", reason=WHY))["code"] == "worker_unknown"


@pytest.mark.slow
@pytest.mark.timeout(90)
async def test_all_holds_on_another_worker_with_the_bus_away_and_one_of_two_is_drained(
    redis_server: RedisServer, traffic: Traffic
) -> None:
    """[P-ROOM-10] [P-ROOM-12] [P-ROOM-13] [P-ROOM-18]"""
    with Cluster(redis_url=redis_server.url) as first:
        secret = (first.server.directory / "data" / "secret.key").read_text().strip()
        config = {"secret_key": secret, "database_url": f"sqlite:///{first.database}"}
        with Cluster(redis_url=redis_server.url, rooms=first.rooms, config=config) as second:
            here, there = (Meet(site, traffic, Encoding.JSON) for site in (first, second))
            try:
                boss = await at_console(here, Personnel(first))
                wren, room = await there(), first.rooms.plain()
                await wren.join(room)
                # Its own lease tells the other worker who is there.
                await wren.post(room, "hello")
                redis_server.kill()
                began = time.monotonic()
                await boss.ask("change_room", room=room, seen=0, slow_mode=5, reason=WHY)
                await wren.push("room_changed")
                notice = (await boss.ask("announce_all", text="Hello", minutes=5, reason=WHY))["notice"]
                await wren.push("notices", lambda push: notice in push["notices"])
                await boss.ask("close_room", room=room, seen=1, reason=WHY)
                await wren.push("room_changed", lambda push: push["room"]["status"] == "closed")
                assert time.monotonic() - began < 6.0
                redis_server.start()

                load = await boss.ask("load")
                both = await boss.push("load", lambda push: len(push["workers"]) == 2)
                other = next(each["id"] for each in both["workers"] if each["id"] != load["here"])
                await boss.ask("drain", worker=other, reason=WHY)
                await wren.push("draining")
                assert await wren.ended() == 1012
                # It runs alone in its process, which serves anew.
                await asyncio.to_thread(wait_until, second.server.is_ready, "the worker that serves anew")
                ids = {line["node"] for line in second.server.log() if line.get("event") == "worker_started"}
                assert other in ids
                assert len(ids) == 2
                assert second.server.process.is_running
            finally:
                await here.see_off()
                await there.see_off()


@pytest.mark.slow
@pytest.mark.timeout(90)
async def test_a_drained_worker_is_replaced(redis_server: RedisServer, traffic: Traffic) -> None:
    """[P-ROOM-18] Everybody on it is told to come back, and finds the other one; then there are two again."""
    with Cluster(redis_url=redis_server.url, workers=2) as site:
        before = await asyncio.to_thread(site.server.wait_for_workers)
        meet = Meet(site, traffic, Encoding.JSON)
        try:
            boss = await at_console(meet, Personnel(site))
            people = [await meet() for _ in range(12)]
            here = (await boss.ask("load"))["here"]
            both = await boss.push("load", lambda push: len(push["workers"]) == 2)
            other = next(each for each in both["workers"] if each["id"] != here)
            await boss.ask("drain", worker=other["id"], reason=WHY)
            await boss.push("load", lambda push: other["id"] not in {each["id"] for each in push["workers"]})
            there = [peer for peer in people if peer.pushes("draining")]
            assert len(there) == other["connections"]
            assert {await peer.ended() for peer in there} <= {1012}
            for peer in people:
                if peer not in there:
                    await peer.ask("ping")
            again = await boss.push(
                "load",
                lambda push: len(push["workers"]) == 2,
                skip=len(boss.pushes("load", lambda push: len(push["workers"]) == 2)),
            )
            assert other["id"] not in {each["id"] for each in again["workers"]}
            after = await asyncio.to_thread(site.server.wait_for_workers)
            assert len({*before} & {*after}) == 1
        finally:
            await meet.see_off()
        assert site.complaints() == []
