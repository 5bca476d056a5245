"""Redis and PostgreSQL go away and come back, while two machines serve a crowd that writes.

Of Redis people notice nothing; without PostgreSQL they are told so, and nothing is acknowledged that is not kept.
"""

from __future__ import annotations

import pytest

from tests.reliability.conftest import Play

pytestmark = pytest.mark.faults


async def test_killed_redis_loses_nothing(play: Play) -> None:
    await play("redis_restart")


async def test_frozen_redis_loses_nothing(play: Play) -> None:
    await play("redis_frozen")


async def test_killed_subscribers_lose_nothing(play: Play) -> None:
    await play("subscriber_killed")


async def test_frozen_postgres_is_told_and_loses_nothing(play: Play) -> None:
    await play("postgres_frozen")


async def test_restarted_postgres_loses_nothing(play: Play) -> None:
    await play("postgres_restart")


async def test_killed_postgres_loses_nothing(play: Play) -> None:
    await play("postgres_kills")
