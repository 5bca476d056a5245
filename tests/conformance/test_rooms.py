"""Rooms: the lobby, entering, leaving, reading, slow mode, capacity, muting."""

from __future__ import annotations

import time

import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Meet, Rooms
from tests.conformance.peer import Peer, Refused


async def test_a_first_join_needs_the_agreement(meet: Meet, room: str) -> None:
    """[P-ROOM-1]"""
    peer = await meet()
    for agreement in (None, 0):
        assert (await peer.refusal("join", room=room, agreement=agreement))["code"] == "agreement_required"
    assert (await peer.refusal("post", room=room, text="x"))["code"] == "not_in_room"
    await peer.join(room, agreement=1)
    again = await meet(token=peer.token)
    await again.join(room, agreement=None)


async def test_the_lobby_says_what_was_agreed_to(meet: Meet, room: str) -> None:
    """[P-ROOM-1]"""
    peer = await meet()

    async def card() -> dict[str, object]:
        rooms = (await peer.ask("rooms"))["rooms"]
        return next(each for each in rooms if each["id"] == room)

    before = await card()
    assert (before["agreed"], before.get("unread"), before["here"]) == (False, None, 0)
    await peer.join(room)
    after = await card()
    assert (after["agreed"], after["unread"], after["here"]) == (True, 0, 1)


async def test_several_rooms_at_once_up_to_the_limit(strict_meet: Meet, strict_rooms: Rooms) -> None:
    """[P-ROOM-2] [P-LIMIT-3]"""
    peer = await strict_meet()
    limit = (await (await strict_meet.silent()).hello())["limits"]["rooms_per_connection"]
    taken = [strict_rooms.plain() for _ in range(limit + 1)]
    for room in taken[:-1]:
        await peer.join(room)
    error = await peer.refusal("join", room=taken[-1], agreement=1)
    assert (error["code"], error["details"]) == ("too_many_rooms", {"limit": limit})
    await peer.join(taken[0])  # Joining again is no further room.
    await peer.ask("leave", room=taken[0])
    await peer.join(taken[-1])
    for room in taken[1:]:
        await peer.post(room, f"in {room}")
    for room in taken[1:]:
        await peer.heard_offset(room, 1)


async def test_a_full_room_names_rooms_with_space(meet: Meet, rooms: Rooms) -> None:
    """[P-ROOM-3]"""
    tiny = rooms.tiny()
    inside = [await meet() for _ in range(2)]
    for peer in inside:
        await peer.join(tiny)
    late = await meet()
    error = await late.refusal("join", room=tiny, agreement=1)
    assert (error["code"], error["temporary"]) == ("room_full", True)
    assert error["retry_after"] > 0
    offered = error["details"]["rooms"]
    assert offered
    assert tiny not in [each["id"] for each in offered]
    assert offered[0].keys() == {"id", "name", "here"}
    second_device = await meet(token=inside[0].token)
    await second_device.join(tiny)
    await inside[1].ask("leave", room=tiny)
    await late.join(tiny)


async def test_a_room_that_is_not_there(meet: Meet, room: str) -> None:
    """[P-ROOM-4]"""
    peer = await meet()
    for name in ("nowhere", "Nope!", "..", "room:" + room, "x" * 64):
        assert (await peer.refusal("join", room=name, agreement=1))["code"] == "room_unknown"
        assert (await peer.refusal("leave", room=name))["code"] == "room_unknown"
        assert (await peer.refusal("post", room=name, text="x"))["code"] in ("not_in_room", "room_unknown")


async def test_outside_a_room_nothing_can_be_done_in_it(meet: Meet, room: str) -> None:
    """[P-ROOM-4]"""
    peer = await meet()
    for cmd, fields in (
        ("post", {"text": "x"}),
        ("edit", {"offset": 1, "text": "x"}),
        ("react", {"offset": 1, "reaction": "hug", "on": True}),
        ("history", {"before": 5}),
        ("read", {"offset": 1}),
        ("typing", {}),
    ):
        assert (await peer.refusal(cmd, room=room, **fields))["code"] == "not_in_room"


async def test_leaving_is_for_good_and_closing_is_not(meet: Meet, rooms: Rooms) -> None:
    """[P-ROOM-5]"""
    left, kept = rooms.plain(), rooms.plain()
    wren, otter = await meet(), await meet()
    for room in (left, kept):
        await wren.join(room)
        await otter.join(room)
    await wren.ask("leave", room=left)
    await otter.post(left, "you don't hear this")
    await otter.post(kept, "but this")
    await wren.heard_offset(kept, 1)
    assert wren.facts(left) == []
    await wren.close()
    await otter.post(kept, "and this is unread")
    again = await meet(token=wren.token)
    cards = {card["id"]: card for card in (await again.ask("rooms"))["rooms"]}
    assert cards[left].get("unread") is None
    assert cards[kept]["unread"] == 2


async def test_leaving_holds_on_every_connection(meet: Meet, rooms: Rooms) -> None:
    """[P-ROOM-5]"""
    left, kept = rooms.plain(), rooms.plain()
    wren, otter = await meet(), await meet()
    again = await meet(token=wren.token)
    for room in (left, kept):
        for peer in (wren, again, otter):
            await peer.join(room)
    await wren.ask("leave", room=left)
    assert await again.push("left") == {"push": "left", "room": left}
    assert wren.pushes("left") == []
    before = len(again.facts(left))
    await otter.post(left, "you don't hear this on any device")
    await otter.post(kept, "but this")
    await again.heard_offset(kept, 1)
    assert len(again.facts(left)) == before
    refused = await again.refusal("post", room=left, text="nor can you write here")
    assert refused["code"] == "not_in_room"
    # Nobody is shown who has left.
    assert [person["id"] for person in (await otter.join(left))["people"]] == [otter.id_in(left)]


