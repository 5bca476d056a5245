"""The attacks that accounts, secrets and the server itself would suffer from, each held to its bound.

No time is judged: nothing honest is refused or lost, no worker is lost, and counts have a bound.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.abuse.attack import Attack
from tests.abuse.catalogue import ON_THE_SERVER
from tests.abuse.playing import Stage
from tests.kit.redis import RedisServer

HELD = ON_THE_SERVER


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


@pytest.mark.timeout(120)
@pytest.mark.parametrize("attack", [each for each in HELD if each.workers == 1], ids=lambda each: each.name)
async def test_an_attack_on_the_server_is_held(stage: Stage, attack: Attack) -> None:
    assert (await stage.play(attack)).faults == []


@pytest.mark.timeout(180)
@pytest.mark.parametrize("attack", [each for each in HELD if each.workers > 1], ids=lambda each: each.name)
async def test_an_attack_on_several_workers_is_held(redis_server: RedisServer, attack: Attack) -> None:
    with Stage(redis_server.url) as stage:
        assert (await stage.play(attack)).faults == []
