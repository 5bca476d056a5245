"""Attacks on the scarcest good: the time of volunteer listeners, and the line that leads to them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

from tests.abuse.attack import Attack, Outcome
from tests.abuse.scene import Scene, together, tries
from tests.abuse.sessions import accept, ask, listener
from tests.kit.client import ChatClient, Refused


async def used_up_listeners(scene: Scene) -> Outcome:
    """Let one guest ask, be accepted and end, again and again, until every listener rests."""
    outcome = Outcome(cost="1 guest")
    helpers = [await listener(scene) for _ in range(3)]
    guest = await scene.guest()
    sessions = 0
    for helper in (*helpers, *helpers):
        with contextlib.suppress(Refused, TimeoutError):
            await ask(guest)
            for each in helpers:
                if await _is_shown(each):
                    session = await accept(each)
                    sessions += 1
                    await guest.ask("end", session=session)
                    break
        await helper.ask("ping")
    with contextlib.suppress(Refused):
        await guest.ask("unask")
    seeker = await scene.guest(scene.honest)
    await ask(seeker)
    shown = False
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            while not shown:
                shown = any([await _is_shown(each) for each in helpers])
    await seeker.ask("unask")
    outcome.expect(shown, "an honest seeker is suggested to nobody")
    outcome.noticed = f"{sessions} empty sessions; an honest seeker is suggested at once"
    return outcome


async def _is_shown(helper: ChatClient) -> bool:
    """Whether a listener is shown a proposal, as soon as the view that is asked for says so."""
    return "proposal" in await helper.ask("console")


async def flapping(scene: Scene) -> Outcome:
    """Let four guests of one address ask and withdraw without end, so that a listener's page rings and rings."""
    outcome = Outcome(cost="4 guests of one address, 5 s")
    helper = await listener(scene)
    crowd = await scene.guests(4)
    until = time.monotonic() + 5.0
    refused: dict[str, int] = {}

    async def flap(guest: ChatClient) -> None:
        while time.monotonic() < until:
            for command in (ask(guest), guest.ask("unask")):
                try:
                    await command
                except Refused as error:
                    refused[error.code] = refused.get(error.code, 0) + 1
                    await asyncio.sleep(min(0.2, error.error.get("retry_after", 0.05)))

    await asyncio.gather(*(flap(each) for each in crowd))
    cards, before = 0, None
    for push in helper.pushes:
        if push.get("push") != "console":
            continue
        proposal = push.get("proposal")
        if proposal is not None and proposal != before:
            cards += 1
        before = proposal
    outcome.expect(cards <= 12, f"{cards} proposals were shown to one listener")
    outcome.noticed = f"{cards} proposals shown to one listener; refusals {refused}"
    return outcome


async def first_in_line(scene: Scene) -> Outcome:
    """Let thirty guests of one address take the first thirty places of the line, and somebody honest ask after them."""
    outcome = Outcome(cost="30 guests of one address")
    crowd = await scene.guests(30)
    codes = await tries(ask(each) for each in crowd)
    seeker = await scene.guest(scene.honest)
    standing = await ask(seeker)
    place = standing.get("place", 99)
    outcome.expect(place <= 10, f"the honest seeker has place {place}")
    await together(each.ask("unask") for each in (seeker, *crowd))
    outcome.noticed = f"answers {codes}; the honest seeker has place {place}"
    return outcome


async def dropped_at_once(scene: Scene) -> Outcome:
    """Let a listener take somebody and end it at once, until that person has had their conversations of the day, and
    then go on with whoever else asks."""
    outcome = Outcome(cost="1 listener, 7 conversations of a second")
    helper, seeker = await listener(scene), await scene.guest(scene.honest)
    taken = 0
    with contextlib.suppress(TimeoutError):
        for _ in range(7):
            await ask(seeker)
            session = await accept(helper, seconds=2.0)
            await helper.ask("end", session=session)
            taken += 1
            # As fast as commands are let: their pace is not what this is about.
            await asyncio.sleep(0.6)
    outcome.expect(taken <= 6, f"one listener took {taken} conversations")
    standing = await ask(seeker)
    outcome.expect(standing["state"] == "waiting", f"whoever was dropped is {standing['state']}")
    outcome.expect(not standing.get("after_others", False), "whoever was dropped asks behind others")
    await seeker.ask("unask")
    outcome.noticed = f"{taken} conversations dropped, none of them counted against who asked; the listener is paused"
    return outcome


ATTACKS: Final = (
    Attack("used-up-listeners", "an honest seeker is suggested to a listener at once", used_up_listeners),
    Attack("flapping", "at most 12 proposals shown to one listener in 5 s", flapping),
    Attack("first-in-line", "at most 9 places in the line for one address", first_in_line),
    Attack("dropped-at-once", "at most 6 by one listener in an hour; whoever asked loses nothing", dropped_at_once),
)
