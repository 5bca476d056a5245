"""Where one reads in a room: at the end, or where one left, whatever else takes room on the page."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.browser.conftest import SitDown, Stay
from tests.browser.person import LOST_NETWORK, Person
from tests.browser.site import database, join, open_site, room, say
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
LOW: Final = [(844, 390, ""), (640, 400, ""), (390, 480, ""), (375, 667, "larger")]
"""Windows in which the welcome is taller than what is left for the posts, with the size of the text."""
_WELCOME: Final = "\n".join(
    f"Welcome. This is what holds here, line {n}, and it is told in whole sentences." for n in range(12)
)
_names: Final = iter(range(1_000))

_HIDDEN: Final = """() => {
    const last = [...document.querySelectorAll('.rows > *')].at(-1).getBoundingClientRect();
    const composer = document.querySelector('.composer').getBoundingClientRect();
    const foot = document.querySelector('.foot').getBoundingClientRect();
    return last.bottom - Math.min(foot.top, innerHeight) + Math.max(0, composer.bottom - innerHeight);
}"""
"""How much of the newest post, or of the place where one writes, is out of sight: pixels."""


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    rooms = [room(f"reading-{n}", f"Reading {n:03}", welcome=_WELCOME, position=-1 - n) for n in range(12)]
    with open_site(rooms) as server:
        yield server


def a_room() -> tuple[str, str]:
    number = next(_names)
    return f"reading-{number}", f"Reading {number:03}"


async def fill(client: ChatClient, room_id: str, n: int = 30) -> list[int]:
    await join(client, room_id)
    return await say(
        client, room_id, *(f"post number {i} with enough words for a line or two of a phone" for i in range(n))
    )


async def stays_at_end(page: Page) -> None:
    """Wait until the newest post and the place where one writes are in sight."""
    await expect(page.locator(".rows > *").last).to_be_attached()
    await page.wait_for_function(f"() => ({_HIDDEN})() < 2")


async def sits_at_the_end(site: ChatServer, stay: Stay) -> tuple[Person, str]:
    """Somebody at the end of a room that is longer than a phone's window: who that is, and the room."""
    room_id, name = a_room()
    async with ChatClient(site.ws_url) as ben:
        await fill(ben, room_id)
    ann = await stay(site.url, viewport=PHONE)
    await ann.enter(name)
    await ann.sees("post number 29")
    await stays_at_end(ann.page)
    return ann, room_id


async def test_reactions_keep_the_newest_post_in_sight(site: ChatServer, stay: Stay) -> None:
    ann, room_id = await sits_at_the_end(site, stay)
    async with ChatClient(site.ws_url) as ben:
        newest = (await join(ben, room_id))["posts"][-1]["offset"]
        for reaction in ("with_you", "hug", "strength"):
            await ben.ask("react", room=room_id, offset=newest, reaction=reaction, on=True)
        await expect(ann.post("post number 29").locator(".chips li")).to_have_count(3)
        await stays_at_end(ann.page)


async def test_a_growing_composer_keeps_the_newest_post_in_sight(site: ChatServer, stay: Stay) -> None:
    ann, _ = await sits_at_the_end(site, stay)
    await ann.writing.fill("one\ntwo\nthree\nfour\nfive\nsix")
    assert (await ann.writing.bounding_box() or {"height": 0})["height"] > 120
    await stays_at_end(ann.page)


async def test_the_line_about_the_connection_keeps_the_newest_post_in_sight(site: ChatServer, stay: Stay) -> None:
    ann, _ = await sits_at_the_end(site, stay)
    ann.forgive(LOST_NETWORK)
    await ann.context.set_offline(True)
    await expect(ann.link).to_be_visible()
    await ann.write("written without a network")
    await expect(ann.waiting("written without a network")).to_contain_text("Not sent yet")
    await stays_at_end(ann.page)
    await ann.context.set_offline(False)
    await ann.sees("written without a network")
    await stays_at_end(ann.page)


async def test_who_reads_further_up_is_left_there(site: ChatServer, stay: Stay) -> None:
    ann, room_id = await sits_at_the_end(site, stay)
    tenth = ann.post("post number 10")
    await tenth.evaluate("(row) => row.scrollIntoView({ block: 'center' })")
    await ann.next_frames()
    before = await tenth.bounding_box()
    async with ChatClient(site.ws_url) as ben:
        await join(ben, room_id)
        await say(ben, room_id, "something new at the end")
        await expect(ann.page.get_by_role("button", name="Newest posts")).to_be_visible()
        assert await tenth.bounding_box() == before


@pytest.mark.parametrize(("width", "height", "size"), LOW)
async def test_who_comes_back_lands_at_the_end(
    site: ChatServer, sit_down: SitDown, stay: Stay, width: int, height: int, size: str
) -> None:
    room_id, name = a_room()
    async with ChatClient(site.ws_url) as ben:
        await fill(ben, room_id)
    viewport: ViewportSize = {"width": width, "height": height}
    if size == "":
        ann = await stay(site.url, viewport=viewport)
    else:
        ann = await sit_down(site.url, viewport=viewport)
        await ann.context.add_init_script(f"localStorage.setItem('chat.look.size', '{size}')")
        await ann.arrive()
    await ann.enter(name)
    await ann.sees("post number 29")
    await stays_at_end(ann.page)
    await ann.go_back_to_lobby()
    await ann.enter(name)
    await stays_at_end(ann.page)
    # Another device knows the place and holds no posts: they come a moment after the room is shown.
    await ann.page.reload()
    await expect(ann.page.get_by_role("heading", name=name, level=1)).to_be_visible()
    await ann.sees("post number 29")
    await stays_at_end(ann.page)


