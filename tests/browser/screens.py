"""A walk past every screen of the page, so that what must hold on each is asked on each."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Final

from playwright.async_api import expect

from tests.browser.listener import a_listener
from tests.browser.person import LOST_NETWORK, Person
from tests.browser.site import join, room
from tests.browser.wire import Wire
from tests.kit.client import ChatClient
from tests.kit.marks import new_mark
from tests.kit.server import ChatServer

ROOMS: Final = [
    room("crowded", "Crowded room", capacity=1, position=-2),
    room(
        "walked",
        "A room to walk through",
        about="For looking at every corner, with a rather long description that has to break somewhere.",
        topic="What does a post look like?",
        welcome="Welcome.\nIt has two paragraphs.",
        agreement="Be gentle.\nSay only what is yours.\nWhat is said here stays here.",
        position=-1,
    ),
]
_LONG: Final = "verylongwordwithoutanyplacetobreak" * 6


async def fill(server: ChatServer) -> None:
    """Posts of every kind in the room that is walked through."""
    async with ChatClient(server.ws_url) as ben, ChatClient(server.ws_url) as eve:
        for client in (ben, eve):
            await join(client, "walked")

        async def post(client: ChatClient, text: str, **fields: Any) -> int:
            ok = await client.ask("post", room="walked", text=text, **fields)
            return int(ok["offset"])

        first = await post(ben, "It is three in the morning, and I can hear the fridge.")
        await post(eve, "I hear mine too.\n\nDo you want company?", reply_to=first)
        await post(eve, _LONG)
        await post(ben, "words behind a warning", warning="loss, hospital")
        gone = await post(ben, "to be removed")
        await ben.ask("redact", room="walked", offset=gone)
        changed = await post(ben, "a tpyo")
        await ben.ask("edit", room="walked", offset=changed, text="a typo, mended")
        for reaction in ("with_you", "hug", "strength"):
            await eve.ask("react", room="walked", offset=first, reaction=reaction, on=True)


async def walk(person: Person, wire: Wire, server: ChatServer) -> AsyncIterator[str]:
    """Go through every screen, and name each when it stands still. The person sits at the wire."""
    page = person.page
    mark = new_mark()
    person.forgive(LOST_NETWORK)
    await person.arrive()
    await expect(person.card("A room to walk through")).to_be_visible()
    yield "lobby"

    await page.get_by_role("link", name="Get help now").click()
    await expect(page.get_by_role("dialog", name="Get help now")).to_be_visible()
    yield "helplines"
    await page.keyboard.press("Escape")

    await person.open_own_corner()
    await page.get_by_role("button", name="Make a come-back code").click()
    await expect(page.get_by_role("button", name="Copy", exact=True)).to_be_visible()
    await page.get_by_label("Name", exact=True).fill("Moderator")
    await page.get_by_role("button", name="Use this name").click()
    await expect(page.get_by_role("alert").filter(has_text="This name can't be used")).to_be_visible()
    await page.get_by_role("button", name="Erase me", exact=True).click()
    await page.get_by_role("button", name="Forget me here").click()
    yield "own corner"
    await person.go_back_to_lobby()

    async with ChatClient(server.ws_url) as ben:
        await join(ben, "crowded")
        await person.card("Crowded room").click()
        accept = page.get_by_role("button", name="I agree, take me in")
        full = page.get_by_role("heading", name="This room is full")
        await expect(accept.or_(full)).to_be_visible()
        if await accept.is_visible():
            await accept.click()
        await expect(full).to_be_visible()
        yield "full"
    await person.go_back_to_lobby()

    await person.card("A room to walk through").click()
    await expect(page.get_by_role("button", name="I agree, take me in")).to_be_visible()
    yield "agreement"

    await page.get_by_role("button", name="I agree, take me in").click()
    await expect(person.writing).to_be_visible()
    await person.say(f"and this one is mine {mark}")
    await page.get_by_label("This may be hard to read").check()
    yield "room"

    await person.open_menu("I hear mine too.")
    yield "menu"
    await page.keyboard.press("Escape")

    await page.get_by_role("button", name="People", exact=True).click()
    await expect(page.get_by_role("dialog", name="Who is here")).to_be_visible()
    yield "people"
    await page.keyboard.press("Escape")

    menu = await person.open_menu("I hear mine too.")
    await menu.get_by_role("button", name="Answer this").click()
    await page.get_by_label("This may be hard to read").uncheck()
    wire.cut()
    await expect(person.link).to_be_visible()
    await person.write(f"written without a network {mark}")
    await expect(person.waiting(f"written without a network {mark}")).to_contain_text(re.compile("Not sent yet"))
    yield "no connection"
    wire.mend()
    await person.network_returns()
    await person.sees(f"written without a network {mark}")
    await person.go_back_to_lobby()
    async for screen in walk_one_to_one(person, server):
        yield screen


async def walk_one_to_one(person: Person, server: ChatServer) -> AsyncIterator[str]:
    """From the lobby through everything that one sees who asks for a listener."""
    page = person.page
    await page.locator("#ask-link").click()
    await page.get_by_role("radio", name="hardly bearable").check()
    await page.get_by_text("Who would you rather talk with?").click()
    await page.get_by_text("I have come-back words").click()
    yield "asking"

    await page.get_by_role("button", name="I agree, ask for a listener").click()
    await page.get_by_role("button", name="Breathe with the lamp").or_(page.get_by_text("count to four")).first.click()
    await expect(page.get_by_role("button", name="Leave the line")).to_be_visible()
    yield "in line"
    await person.go_back_to_lobby()
    await expect(page.locator("#standing")).to_be_visible()
    yield "lobby while in line"

    async with a_listener(server) as listener, a_listener(server) as colleague:
        await listener.listen()
        session = await listener.accept()
        await expect(page.locator("#standing")).to_contain_text("Your listener is waiting for you.")
        yield "lobby while a listener waits"
        await page.locator("#ask-link").click()
        await listener.say(session, "Hello. I am here, and I have time.")
        await listener.say(session, _LONG)
        await listener.client.ask("extend", session=session)
        await colleague.listen()
        await listener.invite(colleague, session)
        await expect(page.locator(".invitation")).to_be_visible()
        await expect(page.locator(".talk-more")).to_be_visible()
        await person.write("you find me at ann@example.org")
        await expect(page.get_by_role("button", name="Send it anyway")).to_be_visible()
        yield "conversation"

        await page.get_by_role("button", name="Report", exact=True).click()
        yield "report"
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Block", exact=True).click()
        yield "block"
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="End it", exact=True).click()
        yield "end"
        await page.get_by_role("button", name="Yes, end it").click()
        await page.get_by_label("I'd talk with them again").check()
        await page.get_by_role("radio", name="partly").check()
        await listener.client.ask("again", session=session)
        await page.get_by_role("button", name="Show my come-back words").click()
        await expect(page.get_by_role("button", name="Copy the words")).to_be_visible()
        await page.get_by_text("Read it again").click()
        await expect(page.locator(".reading li").first).to_be_visible()
        yield "looking back"
        await page.get_by_role("button", name="Block", exact=True).click()
        yield "block afterwards"
        await page.get_by_role("button", name=f"Block {listener.name}").click()
        await expect(page.get_by_text(f"You and {listener.name} don't meet here again.")).to_be_visible()
        await page.get_by_role("button", name="Report", exact=True).click()
        yield "report afterwards"
        await page.keyboard.press("Escape")
        yield "looking back, blocked"
