"""What must hold on every screen, for every eye and hand: axe finds nothing, nothing runs out sideways, and what is
pressed is large enough. Where a folder is named in SCREENSHOTS, each screen leaves its pictures there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page

Scheme = Literal["light", "dark"]
LOOKS: Final[list[tuple[Scheme, int]]] = [("light", 390), ("dark", 390), ("light", 1280), ("dark", 1280)]
FAR_APART: Final[list[tuple[Scheme, int]]] = [("light", 390), ("dark", 1280)]
"""For what is seen beside a long story: each scheme and each width."""
PRESSED: Final = (
    "button, a.pill, a.act, a.brand, .check, .pick, textarea, summary, select, input[type=text], input[type=number]"
)
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_COLOURS: Final = ("color-contrast", "link-in-text-block")
BEYOND: Final = """(edge) => [...document.querySelectorAll("body *")].filter((e) => {
    const box = e.getBoundingClientRect();
    const isSeen = box.width > 0 && !e.closest(".unseen, .skip") && e.checkVisibility({contentVisibilityAuto: true});
    return isSeen && (box.right > edge + 1 || box.left < -1);
}).map((e) => e.outerHTML.slice(0, 120))"""
SMALL: Final = """(pressed) => [...document.querySelectorAll(pressed)]
    .filter((e) => e.checkVisibility() && !e.closest(".unseen, .heads"))
    .map((e) => [e, (e.type === "checkbox" ? e.closest("label") ?? e : e).getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.height < 43.5 || box.width < 43.5))
    .map(([e, box]) => `${Math.round(box.width)} x ${Math.round(box.height)}: ${e.outerHTML.slice(0, 90)}`)"""


async def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds on the page as it stands, by all rules that are law or good practice, or by these alone."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    chosen = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": _RULES}
    found: dict[str, Any] = await page.evaluate(
        # No selectors: finding them takes a quarter of the time, and a fault is shown by its element.
        "(runOnly) => axe.run(document, {resultTypes: ['violations'], selectors: false, runOnly})",
        chosen,
    )
    return [
        f"{violation['id']}: {node['html'][:160]} ({node['failureSummary']})"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


async def photograph(page: Page, name: str) -> None:
    """A picture of the page, for whoever wants to look at it."""
    if (folder := os.environ.get("SCREENSHOTS")) is not None:
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


async def faults(
    page: Page,
    screen: str,
    *,
    height: int = 844,
    pressed: str = PRESSED,
    looks: Sequence[tuple[Scheme, int]] = LOOKS,
) -> list[str]:
    """Return what is wrong with a screen in each of these looks. In the end it is light again, and of the size it had.

    Darkness changes colours alone: where a width was seen already, nothing else is looked at.
    """
    before = page.viewport_size
    found = []
    seen: set[int] = set()
    for scheme, width in looks:
        where = f"{screen}, {scheme}, {width} px"
        is_new = width not in seen
        seen.add(width)
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await page.set_viewport_size({"width": width, "height": height})
        # What the head of the page covers cannot be pressed, and is no smaller for it.
        await page.evaluate("() => scrollTo(0, 0)")
        found += [f"{where}: {what}" for what in await violations(page, *(() if is_new else _COLOURS))]
        if is_new:
            found += [f"{where}, beyond the edge: {what}" for what in await page.evaluate(BEYOND, width)]
            found += [f"{where}, too small: {what}" for what in await page.evaluate(SMALL, pressed)]
        await photograph(page, f"{screen}-{scheme}-{width}".replace(" ", "-"))
    await page.emulate_media(color_scheme="light", reduced_motion="reduce")
    if before is not None:
        await page.set_viewport_size(before)
    return found
