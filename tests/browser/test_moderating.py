"""A report from a post and from a person, the moderators' page, and what either side is told."""

from __future__ import annotations

import contextlib
import itertools
import re
import sqlite3
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import SitDown
from tests.browser.console import invite, let_operators_count
from tests.browser.eyes import BEYOND, PRESSED, SMALL, faults, photograph, violations
from tests.browser.person import Person
from tests.browser.screens import ROOMS
from tests.browser.site import join, open_site, room, say
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer
from tests.kit.web import WebClient

pytestmark = pytest.mark.timeout(120)
PASSWORD = "lamp river boots sky"
ROOM = "A room to walk through"


_numbers = itertools.count(1)
_NAMES = (
    *("Mona", "Vera", "Jonas", "Kaspar", "Ruth", "Odile", "Pavel", "Britta", "Enrico", "Solveig", "Tobias", "Yasmin"),
    *("Quentin", "Ludmila", "Hendrik", "Fiona", "Oswald", "Zelda"),
)


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    with open_site(ROOMS) as server:
        yield server


async def hire(site: ChatServer, role: str = "moderator") -> str:
    """Somebody new who works here; their sign-in name."""
    number = next(_numbers)
    account = {
        "link": await invite(site, role),
        "login": f"moderator-{number}",
        "name": f"{_NAMES[number % len(_NAMES)]} Keeper",
        "password": PASSWORD,
    }
    async with WebClient(base_url=site.url, timeout=20) as http:
        made = await http.post("/api/staff/invitation", json=account)
    assert made.is_success, made.text
    if role == "operator":
        let_operators_count(site)
    return account["login"]


async def sign_in(person: Person, login: str) -> Page:
    page = person.page
    # Nobody is signed in yet: the page asks, and is told so.
    person.forgive("401")
    await page.goto(person.url + "/moderate.html")
    await page.get_by_label("Sign-in name").fill(login)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("heading", name="Reports", level=1)).to_be_visible()
    return page


async def test_from_a_post_to_an_answer(site: ChatServer, sit_down: SitDown) -> None:
    login = await hire(site)
    mona, ann = await sit_down(site.url), await sit_down(site.url)
    desk = await sign_in(mona, login)
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "walked")
        await say(ben, "walked", "tell me where you live")
        await ann.arrive()
        await ann.enter(ROOM)
        menu = await ann.open_menu("tell me where you live")
        await menu.get_by_role("button", name="Report", exact=True).click()
        await ann.page.get_by_label("Unkind or hurtful").check()
        await ann.page.get_by_label("Would you like to add something?").fill("They ask again and again.")
        await ann.page.get_by_role("button", name="Send this report").click()
        await expect(ann.page.locator(".done")).to_contain_text("A moderator will look at it")
        await ann.page.get_by_role("button", name="Close", exact=True).click()

        row = desk.get_by_role("button", name=re.compile("^Unkind or hurtful"))
        await row.click()
        await expect(desk.get_by_text("tell me where you live")).to_have_count(0)
        await desk.get_by_role("button", name="Take it", exact=True).click()
        await desk.get_by_role("button", name="Show what was written").click()
        await expect(desk.locator(".snapshot .it")).to_contain_text("tell me where you live")
        await expect(desk.get_by_text("They ask again and again.")).to_be_visible()
        await desk.get_by_role("button", name="Decide something").click()
        await desk.get_by_label("What", exact=True).select_option("mute")
        await desk.get_by_label("Why: they will read this").fill("Please do not press anybody.")
        await desk.get_by_role("button", name="Yes, decide this").click()
        matters = await ben.wait_for(lambda push: push["push"] == "matters" and bool(push["measures"]))
        assert matters["measures"][0]["reason"] == "Please do not press anybody."
        await desk.get_by_role("button", name="Close it", exact=True).click()
        await desk.get_by_label("What came of it").select_option("measure")
        await desk.get_by_label("Answer to whoever reported it").fill("They cannot write for an hour.")
        await desk.get_by_role("button", name="Close this report").click()
        await expect(ann.page.locator(".moderation-notices")).to_contain_text("They cannot write for an hour.")
        await ann.page.locator(".moderation-notices").get_by_role("button", name="I have read this").click()
        await expect(ann.page.locator(".moderation-notices")).to_be_hidden()
        await ann.page.reload()
        await ann.sees("tell me where you live")
        await expect(ann.page.locator(".moderation-notices:not([hidden])")).to_have_count(0)