async def test_what_is_read_on_one_connection_is_read_on_the_others(meet: Meet, room: str) -> None:
    """[P-ROOM-7]"""
    wren, otter = await meet(), await meet()
    again, away = await meet(token=wren.token), await meet(token=wren.token)
    for peer in (wren, again, otter):
        await peer.join(room)
    newest = await otter.post(room, "for all of your devices")
    await wren.ask("read", room=room, offset=newest)
    for peer in (again, away):
        assert await peer.push("read") == {"push": "read", "room": room, "offset": newest}
    assert wren.pushes("read") == otter.pushes("read") == []


async def test_leaving_twice_is_done_already(meet: Meet, room: str) -> None:
    """[P-ROOM-5]"""
    peer = await meet()
    await peer.join(room)
    for _ in range(2):
        assert await peer.ask("leave", room=room) == {"ok": "done"}


async def test_join_tells_the_room_and_its_newest_posts(meet: Meet, room: str) -> None:
    """[P-ROOM-6]"""
    wren, otter = await meet(), await meet()
    await wren.join(room)
    for number in range(60):
        await wren.post(room, f"post {number}")
    await otter.join(room)
    await otter.ask("react", room=room, offset=60, reaction="hug", on=True)
    ok = await otter.join(room)
    assert ok["room"]["id"] == room
    assert {"name", "about", "topic", "welcome", "agreement"} <= ok["room"].keys()
    assert (ok["here"], ok["more"], ok["history"]) == (2, True, "page")
    assert {person["id"] for person in ok["people"]} == {wren.id_in(room), otter.id_in(room)}
    assert [post["offset"] for post in ok["posts"]] == list(range(61 - len(ok["posts"]), 61))
    assert ok["mine"] == {"60": ["hug"]}
    assert ok["position"]["offset"] == 61
    assert ok["retention_seconds"] > 0


async def test_the_read_position_only_moves_forwards_and_is_on_all_devices(meet: Meet, room: str) -> None:
    """[P-ROOM-7]"""
    wren, otter = await meet(), await meet()
    for peer in (wren, otter):
        await peer.join(room)
    for number in range(4):
        await wren.post(room, f"post {number}")
    assert (await otter.join(room))["unread"] == 4
    for offset in (3, 1, 3):
        await otter.ask("read", room=room, offset=offset)
    device = await meet(token=otter.token)
    ok = await device.join(room)
    assert (ok["read"], ok["unread"]) == (3, 1)
    await device.ask("read", room=room, offset=9_999)
    assert (await otter.join(room))["read"] == 4
    assert (await otter.join(room))["unread"] == 0


async def test_ones_own_posts_are_not_unread(meet: Meet, room: str) -> None:
    """[P-ROOM-7]"""
    peer = await meet()
    await peer.join(room)
    await peer.post(room, "mine")
    cards = (await peer.ask("rooms"))["rooms"]
    assert next(card for card in cards if card["id"] == room)["unread"] == 0


@pytest.mark.parametrize("encoding", [Encoding.JSON])
async def test_slow_mode_says_how_long_to_wait(meet: Meet, rooms: Rooms) -> None:
    """[P-ROOM-8]"""
    room = rooms.slow()
    wren, otter = await meet(), await meet()
    for peer in (wren, otter):
        await peer.join(room)
    await wren.post(room, "first")
    error = await wren.refusal("post", room=room, text="second")
    assert (error["code"], error["temporary"]) == ("slow_mode", True)
    assert 0 < error["retry_after"] <= rooms.SLOW_SECONDS
    await otter.post(room, "others have their own pace")
    device = await meet(token=wren.token)
    await device.join(room)
    assert (await device.refusal("post", room=room, text="second"))["code"] == "slow_mode"
    started = time.monotonic()
    while await _is_refused(wren, room):
        assert time.monotonic() - started < rooms.SLOW_SECONDS + 2
    assert time.monotonic() - started > 0.2


async def _is_refused(peer: Peer, room: str) -> bool:
    try:
        await peer.post(room, "second")
    except Refused:
        return True
    return False


async def test_muting_is_a_list_of_ones_own(meet: Meet, room: str) -> None:
    """[P-ROOM-9]"""
    wren, otter = await meet(), await meet()
    device = await meet(token=wren.token)
    for peer in (wren, otter):
        await peer.join(room)
    await wren.ask("mute", member=otter.id_in(room), on=True)
    told = await device.push("self")
    assert [each["name"] for each in told["muted"]] == [otter.member["name"]]
    again = await meet.silent()
    assert (await again.hello(token=wren.token))["muted"] == told["muted"]
    assert (await again.join(room))["hidden"] == [otter.id_in(room)]
    await wren.ask("mute", member=told["muted"][0]["id"], on=False)
    assert (await device.push("self", skip=1))["muted"] == []
    assert otter.pushes("self") == []


async def test_nobody_can_be_muted_who_is_not_there(meet: Meet) -> None:
    """[P-ROOM-9]"""
    peer = await meet()
    assert (await peer.refusal("mute", member="m_nobodyisthere00", on=True))["code"] == "member_unknown"


async def test_mutes_have_a_limit(strict_meet: Meet, strict_room: str) -> None:
    """[P-LIMIT-3]"""
    room = strict_room
    peer = await strict_meet()
    others = [await strict_meet() for _ in range(3)]
    for each in (peer, *others):
        await each.join(room)
    for other in others[:2]:
        await peer.ask("mute", member=other.id_in(room), on=True)
    assert (await peer.refusal("mute", member=others[2].id_in(room), on=True))["code"] == "too_many_mutes"
    await peer.ask("mute", member=others[0].id_in(room), on=False)
    await peer.ask("mute", member=others[2].id_in(room), on=True)
