"""What somebody does who asks for a listener, in their browser."""

from __future__ import annotations

import re

from playwright.async_api import Locator, expect

from tests.browser.listener import Listener
from tests.browser.person import Person


def heading(person: Person, name: str | re.Pattern[str]) -> Locator:
    return person.page.get_by_role("heading", name=name, level=1)


def press(person: Person, name: str) -> Locator:
    return person.page.get_by_role("button", name=name, exact=True)


def on_page(person: Person, text: str | re.Pattern[str]) -> Locator:
    return person.page.get_by_role("main").get_by_text(text)


def top(person: Person) -> Locator:
    """The link in the head that leads to a listener, whatever its words are just now."""
    return person.page.locator("#ask-link")


def line(person: Person) -> Locator:
    """The line that says on every screen where one stands."""
    return person.page.locator("#standing")


async def open_form(person: Person) -> None:
    """By the link in the head. Who has had a conversation is shown that first, and asks again from there."""
    await top(person).click()
    agree, again = press(person, "I agree, ask for a listener"), press(person, "Ask for a listener again")
    await expect(agree.or_(again)).to_be_visible()
    if await again.is_visible():
        await again.click()
    await expect(agree).to_be_visible()


async def ask(person: Person) -> None:
    await open_form(person)
    await press(person, "I agree, ask for a listener").click()
    await waits(person)


async def waits(person: Person, place: str = "You're") -> None:
    await expect(heading(person, re.compile(f"^({place}|No listener is online right now)"))).to_be_visible()
    await expect(on_page(person, re.compile(f"^{place}")).first).to_be_visible()
    await expect(press(person, "Leave the line")).to_be_visible()


async def talks(person: Person, listener: Listener) -> str:
    """Ask, and be met; the session. The talk is on the screen of both."""
    await ask(person)
    await listener.listen()
    session = await listener.accept()
    await expect(person.page.get_by_role("textbox", name=f"Write to {listener.name}")).to_be_visible()
    return session
