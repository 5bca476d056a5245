"""What has an address, what comes back after a reload, and what no address tells."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import SitDown, Stay
from tests.kit.server import ChatServer

STAFF = ["/listen.html", "/moderate.html", "/operators.html"]
ELSEWHERE = "https://www.wikipedia.org/"


async def test_the_helplines_open_by_their_address_and_make_nobody_known(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    asked: list[str] = []
    ann.context.on("request", lambda request: asked.append(request.url.removeprefix(site.url)))
    await ann.page.goto(site.url + "/#help")
    await expect(ann.page.get_by_role("dialog", name="Get help now")).to_be_visible()
    await expect(ann.page.get_by_role("link", name="116 123").first).to_be_visible()
    # Everything that the page loads by itself was asked for.
    await ann.page.wait_for_load_state("networkidle")
    assert [path for path in asked if path.startswith("/api")] == []
    assert await ann.context.cookies() == []
    # Who goes on into the rooms comes in like anybody.
    await ann.page.keyboard.press("Escape")
    await ann.sees_lobby()
    assert ann.page.url == site.url + "/"
    assert await ann.context.cookies() != []


async def test_a_listener_who_needs_help_finds_the_helplines(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    ann.forgive("401")
    for path in STAFF:
        await ann.page.goto(site.url + path)
        async with ann.context.expect_page() as opened:
            await ann.page.get_by_role("link", name="Helplines").click()
        page = await opened.value
        await expect(page.get_by_role("dialog", name="Get help now"), f"from {path}").to_be_visible()
        await page.wait_for_load_state("networkidle")
        assert await ann.context.cookies() == [], path
        await page.close()


async def test_the_helplines_open_by_their_address_on_a_page_that_is_there(site: ChatServer, stay: Stay) -> None:
    ann = await stay(site.url)
    await ann.enter("Awake at night")
    await ann.page.evaluate("() => { location.hash = '#help'; }")
    await expect(ann.page.get_by_role("dialog", name="Get help now")).to_be_visible()
    await ann.page.keyboard.press("Escape")
    await expect(ann.page.get_by_role("heading", name="Awake at night", level=1)).to_be_visible()
    # The address was one more step, and the link to all rooms goes back by one.
    await ann.page.go_back()


async def test_the_skip_link_stays_in_the_room(site: ChatServer, stay: Stay) -> None:
    ann = await stay(site.url)
    await ann.enter("Awake at night")
    await ann.page.get_by_role("link", name="Skip to the room").focus()
    await ann.page.keyboard.press("Enter")
    await expect(ann.page.locator("#main")).to_be_focused()
    await expect(ann.writing).to_be_visible()
    await ann.page.get_by_role("button", name="All rooms").click()
    await expect(ann.card("Awake at night")).to_be_visible()


@pytest.mark.parametrize("is_fresh", [True, False])
async def test_asking_for_a_listener_has_an_address(
    site: ChatServer, sit_down: SitDown, stay: Stay, is_fresh: bool
) -> None:
    if is_fresh:
        ann = await sit_down(site.url)
        await ann.page.goto(site.url + "/#ask")
    else:
        ann = await stay(site.url)
        await ann.page.evaluate("() => { location.hash = '#ask'; }")
    await expect(_asking(ann.page)).to_be_visible()
    await ann.page.reload()
    await expect(_asking(ann.page)).to_be_visible()
    await ann.page.go_back()
    await ann.sees_lobby()


async def test_a_reload_stays_in_the_room_and_back_leads_to_the_lobby(site: ChatServer, stay: Stay) -> None:
    ann = await stay(site.url)
    await ann.enter("Awake at night")
    await ann.say("here before the reload")
    for _ in range(2):
        await ann.page.reload()
        await ann.sees("here before the reload")
    assert ann.page.url == site.url + "/"
    assert "night" not in (await ann.page.title()).lower()
    assert "sleep" not in await ann.page.evaluate("() => JSON.stringify(history.state)")
    await ann.page.go_back()
    await ann.sees_lobby()
    await ann.page.reload()
    await ann.sees_lobby()


async def test_a_reload_does_not_lead_into_a_room_that_was_left(site: ChatServer, stay: Stay) -> None:
    ann = await stay(site.url)
    await ann.enter("Awake at night")
    await ann.page.evaluate("() => sessionStorage.setItem('kept', sessionStorage.getItem('chat.place'))")
    await ann.page.locator(".pinned").evaluate("(element) => { element.open = true; }")
    await ann.page.get_by_role("button", name="Leave this room").click()
    await ann.page.get_by_role("button", name="Yes, leave it").click()
    await ann.sees_lobby()
    # As another tab has it that was in the room too.
    await ann.page.evaluate(
        "() => { sessionStorage.setItem('chat.place', sessionStorage.getItem('kept')); history.pushState({}, ''); }"
    )
    await ann.page.reload()
    await ann.sees_lobby()


async def test_leaving_at_once_leaves_no_room_behind(site: ChatServer, stay: Stay) -> None:
    ann = await stay(site.url)
    await ann.enter("Awake at night")
    assert "sleep" in str(await ann.kept())
    await ann.may_leave()
    await ann.page.get_by_role("link", name="Leave now").click()
    await ann.page.wait_for_url(ELSEWHERE)
    await ann.page.go_back()
    await ann.page.wait_for_url(ELSEWHERE)
    await ann.may_leave_no_more()
    # Somebody who knows the address finds nobody's room.
    await ann.page.goto(site.url)
    await ann.sees_lobby()
    assert "sleep" not in await ann.page.evaluate("() => JSON.stringify({ ...sessionStorage })")


def _asking(page: Page) -> Locator:
    return page.get_by_role("heading", name="Ask for a listener", level=1).or_(
        page.get_by_role("heading", name="No listeners are here at this hour", level=1)
    )
