"""Commands that wait together go together, and one that cannot be carried out harms no other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from chatserver.store.core.group_commit import GroupCommit
from chatserver.store.records import StoreUnavailable


class Table:
    """Where batches are served: the first waits until it is `free`; a batch with a negative number in it breaks."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.free = asyncio.Event()
        self.batches: list[list[int]] = []
        self.is_away = False

    async def serve(self, numbers: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append([*numbers])
        self.asked.set()
        await self.free.wait()
        if self.is_away:
            raise StoreUnavailable("away")
        if min(numbers) < 0:
            raise ArithmeticError("of one of them")
        return [10 * number for number in numbers]


async def gathered(table: Table, *numbers: int, timeout: float = 5.0) -> tuple[GroupCommit[int, int], list[object]]:
    """Outcomes of numbers of which the first is under way before the others come."""
    gathering: GroupCommit[int, int] = GroupCommit(table.serve, timeout, 100)
    first = asyncio.create_task(gathering.run(numbers[0]))
    async with asyncio.timeout(5):
        await table.asked.wait()
    others = [asyncio.create_task(gathering.run(number)) for number in numbers[1:]]
    await asyncio.sleep(0)
    table.free.set()
    return gathering, list(await asyncio.gather(first, *others, return_exceptions=True))


async def test_what_arrives_while_a_batch_runs_goes_together_in_the_next() -> None:
    table = Table()
    _, outcomes = await gathered(table, 1, 2, 3, 4)
    assert outcomes == [10, 20, 30, 40]
    assert table.batches == [[1], [2, 3, 4]]


async def test_each_of_a_broken_batch_runs_once_more_alone() -> None:
    table = Table()
    _, outcomes = await gathered(table, 1, 2, -3, 4)
    assert [outcome if isinstance(outcome, int) else type(outcome) for outcome in outcomes] == [
        10,
        20,
        ArithmeticError,
        40,
    ]
    assert table.batches == [[1], [2, -3, 4], [2], [-3], [4]]


async def test_a_store_that_is_away_is_asked_once_for_all_who_wait() -> None:
    table = Table()
    table.is_away = True
    gathering, outcomes = await gathered(table, 1, 2, 3)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
    assert outcomes[1] is not outcomes[2]
    assert table.batches == [[1], [2, 3]]
    table.is_away = False
    assert await gathering.run(5) == 50


async def test_a_batch_that_never_ends_holds_nobody_beyond_their_time() -> None:
    gathering: GroupCommit[int, int] = GroupCommit(Table().serve, 0.2, 100)
    waiting = [asyncio.create_task(gathering.run(number)) for number in (1, 2)]
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 2
    # Nothing that it held can be waited for any longer than that either.
    async with asyncio.timeout(5):
        await gathering.finish()


async def test_there_is_nothing_to_finish_where_nothing_was_asked() -> None:
    async with asyncio.timeout(1):
        await GroupCommit(Table().serve, 60.0, 1).finish()


async def test_who_gave_up_is_not_served() -> None:
    table = Table()
    gathering: GroupCommit[int, int] = GroupCommit(table.serve, 5.0, 100)
    tasks = [asyncio.create_task(gathering.run(number)) for number in (1, 2, 3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]
    table.free.set()
    assert [await tasks[0], await tasks[2]] == [10, 30]
    assert 2 not in [number for batch in table.batches for number in batch]
