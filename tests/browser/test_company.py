"""Company while waiting: somebody who sits there, and the host at the staff page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import SitDown
from tests.browser.console import Console, hire
from tests.browser.eyes import FAR_APART, faults
from tests.browser.facilitator import a_facilitator
from tests.browser.listener import a_listener
from tests.browser.person import Person
from tests.browser.seeker import ask, heading, on_page, press
from tests.browser.site import open_site
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(180)

_TALL = 1_600


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    with open_site(listening={"company_gone_seconds": 10.0, "company_rest_minutes": 0.0}) as server:
        yield server


async def host_at_page(person: Person, site: ChatServer, name: str) -> Page:
    """A facilitator who keeps company at the staff page, and was in a hurry."""
    login = await hire(site, name, "facilitator")
    console = Console(person)
    await console.sign_in(login)
    await console.turn_to("Company")
    switch = person.page.get_by_role("switch", name="Keep company with people who wait")
    await expect(switch).to_have_attribute("aria-checked", "false")
    await switch.dblclick()
    await expect(switch).to_have_attribute("aria-checked", "true")
    return person.page


async def take_seat(person: Person) -> None:
    """By the offer and its agreement, pressed twice."""
    await press(person, "Sit with them").click()
    await expect(on_page(person, "No advice, unless somebody asks for it.")).to_be_visible()
    await press(person, "I agree, sit down").dblclick()
    await expect(person.writing).to_be_visible()


async def test_somebody_sits_with_others_until_their_listener_comes(sit_down: SitDown, site: ChatServer) -> None:
    ann, robin = await sit_down(site.url), await sit_down(site.url)
    page = await host_at_page(robin, site, "Robin Vale")
    await expect(page.get_by_text("Nobody sits with you yet.")).to_be_visible()
    await ann.arrive()
    own = await ann.name()
    await ask(ann)
    await expect(on_page(ann, "Robin Vale keeps the room.")).to_be_visible()
    assert await faults(ann.page, "company-offer", height=_TALL, looks=FAR_APART) == []
    await press(ann, "No, thank you").click()
    await press(ann, "Sit with others who wait").click()
    await take_seat(ann)
    await expect(heading(ann, "You're next.")).to_be_visible()
    seats = ann.page.get_by_role("list", name="Who sits here")
    await expect(seats.get_by_role("listitem")).to_have_count(2)
    await expect(seats).to_contain_text("keeps the room")

    await page.get_by_role("textbox", name="Write to those who wait").fill("Welcome. Sit as long as you like.")
    await page.get_by_role("button", name="Send", exact=True).click()
    await ann.sees("Welcome. Sit as long as you like.")
    await ann.say("thank you, it is a long night")
    await expect(page.get_by_text("thank you, it is a long night")).to_be_visible()
    async with ChatClient(site.ws_url) as other:
        standing = await other.ask("ask", agreement=True)
        await other.ask("sit", company=standing["offer"]["id"])
        await expect(seats.get_by_role("listitem")).to_have_count(3)
        await other.ask("unask")
    await expect(seats.get_by_role("listitem")).to_have_count(2)
    assert await faults(ann.page, "company", looks=FAR_APART) == []
    assert await faults(page, "company-host", looks=FAR_APART) == []

    await ann.writing.fill("what I was about to say")
    await ann.page.reload()
    await expect(ann.writing).to_have_value("what I was about to say")
    async with a_listener(site) as heron:
        await heron.listen()
        await heron.accept()
        theirs = ann.page.get_by_role("textbox", name=f"Write to {heron.name}")
        await expect(theirs).to_have_value("what I was about to say")
        await expect(on_page(ann, "Your listener is here.")).to_be_visible()
        await expect(page.locator(".company-left").get_by_text(f"{own} has gone to their listener.")).to_be_visible()
        await ann.page.get_by_role("button", name="All right").click()
        await expect(theirs).to_be_focused()


async def test_a_host_whose_line_drops_is_waited_for_or_replaced(sit_down: SitDown, site: ChatServer) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    async with a_facilitator(site) as first, a_facilitator(site) as second:
        await first.client.ask("host", on=True)
        await ask(ann)
        await take_seat(ann)
        first.client.abort()
        quiet = ann.page.locator("#company-quiet")
        await expect(quiet).to_contain_text("Nobody keeps the room at this moment", timeout=40_000)
        await ann.writing.fill("are you there")
        await ann.writing.press("Enter")
        await expect(ann.writing).to_have_value("are you there")
        company = (await second.client.ask("host", on=True))["company"]
        assert [each["role"] for each in company["people"]] == ["host", "seeker"]
        await expect(quiet).to_be_hidden()
        await ann.writing.press("Enter")
        await ann.sees("are you there")
        await press(ann, "Leave the company").click()
        await expect(on_page(ann, "You are not in the company any more.")).to_be_visible()
        await expect(press(ann, "Leave the line")).to_be_visible()
        await second.client.ask("host", on=False)
