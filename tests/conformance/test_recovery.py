"""Sending again and coming back: once, in order, exact or an explicit gap."""

from __future__ import annotations

import asyncio

import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Meet
from tests.conformance.peer import Json


async def test_sent_again_it_happens_once(meet: Meet, room: str) -> None:
    """[P-DEDUPE-1]"""
    peer = await meet()
    await peer.join(room)
    first = await peer.ask("post", id="mine-1", room=room, text="once")
    peer.heard.clear()
    assert await peer.ask("post", id="mine-1", room=room, text="once") == first
    device = await meet(token=peer.token)
    await device.join(room)
    assert await device.ask("post", id="mine-1", room=room, text="once") == first
    assert await peer.post(room, "another") == first["offset"] + 1


@pytest.mark.parametrize("encoding", [Encoding.JSON])
async def test_a_lost_reply_is_no_reason_for_doubt(meet: Meet, room: str) -> None:
    """[P-DEDUPE-1] The network goes while commands are under way; sent again, each has happened once, in some order."""
    reader = await meet()
    await reader.join(room)
    peer = await meet()
    await peer.join(room)
    ids = [f"lost-{number}" for number in range(60)]
    for command_id in ids:
        await peer.send("post", id=command_id, room=room, text=command_id)
    peer.drop()
    await peer.ended()
    again = await meet(token=peer.token)
    await again.join(room)
    acknowledged = [await again.ask("post", id=command_id, room=room, text=command_id) for command_id in ids]
    offsets = [ok["offset"] for ok in acknowledged]
    assert sorted(offsets) == list(range(1, 61))
    await reader.heard_offset(room, 60)
    by_offset = {fact["offset"]: fact["post"]["text"] for fact in reader.facts(room)}
    assert [by_offset[offset] for offset in offsets] == ids
    assert len(reader.facts(room)) == 60


async def test_both_at_once_happen_once(meet: Meet, room: str) -> None:
    """[P-DEDUPE-1]"""
    first = await meet()
    second = await meet(token=first.token)
    for peer in (first, second):
        await peer.join(room)
    answers = await asyncio.gather(
        *(peer.ask("post", id=f"twice-{n}", room=room, text=f"{n}") for n in range(20) for peer in (first, second))
    )
    assert sorted(answer["offset"] for answer in answers) == sorted([*range(1, 21)] * 2)


async def test_what_happened_is_answered_as_it_was_after_the_room_was_left(meet: Meet, room: str) -> None:
    """[P-DEDUPE-1]"""
    wren = await meet()
    await wren.join(room)
    asked: list[tuple[str, Json]] = [
        ("post", {"id": "one", "text": "I have to go"}),
        ("edit", {"id": "two", "text": "I had to go", "offset": 1}),
        ("react", {"id": "three", "offset": 1, "reaction": "hug", "on": True}),
    ]
    answers = [await wren.ask(cmd, room=room, **fields) for cmd, fields in asked]
    await wren.ask("leave", room=room)
    assert [(await wren.ask(cmd, room=room, **fields))["offset"] for cmd, fields in asked] == [1, 2, 3]
    assert [answer["offset"] for answer in answers] == [1, 2, 3]
    # What did not happen is refused as ever, and still does not happen.
    assert (await wren.refusal("post", id="four", room=room, text="and I said"))["code"] == "not_in_room"
    assert (await wren.refusal("post", id="four", room=room, text="and I said"))["code"] == "not_in_room"
    assert (await wren.join(room))["position"]["offset"] == 3


async def test_an_id_stands_for_one_thing(meet: Meet, room: str) -> None:
    """[P-DEDUPE-2]"""
    wren, otter = await meet(), await meet()
    for peer in (wren, otter):
        await peer.join(room)
    offset = await wren.post(room, "original", id="same")
    for fields in ({"text": "changed"}, {"text": "original", "warning": "w"}, {"text": "original", "reply_to": offset}):
        wren.heard.clear()
        assert (await wren.refusal("post", id="same", room=room, **fields))["code"] == "duplicate_id"
    wren.heard.clear()
    assert (await wren.refusal("redact", id="same", room=room, offset=offset))["code"] == "duplicate_id"
    assert (await otter.join(room))["posts"][0]["text"] == "original"
    # Ids are each member's own.
    assert await otter.post(room, "mine", id="same") == offset + 1


async def test_an_edit_sent_again_is_made_once(meet: Meet, room: str) -> None:
    """[P-DEDUPE-1]"""
    peer = await meet()
    await peer.join(room)
    offset = await peer.post(room, "a")
    first = await peer.ask("edit", id="edit-1", room=room, offset=offset, text="b")
    await peer.ask("edit", id="edit-2", room=room, offset=offset, text="c")
    peer.heard.clear()
    assert await peer.ask("edit", id="edit-1", room=room, offset=offset, text="b") == first
    assert (await peer.join(room))["posts"][0]["text"] == "c"


async def test_a_return_gets_exactly_what_it_missed(meet: Meet, room: str) -> None:
    """[P-RECOVER-1]"""
    wren, otter = await meet(), await meet()
    await wren.join(room)
    await otter.join(room)
    first = await wren.post(room, "seen")
    await otter.heard_offset(room, first)
    position = {"epoch": otter.facts(room)[-1]["epoch"], "offset": first}
    otter.drop()
    await otter.ended()
    missed = await wren.post(room, "missed")
    await wren.ask("react", room=room, offset=missed, reaction="hug", on=True)
    await wren.ask("edit", room=room, offset=missed, text="missed, then changed")
    back = await meet(token=otter.token)
    ok = await back.join(room, since=position)
    assert (ok["history"], ok["posts"]) == ("exact", [])
    assert [(fact["push"], fact["offset"]) for fact in ok["missed"]] == [("posted", 2), ("reacted", 3), ("edited", 4)]
    assert ok["missed"][0]["post"]["text"] == "missed, then changed"
    assert ok["position"] == {**position, "offset": 4}
    assert await wren.post(room, "live") == 5
    await back.heard_offset(room, 5)
    assert [fact["offset"] for fact in back.facts(room)] == [5]


