"""People who ask for a listener and people who listen, each with a diary of what they were shown and told.

They do as `docs/protocol.md` asks of clients: come back when a connection is lost, and send again, unchanged, what was
not answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.kit.client import JSON, ChatClient, Message, Refused

SILENCE_SECONDS: Final = 10.0
_LOST: Final = (OSError, ConnectionClosed, InvalidHandshake, TimeoutError, EOFError)
_LONGEST_BACKOFF: Final = 8.0
_OVER: Final = {"session_over", "room_closed", "session_unknown", "room_unknown", "not_in_room"}


@dataclass(slots=True)
class Line:
    """A post of somebody's in a session."""

    id: str
    session: str
    text: str
    acked: tuple[str, int] | None = None
    """Epoch and offset, as the first acknowledgement said."""


@dataclass(slots=True)
class QueueDiary:
    """What one person lived through."""

    name: str
    member: str = ""
    lines: list[Line] = field(default_factory=list)
    sights: list[tuple[str, int, str]] = field(default_factory=list)
    """Session, offset and text of every post that was shown, in order."""
    sessions: list[str] = field(default_factory=list)
    """In which they were told that they are, in order."""
    problems: list[str] = field(default_factory=list)
    outages: list[tuple[float, float]] = field(default_factory=list)
    """From when to when they were without their view, by the monotonic clock."""
    views: int = 0


