"""How fast one member may write, whatever they connect with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatserver.domain.limits import Limits
from tests.handlers.desk_house import PLAIN, House, open_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened


async def test_nobody_can_talk_a_rooms_history_out_of_it(house: House) -> None:
    """A post beyond the member's own pace is refused on every connection of theirs, and nobody else's."""
    worker = await house.worker(limits=Limits(posts_per_second=0.001, post_burst=3))
    one = await worker.guest()
    tab = await worker.guest(worker.token_of(one))
    other = await worker.guest()
    for guest in (one, tab, other):
        assert "ok" in await guest.ask("join", room=PLAIN, agreement=1)
    answers = [await (one, tab)[number % 2].ask("post", room=PLAIN, text=f"post {number}") for number in range(4)]
    assert ["ok" in answer for answer in answers] == [True, True, True, False]
    error = answers[3]["error"]
    assert (error["code"], error["temporary"]) == ("rate_limited", True)
    assert error["retry_after"] > 0
    assert "ok" in await other.ask("post", room=PLAIN, text="unharmed")
    assert "ok" in await tab.ask("react", room=PLAIN, offset=1, reaction="hug", on=True)
