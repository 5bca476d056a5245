"""Browsers that can less than the newest, and browsers that translate the page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import SitDown
from tests.browser.eyes import photograph
from tests.browser.regulars import Regulars
from tests.browser.site import join, say
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(120)
ColorScheme = Literal["light", "dark"]
AS_IN_2022: Final = """
delete AbortSignal.timeout; delete AbortSignal.any;
delete HTMLFormElement.prototype.requestSubmit;
delete Element.prototype.checkVisibility;
delete String.prototype.toWellFormed; delete String.prototype.isWellFormed;
for (const name of ["findLast", "findLastIndex", "toSorted", "toReversed", "toSpliced", "with"])
    delete Array.prototype[name];
delete Object.groupBy; delete Map.groupBy; delete Array.fromAsync; delete Promise.withResolvers; delete URL.canParse;
for (const name of ["union", "intersection", "difference"]) delete Set.prototype[name];
delete window.requestIdleCallback; delete crypto.randomUUID;
delete document.startViewTransition;
"""
"""What Safari 15.4 does not have."""

TRANSLATE: Final = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) if (/\\w/.test(walker.currentNode.data)) found.push(walker.currentNode);
    for (const node of found) {
        if (node.parentElement.closest("script, style, textarea, [translate=no]")) continue;
        const outer = document.createElement("font");
        const inner = document.createElement("font");
        inner.textContent = `ES(${node.data})`;
        outer.append(inner);
        node.replaceWith(outer);
    }
    window.translated = document.querySelectorAll("font font").length;
}"""
"""What Chrome's translation makes of a page: each text in two font elements."""


async def test_a_browser_of_2022_can_do_everything(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    await ann.context.add_init_script(AS_IN_2022)
    await ann.arrive()
    await ann.enter("Awake at night")
    await ann.writing.fill("from an old phone")
    await ann.writing.press("Enter")
    await ann.sees("from an old phone")
    menu = await ann.open_menu("from an old phone")
    await menu.get_by_role("button", name="Change it").click()
    await ann.writing.fill("from an older phone")
    await ann.page.get_by_role("button", name="Save the change").click()
    await ann.sees("from an older phone")
    await ann.go_back_to_lobby()
    await ann.open_own_corner()


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("/", "Array.prototype.at"),
        ("/", "window.HTMLDialogElement"),
        ("/", "window.structuredClone"),
        ("/", "window.CSSLayerBlockRule"),
        ("/listen.html", "window.HTMLDialogElement"),
        ("/moderate.html", "window.structuredClone"),
        ("/operators.html", "window.CSSLayerBlockRule"),
    ],
)
async def test_a_browser_that_is_too_old_is_told_so_with_the_helplines(
    site: ChatServer, regulars: Regulars, missing: str, path: str
) -> None:
    page = await _another_page(site, regulars)
    await page.add_init_script(f"delete {missing};")
    await page.goto(site.url + path)
    await expect(page.get_by_text("This browser is too old for this page.")).to_be_visible()
    await expect(page.get_by_text("Opening the rooms…")).to_have_count(0)
    await expect(page.locator(".no-script")).to_have_count(0)
    if path == "/":
        await expect(page.get_by_role("heading", name="Get help now")).to_be_visible()
        await expect(page.get_by_role("link", name="116 123").first).to_be_visible()
        await expect(page.get_by_role("link", name="Leave now")).to_be_visible()
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    await page.close()


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(251, 246, 238)"), ("dark", "rgb(18, 24, 31)")])
async def test_a_browser_without_layers_shows_the_helplines_and_the_way_out_plainly(
    site: ChatServer, regulars: Regulars, scheme: ColorScheme, paper: str
) -> None:
    page = await _another_page(site, regulars)
    await page.emulate_media(color_scheme=scheme)
    await page.add_init_script("delete window.CSSLayerBlockRule;")

    async def forget_layers(route: Route) -> None:
        sheet = await (await route.fetch()).text()
        older = sheet.replace("@layer", "@unheard-of").replace("color: revert-layer", "color: unheard-of")
        await route.fulfill(body=older, content_type="text/css")

    await page.route("**/css/*.css", forget_layers)
    await page.goto(site.url)
    await expect(page.get_by_text("This browser is too old for this page.")).to_be_visible()
    await expect(page.locator("body")).to_have_css("background-color", paper)
    for link in (page.get_by_role("link", name="Leave now"), page.get_by_role("link", name="116 123").first):
        box = await link.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert await page.locator(".brand svg").evaluate("(lamp) => lamp.getBoundingClientRect().width") == 34
    await photograph(page, f"no-layers-{scheme}")
    await page.close()


async def _another_page(site: ChatServer, regulars: Regulars) -> Page:
    """A page of a phone that shows nothing yet. Its trouble is noted with that of all the others."""
    phone = await regulars.sit(site.url, "phone", viewport={"width": 390, "height": 844})
    return await phone.context.new_page()


async def test_a_translated_page_stays_translated_while_posts_come(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    await ann.enter("Feeling alone")
    await ann.say("read by everybody")
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "loneliness")
        await expect(ann.page.locator(".here").first).to_have_text("a few people here")
        await ann.page.evaluate(TRANSLATE)
        before = await ann.page.evaluate("() => window.translated")
        assert before > 20
        await say(ben, "loneliness", "one", "two", "three")
        await ann.sees("three")
    await expect(ann.page.locator(".here").first).to_have_text("just you at the moment")
    # What changed is said anew; everything else stays as the reader's browser has it.
    after = await ann.page.evaluate("() => document.querySelectorAll('font font').length")
    assert before - 3 <= after <= before
    await expect(ann.page.get_by_role("button", name="ES(Send)")).to_be_visible()
    await expect(ann.post("ES(read by everybody)")).to_be_visible()


async def test_nothing_is_called_that_browsers_of_2022_do_not_have() -> None:
    newer = re.findall(r"\b(?:prototype|crypto|window|document|Object|Map|Array|Promise|URL)\.(\w+);", AS_IN_2022)
    newer += [name for name in re.findall(r'"(\w+)"', AS_IN_2022) if name not in {"with", "union"}]
    assert "findLast" in newer
    called = re.compile(rf"\.({'|'.join(newer)})\(")
    found = [
        f"{path.name}: {call}"
        for path in sorted((Path(__file__).parents[2] / "web" / "js").rglob("*.js"))
        for call in called.findall(path.read_text())
    ]
    assert found == []
