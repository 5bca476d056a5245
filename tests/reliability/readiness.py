"""Whether `/statusz` tells the truth: it is asked all the time, and its answers are held against what was done."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import httpx

from tests.kit.web import WebClient

EVERY_SECONDS = 0.1
NOTICE_SECONDS = 5.0
"""A canary counts for three seconds; then it may take a moment more on a busy machine."""
RETURN_SECONDS = 5.0
"""How soon a worker must be attached again once what was broken is whole."""


@dataclass(frozen=True, slots=True)
class Answer:
    asked_at: float
    answered_at: float
    status: int | None
    """None where nobody answered."""
    why: str = ""


@dataclass(slots=True)
class Readiness:
    """What one server said, all along."""

    url: str
    answers: list[Answer] = field(default_factory=list)

    async def ask_on(self) -> None:
        """Ask until cancelled."""
        async with WebClient(base_url=self.url, timeout=8) as http:
            while True:
                asked_at = time.monotonic()
                try:
                    said = await http.get("/statusz")
                except httpx.TransportError:
                    self.answers.append(Answer(asked_at, time.monotonic(), None))
                else:
                    self.answers.append(Answer(asked_at, time.monotonic(), said.status_code, said.text))
                await asyncio.sleep(EVERY_SECONDS)

    def ready_after(self, moment: float) -> float | None:
        """How many seconds after `moment` it first said that it is ready; None: it has not."""
        return next((a.answered_at - moment for a in self.answers if a.asked_at >= moment and a.status == 200), None)

    async def until_ready(self, moment: float, timeout: float = 30.0) -> float:
        """Wait until it has said so."""
        async with asyncio.timeout(timeout):
            while (after := self.ready_after(moment)) is None:  # noqa: ASYNC110 - another task's list
                await asyncio.sleep(0.02)
        return after

    def lies(self, broken: Sequence[tuple[float, float]]) -> list[str]:
        """What it said that was not so, where it could not serve from each first moment to its second."""
        found = []
        for answer in self.answers:
            if answer.status is None:
                continue
            for since, until in broken:
                if answer.asked_at > since + NOTICE_SECONDS and answer.answered_at < until and answer.status == 200:
                    found.append(f"ready {answer.asked_at - since:.1f} s after it broke")
            # After a fault it may take its time to be back; before and long after, it must say yes.
            is_touched = any(
                answer.answered_at > since and answer.asked_at < until + RETURN_SECONDS for since, until in broken
            )
            if not is_touched and answer.status != 200:
                found.append(f"{answer.status} while all was well: {answer.why}")
        return found


@contextlib.asynccontextmanager
async def watching(urls: Sequence[str]) -> AsyncIterator[list[Readiness]]:
    """Ask every server for as long as the block lasts."""
    watched = [Readiness(url) for url in urls]
    tasks = [asyncio.create_task(one.ask_on()) for one in watched]
    try:
        yield watched
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
