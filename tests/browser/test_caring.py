"""What somebody is shown who wrote of something heavy, and the human who is told of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import SitDown
from tests.browser.eyes import FAR_APART, photograph, violations
from tests.browser.house import join, open_house
from tests.browser.screens import ROOMS
from tests.browser.test_moderating import ROOM, hire, sign_in
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def house() -> Iterator[ChatServer]:
    with open_house(ROOMS) as server:
        yield server


@pytest.mark.parametrize(("scheme", "width"), FAR_APART)
async def test_help_is_offered_to_the_writer_alone_and_a_human_is_told(
    house: ChatServer, sit_down: SitDown, scheme: Any, width: int
) -> None:
    login = await hire(house)
    look: Any = {"color_scheme": scheme, "viewport": {"width": width, "height": 844}}
    mona, ann = await sit_down(house.url, **look), await sit_down(house.url, **look)
    desk = await sign_in(mona, login)
    async with ChatClient(house.ws_url) as ben:
        await join(ben, "walked")
        await ann.arrive()
        await ann.enter(ROOM)
        await ann.writing.fill("I can't sleep again.")
        await ann.writing.press("Enter")
        note = ann.page.get_by_role("status", name="Only you see this note")
        await expect(ann.log.locator(".pending")).to_have_count(0)
        await expect(note).to_have_count(0)
        await ann.writing.fill("I have the pills in front of me.")
        await ann.writing.press("Enter")
        await expect(note).to_contain_text("You don't have to carry it alone.")
        await expect(ann.log.get_by_role("article").last).to_contain_text("I have the pills in front of me.")
        last = await ann.log.get_by_role("article").last.bounding_box()
        above = await note.bounding_box()
        assert last is not None
        assert above is not None
        # What was written stays in sight, above the note.
        assert last["y"] >= 0
        assert last["y"] + last["height"] <= above["y"] + 1
        assert await violations(ann.page) == []
        assert await ann.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        await photograph(ann.page, f"care-{scheme}-{width}")
        await note.get_by_role("button", name="Who to call").click()
        await expect(ann.page.get_by_role("heading", name="Get help now")).to_be_visible()
        await photograph(ann.page, f"care-lines-{scheme}-{width}")
        await ann.page.keyboard.press("Escape")
        heard = await ben.wait_for(lambda push: "pills" in repr(push))
        assert "care" not in repr(heard)

        row = desk.locator("button.report").first
        await expect(row).to_contain_text("Now: Self-harm or suicide")
        await expect(row).to_contain_text("nobody has it")
        assert await violations(desk) == []
        await photograph(desk, f"escalation-queue-{scheme}-{width}")
        await row.click()
        await desk.get_by_role("button", name="Take it", exact=True).click()
        await desk.get_by_role("button", name="Show what was written").click()
        await expect(desk.locator(".snapshot .it")).to_contain_text("I have the pills in front of me.")
        await expect(desk.get_by_text("The words it went by")).to_be_visible()
        # Judged from its top: what lies half behind the head is no smaller for it.
        await desk.evaluate("scrollTo(0, 0)")
        assert await violations(desk) == []
        await photograph(desk, f"escalation-file-{scheme}-{width}")
        await desk.get_by_role("button", name="Close it", exact=True).click()
        await desk.get_by_label("What came of it").select_option("handled")
        await desk.get_by_role("button", name="Close this report").click()
        await expect(desk.get_by_role("button", name=re.compile("^Now: Self-harm"))).to_have_count(0)

        await note.get_by_role("button", name="Close").click()
        await expect(note).to_have_count(0)
        await expect(ann.writing).to_be_focused()


async def test_the_note_leads_to_a_listener(house: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(house.url)
    await ann.arrive()
    await ann.enter(ROOM)
    await ann.writing.fill("My husband hits me")
    await ann.writing.press("Enter")
    note = ann.page.get_by_role("status", name="Only you see this note")
    await expect(note).to_contain_text("it is not your fault")
    await note.get_by_role("button", name="A listener").click()
    await expect(ann.page.get_by_role("heading", name=re.compile("listener", re.IGNORECASE)).first).to_be_visible()