async def test_who_comes_back_lands_at_the_first_post_they_have_not_read(site: ChatServer, stay: Stay) -> None:
    room_id, name = a_room()
    async with ChatClient(site.ws_url) as ben:
        newest = (await fill(ben, room_id))[-1]
        ann = await stay(site.url, viewport={"width": 844, "height": 390})
        await ann.enter(name)
        await ann.sees("post number 29")
        await stays_at_end(ann.page)
        # What was read is told after a moment.
        await ben.ask("read", room=room_id, offset=newest)
        await _until_read(site, room_id, newest)
        await ann.go_back_to_lobby()
        await say(ben, room_id, *(f"meanwhile {n}" for n in range(20)))
        await expect(ann.card(name)).to_contain_text("20 new posts")
        for way in ("enter", "reload"):
            if way == "enter":
                await ann.card(name).click()
            else:
                await ann.page.reload()
            await ann.sees("meanwhile 0")
            line = ann.page.locator(".new-line")
            await expect(line).to_be_in_viewport()
            await expect(ann.post("meanwhile 0")).to_be_in_viewport()
            await expect(ann.post("meanwhile 19")).not_to_be_in_viewport()


async def test_who_waits_or_has_lost_the_connection_keeps_the_head_of_the_room(site: ChatServer, stay: Stay) -> None:
    room_id, name = a_room()
    async with ChatClient(site.ws_url) as ben:
        await fill(ben, room_id)
    ann = await stay(site.url, viewport=PHONE)
    ann.forgive(LOST_NETWORK)
    await ann.page.get_by_role("main").get_by_role("button", name="Ask for a listener").click()
    await ann.page.get_by_role("button", name="I agree, ask for a listener").click()
    await expect(ann.page.get_by_role("button", name="Leave the line")).to_be_visible()
    await ann.go_back_to_lobby()
    await ann.enter(name)
    await stays_at_end(ann.page)
    head = ann.page.locator(".room-top")
    for part in (head.get_by_role("heading", name=name), head.get_by_role("button", name="People")):
        await expect(part).to_be_in_viewport(ratio=1)
    await ann.context.set_offline(True)
    await expect(ann.link).to_be_visible()
    await stays_at_end(ann.page)
    way_back = head.get_by_role("button", name="All rooms")
    await expect(way_back).to_be_in_viewport(ratio=1)
    # Nothing lies over it.
    await way_back.click(trial=True)
    await ann.context.set_offline(False)
    await expect(ann.link).to_be_hidden()
    await ann.page.locator("#ask-link").click()
    await ann.page.get_by_role("button", name="Leave the line").click()


async def _until_read(site: ChatServer, room_id: str, offset: int) -> None:
    """Wait until the server knows that everybody in a room has read so far: it is told after a moment."""
    found: tuple[int | None] = (None,)
    for _ in range(150):
        with contextlib.closing(sqlite3.connect(database(site), timeout=10)) as opened:
            found = opened.execute("SELECT min(read) FROM memberships WHERE room = ?", [room_id]).fetchone()
        if (found[0] or 0) >= offset:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"read up to {found}")


async def test_today_becomes_yesterday_at_midnight(site: ChatServer, sit_down: SitDown) -> None:
    _, name = a_room()
    ann = await sit_down(site.url)
    ann.forgive(LOST_NETWORK)
    await ann.page.clock.install()
    await ann.arrive()
    await ann.enter(name)
    await ann.say("written before midnight")
    day = ann.page.locator(".day")
    await expect(day).to_have_text("Today")
    left = await ann.page.evaluate(
        "() => { const next = new Date(); next.setHours(24, 1, 0, 0); return next.getTime() - Date.now(); }"
    )
    await ann.page.clock.fast_forward(left)
    await ann.page.clock.run_for(3_000)
    await expect(day).to_have_text("Yesterday")
    await expect(ann.post("written before midnight")).to_have_count(1)


async def test_reading_and_leaving_in_one_tab_holds_in_the_other(site: ChatServer, stay: Stay) -> None:
    room_id, name = a_room()
    async with ChatClient(site.ws_url) as ben:
        await fill(ben, room_id, 2)
        ann = await stay(site.url)
        await ann.enter(name)
        other = await ann.context.new_page()
        await other.goto(site.url)
        card = other.get_by_role("main").get_by_role("button", name=name)
        await expect(card).to_be_visible()
        await ann.go_back_to_lobby()
        await say(ben, room_id, "new for both tabs")
        await expect(card).to_contain_text("One new post")
        await ann.enter(name)
        await ann.sees("new for both tabs")
        await ann.page.bring_to_front()
        await expect(card).not_to_contain_text("new post")
        await card.click()
        await expect(other.get_by_role("heading", name=name, level=1)).to_be_visible()
        await ann.page.locator(".pinned").evaluate("(element) => { element.open = true; }")
        await ann.page.get_by_role("button", name="Leave this room").click()
        await ann.page.get_by_role("button", name="Yes, leave it").click()
        await ann.sees_lobby()
        # Nobody stays in a room unseen by themselves.
        await expect(other.get_by_role("heading", name="Hello. Come in.")).to_be_visible()
        await other.close()
