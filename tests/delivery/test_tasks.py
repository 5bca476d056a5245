"""The tasks of one owner, and how they end."""

from __future__ import annotations

import asyncio
import logging

import pytest

from chatserver.delivery import tasks
from chatserver.delivery.tasks import Tasks


async def test_a_task_that_lost_its_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`asyncio.wait_for` of Python 3.11 loses one that comes at the moment when what it waited for is there."""
    monkeypatch.setattr(tasks, "PATIENCE_SECONDS", 0.01)
    lost = 0

    async def goes_on() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(3_600)
            except asyncio.CancelledError:
                if lost == 2:
                    raise
                lost += 1

    own = Tasks()
    own.start(goes_on(), "goes on")
    await asyncio.sleep(0)
    with caplog.at_level(logging.ERROR):
        async with asyncio.timeout(10):
            await own.close()
    assert lost == 2
    assert [vars(record)["task"] for record in caplog.records] == ["goes on"] * 2


async def test_what_ends_in_good_order_is_waited_for_and_nothing_begins_afterwards() -> None:
    ended = []

    async def tidies_up() -> None:
        try:
            await asyncio.sleep(3_600)
        finally:
            await asyncio.sleep(0.01)
            ended.append("tidied")

    own = Tasks()
    own.start(tidies_up(), "tidies up")
    await asyncio.sleep(0)
    await own.close()
    own.start(tidies_up(), "too late")
    await asyncio.sleep(0)
    assert ended == ["tidied"]
