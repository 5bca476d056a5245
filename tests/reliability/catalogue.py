"""Every scenario in two sizes: the short one to see that all works, the long one for `docs/reliability.md`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Final, NamedTuple

from tests.kit.redis import ClusterSetup, SentinelSetup
from tests.reliability.cluster import Parts, blocking
from tests.reliability.report import Row
from tests.reliability.scenarios import network, postgres, queue, redis, workers

Start = Callable[[Callable[[], AbstractContextManager[Any]]], Any]
"""How a scenario's servers are made and started, to be ended by whoever asked for the scenario."""

_SHORT: Final = {"rate": 20.0, "members": 12, "pause": 0.5}
_LONG: Final = {"rate": 40.0, "members": 24, "pause": 2.0}

_QUEUE_SHORT: Final = {"seekers": 120, "listeners": 6, "kills": 2, "pause": 3.0, "patience": 120.0}
_QUEUE_LONG: Final = {"seekers": 1_000, "listeners": 60, "kills": 8, "pause": 6.0, "patience": 600.0}


class Scenario(NamedTuple):
    """`needs` are set-ups beside Redis and PostgreSQL that are handed over, in this order."""

    play: Callable[..., Awaitable[Row]]
    short: Mapping[str, float]
    long: Mapping[str, float]
    needs: tuple[Callable[[], SentinelSetup | ClusterSetup], ...] = ()


SCENARIOS: Final[dict[str, Scenario]] = {
    "worker_kills": Scenario(workers.worker_kills, {**_SHORT, "kills": 3}, {**_LONG, "kills": 20}),
    "redis_restart": Scenario(redis.redis_restart, {**_SHORT, "times": 1, "down": 2}, {**_LONG, "times": 3, "down": 8}),
    "redis_frozen": Scenario(redis.redis_frozen, {**_SHORT, "seconds": 6}, {**_LONG, "seconds": 30}),
    "sentinel_failover": Scenario(
        redis.sentinel_failover, {**_SHORT, "times": 1}, {**_LONG, "times": 3}, (SentinelSetup,)
    ),
    "cluster_failover": Scenario(
        redis.cluster_failover, {**_SHORT, "times": 1}, {**_LONG, "times": 3}, (partial(ClusterSetup, replicas=1),)
    ),
    "subscriber_killed": Scenario(redis.subscriber_killed, {**_SHORT, "times": 3}, {**_LONG, "times": 20}),
    "postgres_frozen": Scenario(postgres.postgres_frozen, {**_SHORT, "seconds": 6}, {**_LONG, "seconds": 15}),
    "postgres_restart": Scenario(postgres.postgres_restart, {**_SHORT, "times": 1}, {**_LONG, "times": 5}),
    "postgres_kills": Scenario(
        postgres.postgres_kills, {**_SHORT, "times": 1, "down": 1}, {**_LONG, "times": 5, "down": 2}
    ),
    "sigterm": Scenario(workers.sigterm, _SHORT, {**_LONG, "members": 200, "rate": 10.0}),
    "rolling_restart": Scenario(workers.rolling_restart, _SHORT, {**_LONG, "members": 60}),
    "machines_in_turn": Scenario(workers.machines_in_turn, _SHORT, _LONG),
    "partition": Scenario(redis.partition, {**_SHORT, "seconds": 6}, {**_LONG, "seconds": 30}),
    "clocks_apart": Scenario(
        network.clocks_apart, {**_SHORT, "machines": 2, "moves": 2}, {**_LONG, "machines": 3, "moves": 9}
    ),
    "stalled_client": Scenario(
        network.stalled_client,
        {"rate": 60.0, "members": 20, "writers": 10, "pause": 0.5, "patience": 2},
        {"rate": 20.0, "members": 100, "writers": 20, "pause": 3.0, "patience": 8},
    ),
    "reconnect_storm": Scenario(
        network.reconnect_storm,
        {**_SHORT, "members": 200, "times": 1},
        {"rate": 20.0, "members": 2_000, "pause": 3.0, "times": 3},
    ),
    "hostile_network": Scenario(
        network.hostile_network, {**_SHORT, "seconds": 4, "hole": 5}, {**_LONG, "pause": 1.0, "seconds": 60, "hole": 15}
    ),
    "queue": Scenario(queue.queue, _QUEUE_SHORT, _QUEUE_LONG),
    "queue_postgres": Scenario(queue.queue_postgres, _QUEUE_SHORT, _QUEUE_LONG),
}


async def run(name: str, parts: Parts, start: Start, *, is_long: bool) -> Row:
    """Run one scenario."""
    scenario = SCENARIOS[name]
    beside = [await blocking(start, need) for need in scenario.needs]
    return await scenario.play(parts, *beside, **(scenario.long if is_long else scenario.short))
