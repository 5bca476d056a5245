"""The audit log: every kind of tampering is found."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import asyncpg
import pytest

from chatserver.domain.history import Millis
from chatserver.domain.moderation.audit_log import AuditHead, Tampered
from chatserver.store.store import Store
from tests.contract.test_store_moderation import measure, moderator, verify
from tests.store.kit import START, Database, newcomer


async def a_log(store: Store) -> AuditHead:
    bo, mo = await newcomer(store, "Bo"), await moderator(store)
    for n in range(5):
        await store.take_measure(measure(mo, bo, reason=f"reason {n}"), Millis(START + n))
    return await store.audit_head()


async def tamper(database: Database, *statements: str) -> None:
    """Change the log like somebody who has the database, and drops its triggers."""
    if database.path is not None:
        await run(database, "DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete", *statements)
    else:
        await run(database, "DROP TRIGGER audit_append_only ON audit", *statements)


async def run(database: Database, *statements: str) -> None:
    if database.path is not None:
        with closing(sqlite3.connect(database.path)) as db, db:
            for statement in statements:
                db.execute(statement)
        return
    connection = await asyncpg.connect(database.url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_log_that_nobody_touched_holds_together(store: Store, other: Store) -> None:
    head = await a_log(store)
    assert await verify(store, head) == head
    bo, mo = await newcomer(store, "Bo"), await moderator(store)
    before = (await store.audit_head()).seq
    await asyncio.gather(*(each.take_measure(measure(mo, bo), START) for each in [store, other] * 10))
    assert (await verify(other, head)).seq == before + 20, "two workers append at once, and it is one chain"


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (("UPDATE audit SET reason = 'kinder' WHERE seq = 3",), "entry 3 was changed"),
        (("UPDATE audit SET about = 'm_other' WHERE seq = 2",), "entry 2 was changed"),
        (("DELETE FROM audit WHERE seq = 3",), "entry 3 is missing"),
        (
            (
                "UPDATE audit SET seq = 30 WHERE seq = 3",
                "UPDATE audit SET seq = 3 WHERE seq = 4",
                "UPDATE audit SET seq = 4 WHERE seq = 30",
            ),
            "entry 3 was changed",
        ),
        (("DELETE FROM audit WHERE seq > 3",), "its end was cut off"),
    ],
    ids=["edited", "somebody else", "deleted", "reordered", "cut"],
)
async def test_what_was_done_to_the_log_is_found(
    store: Store, database: Database, statements: tuple[str, ...], said: str
) -> None:
    head = await a_log(store)
    await tamper(database, *statements)
    with pytest.raises(Tampered, match=said):
        await verify(store, head)


async def test_a_tail_that_was_cut_together_with_the_kept_head_is_found_by_an_exported_one(
    store: Store, database: Database
) -> None:
    head = await a_log(store)
    third = (await store.audit_entries(0, 3))[-1]
    kept = f"X'{third.hash.hex()}'" if database.path is not None else f"'\\x{third.hash.hex()}'"
    await tamper(
        database, "DELETE FROM audit WHERE seq > 3", f"UPDATE moderation SET seq = 3, hash = {kept} WHERE id = 1"
    )
    assert (await verify(store)).seq == 3, "the database alone tells nothing"
    with pytest.raises(Tampered, match=f"{head.seq} was exported: its end was cut off"):
        await verify(store, head)
    bo, mo = await newcomer(store, "Bo"), await moderator(store)
    for _ in range(2):
        await store.take_measure(measure(mo, bo, reason="written anew"), START)
    with pytest.raises(Tampered, match=f"entry {head.seq} is another than the exported one"):
        await verify(store, head)


async def test_the_database_itself_refuses_to_change_the_log(store: Store, database: Database) -> None:
    head = await a_log(store)
    for statement in ("UPDATE audit SET reason = 'kinder'", "DELETE FROM audit"):
        with pytest.raises((sqlite3.IntegrityError, asyncpg.RaiseError), match="append-only"):
            await run(database, statement)
    assert await verify(store, head) == head
