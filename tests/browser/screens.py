"""A walk past every screen of the page, so that what must hold on each is asked on each."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from typing import Any, Final

from playwright.async_api import expect

from tests.browser.house import join, room
from tests.browser.person import LOST_NETWORK, Person
from tests.browser.wire import Wire
from tests.kit.client import ChatClient
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
    mark = secrets.token_hex(3)
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
