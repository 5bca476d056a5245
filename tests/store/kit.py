"""What tests of the store share: fresh databases of each kind, people and rooms in them, and commands."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from chatserver.domain.history import CommandId, Millis, Offset
from chatserver.domain.identity import Member, MemberId, Persona
from chatserver.domain.rooms.decide import decide, evolve, target_of
from chatserver.domain.rooms.rooms import (
    Post,
    Publication,
    Room,
    RoomCommand,
    RoomEvent,
    RoomId,
    RoomRules,
    RoomState,
    WritePost,
    room_channel,
)
from chatserver.store.drivers.migrate import migrate
from chatserver.store.drivers.postgres import PostgresStore
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.records import Committed, RoomChange
from chatserver.store.store import Store
from tests.kit.database import migrated_sqlite
from tests.kit.postgres import PostgresServer

START: Final = Millis(1_700_000_000_000)
SLEEP: Final = RoomId("sleep")
GRIEF: Final = RoomId("grief")
RULES: Final = RoomRules()
SEALING_KEY: Final = bytes(range(32))

_ids = itertools.count(1)
_templates: weakref.WeakKeyDictionary[PostgresServer, str] = weakref.WeakKeyDictionary()


class Database:
    """A migrated, empty database, on which any number of stores may be opened."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.path = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:") else None

    def store(self, *, timeout: float = 5.0, backlog: int = 10_000) -> Store:
        if self.path is not None:
            return SqliteStore(self.path, timeout=timeout, backlog=backlog, sealing_key=SEALING_KEY)
        return PostgresStore(self.url, timeout=timeout, backlog=backlog, sealing_key=SEALING_KEY)

    def bytes(self) -> bytes:
        """All that stands in SQLite's files."""
        assert self.path is not None
        files = (self.path.with_name(self.path.name + suffix) for suffix in ("", "-wal", "-shm"))
        return b"".join(file.read_bytes() for file in files if file.exists())


def sqlite_database(directory: Path) -> Database:
    return Database(migrated_sqlite(directory / "chat.sqlite3"))


def postgres_database(server: PostgresServer) -> Database:
    """A copy of a database that was migrated once for each server."""
    template = _templates.get(server)
    if template is None:
        url = server.fresh_database()
        migrate(url)
        template = _templates[server] = url.rpartition("/")[2]
    name = f"{template}_{next(_ids)}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return Database(server.url(name))


def room(id_: RoomId, **fields: object) -> Room:
    return msgspec.structs.replace(Room(id=id_, name=id_.title(), about="A room."), **fields)


async def seeded(store: Store, *rooms: Room) -> Store:
    """Open a store and add rooms: `sleep` and `grief` unless others are given."""
    await store.open()
    await store.add_rooms(rooms or (room(SLEEP), room(GRIEF)))
    return store


async def newcomer(
    store: Store, name: str, *joins: RoomId, now: Millis = START, id_: MemberId | None = None
) -> Persona:
    """A new member who has joined rooms: `sleep` and `grief` unless others are given. Their id holds their name unless
    another is given."""
    person = Persona(id_ or MemberId(f"m_{name.replace(' ', '')}{next(_ids)}"), name)
    key = f"{name}{person.id}".casefold()
    await store.add_member(Member(id=person.id, name=name, name_key=key, created_at=now, seen_at=now))
    for joined in joins or (SLEEP, GRIEF):
        await store.join(person.id, joined, 1)
    return person


def change(
    author: Persona,
    command: RoomCommand,
    *,
    where: RoomId = SLEEP,
    now: int = START,
    id_: str | None = None,
    answer: Callable[[RoomState], Sequence[RoomEvent]] | None = None,
) -> RoomChange:
    """A member's command as a handler would hand it over, decided by the domain unless `answer` is given."""
    at = Millis(now)
    return RoomChange(
        channel=room_channel(where),
        author=author.id,
        command_id=CommandId(id_ or f"c{next(_ids)}"),
        digest=hashlib.blake2b(repr((where, command)).encode(), digest_size=16).digest(),
        now=at,
        target=target_of(command),
        decide=answer or (lambda state: decide(state, command, author, RULES, at)),
    )


async def hidden(store: Store, who: Persona) -> list[MemberId]:
    """Whom somebody hides."""
    return [each.id for each in (await store.hiding(who.id)).hidden]


async def say(store: Store, author: Persona, text: str, *, where: RoomId = SLEEP, now: int = START) -> Offset:
    """Write a post; its offset."""
    return only(await store.commit(change(author, WritePost(text=text), where=where, now=now))).offset


def only(committed: Committed) -> Publication:
    (publication,) = committed.publications
    return publication


async def replay(store: Store, where: RoomId, after: int = 0, *, limit: int = 1_000) -> list[Publication]:
    """Everything after an offset, page by page."""
    publications: list[Publication] = []
    at = Offset(after)
    while True:
        part = await store.read(room_channel(where), at, limit)
        publications += part.publications
        if len(part.publications) < limit:
            return publications
        at = part.publications[-1].offset


def evolved(publications: Sequence[Publication], posts: dict[Offset, Post] | None = None) -> dict[Offset, Post]:
    held = posts if posts is not None else {}
    for publication in publications:
        held = evolve(held, publication)
    return held


async def until(condition: Callable[[], bool], timeout: float = 20.0) -> None:
    """Return once `condition` holds; TimeoutError if it does not in time."""
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110 (nobody announces it)
            await asyncio.sleep(0.005)
