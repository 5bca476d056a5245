"""Workers are killed, stopped and replaced, and networks fail, while three workers serve a crowd that writes.

Every scenario judges itself: each member's diary against the store's own log (`history.py`).
"""

from __future__ import annotations

import pytest

from tests.reliability.conftest import Play

pytestmark = pytest.mark.faults


async def test_killed_workers_lose_nothing_for_anybody(play: Play) -> None:
    await play("worker_kills")


async def test_workers_replaced_one_by_one_lose_nothing(play: Play) -> None:
    await play("rolling_restart")


async def test_everybody_comes_back_at_once_and_missed_nothing(play: Play) -> None:
    await play("reconnect_storm")


async def test_hostile_network_loses_nothing(play: Play) -> None:
    await play("hostile_network")


async def test_server_told_to_stop_sends_everybody_back_in_good_order(play: Play) -> None:
    await play("sigterm")


async def test_queue_keeps_every_place_and_every_promise(play: Play) -> None:
    await play("queue")
