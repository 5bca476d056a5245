"""Somebody who only reads, loses the connection and comes back, as `docs/protocol.md` asks of clients."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field

from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.kit.client import ChatClient, Message, Refused

ROOM = "sleep"


@dataclass(slots=True)
class Reader:
    """One person, and what they have seen through all their connections."""

    url: str
    token: str | None = None
    seen: list[int] = field(default_factory=list)
    """The offset of every post shown, in order."""
    problems: list[str] = field(default_factory=list)
    position: Message | None = None
    longest_outage: float = 0.0
    _up: asyncio.Event = field(default_factory=asyncio.Event)
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def live(self) -> None:
        """Stay connected until cancelled."""
        lost_at = time.monotonic()
        while True:
            client = ChatClient(self.url, token=self.token)
            try:
                await client.open()
                self.token = client.token
                await self._join(client)
                self.longest_outage = max(self.longest_outage, time.monotonic() - lost_at)
                self._up.set()
                await self._listen(client)
            except Refused as refused:
                if not refused.error["temporary"]:
                    raise
                await asyncio.sleep(0.05)
            except (OSError, ConnectionClosed, InvalidHandshake, TimeoutError):
                await asyncio.sleep(0.05)
            finally:
                if self._up.is_set():
                    lost_at = time.monotonic()
                self._up.clear()
                await client.close()

    async def wait_up(self) -> None:
        await self._up.wait()

    async def until_position(self, offset: int) -> None:
        """Wait until everything up to an offset was shown."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.position is not None and self.position["offset"] >= offset)

    async def _join(self, client: ChatClient) -> None:
        ok = await client.ask("join", room=ROOM, agreement=1, since=self.position)
        if self.position is not None and ok["history"] != "exact":
            self.problems.append(f"came back and got {ok['history']}")
        for fact in ok["missed"]:
            self._take(fact)
        self.position = ok["position"]
        async with self._moved:
            self._moved.notify_all()

    async def _listen(self, client: ChatClient) -> None:
        for at in itertools.count():
            await client.until(lambda at=at: len(client.pushes) > at or client.close_code is not None, 3600)  # type: ignore[misc]
            if len(client.pushes) <= at:
                return
            push = client.pushes[at]
            if push.get("push") == "gap":
                self.problems.append("fell into a gap")
            elif "offset" in push:
                self._take(push)
                async with self._moved:
                    self._moved.notify_all()

    def _take(self, fact: Message) -> None:
        if self.position is not None:
            if fact["offset"] <= self.position["offset"]:
                self.problems.append(f"offset {fact['offset']} again after {self.position['offset']}")
                return
            if fact["offset"] != self.position["offset"] + 1:
                self.problems.append(f"a hole before {fact['offset']}, after {self.position['offset']}")
        self.position = {"epoch": fact["epoch"], "offset": fact["offset"]}
        if fact["push"] == "posted":
            self.seen.append(fact["offset"])
