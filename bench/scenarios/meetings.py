"""Support groups: many meetings at once over three workers, how late their steps are, and what they cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack
from typing import Any, Final

import asyncpg
import uvloop

from bench.load import now
from bench.machine import allow_files, bind, cpu_seconds, family, on_cores
from bench.measure import Bench, percentile
from bench.report import OURS, Section, figure
from bench.targets import RAISED, RAISED_FOR_SENDERS
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings import groups
from chatserver.domain.meetings.groups import GroupEdit, GroupId
from chatserver.domain.meetings.state import Form, MeetingId, PhaseKind
from chatserver.store.drivers.migrate import migrate
from chatserver.store.drivers.postgres import PostgresStore
from tests.kit.client import ChatClient, Message
from tests.kit.postgres import PostgresServer
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer
from tests.kit.staff import add_facilitators

WORKERS: Final = 3
PEOPLE: Final = 12
"""In one meeting, its host among them."""
_MINUTES: Final = dict.fromkeys(
    (PhaseKind.WELCOME, PhaseKind.CHECKIN, PhaseKind.PREPARE, PhaseKind.OPEN, PhaseKind.CLOSING), 1
)
_SHARE: Final = 12
_SOON: Final = 5_000
"""Milliseconds from planning a meeting to its beginning."""
_SPREAD: Final = 60.0
"""Seconds over which the meetings begin, so that their steps do not all come at once."""
_MS: Final = 1_000
_PATIENCE: Final = 300.0
_AT_ONCE: Final = 48


def meetings(bench: Bench) -> Section:
    """Let all meetings run by their script, staggered over a minute, while one person writes in each turn."""
    count = round(bench.pick(200, 20))
    allow_files(2 * count * PEOPLE + 1_000)
    with ExitStack() as stack:
        place = _Place(bench, stack)
        found = uvloop.run(_measure(place, count, bench.pick(180.0, 75.0)))
    late = sorted(found.late)
    return Section(
        scenario="meetings",
        about=f"{count} meetings of {PEOPLE} over {WORKERS} workers, Redis and PostgreSQL",
        figures=[
            figure("step due to voice committed, p50", "ms", {"ours": [percentile(late, 0.5)]}),
            figure("step due to voice committed, p99", "ms", {"ours": [percentile(late, 0.99)]}),
            figure("share of a core, all connected", "%", {"ours": [100 * found.idle]}),
            figure("share of a core, all in meetings", "%", {"ours": [100 * found.busy]}),
            figure("store writes", "1/s", {"ours": [found.writes]}),
        ],
        notes=[
            f"{len(late)} steps that time brought; a step's lateness is read from the voices in the rooms' logs",
            f"the workers' shares of a core include {count * PEOPLE:,} connections; the first is of those alone",
            "each host sends the first step; each person writes once in their turn and lets it go on",
            "limits per address and paces are raised",
        ],
        loads={OURS: found.load},
    )


class _Place:
    """Three workers over one database."""

    def __init__(self, bench: Bench, stack: ExitStack) -> None:
        redis = stack.enter_context(RedisServer())
        with on_cores(bench.cores.others):
            database = stack.enter_context(PostgresServer(["fsync=on", "full_page_writes=on"]))
        self.database_url = database.fresh_database()
        config = {"limits": {**RAISED, **RAISED_FOR_SENDERS}}
        self.server = ChatServer(
            database_url=self.database_url, config=config, workers=WORKERS, redis_url=redis.url, is_forked=bench.quick
        )
        stack.callback(self.server.close)
        migrate(self.database_url)
        with on_cores(bench.cores.servers):
            self.server.start()
        bind(family(self.server.process.pid), bench.cores.servers)

    def cpu(self) -> float:
        return cpu_seconds(family(self.server.process.pid))

    async def written(self) -> int:
        """Return a number that rises by one with each transaction that writes."""
        db = await asyncpg.connect(self.database_url)
        try:
            return int(await db.fetchval("SELECT txid_snapshot_xmax(txid_current_snapshot())"))
        finally:
            await db.close()


class _Found:
    def __init__(self) -> None:
        self.late: list[float] = []
        self.idle = self.busy = self.writes = self.load = 0.0


async def _measure(place: _Place, count: int, seconds: float) -> _Found:
    found = _Found()
    staff = await _hosts(place, count)
    async with asyncio.timeout(_PATIENCE + seconds):
        url = place.server.ws_url
        hosts = [ChatClient(url, hello=False) for _ in range(count)]
        guests = [[ChatClient(url) for _ in range(PEOPLE - 1)] for _ in range(count)]
        await _each([_open_host(host, token) for host, (_, token) in zip(hosts, staff, strict=True)])
        await _each([guest.open() for those in guests for guest in those])
        cpu, wall = place.cpu(), now()
        await asyncio.sleep(min(10.0, seconds / 5))
        found.idle = (place.cpu() - cpu) / (now() - wall)
        ids = await _plan(place, [member for member, _ in staff])
        running = [
            _Running(id_, host, those, number * _SPREAD / count)
            for number, (id_, host, those) in enumerate(zip(ids, hosts, guests, strict=True))
        ]
        await _each([client.ask("enter", meeting=one.id, agreement=1) for one in running for client in one.people])
        await _each([client.ask("join", room=one.id) for one in running for client in one.people])
        await _each([client.ask("meeting", meeting=one.id) for one in running for client in one.people])
        work = [asyncio.create_task(one.run()) for one in running]
        await asyncio.sleep(_SPREAD)
        cpu, wall, load, writes = place.cpu(), now(), time.process_time(), await place.written()
        await asyncio.sleep(seconds)
        span = now() - wall
        found.busy, found.load = (place.cpu() - cpu) / span, (time.process_time() - load) / span
        found.writes = (await place.written() - writes) / span
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        found.late = [late for one in running for late in one.late]
        await _each([client.close() for one in running for client in one.people])
    if not found.late:
        raise RuntimeError("no step was due")
    return found


async def _hosts(place: _Place, count: int) -> list[tuple[MemberId, str]]:
    store = PostgresStore(place.database_url)
    await store.open()
    try:
        return await add_facilitators(store, count)
    finally:
        await store.close()


async def _plan(place: _Place, hosts: Sequence[MemberId]) -> list[MeetingId]:
    """Open a group for each host, with a meeting that begins in a moment."""
    store = PostgresStore(place.database_url)
    await store.open()
    try:
        return [await _plan_one(store, number, host) for number, host in enumerate(hosts)]
    finally:
        await store.close()


async def _plan_one(store: PostgresStore, number: int, host: MemberId) -> MeetingId:
    minutes = {**_MINUTES, PhaseKind.SHARE: _SHARE}
    edit = GroupEdit(name=f"Circle {number}", about="For tonight.", seats=8, minutes=minutes)
    group = groups.open_group(GroupId(f"g-{number:016}"), host, Form.CIRCLE, edit)
    await store.add_group(group)
    meeting, at = MeetingId(f"m--{number:016}"), Millis(time.time_ns() // 1_000_000)
    await store.plan_meetings(group.id, lambda found: None, [Millis(at + _SOON)], [meeting], [str(number)], at)
    return meeting


async def _open_host(host: ChatClient, token: str) -> None:
    await host.open()
    host.hello_ok = await host.ask("hello", token=token, staff=True)


class _Running:
    """One meeting, with everybody who is in it. `late` is how late each step was that time brought, in milliseconds."""

    def __init__(self, id_: MeetingId, host: ChatClient, guests: list[ChatClient], delay: float) -> None:
        self.id = id_
        self._delay = delay
        self.people = [host, *guests]
        self.late: list[float] = []
        self._host = host
        self._wrote: set[str] = set()

    async def run(self) -> None:
        """Begin the meeting when it is time; then follow its voices, and let each person write once in their turn."""
        view = (await self._host.ask("meeting", meeting=self.id))["meeting"]
        await asyncio.sleep(max(self._delay, view["starts_at"] / _MS - time.time() + 0.5))
        await self._host.ask("step", meeting=self.id, seen=view["step"])
        before: Message | None = None
        while True:
            await self._host.until(lambda: bool(self._host.pushes), _PATIENCE)
            pushes = [*self._host.pushes]
            for client in self.people:
                client.pushes.clear()
            for push in pushes:
                if push.get("push") == "room_changed" and push["room"]["id"] == self.id:
                    voice = push["room"]["voice"]
                    self._note(before, voice)
                    before = voice
                    await self._write(voice)

    def _note(self, before: Message | None, voice: Message) -> None:
        due = None if before is None else before.get("until")
        # A voice whose time was changed, as when a turn goes into its last minute, is not due yet.
        if due is not None and voice["since"] >= due:
            self.late.append(voice["since"] - due)

    async def _write(self, voice: Message) -> None:
        for holder in voice.get("some", ()):
            for client in self.people:
                if holder not in self._wrote and voice["who"] == "some" and client.id_in(self.id) == holder:
                    self._wrote.add(holder)
                    await client.ask("post", room=self.id, text="I have been awake since three again.")


async def _each(work: list[Coroutine[Any, Any, Any]]) -> None:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(each: Coroutine[Any, Any, Any]) -> None:
        async with gate:
            await each

    await asyncio.gather(*map(one, work))