class Person:
    """Somebody with one connection at a time. `urls` are tried in turn."""

    kind = "standing"

    def __init__(self, name: str, urls: list[str], token: str | None = None) -> None:
        self.diary = QueueDiary(name)
        self.token = token
        self.client: ChatClient | None = None
        self.done = asyncio.Event()
        self.in_place = asyncio.Event()
        self.lost_at: float | None = None
        self._urls = itertools.cycle(urls)
        self._positions: dict[str, Message] = {}
        self._talks: dict[str, asyncio.Task[None]] = {}
        self._shown_version = 0

    # ------------------------------------------------------------------------------------------ connections

    async def live(self) -> None:
        """Until cancelled, or done."""
        attempt = 0
        while not self.done.is_set():
            client = self._client()
            try:
                await client.open()
                await self._say_hello(client)
                await self._look(client)
                attempt = 0
                await self._listen(client)
            except Refused as refused:
                if not refused.error["temporary"]:
                    self.diary.problems.append(f"refused: {refused}")
            except _LOST:
                pass
            finally:
                if self.in_place.is_set():
                    self.lost_at = time.monotonic()
                self.client = None
                self.in_place.clear()
                for task in self._talks.values():
                    task.cancel()
                await asyncio.gather(*self._talks.values(), return_exceptions=True)
                self._talks.clear()
                client.abort()
                with contextlib.suppress(*_LOST):
                    await client.close()
            if not self.done.is_set():
                await asyncio.sleep(random.uniform(0.0, min(_LONGEST_BACKOFF, 2.0**attempt)))
                attempt += 1

    def _client(self) -> ChatClient:
        return ChatClient(next(self._urls), subprotocol=JSON, token=self.token)

    async def _say_hello(self, client: ChatClient) -> None:
        self.token = client.token
        self.diary.member = client.member

    async def _look(self, client: ChatClient) -> None:
        """Ask for the view, and be in place."""
        self._shown_version = 0
        view = await self._ask(client, self.kind)
        self.client = client
        if self.lost_at is not None:
            self.diary.outages.append((self.lost_at, time.monotonic()))
            self.lost_at = None
        self.in_place.set()
        await self._take_view(client, view)

    async def _listen(self, client: ChatClient) -> None:
        while client.close_code is None and not self.done.is_set():
            await client.until(lambda: bool(client.pushes) or client.close_code is not None or self.done.is_set(), 3600)
            pushes = [*client.pushes]
            client.pushes.clear()
            views = [push for push in pushes if push.get("push") == self.kind]
            for view in views[:-1]:
                self._judge_view(view)
            for push in pushes:
                if "offset" in push:
                    self._take_fact(push)
            if views:
                await self._take_view(client, views[-1])

    async def _ask(self, client: ChatClient, command: str, **fields: Any) -> Message:
        """Until it is answered with anything but a temporary no."""
        while True:
            try:
                return await client.ask(command, timeout=SILENCE_SECONDS, **fields)
            except Refused as refused:
                if not refused.error["temporary"]:
                    raise
                await asyncio.sleep(refused.error.get("retry_after") or 0.2)

    # ------------------------------------------------------------------------------------------ what is shown

    async def _take_view(self, client: ChatClient, view: Message) -> None:
        raise NotImplementedError

    def _judge_view(self, view: Message) -> None:
        self.diary.views += 1
        if view["version"] < self._shown_version:
            # On one connection the newest is right.
            self.diary.problems.append(f"version {view['version']} after {self._shown_version}")
        self._shown_version = view["version"]

    def _take_fact(self, fact: Message) -> None:
        session = fact["channel"].removeprefix("room:")
        before = self._positions.get(session)
        if before is not None and fact["epoch"] == before["epoch"]:
            if fact["offset"] <= before["offset"]:
                self.diary.problems.append(f"{session}: offset {fact['offset']} again after {before['offset']}")
                return
            if fact["offset"] != before["offset"] + 1:
                self.diary.problems.append(f"{session}: a hole before {fact['offset']}, after {before['offset']}")
        self._positions[session] = {"epoch": fact["epoch"], "offset": fact["offset"]}
        if fact["push"] == "posted":
            self.diary.sights.append((session, fact["offset"], fact["post"]["text"]))

    # ------------------------------------------------------------------------------------------ talking

    def _talk(self, client: ChatClient, session: str) -> None:
        """Be in its room, and say there what one has to say, on this connection."""
        if session not in self.diary.sessions:
            self.diary.sessions.append(session)
        if session not in self._talks:
            self._talks[session] = asyncio.create_task(self._converse(client, session))

    async def _converse(self, client: ChatClient, session: str) -> None:
        try:
            since = self._positions.get(session)
            ok = await self._ask(client, "join", room=session, since=since)
            for fact in ok["missed"]:
                self._take_fact(fact)
            if since is None:
                # The page may hold what comes as a fact, too: it is read after the position.
                last = ok["position"]["offset"]
                page = [(session, p["offset"], p["text"]) for p in ok["posts"] if p["offset"] <= last]
                # First, even if a fact that came after the reply was taken before this task had its turn.
                self.diary.sights[:0] = page
            elif ok["history"] != "exact":
                self.diary.problems.append(f"{session}: came back and got {ok['history']}")
            held = self._positions.get(session)
            if held is None or held["offset"] < ok["position"]["offset"]:
                self._positions[session] = ok["position"]
            for line in self._lines(session):
                if line.acked is None:
                    ok = await self._ask(client, "post", id=line.id, room=session, text=line.text)
                    line.acked = ok["epoch"], ok["offset"]
            await self._after_talk(client, session)
        except Refused as refused:
            if refused.code not in _OVER:
                self.diary.problems.append(f"{session}: {refused}")
        except _LOST:
            client.abort()

    def _lines(self, session: str) -> Iterator[Line]:
        said = [line for line in self.diary.lines if line.session == session]
        if not said:
            for number in range(self.words):
                text = f"{session} {self.diary.name} {number}"
                said.append(Line(f"{self.diary.name}-{session}-{number}", session, text))
            self.diary.lines += said
        yield from said

    words = 1

    async def _after_talk(self, client: ChatClient, session: str) -> None:
        """Everything was said and acknowledged."""


class Seeker(Person):
    """Asks once, waits, says what is to be said, ends the session, and is done."""

    words = 3

    def __init__(self, name: str, urls: list[str], talk_seconds: float) -> None:
        super().__init__(name, urls)
        self.asked_at: float | None = None
        self.met_at: float | None = None
        self._talk_seconds = talk_seconds
        self._since_version = 0
        self._ended: set[str] = set()

    async def _take_view(self, client: ChatClient, view: Message) -> None:
        if view["version"] < self._since_version:
            # It came before the place was given.
            return
        self._judge_view(view)
        match view["state"]:
            case "none":
                if self.asked_at is not None and not self._ended:
                    self.diary.problems.append("asked, and has no place any more")
                if self.asked_at is None:
                    asked = await self._ask(client, "ask", agreement=True)
                    self.asked_at, self._since_version = time.monotonic(), asked["version"]
                    await self._take_view(client, asked)
            case "session":
                if self.met_at is None:
                    self.met_at = time.monotonic()
                self._talk(client, view["session"]["id"])
            case "ended":
                if view["session"]["ending"] != "you":
                    self.diary.problems.append(f"a session of theirs was ended by {view['session']['ending']}")
                self.done.set()
            case "lapsed":
                self.diary.problems.append("the place lapsed")

    def _judge_view(self, view: Message) -> None:
        if view["version"] < self._since_version:
            return
        super()._judge_view(view)
        if (view.get("estimate_seconds") or 0) < 0:
            self.diary.problems.append(f"an estimate of {view['estimate_seconds']} s")
        if view["state"] == "waiting" and not 1 <= view["place"] <= view["waiting"]:
            self.diary.problems.append(f"place {view['place']} of {view['waiting']}")
        if view["state"] == "session":
            seekers = [each["id"] for each in view["session"]["people"] if each["role"] == "seeker"]
            if seekers != [view["session"]["me"]]:
                self.diary.problems.append(f"the seekers of {view['session']['id']} are {seekers}")

    async def _after_talk(self, client: ChatClient, session: str) -> None:
        await asyncio.sleep(random.uniform(0.5, 1.5) * self._talk_seconds)
        await self._ask(client, "end", session=session)
        self._ended.add(session)


