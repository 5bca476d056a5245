"""When a silence begins, whom it keeps from asking, and what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.store.core.circuit_breaker import CircuitBreaker
from chatserver.store.records import StoreUnavailable
from tests.store.kit import until

TIMEOUT = 0.2
"""A fifth of it is a quick answer."""


class Oracle:
    """A database that answers the question as it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: Callable[[], Awaitable[object]] = self.never

    async def ask(self) -> None:
        self.asked += 1
        await self.answer()

    async def never(self) -> None:
        await asyncio.sleep(TIMEOUT)
        raise StoreUnavailable("no answer")

    async def yes(self) -> None:
        pass

    async def no(self) -> None:
        raise StoreUnavailable("read-only")

    async def busy(self) -> None:
        raise Refusal(Reason.BUSY)

    async def bug(self) -> None:
        raise ZeroDivisionError


def _long_ago() -> float:
    return asyncio.get_running_loop().time() - TIMEOUT


async def _begun(oracle: Oracle) -> CircuitBreaker:
    silence = CircuitBreaker("words", oracle.ask, TIMEOUT)
    silence.refused(_long_ago())
    assert silence.is_on
    return silence


async def test_who_is_told_no_at_once_may_go_on_asking() -> None:
    silence = CircuitBreaker("words", Oracle().ask, TIMEOUT)
    silence.refused(asyncio.get_running_loop().time())
    assert not silence.is_on
    await silence.check()


async def test_while_it_lasts_everybody_is_refused_and_one_question_is_asked() -> None:
    oracle = Oracle()
    silence = await _begun(oracle)
    for _ in range(3):
        silence.refused(_long_ago())
    outcomes = await asyncio.gather(*(silence.check() for _ in range(20)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert oracle.asked <= 2
    await silence.close()


async def test_one_long_job_is_no_silence_for_those_who_come_after_it() -> None:
    oracle = Oracle()
    oracle.answer = oracle.yes
    silence = await _begun(oracle)
    await asyncio.gather(*(silence.check() for _ in range(20)))
    assert not silence.is_on


@pytest.mark.parametrize("answer", [Oracle.yes, Oracle.no, Oracle.bug])
async def test_any_quick_answer_ends_it(answer: Callable[[Oracle], Awaitable[object]]) -> None:
    oracle = Oracle()
    silence = await _begun(oracle)
    await until(lambda: oracle.asked >= 2)
    oracle.answer = partial(answer, oracle)
    await until(lambda: not silence.is_on)
    await silence.check()


async def test_a_no_that_takes_long_does_not_end_it_and_a_full_line_does_not_either() -> None:
    oracle = Oracle()
    silence = await _begun(oracle)
    await until(lambda: oracle.asked >= 2)
    oracle.answer = oracle.busy
    await until(lambda: oracle.asked >= 4)
    assert silence.is_on
    await silence.close()


async def test_after_closing_nothing_is_asked() -> None:
    oracle = Oracle()
    silence = await _begun(oracle)
    await until(lambda: oracle.asked >= 1)
    # Who waits meanwhile is let through to what says that the store is closed.
    waiting = asyncio.create_task(silence.check())
    await asyncio.sleep(0)
    asked = oracle.asked
    await silence.close()
    await waiting
    assert not silence.is_on
    assert oracle.asked == asked
