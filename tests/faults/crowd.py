"""A crowd that writes, loses its connections, comes back and sends again, as `docs/protocol.md` asks of clients."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field

from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.kit.client import ChatClient, Message, Refused

ROOM = "sleep"


@dataclass(slots=True)
class Member:
    """One person: what was acknowledged to them, and what they have seen, through all their connections.

    `ws_urls` are tried in turn at each reconnect.
    """

    ws_urls: list[str]
    name: str
    room: str = ROOM
    token: str | None = None
    acked: dict[str, int] = field(default_factory=dict)
    """Text of each acknowledged post, with its offset."""
    seen: list[tuple[int, str]] = field(default_factory=list)
    """Offset and text of every post shown, in order."""
    problems: list[str] = field(default_factory=list)
    position: Message | None = None
    longest_outage: float = 0.0
    slowest_ack: float = 0.0
    reconnects: int = -1
    written: int = 0
    _client: ChatClient | None = None
    _up: asyncio.Event = field(default_factory=asyncio.Event)
    _attempt: int = 0
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def live(self) -> None:
        """Stay connected until cancelled."""
        lost_at = time.monotonic()
        while True:
            url = self.ws_urls[self._attempt % len(self.ws_urls)]
            self._attempt += 1
            client = ChatClient(url, token=self.token)
            try:
                await client.open()
                self.token = client.token
                await self._join(client)
                self.longest_outage = max(self.longest_outage, time.monotonic() - lost_at)
                self.reconnects += 1
                self._client = client
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
                self._client = None
                await client.close()

    async def write(self, count: int, every: float) -> None:
        """Post `count` more texts, each sent again with its own id until it is acknowledged."""
        for _ in range(count):
            number, self.written = self.written, self.written + 1
            text = f"{self.name} {number}"
            started = time.monotonic()
            await self._write_one(text, f"{self.name}-{number}")
            self.slowest_ack = max(self.slowest_ack, time.monotonic() - started)
            await asyncio.sleep(every)

    async def wait_up(self) -> None:
        await self._up.wait()

    async def until_position(self, offset: int) -> None:
        """Wait until everything up to an offset was shown."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.position is not None and self.position["offset"] >= offset)

    async def _write_one(self, text: str, command_id: str) -> None:
        while True:
            await self._up.wait()
            client = self._client
            if client is None:
                continue
            try:
                ok = await client.ask("post", id=command_id, room=self.room, text=text, timeout=3)
            except Refused as refused:
                if not refused.error["temporary"]:
                    self.problems.append(f"{text}: {refused}")
                    return
                await asyncio.sleep(refused.error.get("retry_after", 0.05))
            except (ConnectionClosed, TimeoutError, OSError):
                await asyncio.sleep(0.05)
            else:
                earlier = self.acked.setdefault(text, ok["offset"])
                if earlier != ok["offset"]:
                    self.problems.append(f"{text}: acknowledged at {earlier} and at {ok['offset']}")
                return

    async def _join(self, client: ChatClient) -> None:
        ok = await client.ask("join", room=self.room, agreement=1, since=self.position)
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
            self.seen.append((fact["offset"], fact["post"]["text"]))


def judge(members: list[Member], since: int = 0) -> list[str]:
    """Every complaint about what the crowd lived through: lost, doubled, out of order, or never acknowledged for true.

    Only offsets above `since`, where all had joined, are compared.
    """
    complaints = [f"{member.name}: {problem}" for member in members for problem in member.problems]
    acked = {offset: text for member in members for text, offset in member.acked.items()}
    for member in members:
        seen = [pair for pair in member.seen if pair[0] > since]
        offsets = [offset for offset, _ in seen]
        if offsets != sorted(set(offsets)):
            complaints.append(f"{member.name}: out of order or twice: {offsets}")
        texts = [text for _, text in seen]
        if len(texts) != len(set(texts)):
            complaints.append(f"{member.name}: the same post at two offsets")
        shown = dict(seen)
        complaints += [f"{member.name}: lost {text}" for offset, text in acked.items() if shown.get(offset) != text]
    return complaints


async def everybody_is_up(members: list[Member]) -> None:
    """Wait until everyone is in the room."""
    for member in members:
        await member.wait_up()


async def everybody_has_seen(members: list[Member], timeout: float = 10.0) -> None:
    """Wait until everyone has seen all that was acknowledged to anyone."""
    async with asyncio.timeout(timeout):
        wanted = max(offset for member in members for offset in member.acked.values())
        for member in members:
            await member.until_position(wanted)
