"""What operators do with rooms, at their page, and what those in the rooms see of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import SitDown, sitting_down
from tests.browser.console import PASSWORD, hire
from tests.browser.eyes import faults
from tests.browser.person import Person
from tests.browser.site import join, open_site, room
from tests.browser.test_operators import at_work, row
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer
from tests.kit.web import WebClient

pytestmark = pytest.mark.timeout(180)

_NAMES = ["kitchen", "porch", "attic", "barn", "garden", "cellar", "lamp", "tea", "cup", "path"]
ROOMS = [room(name, f"{name.title()} room", capacity=40, about="A room of the house.") for name in _NAMES]
WHY = "to see that it works"


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    with open_site(ROOMS) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def boss(site: ChatServer) -> AsyncIterator[ChatClient]:
    """An operator who acts without a page."""
    login = await hire(site, "Swift Ember", "operator")
    async with WebClient(base_url=site.url, timeout=20) as http:
        answer = await http.post("/api/staff/sign-in", json={"login": login, "password": PASSWORD})
    assert answer.is_success, answer.text
    async with ChatClient(site.ws_url, hello=False) as client:
        await client.ask("hello", token=answer.json()["token"], staff=True)
        yield client


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def board(site: ChatServer, chromium: Browser) -> AsyncIterator[Page]:
    """The page of another operator, who stays at work for all tests."""
    async with sitting_down(chromium) as sit_down:
        yield await at_work(await sit_down(site.url), site, "Bright Ember")


@pytest_asyncio.fixture(loop_scope="session")
async def page(board: Page) -> AsyncIterator[Page]:
    """That page, with no dialog open at the beginning."""
    yield board
    if await board.get_by_role("dialog").is_visible():
        await board.get_by_role("dialog").get_by_role("button", name="Close", exact=True).click()
    await expect(board.get_by_role("dialog")).to_have_count(0)


@asynccontextmanager
async def company(server: ChatServer, where: str, count: int) -> AsyncIterator[list[ChatClient]]:
    """So many others in a room, who all answer the first of them."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(ChatClient(server.ws_url)) for _ in range(count)]
        for client in clients:
            await join(client, where)
        first = (await clients[0].ask("post", room=where, text="hello"))["offset"]
        for client in clients[1:]:
            await client.ask("post", room=where, text="hello you", reply_to=first)
        yield clients


def notes(person: Person) -> Locator:
    return person.page.get_by_role("region", name="From the people who run this place")


async def begin(page: Page, act: str) -> Locator:
    """Open an act in the dialog; the form behind it."""
    await page.get_by_role("dialog").get_by_role("button", name=act, exact=True).click()
    form = page.get_by_role("dialog").locator("form:not([hidden])")
    await expect(form).to_be_visible()
    return form


async def change(page: Page, name: str) -> Locator:
    await page.get_by_role("table", name="Rooms, live").get_by_role("button", name=f"Change {name}").click()
    sheet = page.get_by_role("dialog", name=name)
    await expect(sheet.get_by_role("button", name="Announce here")).to_be_visible()
    return sheet


async def test_operator_changes_and_closes_a_room_and_everybody_inside_sees_it(
    site: ChatServer, sit_down: SitDown, page: Page
) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    await ann.enter("Kitchen room")
    sheet = await change(page, "Kitchen room")
    form = await begin(page, "How it is set")
    await form.get_by_label("Topic").fill("What is on the stove?")
    await form.get_by_label("How many fit").fill("30")
    await form.get_by_role("button", name="Save").click()
    await expect(form.get_by_role("alert")).to_have_text(re.compile("^Something is missing"))
    await form.get_by_label("Why, for the audit log").fill(WHY)
    await form.get_by_role("button", name="Save").click()
    await expect(sheet.get_by_role("status").filter(has_text="Done.")).to_be_visible()
    await expect(ann.page.locator(".topic")).to_have_text("What is on the stove?")
    await expect(row(page, "Kitchen room").locator(".c-members .v")).to_contain_text("of 30")

    form = await begin(page, "Close the room")
    await form.get_by_label("Why, for the audit log").fill(WHY)
    await form.get_by_role("button", name="Yes, close it").click()
    await expect(sheet.get_by_text("This room is closed.")).to_be_visible()
    told = notes(ann)
    await expect(told).to_contain_text("This room is closed. You can still read what was written here.")
    form = await begin(page, "Open the room again")
    await form.get_by_label("Why, for the audit log").fill(WHY)
    await form.get_by_role("button", name="Yes, open it").click()
    await expect(told).to_be_hidden()
    await expect(sheet.get_by_text("This room is closed.")).to_be_hidden()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Change Kitchen room")).to_be_focused()


async def test_a_colleagues_change_is_not_undone(page: Page, boss: ChatClient) -> None:
    await change(page, "Porch room")
    form = await begin(page, "Slow mode")
    await boss.ask("slow_room", room="porch", seen=0, seconds=9, reason=WHY)
    await form.get_by_label("Seconds").fill("5")
    await form.get_by_label("Why, for the audit log").fill(WHY)
    await form.get_by_role("button", name="Set slow mode").click()
    await expect(form.get_by_role("alert")).to_contain_text("A colleague has changed this room meanwhile.")
    await expect(row(page, "Porch room").locator(".c-slow_mode .v")).to_have_text("9 s")


