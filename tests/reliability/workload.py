"""What people do while things break, and how it is judged. Rooms now; one-to-one sessions and the queue can join."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.kit.client import JSON, MSGPACK
from tests.kit.marks import new_mark
from tests.reliability.crowd import Member
from tests.reliability.history import Log, Post, Verdict, judge


@dataclass(slots=True)
class Measured:
    """What a workload measured, in seconds. `achieved` is acknowledged actions a second, up to the last of them."""

    asked: float
    achieved: float
    acked: int
    acks: list[float]
    """From the moment an action was due to its acknowledgement, whatever lay between."""
    shown: list[float]
    """From an acknowledgement until somebody else was shown it."""
    outages: list[float]
    """From the loss of a connection to being back in place."""

    @property
    def longest_outage(self) -> float:
        """The longest that anybody waited for anything."""
        return max([*self.acks, *self.shown, *self.outages], default=0.0)


class Workload(Protocol):
    """A crowd with something to do. A scenario enters, breaks things while it is `busy`, settles, and asks for the
    verdict; it need not know what the crowd does."""

    async def enter(self) -> None:
        """Return once everybody is in place; raise if somebody cannot get there."""
        ...

    def busy(self, rate: float) -> contextlib.AbstractAsyncContextManager[None]:
        """`rate` actions a second over all, each at its time whatever became of those before, until the block ends."""
        ...

    async def settle(self, timeout: float) -> None:
        """Wait until everything was acknowledged, and shown to everybody. TimeoutError says who waits for what."""
        ...

    def judge(self, logs: Mapping[str, Log]) -> Verdict:
        """Hold what everybody lived through against the store's logs by channel."""
        ...

    def measured(self) -> Measured: ...

    @property
    def channels(self) -> Sequence[str]:
        """Whose logs `judge` needs."""
        ...

    async def leave(self) -> None:
        """Break everything off."""
        ...


@dataclass(slots=True)
class RoomTalk:
    """Members, spread evenly over rooms and over addresses, half of them in each encoding, write in turn.

    `writers` bounds how many of them write. `length` is how many characters of four bytes a text has, beside its words.
    """

    ws_urls: Sequence[str]
    rooms: Sequence[str]
    size: int
    writers: int | None = None
    length: int = 0
    pings: bool = False
    members: list[Member] = field(default_factory=list)
    _run: str = field(default_factory=new_mark)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _lives: list[asyncio.Task[None]] = field(default_factory=list)
    _asked: float = 0.0
    _began_at: float | None = None

    async def enter(self) -> None:
        for number in range(self.size):
            turn = number // 2 % len(self.ws_urls)
            urls = [*self.ws_urls[turn:], *self.ws_urls[:turn]]
            room = self.rooms[number % len(self.rooms)]
            subprotocol = MSGPACK if number % 2 else JSON
            self.members.append(Member(urls, f"member{number}", room, subprotocol=subprotocol, pings=self.pings))
        for start in range(0, self.size, 50):
            some = self.members[start : start + 50]
            self._lives += [asyncio.create_task(member.live(), name=member.diary.name) for member in some]
            await self._in_place(some, 30)

    async def back(self, timeout: float = 30.0) -> None:
        """Wait until everybody is in the room (again)."""
        await self._in_place(self.members, timeout)

    @contextlib.asynccontextmanager
    async def busy(self, rate: float) -> AsyncIterator[None]:
        writing = asyncio.create_task(self._write(rate), name="writing")
        try:
            yield
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def settle(self, timeout: float = 20.0) -> None:
        try:
            async with asyncio.timeout(timeout):
                while any(member.unacknowledged for member in self.members):  # noqa: ASYNC110 - of many members
                    await asyncio.sleep(0.02)
                last: dict[str, int] = {}
                for member in self.members:
                    for post in member.diary.posts:
                        last[member.diary.room] = max(last.get(member.diary.room, 0), post.offset)
                for member in self.members:
                    await member.until_position(last.get(member.diary.room, 0))
        except TimeoutError:
            raise TimeoutError(f"not settled after {timeout:g} s: {self._standing()}") from None

    def judge(self, logs: Mapping[str, Log]) -> Verdict:
        verdict = Verdict()
        for room in self.rooms:
            verdict.add(judge([m.diary for m in self.members if m.diary.room == room], logs[f"room:{room}"]))
        return verdict

    @property
    def channels(self) -> Sequence[str]:
        return [f"room:{room}" for room in self.rooms]

    def measured(self, apart: Sequence[Member] = ()) -> Measured:
        """`apart` are members whose own waiting does not count."""
        posts = [post for member in self.members for post in member.diary.posts]
        acked = [post for post in posts if post.acked_at is not None]
        last = max((post.acked_at or 0.0 for post in acked), default=0.0)
        began = self._began_at if self._began_at is not None else last
        acked_at = {post.text: post.acked_at for post in acked}
        shown = [
            max(0.0, sight.at - at)
            for member in self.members
            if member not in apart
            for sight in member.diary.sights
            if (at := acked_at.get(sight.text)) is not None
        ]
        return Measured(
            asked=self._asked,
            achieved=len(acked) / (last - began) if last > began else 0.0,
            acked=len(acked),
            acks=[(post.acked_at or 0.0) - post.due for post in acked],
            shown=shown,
            outages=[outage for member in self.members if member not in apart for outage in member.outages],
        )

    @property
    def silences(self) -> int:
        return sum(member.diary.silences for member in self.members)

    async def leave(self) -> None:
        for life in self._lives:
            life.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)

    async def _write(self, rate: float) -> None:
        writers = self.members[: self.writers]
        start = time.monotonic()
        self._asked = rate
        if self._began_at is None:
            self._began_at = start
        for turn in itertools.count():
            due = start + turn / rate
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            author = writers[turn % len(writers)]
            words = f"{self._run} {author.diary.name} {next(self._numbers)}"
            author.write(Post(secrets.token_hex(8), words + "\N{HUGGING FACE}" * self.length, due))

    async def _in_place(self, members: Sequence[Member], timeout: float) -> None:
        ready = asyncio.gather(*(member.is_up.wait() for member in members))
        waiting: list[asyncio.Future[Any]] = [ready, *self._lives]
        done, _ = await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        for life in self._lives:
            if life in done:
                life.result()
        if not ready.done():
            ready.cancel()
            raise TimeoutError(f"not in place after {timeout:g} s: {self._standing()}")

    def _standing(self) -> str:
        return "; ".join(
            f"{member.diary.name}: {'in' if member.is_up.is_set() else 'out'}, at {member.position}, "
            f"{len(member.unacknowledged)} unanswered, {member.diary.problems[-1:]}"
            for member in self.members
            if member.unacknowledged or not member.is_up.is_set() or member.diary.problems
        )[:2_000]
