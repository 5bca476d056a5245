"""One-to-one: the cost of asking and accepting, and how soon a freed listener gets the seeker who has waited
longest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import uvloop

from bench.load import now
from bench.machine import allow_files, bind, cpu_seconds, family, on_cores
from bench.measure import Bench, percentile
from bench.report import OURS, Section, figure
from bench.targets import ENOUGH, RAISED, RAISED_FOR_SENDERS
from chatserver.domain.listening.training import QUESTIONS
from chatserver.store.drivers.migrate import migrate
from chatserver.store.drivers.postgres import PostgresStore
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.store import Store
from tests.kit.client import ChatClient, Message
from tests.kit.postgres import PostgresServer
from tests.kit.server import ChatServer
from tests.kit.staff import add_listeners

_LISTENING: Final = {
    "pause_minutes": 0,
    "sessions_a_day": ENOUGH,
    "sessions_a_week": ENOUGH,
    "lease_minutes": 240.0,
    "sessions_per_member_a_day": ENOUGH,
    "rest_seconds": 0,
}
_CAP: Final = 4
_MS: Final = 1_000
_PATIENCE: Final = 120.0


def queue(bench: Bench) -> Section:
    """Let everybody ask at once, and accept and end all at once; then measure one listener and a queue on a quiet
    server."""
    asking, listening = round(bench.pick(500, 100)), round(bench.pick(25, 10))
    waiting = round(bench.pick(200, 40))
    allow_files(2_000)
    figures = []
    loads = []
    for name in ("sqlite", "postgres"):
        with ExitStack() as stack:
            place = _Place(bench, name, stack)
            found = uvloop.run(_measure(place, asking, listening, waiting))
        freed = sorted(found.freed)
        loads.append(found.load)
        figures += [
            figure(f"{name}: asks", "1/s", {"ours": [asking / found.asks.wall]}),
            figure(f"{name}: asks, CPU of ours", "s/1,000", {"ours": [found.asks.cpu / asking * 1_000]}),
            figure(f"{name}: accepts, each with its end", "1/s", {"ours": [asking / found.accepts.wall]}),
            figure(f"{name}: accepts, CPU of ours", "s/1,000", {"ours": [found.accepts.cpu / asking * 1_000]}),
            figure(f"{name}: freed to asked, p50", "ms", {"ours": [percentile(freed, 0.5) * _MS]}),
            figure(f"{name}: freed to asked, p99", "ms", {"ours": [percentile(freed, 0.99) * _MS]}),
        ]
        if found.asks.database is not None and found.accepts.database is not None:
            figures += [
                figure(
                    f"{name}: asks, CPU of its own server", "s/1,000", {"ours": [found.asks.database / asking * _MS]}
                ),
                figure(
                    f"{name}: accepts, CPU of its own server",
                    "s/1,000",
                    {"ours": [found.accepts.database / asking * _MS]},
                ),
            ]
    return Section(
        scenario="queue",
        about=f"{asking:,} ask at once, {listening} listen to {_CAP} each; then {waiting} wait for one",
        figures=figures,
        notes=[
            "one worker; everybody who waits is shown each change of their place: that is in the cost",
            "freed to asked: from the sending of `end` until that listener is shown who waited longest",
            "no pause between sessions, no caps of a day; limits per address and paces are raised",
        ],
        loads={OURS: max(loads)},
    )


class _Place:
    """A server with one of the databases."""

    def __init__(self, bench: Bench, name: str, stack: ExitStack) -> None:
        self._database: PostgresServer | None = None
        url = None
        if name == "postgres":
            with on_cores(bench.cores.others):
                self._database = stack.enter_context(PostgresServer(["fsync=on", "full_page_writes=on"]))
            url = self._database.fresh_database()
        config = {"limits": {**RAISED, **RAISED_FOR_SENDERS}, "listening": _LISTENING}
        self.server = ChatServer(database_url=url, config=config, is_forked=bench.quick)
        stack.callback(self.server.close)
        if url is None:
            data = self.server.directory / "data"
            data.mkdir(mode=0o700)
            url = f"sqlite:///{data / 'chat.db'}"
        migrate(url)
        self.store: Store = PostgresStore(url) if self._database else SqliteStore(Path(url.removeprefix("sqlite:///")))
        with on_cores(bench.cores.servers):
            self.server.start()
        bind(family(self.server.process.pid), bench.cores.servers)

    def cpu(self) -> float:
        return cpu_seconds(family(self.server.process.pid))

    def database_cpu(self) -> float | None:
        return None if self._database is None else cpu_seconds(family(self._database.process.pid))


class _Spent:
    """The time and CPU that a part took."""

    wall = 0.0
    cpu = 0.0
    database: float | None = None


class _Found:
    def __init__(self) -> None:
        self.asks, self.accepts = _Spent(), _Spent()
        self.freed: list[float] = []
        self.load = 0.0


@asynccontextmanager
async def _spending(place: _Place, spent: _Spent) -> AsyncIterator[None]:
    wall, cpu, database = now(), place.cpu(), place.database_cpu()
    yield
    spent.wall, spent.cpu = now() - wall, place.cpu() - cpu
    after = place.database_cpu()
    spent.database = None if database is None or after is None else after - database


async def _measure(place: _Place, asking: int, listening: int, waiting: int) -> _Found:
    await place.store.open()
    try:
        tokens = await add_listeners(place.store, listening)
    finally:
        await place.store.close()
    found = _Found()
    load, wall = time.process_time(), now()
    url = place.server.ws_url
    async with asyncio.timeout(_PATIENCE):
        seekers = [_Seeker(url) for _ in range(asking)]
        await _each([seeker.open() for seeker in seekers])
        async with _spending(place, found.asks):
            await _each([seeker.ask() for seeker in seekers])
        consoles = [_Console(url, token, _CAP) for token in tokens]
        await _each([console.open() for console in consoles])
        async with _spending(place, found.accepts):
            work = [asyncio.create_task(console.take_all()) for console in consoles]
            await asyncio.gather(*(console.client.ask("available", on=True) for console in consoles))
            await asyncio.gather(*(seeker.meet_and_end() for seeker in seekers))
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await _each([console.client.ask("available", on=False) for console in consoles[1:]])
        clients = [*(seeker.client for seeker in seekers), *(console.client for console in consoles[1:])]
        await _each([one.close() for one in clients])
        found.freed = await _one_by_one(url, consoles[0], waiting)
        await consoles[0].client.close()
    found.load = (time.process_time() - load) / (now() - wall)
    return found


async def _one_by_one(url: str, console: _Console, waiting: int) -> list[float]:
    """Let one listener work through a queue. Return how long after each end they were shown the next seeker."""
    seekers = [_Seeker(url) for _ in range(waiting)]
    await _each([seeker.open() for seeker in seekers])
    for seeker in seekers:
        await seeker.ask()
    await console.client.ask("profile", languages=["en"], cap=1)
    # This listener was shown others before.
    before = len(console.shown)
    taken = asyncio.create_task(console.take_all())
    freed = []
    for number, seeker in enumerate(seekers):
        ended_at = await seeker.meet_and_end()
        if number + 1 < len(seekers):
            freed.append(await console.was_shown(before + number + 1) - ended_at)
    taken.cancel()
    await asyncio.gather(taken, return_exceptions=True)
    await _each([seeker.client.close() for seeker in seekers])
    return freed


async def _each(work: list[Coroutine[Any, Any, Any]], at_once: int = 64) -> None:
    gate = asyncio.Semaphore(at_once)

    async def one(each: Coroutine[Any, Any, Any]) -> None:
        async with gate:
            await each

    await asyncio.gather(*map(one, work))


class _Seeker:
    def __init__(self, url: str) -> None:
        self.client = ChatClient(url)

    async def open(self) -> None:
        await self.client.open()

    async def ask(self) -> None:
        await self.client.ask("ask", agreement=True, timeout=_PATIENCE)

    async def meet_and_end(self) -> float:
        """End the session, and return when the end was requested."""
        view = await _shown(self.client, "standing", lambda it: it["state"] == "session")
        began = now()
        await self.client.ask("end", session=view["session"]["id"], timeout=_PATIENCE)
        return began


class _Console:
    def __init__(self, url: str, token: str, cap: int) -> None:
        self.client = ChatClient(url, hello=False)
        self.shown: dict[str, float] = {}
        """When each proposal was made, by its id and in order: the seeker who waits longest is proposed first."""
        self._token, self._cap = token, cap
        self._news = asyncio.Condition()

    async def open(self) -> None:
        client = await self.client.open()
        await client.ask("hello", token=self._token, staff=True)
        await client.ask("console")
        await client.ask("ready", answers=[question.right for question in QUESTIONS])
        await client.ask("profile", languages=["en"], cap=self._cap)

    async def take_all(self) -> None:
        """Accept everybody who is proposed, until cancelled."""
        while True:
            view = await _shown(
                self.client, "console", lambda it: "proposal" in it and it["proposal"]["id"] not in self.shown
            )
            proposal = view["proposal"]["id"]
            async with self._news:
                self.shown[proposal] = now()
                self._news.notify_all()
            await self.client.ask("accept", proposal=proposal, timeout=_PATIENCE)

    async def was_shown(self, number: int) -> float:
        """Return when the proposal of this number, from 0, was made."""
        async with self._news:
            await self._news.wait_for(lambda: number < len(self.shown))
        return [*self.shown.values()][number]


async def _shown(client: ChatClient, kind: str, where: Callable[[Message], bool]) -> Message:
    """Return the newest push of a kind once it meets a condition."""
    while True:
        await client.until(lambda: bool(client.pushes), _PATIENCE)
        pushes = [*client.pushes]
        client.pushes.clear()
        newest = next((push for push in reversed(pushes) if push.get("push") == kind), None)
        if newest is not None and where(newest):
            return newest
