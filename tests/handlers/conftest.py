"""What tests of handlers share."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatserver.handlers.people.identity import new_member_id
from chatserver.handlers.people.staff import StaffAccounts
from chatserver.store.drivers.sqlite import SqliteStore
from tests.handlers.office import HOUR, QUICK, Clock, Office
from tests.handlers.workers import Cluster, open_cluster
from tests.kit.database import migrated_sqlite


@pytest.fixture
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    """Its accounts; with `as_served` they hash as the server does."""
    path = tmp_path / "chat.db"
    migrated_sqlite(path)
    store, clock = SqliteStore(path), Clock()
    await store.open()
    accounts = StaffAccounts(
        store,
        new_id=lambda: new_member_id(secrets.randbelow),
        now=clock,
        name_length=24,
        sign_in_age=12 * HOUR,
        invitation_age=72 * HOUR,
        device_key=b"d" * 32,
        hasher=getattr(request, "param", QUICK),
    )
    office = Office(store, accounts, clock, [])
    accounts.on_changed = office.changed.append
    yield office
    await store.close()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Cluster]:
    """Workers with one database and one bus."""
    async with open_cluster(tmp_path) as site:
        yield site
