"""Checks once, before the migration, whether a PostgreSQL database can be used.

Problems that would otherwise cause occasional failures later are reported at the start, in one line.
"""

from __future__ import annotations

from typing import Final

import asyncpg

from chatserver.store.all_tables import METADATA
from chatserver.store.core.schema import SCHEMA_REVISION
from chatserver.store.drivers.postgres_connection import open_connection
from chatserver.store.store import Unfit

OLDEST: Final = 14
"""The oldest major version that this server is meant for."""
_SECONDS: Final = 10.0

_ABOUT: Final = """
SELECT pg_backend_pid() AS process,
       current_setting('server_version') AS version,
       current_setting('server_version_num')::int / 10000 AS major,
       current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() AS is_standby,
       current_setting('transaction_read_only') = 'on' AS is_read_only,
       current_schema() AS schema,
       current_user AS role,
       to_regclass('alembic_version') IS NOT NULL AS has_tables
"""
_ROOM: Final = """
SELECT current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true), '0')::int AS server,
       (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()) AS database,
       (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user) AS role
"""
_MAY_CREATE: Final = "SELECT has_schema_privilege(current_schema(), 'CREATE')"
_WITHOUT_RIGHTS: Final = """
SELECT name FROM unnest($1::text[]) AS name
WHERE to_regclass(name) IS NOT NULL AND NOT (
    has_table_privilege(name, 'SELECT') AND has_table_privilege(name, 'INSERT')
    AND has_table_privilege(name, 'UPDATE') AND has_table_privilege(name, 'DELETE')
)
ORDER BY name LIMIT 1
"""


async def require_fit(dsn: str, connections: int = 0) -> None:
    """Raise Unfit if the database at `dsn` cannot be used or reached. `connections` is how many this service may want
    at once; behind a pooler, the pooler's limits are checked."""
    try:
        db = await open_connection(dsn, _SECONDS, keeps_statements=False)
        try:
            # One transaction: behind a pooler, two might reach different servers.
            async with db.transaction():
                await _examine(db, connections)
        finally:
            db.terminate()
    except TimeoutError:
        raise Unfit(f"it did not answer within {_SECONDS:g} s") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, ValueError) as error:
        raise Unfit(_in_words(error)) from None


async def _examine(db: asyncpg.Connection, connections: int) -> None:
    about = await db.fetchrow(_ABOUT)
    assert about is not None, "one row, always"
    if about["major"] < OLDEST:
        raise Unfit(f"it is PostgreSQL {about['version']}; {OLDEST} or newer is needed")
    if about["encoding"] != "UTF8":
        raise Unfit(
            f"its encoding is {about['encoding']}, which cannot hold what people write: make it with "
            "CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'"
        )
    if about["is_standby"]:
        raise Unfit("it is a standby, which takes no writes: name the primary")
    if about["is_read_only"]:
        raise Unfit("it is read-only (default_transaction_read_only is on)")
    if about["schema"] is None:
        raise Unfit(f"the role {about['role']} has no schema there (search_path names none that it may use)")
    await _examine_rights(db, about)
    if connections and about["process"] == db.get_server_pid():
        await _examine_room(db, connections)


async def _examine_rights(db: asyncpg.Connection, about: asyncpg.Record) -> None:
    role, schema = about["role"], about["schema"]
    is_current = False
    if about["has_tables"]:
        without = await db.fetchval(_WITHOUT_RIGHTS, ["alembic_version", *METADATA.tables])
        if without is not None:
            raise Unfit(f"the role {role} may not read and write the table {without}: GRANT it")
        is_current = await db.fetchval("SELECT version_num FROM alembic_version") == SCHEMA_REVISION
    if not is_current and not await db.fetchval(_MAY_CREATE):
        raise Unfit(f"the role {role} may make no tables in the schema {schema}: GRANT CREATE ON SCHEMA {schema}")


async def _examine_room(db: asyncpg.Connection, connections: int) -> None:
    room = await db.fetchrow(_ROOM)
    assert room is not None, "one row, always"
    for whose in ("server", "database", "role"):
        if room[whose] is not None and room[whose] < connections:
            raise Unfit(
                f"the {whose} gives {room[whose]} connections, and the workers may want {connections} "
                "(workers times database_connections): lower database_connections, or raise that limit"
            )


def _in_words(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if "transaction blocks not allowed in statement pooling mode" in text:
        return "its pooler works by statements; it has to pool by transactions or sessions"
    return text
