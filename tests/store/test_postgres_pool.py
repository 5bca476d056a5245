"""How many connections to PostgreSQL a store opens, and what happens where the server gives fewer."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from chatserver.store.drivers import postgres_pool
from chatserver.store.drivers.postgres import PostgresStore
from chatserver.store.drivers.postgres_connection import ConnectionMode, connect
from chatserver.store.drivers.postgres_pool import Pool, shares
from chatserver.store.records import StoreUnavailable
from chatserver.store.store import SchemaMismatch
from tests.kit.postgres import PostgresServer
from tests.store.kit import GRIEF, SLEEP, Database, newcomer, postgres_database, replay, say, seeded, until


@pytest.fixture
def database(postgres_server: PostgresServer) -> Database:
    return postgres_database(postgres_server)


def _open(server: PostgresServer, database: Database) -> int:
    name = database.url.rpartition("/")[2]
    return int(server.execute(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"))


async def _busy(store: PostgresStore) -> None:
    """As much at once as can be."""
    people = [await newcomer(store, f"Ada {number}") for number in range(6)]
    said = [say(store, who, "hello", where=where) for who in people for where in (SLEEP, GRIEF)]
    others = [store.rename(who.id, f"{who.name}!", f"{who.id}!") for who in people]
    await asyncio.gather(*said, *others, *(replay(store, SLEEP) for _ in range(20)), store.check_writable())


@pytest.fixture
def limited(postgres_server: PostgresServer, database: Database) -> Database:
    """A database that gives two connections, to a role that is nobody special."""
    name = database.url.rpartition("/")[2]
    postgres_server.execute(f"CREATE ROLE {name}_small LOGIN CONNECTION LIMIT 2")
    for what in ("TABLES", "SEQUENCES"):
        postgres_server.execute(f"GRANT ALL ON ALL {what} IN SCHEMA public TO {name}_small", name)
    return Database(database.url.replace("chat@", f"{name}_small@"))


@pytest.mark.parametrize("connections", range(3, 30))
def test_every_road_has_a_connection_and_together_they_have_no_more(connections: int) -> None:
    assert sum(shares(connections)) == connections
    assert min(shares(connections)) >= 1


async def test_busy_store_opens_no_more_than_it_may(postgres_server: PostgresServer, database: Database) -> None:
    store = PostgresStore(database.url, connections=4)
    await seeded(store)
    await _busy(store)
    assert _open(postgres_server, database) <= 4
    await store.close()


async def test_connections_that_nobody_uses_are_closed(
    postgres_server: PostgresServer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_pool.Pool.__init__, "__defaults__", (0.3,))
    store = PostgresStore(database.url, connections=8)
    await seeded(store)
    await _busy(store)
    assert _open(postgres_server, database) > 2
    # What a quiet worker does: one thing after the other.
    for _ in range(8):
        await store.check_writable()
        await replay(store, SLEEP)
        await asyncio.sleep(0.1)
    await until(lambda: store._pool.open <= 3)
    await until(lambda: store._pool.open == 0)
    await until(lambda: _open(postgres_server, database) == 0)
    await store.check_writable()
    await store.close()


async def test_where_the_server_gives_fewer_everything_waits_and_nothing_is_refused(
    postgres_server: PostgresServer, limited: Database, caplog: pytest.LogCaptureFixture
) -> None:
    store = PostgresStore(limited.url, connections=12)
    await seeded(store)
    await _busy(store)
    assert _open(postgres_server, limited) <= 2
    for where in (SLEEP, GRIEF):
        assert [each.offset for each in await replay(store, where)] == [*range(1, 7)]
    (line,) = [each for each in caplog.records if each.message == "database_gives_no_more_connections"]
    assert line.__dict__["open"] in (1, 2)
    assert line.__dict__["code"] == "53300"
    await store.close()


async def test_who_waits_for_a_connection_has_it_before_those_who_have_had_one(limited: Database) -> None:
    """Lanes that have work without an end give their connection back and take it again in the same turn of the loop."""
    pool = Pool(partial(connect, ConnectionMode(limited.url, 5.0)))
    busy, other = pool.road(2), pool.road(3)
    is_over = False

    async def lane() -> None:
        while not is_over:
            async with busy.one() as db:
                await db.execute("SELECT 1")

    async def reader() -> None:
        async with other.one() as db:
            assert await db.fetchval("SELECT 1") == 1

    lanes = [asyncio.create_task(lane()) for _ in range(2)]
    await until(lambda: pool.open == 2)
    async with asyncio.timeout(4):
        await asyncio.gather(*(reader() for _ in range(9)))
        # Whoever does not wait until the end takes nothing along.
        hurried = [asyncio.create_task(reader()) for _ in range(9)]
        for _ in range(20):
            await asyncio.sleep(0)
        for each in hurried:
            each.cancel()
        await asyncio.gather(*hurried, return_exceptions=True)
        await asyncio.gather(*(reader() for _ in range(3)))
    is_over = True
    await asyncio.gather(*lanes)
    assert pool.open == 2
    pool.close()


async def test_store_that_gets_no_connection_at_all_says_that_posts_are_not_taken(
    postgres_server: PostgresServer, limited: Database
) -> None:
    first = PostgresStore(limited.url, timeout=1)
    await seeded(first)
    ada = await newcomer(first, "Ada")
    other = PostgresStore(limited.url, timeout=1)
    await other.open()
    other._pool.drop_idle()
    async with first._reads.connections.one(), first._reads.connections.one():
        for attempt in (say(other, ada, "hello"), other.check_writable(), replay(other, SLEEP)):
            with pytest.raises(StoreUnavailable, match="53300"):
                await attempt
    await first.close()
    await other.check_writable()
    await other.close()


async def test_lane_that_gives_no_answer_is_seen_by_who_asks_for_the_store(database: Database) -> None:
    store = PostgresStore(database.url, timeout=0.5)
    await store.open()
    await store.check_writable()
    store._lanes[1].cancel()
    with pytest.raises(StoreUnavailable):
        await store.check_writable()
    store._lanes = store._lanes[:1]
    await store.close()


async def test_schema_of_another_version_is_still_told(postgres_url: str) -> None:
    with pytest.raises(SchemaMismatch):
        await PostgresStore(postgres_url).open()
