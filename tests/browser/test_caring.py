"""What somebody is shown who wrote of something heavy, and the human who is told of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.async_api import expect

from tests.browser.conftest import SitDown
from tests.browser.eyes import FAR_APART, faults, photograph
from tests.browser.screens import ROOMS
from tests.browser.site import join, open_site
from tests.browser.test_moderating import ROOM, hire, sign_in
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(120)
_IN_SIGHT_ABOVE_THE_NOTE: Final = """() => {
    const last = [...document.querySelectorAll("[role=log] article")].at(-1).getBoundingClientRect();
    return last.top >= 0 && last.bottom <= document.querySelector(".care").getBoundingClientRect().top + 1;
}"""


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    with open_site(ROOMS) as server:
        yield server


async def test_help_is_offered_to_the_writer_alone_and_a_human_is_told(site: ChatServer, sit_down: SitDown) -> None:
    login = await hire(site)
    look: Any = {"viewport": {"width": 390, "height": 844}}
    mona, ann = await sit_down(site.url, **look), await sit_down(site.url, **look)
    desk = await sign_in(mona, login)
    async with ChatClient(site.ws_url) as ben:
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
        for width in (390, 1280):
            await ann.page.set_viewport_size({"width": width, "height": 844})
            # What was written stays in sight, above the note: as soon as the log has heard of its new size.
            await ann.page.wait_for_function(_IN_SIGHT_ABOVE_THE_NOTE)
        assert await faults(ann.page, "care", looks=FAR_APART) == []
        await note.get_by_role("button", name="Who to call").click()
        await expect(ann.page.get_by_role("heading", name="Get help now")).to_be_visible()
        await photograph(ann.page, "care-lines")
        await ann.page.keyboard.press("Escape")
        heard = await ben.wait_for(lambda push: "pills" in repr(push))
        assert "care" not in repr(heard)

        row = desk.locator("button.report").first
        await expect(row).to_contain_text("Now: Self-harm or suicide")
        await expect(row).to_contain_text("nobody has it")
        assert await faults(desk, "escalation-queue", looks=FAR_APART) == []
        await row.click()
        await desk.get_by_role("button", name="Take it", exact=True).click()
        await desk.get_by_role("button", name="Show what was written").click()
        await expect(desk.locator(".snapshot .it")).to_contain_text("I have the pills in front of me.")
        await expect(desk.get_by_text("The words it went by")).to_be_visible()
        assert await faults(desk, "escalation-file", looks=FAR_APART) == []
        await desk.get_by_role("button", name="Close it", exact=True).click()
        await desk.get_by_label("What came of it").select_option("handled")
        await desk.get_by_role("button", name="Close this report").click()
        await expect(desk.get_by_role("button", name=re.compile("^Now: Self-harm"))).to_have_count(0)

        await note.get_by_role("button", name="Close").click()
        await expect(note).to_have_count(0)
        await expect(ann.writing).to_be_focused()


async def test_the_note_leads_to_a_listener(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    await ann.enter(ROOM)
    note = ann.page.get_by_role("status", name="Only you see this note")
    await ann.say("I want to die")
    await note.get_by_role("button", name="Not what I meant").click()
    await expect(note).to_have_count(0)
    await expect(ann.writing).to_be_focused()
    await ann.say("I said that I want to die")
    await ann.say("My husband hits me")
    # The first thing that is shown after the post in between.
    await expect(note).to_contain_text("it is not your fault")
    await note.get_by_role("button", name="A listener").click()
    await expect(ann.page.get_by_role("heading", name=re.compile("listener", re.IGNORECASE)).first).to_be_visible()
