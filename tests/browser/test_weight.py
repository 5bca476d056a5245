"""How much the page asks of a phone on a bad network, and how soon one is talking."""

from __future__ import annotations

import time

from playwright.async_api import Response, expect

from tests.browser.conftest import SitDown
from tests.kit.server import ChatServer

MOST_BYTES = 60_000
BEFOREHAND = {"/js/rooms/crisis-note.js", "/js/locales/en-crisis-note.js", "/css/care.css"}
"""What is fetched when somebody begins to write, before anybody needs it: nothing waits for it."""
MOST_BEFOREHAND_BYTES = 2_500
MOST_CORNER_BYTES = 8_000
"""One's own corner, which is fetched when it is opened."""
MOST_CARD_BYTES = 20_000
"""One's own card: all of it comes at once, so that it works without the server from then on."""


async def test_a_newcomer_is_talking_within_seconds_and_the_whole_page_weighs_less_than_60_kb_as_it_is_sent(
    site: ChatServer, sit_down: SitDown
) -> None:
    ann = await sit_down(site.url)
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    ann.context.on("response", note)
    began = time.monotonic()
    await ann.arrive()
    await ann.enter("Awake at night")
    await ann.say("light as a feather")
    assert time.monotonic() - began < 10
    await ann.go_back_to_lobby()
    first = await weight(answers, site)
    beforehand = sum(first.pop(path) for path in BEFOREHAND)
    assert beforehand < MOST_BEFOREHAND_BYTES
    print(f"page weight: {sum(first.values())} bytes in {len(first)} files")
    assert sum(first.values()) < MOST_BYTES, first
    answers.clear()
    await ann.open_own_corner()
    later = await weight(answers, site)
    print(f"one's own corner: {sum(later.values())} bytes in {len(later)} files")
    assert sum(later.values()) < MOST_CORNER_BYTES, later
    answers.clear()
    await ann.page.locator("#card-link").click()
    await expect(ann.page.get_by_role("heading", name="My card", exact=True)).to_be_visible()
    card = await weight(answers, site)
    print(f"the card: {sum(card.values())} bytes in {len(card)} files")
    assert sum(card.values()) < MOST_CARD_BYTES, card


async def weight(answers: list[Response], server: ChatServer) -> dict[str, int]:
    """The bytes of each file as it was sent. Fails where one that is worth packing came unpacked."""
    sizes = {}
    for answer in answers:
        path = answer.url.removeprefix(server.url)
        if path.startswith("/api/"):
            continue
        sizes[path] = (await answer.request.sizes())["responseBodySize"]
        assert answer.headers.get("content-encoding") == "gzip" or sizes[path] < 500, path
    return sizes
