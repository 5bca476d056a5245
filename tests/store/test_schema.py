"""The schema: migrated as the tables say, and nothing opened that stands elsewhere."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import asyncpg
import msgspec
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, Table, Text, create_engine, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg as postgres
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import RoomKind, room_channel
from chatserver.store import (
    account_statements,
    listening_statements,
    moderation_queue_statements,
    moderation_statements,
    people_statements,
    report_access_statements,
    room_settings_statements,
    rooms_statements,
    screening_statements,
    second_looks_statements,
    staff_statements,
)
from chatserver.store.all_tables import METADATA
from chatserver.store.core.compiler import Compiler, Statement
from chatserver.store.core.schema import SCHEMA_REVISION
from chatserver.store.drivers.migrate import alembic_config, migrate
from chatserver.store.drivers.postgres import NOBODYS, PostgresStore, scrubbed_tables
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.forgetting import statements
from chatserver.store.store import SchemaMismatch, Store
from tests.kit.postgres import PostgresServer
from tests.store.kit import Database, postgres_database, seeded, sqlite_database


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, METADATA))


def test_the_migrated_sqlite_file_is_what_the_tables_say(tmp_path: Path) -> None:
    engine = create_engine(sqlite_database(tmp_path).url, poolclass=NullPool)
    with engine.connect() as connection:
        assert differences(connection) == []


async def test_the_migrated_postgres_database_is_what_the_tables_say(postgres_url: str) -> None:
    await asyncio.to_thread(migrate, postgres_url)
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(postgres_url), poolclass=NullPool
    )
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def test_a_store_expects_the_newest_migration(tmp_path: Path) -> None:
    with create_engine(f"sqlite:///{tmp_path}/x").connect() as connection:
        assert ScriptDirectory.from_config(alembic_config(connection)).get_heads() == [SCHEMA_REVISION]


_MODULES = (
    account_statements,
    report_access_statements,
    rooms_statements,
    people_statements,
    statements,
    listening_statements,
    staff_statements,
    moderation_statements,
    moderation_queue_statements,
    room_settings_statements,
    screening_statements,
    second_looks_statements,
)


def test_every_statement_compiles_in_both_dialects() -> None:
    compilers = [
        Compiler(sqlite.dialect(paramstyle="qmark")),
        Compiler(postgres.dialect()),  # type: ignore[no-untyped-call]
    ]
    kept = [value for module in _MODULES for value in vars(module).values()]
    several = [value for value in kept if isinstance(value, tuple)]
    found = [value for values in (kept, *several) for value in values if isinstance(value, Statement)]
    assert len(found) > 100
    for compiler in compilers:
        for statement in found:
            assert compiler(statement).sql


def test_a_parameter_that_a_statement_does_not_have_is_a_mistake() -> None:
    wrong = Statement(rooms_statements.HEADS.clause, "channel", "chanel")
    with pytest.raises(ValueError, match="chanel"):
        Compiler(sqlite.dialect(paramstyle="qmark"))(wrong)


async def test_migrating_again_changes_nothing(tmp_path: Path, postgres_url: str) -> None:
    for url, make in (
        (f"sqlite:///{tmp_path}/new/folder/chat.sqlite3", SqliteStore),
        (postgres_url, PostgresStore),
    ):
        await asyncio.to_thread(migrate, url)
        store: Store = await seeded(make(url.removeprefix("sqlite:///")))
        await asyncio.to_thread(migrate, url)
        assert len(await store.rooms()) == 2
        await store.close()


_BEFORE_ONE_TO_ONE = (
    "INSERT INTO channels VALUES ('room:sleep', 'epoch', 1, 1, 5)",
    "INSERT INTO rooms VALUES ('sleep', 'room:sleep', 'Sleep', 'Awake', '', '', '', 1, 200, 0, 'open', 3)",
    "INSERT INTO members VALUES ('m_ada', 'Ada', 'ada', 1, 2, NULL)",
    "INSERT INTO memberships VALUES ('m_ada', 'sleep', 1, 1, 5, true)",
    (
        'INSERT INTO log (channel, "offset", kind, at, author, part, name, text, redacted) '
        "VALUES ('room:sleep', 1, 'posted', 5, 'm_ada', 0, 'Ada', 'kept', false)"
    ),
)


def stand_before_one_to_one(connection: Connection) -> None:
    command.upgrade(alembic_config(connection), "0001")
    for statement in _BEFORE_ONE_TO_ONE:
        connection.exec_driver_sql(statement)


async def test_what_was_there_before_one_to_one_is_there_after_it(tmp_path: Path, postgres_url: str) -> None:
    sqlite_url = f"sqlite:///{tmp_path}/chat.sqlite3"
    old = create_engine(sqlite_url, poolclass=NullPool)
    with old.begin() as connection:
        stand_before_one_to_one(connection)
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(postgres_url), poolclass=NullPool
    )
    async with engine.begin() as opened:
        await opened.run_sync(stand_before_one_to_one)
    await engine.dispose()
    for url, make in ((sqlite_url, SqliteStore), (postgres_url, PostgresStore)):
        await asyncio.to_thread(migrate, url)
        store: Store = make(url.removeprefix("sqlite:///"))
        await store.open()
        (room,) = await store.rooms()
        assert (room.id, room.position, room.kind) == ("sleep", 3, RoomKind.THEMED)
        page = await store.page(room_channel(room.id), None, 9, MemberId("m_ada"))
        assert [(post.name, post.text) for post in page.posts] == [("Ada", "kept")]
        assert [*await store.joined_rooms(MemberId("m_ada"))] == ["sleep"]
        assert (await store.listening_version(), (await store.listening_state()).seekers, await store.all_staff()) == (
            0,
            {},
            [],
        )
        await store.close()


_POSTS = '[{"offset": 1, "author": "m_bo", "name": "Bo", "text": "x", "at": 1}]'


def _report(id_: str, by: str, about: str, room: str) -> str:
    return (
        'INSERT INTO reports (id, at, "by", about, room, reason, note, is_call, snapshot, status) '
        f"VALUES ('{id_}', 1, {by}, {about}, '{room}', 'x', '', false, '{_POSTS}', 'open')"
    )


_BEFORE_CASES = (
    *(f"INSERT INTO members VALUES ('m_{who}', '{who}', '{who}', 1, 2, NULL)" for who in ("ada", "bo", "liv", "mo")),
    "INSERT INTO staff VALUES ('m_liv', 'liv', 'liv', '', NULL, 0, 'listener', 1, NULL)",
    _report("in-a-room", "'m_ada'", "'m_bo'", "sleep"),
    _report("about-staff", "'m_ada'", "'m_liv'", "sleep"),
    _report("by-a-seeker", "'m_ada'", "NULL", "s-known"),
    _report("by-a-listener", "'m_liv'", "'m_ada'", "s-forgotten"),
    _report("by-nobody", "NULL", "'m_ada'", "s-known"),
    "INSERT INTO debriefs VALUES ('a-note', 'm_liv', 'hard', 1, NULL, NULL)",
)


def stand_before_cases(connection: Connection) -> None:
    command.upgrade(alembic_config(connection), "0007")
    for statement in _BEFORE_CASES:
        connection.exec_driver_sql(statement)
    talk = msgspec.msgpack.encode({"seeker": "m_ada", "listeners": ["m_liv"], "left": {"m_mo": {"at": 1}}})
    connection.execute(
        text("INSERT INTO floor_records (kind, id, body) VALUES ('session', 's-known', :body)"), {"body": talk}
    )


def cases(connection: Connection) -> tuple[dict[str, set[str]], set[str]]:
    """Whose case each report or note is, and which reports are about staff."""
    people: dict[str, set[str]] = {}
    for subject, member in connection.execute(text("SELECT subject, member FROM conflicts")):
        people.setdefault(subject, set()).add(member)
    return people, {row[0] for row in connection.execute(text("SELECT id FROM reports WHERE is_about_staff"))}


async def test_reports_of_the_last_release_get_their_people(tmp_path: Path, postgres_url: str) -> None:
    sqlite_url = f"sqlite:///{tmp_path}/chat.sqlite3"
    old = create_engine(sqlite_url, poolclass=NullPool)
    with old.begin() as connection:
        stand_before_cases(connection)
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(postgres_url), poolclass=NullPool
    )
    async with engine.begin() as opened:
        await opened.run_sync(stand_before_cases)
    for url in (sqlite_url, postgres_url):
        await asyncio.to_thread(migrate, url)
    with old.connect() as connection:
        found = [cases(connection)]
    async with engine.connect() as opened:
        found.append(await opened.run_sync(cases))
    await engine.dispose()
    for people, about_staff in found:
        assert people == {
            "in-a-room": {"m_ada", "m_bo"},
            "about-staff": {"m_ada", "m_liv"},
            "by-a-seeker": {"m_ada", "m_liv", "m_mo", "m_bo"},
            "by-a-listener": {"m_ada", "m_liv", "m_bo"},
            "by-nobody": {"m_ada", "m_liv", "m_mo", "m_bo"},
            "a-note": {"m_liv"},
        }
        assert about_staff == {"about-staff", "by-a-seeker"}


_OF_NOBODY = {
    "tries": {"kind"},
    "alembic_version": {"version_num"},
    "asks": {"outcome"},
    "channels": {"channel", "epoch"},
    "duties": {"room"},
    "floor_records": {"kind"},
    "log": {"channel", "kind", "reactions", "reaction"},
    "meetings": {"form", "stage"},
    "memberships": {"room"},
    "reactions": {"channel", "reaction"},
    "rooms": {
        *("id", "channel", "name", "about", "topic", "welcome", "agreement", "status", "kind", "split_of", "attendance")
    },
    "score_counts": {"model", "place"},
    "sealed_copies": {"channel"},
    "second_looks": {"worker"},
    "settings": {"name", "value"},
}
"""Columns of text whose samples tell of nobody."""


async def test_postgres_keeps_no_samples_of_what_is_somebodys(postgres_url: str) -> None:
    """Also of a database that was there before, and has taken some."""
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(postgres_url), poolclass=NullPool
    )
    async with engine.begin() as opened:
        await opened.run_sync(stand_before_one_to_one)
    await engine.dispose()
    db = await asyncpg.connect(postgres_url)
    sampled = "SELECT attname FROM pg_stats WHERE schemaname = 'public' AND tablename = 'members'"
    await db.execute("ALTER TABLE members ALTER name SET STATISTICS -1; ANALYZE")
    assert "name" in {row["attname"] for row in await db.fetch(sampled)}
    await asyncio.to_thread(migrate, postgres_url)
    assert "name" not in {row["attname"] for row in await db.fetch(sampled)}
    await db.execute("ANALYZE")
    assert {row["attname"] for row in await db.fetch(sampled)} == {
        "created_at",
        "seen_at",
        "generation",
        "credentials",
        "credentials_at",
    }
    kept = await db.fetch(
        "SELECT relname, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped "
        "AND atttypid IN ('varchar'::regtype, 'text'::regtype, 'bytea'::regtype) AND attstattarget IS DISTINCT FROM 0"
    )
    await db.close()
    found: dict[str, set[str]] = {}
    for row in kept:
        found.setdefault(row["relname"], set()).add(row["attname"])
    assert found == _OF_NOBODY


async def test_migrating_twice_at_once_migrates_once(tmp_path: Path, postgres_url: str) -> None:
    for url in (f"sqlite:///{tmp_path}/chat.sqlite3", postgres_url):
        await asyncio.gather(*(asyncio.to_thread(migrate, url) for _ in range(3)))


def modes(folder: Path) -> dict[str, str]:
    return {file.name: oct(file.stat().st_mode & 0o777) for file in folder.iterdir()}


async def test_the_sqlite_file_and_those_beside_it_are_for_nobody_else_to_read(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path}/chat.sqlite3")
    store = await seeded(SqliteStore(f"{tmp_path}/chat.sqlite3"))
    found = modes(tmp_path)
    await store.close()
    assert found == dict.fromkeys(("chat.sqlite3", "chat.sqlite3-wal", "chat.sqlite3-shm"), "0o600")


async def test_a_relative_path_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    migrate("sqlite:///data/chat.sqlite3")
    store = await seeded(SqliteStore("data/chat.sqlite3"))
    monkeypatch.chdir("/")
    assert len(await store.rooms()) == 2
    await store.close()


async def test_a_database_without_tables_is_not_opened(tmp_path: Path, postgres_url: str) -> None:
    (tmp_path / "empty").touch()
    for store in (SqliteStore(tmp_path / "empty"), SqliteStore(tmp_path / "missing"), PostgresStore(postgres_url)):
        with pytest.raises(SchemaMismatch, match="chatserver migrate"):
            await store.open()


async def test_a_database_of_another_version_is_not_opened(tmp_path: Path, postgres_url: str) -> None:
    old = sqlite_database(tmp_path)
    assert old.path is not None
    with sqlite3.connect(old.path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(SchemaMismatch, match="9999"):
        await old.store().open()


async def test_a_postgres_database_of_another_version_is_not_opened(postgres_server: PostgresServer) -> None:
    newer: Database = postgres_database(postgres_server)
    postgres_server.execute("UPDATE alembic_version SET version_num = '9999'", newer.url.rpartition("/")[2])
    with pytest.raises(SchemaMismatch, match="9999"):
        await newer.store().open()


def test_a_new_table_with_words_in_it_is_scrubbed_without_being_named() -> None:
    """An erasure makes the old pages of every table unreadable but of those that are known to be nobody's."""
    scrubbed = set(scrubbed_tables(METADATA))
    assert scrubbed | NOBODYS == set(METADATA.tables)
    assert set(METADATA.tables) >= NOBODYS, "a table that is no more"
    grown = MetaData()
    for table in METADATA.tables.values():
        table.to_metadata(grown)
    Table("board_posts", grown, Column("text", Text))
    assert set(scrubbed_tables(grown)) - scrubbed == {"board_posts"}