async def test_a_split_is_done_as_it_was_shown_or_shown_again(site: ChatServer, page: Page) -> None:
    async with company(site, "cup", 10) as people:
        await change(page, "Cup room")
        form = await begin(page, "Split the room")
        await form.get_by_label("Into how many rooms").select_option("2")
        await form.get_by_role("button", name="Show who would be where").click()
        groups = form.locator(".preview section")
        await expect(groups).to_have_count(2)
        gone = (await groups.nth(1).locator("p").inner_text()).split(", ")
        for client in [each for each in people if each.hello_ok["member"]["name"] in gone]:
            await client.ask("leave", room="cup")
        await form.get_by_label("Why, for the audit log").fill(WHY)
        await form.get_by_role("button", name="Yes, split it").click()
        await expect(form.get_by_role("alert")).to_contain_text("The room has changed since you looked.")
        assert len({name for group in await groups.locator("p").all_inner_texts() for name in group.split(", ")}) == (
            len(people) - len(gone)
        )
        await form.get_by_role("button", name="Yes, split it").click()
        await expect(page.get_by_role("dialog").get_by_role("status").filter(has_text="rooms now")).to_be_visible()


async def test_an_announcement_is_seen_by_those_here_and_by_who_comes(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    await ann.enter("Attic room")
    page = await at_work(await sit_down(site.url), site, "Kind Ember", "moderator")
    sheet = await change(page, "Attic room")
    await expect(sheet.get_by_role("button", name="Close the room")).to_have_count(0)
    form = await begin(page, "Announce here")
    await form.get_by_label("What is announced").fill("A moderator is here until ten.")
    await form.get_by_label("Why, for the audit log").fill(WHY)
    await form.get_by_role("button", name="Announce it").click()
    told = notes(ann)
    await expect(told).to_contain_text("A moderator is here until ten.")
    await expect(ann.page.locator("#say")).to_have_text(
        "From the people who run this place: A moderator is here until ten."
    )
    eve = await sit_down(site.url)
    await eve.arrive()
    await expect(notes(eve)).to_be_hidden()
    await eve.enter("Attic room")
    await expect(notes(eve)).to_contain_text("A moderator is here until ten.")
    await eve.page.get_by_role("button", name="Hide this").click()
    await expect(notes(eve)).to_be_hidden()
    form = await begin(page, "Take it back")
    await form.get_by_label("Why, for the audit log").fill(WHY)
    await form.get_by_role("button", name="Yes, take it back").click()
    await expect(told).to_be_hidden()


async def test_a_member_is_led_to_their_place_with_what_they_write_and_can_go_back(
    site: ChatServer, sit_down: SitDown, boss: ChatClient
) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    await ann.enter("Barn room")
    async with company(site, "barn", 5):
        await expect(ann.page.locator(".room-title .here")).to_contain_text("6")
        await ann.say("sent before it")
        await ann.writing.fill("half a sen")
        await ann.writing.focus()
        await boss.ask("split", room="barn", seen=0, parts=2, reason=WHY)
        # Whoever speaks with nobody goes; those who speak with each other stay.
        await expect(ann.page.get_by_role("heading", name="Barn room · 2", level=1)).to_be_visible()
        told = notes(ann)
        await expect(told).to_contain_text("Your place is in Barn room · 2 now")
        await expect(told).to_contain_text("What you were writing came along.")
        await expect(ann.writing).to_have_value("half a sen")
        await expect(ann.writing).to_be_focused()
        await ann.say("half a sentence, and its end")
        await told.get_by_role("button", name="Go back to Barn room").click()
        await expect(ann.page.get_by_role("heading", name="Barn room", level=1, exact=True)).to_be_visible()
        await expect(told).to_be_hidden()
        await ann.say("back again")
        await ann.page.reload()
        await ann.sees("back again")
        await expect(ann.page.get_by_role("heading", name="Barn room", level=1, exact=True)).to_be_visible()


async def test_a_member_who_was_away_is_led_when_they_return(
    site: ChatServer, sit_down: SitDown, boss: ChatClient
) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    await ann.enter("Garden room")
    async with company(site, "garden", 5):
        await expect(ann.page.locator(".room-title .here")).to_contain_text("6")
        ann.forgive("WebSocket connection", "ERR_INTERNET_DISCONNECTED")
        await ann.page.evaluate("() => { window.WebSocket.prototype.send = () => {}; }")
        await boss.ask("split", room="garden", seen=0, parts=2, reason=WHY)
        await ann.page.reload()
        await expect(ann.page.get_by_role("heading", name="Garden room · 2", level=1)).to_be_visible()
        await ann.say("I am here")


async def test_a_newcomer_is_led_to_the_room_with_more_space(
    site: ChatServer, sit_down: SitDown, boss: ChatClient
) -> None:
    async with company(site, "lamp", 8) as people:
        await boss.ask("split", room="lamp", seen=0, parts=2, reason=WHY)
        ann = await sit_down(site.url)
        await ann.arrive()
        await ann.enter("Lamp room A")
        await expect(ann.page.get_by_role("heading", name="Lamp room · 2", level=1)).to_be_visible()
        assert people


async def test_a_new_guest_does_a_sum_and_reads_first_in_a_protected_room(
    site: ChatServer, sit_down: SitDown, boss: ChatClient
) -> None:
    raid = (await boss.ask("raid", room="cellar", minutes=5, quiet_minutes=4, reason=WHY))["raid"]
    ann = await sit_down(site.url)
    await ann.arrive()
    await ann.enter("Cellar room")
    await ann.write("Hello, may I?")
    await expect(notes(ann)).to_contain_text("Who is new here reads for a little while first.")
    await expect(ann.waiting("Hello, may I?")).to_have_count(1)
    await boss.ask("end_raid", raid=raid["id"], reason=WHY)
    await ann.page.get_by_role("button", name="Try again").click()
    await ann.sees("Hello, may I?")


async def test_the_only_worker_is_not_drained_and_the_page_says_why(page: Page) -> None:
    await page.get_by_role("table", name="Workers, live").get_by_role("button", name=re.compile("^Drain")).click()
    sheet = page.get_by_role("dialog", name=re.compile("^Drain"))
    await sheet.get_by_label("Why, for the audit log").fill(WHY)
    await sheet.get_by_role("button", name="Yes, drain it").click()
    await expect(sheet.get_by_role("alert")).to_contain_text("This is the only worker")


async def test_a_new_room_and_the_hours(page: Page) -> None:
    await page.get_by_role("button", name="Rooms, announcements, hours").click()
    form = await begin(page, "Open a new room")
    await form.get_by_label("Name", exact=True).fill("Window seat")
    await form.get_by_label("Who it is for, in a line").fill("For looking out.")
    await form.get_by_label("Why, for the audit log").fill(WHY)
    await form.get_by_role("button", name="Open the room").click()
    sheet = page.get_by_role("dialog", name="Rooms, announcements, hours")
    await expect(sheet.get_by_text("Window seat is open.")).to_be_visible()
    form = await begin(page, "Change the hours")
    await form.get_by_label("Hours", exact=True).fill("never on sundays")
    await form.get_by_label("Why, for the audit log").fill(WHY)
    await form.get_by_role("button", name="Set the hours").click()
    await expect(form.get_by_role("alert")).to_contain_text("This does not fit: hours")
    await form.get_by_label("Hours", exact=True).fill("never")
    await form.get_by_role("button", name="Set the hours").click()
    await expect(sheet.get_by_text("never (UTC)")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("dd").filter(has_text="Closed")).to_be_visible()
    await expect(row(page, "Window seat")).to_be_visible()


async def test_everybody_can_do_and_read_it(site: ChatServer, sit_down: SitDown, page: Page, boss: ChatClient) -> None:
    where, name = "tea", "Tea room"
    ann: Person = await sit_down(site.url)
    await ann.arrive()
    await ann.enter(name)
    async with company(site, where, 5):
        revision = (await boss.ask("house", room=where))["rooms"][0]["revision"]
        await boss.ask("announce", room=where, text="A moderator is here until ten.", minutes=30, reason=WHY)
        await boss.ask("raid", room=where, minutes=5, quiet_minutes=0, reason=WHY)
        await expect(notes(ann)).to_contain_text("A moderator is here until ten.")
        assert await faults(ann.page, "announced") == []
        sheet = await change(page, name)
        assert await faults(page, "sheet") == []
        form = await begin(page, "Split the room")
        await form.get_by_role("button", name="Show who would be where").click()
        await expect(form.get_by_role("heading", name="Who would be where")).to_be_visible()
        assert await faults(page, "split") == []
        await form.get_by_role("button", name="No, leave it").click()
        form = await begin(page, "How it is set")
        assert await faults(page, "edit") == []
        await form.get_by_role("button", name="No, leave it").click()
        await sheet.get_by_role("button", name="Close", exact=True).click()
        assert await faults(page, "operators") == []
        await page.get_by_role("button", name="Rooms, announcements, hours").click()
        await expect(page.get_by_role("button", name="Open a new room")).to_be_visible()
        assert await faults(page, "house") == []
        await page.keyboard.press("Escape")
        await ann.writing.fill("half a sen")
        await boss.ask("split", room=where, seen=revision, parts=2, reason=WHY)
        await expect(ann.page.get_by_role("heading", name=f"{name} · 2", level=1)).to_be_visible()
        assert await faults(ann.page, "moved") == []
        revision = (await boss.ask("house", room=f"{where}-2"))["rooms"][0]["revision"]
        await boss.ask("close_room", room=f"{where}-2", seen=revision, reason=WHY)
        await expect(notes(ann)).to_contain_text("This room is closed again")
        assert await faults(ann.page, "closed") == []
