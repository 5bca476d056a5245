"""The operators' page: the load of everything, live, readable by everybody, and smooth with a thousand rooms."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import CDPSession, Locator, Page, expect

from chatserver.seeds import seed_rooms
from tests.browser.conftest import SitDown
from tests.browser.console import PASSWORD, REFUSED, hire
from tests.browser.eyes import faults
from tests.browser.person import LOST_NETWORK, Person
from tests.browser.site import join, open_site, room, say
from tests.browser.wire import Wire
from tests.kit.client import ChatClient
from tests.kit.crowd_of_workers import crowd_of_workers, room_ids
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(180)

ROOMS = [room("small", "Small room", capacity=2), room("calm", "Calm room")]


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    with open_site(ROOMS) as server:
        yield server


async def at_work(
    person: Person, server: ChatServer, name: str, role: str = "operator", url: str | None = None
) -> Page:
    """Sign in at the page."""
    login = await hire(server, name, role)
    person.forgive(REFUSED)
    page = person.page
    await page.goto(f"{url or server.url}/operators.html")
    await page.get_by_label("Sign-in name").fill(login)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    return page


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("table", name="Rooms, live").get_by_role("row").filter(has_text=name)


async def test_operator_sees_a_room_fill_and_what_needs_them(site: ChatServer, sit_down: SitDown) -> None:
    page = await at_work(await sit_down(site.url), site, "Bright Lantern")
    await expect(page.get_by_role("heading", name="What goes on")).to_be_visible()
    await expect(page.get_by_text("Nothing needs you. Everything is within its limits.")).to_be_visible()
    small = row(page, "Small room")
    await expect(small.locator(".c-members")).to_contain_text("0 of 2")

    async with ChatClient(site.ws_url) as ben, ChatClient(site.ws_url) as eve:
        await join(ben, "small")
        await join(eve, "small")
        await say(ben, "small", "one", "two")
        await expect(small.locator(".c-members .v")).to_have_text("2 of 2")
        await expect(small.locator(".c-posts .v")).to_have_text("2")
        await expect(small.locator(".c-p99 .v")).to_contain_text("ms")
        await expect(small.locator(".c-moderators .v")).to_have_text("Nobody")
        attention = page.get_by_role("region", name="Needs attention")
        await expect(attention).to_contain_text("Now Small room is full: 2 of 2 are here.")
        await expect(attention).to_contain_text("Send newcomers to a room with space")
        await expect(page).to_have_title("(2) need you now · Operators")
        await expect(page.locator("#say-now")).to_contain_text("Needs you now: Small room is full")
        await expect(small).to_contain_text("Needs attention:")

        await attention.get_by_role("button", name="Show Small room").first.click()
        await expect(page.get_by_text("1 room", exact=True)).to_be_visible()
        await expect(page.get_by_label("Find a room")).to_be_focused()
    await expect(small.locator(".c-members .v")).to_have_text("0 of 2")
    await expect(page.get_by_text("Nothing needs you. Everything is within its limits.")).to_be_visible()
    await expect(page.get_by_role("table", name="Workers, live").get_by_role("row")).to_have_count(2)


async def test_rooms_are_sorted_and_found_with_the_keyboard(site: ChatServer, sit_down: SitDown) -> None:
    page = await at_work(await sit_down(site.url), site, "Patient Beacon", "moderator")
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "calm")
        names = page.locator(".rooms .c-name b")
        await expect(row(page, "Calm room").locator(".c-members .v")).to_contain_text("1 of")
        await page.get_by_role("button", name="Here", exact=True).focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")
        await expect(names.first).to_have_text("Calm room")
        head = page.get_by_role("columnheader", name="Room", exact=True)
        await head.get_by_role("button").focus()
        await page.keyboard.press("Enter")
        await expect(head).to_have_attribute("aria-sort", "ascending")
        told = await names.all_text_contents()
        assert told == sorted(told, key=str.lower)
        await page.get_by_label("Find a room").fill("cAlM")
        await expect(names).to_have_text(["Calm room"])
        await page.get_by_label("Find a room").fill("nothing like that")
        await expect(page.get_by_text("No room has that in its name.")).to_be_visible()


async def test_page_is_not_for_listeners(site: ChatServer, sit_down: SitDown) -> None:
    page = await at_work(await sit_down(site.url), site, "Soft Willow", "listener")
    await expect(page.get_by_text("these numbers are for operators and moderators")).to_be_visible()
    await expect(page.locator(".operators")).to_have_count(0)


async def test_numbers_that_are_old_say_so_and_come_back(site: ChatServer, sit_down: SitDown) -> None:
    async with Wire(site.port) as wire:
        person = await sit_down(wire.url)
        person.forgive(LOST_NETWORK)
        page = await at_work(person, site, "Clear Candle", url=wire.url)
        await expect(page.locator(".live")).to_contain_text("Live. These numbers are from")
        wire.cut()
        await expect(page.locator("#link")).to_contain_text("The numbers below are old")
        await expect(page.locator(".live")).to_contain_text("Not live.")
        wire.mend()
        await person.network_returns()
        await expect(page.locator(".live")).to_contain_text(re.compile(r"^Live\."))
        await expect(page.locator("#link")).to_be_hidden()


async def test_everybody_can_read_it(site: ChatServer, sit_down: SitDown) -> None:
    person = await sit_down(site.url)
    page = person.page
    person.forgive(REFUSED)
    await page.goto(f"{site.url}/operators.html")
    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert await faults(page, "operators-door") == []
    await at_work(person, site, "Even Maple")
    async with ChatClient(site.ws_url) as ben, ChatClient(site.ws_url) as eve:
        for client in (ben, eve):
            await join(client, "small")
        await say(ben, "small", "hello")
        await expect(page.get_by_role("region", name="Needs attention")).to_contain_text("Small room is full")
        await expect(row(page, "Small room").locator(".c-members .v")).to_contain_text("2")
        assert await faults(page, "operators") == []


def _record(site: ChatServer, asks: int) -> None:
    """So many asked yesterday, every two minutes, and two listened."""
    start = (int(time.time()) - 86_400) * 1000 // 10_000 * 10_000
    waits = [(start + each * 120_000, start + each * 120_000 + 30_000, "met", 1_800_000) for each in range(asks)]
    with contextlib.closing(sqlite3.connect(site.directory / "data" / "chat.db", timeout=10)) as database, database:
        database.execute("DELETE FROM asks")
        database.execute("DELETE FROM shifts")
        database.executemany("INSERT INTO asks (asked_at, ended_at, outcome, length) VALUES (?, ?, ?, ?)", waits)
        shifts = [(start, start + 14_400_000, 2)] * 2
        database.executemany("INSERT INTO shifts (started_at, ended_at, cap) VALUES (?, ?, ?)", shifts)


async def test_an_operator_tries_a_policy_and_sees_the_waits(site: ChatServer, sit_down: SitDown) -> None:
    page = await at_work(await sit_down(site.url), site, "Calm Heron")
    card = page.get_by_role("region", name="Try another policy")
    await card.get_by_role("button", name="Try a policy").click()
    await expect(card.get_by_label("Days back")).to_be_focused()
    _record(site, 19)
    await card.get_by_role("button", name="Show the waits").click()
    await expect(card).to_contain_text("Fewer than 20 people asked")
    _record(site, 40)
    await card.get_by_label("Listeners more").fill("10")
    await card.get_by_role("button", name="Show the waits").click()
    half = card.get_by_role("row", name="Half of those met waited up to")
    await expect(half.get_by_role("cell").first).to_have_text("30 s")
    await expect(half.get_by_role("cell").last).to_have_text("10 s")
    assert await faults(page, "policy") == []


async def test_operators_take_statistics_along_and_moderators_do_not(site: ChatServer, sit_down: SitDown) -> None:
    page = await at_work(await sit_down(site.url), site, "Steady Harbour")
    card = page.get_by_role("region", name="Numbers to take along")
    async with page.expect_download() as download:
        await card.get_by_role("link", name="Download as CSV").click()
    taken = await download.value
    assert taken.suggested_filename == "statistics.csv"
    text = await asyncio.to_thread(Path(await taken.path()).read_text, "utf-8")
    # Nothing has happened here: of every week that is over all is withheld.
    assert text.startswith("week,table,day,kind,count\n")
    assert {line.split(",")[3] for line in text.splitlines()[1:]} == {"withheld"}
    moderator = await at_work(await sit_down(site.url), site, "Mild Lagoon", "moderator")
    await expect(moderator.get_by_role("heading", name="What goes on")).to_be_visible()
    await expect(moderator.get_by_role("region", name="Numbers to take along")).to_have_count(0)


# ------------------------------------------------------------------------------------------------ a thousand rooms

_WATCH_FRAMES = """() => {
    window.frames_ = []; window.long_ = [];
    const heard = (list) => window.long_.push(...list.getEntries().map((e) => e.duration));
    new PerformanceObserver(heard).observe({type: "longtask"});
    let before = performance.now();
    const next = (now) => { window.frames_.push(now - before); before = now; requestAnimationFrame(next); };
    requestAnimationFrame(next);
}"""


async def _spent(devtools: CDPSession) -> float:
    """Seconds that the page has spent on script, style and layout."""
    told = (await devtools.send("Performance.getMetrics"))["metrics"]
    wanted = {"ScriptDuration", "RecalcStyleDuration", "LayoutDuration"}
    return float(sum(each["value"] for each in told if each["name"] in wanted))


SECONDS = 5
"""How long the page is scrolled while all numbers change."""


@pytest.mark.slow
async def test_a_thousand_rooms_on_twenty_workers_stay_smooth(redis_server: RedisServer, sit_down: SitDown) -> None:
    """Every number of every room changes every second, and all rows are on the page."""
    rooms = room_ids(1_000)
    crowded = [room(each, f"Room {number}", capacity=1_000) for number, each in enumerate(rooms)]
    with open_site(crowded, redis_url=redis_server.url) as server:
        async with crowd_of_workers(redis_server.url, server.redis_namespace, 20, rooms) as crowd:
            page = await at_work(
                await sit_down(server.url, viewport={"width": 1280, "height": 900}), server, "Tall Tower"
            )
            table = page.get_by_role("table", name="Workers, live")
            await expect(table.get_by_role("row")).to_have_count(22)
            # While the page fills the button moves, and a click may miss it. The keyboard does not.
            await expect(page.locator(".rooms .c-name")).to_have_count(101, timeout=20_000)
            await page.get_by_role("button", name="Show all").press("Enter")
            await expect(page.locator(".rooms .c-name")).to_have_count(1 + 1_000 + len(seed_rooms()), timeout=20_000)
            await page.evaluate(_WATCH_FRAMES)
            devtools = await page.context.new_cdp_session(page)
            # Its own time on a processor, whatever else the machine does.
            await devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
            before = await _spent(devtools)
            for _ in range(SECONDS):
                await page.mouse.wheel(0, 900)
                await asyncio.sleep(1.0)
            spent = await _spent(devtools) - before
            frames: list[float] = sorted(await page.evaluate("() => window.frames_"))
            tasks: list[float] = await page.evaluate("() => window.long_")
            middle, late = frames[len(frames) // 2], frames[int(len(frames) * 0.99)]
            print(f"frames: {len(frames)}, p50 {middle:.1f} ms, p99 {late:.1f} ms, longest {frames[-1]:.0f} ms")
            print(f"long tasks: {len(tasks)}, longest {max(tasks, default=0):.0f} ms")
            print(f"script, style and layout: {spent / SECONDS * 1_000:.0f} ms a second")
            # The machine also carries the server, Redis and the crowd, so frames are only told; the page's own part is
            # bounded.
            assert spent < 0.3 * SECONDS

            # Numbers on the page are the crowd's own, once it is at rest.
            crowd.busy = 0.0
            await page.get_by_label("Find a room").fill("Room 417")
            here = sum(parts[rooms[417]].members for parts in crowd.samples.values())
            await expect(row(page, "Room 417").locator(".c-members .v")).to_have_text(f"{here} of 1,000")
        # They fall silent without a word: within five seconds nothing of them is left.
        await expect(table.get_by_role("row")).to_have_count(2, timeout=6_000)
        await expect(row(page, "Room 417").locator(".c-members .v")).to_have_text("0 of 1,000")
