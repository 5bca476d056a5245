"""A listener at the console: where they click, and what they read there."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
from typing import Final

from playwright.async_api import Locator, expect

from chatserver.domain.listening.training import QUESTIONS
from tests.browser.person import Person
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer
from tests.kit.web import WebClient

PASSWORD: Final = "lamp river boots sky"
REFUSED: Final = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
"""What Chromium prints where the server says no, such as to whoever is not signed in yet."""


async def invite(server: ChatServer, *roles: str) -> str:
    """A link, as whoever has the machine makes it; the secret in it."""
    chosen = [part for role in roles or ("listener",) for part in ("--role", role)]
    printed = await asyncio.to_thread(server.run, "invite", *chosen)
    return printed.strip().partition("#invite=")[2]


def let_operators_count(server: ChatServer) -> None:
    """As if a day had passed since every operator was made: until then only the first one's role counts."""
    with contextlib.closing(sqlite3.connect(server.directory / "data" / "chat.db", timeout=20)) as kept, kept:
        kept.execute("UPDATE staff SET operator_from = NULL")


async def hire(server: ChatServer, name: str, *roles: str, is_waiting: bool = False) -> str:
    """An account that is ready to listen, without a page; its login. A second operator waits for a day only if
    `is_waiting`."""
    login = name.lower().replace(" ", "-")
    account = {"link": await invite(server, *roles), "login": login, "name": name, "password": PASSWORD}
    async with WebClient(base_url=server.url, timeout=20) as http:
        made = await http.post("/api/staff/invitation", json=account)
    assert made.is_success, made.text
    if "operator" in roles and not is_waiting:
        let_operators_count(server)
    if "listener" in (roles or ("listener",)):
        client = ChatClient(server.ws_url, hello=False)
        await client.open()
        await client.ask("hello", token=made.json()["token"], staff=True)
        await client.ask("console")
        await client.ask("ready", answers=[question.right for question in QUESTIONS])
        await client.close()
    return login


class Console:
    """The listener's page in one person's browser."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.page = person.page
        person.forgive(REFUSED)

    # What they do

    async def accept_invitation(self, secret: str, login: str, name: str) -> None:
        await self.page.goto(f"{self.person.url}/listen.html#invite={secret}")
        await self.page.get_by_label("Sign-in name").fill(login)
        await self.page.get_by_label("Name that others see").fill(name)
        await self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await self.press("Make my account").click()

    async def sign_in(self, login: str, password: str = PASSWORD) -> None:
        await self.page.goto(f"{self.person.url}/listen.html")
        await self.fill_in(login, password)
        await expect(self.page.get_by_role("navigation", name="Parts of this page")).to_be_visible()

    async def fill_in(self, login: str, password: str = PASSWORD) -> None:
        await self.page.get_by_label("Sign-in name").fill(login)
        await self.page.get_by_label("Password", exact=True).fill(password)
        await self.press("Sign in").click()

    async def turn_to(self, part: str) -> None:
        await self.press(part).click()
        await expect(self.press(part)).to_have_attribute("aria-current", "page")

    async def practise(self) -> None:
        """The practice conversation, always with the good answer, to its end; then the check, wrong once."""
        await self.press("Go to the practice").click()
        await self.press("Begin").click()
        over = self.page.get_by_text("That was the conversation.")
        while not await over.is_visible():
            answers = self.page.get_by_role("group", name="What do you say?").get_by_role("button")
            await answers.first.click()
            onward = self.press("Go on").or_(over).first
            await expect(onward).to_be_visible()
            if not await over.is_visible():
                await self.press("Go on").click()
                await expect(answers.or_(over).first).to_be_visible()
        await self.answer_check(wrong=0)
        await expect(self.page.get_by_text("One answer is worth thinking about again").first).to_be_visible()
        await self.answer_check()
        await self.press("Go to listening").click()

    async def answer_check(self, wrong: int | None = None) -> None:
        for number, question in enumerate(QUESTIONS):
            choice = (question.right + 1) % len(question.answers) if number == wrong else question.right
            await self.page.locator(f"input[name=question-{number}]").nth(choice).check()
        await self.press("Look at my answers").click()

    async def listen(self) -> None:
        await self.switch.click()
        await expect(self.switch).to_be_checked()

    async def rest(self) -> None:
        """Listen no longer. Who is in a pause does not already."""
        if await self.switch.get_attribute("aria-checked") == "true":
            await self.switch.click()
        await expect(self.switch).not_to_be_checked()

    async def put_away(self) -> None:
        """Close the pane of each conversation, all of which have ended."""
        for left in range(await self.panes.count() - 1, -1, -1):
            await self.press("Put it away").first.click()
            await expect(self.panes).to_have_count(left)

    async def accept(self) -> None:
        await expect(self.proposal).to_be_visible()
        await self.press("Talk with them").click()

    async def write(self, text: str) -> None:
        await self.writing.fill(text)
        await self.press("Send").click()

    async def open_more(self) -> None:
        await self.press("More").click()
        await expect(self.press("Call a moderator silently")).to_be_visible()

    async def end_kindly(self, line: str) -> None:
        await self.press("End kindly").click()
        await self.page.get_by_label("Your last line").fill(line)
        await self.press("Send this and end").click()
        await expect(self.panes.get_by_text("You ended this conversation.")).to_be_visible()

    # What they see

    def press(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def switch(self) -> Locator:
        return self.page.get_by_role("switch", name="I'm listening now")

    @property
    def stand(self) -> Locator:
        """How they stand, in words."""
        return self.page.locator(".availability-state")

    @property
    def proposal(self) -> Locator:
        return self.page.get_by_role("region", name="Somebody would like to talk")

    @property
    def writing(self) -> Locator:
        return self.page.get_by_role("textbox", name=re.compile("^Write to"))

    @property
    def panes(self) -> Locator:
        return self.page.locator(".pane")
