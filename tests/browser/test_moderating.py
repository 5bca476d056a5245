"""A report from a post and from a person, the moderators' page, and what either side is told."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import SitDown
from tests.browser.house import join, open_house, say
from tests.browser.person import Person
from tests.browser.screens import ROOMS
from tests.browser.test_access import _BEYOND, _SMALL, violations
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(120)
PASSWORD = "lamp river boots sky"
PRESSED = "button, a.pill, textarea, select, .check, input[type=text]"
LOOKS = [(scheme, width) for width in (390, 1280) for scheme in ("light", "dark")]
ROOM = "A room to walk through"


_numbers = itertools.count(1)
_NAMES = ("Mona", "Vera", "Jonas", "Kaspar", "Ruth", "Odile", "Pavel")


@pytest.fixture(scope="module")
def house() -> Iterator[ChatServer]:
    with open_house(ROOMS) as server:
        yield server


async def hire(house: ChatServer) -> str:
    """A new moderator; their sign-in name."""
    command = [sys.executable, "-m", "chatserver", "invite", "--role", "moderator"]
    file = str(house.directory / "chatserver.toml")
    printed = await asyncio.to_thread(
        subprocess.run, [*command, "--config", file], capture_output=True, text=True, timeout=60, check=True
    )
    number = next(_numbers)
    account = {
        "link": printed.stdout.strip().partition("#invite=")[2],
        "login": f"moderator-{number}",
        "name": f"{_NAMES[number % len(_NAMES)]} Keeper",
        "password": PASSWORD,
    }
    async with httpx.AsyncClient(base_url=house.url, timeout=20) as http:
        made = await http.post("/api/staff/invitation", json=account)
    assert made.is_success, made.text
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


async def photograph(page: Page, name: str) -> None:
    """Where somebody wants to look at them."""
    if (directory := os.environ.get("CHAT_SCREENS")) is not None:
        await page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)


async def test_from_a_post_to_an_answer(house: ChatServer, sit_down: SitDown) -> None:
    login = await hire(house)
    mona, ann = await sit_down(house.url), await sit_down(house.url)
    desk = await sign_in(mona, login)
    async with ChatClient(house.ws_url) as ben:
        await join(ben, "walked")
        await say(ben, "walked", "tell me where you live")
        await ann.arrive()
        await ann.enter(ROOM)
        menu = await ann.open_menu("tell me where you live")
        await menu.get_by_role("button", name="Report", exact=True).click()
        await ann.page.get_by_role("button", name="Unkind or hurtful").click()
        await expect(ann.page.locator(".done")).to_contain_text("A moderator will look at it")
        await ann.page.get_by_role("button", name="I have read this").click()

        row = desk.get_by_role("button", name=re.compile("^Unkind or hurtful"))
        await row.click()
        await expect(desk.get_by_text("tell me where you live")).to_have_count(0)
        await desk.get_by_role("button", name="Take it", exact=True).click()
        await desk.get_by_role("button", name="Show what was written").click()
        await expect(desk.locator(".snapshot .it")).to_contain_text("tell me where you live")
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
        await expect(ann.page.locator(".matters")).to_contain_text("They cannot write for an hour.")
        await ann.page.locator(".matters").get_by_role("button", name="I have read this").click()
        await expect(ann.page.locator(".matters")).to_be_hidden()
        await ann.page.reload()
        await ann.sees_lobby()
        await expect(ann.page.locator(".matters:not([hidden])")).to_have_count(0)


async def test_from_a_person_to_a_ban_and_back(house: ChatServer, sit_down: SitDown) -> None:
    login = await hire(house)
    mona, ann = await sit_down(house.url), await sit_down(house.url)
    desk = await sign_in(mona, login)
    await ann.arrive()
    await ann.enter(ROOM)
    async with ChatClient(house.ws_url) as ben:
        await join(ben, "walked")
        who = ann.page.get_by_role("dialog")
        await ann.page.get_by_role("button", name="People").click()
        await who.get_by_role("button", name=re.compile("^Report: ")).first.click()
        await who.get_by_role("button", name="Somebody is in danger").click()
        await expect(who.locator(".done")).to_contain_text("A moderator will look at it")
        await who.get_by_role("button", name="Close").click()
    await desk.get_by_role("button", name=re.compile("^Somebody is in danger")).first.click()

    # She reports the other one; the moderator, who is wrong, bans her by hand.
    me = await ann.page.evaluate(
        "async () => (await (await fetch('/api/identity', {method: 'POST'})).json()).member.id"
    )
    async with ChatClient(house.ws_url, hello=False) as moderator:
        token = await signed_in(house, login)
        await moderator.ask("hello", staff=True, token=token)
        await moderator.ask("measure", kind="ban", member=me, minutes=60, reason="A mistake of ours.")
        card = ann.page.locator(".matters")
        await expect(card).to_contain_text("You can't be here at the moment")
        await expect(card).to_contain_text("A mistake of ours.")
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
    await ann.sees_lobby()


async def test_a_ban_asks_for_the_password_again_and_goes_on(house: ChatServer, sit_down: SitDown) -> None:
    login = await hire(house)
    mona = await sit_down(house.url)
    async with ChatClient(house.ws_url) as ben, ChatClient(house.ws_url) as eve:
        for client in (ben, eve):
            await join(client, "walked")
        await say(ben, "walked", "you will all see")
        offset = (await eve.ask("history", room="walked", before=2**40))["posts"][-1]["offset"]
        await eve.ask("report_post", room="walked", offset=offset, reason="sexual")
        desk = await sign_in(mona, login)
        long_ago(house)
        await desk.get_by_role("button", name=re.compile("^Sexual or pushing")).click()
        await desk.get_by_role("button", name="Decide something").click()
        await desk.get_by_label("What", exact=True).select_option("ban")
        await desk.get_by_label("Why: they will read this").fill("Threats have no place here.")
        await desk.get_by_role("button", name="Yes, decide this").click()
        asked = desk.get_by_role("dialog", name="Please give your password again first")
        await expect(asked.get_by_label("Password")).to_be_focused()
        assert await violations(desk) == []
        await photograph(desk, "confirm")
        await desk.keyboard.press("Escape")
        await expect(desk.get_by_role("alert").filter(has_text="give your password again")).to_be_visible()
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
    async with ChatClient(house.ws_url, hello=False) as moderator:
        await moderator.ask("hello", staff=True, token=await signed_in(house, login))
        ban = (await moderator.ask("reports"))["measures"][0]
        assert (ban["kind"], ban["reason"]) == ("ban", "Threats have no place here.")
        await moderator.ask("lift", measure=ban["id"], reason="It was a test.")


def long_ago(house: ChatServer) -> None:
    """Everybody who is signed in gave their password a quarter of an hour ago."""
    with contextlib.closing(sqlite3.connect(house.directory / "data" / "chat.db")) as database, database:
        database.execute("UPDATE staff_sign_ins SET confirmed_at = confirmed_at - 900000")


async def signed_in(house: ChatServer, login: str) -> str:
    async with httpx.AsyncClient(base_url=house.url) as http:
        answer = await http.post("/api/staff/sign-in", json={"login": login, "password": PASSWORD})
        return str(answer.json()["token"])


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
async def test_every_screen_for_every_eye(house: ChatServer, sit_down: SitDown, scheme: Any, width: int) -> None:
    login = await hire(house)
    async with ChatClient(house.ws_url) as ben, ChatClient(house.ws_url) as eve:
        for client in (ben, eve):
            await join(client, "walked")
        for n in range(4):
            await say(ben, "walked", f"line {n} of {scheme} {width}, which is somewhat longer than the others")
        offset = (await eve.ask("history", room="walked", before=2**40))["posts"][-1]["offset"]
        await eve.ask("report_post", room="walked", offset=offset, reason="unkind", note="Every evening.")
        person = await sit_down(
            house.url, color_scheme=scheme, viewport={"width": width, "height": 800}, reduced_motion="reduce"
        )
        page = await sign_in(person, login)
        found: list[str] = []

        async def look(name: str) -> None:
            # What the head of the page covers cannot be pressed, and is no smaller for it.
            await page.evaluate("() => scrollTo(0, 0)")
            found.extend(f"{name}: {each}" for each in await violations(page))
            found.extend(f"{name} beyond: {each}" for each in await page.evaluate(_BEYOND, width))
            found.extend(f"{name} small: {each}" for each in await page.evaluate(_SMALL, PRESSED))
            await photograph(page, f"{name}-{scheme}-{width}")

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
