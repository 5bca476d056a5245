"""Coming back goes before asking for codes, and neither waits in a crowd without an end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.handlers.people import code_hashing
from chatserver.handlers.people.code_hashing import MOST_MAKING, MOST_RETURNING, Hasher

PEPPER = b"p" * 32


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Each hash waits for its leave."""
    leave = threading.Semaphore(0)

    def hash_code(code: str, pepper: bytes) -> bytes:
        assert leave.acquire(timeout=30)
        return code.encode()

    monkeypatch.setattr(code_hashing, "hash_code", hash_code)
    return leave


def start(hasher: Hasher, name: str, order: list[str], *, is_return: bool) -> asyncio.Task[None]:
    async def run() -> None:
        order.append((await hasher.hash(name, PEPPER, is_return=is_return)).decode())

    return asyncio.create_task(run())


async def test_whoever_comes_back_goes_before_those_who_want_a_code(gate: threading.Semaphore) -> None:
    hasher, order = Hasher(), list[str]()
    tasks = [start(hasher, f"code {number}", order, is_return=False) for number in range(5)]
    await asyncio.sleep(0)
    tasks.append(start(hasher, "back", order, is_return=True))
    await asyncio.sleep(0)
    gate.release(6)
    await asyncio.gather(*tasks)
    assert order == ["code 0", "back", "code 1", "code 2", "code 3", "code 4"]


async def test_both_queues_have_an_end_and_a_full_one_keeps_nobody_out_of_the_other(gate: threading.Semaphore) -> None:
    hasher, order = Hasher(), list[str]()
    tasks = [start(hasher, "code", order, is_return=False) for _ in range(MOST_MAKING + 20)]
    await asyncio.sleep(0)
    with pytest.raises(Refusal):
        hasher.require_room()
    tasks += [start(hasher, "back", order, is_return=True) for _ in range(MOST_RETURNING + 20)]
    await asyncio.sleep(0)
    gate.release(100)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [each for each in outcomes if isinstance(each, Refusal)]
    assert len(refused) == 19 + 20
    assert {each.reason for each in refused} == {Reason.BUSY}
    assert order.count("back") == MOST_RETURNING
    assert order.count("code") == MOST_MAKING + 1
    hasher.require_room()


async def test_who_gives_up_while_they_wait_holds_nobody_up(gate: threading.Semaphore) -> None:
    hasher, order = Hasher(), list[str]()
    tasks = [start(hasher, name, order, is_return=True) for name in ("first", "gone", "last")]
    await asyncio.sleep(0)
    tasks[1].cancel()
    gate.release(3)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == ["first", "last"]
    gate.release()
    assert await hasher.hash("next", PEPPER, is_return=False) == b"next"