class Listener(Person):
    """Takes whoever is suggested to them. `freed` holds by how many seconds the next proposal was made later than it
    could be, where somebody waited, and `shown` by how many it was shown later: the latter holds this process's own
    slowness, too."""

    kind = "console"

    def __init__(
        self, name: str, urls: list[str], token: str, ready: list[int], cap: int, proposal_seconds: float
    ) -> None:
        super().__init__(name, urls, token)
        self._proposal_seconds = proposal_seconds
        self.freed: list[float] = []
        self.shown: list[float] = []
        self.accepted_at: list[float] = []
        self.idle_since: float | None = None
        self._ready: list[int] | None = ready
        self._cap = cap
        self._rested_at: float | None = None
        self._answered: set[str] = set()
        self._left: set[str] = set()

    def _client(self) -> ChatClient:
        return ChatClient(next(self._urls), subprotocol=JSON, hello=False)

    async def _say_hello(self, client: ChatClient) -> None:
        client.hello_ok = await client.ask("hello", token=self.token, staff=True)
        self.diary.member = client.member

    async def open_up(self) -> None:
        """Pass the check, and be available."""
        assert self.client is not None
        await self.client.ask("ready", answers=self._ready)
        await self.client.ask("profile", languages=["en"], cap=self._cap)
        await self.client.ask("available", on=True)

    async def _take_view(self, client: ChatClient, view: Message) -> None:
        self._judge_view(view)
        for session in view.get("sessions", ()):
            if session.get("ended_at") is None:
                self._talk(client, session["id"])
            elif session["id"] not in self._left:
                # A connection has room for so many, and a session's stays until it is forgotten.
                self._left.add(session["id"])
                await self._ask(client, "leave", room=session["id"])
        proposal = view.get("proposal")
        self._time(view, proposal)
        if proposal is None or proposal["id"] in self._answered:
            return
        self._answered.add(proposal["id"])
        try:
            ok = await self._ask(client, "accept", proposal=proposal["id"])
        except Refused as refused:
            if refused.code != "proposal_gone":
                self.diary.problems.append(f"accept: {refused}")
            return
        except BaseException:
            self._answered.discard(proposal["id"])
            raise
        self.accepted_at.append(time.monotonic())
        self._talk(client, ok["session"])

    def _judge_view(self, view: Message) -> None:
        super()._judge_view(view)
        live = [each for each in view.get("sessions", ()) if each.get("ended_at") is None]
        if len(live) + ("proposal" in view) > self._cap:
            self.diary.problems.append(f"{len(live)} sessions and a proposal with a cap of {self._cap}")
        if "proposal" in view and view["state"] == "paused":
            self.diary.problems.append(f"a proposal during a pause: {view['pause']}")

    def _time(self, view: Message, proposal: Message | None) -> None:
        if view["state"] == "paused":
            self._rested_at = view["paused_until"] / 1000 if view["waiting"] > 0 else None
        elif proposal is not None and self._rested_at is not None:
            made_at = proposal["deadline"] / 1000 - self._proposal_seconds
            self.freed.append(max(0.0, made_at - self._rested_at))
            self.shown.append(max(0.0, time.time() - self._rested_at))
            self._rested_at = None
        elif view["waiting"] == 0:
            self._rested_at = None
