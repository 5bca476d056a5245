"""Attacks on rooms: taking every seat, getting round the pace of a room, following somebody, leading people away."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any, Final

from tests.abuse.attack import Attack, Outcome
from tests.abuse.scene import Scene, enter, room_ids, together, tries
from tests.kit.client import ChatClient, Refused

Json = dict[str, Any]


async def silent_seats(scene: Scene) -> Outcome:
    """Let sixty silent guests of two addresses take every seat they can in all rooms."""
    outcome = Outcome(cost="60 guests, one socket each, two addresses")
    crowd = [*await scene.guests(30), *await scene.guests(30, scene.address(67))]
    rooms = await room_ids(crowd[0])

    async def sit(guest: ChatClient) -> int:
        taken = 0
        for room in rooms:
            with contextlib.suppress(Refused):
                await enter(guest, room)
                taken += 1
        return taken

    seats = [each for each in await together(sit(each) for each in crowd) if isinstance(each, int)]
    newcomer = await scene.guest(scene.honest)
    codes = await tries(enter(newcomer, room) for room in rooms[:3])
    outcome.expect(codes.get("ok") == 3, f"an honest newcomer is let into the first three rooms: {codes}")
    outcome.expect(max(seats) <= 3, f"a guest has {max(seats)} seats")
    outcome.noticed = f"{sum(seats)} seats taken by {len(crowd)} guests; a newcomer's answers {codes}"
    return outcome


async def paced_otherwise(scene: Scene) -> Outcome:
    """Let one guest edit, react and type without end in a room, with two sockets, for four seconds."""
    outcome = Outcome(cost="1 guest, 2 sockets, 4 s of edits, reactions and typing")
    guest = await scene.guest()
    again = await scene.guest(token=guest.token)
    other = await scene.guest(scene.honest)
    room = (await room_ids(other))[0]
    for each in (other, guest):
        await enter(each, room)
    position = (await enter(again, room))["position"]
    mine = (await guest.ask("post", room=room, text="hello"))["offset"]
    theirs = (await other.ask("post", room=room, text="hello to you"))["offset"]
    until = time.monotonic() + 4.0
    done = {"edit": 0, "react": 0, "typing": 0}

    async def go_on(client: ChatClient, kind: str) -> None:
        number = 0
        while time.monotonic() < until:
            number += 1
            fields: Json = {"room": room}
            if kind == "edit":
                fields |= {"offset": mine, "text": f"again {number}"}
            if kind == "react":
                fields |= {"offset": theirs, "reaction": "hug", "on": bool(number % 2)}
            try:
                await client.ask(kind, **fields)
                done[kind] += 1
            except Refused as refused:
                await asyncio.sleep(min(0.2, refused.error.get("retry_after", 0.05)))

    await asyncio.gather(*(go_on(client, kind) for kind in done for client in (guest, again)))
    heard = sum(each.get("push") == "typing" for each in other.pushes)
    facts = len(other.facts(f"room:{room}"))
    outcome.expect(done["edit"] <= 40, f"{done['edit']} edits in four seconds")
    outcome.expect(heard <= 3, f"{heard} typing pushes reached others in four seconds")
    back = await scene.guest(scene.honest, token=other.token)
    ok = await back.ask("join", room=room, since=position)
    outcome.expect(ok["history"] != "gap", "whoever was away gets a gap")
    outcome.noticed = f"{done}; {facts} facts and {heard} typing pushes to each other member"
    return outcome


async def following(scene: Scene) -> Outcome:
    """Let a stalker with one socket log who is where, while somebody moves from room to room and changes their name."""
    outcome = Outcome(cost="1 guest in 3 rooms")
    stalker = await scene.guest()
    target = await scene.guest(scene.honest)
    rooms = (await room_ids(target))[:3]
    for room in rooms:
        await enter(stalker, room)
    marks: list[set[str]] = []
    for number, room in enumerate(rooms):
        stalker.pushes.clear()
        if number:
            await target.ask("rename", name=f"Quiet {['Harbour', 'Meadow', 'Lantern'][number]}")
        await enter(target, room)
        await target.ask("post", room=room, text="good evening everybody")
        await stalker.wait_for(lambda each: "good evening" in str(each))
        marks.append(set(_ids(stalker.pushes)))
        await target.ask("leave", room=room)
    common = set.intersection(*marks) - {stalker.member}
    outcome.expect(not common, f"the same id in every room: {sorted(common)[:2]}")
    outcome.expect(not any(target.member in ids for ids in marks), "the member id itself is shown")
    outcome.noticed = "no id links two rooms or two names"
    return outcome


def _ids(value: object) -> list[str]:
    """Return every text under a key named "id", "author" or "member", however deep."""
    found: list[str] = []
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("id", "author", "member") and isinstance(inner, str):
                found.append(inner)
            found += _ids(inner)
    elif isinstance(value, list):
        for inner in value:
            found += _ids(inner)
    return found


OFF_SITE: Final = (
    "add me on snap: wolfie_99",
    "insta\u200bgram: wolfie_99",
    "my number is 0\u20e31\u20e35\u20e31\u20e3 2345678",
    "kik wolfie_99",
    "write me wolfie\uff20mail\uff0ecom",
    "discord.gg/abc123",
    "call me on oh seven seven double oh nine oh oh one two three",
    "wolfie99 at gmail dot com",
    "https://example.org/meet",
    "t.me/wolfie99",
)


async def off_site(scene: Scene) -> Outcome:
    """Let a guest of a minute lead people of a room to a place that nobody watches."""
    outcome = Outcome(cost="1 new guest, 10 posts")
    guest = await scene.guest()
    room = (await room_ids(guest))[0]
    await enter(guest, room)
    passed = []
    for text in OFF_SITE:
        for anyway in (False, True):
            with contextlib.suppress(Refused):
                await guest.ask("post", room=room, text=text, anyway=anyway)
                passed.append(text)
    outcome.expect(len(passed) <= 1, f"{len(passed)} of {len(OFF_SITE)} were published: {passed[:3]}")
    outcome.noticed = f"{len(passed)} of {len(OFF_SITE)} published"
    return outcome


COVERING: Final = (
    "a" + "\u0334\u0341" * 900,
    "a" + "\n" * 1_900 + "b",
    "\u3164\n" * 900,
    "\ufff9\ufffa\ufffb",
    "\u202egnp.exe",
)


async def covering_posts(scene: Scene) -> Outcome:
    """Let a guest write posts that would cover what others wrote."""
    outcome = Outcome(cost="1 guest, 5 posts")
    guest, other = await scene.guest(), await scene.guest(scene.honest)
    room = (await room_ids(guest))[0]
    for each in (guest, other):
        await enter(each, room)
    refused = 0
    for text in COVERING:
        try:
            await guest.ask("post", room=room, text=text)
        except Refused:
            refused += 1
    shown = [each["text"] for each in (await other.ask("history", room=room, before=1_000))["posts"] if "text" in each]
    for text in shown:
        outcome.expect(text.count("\n") <= 60, f"{text.count(chr(10))} lines in one post")
        outcome.expect("\u202e" not in text, "a bidi control was published")
        outcome.expect(text.count("\u0334") + text.count("\u0341") <= 8, "more marks than a letter can have")
    outcome.noticed = f"{refused} refused, the others tidied"
    return outcome


ATTACKS: Final = (
    Attack("silent-seats", "at most 3 seats each; a newcomer gets into the first three rooms", silent_seats),
    Attack("paced-otherwise", "edits cost posts, 3 typing pushes, no gap for whoever was away", paced_otherwise),
    Attack("following", "no id in two rooms or under two names", following),
    Attack("off-site", "at most 1 of 10 published", off_site),
    Attack("covering-posts", "at most 60 lines, 4 marks a letter, no bidi control", covering_posts),
)
