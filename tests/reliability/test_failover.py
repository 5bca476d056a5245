"""Another Redis takes over, or one worker is cut off from it, while people write."""

from __future__ import annotations

import pytest

from tests.reliability.conftest import Play

pytestmark = pytest.mark.faults


async def test_sentinel_failover_loses_nothing(play: Play) -> None:
    await play("sentinel_failover")


async def test_cluster_failover_loses_nothing(play: Play) -> None:
    await play("cluster_failover")


async def test_worker_cut_off_from_redis_loses_nothing(play: Play) -> None:
    await play("partition")
