"""Somebody who writes, loses the connection, comes back and sends again, just as `docs/protocol.md` asks of clients."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from typing import Final

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from tests.kit.client import JSON, ChatClient, Message, Refused
from tests.reliability.history import Diary, Post, Sight

SILENCE_SECONDS: Final = 8.0
"""A command that has no answer after so long (P-ERROR-2 gives the store five): the connection is taken for lost."""
_LONGEST_BACKOFF_SECONDS: Final = 30.0
_LEAST_BACK_OFF_SECONDS: Final = 10.0
_BACK_OFF: Final = range(4200, 4400)
_STAY_AWAY: Final = {1002, 1003, 1007, 1008, 1009, 1010, *range(4400, 4600)}


class Member:
    """One person. `ws_urls` are tried in turn, as a balancer would send them to another machine.

    `outages` holds how long each time without the room lasted, from the loss of the connection to the answered join.
    """

    def __init__(
        self, ws_urls: list[str], name: str, room: str, *, subprotocol: str = JSON, pings: bool = False
    ) -> None:
        self.diary = Diary(name, room)
        self.outages: list[float] = []
        self.closes: list[tuple[float, int]] = []
        """When the server said goodbye, and with which code; 1006 where the connection just broke."""
        self.slowest_return = ""
        """Of what the longest outage was made, step by step."""
        self.lost_at: float | None = None
        """Since when they are out of the room; None while they are in it."""
        self.token: str | None = None
        self.position: Message | None = None
        self.client: ChatClient | None = None
        """The connection, while they are in the room."""
        self.unacknowledged: dict[str, Post] = {}
        self.is_up = asyncio.Event()
        self._urls = ws_urls
        self._subprotocol = subprotocol
        self._pings = pings
        self._turn = 0
        self._attempt = 0
        self._return_after: float | None = None
        self._steps: list[str] = []
        self._moved = asyncio.Condition()
        self._sending: set[asyncio.Task[None]] = set()

    async def live(self) -> None:
        """Be in the room until cancelled, and come back to it whenever that ends."""
        try:
            while True:
                wait = await self._one_connection()
                self._steps.append(f"waited {wait:.2f}")
                await asyncio.sleep(wait)
        finally:
            for task in self._sending:
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    def write(self, post: Post) -> None:
        """Send it now, and again, unchanged, until it is acknowledged."""
        self.diary.posts.append(post)
        self.unacknowledged[post.id] = post
        if self.client is not None:
            self._send(self.client, post)

    async def until_position(self, offset: int) -> None:
        """Wait until everything up to an offset was shown."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.position is not None and self.position["offset"] >= offset)

    # ------------------------------------------------------------------------------------------ one connection

    async def _one_connection(self) -> float:
        """From opening to the end. Returns how many seconds to wait before the next."""
        client = ChatClient(self._urls[self._turn % len(self._urls)], subprotocol=self._subprotocol, token=self.token)
        how = "come back now"
        least = 0.0
        began = time.monotonic()
        try:
            await client.open()
            self._steps.append(f"hello {time.monotonic() - began:.2f}")
            self.token = client.token
            self._attempt = 0
            joining = time.monotonic()
            await self._join(client)
            self._steps.append(f"join {time.monotonic() - joining:.2f}")
            self._enter(client)
            await self._listen(client)
            how = self._advice(client)
        except Refused as refused:
            if not refused.error["temporary"]:
                self.diary.problems.append(f"refused: {refused}")
                how = "stay away"
            least = refused.error.get("retry_after") or 0.0
        except InvalidStatus as status:
            # The handshake was refused: `Retry-After` says for how long at least.
            if status.response.status_code != 503:
                self.diary.problems.append(f"the handshake was answered with {status.response.status_code}")
            least = float(status.response.headers.get("Retry-After", _LEAST_BACK_OFF_SECONDS))
        except (OSError, ConnectionClosed, InvalidHandshake, TimeoutError, EOFError) as lost:
            self._steps.append(f"{type(lost).__name__} after {time.monotonic() - began:.2f}")
        finally:
            if self.client is not None:
                self.lost_at = time.monotonic()
            self.client = None
            self.is_up.clear()
            client.abort()
            await client.close()
        return await self._wait(how, least)

    def _enter(self, client: ChatClient) -> None:
        now = time.monotonic()
        if self.lost_at is not None:
            self.outages.append(now - self.lost_at)
            if self.outages[-1] == max(self.outages):
                self.slowest_return = f"{self.outages[-1]:.2f} s: {', '.join(self._steps)}"
        self._steps.clear()
        self.lost_at = None
        self.client = client
        self.is_up.set()
        for post in [*self.unacknowledged.values()]:
            self._send(client, post)

    def _advice(self, client: ChatClient) -> str:
        code = client.close_code if client.close_code is not None else 1006
        self.closes.append((time.monotonic(), code))
        draining = [push for push in client.pushes if push.get("push") == "draining"]
        if draining:
            self._return_after = float(draining[-1]["reconnect_after"])
        if code in _STAY_AWAY:
            self.diary.problems.append(f"closed with {code}")
            return "stay away"
        return "back off" if code in _BACK_OFF else "come back now"

    async def _wait(self, how: str, least: float) -> float:
        """How long to stay away, by the section "Coming back"."""
        if how == "stay away":
            await asyncio.Event().wait()
        self._turn += 1
        if self._return_after is not None:
            exactly, self._return_after = self._return_after, None
            return exactly
        if how == "back off":
            least = max(least, _LEAST_BACK_OFF_SECONDS)
        wait = random.uniform(0.0, min(_LONGEST_BACKOFF_SECONDS, 2.0**self._attempt))
        self._attempt += 1
        return max(wait, least)

    # ------------------------------------------------------------------------------------------ hearing

    async def _join(self, client: ChatClient) -> None:
        ok = await client.ask("join", room=self.diary.room, agreement=1, since=self.position)
        if self.position is None:
            self.diary.joined_at_offset = ok["position"]["offset"]
        elif ok["history"] != "exact":
            self.diary.problems.append(f"came back and got {ok['history']}")
        for fact in ok["missed"]:
            self._take(fact)
        if self.position is not None and ok["history"] == "exact" and ok["position"] != self.position:
            self.diary.problems.append(f"came back to {ok['position']}, shown up to {self.position}")
        self.position = ok["position"]
        await self._has_moved()

    async def _listen(self, client: ChatClient) -> None:
        for at in itertools.count():
            await self._next(client, at)
            if len(client.pushes) <= at:
                return
            push = client.pushes[at]
            if push.get("push") == "gap":
                self.diary.problems.append("fell into a gap")
                self.position = push["position"]
            elif "error" in push:
                self.diary.problems.append(f"an error without a command: {push['error']['code']}")
            elif "offset" in push:
                self._take(push)
                await self._has_moved()

    async def _next(self, client: ChatClient, at: int) -> None:
        """Wait for push number `at`, or the end. Who cannot see the server's pings asks, as a page does."""
        while len(client.pushes) <= at and client.close_code is None:
            try:
                await client.until(
                    lambda: len(client.pushes) > at or client.close_code is not None, 2 if self._pings else 3600
                )
            except TimeoutError:
                await client.ask("ping", timeout=2)

    def _take(self, fact: Message) -> None:
        if fact["push"] == "posted":
            self.diary.sights.append(Sight(fact["offset"], fact["post"]["text"], time.monotonic()))
        before = self.position
        if before is not None and fact["epoch"] == before["epoch"]:
            if fact["offset"] <= before["offset"]:
                # Shown or not, it was sent twice: the judge must hear of it.
                self.diary.problems.append(f"offset {fact['offset']} again after {before['offset']}")
                return
            if fact["offset"] != before["offset"] + 1:
                self.diary.problems.append(f"a hole before {fact['offset']}, after {before['offset']}")
        elif before is not None:
            self.diary.problems.append("another epoch without a gap")
        self.position = {"epoch": fact["epoch"], "offset": fact["offset"]}

    async def _has_moved(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    # ------------------------------------------------------------------------------------------ writing

    def _send(self, client: ChatClient, post: Post) -> None:
        task = asyncio.create_task(self._deliver(client, post))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _deliver(self, client: ChatClient, post: Post) -> None:
        """Until it is acknowledged, or the connection ends: then the next connection sends it again."""
        for attempt in itertools.count():
            sent_at = time.monotonic()
            if post.sent_at is None:
                post.sent_at = sent_at
            try:
                ok = await client.ask("post", id=post.id, room=self.diary.room, text=post.text, timeout=SILENCE_SECONDS)
            except Refused as refused:
                if not refused.error["temporary"]:
                    self.diary.problems.append(f"{post.text}: {refused}")
                    self.unacknowledged.pop(post.id, None)
                    return
                now = time.monotonic()
                post.refusals.append((now, refused.code, now - sent_at))
                await asyncio.sleep(
                    refused.error.get("retry_after") or random.uniform(0.0, min(2.0, 0.25 * 2**attempt))
                )
                if self.client is not client:
                    return
            except TimeoutError:
                self.diary.silences += 1
                client.abort()
                return
            except (ConnectionClosed, OSError):
                return
            else:
                self._acknowledged(post, ok)
                return

    def _acknowledged(self, post: Post, ok: Message) -> None:
        self.unacknowledged.pop(post.id, None)
        if post.acked_at is None:
            post.acked_at = time.monotonic()
            post.epoch, post.offset = ok["epoch"], ok["offset"]
        elif (post.epoch, post.offset) != (ok["epoch"], ok["offset"]):
            self.diary.problems.append(f"{post.text}: acknowledged at {post.offset} and at {ok['offset']}")
