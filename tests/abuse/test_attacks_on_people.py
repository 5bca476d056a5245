"""The attacks that members, listeners and moderators would suffer from, each held to its bound. No time is judged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.abuse.attack import Attack
from tests.abuse.catalogue import ON_PEOPLE
from tests.abuse.playing import Stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


@pytest.mark.timeout(120)
@pytest.mark.parametrize("attack", ON_PEOPLE, ids=lambda each: each.name)
async def test_an_attack_on_people_is_held(stage: Stage, attack: Attack) -> None:
    assert (await stage.play(attack)).faults == []
