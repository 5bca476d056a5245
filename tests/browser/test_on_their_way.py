"""Posts on their way: what is shown, what is kept, and that each arrives exactly once whatever breaks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import Stay
from tests.browser.person import LOST_NETWORK, Person
from tests.browser.site import join, open_site, texts_in
from tests.browser.wire import Wire
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

NOT_SENT = "Not sent yet. We'll keep trying."


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wire(site: ChatServer) -> AsyncIterator[Wire]:
    async with Wire(site.port) as line:
        yield line


@pytest.fixture(scope="module")
def frail() -> Iterator[ChatServer]:
    """A server that is killed, and comes back with what it had kept."""
    with open_site() as server:
        yield server


async def sit_in(stay: Stay, url: str, room: str) -> Person:
    """Somebody in a room, who may lose the network."""
    person = await stay(url)
    person.forgive(LOST_NETWORK)
    await person.enter(room)
    return person


async def test_a_post_says_sending_until_the_server_has_it(wire: Wire, stay: Stay) -> None:
    ann = await sit_in(stay, wire.url, "Awake at night")
    wire.hush()
    await ann.write("is anybody there")
    await expect(ann.waiting("is anybody there")).to_contain_text("sending")
    wire.mend()
    await ann.sees("is anybody there")
    await expect(ann.post("is anybody there")).not_to_contain_text("sending")


async def test_the_focus_goes_from_a_post_on_its_way_to_the_post(wire: Wire, stay: Stay) -> None:
    ann = await sit_in(stay, wire.url, "Awake at night")
    # What folds long posts is fetched with the first one, and nothing is fetched while the line is silent.
    await ann.say("\n".join(f"before {number}" for number in range(20)))
    await expect(ann.post("before 11").get_by_role("button", name="Show all")).to_be_visible()
    for mark, name in (("first", "Show all"), ("second", "Show less")):
        wire.hush()
        await ann.write("\n".join(f"{mark} {number}" for number in range(20)))
        waiting = ann.waiting(f"{mark} 11")
        await waiting.get_by_role("button", name="Show all").focus()
        if name == "Show less":
            await ann.page.keyboard.press("Enter")
        await expect(waiting.get_by_role("button", name=name)).to_be_focused()
        wire.mend()
        post = await ann.sees(f"{mark} 11")
        await expect(post.get_by_role("button", name=name)).to_be_focused()


async def test_a_post_on_its_way_that_has_the_focus_itself_hands_it_on(wire: Wire, stay: Stay) -> None:
    ann = await sit_in(stay, wire.url, "Awake at night")
    wire.hush()
    await ann.write("held by the keyboard")
    await ann.waiting("held by the keyboard").focus()
    wire.mend()
    await expect(await ann.sees("held by the keyboard")).to_be_focused()


async def test_a_post_written_without_a_network_is_sent_once_when_it_is_back(
    site: ChatServer, wire: Wire, stay: Stay
) -> None:
    ann = await sit_in(stay, wire.url, "Worry and panic")
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "anxiety")
        wire.cut()
        await expect(ann.link).to_contain_text("You haven't lost anything")
        await ann.write("written in a tunnel")
        await ann.write("and one more")
        await expect(ann.waiting("written in a tunnel")).to_contain_text(NOT_SENT)
        await expect(ann.waiting("and one more")).to_contain_text(NOT_SENT)
        wire.mend()
        await note_link(ann)
        await ann.network_returns()
        await ann.sees("written in a tunnel")
        await ann.sees("and one more")
        await expect(ann.page.locator("html")).to_have_attribute(
            "data-link-said", re.compile("You're connected again. Nothing is missing.")
        )
        await ben.until(lambda: len(ben.facts("room:anxiety")) >= 2)
        assert [fact["post"]["text"] for fact in ben.facts("room:anxiety")] == ["written in a tunnel", "and one more"]
    assert (await texts_in(site, "anxiety")) == ["written in a tunnel", "and one more"]


async def test_a_device_that_is_offline_is_told_so_and_sends_when_it_is_back(
    site: ChatServer, wire: Wire, stay: Stay
) -> None:
    ann = await sit_in(stay, wire.url, "Feeling alone")
    await ann.context.set_offline(True)
    await ann.write("written in flight mode")
    await expect(ann.link).to_contain_text("Your device is offline. What you write is kept here")
    await expect(ann.waiting("written in flight mode")).to_contain_text(NOT_SENT)
    await ann.context.set_offline(False)
    await ann.sees("written in flight mode")
    assert (await texts_in(site, "loneliness")).count("written in flight mode") == 1


async def test_a_post_that_waits_survives_a_reload_and_is_sent_once(site: ChatServer, wire: Wire, stay: Stay) -> None:
    ann = await sit_in(stay, wire.url, "Illness and pain")
    wire.cut_sockets()
    await ann.write("kept through a reload")
    await expect(ann.waiting("kept through a reload")).to_contain_text(NOT_SENT)
    await ann.page.reload()
    await expect(ann.link).to_contain_text("What you wrote is kept here; we keep trying.")
    assert "kept through a reload" in str(await ann.kept())
    assert await texts_in(site, "illness") == []
    wire.mend()
    await ann.network_returns()
    await ann.sees("kept through a reload")
    assert await texts_in(site, "illness") == ["kept through a reload"]
    # The post may be back before the answer is with which it is let go.
    await ann.keeps_no_more("kept through a reload")


async def test_a_post_whose_answer_was_lost_is_there_once(site: ChatServer, wire: Wire, stay: Stay) -> None:
    ann = await sit_in(stay, wire.url, "Low days")
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "low-mood")
        wire.hush_server()
        await ann.write("did this arrive")
        await ben.wait_for(lambda push: push.get("post", {}).get("text") == "did this arrive")
        wire.cut()
        await expect(ann.waiting("did this arrive")).to_contain_text(NOT_SENT)
        wire.mend()
        await ann.network_returns()
        await ann.sees("did this arrive")
    assert await texts_in(site, "low-mood") == ["did this arrive"]


async def test_a_draft_is_kept_through_a_reload(wire: Wire, stay: Stay) -> None:
    ann = await sit_in(stay, wire.url, "Just need company")
    await ann.writing.fill("half a thought")
    await ann.page.reload()
    await expect(ann.writing).to_have_value("half a thought")


async def test_what_is_too_long_is_said_before_it_is_sent_and_its_text_stays(wire: Wire, stay: Stay) -> None:
    ann = await sit_in(stay, wire.url, "Just need company")
    await ann.writing.fill("x" * 2_001)
    await expect(ann.page.get_by_text("One character too many.")).to_be_visible()
    await ann.page.get_by_role("button", name="Send", exact=True).click()
    await expect(ann.page.get_by_role("alert").filter(has_text="This is longer than fits.")).to_be_attached()
    await expect(ann.writing).to_have_value("x" * 2_001)
    await ann.writing.fill("y" * 1_990)
    await expect(ann.page.get_by_text("Room for 10 more characters.")).to_be_visible()
    await ann.page.get_by_role("button", name="Send", exact=True).click()
    await ann.sees("y" * 1_990)


class TestServerThatDies:
    async def test_a_post_written_while_it_is_dead_is_sent_once_when_it_lives_again(
        self, frail: ChatServer, stay: Stay
    ) -> None:
        ann = await sit_in(stay, frail.url, "Awake at night")
        await ann.say("before")
        frail.process.kill()
        await expect(ann.link).to_contain_text("You haven't lost anything; we're getting back.")
        await ann.write("while it was dead")
        await expect(ann.waiting("while it was dead")).to_contain_text(NOT_SENT)
        await asyncio.to_thread(frail.start)
        await ann.sees("while it was dead")
        assert await ann.texts() == ["before", "while it was dead"]
        assert await texts_in(frail, "sleep") == ["before", "while it was dead"]

    async def test_a_refused_post_says_why_and_can_be_tried_again_or_removed_for_good(
        self, frail: ChatServer, stay: Stay
    ) -> None:
        ann = await sit_in(stay, frail.url, "Low days")
        frail.process.kill()
        text = "longer than the operator will allow " * 3
        await ann.write(text)
        await expect(ann.waiting("longer than")).to_contain_text(NOT_SENT)
        await ann.write("never to be sent " * 5)
        allow(frail, text_length=50)
        await asyncio.to_thread(frail.start)
        refused, unwanted = ann.waiting("longer than"), ann.waiting("never to be sent")
        for each in (refused, unwanted):
            await expect(each).to_contain_text(re.compile("Couldn't be sent. It is longer than fits."))
        assert await texts_in(frail, "low-mood") == []

        await unwanted.get_by_role("button", name="Remove").click()
        await expect(ann.post("never to be sent")).to_have_count(0)
        await ann.keeps_no_more("never to be sent")

        await refused.get_by_role("button", name="Try again").click()
        await expect(refused).to_contain_text("Couldn't be sent.")
        await frail_again(frail, text_length=2_000)
        await ann.network_returns()
        # It waits for the connection, if that is not back yet.
        await refused.get_by_role("button", name="Try again").click()
        await ann.sees("longer than the operator will allow")
        assert await texts_in(frail, "low-mood") == [text.strip()]


async def note_link(person: Person) -> None:
    """What the line about the connection says from now on, also if it is gone before a test looks."""
    await person.link.evaluate(
        """(link) => new MutationObserver(() => {
            const said = document.documentElement.dataset;
            said.linkSaid = `${said.linkSaid ?? ""}${link.textContent}|`;
        }).observe(link, {childList: true, characterData: true, subtree: true})"""
    )


def allow(server: ChatServer, *, text_length: int) -> None:
    """Change the limit in the configuration of a server that does not run."""
    file = server.directory / "chatserver.toml"
    lines = [line for line in file.read_text().splitlines() if not line.startswith("text_length")]
    lines.insert(lines.index("[limits]") + 1, f"text_length = {text_length}")
    file.write_text("\n".join(lines) + "\n")


async def frail_again(server: ChatServer, *, text_length: int) -> None:
    await asyncio.to_thread(server.process.kill)
    allow(server, text_length=text_length)
    await asyncio.to_thread(server.start)
