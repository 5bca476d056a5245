"""Leaving at once, and the help that is there whatever else fails."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import SitDown, Stay
from tests.browser.person import LOST_NETWORK, Person
from tests.kit.marks import new_mark
from tests.kit.server import ChatServer

ELSEWHERE = "https://www.wikipedia.org/"


@pytest_asyncio.fixture(loop_scope="session")
async def ann(site: ChatServer, stay: Stay) -> AsyncIterator[Person]:
    """Somebody in a room, with a draft and a post, who may leave."""
    person = await stay(site.url)
    await person.enter("Awake at night")
    await person.say(f"nobody may see this {new_mark()}")
    await person.writing.fill("a draft that nobody may see")
    assert await person.kept() != {}
    await person.may_leave()
    yield person
    await person.may_leave_no_more()


async def press_shift(page: Page, times: int) -> None:
    for _ in range(times):
        await page.keyboard.press("Shift")


async def expect_gone(person: Person) -> None:
    """The harmless page is there, and this browser holds nothing of the room."""
    await expect(person.page).to_have_url(ELSEWHERE)
    assert "nobody may see" not in await person.page.content()
    state = await person.context.storage_state()
    assert all(not origin["localStorage"] for origin in state["origins"])


async def test_shift_leaves_while_one_is_writing_and_from_every_screen(site: ChatServer, stay: Stay) -> None:
    ann = await stay(site.url)
    await ann.open_own_corner()
    await ann.page.get_by_label("Name", exact=True).focus()
    await ann.may_leave()
    await press_shift(ann.page, 3)
    await expect_gone(ann)
    await ann.may_leave_no_more()
    await ann.arrive()
    await ann.page.get_by_role("link", name="Get help now").click()
    await expect(ann.page.get_by_role("dialog")).to_be_visible()
    await ann.may_leave()
    await press_shift(ann.page, 3)
    await expect_gone(ann)
    await ann.may_leave_no_more()


async def test_the_page_is_blank_before_the_other_has_come(ann: Person) -> None:
    # The other page never comes.
    await ann.context.route(ELSEWHERE, lambda route: route.abort())
    ann.forgive(LOST_NETWORK)
    seen = await ann.page.evaluate(
        """() => new Promise((done) => {
            addEventListener("keyup", () => {
                if (document.body.childElementCount === 0) done([document.body.innerText, document.title]);
            });
            for (let i = 0; i < 3; i += 1) {
                dispatchEvent(new KeyboardEvent("keydown", { key: "Shift" }));
                dispatchEvent(new KeyboardEvent("keyup", { key: "Shift" }));
            }
        })"""
    )
    assert seen == ["", ""]
    # Nothing of it is there any more with which one could go on.
    await ann.page.goto("about:blank")


async def test_shift_three_times_leaves_in_every_tab_wipes_what_was_kept_and_back_shows_nothing(ann: Person) -> None:
    other = Person(ann.context, await ann.context.new_page(), ann.url)
    await other.arrive()
    asked: list[str] = []
    await press_shift(ann.page, 3)
    await expect_gone(ann)
    await expect(other.page).to_have_url(ELSEWHERE)
    await other.page.close()
    ann.context.on("request", lambda request: asked.append(request.url))
    await ann.page.go_back(wait_until="commit")
    await expect(ann.page).to_have_url(re.compile("^(about:blank|https://www.wikipedia.org/)$"))
    assert "nobody may see" not in await ann.page.content()
    assert not [url for url in asked if "/api/" in url]


async def test_the_exit_link_does_the_same(ann: Person) -> None:
    await ann.page.get_by_role("link", name="Leave now").click()
    await expect_gone(ann)


async def test_the_exit_link_is_over_the_helplines_too(ann: Person) -> None:
    await ann.page.set_viewport_size({"width": 390, "height": 844})
    await ann.page.get_by_role("link", name=re.compile("^Get help")).click()
    sheet = ann.page.get_by_role("dialog", name="Get help now")
    leave = sheet.get_by_role("link", name="Leave now")
    await expect(leave).to_be_in_viewport(ratio=1)
    await sheet.evaluate("(element) => { element.scrollTop = element.scrollHeight; }")
    await expect(leave).to_be_in_viewport(ratio=1)
    await leave.click()
    await expect_gone(ann)


async def test_typing_capitals_stays(site: ChatServer, stay: Stay) -> None:
    ann = await stay(site.url)
    await ann.enter("Just need company")
    await ann.writing.focus()
    for letter in "HELP ME":
        await ann.page.keyboard.press(f"Shift+{letter}" if letter != " " else "Space")
    for _ in range(3):
        await ann.page.keyboard.press("Shift+Tab")
        await ann.page.keyboard.press("Tab")
    await expect(ann.writing).to_have_value("HELP ME")
    await expect(ann.writing).to_be_focused()


async def test_two_presses_and_a_click_stay(site: ChatServer, stay: Stay) -> None:
    ann = await stay(site.url)
    await press_shift(ann.page, 2)
    await ann.page.get_by_role("heading", name="Hello. Come in.").click()
    await press_shift(ann.page, 2)
    await ann.enter("Just need company")


@pytest.mark.parametrize("width", [390, 1280])
async def test_without_javascript_help_and_exit_are_there(site: ChatServer, sit_down: SitDown, width: int) -> None:
    ann = await sit_down(site.url, java_script_enabled=False, viewport={"width": width, "height": 800})
    await ann.may_leave()
    await ann.page.goto(site.url)
    page = ann.page
    await expect(page.get_by_text("The rooms need JavaScript, which is off in this browser.")).to_be_visible()
    await page.get_by_role("link", name="Get help now").click()
    await expect(page.get_by_role("heading", name="Get help now")).to_be_in_viewport()
    lines = page.get_by_role("region", name="Get help now").get_by_role("listitem")
    assert await lines.count() >= 20
    for number in await lines.all():
        assert re.match(r"tel:\d+$", await number.get_by_role("link").first.get_attribute("href") or "")
    directory = page.get_by_role("link", name="findahelpline.com")
    await expect(directory).to_have_attribute("href", "https://findahelpline.com/")
    await page.get_by_role("link", name="Leave now").click()
    await expect(page).to_have_url(ELSEWHERE)


async def test_help_opens_over_any_screen_and_gives_the_focus_back(site: ChatServer, stay: Stay) -> None:
    ann = await stay(site.url)
    await ann.enter("Worry and panic")
    await ann.writing.fill("my hands are shaking")
    link = ann.page.get_by_role("link", name="Get help now")
    await link.click()
    dialog = ann.page.get_by_role("dialog", name="Get help now")
    await expect(dialog.get_by_text("Samaritans", exact=False).first).to_be_visible()
    await ann.page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(link).to_be_focused()
    await expect(ann.writing).to_have_value("my hands are shaking")
