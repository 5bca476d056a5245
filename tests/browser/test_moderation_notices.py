"""What moderators tell somebody is seen where they read, whatever their window, and before they write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import ViewportSize, expect

from tests.browser.conftest import SitDown
from tests.browser.eyes import photograph
from tests.browser.person import Person
from tests.browser.site import join, open_site, room, say
from tests.browser.test_moderating import hire, signed_in
from tests.kit.client import ChatClient
from tests.kit.marks import new_mark
from tests.kit.server import ChatServer

NARROW: Final = (390, 844)
WINDOWS: Final = [NARROW, (1280, 800), (844, 390)]
NAME: Final = "A room with words"


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    with open_site([room("words", NAME, position=-1), room("others", "Another room", position=-2)]) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def moderator(site: ChatServer) -> AsyncIterator[ChatClient]:
    """Somebody at work without a page, in whose time much has been said already."""
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "words")
        await say(ben, "words", *(f"line {n} of a long evening" for n in range(25)))
    token = await signed_in(site, await hire(site))
    async with ChatClient(site.ws_url, hello=False) as client:
        await client.ask("hello", staff=True, token=token)
        yield client


async def sits_down(site: ChatServer, sit_down: SitDown) -> tuple[Person, int]:
    """Somebody in a room with many posts, the last of which is theirs."""
    ann = await (await sit_down(site.url, viewport=_window(NARROW))).arrive()
    await ann.enter(NAME)
    said = f"I am not sure that I want to be here tomorrow {new_mark()}"
    await ann.say(said)
    row = ann.post(said)
    return ann, int(await row.get_attribute("data-offset") or 0)


def _window(size: tuple[int, int]) -> ViewportSize:
    return {"width": size[0], "height": size[1]}


async def test_a_private_notice_is_seen_where_one_reads_in_any_window(
    site: ChatServer, sit_down: SitDown, moderator: ChatClient
) -> None:
    ann, offset = await sits_down(site, sit_down)
    page = ann.page
    card = page.get_by_role("region", name="From the moderators")
    for size in WINDOWS:
        await page.set_viewport_size(_window(size))
        await page.evaluate("() => scrollTo(0, document.documentElement.scrollHeight / 2)")
        reason = f"Are you safe right now, at {size[0]} x {size[1]}?"
        await moderator.ask("measure", kind="notice", room="words", offset=offset, minutes=60, reason=reason)
        await expect(card).to_contain_text(reason)
        await expect(card).to_be_in_viewport(ratio=1)
        await expect(page.locator("#say-now")).to_contain_text(reason)
        await photograph(page, f"notice-{size[0]}")
        # It comes along into the lobby and back, and says nothing twice.
        await ann.go_back_to_lobby()
        await expect(card).to_be_in_viewport(ratio=1)
        await page.mouse.wheel(0, 4_000)
        await expect(card).to_be_in_viewport(ratio=1)
        await ann.enter(NAME)
        await expect(card).to_be_in_viewport(ratio=1)
        await expect(ann.writing).to_be_visible()
        await card.get_by_role("button", name="I have read this").click()
        await expect(card).to_be_hidden()
        await expect(ann.writing).to_be_focused()


async def test_who_is_muted_is_told_before_they_write_and_keeps_what_they_wrote(
    site: ChatServer, sit_down: SitDown, moderator: ChatClient
) -> None:
    ann, offset = await sits_down(site, sit_down)
    page = ann.page
    await ann.writing.fill("half a thought")
    await moderator.ask("measure", kind="mute", room="words", offset=offset, minutes=60, reason="Please take a breath.")
    card = page.get_by_role("region", name="From the moderators")
    note = page.locator(".muted-note")
    await expect(note).to_contain_text("You can read here, but not write until")
    await expect(note).to_be_in_viewport(ratio=1)
    await card.get_by_role("button", name="I have read this").click()
    await expect(card).to_be_hidden()
    await photograph(page, "muted")
    # Whoever cannot see the note hears it with the field.
    described = await ann.writing.get_attribute("aria-describedby") or ""
    assert "muted-note" in described.split()
    await ann.writing.press("Enter")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator("#say-now")).to_contain_text("not write until")
    await expect(ann.writing).to_have_value("half a thought")
    await expect(ann.post("half a thought")).to_have_count(0)
    # After a reload it is said before they write.
    await page.reload()
    await expect(note).to_contain_text("You can read here, but not write until")
    await expect(ann.writing).to_have_value("half a thought")
    await note.get_by_role("button", name="Answer the moderators").click()
    field = card.get_by_label("What would you like moderators to know?")
    await expect(field).to_be_focused()
    await field.fill("I was upset.")
    await card.get_by_role("button", name="Send this to the moderators").click()
    await expect(card).to_contain_text("You answered.")
    # Elsewhere they may write.
    await card.get_by_role("button", name="I have read this").click()
    await ann.go_back_to_lobby()
    await ann.enter("Another room")
    await expect(note).to_have_count(0)
    await ann.say("here I may write")


async def test_a_mute_that_is_lifted_lets_somebody_send_what_they_wrote(
    site: ChatServer, sit_down: SitDown, moderator: ChatClient
) -> None:
    ann, offset = await sits_down(site, sit_down)
    taken = await moderator.ask("measure", kind="mute", room="words", offset=offset, minutes=60, reason="A breath.")
    await expect(ann.page.locator(".muted-note")).to_be_visible()
    await ann.writing.fill("kept for later")
    await ann.writing.press("Enter")
    await expect(ann.post("kept for later")).to_have_count(0)
    await moderator.ask("lift", measure=taken["measure"], reason="They are calm.")
    await expect(ann.page.locator(".muted-note")).to_have_count(0)
    await ann.writing.press("Enter")
    await ann.sees("kept for later")


async def test_a_decision_that_was_put_away_and_answered_can_be_read_again(
    site: ChatServer, sit_down: SitDown, moderator: ChatClient
) -> None:
    ann, offset = await sits_down(site, sit_down)
    page = ann.page
    await moderator.ask("measure", kind="mute", room="words", offset=offset, minutes=60, reason="Please breathe.")
    card = page.get_by_role("region", name="From the moderators")
    await card.get_by_role("button", name="Answer them, once").click()
    await card.get_by_label("What would you like moderators to know?").fill("I was upset.")
    await card.get_by_role("button", name="Send this to the moderators").click()
    await expect(card).to_contain_text("You answered.")
    await card.get_by_role("button", name="I have read this").click()
    await expect(card).to_be_hidden()
    await page.reload()
    await page.get_by_role("button", name="Why?", exact=True).click()
    await expect(card).to_contain_text("Please breathe.")
    await expect(card.get_by_role("button", name="I have read this")).to_be_focused()
    await expect(card).to_contain_text("Please breathe.")


async def test_what_moderators_said_goes_with_the_person_to_whom_they_said_it(
    site: ChatServer, sit_down: SitDown, moderator: ChatClient
) -> None:
    ann, offset = await sits_down(site, sit_down)
    page = ann.page
    await moderator.ask("measure", kind="notice", room="words", offset=offset, minutes=60, reason="You wrote of pills.")
    card = page.get_by_role("region", name="From the moderators")
    await expect(card).to_contain_text("You wrote of pills.")
    await ann.go_back_to_lobby()
    await ann.open_own_corner()
    await expect(card).to_contain_text("You wrote of pills.")
    await page.get_by_role("button", name="Forget me here", exact=True).click()
    await page.get_by_role("button", name="Yes, forget me here").click()
    await expect(page.get_by_text("This browser no longer knows you.")).to_be_visible()
    await expect(card).to_be_hidden()
    assert "You wrote of pills." not in await page.content()
    await page.get_by_role("button", name="Come in as somebody new").click()
    await ann.sees_lobby()
    await expect(card).to_be_hidden()
