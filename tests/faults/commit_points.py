"""A server that is killed at seeded points inside its commits, and people who send again what was not answered.

python -m tests.faults.commit_points --points 300 [--seed 1] [--store sqlite|postgres]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Final

import msgspec

from chatserver.domain.rooms.rooms import Posted, RoomId
from tests.faults.author import Author
from tests.faults.doomed import ANNOUNCED, ANSWERED, DURING, WRITTEN, Point
from tests.faults.reader import ROOM, Reader
from tests.kit.postgres import PostgresServer
from tests.kit.server import ChatServer
from tests.store.kit import Database, replay

_AROUND: Final = ("BEGIN", "LOCK_ROOMS", "FIND_COMMANDS", "FIND_MEMBERSHIPS", "ADD_POSTS", "SET_LAST_POST", "SET_LAST")
_AROUND_OTHERS: Final = (
    "FIND_POSTS", "FIND_REACTIONS", "ADD_EVENTS", "SET_POSTS", "DROP_POST_REACTIONS", "FORGET_DIGESTS",
    "DROP_REACTIONS", "ADD_REACTIONS", "ADD_COPIES",
)  # fmt: skip
OF_POSTS: Final = (
    *(f"{when} {name}" for name in _AROUND for when in ("before", "after")),
    "before COMMIT",
    DURING,
    "after COMMIT",
    ANSWERED,
    WRITTEN,
    ANNOUNCED,
)
"""Every point of a post's way through a commit, in its order."""
OF_OTHERS: Final = tuple(f"{when} {name}" for name in _AROUND_OTHERS for when in ("before", "after"))
"""What edits, reactions and removals pass besides."""

_LONGEST_COMMIT: Final = 0.004
"""Seconds within which DURING kills."""
_LIFE_SECONDS: Final = 20.0
_AUTHORS: Final = 3
_GENEROUS: Final = {
    "limits": {
        "commands_per_second": 10_000,
        "command_burst": 10_000,
        "member_commands_per_second": 10_000,
        "member_command_burst": 10_000,
        "posts_per_second": 10_000,
        "post_burst": 10_000,
        "tcp_per_address": 10_000,
        "calls_per_address_per_second": 10_000,
        "call_burst_per_address": 10_000,
        "files_per_address_per_second": 10_000,
        "file_burst_per_address": 10_000,
        "reactions_per_second": 10_000,
        "reaction_burst": 10_000,
        "names_per_hour": 10_000,
        "codes_per_minute": 10_000,
        "new_codes_per_address_per_hour": 10_000,
        "connections_per_address": 10_000,
        "connections_per_member": 100,
    }
}


@dataclass(slots=True)
class Outcome:
    """What a run came to. `complaints` holds, in words, all that must not be."""

    points: int
    kills: int = 0
    acknowledged: int = 0
    """Commands of members."""
    answers: int = 0
    """Acknowledgements of them, those of repeats included."""
    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    longest_outage: float = 0.0
    """Seconds in which somebody who listens had no connection."""
    seconds: float = 0.0
    died: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)


def draw(points: int, seed: int) -> list[Point]:
    """Every point once, those of posts first, and again from the beginning; in any order."""
    chance = random.Random(seed)
    names = [*itertools.islice(itertools.cycle((*OF_POSTS, *OF_OTHERS)), points)]
    chance.shuffle(names)
    return [Point(name, chance.randint(1, 8), chance.uniform(0, _LONGEST_COMMIT)) for name in names]


async def run(points: int, seed: int, database_url: str | None = None) -> Outcome:
    """Kill a server at so many points, one life after the other, and judge what is left in SQLite, or at a URL."""
    outcome = Outcome(points)
    began = time.monotonic()
    server = ChatServer(database_url=database_url, config=_GENEROUS)
    plan, deaths = server.directory / "points.json", server.directory / "deaths"
    plan.write_bytes(msgspec.json.encode(draw(points, seed)))
    deaths.touch()
    config = server.process.command[-1]
    server.process.command = [sys.executable, "-m", "tests.faults.doomed", config, str(plan), str(deaths)]
    try:
        await asyncio.to_thread(server.start)
        authors, reader = await _live_through(server, outcome, seed, lambda: deaths.read_text().splitlines())
        await asyncio.to_thread(server.process.stop)
        database = Database(database_url or f"sqlite:///{server.directory}/data/chat.db")
        await _judge(database, authors, reader, outcome)
        outcome.complaints += [f"in the log: {line}" for line in server.log() if "Traceback" in str(line)]
    finally:
        server.close()
    outcome.seconds = time.monotonic() - began
    return outcome


