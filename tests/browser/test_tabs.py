"""One person, two tabs. They stay open from test to test; a tab that was closed is opened again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import Stay
from tests.browser.person import LOST_NETWORK, Person
from tests.browser.site import texts_in
from tests.browser.wire import Wire
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

Tabs = tuple[Person, Person]
ONE_TAB_LIVES: Final = """async () => {
    const { held } = await navigator.locks.query();
    return held.filter(({ name }) => name.startsWith("chat.tab.")).length === 1;
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wire(site: ChatServer) -> AsyncIterator[Wire]:
    async with Wire(site.port) as line:
        yield line


@pytest_asyncio.fixture(loop_scope="session")
async def tabs(wire: Wire, stay: Stay) -> Tabs:
    """Two tabs of the same browser, both in the lobby. The second one's trouble is noted with the first's."""
    one = await stay(wire.url)
    one.forgive(LOST_NETWORK)
    others = [page for page in one.context.pages if page is not one.page]
    if not others:
        return one, await another_tab(one)
    two = Person(one.context, others[0], one.url)
    await two.go_back_to_lobby()
    return one, two


async def another_tab(person: Person) -> Person:
    return await Person(person.context, await person.context.new_page(), person.url).arrive()


async def test_a_post_shows_in_both_tabs_once(site: ChatServer, tabs: Tabs) -> None:
    one, two = tabs
    await one.enter("Awake at night")
    await two.enter("Awake at night")
    await one.say("said in one tab")
    await two.sees("said in one tab")
    await two.say("said in the other")
    await one.sees("said in the other")
    assert await texts_in(site, "sleep") == ["said in one tab", "said in the other"]


async def test_a_new_name_shows_in_both(tabs: Tabs) -> None:
    one, two = tabs
    await one.open_own_corner()
    await one.page.get_by_label("Name", exact=True).fill("Quiet Meadow")
    await one.page.get_by_role("button", name="Use this name").click()
    await expect(two.page.get_by_text("Quiet Meadow")).to_be_visible()


async def test_a_post_that_waits_is_sent_once_though_both_tabs_come_back(
    site: ChatServer, wire: Wire, tabs: Tabs
) -> None:
    one, two = tabs
    await one.enter("Worry and panic")
    await two.enter("Worry and panic")
    wire.cut()
    await one.write("written in one of two tabs")
    await expect(one.waiting("written in one of two tabs")).to_contain_text("Not sent yet.")
    wire.mend()
    await one.network_returns()
    await two.network_returns()
    await one.sees("written in one of two tabs")
    await two.sees("written in one of two tabs")
    assert await texts_in(site, "anxiety") == ["written in one of two tabs"]


async def test_a_post_that_waits_in_a_tab_that_is_closed_is_sent_by_the_other(
    site: ChatServer, wire: Wire, tabs: Tabs
) -> None:
    two, one = tabs
    await one.enter("Low days")
    await two.enter("Low days")
    wire.cut()
    await one.write("the tab was closed too early")
    await expect(one.waiting("the tab was closed too early")).to_contain_text("Not sent yet.")
    await one.page.close()
    # The browser lets go of what the tab held a moment later.
    await two.page.wait_for_function(ONE_TAB_LIVES)
    wire.mend()
    await two.network_returns()
    await two.sees("the tab was closed too early")
    assert await texts_in(site, "low-mood") == ["the tab was closed too early"]


async def test_who_is_forgotten_in_one_tab_is_shown_in_none(tabs: Tabs) -> None:
    one, two = tabs
    await two.enter("Low days")
    await two.say("nobody else here may see this")
    await two.writing.fill("nor this")
    await one.open_own_corner()
    await one.page.get_by_role("button", name="Forget me here", exact=True).click()
    await one.page.get_by_role("button", name="Yes, forget me here").click()
    await expect(two.page.get_by_text("This browser no longer knows you.")).to_be_visible()
    assert "else here may see" not in await two.page.content()
    assert await two.kept() == {}
    assert await one.kept() == {}
    # Somebody new in one tab is left alone by the other.
    await one.page.get_by_role("button", name="Come in as somebody new").click()
    name = await one.name()
    await two.page.get_by_role("button", name="Come in as somebody new").click()
    assert await two.name() == name


async def test_who_comes_back_in_one_tab_is_here_in_both(site: ChatServer, tabs: Tabs) -> None:
    one, two = tabs
    async with ChatClient(site.ws_url) as elsewhere:
        code, name = (await elsewhere.ask("code"))["code"], elsewhere.hello_ok["member"]["name"]
    await two.enter("Awake at night")
    await two.writing.fill("written by somebody else")
    three = await another_tab(one)
    await three.page.locator("#ask-link").click()
    await expect(three.page.get_by_role("button", name="I agree, ask for a listener")).to_be_visible()
    await one.open_own_corner()
    await one.page.get_by_label("Come-back code").fill(code)
    await one.page.get_by_role("button", name="Come back with this code").click()
    await expect(two.page.locator(".you-are b")).to_have_text(name)
    # Nor does a screen stay on which somebody else asked for a listener.
    await expect(three.page.locator(".you-are b")).to_have_text(name)
    await two.enter("Awake at night")
    await expect(two.writing).to_have_value("")
