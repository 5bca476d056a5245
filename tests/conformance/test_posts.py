"""Commands and their replies, posts, and what becomes of them."""

from __future__ import annotations

import asyncio

from tests.conformance.clusters import Meet


async def test_every_command_is_answered_once_and_in_order(meet: Meet, room: str) -> None:
    """[P-REPLY-1] [P-REPLY-2]"""
    peer = await meet()
    await peer.join(room)
    sent = []
    for number in range(40):
        sent.append(await peer.send("post", room=room, text=f"post {number}"))
        sent.append(await peer.send("ping"))
        sent.append(await peer.send("react", room=room, offset=9_999, reaction="hug", on=True))
    await peer.until(lambda: next((each for each in peer.heard if each.get("re") == sent[-1]), None))
    assert [each["re"] for each in peer.heard if each.get("re") in sent] == sent


async def test_the_reply_comes_before_the_push(meet: Meet, room: str) -> None:
    """[P-REPLY-3] [P-ACK-1]"""
    peer = await meet()
    await peer.join(room)
    for number in range(20):
        offset = await peer.post(room, f"post {number}")
        await peer.heard_offset(room, offset)
        replied = next(i for i, each in enumerate(peer.heard) if each.get("ok", {}).get("offset") == offset)
        pushed = next(i for i, each in enumerate(peer.heard) if "push" in each and each.get("offset") == offset)
        assert replied < pushed


async def test_facts_are_acknowledged_with_their_position(meet: Meet, room: str) -> None:
    """[P-ACK-1]"""
    peer = await meet()
    epoch = (await peer.join(room))["position"]["epoch"]
    ok = await peer.ask("post", room=room, text="hello")
    assert (ok["ok"], ok["offset"], ok["epoch"]) == ("fact", 1, epoch)
    assert ok["at"] > 1_700_000_000_000


async def test_everybody_sees_the_same_fact_at_the_same_offset(meet: Meet, room: str) -> None:
    """[P-ORDER-1] [P-ORDER-2]"""
    peers = [await meet() for _ in range(4)]
    await asyncio.gather(*(peer.join(room) for peer in peers))
    offsets = await asyncio.gather(*(peer.post(room, f"post {n}") for peer in peers for n in range(25)))
    assert sorted(offsets) == list(range(1, 101))
    await asyncio.gather(*(peer.heard_offset(room, 100) for peer in peers))
    for peer in peers:
        assert [fact["offset"] for fact in peer.facts(room)] == list(range(1, 101))
        assert peer.facts(room) == peers[0].facts(room)


async def test_who_joins_in_the_middle_of_a_storm_has_no_hole(meet: Meet, room: str) -> None:
    """[P-ORDER-2] [P-RECOVER-3]"""
    writer = await meet()
    await writer.join(room)
    writing = asyncio.gather(*(writer.post(room, f"post {n}") for n in range(100)))
    readers = [await meet() for _ in range(3)]
    joined = [await reader.join(room) for reader in readers]
    await writing
    for reader, ok in zip(readers, joined, strict=True):
        stood = ok["position"]["offset"]
        if stood < 100:
            await reader.heard_offset(room, 100)
        assert [fact["offset"] for fact in reader.facts(room)] == list(range(stood + 1, 101))
        # A page may hold posts newer than its position: applying those again changes nothing.
        assert stood <= max((post["offset"] for post in ok["posts"]), default=0) or stood == 0


async def test_texts_are_cleaned_and_bounded(meet: Meet, room: str) -> None:
    """[P-POST-1]"""
    peer = await meet()
    await peer.join(room)
    for text in ("", "   ", "\n\t ", "\x00\x01", "\u0085"):
        assert (await peer.refusal("post", room=room, text=text))["code"] == "text_empty"
    await peer.post(room, "  a\x00b\r\nc\x07\u0085  ")
    assert (await peer.push("posted"))["post"]["text"] == "ab\nc"
    await peer.post(room, "🙂" * 2_000)
    error = await peer.refusal("post", room=room, text="x" * 2_001)
    assert (error["code"], error["details"]) == ("text_too_long", {"limit": 2_000})
    error = await peer.refusal("post", room=room, text="x", warning="w" * 81)
    assert (error["code"], error["details"]) == ("text_too_long", {"limit": 80})
    offset = await peer.post(room, "behind it", warning="  loss\n ")
    assert (await peer.push("posted", lambda push: push["offset"] == offset))["post"]["warning"] == "loss"


async def test_a_reply_names_a_post_that_is_there(meet: Meet, room: str) -> None:
    """[P-POST-2]"""
    peer = await meet()
    await peer.join(room)
    first = await peer.post(room, "first")
    second = await peer.post(room, "second", reply_to=first)
    assert (await peer.push("posted", lambda push: push["offset"] == second))["post"]["reply_to"] == first
    assert (await peer.refusal("post", room=room, text="x", reply_to=99))["code"] == "post_unknown"


async def test_an_offset_that_is_no_post_cannot_be_replied_to(meet: Meet, room: str) -> None:
    """[P-POST-2] Offsets count facts, and a reaction is no post."""
    peer = await meet()
    await peer.join(room)
    first = await peer.post(room, "first")
    reaction = (await peer.ask("react", room=room, offset=first, reaction="hug", on=True))["offset"]
    assert (await peer.refusal("post", room=room, text="x", reply_to=reaction))["code"] == "post_unknown"


