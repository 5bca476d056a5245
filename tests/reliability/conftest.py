"""What the tests of this folder share: a scenario in its short size, with the servers of all tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.kit.postgres import PostgresServer
from tests.kit.process import obtain
from tests.kit.redis import RedisServer
from tests.reliability.catalogue import run
from tests.reliability.cluster import Parts
from tests.reliability.report import Row, details

Play = Callable[[str], Awaitable[Row]]


@pytest.fixture(scope="module")
def _parts(_any_redis_server: RedisServer, _any_postgres_server: PostgresServer) -> Iterator[Parts]:
    with ExitStack() as stack:
        yield Parts(_any_redis_server, _any_postgres_server, stack)


@pytest.fixture
def parts(_parts: Parts, redis_server: RedisServer, postgres_server: PostgresServer) -> Parts:
    """What scenarios need, with Redis and PostgreSQL whole, and our own servers kept for the tests of one module."""
    return _parts


@pytest.fixture
def play(parts: Parts) -> Iterator[Play]:
    """Play a scenario by its name; fail where anything at all was lost, or took far too long."""
    with ExitStack() as stack:

        async def once(name: str) -> Row:
            row = await run(name, parts, lambda make: stack.enter_context(obtain(make)), is_long=False)
            # Shown where it fails, and with -rP.
            print(details(row))
            assert row.complaints == []
            assert row.missed(at_worst=True) == []
            assert row.acked > 0
            assert row.achieved > row.asked / 3
            return row

        yield once
