"""Attacks by many, or by one without end, on those who read reports and on those who read names."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from typing import Final

from tests.abuse.attack import Attack, Outcome
from tests.abuse.queue import StaffConsole
from tests.abuse.scene import Scene, enter, room_ids, together, tries
from tests.kit.client import ChatClient, Refused

DREADFUL: Final = (
    "i want to kill myself tonight, i will shoot my teacher tomorrow, send me nudes, he hit me again, "
    "how many pills does it take, kys"
)
"""A text that touches as many of the words that are looked for as one post can."""
CHILD: Final = "he wants to meet me, i am 13"


async def buried_reports(scene: Scene) -> Outcome:
    """Let six guests of one address write the worst wherever they can, and a child ask for help after them."""
    outcome = Outcome(cost="6 guests of one address, 72 posts")
    desk = await StaffConsole.of(scene, "moderator")
    child, other = await scene.guest(scene.honest), await scene.guest(scene.address(8))
    rooms = await room_ids(child)
    for each in (child, other):
        await enter(each, rooms[0])
    offset = (await other.ask("post", room=rooms[0], text="where do you live? lets meet"))["offset"]
    crowd = await scene.guests(6)

    async def spoil(guest: ChatClient) -> int:
        sent = 0
        for number, room in enumerate(rooms):
            with contextlib.suppress(Refused):
                # The fourth room and those after it cost the place in one of the earlier ones.
                if number >= 3:
                    await guest.ask("leave", room=rooms[number - 3])
                await enter(guest, room)
                await guest.ask("post", room=room, text=DREADFUL)
                sent += 1
        return sent

    sent = sum(each for each in await together(spoil(each) for each in crowd) if isinstance(each, int))
    await child.ask("report_post", room=rooms[0], offset=offset, reason="danger", note=CHILD)
    outcome.noticed = f"{sent} posts let through, {await _judge(desk, child, outcome)}"
    return outcome


async def report_flood(scene: Scene) -> Outcome:
    """Let thirty guests of one address report somebody harmless as a danger, and a child ask for help after them."""
    outcome = Outcome(cost="30 guests of one address, 30 reports of danger")
    desk = await StaffConsole.of(scene, "moderator")
    child, harmless = await scene.guest(scene.honest), await scene.guest(scene.address(8))
    room = (await room_ids(child))[0]
    for each in (child, harmless):
        await enter(each, room)
    offset = (await harmless.ask("post", room=room, text="I made soup today"))["offset"]
    crowd = await scene.guests(30)

    async def accuse(guest: ChatClient) -> int:
        with contextlib.suppress(Refused):
            # Some find the quarter of the room taken that guests of one address have together.
            await enter(guest, room)
            await guest.ask("report_post", room=room, offset=offset, reason="danger", note="he said it to me")
            return 1
        return 0

    made = sum(await together(accuse(each) for each in crowd))
    await child.ask("report_post", room=room, offset=offset, reason="danger", note=CHILD)
    outcome.expect(made > 0, "nobody of the crowd could report")
    outcome.noticed = f"{made} reports taken, {await _judge(desk, child, outcome)}"
    return outcome


async def _judge(desk: StaffConsole, child: ChatClient, outcome: Outcome) -> str:
    """Hold the queue to its bounds, and return in words what stands in it."""
    cards = await desk.cards()
    first = [(each.get("by") or {}).get("id") for each in cards[:3]]
    outcome.expect(child.member in first, f"the child's report is not among the first three of {len(cards)} cards")
    outcome.expect(len(cards) <= 12, f"{len(cards)} cards")
    outcome.expect(desk.rings() <= 12, f"{desk.rings()} rings")
    return f"{len(cards)} cards, {desk.rings()} rings"


NAMES: Final = ("kys tonight", "write me snap wolfie", "add wolfie on insta")


_FIRST: Final = ("Quiet", "Sunny", "Windy", "Mossy", "Amber")
_LAST: Final = ("Meadow", "Harbour", "Pebble", "Lantern", "Willow")


async def names_as_megaphone(scene: Scene) -> Outcome:
    """Let one guest change names without end, others choose names that hurt or lead away, and a muted one shout so."""
    outcome = Outcome(cost="1 guest, 2 sockets, 3 s; 3 hurtful names; 1 muted guest")
    moderator = await scene.staff("moderator")
    guest, other = await scene.guest(), await scene.guest(scene.honest)
    again = await scene.guest(token=guest.token)
    room = (await room_ids(other))[0]
    for each in (other, guest, again):
        await enter(each, room)
    until = time.monotonic() + 3.0
    renamed = 0
    names = itertools.cycle(f"{first} {last}" for first in _FIRST for last in _LAST)

    async def go_on(client: ChatClient) -> None:
        nonlocal renamed
        while time.monotonic() < until:
            try:
                await client.ask("rename", name=next(names))
                renamed += 1
            except Refused as refused:
                await asyncio.sleep(min(0.2, refused.error.get("retry_after", 0.05)))

    await asyncio.gather(go_on(guest), go_on(again))
    outcome.expect(renamed <= 3, f"{renamed} new names in three seconds (3 an hour)")
    for number, name in enumerate(NAMES):
        codes = await tries([(await scene.guest(scene.address(number))).ask("rename", name=name)])
        outcome.expect("ok" not in codes, f"somebody is called {name!r}")
    muted = await scene.guest(scene.address(9))
    await enter(muted, room)
    offset = (await muted.ask("post", room=room, text="hello"))["offset"]
    await moderator.ask("measure", kind="mute", room=room, offset=offset, minutes=60, reason="shouting")
    codes = await tries([muted.ask("rename", name="Loud Pebble")])
    outcome.expect(set(codes) == {"muted"}, f"the muted guest's new name was answered {codes}")
    outcome.noticed = f"{renamed} new names in the room; none of the {len(NAMES)} hurtful ones, none of the muted"
    return outcome


ATTACKS: Final = (
    Attack("names-as-megaphone", "3 new names an hour, none that hurts, none while muted", names_as_megaphone),
    Attack("report-flood", "at most 12 cards and rings; the child's report among the first three", report_flood),
    Attack("buried-reports", "at most 12 cards and rings; the child's report among the first three", buried_reports),
)