async def _live_through(
    server: ChatServer, outcome: Outcome, seed: int, deaths: Callable[[], list[str]]
) -> tuple[list[Author], Reader]:
    """Write, and come back, until every point was died at and every command is answered."""
    authors = [Author(server.ws_url, f"author{n}", random.Random(f"{seed} {n}")) for n in range(_AUTHORS)]
    reader = Reader(server.ws_url)
    listening = asyncio.create_task(reader.live())
    await reader.wait_up()
    writing = [asyncio.create_task(author.live()) for author in authors]
    try:
        for number in range(1, outcome.points + 1):
            async with asyncio.timeout(_LIFE_SECONDS):
                while len(deaths()) < number and not any(task.done() for task in (*writing, listening)):  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
            if len(deaths()) < number:
                break
        for author in authors:
            author.is_to_end = True
        async with asyncio.timeout(_LIFE_SECONDS):
            await asyncio.gather(*writing)
            last = max(offset for author in authors for offset in author.offsets.values())
            await reader.until_position(last)
    finally:
        for task in (*writing, listening):
            task.cancel()
        await asyncio.gather(*writing, listening, return_exceptions=True)
        outcome.died = Counter(deaths())
        outcome.kills = outcome.died.total()
    return authors, reader


async def _judge(database: Database, authors: list[Author], reader: Reader, outcome: Outcome) -> None:
    """Hold every answer, and what somebody heard who was there all along, against what is in the store."""
    complaints = outcome.complaints
    store = database.store()
    await store.open()
    try:
        kept = await replay(store, RoomId(ROOM))
    finally:
        await store.close()
    offsets = [int(publication.offset) for publication in kept]
    if offsets != [*range(1, len(offsets) + 1)]:
        complaints.append("the offsets of the store have holes")
    answered = Counter(offset for author in authors for offset in author.offsets.values())
    outcome.acknowledged = answered.total()
    outcome.answers = sum(author.answers for author in authors)
    outcome.lost = len(answered.keys() - {*offsets})
    # Every command was sent until it was answered: what is there beyond the answers is there twice.
    outcome.doubled = len(offsets) - len(answered) + sum(number - 1 for number in answered.values())
    posts = {int(p.offset): p.event.post for p in kept if isinstance(p.event, Posted)}
    for author in authors:
        complaints += [f"{author.name}: {problem}" for problem in author.problems]
        for text, offset in author.posts.items():
            post = posts.get(offset)
            if post is None or post.text != text:
                complaints.append(f"{author.name}: {text!r} was acknowledged at {offset}, where {post} is")
    heard = reader.seen
    outcome.reordered = sum(later <= earlier for earlier, later in itertools.pairwise(heard))
    outcome.longest_outage = reader.longest_outage
    complaints += [f"the reader: {problem}" for problem in reader.problems]
    if not posts.keys() <= {*heard}:
        complaints.append(f"the reader never heard {posts.keys() - {*heard}}")
    if database.path is not None:
        with closing(sqlite3.connect(database.path)) as file:
            if (found := file.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
                complaints.append(f"the file is damaged: {found}")


def main() -> int:
    """Print the figures; 1 where something was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.commit_points")
    parser.add_argument("--points", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    given = parser.parse_args()
    with ExitStack() as stack:
        url = stack.enter_context(PostgresServer()).fresh_database() if given.store == "postgres" else None
        outcome = asyncio.run(run(given.points, given.seed, url))
    print(
        f"{given.store}: {outcome.kills} kills at {len(outcome.died)} points of the commit in {outcome.seconds:.0f} s;"
        f" {outcome.acknowledged} commands, {outcome.answers} answers; lost {outcome.lost}, doubled {outcome.doubled},"
        f" reordered {outcome.reordered}; longest outage {outcome.longest_outage:.2f} s"
    )
    for complaint in outcome.complaints:
        print(complaint)
    return 1 if outcome.complaints or outcome.lost or outcome.doubled or outcome.kills < given.points else 0


if __name__ == "__main__":
    sys.exit(main())
