"""A room that needs a moderator: what members see while none is there, and the page that is rung."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import SitDown
from tests.browser.eyes import FAR_APART, faults, photograph, violations
from tests.browser.site import join, open_site, room
from tests.browser.test_moderating import hire, sign_in, signed_in
from tests.browser.test_operators import at_work
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(180)
LONG: Final = 40_000
"""Milliseconds: the grace or the patience of these tests, on a busy machine."""
SLOWED: Final = "No moderator is in this room just now."
RESTS: Final = "No moderator could come yet, so this room rests."
COUNTING: Final = """
window.tones = 0;
const made = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () { window.tones += 1; return made.call(this); };
"""


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    with open_site(
        [
            room("watched", "Watched room", needs_moderator=True),
            room("calm", "A calm room"),
            room("desk", "Watched from the desk", needs_moderator=True),
        ],
        duty={"grace_seconds": 6, "patience_minutes": 0.15},
    ) as server:
        yield server


async def go_in(page: Page, name: str) -> None:
    await page.get_by_role("button", name=f"Go into {name}", exact=True).click()
    await page.get_by_role("button", name="I keep to it too, go in").click()
    await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


async def test_a_room_slows_rests_and_opens_when_a_moderator_who_was_rung_comes(
    site: ChatServer, sit_down: SitDown
) -> None:
    """[P-DUTY-1] [P-DUTY-3] [P-DUTY-5] [P-DUTY-6]"""
    look: Any = {"viewport": {"width": 390, "height": 900}}
    name = "Watched room"
    desk = await sit_down(site.url, **look)
    await desk.page.add_init_script(COUNTING)
    page = await sign_in(desk, await hire(site))
    await page.get_by_role("button", name="Rooms").click()
    await go_in(page, name)
    await page.get_by_role("button", name="Back to the rooms").click()
    await go_in(page, "A calm room")
    wren = await sit_down(site.url, **look)
    await wren.arrive()
    await wren.enter(name)
    await wren.say("It is a long night.")
    await expect(wren.page.locator(".announcements").get_by_text(SLOWED)).to_have_count(0)

    await page.get_by_role("button", name="Back to the rooms").click()
    await page.get_by_role("button", name=f"Show {name}", exact=True).click()
    await expect(page.get_by_text("It is a long night.")).to_be_visible()
    await page.get_by_label(f"Write to {name}").fill("I have to go for a moment.")
    await page.get_by_role("button", name="Send").click()
    await wren.sees("I have to go for a moment.")
    await expect(wren.page.locator(".role", has_text="Moderator").first).to_be_visible()
    assert await faults(page, "duty-pane", looks=FAR_APART) == []
    before = await page.evaluate("window.tones")
    await page.get_by_role("button", name="Leave the room").click()

    await expect(wren.page.locator(".announcements").get_by_text(SLOWED)).to_be_visible(timeout=LONG)
    await expect(page.locator("#say-now")).to_have_text(f"{name} needs a moderator.", timeout=LONG)
    await expect(page.locator(".place-row.waits", has_text=name)).to_be_visible()
    await page.wait_for_function(f"window.tones > {before}", timeout=LONG)
    assert await faults(wren.page, "duty-slowed", looks=FAR_APART) == []
    assert await faults(page, "duty-rung", looks=FAR_APART) == []

    await expect(wren.page.locator(".announcements").get_by_text(RESTS)).to_be_visible(timeout=LONG)
    await expect(wren.page.get_by_role("button", name="Go to A calm room, where a moderator is")).to_be_visible()
    await expect(wren.page.get_by_role("button", name="Talk with a listener")).to_be_visible()
    await wren.write("Is anybody there?")
    await wren.page.get_by_role("button", name="Send").click()
    await expect(wren.page.get_by_text("You can write again when one is.").first).to_be_visible()
    await expect(wren.writing).to_have_value("Is anybody there?")
    assert await faults(wren.page, "duty-read-only", looks=FAR_APART) == []

    await page.get_by_role("button", name=f"Go into {name}", exact=True).click()
    await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    await expect(wren.page.locator(".announcements").get_by_text(RESTS)).to_have_count(0, timeout=LONG)
    await wren.page.get_by_role("button", name="Send").click()
    await expect(page.locator(".room-log").get_by_text("Is anybody there?")).to_be_visible()
    await photograph(wren.page, "duty-open")


async def test_the_operators_page_is_rung_too_and_says_what_to_do(site: ChatServer, sit_down: SitDown) -> None:
    """[P-DUTY-5]"""
    name = "Watched from the desk"
    watcher = await sit_down(site.url)
    await watcher.page.add_init_script(COUNTING)
    board = await at_work(watcher, site, "Kind Ember", "moderator")
    concern = board.locator(".attention li").filter(has_text=f"{name} needs a moderator and has none")
    async with ChatClient(site.ws_url, hello=False) as moderator:
        await moderator.ask("hello", staff=True, token=await signed_in(site, await hire(site)))
        await join(moderator, "desk")
        await expect(board.get_by_role("heading", name="Needs attention")).to_be_visible()
        await expect(concern).to_have_count(0)
        await board.get_by_label("Sound for rooms that need a moderator").focus()
        await board.keyboard.press("Shift")
        before = await board.evaluate("window.tones")
        await moderator.ask("leave", room="desk")
        await expect(concern).to_have_count(1, timeout=LONG)
        await board.wait_for_function(f"window.tones > {before}", timeout=LONG)
        await photograph(board, "duty-operators")
        assert await violations(board) == []
