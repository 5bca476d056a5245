"""Two who talk in a room all the while, whatever is done to their server, and are to notice nothing."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.faults.reader import ROOM
from tests.kit.waiting import eventually
from tests.reliability.crowd import Member
from tests.reliability.history import Kept, Post, judge


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
    people = [Member([ws_url], f"bystander{n}", ROOM) for n in range(2)]
    tasks = [asyncio.create_task(each.live()) for each in people]
    try:
        async with asyncio.timeout(20):
            for each in people:
                await each.is_up.wait()
        writing = [asyncio.create_task(_write(each, pace)) for each in people]
        tasks += writing
        yield noticed
        # An attack may be over before the first word was said.
        await eventually(lambda: all(each.diary.posts for each in people), 10)
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
        await eventually(lambda: not any(each.unacknowledged for each in people), 10)
        posts = [post for each in people for post in each.diary.posts]
        async with asyncio.timeout(10):
            for each in people:
                await each.until_position(max(post.offset for post in posts))
        noticed.posts = len(posts)
        noticed.slowest_ack = max((post.acked_at or 0.0) - post.due for post in posts)
        noticed.complaints += _judge(people)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _write(member: Member, pace: float) -> None:
    for number in itertools.count():
        text = f"{member.diary.name} {number}"
        member.write(Post(f"{member.diary.name}-{number}", text, time.monotonic()))
        await asyncio.sleep(pace)


def _judge(people: list[Member]) -> list[str]:
    """Hold their diaries against each other: the store was written to by mutated commands as well."""
    for each in people:
        each.diary.sights = [sight for sight in each.diary.sights if sight.text.startswith("bystander")]
    log = {post.offset: Kept(post.id, post.text) for each in people for post in each.diary.posts}
    complaints = judge([each.diary for each in people], log).complaints
    return complaints + [f"{each.diary.name} lost the connection" for each in people if each.closes]


def is_complaint(line: dict[str, Any]) -> bool:
    """Whether a line of the server's log should not be there."""
    return line.get("level") in ("error", "critical") or "Traceback" in str(line)
