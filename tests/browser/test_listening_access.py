"""The listeners' page with the keyboard alone, and in every look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import SitDown
from tests.browser.console import PASSWORD, Console, hire, invite
from tests.browser.eyes import BEYOND, faults
from tests.browser.site import open_site
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def site() -> Iterator[ChatServer]:
    """One for each test: a listener of an earlier one is asked by nobody."""
    with open_site(listening={"languages": ["en", "de"], "pause_minutes": 5.0, "brief_seconds": 0}) as server:
        yield server


async def test_all_of_it_with_the_keyboard_alone(site: ChatServer, sit_down: SitDown) -> None:
    mira = Console(await sit_down(site.url))
    login = await hire(site, "Mira Harbourne")
    await mira.page.goto(f"{site.url}/listen.html")

    async def to(target: Locator, most: int = 60) -> None:
        await expect(target).to_be_visible()
        for _ in range(most):
            if await target.evaluate("(e) => e === document.activeElement"):
                return
            await mira.page.keyboard.press("Tab")
        await expect(target).to_be_focused()

    async def press(target: Locator) -> None:
        await to(target)
        await mira.page.keyboard.press("Enter")

    await to(mira.page.get_by_label("Sign-in name"))
    await mira.page.keyboard.type(login)
    await to(mira.page.get_by_label("Password", exact=True))
    await mira.page.keyboard.type(PASSWORD)
    await mira.page.keyboard.press("Enter")
    await press(mira.switch)
    await expect(mira.switch).to_be_checked()
    async with ChatClient(site.ws_url) as ann:
        await ann.ask("ask", agreement=True)
        await press(mira.press("Talk with them"))
        await to(mira.writing)
        await mira.page.keyboard.type("Hello, I have time.")
        await mira.page.keyboard.press("Enter")
        await expect(mira.panes.locator(".text")).to_have_text(["Hello, I have time."])
        await press(mira.press("More"))
        await press(mira.press("Report"))
        await expect(mira.page.get_by_role("combobox", name="What happened?")).to_be_focused()
        await mira.page.keyboard.press("Escape")
        await expect(mira.press("Report")).to_be_focused()
        await press(mira.press("End kindly"))
        await expect(mira.page.get_by_label("Your last line")).to_be_focused()
        await press(mira.press("Send this and end"))
        await expect(mira.panes.get_by_text("You ended this conversation.")).to_be_visible()


async def test_no_violation_nothing_too_small_and_nothing_beyond_the_edge_on_any_screen(
    site: ChatServer, sit_down: SitDown
) -> None:
    mira = Console(await sit_down(site.url, reduced_motion="reduce"))
    found: list[str] = []

    async def look(screen: str) -> None:
        found.extend(await faults(mira.page, screen))
        for width in (320, 640):
            await mira.page.set_viewport_size({"width": width, "height": 640})
            found.extend(f"{screen}, {width}: {what}" for what in await mira.page.evaluate(BEYOND, width))
        await mira.page.set_viewport_size({"width": 1280, "height": 800})

    await mira.page.goto(f"{site.url}/listen.html#invite={await invite(site, 'listener', 'operator')}")
    await mira.press("Make my account").wait_for()
    await look("invitation")
    # The link outlives a reload of its tab.
    await mira.page.reload()
    await mira.press("Make my account").wait_for()
    await mira.press("I have an account. Sign in instead").click()
    await mira.fill_in("nobody", "not the right one")
    await expect(mira.page.get_by_role("alert").filter(has_text="don't fit together")).to_be_visible()
    await look("sign-in")
    await mira.fill_in(await hire(site, "Mira Harbourne", "listener", "operator"))
    await expect(mira.switch).to_be_visible()
    await mira.turn_to("Practice")
    await mira.press("Begin").click()
    await mira.page.get_by_role("group", name="What do you say?").get_by_role("button").last.click()
    await mira.answer_check(wrong=0)
    await expect(mira.page.get_by_text("One answer is worth thinking about again").first).to_be_visible()
    await look("practice")
    for part in ("What I take on", "My account", "Team"):
        await mira.turn_to(part)
        await expect(mira.page.get_by_role("heading", name=part, level=1)).to_be_visible()
        if part == "My account":
            await mira.press("Turn it on").click()
            await expect(mira.press("Turn it on now")).to_be_visible()
            await mira.press("Sign out").click()
        if part == "Team":
            await mira.page.get_by_role("button", name="Take the account away").first.click()
            await mira.press("Make a link").click()
            await expect(mira.press("Copy")).to_be_visible()
        await look(part)
    await mira.turn_to("Listening")
    await look("away")
    await mira.listen()
    async with ChatClient(site.ws_url) as ann, ChatClient(site.ws_url) as ben:
        await ann.ask("ask", agreement=True, topics=["sleep", "loneliness"], need="think", heavy=3, minutes=30)
        await mira.accept()
        push = await ann.wait_for(lambda push: push["push"] == "standing" and push["state"] == "session")
        await ann.ask("join", room=push["session"]["id"])
        await ann.ask("post", room=push["session"]["id"], text="verylongwordwithoutanyplacetobreak" * 6)
        await ann.ask("post", room=push["session"]["id"], text="what I did", warning="loss")
        await mira.write("I read it. That is a lot.")
        await mira.press("What they said").click()
        await mira.open_more()
        for name in ("Ask a colleague", "Report", "Block", "Call a moderator silently"):
            await mira.press(name).first.click()
        await look("conversation")
        await mira.press("More").click()
        await ben.ask("ask", agreement=True)
        await mira.accept()
        await expect(mira.panes).to_have_count(2)
        post = await ben.wait_for(lambda push: push["push"] == "standing" and push["state"] == "session")
        await ben.ask("join", room=post["session"]["id"])
        await ben.ask("post", room=post["session"]["id"], text="what I did too", warning="loss")
        await expect(mira.panes.nth(1)).to_contain_text("May be hard to read")
        await look("two conversations")
        await ann.ask("end", session=push["session"]["id"])
        await expect(mira.panes.get_by_text("They ended this conversation.")).to_be_visible()
        await mira.press("Report").click()
        await look("ended")
        await mira.press("Cancel").click()
        await mira.press("Put it away").click()
        await expect(mira.page.get_by_role("region", name="Ended, and still kept")).to_be_visible()
        await look("put away")
    assert found == []
