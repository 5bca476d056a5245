"""Groups and their meetings as their members see them: from the list to the end of a circle, in a real browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import SitDown
from tests.browser.eyes import FAR_APART, faults
from tests.browser.facilitator import Facilitator, a_facilitator
from tests.browser.person import LOST_NETWORK, Person
from tests.browser.wire import Wire
from tests.kit.client import ChatClient, Message
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(180)

_DAY = 86_400
_TALL = 2_400
"""So high that nothing lies half behind what stays in sight."""


@pytest_asyncio.fixture(loop_scope="session")
async def sam(site: ChatServer) -> AsyncIterator[Facilitator]:
    async with a_facilitator(site) as facilitator:
        yield facilitator


async def look_at_group(person: Person, name: str) -> Page:
    """From the lobby to a group's page."""
    page = person.page
    await page.get_by_role("button", name="Groups that meet").click()
    await page.get_by_role("main").get_by_role("button", name=re.compile(f"^{name}")).click()
    await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    return page


async def go_in(person: Person, name: str) -> Locator:
    """From the lobby into a meeting whose doors are open; the strip above its log."""
    page = await look_at_group(person, name)
    await page.get_by_role("button", name=re.compile("^Go in: ")).click()
    await page.get_by_role("button", name="I agree, go in").click()
    await expect(person.writing).to_be_visible()
    return page.get_by_role("region", name="How the meeting goes")


async def holder(sam: Facilitator, meeting: str) -> str:
    """Whose turn it is, once somebody has it: their name."""
    view = await sam.seen(meeting, lambda view: "turn" in view)
    return next(str(each["name"]) for each in view["people"] if each["id"] == view["turn"]["holder"])


async def turn_moved(sam: Facilitator, meeting: str, name: str) -> None:
    """Wait until it is not this person's turn any more."""

    def is_so(view: Message) -> bool:
        holders = [each["name"] for each in view["people"] if each["id"] == view.get("turn", {}).get("holder")]
        return name not in holders

    await sam.seen(meeting, is_so)


def read(path: Path) -> str:
    return path.read_text("utf-8")


async def test_somebody_signs_up_for_a_group_and_saves_its_dates(
    sit_down: SitDown, site: ChatServer, sam: Facilitator
) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    await sam.open_group(name="Morning circle")
    first, second = await sam.plan(2 * _DAY, 9 * _DAY)
    page = ann.page
    await page.get_by_role("button", name="Groups that meet").click()
    card = page.get_by_role("main").get_by_role("button", name=re.compile("^Morning circle"))
    await expect(card).to_contain_text("Everyone gets an equal turn · English · about ")
    await expect(card).to_contain_text("all 6 seats are free")
    assert await faults(page, "groups", height=_TALL) == []
    await card.click()
    await page.get_by_role("button", name="Sign up for all of them").click()
    await expect(page.get_by_role("status").filter(has_text="You're signed up.")).to_be_focused()
    await expect(page.get_by_text("You have a seat.")).to_have_count(2)
    await expect(page.get_by_text("make a come-back code")).to_be_visible()

    await page.get_by_role("button", name="Save to a calendar").click()
    assert await faults(page, "group", height=_TALL) == []
    async with page.expect_download() as saving:
        await page.get_by_role("button", name="Save the file").click()
    saved = await saving.value
    assert saved.suggested_filename == "reminder.ics"
    file = read(await saved.path())
    assert (file.count("SUMMARY:Reminder"), file.count("URL:")) == (2, 0)
    await page.get_by_label("Put the address of this page in it").check()
    await page.get_by_label("What it is called there").fill("Tea")
    async with page.expect_download() as saving:
        await page.get_by_role("button", name="Save the file").click()
    file = read(await (await saving.value).path())
    assert "SUMMARY:Tea" in file
    assert f"URL:{site.url}/" in file

    await page.get_by_role("button", name=re.compile("^Sign off")).first.click()
    await expect(page.get_by_text("You have a seat.")).to_have_count(1)
    # The other one is called off while they are elsewhere, and that is told when they look again.
    await ann.go_back_to_lobby()
    await page.reload()
    await ann.sees_lobby()
    await sam.client.ask("cancel", meeting=second, why="I am ill.")
    await page.get_by_role("button", name="Groups that meet").click()
    told = page.get_by_role("listitem").filter(has_text="was called off")
    await expect(told).to_contain_text("The facilitator writes: I am ill.")
    await told.get_by_role("button", name="OK").click()
    await expect(told).to_have_count(0)
    assert first in {each["id"] for each in (await sam.client.ask("groups"))["groups"][0]["dates"]}


