"""The model beside the word lists, as its guess is shown to a writer, and its numbers to an operator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.browser.conftest import SitDown
from tests.browser.eyes import FAR_APART, faults
from tests.browser.screens import ROOMS
from tests.browser.site import open_site
from tests.browser.test_moderating import ROOM
from tests.browser.test_operators import at_work
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(180)

GUESSED = "if i dont wake up dont be sad about it"
"""Words that no list has and the shipped model marks."""


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    with open_site(ROOMS, has_model=True) as server:
        yield server


async def test_a_guess_offers_help_in_careful_words_and_takes_no_for_an_answer(
    site: ChatServer, sit_down: SitDown
) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    await ann.enter(ROOM)
    await ann.writing.fill(GUESSED)
    await ann.writing.press("Enter")
    note = ann.page.get_by_role("status", name="Only you see this note")
    await expect(note).to_contain_text("The server guessed this from your words, and may be wrong.")
    await expect(ann.log.get_by_role("article").last).to_contain_text(GUESSED)
    assert await faults(ann.page, "care-guess", looks=FAR_APART) == []
    await note.get_by_role("button", name="Not what I meant").press("Enter")
    await expect(note).to_have_count(0)
    await expect(ann.writing).to_be_focused()


async def test_an_operator_reads_what_is_marked_and_changes_it_by_keyboard(site: ChatServer, sit_down: SitDown) -> None:
    page = await at_work(await sit_down(site.url), site, "Quiet Beacon")
    card = page.get_by_role("region", name="Words that ask for help")
    await card.get_by_role("button", name="Show it").press("Enter")
    await expect(card).to_contain_text("it takes 2,000, and 0 were read")
    await expect(card).to_contain_text("in 100 that need a human")
    await expect(card).to_contain_text("There is not enough to tell yet.")
    await card.get_by_role("button", name="Change how much is marked").press("Enter")
    await card.get_by_label("Of 1,000 ordinary posts, moderators are told of").fill("20")
    await card.get_by_label("Why (goes into the audit log)").fill("We have one more moderator at night.")
    assert await faults(page, "screening", looks=FAR_APART) == []
    await card.get_by_role("button", name="Save it").press("Enter")
    await expect(card.get_by_text("Saved.")).to_be_visible()
    await card.get_by_role("button", name="Change how much is marked").press("Enter")
    await expect(card.get_by_label("Of 1,000 ordinary posts, moderators are told of")).to_have_value("20")