async def test_who_missed_nothing_is_told_nothing(meet: Meet, room: str) -> None:
    """[P-RECOVER-1]"""
    peer = await meet()
    position = (await peer.join(room))["position"]
    ok = await peer.join(room, since=position)
    assert (ok["history"], ok["missed"], ok["posts"], ok["position"]) == ("exact", [], [], position)


async def test_joining_again_doubles_nothing(meet: Meet, room: str) -> None:
    """[P-ORDER-2]"""
    peer = await meet()
    position = (await peer.join(room))["position"]
    for _ in range(3):
        await peer.join(room, since=position)
    await peer.post(room, "once")
    await peer.heard_offset(room, 1)
    await peer.ask("ping")
    assert len(peer.facts(room)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": "another"},
        {"epoch": ""},
        {"offset": 99},
        {"offset": -1},
        {"offset": 2**62},
        {"offset": 10**30},
        {"epoch": "x" * 2_000},
    ],
    ids=["epoch", "no-epoch", "ahead", "negative", "huge", "absurd", "long-epoch"],
)
@pytest.mark.parametrize("encoding", [Encoding.JSON])
async def test_a_foreign_position_is_a_gap(meet: Meet, room: str, change: Json) -> None:
    """[P-RECOVER-2]"""
    peer = await meet()
    position = (await peer.join(room))["position"]
    await peer.post(room, "here")
    ok = await peer.join(room, since={**position, **change})
    assert (ok["history"], ok["missed"]) == ("gap", [])
    assert [post["text"] for post in ok["posts"]] == ["here"]


async def test_too_much_to_replay_is_a_gap_with_the_newest_page(strict_meet: Meet, strict_room: str) -> None:
    """[P-RECOVER-2] The strict server replays at most 20 facts, and keeps 8 in memory."""
    wren, otter = await strict_meet(), await strict_meet()
    position = (await otter.join(strict_room))["position"]
    await otter.ask("leave", room=strict_room)
    await wren.join(strict_room)
    for number in range(20):
        await wren.post(strict_room, f"post {number}")
    ok = await otter.join(strict_room, since=position)
    assert (ok["history"], [fact["offset"] for fact in ok["missed"]]) == ("exact", list(range(1, 21)))
    await wren.post(strict_room, "one more")
    ok = await otter.join(strict_room, since=position)
    assert (ok["history"], ok["missed"]) == ("gap", [])
    assert ok["posts"][-1]["text"] == "one more"
    assert ok["position"]["offset"] == 21


async def test_without_a_position_there_is_a_page(meet: Meet, room: str) -> None:
    """[P-RECOVER-3]"""
    wren, otter = await meet(), await meet()
    await wren.join(room)
    for number in range(3):
        await wren.post(room, f"post {number}")
    ok = await otter.join(room)
    assert (ok["history"], ok["missed"], len(ok["posts"])) == ("page", [], 3)
    await wren.post(room, "live")
    await otter.heard_offset(room, 4)
    assert [fact["offset"] for fact in otter.facts(room)] == [4]


@pytest.mark.parametrize("encoding", [Encoding.JSON])
async def test_recovered_and_live_make_the_same_room(meet: Meet, room: str) -> None:
    """[P-RECOVER-4] However often somebody is cut off, applying what they get makes what others have."""
    writer, always = await meet(), await meet()
    start = (await writer.join(room))["position"]
    await always.join(room)
    token = (await meet()).token
    held: dict[int, Json] = {}
    position = start
    for spell in range(5):
        reader = await meet(token=token)
        ok = await reader.join(room, since=position)
        assert ok["history"] == "exact"
        for number in range(6):
            offset = await writer.post(room, f"spell {spell} post {number}")
            if number % 2:
                await writer.ask("react", room=room, offset=offset, reaction="hug", on=True)
            if number % 3 == 0:
                await writer.ask("edit", room=room, offset=offset, text=f"edited {number}")
            if number == 4:
                await writer.ask("redact", room=room, offset=offset)
        if spell % 2 == 0:
            last = (await writer.post(room, "end of spell"),)
            await reader.heard_offset(room, last[0])
        for fact in [*ok["missed"], *reader.facts(room)]:
            if fact["offset"] > position["offset"]:
                _apply(held, fact)
                position = {"epoch": fact["epoch"], "offset": fact["offset"]}
        reader.drop()
        await reader.ended()
    last_reader = await meet(token=token)
    for fact in (await last_reader.join(room, since=position))["missed"]:
        _apply(held, fact)
    page = (await always.join(room))["posts"]
    assert [held[post["offset"]] for post in page] == page


def _apply(held: dict[int, Json], fact: Json) -> None:
    target = held.get(fact.get("target", 0))
    match fact["push"]:
        case "posted":
            held[fact["offset"]] = dict(fact["post"])
        case "edited" if target is not None and not target.get("redacted"):
            target["text"], target["edited_at"] = fact["text"], fact["edited_at"]
        case "redacted" if target is not None:
            for name in ("warning", "reactions"):
                target.pop(name, None)
            target.update(text="", redacted=True)
        case "reacted" if target is not None and not target.get("redacted"):
            target["reactions"] = fact["counts"]
