"""What a moderator does where words stand: on a post in a room, and about somebody who may be in danger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.browser.conftest import SitDown
from tests.browser.eyes import FAR_APART, faults
from tests.browser.person import LOST_NETWORK
from tests.browser.site import join, open_site, room, say
from tests.browser.test_moderating import hire, sign_in
from tests.browser.wire import Wire
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(180)
NARROW: Final[ViewportSize] = {"width": 390, "height": 844}
NAME: Final = "A room to act in"


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    with open_site([room("acting", NAME, position=-1), room("missing", "A room with a gap", position=-2)]) as server:
        yield server


async def go_in(page: Page, name: str) -> None:
    await page.get_by_role("button", name="Rooms", exact=True).click()
    await page.get_by_role("button", name=f"Go into {name}", exact=True).click()
    await page.get_by_role("button", name="I keep to it too, go in").click()
    await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


async def test_a_moderator_acts_on_a_post_where_it_stands(site: ChatServer, sit_down: SitDown) -> None:
    mona = await sit_down(site.url, viewport=NARROW)
    desk = await sign_in(mona, await hire(site))
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "acting")
        await go_in(desk, NAME)
        await say(ben, "acting", "nobody likes you", "go away")
        row = desk.locator(".room-log li").filter(has_text="nobody likes you")
        act = row.get_by_role("button", name=re.compile("^What you can do about the post of "))
        # With the keyboard alone: open, choose, go back, and choose something else.
        await act.focus()
        await desk.keyboard.press("Enter")
        menu = row.get_by_role("group", name=re.compile("^About "))
        await expect(menu.get_by_role("button", name="Message them")).to_be_focused()
        shown = [
            "Message them",
            "Offer a listener",
            "Take the post back",
            "Mute",
            "Remove from the room",
            "Ban",
            "Close",
        ]
        await expect(menu.locator(".row").first.get_by_role("button")).to_have_text(shown)
        assert await faults(desk, "acting", looks=FAR_APART) == []
        await desk.keyboard.press("Escape")
        await expect(act).to_be_focused()
        await desk.keyboard.press("Enter")
        await desk.keyboard.press("Enter")
        field = menu.locator("form:visible").get_by_label("What you would like to tell them")
        await expect(field).to_be_focused()
        await desk.keyboard.type("Please be kind.")
        await desk.keyboard.press("Tab")
        await desk.keyboard.press("Enter")
        told = await ben.wait_for(lambda push: push["push"] == "matters" and bool(push["measures"]))
        assert [(each["kind"], each["reason"]) for each in told["measures"]] == [("notice", "Please be kind.")]
        await expect(act).to_be_focused()

        await act.click()
        await menu.get_by_role("button", name="Take the post back").click()
        await menu.locator("form:visible").get_by_label("Why: they will read this").fill("It hurts somebody.")
        await menu.get_by_role("button", name="Take it back").click()
        await expect(row).to_have_count(0)
        await ben.wait_for(lambda push: push["push"] == "redacted")

        other = desk.locator(".room-log li").filter(has_text="go away")
        await other.get_by_role("button", name=re.compile("^What you can do")).click()
        menu = other.get_by_role("group", name=re.compile("^About "))
        await menu.get_by_role("button", name="Mute", exact=True).click()
        await menu.locator("form:visible").get_by_label("For how long").select_option("1440")
        await menu.locator("form:visible").get_by_label("Why: they will read this").fill("A day to breathe.")
        await menu.get_by_role("button", name="Mute them").click()
        kinds = {"notice", "redact", "mute"}
        told = await ben.wait_for(
            lambda push: push["push"] == "matters" and {each["kind"] for each in push["measures"]} == kinds
        )
        mute = next(each for each in told["measures"] if each["kind"] == "mute")
        assert (mute["room"], mute["until"] - mute["at"]) == ("acting", 1_440 * 60_000)
        # Nobody acts on their own words.
        await desk.get_by_label(f"Write to {NAME}").fill("I am here")
        await desk.get_by_role("button", name="Send", exact=True).click()
        own = desk.locator(".room-log li").filter(has_text="I am here")
        await expect(own).to_be_visible()
        await expect(own.get_by_role("button", name=re.compile("^What you can do"))).to_have_count(0)


async def test_no_post_is_missing_after_a_lost_connection(site: ChatServer, sit_down: SitDown) -> None:
    async with Wire(site.port) as wire, ChatClient(site.ws_url) as ben:
        mona = await sit_down(wire.url)
        mona.forgive(LOST_NETWORK)
        desk = await sign_in(mona, await hire(site))
        await join(ben, "missing")
        await go_in(desk, "A room with a gap")
        before = [f"before {n}" for n in range(30)]
        after = [f"after {n}" for n in range(40)]
        await say(ben, "missing", *before)
        posts = desk.locator(".room-log .said")
        await expect(posts).to_have_count(30)
        wire.cut()
        await expect(desk.locator("#link")).to_be_visible()
        await say(ben, "missing", *after)
        wire.mend()
        await desk.evaluate("() => dispatchEvent(new Event('online'))")
        await expect(posts).to_have_count(70)
        await expect(posts).to_have_text([*before, *after])


async def test_somebody_in_danger_is_written_to_first(site: ChatServer, sit_down: SitDown) -> None:
    mona = await sit_down(site.url, viewport=NARROW)
    desk = await sign_in(mona, await hire(site))
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "acting")
        await ben.ask("post", room="acting", text="I am going to kill myself tonight")
        reports = desk.get_by_role("button", name=re.compile("^Now: Self-harm or suicide"))
        await reports.filter(has_text="nobody has it").click()
        # The room is called as everybody calls it.
        await expect(desk.get_by_role("heading", level=1, name=f"Now: Self-harm or suicide · {NAME}")).to_be_visible()
        await expect(desk.locator(".acts").get_by_role("button", name="Restrict…")).to_be_visible()
        buttons = [text for text in await desk.locator(".acts .row > button:visible").all_inner_texts() if text != ""]
        assert buttons[:4] == ["Message them", "Open the room", "Offer a listener", "Restrict…"]
        assert await faults(desk, "danger", looks=FAR_APART) == []
        await desk.get_by_role("button", name="Message them").click()
        await (
            desk.locator("form:visible")
            .get_by_label("What you would like to tell them")
            .fill("Are you safe right now?")
        )
        await desk.locator("form:visible").get_by_role("button", name="Send it").click()
        told = await ben.wait_for(lambda push: push["push"] == "matters" and bool(push["measures"]))
        assert (told["measures"][0]["kind"], told["measures"][0]["reason"]) == ("notice", "Are you safe right now?")

        await desk.get_by_role("button", name="Take it", exact=True).click()
        await desk.get_by_role("button", name="Close it", exact=True).click()
        await expect(desk.get_by_label("What came of it")).to_have_value("")
        await desk.get_by_role("button", name="Close this report").click()
        await expect(desk.get_by_role("alert").filter(has_text="Choose what came of it first.")).to_be_visible()
        await desk.get_by_role("button", name="Open the room").click()
        accept = desk.get_by_role("button", name="I keep to it too, go in")
        await accept.click()
        await expect(desk.get_by_role("heading", name=NAME, level=1)).to_be_visible()
        await expect(desk.locator(".room-log")).to_contain_text("tonight")


async def test_a_report_about_a_post_offers_every_restriction(site: ChatServer, sit_down: SitDown) -> None:
    desk = await sign_in(await sit_down(site.url), await hire(site))
    async with ChatClient(site.ws_url) as ben, ChatClient(site.ws_url) as cleo:
        for each in (ben, cleo):
            await join(each, "acting")
        posted = await ben.ask("post", room="acting", text="an unkind thing")
        await cleo.ask("report_post", room="acting", offset=posted["offset"], reason="unkind", note="")
        await desk.get_by_role("button", name=re.compile("^Unkind or hurtful")).click()
        await desk.get_by_role("button", name="Decide something").click()
        kinds = desk.get_by_label("What", exact=True).locator("option")
        shown = ["Private notice", "Take the post back", "Can read, not write", "Out of this room", "Out of everything"]
        await expect(kinds).to_have_text(shown)
        await desk.get_by_label("What", exact=True).select_option("redact")
        await desk.get_by_label("Why: they will read this").fill("It hurts somebody.")
        await desk.get_by_role("button", name="Yes, decide this").click()
        await ben.wait_for(lambda push: push["push"] == "redacted")


async def test_what_one_does_about_a_post_stays_in_sight_while_others_write(
    site: ChatServer, sit_down: SitDown
) -> None:
    desk = await sign_in(await sit_down(site.url, viewport={"width": 1280, "height": 844}), await hire(site))
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "acting")
        await go_in(desk, NAME)
        await say(ben, "acting", *(f"evening {n}" for n in range(30)), "the one in question")
        row = desk.locator(".room-log li").filter(has_text="the one in question")
        await row.get_by_role("button", name=re.compile("^What you can do")).click()
        await row.get_by_role("button", name="Message them").click()
        field = row.locator("form:visible").get_by_label("What you would like to tell them")
        await field.fill("Are you")
        await desk.locator(".room-log").evaluate("(log) => { log.scrollTop = log.scrollHeight; }")
        await expect(field).to_be_in_viewport(ratio=1)
        await say(ben, "acting", *(f"later {n}" for n in range(20)))
        await expect(desk.locator(".room-log li").filter(has_text="later 19")).to_have_count(1)
        await expect(field).to_be_in_viewport(ratio=1)
        await expect(field).to_be_focused()


async def test_what_was_added_to_a_report_is_read_before_it_is_closed(site: ChatServer, sit_down: SitDown) -> None:
    desk = await sign_in(await sit_down(site.url), await hire(site))
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "missing")
        await ben.ask("post", room="missing", text="I want to kill myself, I mean it")
        report = desk.get_by_role("button", name=re.compile("Self-harm or suicide")).filter(has_text="nobody has it")
        await report.filter(has_text=re.compile("A room with a gap")).first.click()
        await desk.get_by_role("button", name="Take it", exact=True).click()
        await desk.get_by_role("button", name="Show what was written").click()
        title = desk.get_by_role("heading", level=1, name=re.compile("Self-harm or suicide"))
        await expect(title).to_contain_text("Soon: ")
        own = desk.get_by_label("Note for the others")
        await own.fill("I am writing to them")
        await ben.ask("post", room="missing", text="I have the pills here to kill myself")
        await expect(title).to_contain_text("Now: ")
        await desk.get_by_role("button", name="Look again").click()
        await expect(desk.get_by_label("Why you read it")).to_be_focused()
        # Having pressed it is not having looked.
        await desk.get_by_role("button", name="Close it", exact=True).click()
        await desk.get_by_label("What came of it").select_option("handled")
        await desk.get_by_role("button", name="Close this report").click()
        await expect(desk.get_by_role("alert").filter(has_text="Something was added.")).to_be_visible()
        await desk.get_by_role("button", name="Show what was written").click()
        await expect(desk.locator(".snapshot")).to_contain_text("I have the pills here")
        await expect(own).to_have_value("I am writing to them")
        await desk.get_by_role("button", name="Close this report").click()
        await expect(desk.locator(".done").filter(has_text="Closed")).to_be_visible()
