"""Waiting for a condition of this process, without guessing how long it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def eventually(condition: Callable[[], object], timeout: float = 20.0) -> None:
    """Wait for a condition of this process, checked every few milliseconds. Raises TimeoutError."""
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110 - any state of this process, which no event stands for
            await asyncio.sleep(0.005)
