"""For every eye, hand and ear: no violation on any screen, and nothing runs out of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import SitDown, sitting_down
from tests.browser.eyes import BEYOND, PRESSED, SMALL, faults
from tests.browser.screens import ROOMS, fill, walk
from tests.browser.site import join, open_site, say
from tests.browser.wire import Wire
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(120)

DARK_PAPER = "rgb(18, 24, 31)"
SIDEWAYS = f"""([width, size]) => {{
    document.documentElement.setAttribute("data-size", size);
    return [({BEYOND})(width), document.scrollingElement.scrollWidth];
}}"""


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    with open_site(ROOMS) as server:
        yield server


@dataclass(frozen=True, slots=True)
class Seen:
    """What is wrong with the screens of one walk past all of them."""

    faults: list[str]
    running_out: list[str]
    too_small: list[str]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def seen(site: ChatServer, chromium: Browser) -> AsyncIterator[Seen]:
    """One walk for all that is asked of every screen: the walk takes longer than the looking."""
    await fill(site)
    found = Seen([], [], [])
    async with Wire(site.port) as wire, sitting_down(chromium) as sit_down:
        ann = await sit_down(wire.url)
        async for screen in walk(ann, wire, site):
            # So tall that nothing lies half behind what stays in sight: axe would take that for its size.
            found.faults.extend(await faults(ann.page, screen, height=2_400))
            # Where motion is wanted, a screen may hold more.
            await ann.page.emulate_media(reduced_motion="no-preference")
            found.running_out.extend(await running_out(ann.page, screen))
            await ann.page.set_viewport_size({"width": 390, "height": 844})
            found.too_small.extend(f"{screen}: {what}" for what in await ann.page.evaluate(SMALL, PRESSED))
            await ann.page.set_viewport_size({"width": 1280, "height": 720})
        yield found


async def running_out(page: Page, screen: str) -> list[str]:
    """Return what runs out sideways at 320 pixels, or at twice the size. In the end the page is as wide as before."""
    before = page.viewport_size
    assert before is not None
    found = []
    # 1280 pixels at 200 % zoom are 640.
    for width, size in ((320, ""), (320, "larger"), (640, "")):
        if page.viewport_size != {"width": width, "height": 640}:
            await page.set_viewport_size({"width": width, "height": 640})
        beyond, broad = await page.evaluate(SIDEWAYS, [width, size])
        found += [f"{screen}, {width} px {size}: {what}" for what in beyond]
        if broad > width:
            found.append(f"{screen}, {width} px {size}: scrolls sideways")
    await page.evaluate("() => document.documentElement.removeAttribute('data-size')")
    await page.set_viewport_size(before)
    return found


async def test_axe_finds_nothing_on_any_screen_light_or_dark_narrow_or_wide(seen: Seen) -> None:
    assert seen.faults == []


async def test_nothing_runs_out_sideways_at_320_pixels_or_at_twice_the_size(seen: Seen) -> None:
    assert seen.running_out == []


async def test_everything_that_is_pressed_is_large_enough_for_a_shaking_thumb(seen: Seen) -> None:
    assert seen.too_small == []


async def test_nothing_moves_where_motion_is_unwanted(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url, reduced_motion="reduce")
    await ann.arrive()
    await ann.enter("Awake at night")
    moving = await ann.page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((e) => {
            const style = getComputedStyle(e);
            const lasts = (list) => list.split(",").some((t) => parseFloat(t) > 0.001);
            const isAnimated = style.animationName !== "none" && lasts(style.animationDuration);
            return isAnimated || lasts(style.transitionDuration);
        }).map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert moving == []


async def test_forced_colours_keep_edges_and_states(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url, forced_colors="active")
    await ann.arrive()
    edge = """(e) => {
        const style = getComputedStyle(e);
        return parseFloat(style.borderTopWidth) > 0 && style.borderTopStyle !== "none";
    }"""
    assert await ann.card("Awake at night").evaluate(edge)
    await ann.enter("Awake at night")
    await ann.say("seen in two colours")
    for name in ("Send", "People"):
        assert await ann.page.get_by_role("button", name=name, exact=True).evaluate(edge)
    menu = await ann.open_menu("seen in two colours")
    await menu.get_by_role("button", name="strength").click()
    chip = ann.post("seen in two colours").get_by_role("button", name=re.compile("^strength"))
    await expect(chip).to_have_attribute("aria-pressed", "true")
    pressed = await chip.evaluate("(e) => parseFloat(getComputedStyle(e).borderTopWidth)")
    assert pressed >= 2


async def test_who_listens_hears_new_posts_and_not_the_old_ones(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    await ann.enter("Feeling alone")
    await expect(ann.log).to_have_attribute("aria-live", "polite")
    await expect(ann.log).to_have_accessible_name("Posts in Feeling alone")
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "loneliness")
        await say(ben, "loneliness", "good evening")
    await ann.sees("good evening")
    await expect(ann.post("good evening")).to_have_accessible_name(re.compile(".+, .+"))


async def test_the_look_that_was_chosen_is_there_after_a_reload(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url, color_scheme="light")
    await ann.arrive()
    await ann.open_own_corner()
    await ann.page.get_by_role("radio", name="Dark").check()
    await ann.page.get_by_role("radio", name="Larger").check()
    await ann.page.reload()
    assert await ann.page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor") == DARK_PAPER
    assert await ann.page.evaluate("() => parseFloat(getComputedStyle(document.body).fontSize)") >= 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_whoever_asks_for_more_contrast_reads_everything_in_the_ink_of_the_text(
    site: ChatServer, sit_down: SitDown, scheme: Literal["light", "dark"]
) -> None:
    ann = await sit_down(site.url, color_scheme=scheme, contrast="more")
    await ann.arrive()
    ink = await ann.page.evaluate("() => getComputedStyle(document.documentElement).color")
    await expect(ann.page.locator(".card-foot .here:not(.someone)").first).to_have_css("color", ink)