async def test_a_removed_post_is_reported_with_what_it_said(site: ChatServer, sit_down: SitDown) -> None:
    login = await hire(site)
    mona, ann = await sit_down(site.url), await sit_down(site.url)
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "walked")
        await ann.arrive()
        await ann.enter(ROOM)
        posted = await ben.ask("post", room="walked", text="nobody would miss you")
        await ann.sees("nobody would miss you")
        await ben.ask("edit", room="walked", offset=posted["offset"], text="sleep well")
        await ben.ask("redact", room="walked", offset=posted["offset"])
        row = ann.page.locator(f'.post[data-offset="{posted["offset"]}"]')
        await expect(row).to_contain_text("This post was removed by its writer.")
        await row.get_by_role("button", name="Report", exact=True).click()
        await row.get_by_role("group", name="Report").get_by_role("button", name="Report", exact=True).click()
        await row.get_by_label("Unkind or hurtful").check()
        await row.get_by_role("button", name="Send this report").click()
        await expect(row.locator(".done")).to_contain_text("A moderator will look at it")
        await ann.page.get_by_role("button", name="Close", exact=True).click()

    desk = await sign_in(mona, login)
    await desk.get_by_role("button", name=re.compile("^Unkind or hurtful")).first.click()
    await desk.get_by_role("button", name=re.compile("^Take it")).click()
    await desk.get_by_role("button", name="Show what was written").click()
    told = desk.locator(".snapshot .it")
    await expect(told.locator(".earlier").nth(0)).to_contain_text("nobody would miss you")
    await expect(told.locator(".earlier").nth(0)).to_contain_text("As first written")
    await expect(told.locator(".earlier").nth(1)).to_contain_text("sleep well")
    await expect(told).to_contain_text("Taken back before it was reported.")
    await desk.get_by_role("button", name="Close it", exact=True).click()
    await desk.get_by_label("What came of it").select_option("nothing")
    await desk.get_by_role("button", name="Close this report").click()


async def test_from_a_person_to_a_ban_and_back(site: ChatServer, sit_down: SitDown) -> None:
    login = await hire(site)
    mona, ann = await sit_down(site.url), await sit_down(site.url)
    desk = await sign_in(mona, login)
    await ann.arrive()
    await ann.enter(ROOM)
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "walked")
        who = ann.page.get_by_role("dialog")
        await ann.page.get_by_role("button", name="People").click()
        await who.get_by_role("button", name=re.compile("^Report: ")).first.click()
        await who.get_by_label("Somebody is in danger").check()
        await who.get_by_role("button", name="Send this report").click()
        await expect(who.locator(".done")).to_contain_text("A moderator will look at it")
        await who.get_by_role("button", name="Close").first.click()
    await desk.get_by_role("button", name=re.compile("^Somebody is in danger")).first.click()

    # She reports the other one; a moderator, who is wrong, bans her by hand. It is another one than who is at the desk:
    # what is answered to a decision is for somebody else to decide.
    other = await hire(site)
    me = await ann.page.evaluate(
        "async () => (await (await fetch('/api/identity', {method: 'POST'})).json()).member.id"
    )
    async with ChatClient(site.ws_url, hello=False) as moderator:
        token = await signed_in(site, other)
        await moderator.ask("hello", staff=True, token=token)
        await moderator.ask("measure", kind="ban", member=me, minutes=60, reason="A mistake of ours.")
        card = ann.page.locator(".moderation-notices")
        await expect(card).to_contain_text("You can't be here at the moment")
        await expect(card).to_contain_text("A mistake of ours.")
        await expect(card).to_be_visible()
        assert await violations(ann.page) == []
        await photograph(ann.page, "banned")
        await card.get_by_role("button", name="Answer them, once").click()
        await card.get_by_role("textbox").fill("I did nothing.")
        await card.get_by_role("button", name="Send this to the moderators").click()
        await expect(card).to_contain_text("You answered.")
        await desk.get_by_role("button", name=re.compile("^Decisions")).click()
        decision = desk.locator(".decision").filter(has_text="They answer: I did nothing.")
        await decision.get_by_role("button", name=re.compile("^End it")).click()
        await decision.get_by_label("Why, for the log").fill("We were wrong.")
        await decision.get_by_role("button", name="Yes, end it").click()
        await expect(decision).to_have_count(0)
    await ann.page.reload()
    await expect(ann.writing).to_be_visible()


