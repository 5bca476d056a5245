"""What can happen to a server: frozen, killed, restarted, read-only. The caller never opens the store again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial

import asyncpg
import pytest

from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import Persona
from chatserver.domain.rooms.rooms import WritePost
from chatserver.store.core.backlog import Job
from chatserver.store.drivers.postgres import PostgresStore
from chatserver.store.drivers.postgres_pool import Connections
from chatserver.store.forgetting.forgetting import TRY_AGAIN_AFTER
from chatserver.store.records import RoomChange, StoreUnavailable
from chatserver.store.store import Store
from tests.kit.postgres import PostgresServer
from tests.kit.proxy import TcpProxy
from tests.store.kit import (
    GRIEF,
    SLEEP,
    START,
    Database,
    change,
    newcomer,
    only,
    postgres_database,
    replay,
    say,
    seeded,
    until,
)

TIMEOUT = 0.8

pytestmark = pytest.mark.faults


@pytest.fixture
def database(postgres_server: PostgresServer) -> Database:
    return postgres_database(postgres_server)


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    opened = await seeded(database.store(timeout=TIMEOUT))
    yield opened
    await opened.close()


async def is_unavailable(attempt: Awaitable[object], within: float = 2 * TIMEOUT - 0.1) -> None:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await attempt
    assert time.monotonic() - began < within


async def comes_back(store: Store, person: Persona) -> None:
    """Within a few tries, without anything being done about it."""
    until = time.monotonic() + 5
    while True:
        try:
            await say(store, person, "back again")
            await replay(store, SLEEP)
            await store.check_writable()
        except StoreUnavailable:
            assert time.monotonic() < until
            # A refused connection is answered at once.
            await asyncio.sleep(0.05)
        else:
            return


async def is_answered(attempt: Callable[[], Awaitable[object]]) -> None:
    """Asked over and over, as clients do."""
    async with asyncio.timeout(20):
        while True:
            try:
                await attempt()
            except StoreUnavailable:
                await asyncio.sleep(0.05)
            else:
                return


async def test_a_frozen_server_is_unavailable_in_time_and_then_goes_on(
    store: Store, postgres_server: PostgresServer
) -> None:
    ada = await newcomer(store, "Ada")
    commands = [change(ada, WritePost(text=f"frozen {i}"), where=(SLEEP, GRIEF)[i % 2]) for i in range(20)]
    postgres_server.freeze()
    for _ in range(2):
        await asyncio.gather(
            *(is_unavailable(store.commit(command)) for command in commands),
            *(is_unavailable(replay(store, SLEEP)) for _ in range(20)),
            is_unavailable(store.check_writable()),
            is_unavailable(store.rename(ada.id, "Cleo", "cleo")),
        )
    postgres_server.thaw()
    await comes_back(store, ada)
    # Whatever became of them then, sending them again settles it, once.
    again = [await store.commit(command) for command in commands]
    assert len({(only(result).channel, only(result).offset) for result in again}) == 20
    for where in (SLEEP, GRIEF):
        publications = await replay(store, where)
        assert [publication.offset for publication in publications] == list(range(1, len(publications) + 1))


async def test_a_killed_server_is_unavailable_at_once_and_keeps_every_acknowledged_post(
    store: Store, postgres_server: PostgresServer
) -> None:
    ada = await newcomer(store, "Ada")
    acked: list[int] = []
    stop = asyncio.Event()

    async def write(lane: int) -> None:
        i = 0
        while not stop.is_set():
            i += 1
            command = change(ada, WritePost(text=f"{lane} {i}"))
            while True:
                try:
                    acked.append(only(await store.commit(command)).offset)
                    break
                except StoreUnavailable:
                    await asyncio.sleep(0.02)

    def reached(goal: int) -> bool:
        return len(acked) >= goal

    writing = [asyncio.create_task(write(lane)) for lane in range(8)]
    for goal in (100, 200):
        await until(partial(reached, goal))
        await asyncio.to_thread(postgres_server.kill)
        await is_unavailable(replay(store, SLEEP), within=TIMEOUT - 0.05)
        await is_unavailable(say(store, ada, "to nobody"), within=TIMEOUT - 0.05)
        await asyncio.to_thread(postgres_server.start)
    await until(partial(reached, 300))
    stop.set()
    await asyncio.gather(*writing)
    offsets = [publication.offset for publication in await replay(store, SLEEP)]
    assert offsets == list(range(1, len(offsets) + 1))
    assert sorted(acked) == offsets


async def test_connections_that_the_server_ends_are_replaced(store: Store, database: Database) -> None:
    ada = await newcomer(store, "Ada")
    await say(store, ada, "before")
    administrator = await asyncpg.connect(database.url)
    await administrator.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chatserver'"
    )
    await administrator.close()
    await comes_back(store, ada)


async def test_a_lock_that_somebody_else_holds_is_not_waited_for_for_ever(store: Store, database: Database) -> None:
    ada = await newcomer(store, "Ada")
    administrator = await asyncpg.connect(database.url)
    async with administrator.transaction():
        await administrator.execute("SELECT * FROM channels FOR UPDATE")
        await is_unavailable(say(store, ada, "locked out"))
        assert await replay(store, SLEEP) == []
    await administrator.close()
    await comes_back(store, ada)


async def test_a_room_that_is_locked_silences_no_other(store: Store, database: Database) -> None:
    ada = await newcomer(store, "Ada")
    administrator = await asyncpg.connect(database.url)
    async with administrator.transaction():
        await administrator.execute("SELECT * FROM channels WHERE channel = 'room:sleep' FOR UPDATE")
        await is_unavailable(say(store, ada, "locked out"))
        assert await say(store, ada, "not locked", where=GRIEF) == 1
    await administrator.close()
    await comes_back(store, ada)


async def test_another_machine_in_the_place_of_one_that_died_is_found_in_time(
    database: Database, postgres_server: PostgresServer
) -> None:
    """Connections to the dead one stay and say nothing, a dozen of them: nobody may try one after another."""
    async with TcpProxy(postgres_server.port) as proxy:
        address = database.url.replace(f":{postgres_server.port}/", f":{proxy.port}/")
        store = await seeded(PostgresStore(address, timeout=TIMEOUT, connections=12))
        ada = await newcomer(store, "Ada")
        for round_ in range(3):
            calls = [store.mark_read(ada.id, where, Offset(0)) for where in (SLEEP, GRIEF) for _ in range(10)]
            await asyncio.gather(*calls, *(replay(store, SLEEP) for _ in range(20)))
            for where in (SLEEP, GRIEF):
                await say(store, ada, f"before {round_}", where=where)
            assert proxy.connections >= 8
            proxy.abandon()
            began = time.monotonic()
            for attempt in (partial(replay, store, SLEEP), store.check_writable, partial(say, store, ada, "after")):
                await is_answered(attempt)
            # Each of the three waited for an answer that never came, once.
            assert time.monotonic() - began < 5 * TIMEOUT
        await store.close()


async def test_a_worker_that_vanishes_in_a_transaction_does_not_keep_its_locks(
    store: Store, database: Database
) -> None:
    """Its connection stays open and says nothing, as when the network between them is cut."""
    from chatserver.store.drivers.postgres_connection import ConnectionMode, connect

    ada = await newcomer(store, "Ada")
    vanished = await connect(ConnectionMode(database.url, TIMEOUT))
    await vanished.execute("BEGIN")
    await vanished.execute("SELECT * FROM channels FOR UPDATE")
    await comes_back(store, ada)
    assert vanished.is_closed()


async def test_a_read_only_database_is_unavailable_for_writing(store: Store, database: Database) -> None:
    ada = await newcomer(store, "Ada")
    name = database.url.rpartition("/")[2]
    administrator = await asyncpg.connect(database.url)
    await administrator.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    fresh = database.store(timeout=TIMEOUT)
    await fresh.open()
    await is_unavailable(say(fresh, ada, "cannot"))
    await is_unavailable(fresh.check_writable())
    assert await replay(fresh, SLEEP) == []
    await administrator.execute("SET default_transaction_read_only = off")
    await administrator.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    await comes_back(fresh, ada)
    await administrator.close()
    await fresh.close()


async def test_an_erasure_waits_for_no_backup_and_the_rewrite_holds_nobody_up_for_long(database: Database) -> None:
    store = await seeded(database.store())
    ada, ben = await newcomer(store, "Ada"), await newcomer(store, "Ben")
    await say(store, ada, "to be forgotten")
    backup = await asyncpg.connect(database.url)
    await backup.execute("BEGIN")
    await backup.execute("LOCK TABLE log IN ACCESS SHARE MODE")
    assert len(await store.erase(ada.id, START)) == 1
    await is_unavailable(asyncio.create_task(store.rewrite(START)), within=3)
    await say(store, ben, "still here")
    await backup.execute("ROLLBACK")
    await backup.close()
    # It is owed still, and tried again soon.
    assert not await store.rewrite(START)
    assert await store.rewrite(Millis(START + TRY_AGAIN_AFTER))
    await store.close()


async def test_opening_says_at_once_that_nobody_is_there(database: Database, postgres_server: PostgresServer) -> None:
    postgres_server.kill()
    await is_unavailable(database.store().open(), within=1)
    await is_unavailable(Database("postgresql://chat@no.such.host.invalid/chat").store(timeout=2).open(), within=3)


async def test_closing_ends_in_time_while_the_server_is_frozen(
    database: Database, postgres_server: PostgresServer
) -> None:
    store = await seeded(database.store(timeout=TIMEOUT))
    ada = await newcomer(store, "Ada")
    postgres_server.freeze()
    writing = [asyncio.create_task(say(store, ada, str(i))) for i in range(5)]
    await asyncio.sleep(0)
    await asyncio.wait_for(store.close(), 3 * TIMEOUT)
    results = await asyncio.gather(*writing, return_exceptions=True)
    assert all(isinstance(result, StoreUnavailable) for result in results)


async def test_a_lane_that_fails_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever ended it: without it some rooms would take no posts for as long as the process lives."""
    store = await seeded(database.store(timeout=TIMEOUT))
    assert isinstance(store, PostgresStore)
    commit, failures = store._commit_all, iter([MemoryError("no more")])

    async def fail_once(own: Connections, jobs: Sequence[Job[RoomChange | None]]) -> Sequence[object]:
        if (failure := next(failures, None)) is not None:
            raise failure
        return await commit(own, jobs)

    try:
        ada = await newcomer(store, "Ada")
        monkeypatch.setattr(store, "_commit_all", fail_once)
        await is_unavailable(say(store, ada, "in hand when it failed"))
        await is_answered(lambda: say(store, ada, "still here"))
        assert [record.message for record in caplog.records if record.exc_info] == ["store_lane_failed"]
    finally:
        await store.close()
