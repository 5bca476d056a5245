"""After an erasure: not one byte of the person in the database's files, in what others can get, or on the bus, but
sealed.

`docs/privacy.md` says what each database promises; each promise is searched for here, byte by byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from chatserver.domain.people.names import name_key
from tests.kit.client import ChatClient
from tests.kit.postgres import PostgresServer
from tests.kit.process import obtain, wait_until
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer
from tests.kit.web import WebClient
from tests.security.traces import Watch, Words

TEXT: Final = "zibethwortel"
NAME: Final = "Quimbo Daxelt"
pytestmark = pytest.mark.timeout(180)
POSTS: Final = 150
"""Enough that pages of the file split, and each is filled with some of the other's posts."""
FREE: Final = {
    f"{name}": 1e6
    for name in (
        "commands_per_second", "command_burst", "member_commands_per_second", "member_command_burst",
        "posts_per_second", "post_burst", "reactions_per_second", "reaction_burst",
    )
}  # fmt: skip


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    # Old segments of the write-ahead log are removed, not kept for the next use: what docs/privacy.md recommends.
    with obtain(lambda: PostgresServer(["wal_recycle=off", "min_wal_size=32MB", "full_page_writes=on"])) as server:
        yield server


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with obtain(RedisServer) as server:
        yield server


def auth(client: ChatClient) -> dict[str, str]:
    return {"authorization": f"Bearer {client.token}"}


async def live_and_erase(
    server: ChatServer, redis: RedisServer, meanwhile: Callable[[], object] = lambda: None
) -> Words:
    """A life in two rooms, on two workers, something `meanwhile`, and its erasure. Returns what must not be found any
    more."""
    async with (
        ChatClient(server.ws_url) as ann,
        ChatClient(server.ws_url) as ben,
        contextlib.AsyncExitStack() as crowd,
        WebClient(base_url=server.url, timeout=20) as web,
    ):
        others = [await crowd.enter_async_context(ChatClient(server.ws_url)) for _ in range(4)]
        await ann.ask("rename", name=NAME)
        await ann.ask("code")
        since = {}
        for room in ("sleep", "grief"):
            since[room] = (await ben.ask("join", room=room, agreement=1))["position"]
            for client in (ann, *others):
                await client.ask("join", room=room, agreement=1)
        for at in range(POSTS):
            room = ("sleep", "grief")[at % 2]
            long = f"{TEXT} {at} " * (1 + at % 60)
            own, _ = await asyncio.gather(
                ann.ask("post", room=room, text=long, warning=TEXT if at % 3 == 0 else None),
                ben.ask("post", room=room, text="something of somebody else " * (1 + at % 40)),
            )
            if at % 10 == 0:
                await ann.ask("edit", room=room, offset=own["offset"], text=f"{TEXT} mended {at}")
                answer = await ben.ask("post", room=room, text="an answer", reply_to=own["offset"])
                await ann.ask("react", room=room, offset=answer["offset"], reaction="hug", on=True)
                await ben.ask("react", room=room, offset=own["offset"], reaction="hug", on=True)
        await ben.ask("mute", member=ann.id_in("sleep"), on=True)
        await ann.ask("mute", member=ben.id_in("sleep"), on=True)
        await asyncio.to_thread(meanwhile)
        who = ann.member.encode()

        def left(line: bytes) -> bool:
            return who in line.partition(b"went")[2]

        words = Words({"text": [TEXT], "name": [NAME, name_key(NAME)], "id": [ann.member], "token": [ann.token or ""]})
        with Watch(redis) as watch:
            begin = len(watch.lines())
            assert (await web.post("/api/identity/erase", headers=auth(ann))).status_code == 204
            assert await ann.wait_closed() == 4401
            # The workers tell one another by an id that somebody left, and that is the last of them.
            await asyncio.to_thread(wait_until, lambda: any(map(left, watch.lines()[begin:])), "the last farewell")
            end = len(watch.lines())
            for room in ("sleep", "grief"):
                for client in others:
                    await client.until(
                        lambda client=client, room=room: any(  # type: ignore[misc]
                            push["push"] == "redacted" for push in client.facts(f"room:{room}")
                        )
                    )
                await ben.ask("post", room=room, text="who was that")
                # Whoever comes, on whichever worker, and whoever comes back to where the erased was still there.
                for _ in range(6):
                    async with ChatClient(server.ws_url) as cleo:
                        for joined in (
                            await cleo.ask("join", room=room, agreement=1, since=since[room]),
                            await cleo.ask("history", room=room, before=10**6, limit=100),
                        ):
                            assert words.in_bytes(str(joined).encode()) == set()
            exported = await web.get("/api/identity/export", headers=auth(ben))
            assert "something of somebody else" in exported.text
            assert words.in_bytes(exported.content) == set()
            assert (await web.get("/api/identity/export", headers=auth(ann))).status_code == 401
            told = watch.lines()
        assert any(b"who was that" in line for line in told[end:])
        assert set().union(*map(words.in_bytes, told[begin:end])) == {"id"}
        assert [line for line in told[end:] if words.in_bytes(line)] == []
        return words