async def test_a_ban_asks_for_the_password_again_and_goes_on(site: ChatServer, sit_down: SitDown) -> None:
    login = await hire(site)
    mona = await sit_down(site.url)
    async with ChatClient(site.ws_url) as ben, ChatClient(site.ws_url) as eve:
        for client in (ben, eve):
            await join(client, "walked")
        await say(ben, "walked", "you will all see")
        offset = (await eve.ask("history", room="walked", before=2**40))["posts"][-1]["offset"]
        await eve.ask("report_post", room="walked", offset=offset, reason="sexual")
        desk = await sign_in(mona, login)
        long_ago(site)
        await desk.get_by_role("button", name=re.compile("^Sexual or pushing")).click()
        await desk.get_by_role("button", name="Decide something").click()
        await desk.get_by_label("What", exact=True).select_option("ban")
        await desk.get_by_label("Why: they will read this").fill("Threats have no place here.")
        await desk.get_by_role("button", name="Yes, decide this").click()
        asked = desk.get_by_role("dialog", name="Please show that it's you")
        await expect(asked.get_by_label("Password")).to_be_focused()
        assert await violations(desk) == []
        await photograph(desk, "confirm")
        await desk.keyboard.press("Escape")
        await expect(desk.get_by_role("alert").filter(has_text="show first that it's you")).to_be_visible()
        await expect(desk.get_by_role("button", name="Yes, decide this")).to_be_focused()
        await desk.keyboard.press("Enter")
        # The wrong one is refused, and the page says so.
        mona.forgive("401")
        await asked.get_by_label("Password").fill("not this one at all")
        await desk.keyboard.press("Enter")
        await expect(asked.get_by_role("alert")).to_be_visible()
        await asked.get_by_label("Password").fill(PASSWORD)
        await desk.keyboard.press("Enter")
        await expect(asked).to_have_count(0)
        await expect(desk.get_by_label("Why: they will read this")).to_be_hidden()
        assert await ben.wait_closed() == 4402
    # Or nobody new would be let in from here any more.
    async with ChatClient(site.ws_url, hello=False) as moderator:
        await moderator.ask("hello", staff=True, token=await signed_in(site, login))
        ban = (await moderator.ask("reports"))["measures"][0]
        assert (ban["kind"], ban["reason"]) == ("ban", "Threats have no place here.")
        await moderator.ask("lift", measure=ban["id"], reason="It was a test.")


@pytest.mark.timeout(240)
async def test_two_people_close_what_is_about_somebody_who_works_here(site: ChatServer, sit_down: SitDown) -> None:
    accused, first, second = [await hire(site, role) for role in ("moderator", "operator", "operator")]
    vera, jonas = [await sit_down(site.url, reduced_motion="reduce") for _ in range(2)]
    one, two = await sign_in(vera, first), await sign_in(jonas, second)
    found: list[str] = []

    async def see(page: Page, name: str) -> None:
        found.extend(await faults(page, name))

    async with ChatClient(site.ws_url) as ben, ChatClient(site.ws_url, hello=False) as moderator:
        await moderator.ask("hello", staff=True, token=await signed_in(site, accused))
        for client in (ben, moderator):
            await join(client, "walked")
        before = (await moderator.ask("reports"))["open"]
        await ben.ask("report_post", room="walked", member=moderator.id_in("walked"), reason="pressure")
        for page in (one, two):
            await page.get_by_role("button", name=re.compile("^Pressing somebody")).click()
        await one.get_by_role("button", name="Take it", exact=True).click()
        await two.get_by_role("button", name=re.compile("^Take it from")).click()
        await two.get_by_label("Why you take it over").fill("You are off duty now.")
        await see(two, "taking")
        await two.get_by_role("button", name="Take it over", exact=True).click()
        await expect(one.locator(".file .taken")).to_contain_text("took it over from you: You are off duty now.")
        await expect(one.locator("#say-now")).to_contain_text("took it over from you")
        await two.get_by_role("button", name="Close it", exact=True).click()
        await two.get_by_label("What came of it").select_option("handled")
        await two.get_by_label("Answer to whoever reported it").fill("We have talked with them.")
        await two.get_by_role("button", name="Propose this").click()
        await expect(two.locator(".file .done")).to_contain_text("A second operator has to agree.")
        await see(two, "proposed")
        await expect(two.get_by_role("button", name="Agree", exact=True)).to_be_hidden()
        await one.get_by_role("button", name="Don't agree").click()
        await one.get_by_label("Why not").fill("Ask them again.")
        await see(one, "disagree")
        await one.get_by_role("button", name="Back to the queue", exact=True).last.click()
        await expect(two.get_by_role("button", name="Take it", exact=True)).to_be_visible()
        await two.get_by_role("button", name="Take it", exact=True).click()
        await two.get_by_role("button", name="Close it", exact=True).click()
        await two.get_by_role("button", name="Propose this").click()
        await one.get_by_role("button", name="Agree", exact=True).click()
        await one.get_by_role("button", name="Yes, close it").click()
        answered = await ben.wait_for(lambda push: push["push"] == "matters" and bool(push["answers"]))
        assert answered["answers"][0]["reply"] == "We have talked with them."
        assert (await moderator.ask("reports"))["open"] == before
        # Nor were they told of it meanwhile.
        assert [told for told in moderator.pushes if told["push"] == "reports" and told["open"] != before] == []
    assert found == []