async def test_a_circle_from_its_doors_to_its_end(sit_down: SitDown, site: ChatServer, sam: Facilitator) -> None:
    async with Wire(site.port) as wire:
        ann, ben = await sit_down(wire.url), await sit_down(site.url)
        ann.forgive(LOST_NETWORK)
        for person in (ann, ben):
            await person.arrive()
        own_name = await ann.name()
        await sam.open_group()
        (meeting,) = await sam.plan(8)
        await sam.enter(meeting)
        strip = await go_in(ann, "Evening circle")
        await go_in(ben, "Evening circle")
        guests = await sam.guests(meeting, 2)
        page = ann.page
        await expect(strip).to_contain_text("We begin at")
        await ann.say("good evening")
        await ben.sees("good evening")

        # What cannot be sent yet is kept where it was written.
        await sam.go_to(meeting, "welcome")
        await expect(strip).to_contain_text("welcomes everybody")
        await ann.writing.fill("i cannot sleep")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert").filter(has_text="What you write is kept here.")).to_have_count(1)
        await expect(ann.writing).to_have_value("i cannot sleep")
        assert await faults(page, "meeting, closed", height=_TALL, looks=FAR_APART) == []
        await ann.writing.fill("")

        # How one is, by touch; and a line is refused that is too long for the round.
        await sam.go_to(meeting, "checkin")
        await page.get_by_text("How are you?").click()
        for temper, feeling in (("low", "tired"), ("lively", "hopeful")):
            await page.get_by_role("button", name=temper, exact=True).click()
            await page.get_by_role("button", name=re.compile(f"^{feeling}:")).click()
        assert await faults(page, "meeting, check-in", height=_TALL, looks=FAR_APART) == []
        await page.get_by_role("button", name="Say: tired, hopeful").click()
        await ben.sees("tired, hopeful")
        await expect(page.get_by_text("How are you?")).to_be_hidden()
        await expect(page.locator("#meeting-closed")).to_contain_text("one line in this round")
        await ben.writing.fill("x" * 201)
        await expect(ben.page.locator("#meeting-closed")).to_have_text("one character too many for one line here.")
        await ben.page.get_by_role("button", name="Pass", exact=True).click()
        await ben.writing.fill("")

        # Written beforehand, and sent when the turn has come. It is read aloud at once.
        await sam.go_to(meeting, "prepare")
        await ann.writing.fill("i have not slept since tuesday")
        await sam.go_to(meeting, "share")
        assert await faults(page, "meeting, share", height=_TALL, looks=FAR_APART) == []
        # Somebody is still to come when it is her turn.
        await ben.page.get_by_role("button", name="Go last").click()
        await expect(ben.page.get_by_role("button", name="Go last")).to_have_count(0)
        for _ in range(4):
            whose = await holder(sam, meeting)
            if (guest := next((each for each in guests if name_of(each) == whose), None)) is not None:
                await expect(strip).to_contain_text(f"{whose} is sharing")
                await guest.ask("finish", meeting=meeting)
            elif whose == own_name:
                await expect(page.get_by_role("alert").filter(has_text="It's your turn: ")).to_have_count(1)
                await page.get_by_role("button", name="Send", exact=True).click()
                await ben.sees("i have not slept since tuesday")
                # Cut off, written to the last, and too late.
                wire.cut()
                await expect(ann.link).to_be_visible()
                await ann.write("and one thing more")
                await sam.step(meeting)
                await turn_moved(sam, meeting, whose)
                wire.mend()
                await ann.network_returns()
                await expect(ann.writing).to_have_value("and one thing more")
                await expect(page.locator("#writing-note")).to_contain_text("Your turn had just ended. Your words are")
            else:
                await ben.write("done")
                await expect(ben.page.get_by_role("button", name="I'm done")).to_have_count(0)
                await expect(ben.writing).to_have_value("")
            await turn_moved(sam, meeting, whose)
        await sam.seen(meeting, lambda view: view["phases"][view["phase"]]["kind"] == "open")

        # After a reload the page is in the meeting again, with the draft; elsewhere a line leads back.
        await page.reload()
        await expect(strip).to_contain_text("Open time")
        await expect(ann.writing).to_have_value("and one thing more")
        await ben.say("thank you all")
        await ann.sees("thank you all")
        await ann.go_back_to_lobby()
        await page.get_by_role("complementary", name="Your meeting").get_by_role("button", name="Go there").click()
        await expect(strip).to_be_visible()
        await sam.client.ask("pause", meeting=meeting, on=True)
        await expect(strip).to_contain_text("paused the meeting")
        await sam.client.ask("pause", meeting=meeting, on=False)

        await sam.go_to(meeting, "closing")
        await expect(strip).to_contain_text("One thing you take with you")
        await sam.client.ask("end_meeting", meeting=meeting)
        await expect(page.get_by_role("heading", name="The meeting is over")).to_be_visible()
        await expect(page.get_by_role("main")).to_contain_text("What was written is removed for everybody at")
        await expect(ann.writing).to_be_hidden()
        assert await faults(page, "meeting, over", height=_TALL, looks=FAR_APART) == []


