"""A pooler between the store and PostgreSQL: nothing of a session may be relied on."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import Any

import asyncpg
import pytest

from chatserver.store.drivers.migrate import migrate
from chatserver.store.drivers.postgres import PostgresStore
from chatserver.store.records import StoreUnavailable
from chatserver.store.store import Unfit
from tests.kit.pgbouncer import PgBouncer
from tests.kit.ports import HOST
from tests.kit.postgres import PostgresServer
from tests.kit.process import PartMissing
from tests.kit.server import ChatServer
from tests.store.kit import GRIEF, SLEEP, START, newcomer, postgres_database, replay, say, seeded

ALLOWED = {"user", "database", "client_encoding", "application_name"}
"""What PgBouncer takes at the start of a connection without being told to ignore the rest."""


def _pooler(*given: Any, **more: Any) -> PgBouncer:
    try:
        return PgBouncer(*given, **more)
    except PartMissing as missing:
        pytest.skip(str(missing))


async def _lives(store: PostgresStore) -> None:
    """Reads, commits and other writes, many at once."""
    await seeded(store)
    people = [await newcomer(store, f"Ada {number}") for number in range(4)]
    for _ in range(3):
        said = [say(store, who, "hello", where=where) for who in people for where in (SLEEP, GRIEF)]
        others = [store.rename(who.id, f"{who.name}!", f"{who.id}!") for who in people]
        await asyncio.gather(*said, *others, *(replay(store, SLEEP) for _ in range(8)), store.check_writable())
    for where in (SLEEP, GRIEF):
        assert [each.offset for each in await replay(store, where)] == [*range(1, 13)]
    assert len(await store.erase(people[0].id, START)) == 6
    await store.rewrite(START)


@pytest.mark.parametrize("mode", ["transaction", "session"])
async def test_store_lives_behind_a_pooler_with_fewer_connections_than_it_has(
    postgres_server: PostgresServer, mode: Any
) -> None:
    database = postgres_database(postgres_server)
    with _pooler(postgres_server, mode, size=2 if mode == "transaction" else 10) as pooler:
        store = PostgresStore(pooler.url(database.url))
        await _lives(store)
        await store.close()


async def test_other_clients_of_a_pooler_find_no_settings_of_ours(postgres_server: PostgresServer) -> None:
    database = postgres_database(postgres_server)
    with _pooler(postgres_server, "transaction", size=1) as pooler:
        store = PostgresStore(pooler.url(database.url))
        await seeded(store)
        await say(store, await newcomer(store, "Ada"), "hello")
        other = await asyncpg.connect(pooler.url(database.url), statement_cache_size=0)
        async with other.transaction():
            assert await other.fetchval("SHOW statement_timeout") == "0"
            assert await other.fetchval("SHOW enable_seqscan") == "on"
            assert await other.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''") == 0
        await other.close()
        await store.close()


async def test_whole_server_starts_and_serves_behind_a_pooler(postgres_server: PostgresServer) -> None:
    url = postgres_server.fresh_database()
    with _pooler(postgres_server, "transaction") as pooler, ChatServer(database_url=pooler.url(url)) as server:
        assert server.is_ready()
        assert not [line for line in server.log() if "cause" in line]


async def test_pooling_by_statements_ends_the_start_with_one_line(postgres_server: PostgresServer) -> None:
    url = postgres_server.fresh_database()
    with _pooler(postgres_server, "statement") as pooler, pytest.raises(Unfit, match="pooler works by statements"):
        await asyncio.to_thread(migrate, pooler.url(url))


async def test_nothing_is_sent_at_the_start_that_a_pooler_refuses() -> None:
    """Without a pooler at hand: what the store sends first."""
    sent: list[set[str]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length, code = struct.unpack("!II", await reader.readexactly(8))
                rest = await reader.readexactly(length - 8)
                if code == 196_608:
                    break
                writer.write(b"N")
            sent.append({part.decode() for part in rest.rstrip(b"\0").split(b"\0")[::2]})
        writer.close()

    listening = await asyncio.start_server(serve, HOST, 0)
    port = listening.sockets[0].getsockname()[1]
    url = f"postgresql://chat@{HOST}:{port}/chat"
    with pytest.raises(StoreUnavailable):
        await PostgresStore(url, timeout=2).open()
    with pytest.raises(Unfit):
        await asyncio.to_thread(migrate, url)
    listening.close()
    assert len(sent) == 2
    assert set().union(*sent) <= ALLOWED


async def test_behind_a_pooler_no_session_keeps_anything(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a pooler at hand: a server whose processes are not those that it names, as a pooler's are not."""
    monkeypatch.setattr(asyncpg.Connection, "get_server_pid", lambda db: 1)
    store = PostgresStore(postgres_database(postgres_server).url)
    await _lives(store)
    connection, _ = store._pool._idle[-1]
    assert await connection.fetchval("SHOW statement_timeout") == "0"
    assert await connection.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''") == 0
    await store.close()