_ALL_KINDS = (
    "i am going to kill myself tonight. i will shoot my teacher tomorrow. my dad hits me. send me nudes. "
    "kys you worthless loser. how many pills does it take to die"
)


@pytest.fixture
def one_address() -> Iterator[ChatServer]:
    """A server to which everybody comes from one address that is no school's."""
    with open_site([room("flooded", "A room that is flooded")], is_school=False) as server:
        yield server


async def test_in_a_flood_a_childs_report_is_first_and_nothing_is_out_of_reach(
    one_address: ChatServer, sit_down: SitDown
) -> None:
    site = one_address
    login = await hire(site, "operator")
    mona = await sit_down(site.url, viewport={"width": 390, "height": 800})
    async with contextlib.AsyncExitStack() as stack:
        *guests, child = [await stack.enter_async_context(ChatClient(site.ws_url)) for _ in range(4)]
        for client in (*guests, child):
            await join(client, "flooded")
        desk = await sign_in(mona, login)
        for guest in guests:
            await say(guest, "flooded", _ALL_KINDS)
        about = guests[0].id_in("flooded")
        await child.ask("report_post", room="flooded", member=about, reason="danger", note="I am 13")
        rows = desk.locator(".queue .report:visible").filter(has_text=re.compile("flooded|Many alerts"))
        await expect(rows).to_have_count(2)
        await expect(rows.first).to_contain_text("Somebody is in danger")
        await expect(rows.last).to_contain_text("from 3 people who are new here")
        await photograph(desk, "flood")
        await rows.last.click()
        held = desk.locator(".file .report")
        await expect(held).to_have_count(3)
        assert await violations(desk) == []
        assert await desk.evaluate(BEYOND, 390) == []
        assert await desk.evaluate(SMALL, PRESSED) == []
        await desk.get_by_role("button", name="Protect the rooms").click()
        await desk.get_by_label("Which rooms").select_option("one")
        await desk.get_by_role("button", name="Yes, protect them").click()
        await expect(desk.locator("#say")).to_contain_text("Protected.")
        await held.first.click()
        await expect(desk.get_by_role("heading", name="Also from them")).to_be_visible()
        await expect(held).to_have_count(5)
        await held.first.click()
        await desk.get_by_role("button", name="Show what was written").click()
        await expect(desk.locator(".snapshot .it")).to_contain_text("kill myself tonight")
        await expect(desk.get_by_role("button", name="Take it", exact=True)).to_have_count(0)
        await desk.get_by_role("button", name="Back to where this is from").click()
        await desk.get_by_role("button", name="Take it", exact=True).click()
        await desk.get_by_role("button", name="Back to where this is from").click()
        await expect(held).to_have_count(2)


def long_ago(site: ChatServer) -> None:
    """Everybody who is signed in gave their password a quarter of an hour ago."""
    with contextlib.closing(sqlite3.connect(site.directory / "data" / "chat.db")) as database, database:
        database.execute("UPDATE staff_sign_ins SET confirmed_at = confirmed_at - 900000")


async def signed_in(site: ChatServer, login: str) -> str:
    async with WebClient(base_url=site.url) as http:
        answer = await http.post("/api/staff/sign-in", json={"login": login, "password": PASSWORD})
        return str(answer.json()["token"])


async def test_every_screen_for_every_eye(site: ChatServer, sit_down: SitDown) -> None:
    login = await hire(site)
    async with ChatClient(site.ws_url) as ben, ChatClient(site.ws_url) as eve:
        for client in (ben, eve):
            await join(client, "walked")
        for n in range(4):
            await say(ben, "walked", f"line {n}, which is somewhat longer than the others")
        offset = (await eve.ask("history", room="walked", before=2**40))["posts"][-1]["offset"]
        await ben.ask("edit", room="walked", offset=offset, text="what they meant")
        await eve.ask("report_post", room="walked", offset=offset, reason="unkind", note="Every evening.")
        page = await sign_in(await sit_down(site.url, reduced_motion="reduce"), login)
        found: list[str] = []

        async def look(name: str) -> None:
            found.extend(await faults(page, name))

        await look("queue")
        row = page.locator("button.report").filter(has_text="Unkind or hurtful").first
        await row.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".file h1")).to_be_focused()
        await page.get_by_role("button", name=re.compile("^Take it")).click()
        await expect(page.get_by_role("button", name="Close it", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Show what was written").click()
        await expect(page.locator(".snapshot")).to_be_visible()
        await look("file")
        await page.get_by_role("button", name="Decide something").click()
        await look("measure")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Close it", exact=True).click()
        await look("close")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name=re.compile("^Decisions")).click()
        await look("decisions")
        await page.get_by_role("button", name="Listeners' notes").click()
        await look("notes")
        assert found == []
