"""Facilitators at their page: a group from its template to its end, and its meetings with the keyboard alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import SitDown
from tests.browser.console import Console, hire
from tests.browser.eyes import BEYOND, faults
from tests.browser.facilitator import Facilitator, a_facilitator
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(180)
_ABOUT = "For everybody who cannot come to rest at night."


@pytest_asyncio.fixture(loop_scope="session")
async def kim(site: ChatServer) -> AsyncIterator[Facilitator]:
    """Another facilitator, on the wire: a new one in each test, because hosts rest for an hour after a meeting."""
    async with a_facilitator(site) as facilitator:
        yield facilitator


class Host:
    """A facilitator at the page."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.page: Page = console.page
        self.next = self.page.locator(".host-next")
        self.phase = self.page.locator(".host-phase")
        self.log = self.page.get_by_role("log")

    # What they do, with the keyboard

    async def to(self, target: Locator, most: int = 80) -> None:
        await expect(target).to_be_visible()
        for _ in range(most):
            if await target.evaluate("(e) => e === document.activeElement"):
                return
            await self.page.keyboard.press("Tab")
        await expect(target).to_be_focused()

    async def press(self, name: str) -> None:
        await self.press_at(self.console.press(name))

    async def press_at(self, target: Locator) -> None:
        await self.to(target)
        await self.page.keyboard.press("Enter")

    async def type_into(self, label: str, words: str) -> None:
        await self.to(self.page.get_by_label(label))
        await self.page.keyboard.press("ControlOrMeta+a")
        await self.page.keyboard.type(words)

    async def go_on(self, phase: str) -> None:
        """Press "Next" once, when it can be pressed; the meeting comes to this part."""
        await self.ready()
        await self.page.keyboard.press("Alt+Enter")
        await expect(self.phase).to_have_text(phase)

    async def ready(self) -> None:
        await expect(self.page.locator(".host-next:not([aria-disabled], [data-pressed])")).to_be_visible(timeout=30_000)

    # What they see

    @property
    def holder(self) -> Locator:
        return self.page.locator(".host-people .has-turn b")


def name_of(client: ChatClient) -> str:
    """The name that they came with."""
    return str(client.hello_ok["member"]["name"])


async def sit_at_groups(site: ChatServer, sit_down: SitDown, name: str) -> Host:
    host = Host(Console(await sit_down(site.url, reduced_motion="reduce")))
    await host.console.sign_in(await hire(site, name, "facilitator"))
    await expect(host.page.get_by_role("heading", name="My groups")).to_be_visible()
    return host


async def test_a_circle_from_its_template_to_its_end_with_the_keyboard_alone(
    site: ChatServer, sit_down: SitDown, kim: Facilitator
) -> None:
    mira = await sit_at_groups(site, sit_down, "Mira Harbourne")
    page = mira.page
    await mira.press("Begin with Equal circle")
    await expect(page.get_by_role("heading", name="Open a group")).to_be_focused()
    await mira.type_into("Name of the group", "Late circle")
    await mira.type_into("Who is it for?", _ABOUT)
    for box in ("Nobody answers after a turn", name_of(kim.client)):
        await mira.to(page.get_by_role("checkbox", name=box))
        await page.keyboard.press("Space")
    await mira.press("Open the group")
    await expect(page.get_by_role("heading", name="Plan dates of Late circle")).to_be_focused()
    await mira.press("Show the dates")
    await expect(page.get_by_role("heading", name="This is the date:")).to_be_focused()
    await mira.press("Plan this date")
    card = page.get_by_role("region", name="Late circle")
    await expect(card.get_by_text("0 of 6 seats taken")).to_be_visible()

    # Her co-host plans a meeting that begins at once, and comes, too.
    groups = (await kim.client.ask("groups"))["groups"]
    kim.group = next(each["id"] for each in groups if each["name"] == "Late circle")
    (meeting,) = await kim.plan(8)
    await page.reload()
    await mira.press_at(card.get_by_role("button", name="Go in: Late circle"))
    await expect(mira.phase).to_have_text("Arriving")
    await kim.enter(meeting)
    wren, robin = await kim.guests(meeting, 2)
    speaker = {name_of(wren): wren, name_of(robin): robin}
    await expect(page.locator(".host-people li")).to_have_count(4)

    await mira.go_on("Welcome")
    line = await page.locator(".host-line").inner_text()
    await mira.press("Put it in my message")
    await page.keyboard.press("Enter")
    await wren.wait_for(lambda push: push["push"] == "posted" and push["post"]["text"] == line)
    await mira.go_on("Check-in")
    await robin.ask("post", room=meeting, text="Tired, and glad to be here.")
    await expect(page.locator(".host-people li").filter(has_text=name_of(robin))).to_contain_text("has written")
    await mira.go_on("Time to think")
    await mira.go_on("Sharing")

    # A reload in the middle of a turn leads back to it.
    await page.reload()
    await expect(mira.phase).to_have_text("Sharing")
    first = await mira.holder.inner_text()
    await speaker[first].ask("post", room=meeting, text="I cannot rest.")
    await expect(mira.log.get_by_text("I cannot rest.")).to_be_visible()

    # Pressed twice it is one step: the other one has the turn now.
    (second,) = {*speaker} - {first}
    await mira.ready()
    await mira.to(mira.next)
    for _ in range(2):
        await page.keyboard.press("Enter")
    await expect(mira.holder).to_have_text(second)
    await speaker[second].ask("post", room=meeting, text="And I.")
    # The other host saw the step before that one: hers is not another.
    view = await kim.view(meeting)
    await kim.client.ask("step", meeting=meeting, seen=view["step"] - 1)
    assert (await kim.view(meeting))["turn"] == view["turn"]
    # What she does herself is shown here.
    await kim.step(meeting)
    await expect(mira.phase).to_have_text("Open time")

    await mira.go_on("Closing")
    await mira.ready()
    await page.keyboard.press("Alt+Enter")
    await expect(page.get_by_text("The meeting has ended.")).to_be_visible()
    await expect(mira.log.get_by_text("And I.")).to_be_visible()


