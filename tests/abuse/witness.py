"""Somebody honest who talks while an attack goes on: how long their pings and posts take, and what they lose."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import statistics
import time
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field

from websockets.exceptions import ConnectionClosed

from tests.abuse.scene import Scene, enter
from tests.kit.client import ChatClient, Refused

_PING_SECONDS = 0.1
_POST_SECONDS = 1.0
_PATIENCE = 30.0


@dataclass(slots=True)
class Witness:
    """What one honest person lived through. Times are in seconds, from sending to the reply."""

    pings: list[float] = field(default_factory=list)
    posts: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def ping(self, share: float) -> float:
        """Return the time that `share` of the pings did not exceed."""
        return _quantile(self.pings, share)

    def post(self, share: float) -> float:
        """Return the time that `share` of the posts did not exceed."""
        return _quantile(self.posts, share)


@contextlib.asynccontextmanager
async def witness(scene: Scene, room: str) -> AsyncIterator[Witness]:
    """Let somebody honest ping and post in `room` until the block ends.

    A refusal, a lost connection, or a post that nobody would see again is one of their faults.
    """
    seen = Witness()
    client = await scene.guest(scene.honest)
    await enter(client, room)
    tasks = [asyncio.create_task(_ping(client, seen)), asyncio.create_task(_write(client, room, seen))]
    try:
        yield seen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ping(client: ChatClient, seen: Witness) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            began = time.monotonic()
            await _say(seen, client.exchange("ping", timeout=_PATIENCE), "ping")
            seen.pings.append(time.monotonic() - began)
            await asyncio.sleep(_PING_SECONDS)


async def _write(client: ChatClient, room: str, seen: Witness) -> None:
    for number in itertools.count():
        began = time.monotonic()
        try:
            await client.ask("post", room=room, text=f"I slept badly again, night {number}.", timeout=_PATIENCE)
        except Refused as refused:
            seen.faults.append(f"an honest post was refused: {refused.code}")
        except TimeoutError:
            seen.faults.append(f"an honest post was not answered within {_PATIENCE:g} s")
        except ConnectionClosed:
            seen.faults.append(f"the honest connection was closed with {client.close_code}")
            return
        seen.posts.append(time.monotonic() - began)
        await asyncio.sleep(_POST_SECONDS)


async def _say(seen: Witness, asked: Awaitable[object], what: str) -> None:
    try:
        await asked
    except TimeoutError:
        seen.faults.append(f"an honest {what} was not answered within {_PATIENCE:g} s")


def _quantile(found: list[float], share: float) -> float:
    if not found:
        return 0.0
    if len(found) == 1:
        return found[0]
    return statistics.quantiles(found, n=1000, method="inclusive")[min(998, round(share * 1000) - 1)]
