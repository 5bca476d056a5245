"""Coming back: what was missed is shown once, in order and under a line, or said to be gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import Stay
from tests.browser.person import LOST_NETWORK, Person
from tests.browser.site import join, let_a_day_pass, open_site, say
from tests.browser.wire import Wire
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

LINE = "New since you were here"
NOTHING_MISSING = "You're connected again. Nothing is missing."


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    """This module's own, because it is stopped and its posts expire."""
    with open_site() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wire(site: ChatServer) -> AsyncIterator[Wire]:
    async with Wire(site.port) as line:
        yield line


@pytest_asyncio.fixture(loop_scope="session")
async def ann(wire: Wire, stay: Stay) -> Person:
    person = await stay(wire.url)
    person.forgive(LOST_NETWORK)
    return person


async def rows(person: Person) -> list[str]:
    """Posts' texts and the lines between them, as they stand."""
    found = await person.log.locator("article .text, .new-line").all_inner_texts()
    return [text.strip() for text in found]


async def expect_read(server: ChatServer, person: Person, room_id: str) -> None:
    """Wait until the server knows that they have read everything in a room."""
    cookies = await person.context.cookies()
    cookie = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in cookies)
    async with ChatClient(server.ws_url, cookie=cookie, origin=server.url) as same, asyncio.timeout(15):
        # Only asking tells; nothing is pushed when something has been read.
        while await unread(same, room_id):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def unread(client: ChatClient, room_id: str) -> int:
    cards = (await client.ask("rooms"))["rooms"]
    return next(int(card["unread"]) for card in cards if card["id"] == room_id)


async def test_who_lost_the_network_sees_exactly_what_was_missed(site: ChatServer, wire: Wire, ann: Person) -> None:
    await ann.enter("Awake at night")
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "sleep")
        first, second = await say(ben, "sleep", "seen by both", "to be taken back")
        await ann.sees("to be taken back")
        wire.cut()
        await expect(ann.link).to_contain_text("You haven't lost anything")
        await ben.ask("redact", room="sleep", offset=second)
        await ben.ask("edit", room="sleep", offset=first, text="seen by both, and changed")
        (third, _, _) = await say(ben, "sleep", "missed one", "missed two", "missed three")
        await ben.ask("react", room="sleep", offset=third, reaction="hug", on=True)
        wire.mend()
        await ann.network_returns()
        await ann.sees("missed three")
        await expect(ann.link).to_contain_text(NOTHING_MISSING)
        assert await rows(ann) == [
            "seen by both, and changed",
            "This post was removed by its writer.",
            LINE,
            "missed one",
            "missed two",
            "missed three",
        ]
        await expect(ann.post("missed one").get_by_role("button", name="a hug, from one person")).to_be_visible()
        await say(ben, "sleep", "live again")
        await ann.sees("live again")


async def test_a_network_that_died_without_a_word_is_noticed(site: ChatServer, wire: Wire, ann: Person) -> None:
    await ann.enter("Worry and panic")
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "anxiety")
        wire.hush()
        await say(ben, "anxiety", "said into the silence")
        # What a phone does when its screen is unlocked.
        await ann.page.evaluate("() => dispatchEvent(new Event('online'))")
        await expect(ann.link).to_contain_text("You haven't lost anything")
        wire.mend()
        await ann.network_returns()
        await ann.sees("said into the silence")


async def test_who_reloads_finds_what_is_new_under_the_line(site: ChatServer, ann: Person) -> None:
    await ann.enter("Feeling alone")
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "loneliness")
        await say(ben, "loneliness", "read before")
        await ann.sees("read before")
        await expect_read(site, ann, "loneliness")
        await ann.page.goto("about:blank")
        await say(ben, "loneliness", "new one", "new two")
        await ann.arrive()
        await expect(ann.card("Feeling alone")).to_contain_text("Two new posts")
        await ann.enter("Feeling alone")
        await ann.sees("new two")
        assert await rows(ann) == ["read before", LINE, "new one", "new two"]


async def test_a_room_that_is_not_on_the_screen_counts_what_is_new(site: ChatServer, ann: Person) -> None:
    await ann.enter("Caring for someone")
    await ann.go_back_to_lobby()
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "carers")
        await say(ben, "carers", "one", "two", "three")
        await expect(ann.card("Caring for someone")).to_contain_text("Three new posts")
        await ann.enter("Caring for someone")
        await ann.sees("three")
        await ann.go_back_to_lobby()
        await expect(ann.card("Caring for someone")).not_to_contain_text("new post")


async def test_older_posts_that_expired_meanwhile_are_said_to_be_gone(
    site: ChatServer, wire: Wire, ann: Person
) -> None:
    await ann.enter("Low days")
    await ann.say("written yesterday")
    wire.cut()
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "low-mood")
        await say(ben, "low-mood", "missed for good")
    await asyncio.to_thread(let_a_day_pass, site)
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "low-mood")
        await say(ben, "low-mood", "written today")
    wire.mend()
    await ann.network_returns()
    await ann.sees("written today")
    await expect(
        ann.page.get_by_text("Older posts here have expired, as promised. Nothing newer is missing.")
    ).to_be_visible()
    assert await ann.texts() == ["written today"]
    await expect(ann.link).not_to_contain_text(NOTHING_MISSING)
