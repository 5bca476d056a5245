"""A listener who follows a script: on the staff's side of the wire, while somebody sits at the page."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from chatserver.domain.listening.training import QUESTIONS
from tests.browser.console import invite
from tests.kit.client import ChatClient, Message
from tests.kit.server import ChatServer
from tests.kit.web import WebClient

_PASSWORD: Final = "lamp river boots sky"
# Words that no guest is given as a pseudonym: those would take the same names now and then.
_FIRST: Final = ("Helena", "Tomas", "Nadia", "Oskar", "Priya", "Edwin")
_LAST: Final = ("Brandt", "Novak", "Keller", "Moreau", "Silva", "Lindqvist", "Okafor")
_names = itertools.cycle([f"{first} {last}" for last in _LAST for first in _FIRST])


class Listener:
    """One sign-in with one connection at a time."""

    def __init__(self, server: ChatServer, token: str, name: str) -> None:
        self._server = server
        self._token = token
        self.name = name
        self.client = ChatClient(server.ws_url, hello=False)

    async def arrive(self) -> None:
        """Connect (again), and be in the rooms of every conversation that goes on."""
        self.client = ChatClient(self._server.ws_url, hello=False)
        await self.client.open()
        self.client.hello_ok = await self.client.ask("hello", token=self._token, staff=True)
        console = await self.client.ask("console")
        for session in console.get("sessions", []):
            if "ended_at" not in session:
                await self.client.ask("join", room=session["room"])

    async def listen(self, cap: int = 1, languages: tuple[str, ...] = ("en",)) -> None:
        """Be there for whoever asks."""
        await self.client.ask("profile", languages=languages, cap=cap)
        await self.client.ask("available", on=True)

    async def rest(self) -> None:
        await self.client.ask("available", on=False)

    async def accept(self) -> str:
        """Take the next who is suggested, and go into the room; the session."""
        console = await self.console(lambda it: "proposal" in it)
        ok = await self.client.ask("accept", proposal=console["proposal"]["id"])
        await self.client.ask("join", room=ok["room"])
        return str(ok["session"])

    async def invite(self, other: Listener, session: str, *, handover: bool = False) -> None:
        """Ask another listener, who is there, into a session."""
        console = await self.console(lambda it: other.name in [each["name"] for each in it["colleagues"]])
        them = next(each["id"] for each in console["colleagues"] if each["name"] == other.name)
        await self.client.ask("invite", session=session, listener=them, handover=handover)

    async def say(self, session: str, text: str) -> None:
        await self.client.ask("post", room=session, text=text)

    async def hears(self, session: str, text: str) -> Message:
        channel = f"room:{session}"

        def is_it(push: Message) -> bool:
            return bool(push["push"] == "posted" and push["channel"] == channel and push["post"]["text"] == text)

        return await self.client.wait_for(is_it)

    async def console(self, predicate: Callable[[Message], bool] = lambda _: True) -> Message:
        """How they stand, as soon as this holds of it."""
        now = await self.client.ask("console")
        if predicate(now):
            return now
        return await self.client.wait_for(
            lambda push: push["push"] == "console" and push["version"] >= now["version"] and predicate(push), 20
        )

    async def session(self, session: str, predicate: Callable[[Message], bool]) -> Message:
        """A session, as soon as this holds of it."""

        def find(console: Message) -> Message | None:
            return next(
                (each for each in console.get("sessions", []) if each["id"] == session and predicate(each)), None
            )

        found = find(await self.console(lambda console: find(console) is not None))
        assert found is not None
        return found

    def vanish(self) -> None:
        """As a lost network does."""
        self.client.abort()

    async def leave(self) -> None:
        await self.client.close()


@asynccontextmanager
async def a_listener(server: ChatServer) -> AsyncIterator[Listener]:
    """Somebody new who passed the check, is connected, and does not listen yet."""
    name = next(_names)
    listener = Listener(server, await _account(server, name), name)
    try:
        await listener.arrive()
        await listener.client.ask("ready", answers=[question.right for question in QUESTIONS])
        yield listener
    finally:
        if listener.client.close_code is None:
            await listener.client.ask("available", on=False)
        await listener.leave()


async def _account(server: ChatServer, name: str) -> str:
    """By an invitation, as an installation makes them; the token of the sign-in."""
    link = await invite(server)
    login = name.lower().replace(" ", "-")
    account: dict[str, Any] = {"link": link, "login": login, "name": name, "password": _PASSWORD}
    async with WebClient(base_url=server.url, timeout=20) as http:
        made = await http.post("/api/staff/invitation", json=account)
    assert made.is_success, made.text
    return str(made.json()["token"])
