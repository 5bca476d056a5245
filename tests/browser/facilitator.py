"""A facilitator who steers a meeting, and people who take part in it, on the wire: while somebody sits at the page."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final

from tests.browser.console import invite
from tests.kit.client import ChatClient, Message
from tests.kit.server import ChatServer
from tests.kit.web import WebClient

_PASSWORD: Final = "lamp river boots sky"
# Words that no guest is given as a pseudonym.
_names = itertools.cycle([f"Sam {last}" for last in ("Brandt", "Novak", "Keller", "Moreau", "Silva", "Okafor")])
_MINUTES: Final = {"gather": 1, "welcome": 1, "checkin": 1, "prepare": 1, "share": 8, "open": 3, "closing": 1}
_GROUP: Final = {
    "form": "circle",
    "name": "Evening circle",
    "about": "For everybody who cannot come to rest at night.",
    "agreement": "What is said here stays here.\nSpeak for yourself.\nNobody has to say anything.",
    "script": ["Hello, and welcome."],
    "no_crosstalk": True,
}


class Facilitator:
    """One sign-in with one connection, and the group that they hold."""

    def __init__(self, client: ChatClient, stay: AsyncExitStack, server: ChatServer) -> None:
        self.client = client
        self.group = ""
        self._stay = stay
        self._server = server

    async def open_group(self, **group: Any) -> str:
        """Open a group with short phases; its id."""
        given = {**_GROUP, "minutes": _MINUTES, **group}
        self.group = str((await self.client.ask("open_group", **given))["group"]["id"])
        return self.group

    async def plan(self, *seconds: float) -> list[str]:
        """Plan meetings that begin in so many seconds; their ids, in this order."""
        now = time.time()
        dates = [round((now + each) * 1000) for each in seconds]
        card = (await self.client.ask("plan", group=self.group, dates=dates))["group"]
        found = {date["starts_at"]: str(date["id"]) for date in card["dates"]}
        return [found[date] for date in dates]

    async def enter(self, meeting: str) -> None:
        await self.client.ask("enter", meeting=meeting, agreement=1)
        await self.client.ask("join", room=meeting)
        await self.view(meeting)

    async def guests(self, meeting: str, count: int) -> list[ChatClient]:
        """People in the meeting, each with a connection of their own."""
        found = []
        for _ in range(count):
            client = await self._stay.enter_async_context(ChatClient(self._server.ws_url))
            await client.ask("enter", meeting=meeting, agreement=1)
            await client.ask("join", room=meeting)
            found.append(client)
        return found

    async def view(self, meeting: str) -> Message:
        view: Message = (await self.client.ask("meeting", meeting=meeting))["meeting"]
        return view

    async def step(self, meeting: str) -> None:
        """End the present turn, or else the phase."""
        await self.client.ask("step", meeting=meeting, seen=(await self.view(meeting))["step"])

    async def go_to(self, meeting: str, kind: str) -> Message:
        """Steer to a phase, waiting for the beginning where that is still to come."""
        for _ in range(20):
            view = await self.view(meeting)
            if view["phases"][view["phase"]]["kind"] == kind:
                return view
            await self._until_begun(view)
            await self.step(meeting)
        raise AssertionError(f"{kind} does not come")

    async def seen(self, meeting: str, is_so: Callable[[Message], object]) -> Message:
        """Wait until the meeting is so."""
        view = await self.view(meeting)
        while not is_so(view):
            push = await self.client.wait_for(partial(_is_newer, meeting, view["version"]))
            view = push["meeting"]
        return view

    async def _until_begun(self, view: Message) -> None:
        # The beginning is the one moment of a meeting that no facilitator can bring about.
        await asyncio.sleep(max(0.0, view["starts_at"] / 1000 - time.time() + 0.05))


def _is_newer(meeting: str, version: int, push: Message) -> bool:
    if push.get("push") != "meeting":
        return False
    view = push["meeting"]
    return bool(view["id"] == meeting and view["version"] > version)


@asynccontextmanager
async def a_facilitator(server: ChatServer) -> AsyncIterator[Facilitator]:
    """Somebody new who holds groups. Whoever they bring along goes with them."""
    name = next(_names)
    secret = await invite(server, "facilitator")
    login = name.lower().replace(" ", "-")
    account = {"link": secret, "login": login, "name": name, "password": _PASSWORD}
    async with WebClient(base_url=server.url, timeout=20) as http:
        made = await http.post("/api/staff/invitation", json=account)
    assert made.is_success, made.text
    async with AsyncExitStack() as stay:
        client = ChatClient(server.ws_url, hello=False)
        await client.open()
        stay.push_async_callback(client.close)
        client.hello_ok = await client.ask("hello", token=made.json()["token"], staff=True)
        yield Facilitator(client, stay, server)