async def test_a_refused_change_keeps_the_words_and_both_find_their_way_into_the_group(
    site: ChatServer, sit_down: SitDown, kim: Facilitator
) -> None:
    page = (mira := await sit_at_groups(site, sit_down, "Mira Lindgren")).page
    me = next(
        each for each in (await kim.client.ask("facilitators"))["facilitators"] if each["name"] == "Mira Lindgren"
    )
    group = await kim.open_group(name="Shared circle", cohosts=[me["id"]])
    later, _ = await kim.plan(90_000, 180_000)
    await page.reload()
    await page.get_by_role("button", name="Change Shared circle").click()
    await page.get_by_label("Who is it for?").fill(_ABOUT + " And for me.")
    await kim.client.ask("change_group", group=group, seen=1, name="Shared evening", seats=8)
    await mira.console.press("Save").click()
    refused = page.get_by_role("alert").filter(has_text="Somebody changed this group while you were writing")
    await expect(refused).to_contain_text("name and seats")
    await expect(page.get_by_label("Who is it for?")).to_have_value(_ABOUT + " And for me.")
    await expect(page.get_by_label("Name of the group")).to_have_value("Shared evening")
    # What is not saved yet outlives a reload.
    await page.reload()
    await page.get_by_role("button", name="Change Shared evening").click()
    await expect(page.get_by_label("Who is it for?")).to_have_value(_ABOUT + " And for me.")
    await mira.console.press("Save").click()
    card = page.get_by_role("region", name="Shared evening")
    await expect(card.get_by_text("And for me.")).to_be_visible()
    await expect(card.get_by_text("0 of 8 seats taken")).to_have_count(2)

    await card.get_by_role("button", name="Call off").first.click()
    await expect(card.get_by_role("textbox", name="Why (people who signed up read this)")).to_be_focused()
    await page.keyboard.type("I am ill.")
    await mira.console.press("Yes, call it off").click()
    await expect(page.get_by_text("This date is called off.").first).to_be_visible()
    assert (await kim.view(later))["why"] == "I am ill."
    await card.get_by_role("button", name="End the group Shared evening").click()
    await mira.console.press("Yes, end the group").click()
    await expect(card).to_have_count(0)


async def test_no_violation_nothing_too_small_and_nothing_beyond_the_edge_on_any_screen(
    site: ChatServer, sit_down: SitDown, kim: Facilitator
) -> None:
    page = (mira := await sit_at_groups(site, sit_down, "Mira Okafor")).page
    found: list[str] = []

    async def look(screen: str) -> None:
        found.extend(await faults(page, screen))
        for width in (320, 640):
            await page.set_viewport_size({"width": width, "height": 640})
            found.extend(f"{screen}, {width}: {what}" for what in await page.evaluate(BEYOND, width))
        await page.set_viewport_size({"width": 1280, "height": 800})

    await look("no group")
    me = next(each for each in (await kim.client.ask("facilitators"))["facilitators"] if each["name"] == "Mira Okafor")
    await kim.open_group(form="hands", name="Open evening", minutes={"gather": 1}, cohosts=[me["id"]])
    (meeting,) = await kim.plan(8)
    await page.reload()
    await mira.console.press("Begin with Tools hour").click()
    await mira.console.press("Open the group").click()
    await expect(page.get_by_role("alert").filter(has_text="please write something here")).to_be_visible()
    await look("form with a fault")
    await mira.console.press("Back to my groups").click()
    await page.get_by_role("button", name="Plan dates of Open evening").click()
    await page.get_by_label("How often").select_option(label="Every two weeks")
    await page.get_by_label("Time zone").fill("Pacific/Auckland")
    await mira.console.press("Show the dates").click()
    await expect(page.get_by_text("by your clock").first).to_be_visible()
    await look("dates")
    await mira.console.press("Change something").click()
    await mira.console.press("Back to my groups").click()
    await page.get_by_role("button", name="Go in: Open evening").click()
    await kim.enter(meeting)
    wren, robin = await kim.guests(meeting, 2)
    await robin.ask("rename", name="verylongnamewithoutplace")
    await mira.go_on("Welcome")
    await kim.go_to(meeting, "hands")
    for each in (wren, robin):
        await each.ask("raise", meeting=meeting, on=True)
    await expect(mira.holder).to_have_text(name_of(wren))
    await page.get_by_role("button", name="Call on verylongname").click()
    await page.get_by_role("button", name=f"Send {name_of(wren)} out").click()
    await page.get_by_text("More", exact=True).click()
    await mira.console.press("End it because of danger").click()
    await look("a turn")
    await page.set_viewport_size({"width": 390, "height": 844})
    for part in ("People", "Room", "Script"):
        await page.get_by_role("group", name="Parts of the meeting").get_by_role("button", name=part).click()
        bar = await mira.next.bounding_box()
        assert bar is not None
        assert 640 < bar["y"] + bar["height"] <= 844, part
    await mira.console.press("Stay").click()
    await mira.console.press("Pause").click()
    await expect(mira.next).to_contain_text("Go on")
    await look("paused")
    assert found == []
