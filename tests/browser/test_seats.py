"""Seats, as people meet them: one too many, one that went to somebody else, and a listener's chair that stood empty."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import expect

from chatserver.domain.limits import Limits
from tests.browser.conftest import SitDown, Stay
from tests.browser.console import Console, hire
from tests.browser.eyes import violations
from tests.browser.site import join, open_site, room
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

ROOMS = [
    room("small", "A small room", capacity=2, position=-5),
    *[room(f"room{number}", f"Room {number}", position=-4 + number) for number in range(4)],
]


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    """Where nobody waits a quarter of an hour."""
    limits = {"idle_seat_seconds": 2.0, "rooms_per_member": Limits().rooms_per_member}
    listening = {"nobody_after_seconds": 1.0, "pause_minutes": 5.0}
    with open_site(ROOMS, limits=limits, listening=listening) as server:
        yield server


async def test_a_fourth_room_asks_which_place_to_give_up_and_keeps_what_was_begun_there(
    site: ChatServer, sit_down: SitDown
) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    for number in range(3):
        await ann.enter(f"Room {number}")
        await ann.writing.fill(f"half a sentence {number}")
        await ann.go_back_to_lobby()
    await ann.card("Room 3").click()
    await expect(ann.page.get_by_role("heading", name="You have a place in three rooms")).to_be_visible()
    assert await violations(ann.page) == []
    await ann.page.get_by_role("button", name="Give up my place in Room 1").click()
    await ann.page.get_by_role("button", name="I agree, take me in").click()
    await ann.say("here now")
    await ann.go_back_to_lobby()
    await ann.card("Room 1").click()
    note = ann.page.locator(".announcements")
    await expect(note).to_contain_text("You can read on here")
    await expect(ann.writing).to_have_value("half a sentence 1")
    await note.get_by_role("button", name="Write here again").click()
    await ann.page.get_by_role("button", name="Give up my place in Room 0").click()
    await expect(ann.writing).to_have_value("half a sentence 1")
    await ann.say("and here")
    await ann.sees("and here")


async def test_a_place_that_went_to_somebody_else_is_had_again_with_one_touch(site: ChatServer, stay: Stay) -> None:
    ann = await stay(site.url)
    await ann.enter("A small room")
    await ann.writing.fill("i was about to say")
    async with ChatClient(site.ws_url) as ben, ChatClient(site.ws_url) as eve:
        await join(ben, "small")

        reply: dict[str, Any] = {}
        while "ok" not in reply:
            # Ben is awake; Ann has done nothing for two seconds, soon.
            await ben.ask("typing", room="small")
            reply = await eve.exchange("join", room="small", agreement=1)
            assert "ok" in reply or reply["error"]["code"] == "room_full"
            await asyncio.sleep(0.2)
        note = ann.page.locator(".announcements")
        await expect(note).to_contain_text("You can read on here")
        assert await violations(ann.page) == []
        await ben.ask("post", room="small", text="still live")
        await ann.sees("still live")
        await expect(ann.writing).to_have_value("i was about to say")
        await eve.ask("leave", room="small")
        await note.get_by_role("button", name="Write here again").click()
        await expect(note).to_be_hidden()
        await expect(ann.writing).to_be_focused()
        await ann.page.keyboard.press("Enter")
        await ann.sees("i was about to say")


async def test_a_listener_gives_an_empty_chair_back_with_one_touch_and_has_no_pause(
    site: ChatServer, sit_down: SitDown, stay: Stay
) -> None:
    mira, ann = Console(await sit_down(site.url)), await stay(site.url)
    await mira.sign_in(await hire(site, "Mira Harbourne"))
    await mira.listen()
    await ann.page.locator("#ask-link").click()
    await expect(ann.page.get_by_text("One listener is free")).to_be_visible()
    await ann.page.get_by_role("button", name="I agree, ask for a listener").click()
    await mira.accept()
    touch = mira.page.get_by_role("button", name="Nobody was there")
    await expect(touch).to_be_visible()
    assert await violations(mira.page) == []
    await touch.click()
    await expect(mira.stand).to_contain_text("You are free.")
    await expect(ann.page.get_by_text("It was quiet for a while")).to_be_visible()
