"""Databases for the suites of the store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatserver.store.store import Store
from tests.store.kit import Database, postgres_database, seeded, sqlite_database


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Return a migrated, empty database of each kind."""
    if request.param == "sqlite":
        return sqlite_database(tmp_path)
    return postgres_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    """Yield an open store with two rooms."""
    opened = await seeded(database.store())
    yield opened
    await opened.close()


@pytest.fixture
async def other(database: Database, store: Store) -> AsyncIterator[Store]:
    """Yield a second store on the same database, as another worker has it."""
    opened = database.store()
    await opened.open()
    yield opened
    await opened.close()