def read(file: Path, query: str) -> int:
    """One number that stands in a SQLite file."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as db:
        ((found,),) = db.execute(query)
    return int(found)


async def test_sqlite_keeps_not_one_byte(redis: RedisServer) -> None:
    with ChatServer(2, redis.url, config={"limits": FREE, "log_level": "debug"}) as server:
        words = await live_and_erase(server, redis)
        file = server.directory / "data" / "chat.db"
        # At once: in no row, and in no file but in unused parts of the database's pages, if anywhere.
        assert words.in_sqlite(file) == {}
        assert words.in_files(server.directory).keys() <= {"data/chat.db"}
        # The sealed copies are there, and nobody who searches the files finds a word in them.
        assert read(file, "SELECT count(*) FROM sealed_copies") > 0
        # Soon, for all who were erased together and while it runs: also not there, nor in the files beside it.
        owed = "SELECT asked = rewritten FROM upkeep"
        await asyncio.to_thread(wait_until, lambda: read(file, owed) == 1, "the file to be rewritten")
        assert words.in_files(server.directory) == {}
        assert {path.name for path in (server.directory / "data").glob("chat.db*")} == {
            "chat.db", "chat.db-shm", "chat.db-wal",
        }  # fmt: skip
        assert words.in_sqlite(file) == {}


async def test_postgres_keeps_not_one_byte_but_in_its_write_ahead_log(
    redis: RedisServer, postgres: PostgresServer
) -> None:
    url = postgres.fresh_database()
    database = url.rpartition("/")[2]
    with ChatServer(2, redis.url, url, config={"limits": FREE, "log_level": "debug"}) as server:
        # Autovacuum takes its samples while the person is there.
        words = await live_and_erase(server, redis, lambda: postgres.execute("ANALYZE", database))
        assert words.in_files(server.directory) == {}
        assert await words.in_postgres(url) == {}
        assert postgres.execute("SELECT count(*) > 0 FROM sealed_copies", database) == "t"
        owed = "SELECT asked = rewritten FROM upkeep"
        await asyncio.to_thread(
            wait_until, lambda: postgres.execute(owed, database) == "t", "the tables to be rewritten"
        )
        postgres.execute("CHECKPOINT")
        found = words.in_files(postgres.directory / "data")
        assert {path.partition("/")[0] for path in found} <= {"pg_wal"}, found
        # The write-ahead log is PostgreSQL's own: its old segments end when it has made a new one and a checkpoint.
        postgres.execute("SELECT pg_switch_wal()", database)
        postgres.execute("CHECKPOINT")
        assert words.in_files(postgres.directory / "data") == {}
        assert words.in_bytes(postgres.process.log.read_bytes()) == set()
