"""How much the page asks of a phone on a bad network."""

from __future__ import annotations

from playwright.async_api import Response

from tests.browser.conftest import SitDown
from tests.kit.server import ChatServer

MOST_BYTES = 60_000


async def test_the_whole_page_weighs_less_than_60_kb_as_it_is_sent(house: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(house.url)
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    ann.context.on("response", note)
    await ann.arrive()
    await ann.enter("Awake at night")
    await ann.say("light as a feather")
    await ann.go_back_to_lobby()
    await ann.open_own_corner()
    files = [answer for answer in answers if "/api/" not in answer.url]
    sizes = {answer.url.removeprefix(house.url): (await answer.request.sizes())["responseBodySize"] for answer in files}
    for answer in files:
        assert answer.headers.get("content-encoding") == "gzip" or sizes[path(answer, house)] < 500, answer.url
    print(f"page weight: {sum(sizes.values())} bytes in {len(sizes)} files")
    assert sum(sizes.values()) < MOST_BYTES, sizes


def path(answer: Response, server: ChatServer) -> str:
    return answer.url.removeprefix(server.url)
