"""Two who talk in a room all the while, whatever is done to their server, and are to notice nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.faults.crowd import Member, everybody_has_seen, judge
from tests.kit.waiting import eventually


@dataclass(slots=True)
class Bystanders:
    """What they lived through; filled in when they are done."""

    posts: int = 0
    """Acknowledged, each seen by both."""
    slowest_ack: float = 0.0
    """In seconds."""
    complaints: list[str] = field(default_factory=list)


@asynccontextmanager
async def bystanders(ws_url: str, pace: float) -> AsyncIterator[Bystanders]:
    """Talk until left. `pace` is how many seconds each waits between two posts."""
    noticed = Bystanders()
    people = [Member([ws_url], f"bystander{n}") for n in range(2)]
    tasks = [asyncio.create_task(each.live()) for each in people]
    try:
        async with asyncio.timeout(20):
            for each in people:
                await each.wait_up()
        start = max(each.position["offset"] for each in people if each.position)
        writing = [asyncio.create_task(each.write(100_000, pace)) for each in people]
        tasks += writing
        yield noticed
        # An attack may be over before the first word was said.
        await eventually(lambda: all(each.acked for each in people), 10)
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
        await everybody_has_seen(people)
        noticed.posts = sum(len(each.acked) for each in people)
        noticed.slowest_ack = max(each.slowest_ack for each in people)
        for each in people:
            # Mutated commands are posts too, now and then, and the same ones.
            each.seen = [(offset, text) for offset, text in each.seen if text.startswith("bystander")]
        noticed.complaints += judge(people, start)
        noticed.complaints += [f"{each.name} lost the connection" for each in people if each.reconnects > 0]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def is_complaint(line: dict[str, Any]) -> bool:
    """Whether a line of the server's log should not be there."""
    return line.get("level") in ("error", "critical") or "Traceback" in str(line)
