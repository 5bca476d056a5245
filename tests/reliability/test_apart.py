"""One of many is not like the others: a machine's clock, a phone that sleeps."""

from __future__ import annotations

import pytest

from tests.reliability.conftest import Play

pytestmark = pytest.mark.faults


async def test_clocks_an_hour_apart_change_nothing(play: Play) -> None:
    await play("clocks_apart")


async def test_stalled_client_is_let_go_and_nobody_else_notices(play: Play) -> None:
    await play("stalled_client")
