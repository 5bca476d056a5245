"""What stands between a person and a room: its agreement, that it is full, that it is slow, that it restarts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import expect

from tests.browser.conftest import SitDown
from tests.browser.person import LOST_NETWORK
from tests.browser.site import join, open_site, room, texts_in
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

ROOMS = [
    room("tiny", "Tiny room", capacity=2),
    room("slow", "Slow room", slow_mode=4),
    room("ruled", "Ruled room", agreement="Be gentle.\nSay only what is yours."),
]


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    with open_site(ROOMS) as server:
        yield server


async def expect_here(client: ChatClient, room_id: str, here: int) -> None:
    """Wait until the lobby says that so many are in a room."""
    answer = await client.ask("rooms", watch=True)
    if any(card["id"] == room_id and card["here"] == here for card in answer["rooms"]):
        # It was so already, and no push will tell.
        return
    await client.wait_for(lambda push: push.get("here", {}).get(room_id) == here if push["push"] == "counts" else False)


async def test_a_room_shows_its_agreement_first_and_one_may_go_back(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    await ann.card("Ruled room").click()
    await expect(ann.page.get_by_role("heading", name="Before you go into Ruled room")).to_be_focused()
    for line in ("Be gentle.", "Say only what is yours."):
        await expect(ann.page.get_by_text(line, exact=True)).to_be_visible()
    await ann.page.get_by_role("button", name="Not now, go back").click()
    await expect(ann.page.get_by_role("heading", name="Hello. Come in.")).to_be_visible()
    await ann.enter("Ruled room")
    await ann.go_back_to_lobby()
    await ann.card("Ruled room").click()
    await expect(ann.writing).to_be_visible()


async def test_a_full_room_names_others_that_have_space(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(ChatClient(site.ws_url)) for _ in range(3)]
        await join(people[0], "tiny")
        await join(people[1], "tiny")
        await join(people[2], "grief")
        await expect(ann.card("Tiny room")).to_contain_text("full at the moment")
        await ann.card("Tiny room").click()
        accept = ann.page.get_by_role("button", name="I agree, take me in")
        full = ann.page.get_by_role("heading", name="This room is full")
        await expect(accept.or_(full)).to_be_visible()
        if await accept.is_visible():
            await accept.click()
        await expect(full).to_be_visible()
        await expect(ann.page.get_by_text("full so that everyone can be heard")).to_be_visible()
        named = ann.page.get_by_role("main").get_by_role("listitem")
        await expect(named.first).to_be_visible()
        assert not any("Tiny room" in text for text in await named.all_inner_texts())

        await people[0].close()
        await expect_here(people[2], "tiny", 1)
        await ann.page.get_by_role("button", name="Try this room again").click()
        await expect(accept.or_(ann.writing)).to_be_visible()
        if await accept.is_visible():
            await accept.click()
        await expect(ann.writing).to_be_visible()


async def test_a_room_that_is_named_instead_can_be_entered(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    async with ChatClient(site.ws_url) as one, ChatClient(site.ws_url) as two:
        await join(one, "tiny")
        await join(two, "tiny")
        await ann.card("Tiny room").click()
        accept = ann.page.get_by_role("button", name="I agree, take me in")
        full = ann.page.get_by_role("heading", name="This room is full")
        await expect(accept.or_(full)).to_be_visible()
        if await accept.is_visible():
            await accept.click()
        await expect(full).to_be_visible()
        await ann.page.get_by_role("main").get_by_role("listitem").first.get_by_role("button").click()
        await expect(accept).to_be_visible()
        await accept.click()
        await expect(ann.writing).to_be_visible()


async def test_a_slow_room_says_when_one_may_write_again(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    await expect(ann.card("Slow room")).to_contain_text("takes it slowly")
    await ann.enter("Slow room")
    await ann.say("one thing at a time")
    await ann.write("and another at once")
    wait = re.compile("This room takes it slowly. You can write again in .* seconds?.")
    await expect(ann.writing).to_have_accessible_description(wait)
    await expect(ann.writing).to_have_value("and another at once")
    await expect(ann.page.get_by_role("status").filter(has_text="You can write again.")).to_be_attached()
    await expect(ann.writing).not_to_have_accessible_description(wait)
    await ann.page.get_by_role("button", name="Send", exact=True).click()
    await ann.sees("and another at once")


async def test_a_server_that_restarts_says_so_and_people_come_back_by_themselves(
    site: ChatServer, sit_down: SitDown
) -> None:
    ann = await sit_down(site.url)
    ann.forgive(LOST_NETWORK)
    await ann.arrive()
    await ann.enter("Feeling alone")
    await ann.say("before the restart")
    stopping = asyncio.create_task(asyncio.to_thread(site.stop))
    await expect(ann.link).to_contain_text("You haven't lost anything")
    assert await stopping == 0
    await ann.write("during the restart")
    await asyncio.to_thread(site.start)
    await ann.sees("during the restart")
    assert await texts_in(site, "loneliness") == ["before the restart", "during the restart"]
    await ann.say("after the restart")
