"""Coming in: the rooms, how many are in them, and the way to a conversation by the keyboard."""

from __future__ import annotations

from contextlib import AsyncExitStack

from playwright.async_api import Page, expect

from chatserver.seeds import seed_rooms
from tests.browser.conftest import Stay
from tests.browser.site import join
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

_FOCUSED = """() => {
    const e = document.activeElement;
    const style = getComputedStyle(e);
    const box = e.getBoundingClientRect();
    return {
        text: (e.getAttribute("aria-label") ?? e.labels?.[0]?.textContent ?? e.innerText).trim(),
        isRinged: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 3,
        isInSight: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth && box.width > 0,
    };
}"""


async def tab_to(page: Page, text: str, most: int = 60) -> list[str]:
    """Press Tab until something that begins with `text` has the focus; what had it on the way, this included.
    Everything on the way must be seen and visibly focused."""
    stops: list[str] = []
    for _ in range(most):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(_FOCUSED)
        assert focused["isRinged"], f"no visible focus on {focused['text']!r}"
        assert focused["isInSight"], f"{focused['text']!r} has the focus out of sight"
        stops.append(focused["text"])
        if focused["text"].startswith(text):
            return stops
    raise AssertionError(f"{text!r} was not reached; the stops were {stops}")


async def test_the_lobby_shows_every_seeded_room_with_whom_it_is_for(site: ChatServer, stay: Stay) -> None:
    guest = await stay(site.url)
    assert len(seed_rooms()) >= 12
    for room in seed_rooms():
        await expect(guest.card(room.name)).to_contain_text(room.about)
        await expect(guest.card(room.name)).to_contain_text("quiet just now")


async def test_a_card_says_how_many_are_there_as_people_come_and_go(site: ChatServer, stay: Stay) -> None:
    guest = await stay(site.url)
    card = guest.card("Missing someone")
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(ChatClient(site.ws_url)) for _ in range(7)]
        for client in people:
            await join(client, "grief")
        await expect(card).to_contain_text("7 here")
        await people[0].close()
        await expect(card).to_contain_text("6 here")
    await expect(card).to_contain_text("quiet just now")


async def test_the_whole_way_to_a_post_needs_only_the_keyboard(site: ChatServer, stay: Stay) -> None:
    guest = await stay(site.url)
    # The keyboard begins at the top of a page that was loaded anew.
    await guest.page.reload()
    await guest.sees_lobby()
    page = guest.page
    stops = await tab_to(page, "Feeling alone")
    frame = ["Skip to the room", "Lamplight, all rooms", "Ask for a listener", "Get help now", "My card", "Leave now"]
    assert [stop.splitlines()[0] for stop in stops[:8]] == [*frame, "Your name and privacy", "Groups that meet"]

    await page.keyboard.press("Enter")
    agreement = page.get_by_role("heading", level=1, name="Before you go into Feeling alone")
    await expect(agreement).to_be_focused()
    await tab_to(page, "I agree, take me in", most=3)
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("heading", level=1, name="Feeling alone")).to_be_focused()
    await tab_to(page, "Write to Feeling alone", most=12)
    await page.keyboard.type("with the keyboard alone")
    await page.keyboard.press("Enter")
    await guest.sees("with the keyboard alone")
    await expect(guest.writing).to_be_focused()


async def test_the_posts_are_one_stop_and_the_arrow_keys_go_through_them(site: ChatServer, stay: Stay) -> None:
    guest = await stay(site.url)
    await guest.enter("Caring for someone")
    for text in ("first of three", "second of three", "third of three"):
        await guest.say(text)
    page = guest.page
    await page.keyboard.press("Shift+Tab")
    await expect(guest.post("third of three").get_by_role("button")).to_be_focused()
    await page.keyboard.press("Shift+Tab")
    await expect(guest.post("third of three")).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(guest.post("second of three")).to_be_focused()
    await page.keyboard.press("Home")
    await expect(guest.post("first of three")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="with you")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(guest.post("first of three").get_by_role("button")).to_be_focused()


async def test_the_skip_link_is_the_first_stop_and_leads_past_the_frame(site: ChatServer, stay: Stay) -> None:
    guest = await stay(site.url)
    # The keyboard begins at the top of a page that was loaded anew.
    await guest.page.reload()
    await guest.sees_lobby()
    page = guest.page
    skip = page.get_by_role("link", name="Skip to the room")
    await expect(skip).not_to_be_in_viewport()
    await page.keyboard.press("Tab")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert await page.evaluate("() => document.querySelector('main').contains(document.activeElement)")
