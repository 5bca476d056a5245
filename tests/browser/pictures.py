"""The pictures of the README: a room, and the operators' page. `scripts/screenshots` writes them.

The people and what they say are invented.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browser.console import PASSWORD, hire
from tests.browser.person import Person
from tests.browser.site import join, open_site, room
from tests.kit.browser import browser_path, open_browser
from tests.kit.client import ChatClient
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer

IMAGES: Final = Path(__file__).resolve().parents[2] / "docs" / "images"
MOST_BYTES: Final = 150_000
_WINDOW: Final[ViewportSize] = {"width": 1200, "height": 900}
_ROOM: Final = "sleep"
_PEOPLE: Final = ("Quiet Harbour", "Amber Willow", "Mellow Juniper", "Gentle Meadow")
_Line = tuple[int, str, dict[str, Any]]
_TALK: Final[Sequence[_Line]] = (
    (0, "Hello. It's twenty past three here, and I'm wide awake again.", {}),
    (1, "Hello, Quiet Harbour. Same here. The kettle is on, if you want company.", {}),
    (0, "I'd like that. My head keeps going through tomorrow's appointment, over and over.", {}),
    (
        2,
        "Mine does that before anything new. I write the worries down and close the notebook until morning.",
        {"to": 2},
    ),
    (3, "My mother was in hospital this week. She is home now, and I still sleep like a guard dog.",
     {"warning": "hospital"}),
    (0, "A notebook might help. I have one right here.", {"to": 3}),
)  # fmt: skip
"""Who speaks, what they say, and which post (counted from 0) it answers."""
_OWN: Final = "I can't sleep either. It's good to read that somebody else is here."
_REACTIONS: Final = ((1, 0, "thank_you"), (3, 0, "strength"), (3, 1, "with_you"), (4, 2, "hug"), (4, 1, "hug"))
"""Which post, who reacts, and how."""
_ELSEWHERE: Final = {
    "company": (7, ("Good evening, everybody.", "Good to see you again.", "I only read tonight, and that is enough.")),
    "anxiety": (5, ("One thing that I can see: a blue cup.", "That is a good one. Is it warm?", "Lukewarm.")),
    "loneliness": (3, ("I talked with my neighbour today.", "That counts.")),
    "grief": (2, ("It would have been her birthday.",)),
    "evening": (4, ("What was one good minute today?", "The bus waited for me.")),
}
"""By room: how many are there, and what is said."""
_SMALL: Final = room("evening", "Evening circle", about="For the end of a long day.", capacity=4, position=1)


async def take_pictures(browser_program: Path) -> dict[str, bytes]:
    """Start a server and a browser, play the people, and return the pictures by the names of their files."""
    with RedisServer() as redis, open_site([_SMALL], workers=2, redis_url=redis.url) as server:
        async with open_browser(browser_program) as browser, AsyncExitStack() as stay:
            return {
                "room.png": await _picture_of_a_room(browser, server, stay),
                "operators.png": await _picture_of_the_operators(browser, server, stay),
            }


async def _picture_of_a_room(browser: Browser, server: ChatServer, stay: AsyncExitStack) -> bytes:
    people = [await _guest(server, stay, name) for name in _PEOPLE]
    for person in people:
        await join(person, _ROOM)
    offsets: list[int] = []
    for who, text, extra in _TALK:
        fields: dict[str, Any] = {"text": text}
        if "warning" in extra:
            fields["warning"] = extra["warning"]
        if "to" in extra:
            fields["reply_to"] = offsets[extra["to"]]
        offsets.append((await people[who].ask("post", room=_ROOM, **fields))["offset"])
    for post, who, reaction in _REACTIONS:
        await people[who].ask("react", room=_ROOM, offset=offsets[post], reaction=reaction, on=True)
    reader = await _sit_down(browser, server, stay)
    await reader.arrive()
    await reader.enter("Awake at night")
    await reader.say(_OWN)
    own = await people[0].wait_for(lambda push: push.get("post", {}).get("text") == _OWN)
    await people[0].ask("react", room=_ROOM, offset=own["offset"], reaction="with_you", on=True)
    await expect(reader.post(_OWN).locator(".chip")).to_be_visible()
    await people[1].ask("typing", room=_ROOM)
    await expect(reader.page.locator(".typing")).to_contain_text("Amber Willow")
    return await _picture(reader.page)


async def _picture_of_the_operators(browser: Browser, server: ChatServer, stay: AsyncExitStack) -> bytes:
    login = await hire(server, "Bright Lantern", "operator")
    operator = await _sit_down(browser, server, stay)
    page = operator.page
    await page.goto(f"{server.url}/operators.html")
    await page.get_by_label("Sign-in name").fill(login)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("heading", name="What goes on")).to_be_visible()
    for where, (count, talk) in _ELSEWHERE.items():
        guests = [await _guest(server, stay) for _ in range(count)]
        for guest in guests:
            await join(guest, where)
        for number, text in enumerate(talk):
            await guests[number % count].ask("post", room=where, text=text)
    # The table is in order when it is opened, and then keeps its rows where they are.
    await page.reload()
    rooms = page.get_by_role("table", name="Rooms, live")
    full = rooms.get_by_role("row").filter(has_text=_SMALL.name)
    await expect(full.locator(".c-members .v")).to_have_text("4 of 4")
    await expect(page.get_by_role("region", name="Needs attention")).to_contain_text("Evening circle is full")
    await expect(full.locator(".c-p99 .v")).to_contain_text("ms")
    return await _picture(page)


async def _guest(server: ChatServer, stay: AsyncExitStack, name: str | None = None) -> ChatClient:
    client = await stay.enter_async_context(ChatClient(server.ws_url))
    if name is not None:
        await client.ask("rename", name=name)
    return client


async def _sit_down(browser: Browser, server: ChatServer, stay: AsyncExitStack) -> Person:
    person = await Person.sit_down(browser, server.url, viewport=_WINDOW, color_scheme="light", reduced_motion="reduce")
    stay.push_async_callback(person.context.close)
    return person


async def _picture(page: Page) -> bytes:
    await page.evaluate("() => document.activeElement instanceof HTMLElement && document.activeElement.blur()")
    return await page.screenshot(animations="disabled", caret="hide")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description="Write the pictures of the README.")
    parser.add_argument("folder", nargs="?", type=Path, default=IMAGES, help="where to (default: docs/images)")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in asyncio.run(take_pictures(browser_path())).items():
        if len(picture) > MOST_BYTES:
            sys.exit(f"{name} has {len(picture)} bytes, more than the {MOST_BYTES} that are kept with the source")
        (folder / name).write_bytes(picture)
        print(f"{folder / name}: {len(picture)} bytes")


if __name__ == "__main__":
    main()
