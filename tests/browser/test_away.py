"""Each reason for which there is no connection is said as it is, with the way out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any, Final

import pytest
from playwright.async_api import Route, WebSocketRoute, expect

from tests.browser.conftest import SitDown
from tests.browser.person import LOST_NETWORK, Person
from tests.browser.site import open_site
from tests.browser.wire import Wire
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(150)
REFUSED: Final = re.compile(r"status of (4|5)\d\d")
"""What Chromium prints for an answer that is no success."""


@pytest.fixture(scope="module")
def crowded() -> Iterator[ChatServer]:
    """A server on which one guest fits from an address, and one more every two minutes."""
    limits = {"guests_per_address_per_hour": 30.0, "guest_burst_per_address": 1.0}
    with open_site(limits=limits, is_school=False) as server:
        yield server


async def come(sit_down: SitDown, url: str) -> Person:
    person = await sit_down(url)
    person.forgive(LOST_NETWORK, REFUSED)
    return person


async def test_who_comes_with_many_from_one_network_is_told_when_it_is_their_turn(
    crowded: ChatServer, sit_down: SitDown
) -> None:
    async with ChatClient(crowded.ws_url) as first:
        assert first.hello_ok["member"]["name"] != ""
    second = await come(sit_down, crowded.url)
    await second.page.goto(crowded.url)
    await expect(second.link).to_contain_text("Many people have come in from this network just now")
    await expect(second.link).to_contain_text(re.compile(r"We try again at \d+:\d\d"))
    await expect(second.link).not_to_contain_text("dropped")
    await expect(second.link.get_by_role("button", name="Try now")).to_be_visible()


async def test_a_network_that_lets_no_socket_through_is_named(site: ChatServer, sit_down: SitDown) -> None:
    async with Wire(site.port) as wire:
        wire.cut_sockets()
        ann = await come(sit_down, wire.url)
        await ann.page.goto(wire.url)
        await expect(ann.link).to_contain_text("We can't reach the rooms at the moment.")
        await expect(ann.link).to_contain_text(
            "This network lets the page through, but not the live connection", timeout=60_000
        )
        await expect(ann.link).to_contain_text("mobile data")
        wire.mend()
        await ann.network_returns()
        await ann.sees_lobby()
        await expect(ann.link).to_be_hidden()


async def test_a_server_that_is_away_is_not_a_network_that_blocks(site: ChatServer, sit_down: SitDown) -> None:
    async with Wire(site.port) as wire:
        ann = await come(sit_down, wire.url)
        await ann.arrive()

        async def bad_gateway(route: Route) -> None:
            await route.fulfill(status=502, body="<h1>Bad Gateway</h1>")

        await ann.context.route(re.compile("favicon|/api/"), bad_gateway)
        wire.cut_sockets()
        await expect(ann.link).to_contain_text("You haven't lost anything")
        await expect(ann.link).to_contain_text("the server behind it doesn't answer", timeout=60_000)
        await ann.context.unroute(re.compile("favicon|/api/"), bad_gateway)
        wire.mend()
        await ann.network_returns()
        await expect(ann.link).to_be_hidden(timeout=30_000)


async def test_the_ninth_tab_says_that_there_are_too_many(site: ChatServer, sit_down: SitDown) -> None:
    ann = await come(sit_down, site.url)
    await ann.arrive()
    cookie = "; ".join(f"{each['name']}={each['value']}" for each in await ann.context.cookies())
    async with AsyncExitStack() as stack:
        # To the server a tab is a connection with this browser's cookie.
        tabs = [ChatClient(site.ws_url, cookie=cookie, origin=site.url) for _ in range(7)]
        for tab in tabs:
            await stack.enter_async_context(tab)
        ninth = await ann.context.new_page()
        await ninth.goto(site.url)
        await expect(ninth.locator("#link")).to_contain_text("open in as many tabs or devices as one person can have")
        await tabs[0].close()
        await ninth.locator("#link").get_by_role("button", name="Try now").click()
        await expect(ninth.locator("#link")).to_be_hidden()


@pytest.mark.parametrize("how", ["told", "found"])
async def test_a_browser_that_keeps_no_cookies_is_told_so_and_makes_no_more_guests(
    site: ChatServer, sit_down: SitDown, how: str
) -> None:
    ann = await come(sit_down, site.url)
    made: list[str] = []

    async def without_cookie(route: Route) -> None:
        made.append(route.request.url)
        answer = await route.fetch()
        await ann.context.clear_cookies()
        await route.fulfill(status=answer.status, body=await answer.body(), content_type="application/json")

    await ann.context.route("**/api/identity", without_cookie)
    if how == "told":
        await ann.context.add_init_script(
            "Object.defineProperty(Navigator.prototype, 'cookieEnabled', {get: () => false})"
        )
    await ann.page.goto(site.url)
    await expect(ann.link).to_contain_text("This browser keeps no cookies for this page")
    await expect(ann.link.get_by_role("button", name="Load the page again")).to_be_visible()
    await expect(ann.link.get_by_role("button", name="Come in as somebody new")).to_be_hidden()
    await ann.network_returns()
    await ann.page.evaluate("() => new Promise((done) => setTimeout(done, 1_000))")
    assert len(made) == (0 if how == "told" else 1)


async def test_a_page_under_an_address_that_is_not_allowed_says_so(site: ChatServer, sit_down: SitDown) -> None:
    ann = await come(sit_down, site.url)

    async def other_host(route: Route) -> None:
        headers: dict[str, Any] = {**route.request.headers, "origin": "https://chat.example.org"}
        await route.fulfill(response=await route.fetch(headers=headers))

    await ann.context.route("**/api/**", other_host)
    await ann.page.goto(site.url)
    host = site.url.removeprefix("http://")
    await expect(ann.link).to_contain_text(f"can't be used under the address {host}")
    await expect(ann.link).to_contain_text("Whoever runs it has to allow this address.")
    await expect(ann.link.get_by_role("button", name="Load the page again")).to_be_hidden()
    await ann.page.goto(site.url + "/listen.html")
    await expect(ann.page.get_by_text("under the address that it has here")).to_be_visible()


async def test_a_store_that_is_away_is_said(site: ChatServer, sit_down: SitDown) -> None:
    ann = await come(sit_down, site.url)
    body = '{"error": {"code": "storage_unavailable", "message": "", "temporary": true, "retry_after": 5}}'
    await ann.context.route(
        "**/api/identity", lambda route: route.fulfill(status=503, body=body, content_type="application/json")
    )
    await ann.page.goto(site.url)
    await expect(ann.link).to_contain_text("The server can't read what it keeps at the moment.")


async def test_nobody_is_told_of_a_dropped_connection_that_never_was(site: ChatServer, sit_down: SitDown) -> None:
    ann = await come(sit_down, site.url)

    async def close(ws: WebSocketRoute) -> None:
        await ws.close(code=1011)

    await ann.page.route_web_socket("**/ws", close)
    await ann.page.goto(site.url)
    await expect(ann.link).to_contain_text("We can't reach the rooms at the moment.")
    await expect(ann.link).not_to_contain_text("dropped")