async def test_ones_own_post_can_be_changed(meet: Meet, room: str) -> None:
    """[P-POST-3]"""
    wren, otter = await meet(), await meet()
    for peer in (wren, otter):
        await peer.join(room)
    offset = await wren.post(room, "frist")
    await wren.ask("edit", room=room, offset=offset, text="first", warning="spelling")
    told = await otter.push("edited")
    assert (told["target"], told["text"], told["warning"]) == (offset, "first", "spelling")
    assert told["edited_at"] > 0
    assert "offset" not in await wren.ask("edit", room=room, offset=offset, text="first", warning="spelling")
    assert (await otter.refusal("edit", room=room, offset=offset, text="mine"))["code"] == "not_yours"
    assert (await otter.refusal("redact", room=room, offset=offset))["code"] == "not_yours"
    assert (await wren.refusal("edit", room=room, offset=77, text="x"))["code"] == "post_unknown"
    assert (await wren.refusal("edit", room=room, offset=offset, text=" "))["code"] == "text_empty"
    post = (await otter.join(room))["posts"][0]
    assert (post["text"], post["warning"]) == ("first", "spelling")


async def test_a_redacted_post_is_empty_for_everybody_for_ever(meet: Meet, room: str) -> None:
    """[P-POST-4]"""
    wren, otter = await meet(), await meet()
    position = (await wren.join(room))["position"]
    await otter.join(room)
    offset = await wren.post(room, "regretted", warning="also regretted")
    await otter.ask("react", room=room, offset=offset, reaction="hug", on=True)
    await wren.ask("edit", room=room, offset=offset, text="regretted more")
    await wren.ask("redact", room=room, offset=offset)
    assert (await otter.push("redacted"))["target"] == offset
    assert "offset" not in await wren.ask("redact", room=room, offset=offset)
    assert (await wren.refusal("edit", room=room, offset=offset, text="x"))["code"] == "post_redacted"
    assert (await otter.refusal("react", room=room, offset=offset, reaction="hug", on=True))["code"] == "post_redacted"
    late = await meet()
    page = await late.join(room)
    assert [(post["text"], post["redacted"]) for post in page["posts"]] == [("", True)]
    assert "reactions" not in page["posts"][0]
    assert "warning" not in page["posts"][0]
    returned = await meet(token=wren.token)
    recovered = await returned.join(room, since=position)
    history = await late.ask("history", room=room, before=99)
    for answer in (page, recovered, history):
        assert "regretted" not in str(answer)
    assert [fact["offset"] for fact in recovered["missed"]] == [1, 2, 3, 4]


async def test_reactions_count_one_of_each_kind_for_each_member(meet: Meet, room: str) -> None:
    """[P-POST-5]"""
    wren, otter = await meet(), await meet()
    for peer in (wren, otter):
        await peer.join(room)
    offset = await wren.post(room, "a good day")
    for kind in ("with_you", "same_here", "strength", "thank_you", "hug"):
        assert "offset" in await otter.ask("react", room=room, offset=offset, reaction=kind, on=True)
    await wren.ask("react", room=room, offset=offset, reaction="hug", on=True)
    assert "offset" not in await wren.ask("react", room=room, offset=offset, reaction="hug", on=True)
    told = await otter.push("reacted", lambda push: push["by"] == wren.id_in(room))
    assert told["counts"] == {"with_you": 1, "same_here": 1, "strength": 1, "thank_you": 1, "hug": 2}
    await otter.ask("react", room=room, offset=offset, reaction="hug", on=False)
    assert "offset" not in await otter.ask("react", room=room, offset=offset, reaction="hug", on=False)
    assert (await wren.push("reacted", lambda push: not push["on"]))["counts"]["hug"] == 1
    ok = await otter.join(room)
    assert sorted(ok["mine"][str(offset)]) == ["same_here", "strength", "thank_you", "with_you"]


async def test_paging_back_shows_every_post_once(meet: Meet, room: str) -> None:
    """[P-POST-6]"""
    peer = await meet()
    await peer.join(room)
    posts = []
    for number in range(30):
        posts.append(await peer.post(room, f"post {number}"))
        if number % 3 == 0:
            await peer.ask("react", room=room, offset=posts[-1], reaction="hug", on=True)
    seen: list[int] = []
    before, more = 10_000, True
    while more:
        page = await peer.ask("history", room=room, before=before, limit=7)
        offsets = [post["offset"] for post in page["posts"]]
        assert offsets == sorted(offsets)
        assert page["mine"].keys() == {str(offset) for offset in offsets if posts.index(offset) % 3 == 0}
        seen = offsets + seen
        more, before = page["more"], offsets[0]
    assert seen == posts


async def test_an_empty_room_has_an_empty_page(meet: Meet, room: str) -> None:
    """[P-POST-6]"""
    peer = await meet()
    await peer.join(room)
    page = await peer.ask("history", room=room, before=1)
    assert (page["posts"], page["mine"], page["more"]) == ([], {}, False)
