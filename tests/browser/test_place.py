"""What one person writes stays in its place, whatever it is."""

from __future__ import annotations

import re
from typing import Final

from playwright.async_api import Locator, ViewportSize, expect

from tests.browser.conftest import Stay
from tests.browser.person import Person
from tests.kit.server import ChatServer

PHONE: Final[ViewportSize] = {"width": 390, "height": 800}
ZALGO = "".join(letter + "\u0351\u0323\u035f\u0301\u0321" * 7 for letter in "he comes for all of us")
LONG = "\n".join(f"line {number}" for number in range(1_000))[:2_000]


async def test_marks_of_one_post_are_not_drawn_over_another(site: ChatServer, stay: Stay) -> None:
    ann = await _enters(site, stay)
    await ann.say("before it, a quiet line")
    await ann.say("the middle one")
    await ann.say("after it, a quiet line")
    middle = ann.post("the middle one").locator(".text")
    near = [ann.post("before it").locator(".text"), ann.post("after it").locator(".text")]
    clean = [await each.screenshot() for each in near]
    # As if the server had let all of it pass: the page alone keeps it in its place.
    await middle.evaluate("(element, said) => { element.textContent = said; }", ZALGO)
    assert [await each.screenshot() for each in near] == clean
    # And the server lets little of it pass.
    await ann.write(ZALGO)
    kept = ann.page.locator(".post .text").last
    await expect(kept).to_contain_text("h\u0351\u0323\u035f\u0301e")
    assert len(await kept.inner_text()) < len(ZALGO) / 5


async def test_a_long_post_is_folded_and_unfolded_with_the_keyboard(site: ChatServer, stay: Stay) -> None:
    ann = await _enters(site, stay)
    await ann.write(LONG)
    post = await ann.sees("line 11")
    unfold = post.get_by_role("button", name="Show all")
    await expect(unfold).to_have_attribute("aria-expanded", "false")
    assert await _height(post) < 450
    await unfold.focus()
    await ann.page.keyboard.press("Enter")
    fold = post.get_by_role("button", name="Show less")
    await expect(fold).to_have_attribute("aria-expanded", "true")
    await expect(fold).to_be_focused()
    # Sixty lines, of which the last holds the rest.
    assert 900 < await _height(post) < 3_200
    await ann.page.keyboard.press("Enter")
    await expect(unfold).to_be_visible()
    assert await _height(post) < 450


async def test_text_runs_in_its_own_direction(site: ChatServer, stay: Stay) -> None:
    # Where nothing is written yet: the text of a second post leaves room for a button.
    ann = await _enters(site, stay, "Low days")
    await ann.say("\u05de\u05d9\u05e9\u05d4\u05d5 \u05e2\u05e8?")
    text = ann.post("\u05e2\u05e8?").locator(".text")
    box = await text.bounding_box()
    assert box is not None
    ink = await text.evaluate(
        "(element) => { const range = document.createRange(); range.selectNodeContents(element);"
        " return range.getBoundingClientRect().right; }"
    )
    assert abs(ink - (box["x"] + box["width"])) < 3


async def test_everything_that_people_write_runs_in_its_own_direction(site: ChatServer, stay: Stay) -> None:
    ann = await _enters(site, stay)
    await ann.page.get_by_label("This may be hard to read").check()
    await ann.page.get_by_label("What is it about? Others see this first.").fill("\u05d0\u05d5\u05d1\u05d3\u05df!")
    await ann.say("\u05d0\u05d9\u05df \u05dc\u05d9 \u05db\u05d5\u05d7.")
    menu = await ann.open_menu("\u05db\u05d5\u05d7")
    await menu.get_by_role("button", name="Answer this").click()
    await ann.say("\u05db\u05df?")
    await ann.page.get_by_label("This may be hard to read").check()
    written = [".post b", ".post .text", ".post .warning", ".post .quote", ".room-name", ".pinned p"]
    for where in [*written, "#writing", "#warn-text", ".listed span", ".about span"]:
        ways = await ann.page.locator(where).evaluate_all("(all) => all.map((e) => getComputedStyle(e).unicodeBidi)")
        assert set(ways) == {"plaintext"}, where
    await ann.page.get_by_label("This may be hard to read").uncheck()


async def test_the_ring_of_the_focus_covers_no_label(site: ChatServer, stay: Stay) -> None:
    ann = await _enters(site, stay)
    await ann.page.get_by_label("This may be hard to read").check()
    field = ann.page.locator("#warn-text")
    await field.focus()
    gap = await field.evaluate(
        "(e) => { const range = document.createRange(); range.selectNodeContents(e.labels[0]);"
        " return e.getBoundingClientRect().top - range.getBoundingClientRect().bottom; }"
    )
    assert gap >= 5
    await ann.page.get_by_label("This may be hard to read").uncheck()


async def test_a_newcomer_is_told_why_a_number_is_not_sent_into_a_room(site: ChatServer, stay: Stay) -> None:
    ann = await _enters(site, stay)
    await ann.write("call +44 7700 900123")
    post = ann.post("call +44")
    await expect(post).to_contain_text("Not sent. There seems to be a phone number in it.")
    await expect(post.get_by_text("Couldn't be sent")).to_be_hidden()
    await expect(post.get_by_role("button", name=re.compile("anyway|again"))).to_have_count(0)
    await post.get_by_role("button", name="Change it").click()
    await expect(ann.writing).to_have_value("call +44 7700 900123")
    await expect(post).to_have_count(0)


async def test_half_a_character_is_sent_whole_and_holds_nothing_up(site: ChatServer, stay: Stay) -> None:
    ann = await _enters(site, stay)
    await ann.page.evaluate(
        "() => { const area = document.querySelector('.composer textarea'); area.value = 'so alone ' + '\\ud83d';"
        " area.dispatchEvent(new Event('input')); }"
    )
    await ann.writing.press("Enter")
    await ann.sees("so alone \ufffd")
    await ann.say("and the next one")


async def _enters(site: ChatServer, stay: Stay, room: str = "Awake at night") -> Person:
    ann = await stay(site.url, viewport=PHONE)
    await ann.enter(room)
    await expect(ann.page).to_have_title(re.compile("."))
    return ann


async def _height(post: Locator) -> float:
    box = await post.bounding_box()
    assert box is not None
    return box["height"]
