"""A page that stays open while the operator restores a backup: what it still means to do hits no other post."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.browser.conftest import SitDown
from tests.browser.person import LOST_NETWORK
from tests.browser.site import join, open_site, say
from tests.browser.wire import Wire
from tests.kit.backup import back_up, restore
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
SET_BACK = "This room was set back."


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    """This module's own, because it is set back."""
    with open_site() as server:
        yield server


async def test_answers_reactions_and_reports_of_before_hit_nobody_else(site: ChatServer, sit_down: SitDown) -> None:
    async with ChatClient(site.ws_url) as somebody:
        await join(somebody, "sleep")
        await say(somebody, "sleep", "an old post")
    async with Wire(site.port) as wire:
        ann, bob = await sit_down(wire.url), await sit_down(wire.url)
        for person in (ann, bob):
            person.forgive(LOST_NETWORK)
            await person.arrive()
            await person.enter("Awake at night")
        # Who came after the backup would be nobody.
        await back_up(site)
        for person in (ann, bob):
            await person.network_returns()
        async with ChatClient(site.ws_url) as wolf:
            await join(wolf, "sleep")
            (lost,) = await say(wolf, "sleep", "something cruel")
        menu = await ann.open_menu(await ann.sees("something cruel"))
        await menu.get_by_role("button", name="Report").click()
        await menu.get_by_label("Unkind or hurtful").check()
        await (await bob.open_menu(await bob.sees("something cruel"))).get_by_role("button", name="Answer this").click()
        await bob.writing.fill("how dare you")
        wire.cut()
        await expect(bob.link).to_contain_text("You haven't lost anything")
        await bob.open_menu(await bob.sees("something cruel"))
        await bob.page.get_by_role("button", name="a hug").first.click()
        await restore(site)
        async with ChatClient(site.ws_url) as lamb:
            await join(lamb, "sleep")
            (here,) = await say(lamb, "sleep", "an innocent line")
            assert here == lost
            wire.mend()
            for person in (ann, bob):
                await person.network_returns()
                await person.sees("an innocent line")
            await menu.get_by_role("button", name="Send this report").click()
            await expect(menu.get_by_role("alert")).to_contain_text(SET_BACK)
            await bob.page.get_by_role("button", name="Send", exact=True).click()
            await bob.sees("how dare you")
            posts = (await lamb.ask("join", room="sleep"))["posts"]
    assert [(post["text"], post.get("reactions", {}), post.get("reply_to")) for post in posts] == [
        ("an old post", {}, None),
        ("an innocent line", {}, None),
        ("how dare you", {}, None),
    ]