def name_of(guest: ChatClient) -> str:
    return str(guest.hello_ok["member"]["name"])


async def test_with_raised_hands_the_keys_do_what_the_buttons_do(
    sit_down: SitDown, site: ChatServer, sam: Facilitator
) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    minutes = {"gather": 1, "welcome": 1, "checkin": 1, "hands": 5, "closing": 1, "linger": 1}
    await sam.open_group(form="hands", name="Open hands", minutes=minutes)
    (meeting,) = await sam.plan(8)
    await sam.enter(meeting)
    strip = await go_in(ann, "Open hands")
    (robin,) = await sam.guests(meeting, 1)
    await sam.go_to(meeting, "hands")
    page = ann.page
    await robin.ask("raise", meeting=meeting, on=True)
    await expect(strip).to_contain_text(f"{name_of(robin)} is sharing.")
    await ann.writing.fill("!")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Take hand down")).to_be_visible()
    await expect(strip).to_contain_text("One hand is up. Yours is next.")
    await expect(ann.writing).to_have_value("")
    await page.keyboard.press("Alt+h")
    await expect(page.get_by_role("button", name="Raise hand")).to_be_visible()
    await page.get_by_role("button", name="Raise hand").press("Enter")
    await expect(page.get_by_role("button", name="Take hand down")).to_be_focused()
    assert await faults(page, "meeting, hands", height=_TALL, looks=FAR_APART) == []
    await robin.ask("finish", meeting=meeting)
    await expect(strip).to_contain_text("It's your turn.")
    await ann.say("thank you for waiting")
    await page.keyboard.press("Alt+d")
    await expect(strip).to_contain_text("No hand is up.")

    # "Leave now" leaves nothing of it in this browser.
    assert any("Open hands" in value or meeting in key + value for key, value in (await ann.kept()).items())
    await ann.may_leave()
    await page.get_by_role("link", name="Leave now").click()
    await page.wait_for_url("https://www.wikipedia.org/")


async def test_who_comes_late_listens_and_who_is_sent_out_is_told(
    sit_down: SitDown, site: ChatServer, sam: Facilitator
) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    await sam.open_group(name="Night circle")
    (meeting,) = await sam.plan(5)
    await sam.enter(meeting)
    guests = await sam.guests(meeting, 2)
    await guests[0].ask("post", room=meeting, text="between us")
    await sam.go_to(meeting, "share")
    strip = await go_in(ann, "Night circle")
    page = ann.page
    await expect(page.get_by_role("heading", name="You're here to listen")).to_be_visible()
    await expect(strip).to_contain_text("is sharing.")
    await expect(page.locator("#meeting-closed")).to_contain_text("You're listening.")
    await expect(ann.post("between us")).to_have_count(0)
    assert await faults(page, "meeting, late", height=_TALL, looks=FAR_APART) == []
    guests[1].abort()
    await expect(strip).to_contain_text(
        f"{name_of(guests[1])} has lost the connection. Their place is kept.", timeout=40_000
    )

    await page.get_by_role("button", name="Step out").click()
    await page.get_by_role("button", name="Yes, step out").click()
    await expect(page.get_by_text("You stepped out.")).to_be_visible()
    await page.get_by_role("button", name="I agree, go in").click()
    await expect(strip).to_be_visible()
    view = await sam.seen(meeting, lambda view: any(each["place"] == "listener" for each in view["people"]))
    (listener,) = (each["id"] for each in view["people"] if each["place"] == "listener")
    await sam.client.ask("send_out", meeting=meeting, member=listener, reason="A test of being sent out.")
    await expect(page.get_by_text("The facilitator asked you to leave this meeting.")).to_be_visible()
    await expect(ann.log).to_have_count(0)
    assert await faults(page, "meeting, sent out", height=_TALL, looks=FAR_APART) == []
