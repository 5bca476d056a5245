"""Somebody who writes, edits, reacts and takes back, and sends again over two connections what was not answered."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Final

from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.faults.reader import ROOM
from tests.kit.client import ChatClient, Message, Refused

REPEATS: Final = 5
"""How many answers a command wants whose connection ended before, or now and then without need."""
_LOST: Final = (ConnectionClosed, InvalidHandshake, OSError, TimeoutError)


@dataclass(slots=True)
class Author:
    """One person with two connections. `offsets` are those of every command's answer, by the command's id."""

    url: str
    name: str
    chance: random.Random
    is_to_end: bool = False
    """Answered commands are enough: finish the one at hand and leave."""
    offsets: dict[str, int] = field(default_factory=dict)
    answers: int = 0
    posts: dict[str, int] = field(default_factory=dict)
    """The text of every post that was neither edited nor taken back, with its offset."""
    problems: list[str] = field(default_factory=list)
    _token: str | None = None
    _both: list[ChatClient] = field(default_factory=list)
    _reacted: dict[int, bool] = field(default_factory=dict)
    _number: int = 0

    async def live(self) -> None:
        """Send one command after another until told to end."""
        while not self.is_to_end:
            await self._carry_out(self._next())
        await self._leave()

    def _next(self) -> Message:
        """A post mostly; else something about an earlier one."""
        self._number += 1
        command_id = f"{self.name}-{self._number}"
        kind = self.chance.choices(["post", "react", "edit", "redact"], [5, 2, 1, 1])[0]
        if kind == "post" or len(self.posts) < 2:
            return {"cmd": "post", "id": command_id, "text": f"{self.name} says {self._number}"}
        text = self.chance.choice([*self.posts])
        if kind == "react":
            offset = self.posts[text]
            self._reacted[offset] = not self._reacted.get(offset, False)
            return {"cmd": kind, "id": command_id, "offset": offset, "reaction": "hug", "on": self._reacted[offset]}
        offset = self.posts.pop(text)
        if kind == "redact":
            return {"cmd": kind, "id": command_id, "offset": offset}
        return {"cmd": kind, "id": command_id, "offset": offset, "text": f"{text}, better"}

    async def _carry_out(self, command: Message) -> None:
        """Send a command until it is answered: once if that goes well, else until it has REPEATS answers."""
        places: list[tuple[str, int]] = []
        wanted = REPEATS if self.chance.random() < 0.1 else 1
        while len(places) < wanted:
            missing = wanted - len(places)
            await self._come_back()
            one, other = self._both
            found = await asyncio.gather(
                self._send(one, command, (missing + 1) // 2), self._send(other, command, missing // 2)
            )
            places += [place for some in found for place in some]
            if self.problems:
                return
            if len(places) < wanted:
                wanted = REPEATS
        self.answers += len(places)
        if len({*places}) != 1:
            self.problems.append(f"{command} was answered with {sorted({*places})}")
        self.offsets[command["id"]] = places[0][1]
        if command["cmd"] in ("post", "edit"):
            offset = places[0][1] if command["cmd"] == "post" else command["offset"]
            self.posts[command["text"]] = offset

    async def _send(self, client: ChatClient, command: Message, times: int) -> list[tuple[str, int]]:
        """The positions that it was answered with, until the connection ends."""
        places: list[tuple[str, int]] = []
        fields = {key: value for key, value in command.items() if key not in ("cmd", "id")}
        try:
            for _ in range(times):
                ok = await client.ask(command["cmd"], id=command["id"], room=ROOM, timeout=5, **fields)
                places.append((ok["epoch"], ok["offset"]))
        except _LOST:
            pass
        except Refused as refused:
            if not refused.error["temporary"]:
                self.problems.append(f"{command}: {refused}")
        return places

    async def _come_back(self) -> None:
        """Have two connections in the room."""
        while len(self._both) < 2 or any(client.close_code is not None for client in self._both):
            await self._leave()
            for _ in range(2):
                client = ChatClient(self.url, token=self._token)
                self._both.append(client)
                try:
                    await client.open()
                    self._token = client.token
                    await client.ask("join", room=ROOM, agreement=1)
                except _LOST:
                    await self._leave()
                    await asyncio.sleep(0.01)
                    break

    async def _leave(self) -> None:
        for client in self._both:
            await client.close()
        self._both.clear()
