"""Mutated frames and mutated commands against a real server, while people in a room go on talking.

python -m tests.fuzz.storm [--frames 10000] [--envelopes 10000] [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgpack  # type: ignore[import-untyped]
import psutil

from chatserver.domain.errors import Reason
from chatserver.protocol.codec import FRAME_BYTES, Encoding
from chatserver.protocol.codes import Close
from tests.faults.reader import ROOM
from tests.fuzz.bystanders import Bystanders, bystanders, is_complaint
from tests.fuzz.envelopes import envelopes
from tests.fuzz.frames import Attempt, attempts
from tests.fuzz.raw import Broken, Raw
from tests.kit.server import ChatServer
from tests.kit.web import WebClient

T = TypeVar("T")

OPEN_GATES: Final[dict[str, Any]] = {
    "bad_frames": 10**9, "commands_per_second": 1e9, "command_burst": 1e9, "member_commands_per_second": 1e9,
    "member_command_burst": 1e9, "posts_per_second": 1e9, "post_burst": 1e9, "reactions_per_second": 1e9,
    "reaction_burst": 1e9, "names_per_hour": 1e9, "connections_per_address": 10_000,
    "guests_per_address_per_hour": 1e9, "guest_burst_per_address": 1e9,
    "tcp_per_address": 10_000, "calls_per_address_per_second": 1e9, "call_burst_per_address": 1e9,
    "files_per_address_per_second": 1e9, "file_burst_per_address": 1e9,
}  # fmt: skip
"""So that what is sent is looked at, and not just refused for coming too fast or from one address."""

_AT_ONCE: Final = 16
_TOGETHER: Final = 40
"""Envelopes that are sent before their answers are waited for."""
_WARM_UP: Final = 10
"""The part of everything, one in so many, after which the memory counts as that of a server at work."""
_CODES: Final = frozenset(reason.value for reason in Reason) - {Reason.INTERNAL, Reason.STORAGE_UNAVAILABLE}
_CLOSES: Final = frozenset({1002, *Close}) - {Close.INTERNAL, Close.IDENTITY_ENDED}


@dataclass(slots=True)
class Outcome:
    """What a storm came to. `complaints` holds, in words, all that must not be."""

    frames: int = 0
    envelopes: int = 0
    connections: int = 0
    seconds: float = 0.0
    grown: int = 0
    """Bytes of resident memory after the storm beyond what it was after its first tenth."""
    people: Bystanders = field(default_factory=Bystanders)
    answers: Counter[str] = field(default_factory=Counter)
    closes: Counter[int] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)


async def storm(server: ChatServer, frames: int, commands: int, seed: int, pace: float = 0.05) -> Outcome:
    """Send so many mutated frames and, in each encoding, half of so many mutated commands.

    `pace` is how many seconds the bystanders wait between two posts.
    """
    outcome = Outcome()
    process = psutil.Process(server.process.pid)
    start = 0
    async with bystanders(server.ws_url, pace) as outcome.people:
        began = time.monotonic()
        for part, number in (1, seed), (_WARM_UP - 1, seed + 1):
            start = process.memory_info().rss
            await _each(
                lambda attempt: _try(server.port, attempt, outcome), attempts(frames * part // _WARM_UP, number)
            )
            for encoding in Encoding:
                batch = envelopes(commands * part // _WARM_UP // 2, number, encoding)
                lanes = [batch[lane::_AT_ONCE] for lane in range(_AT_ONCE)]
                await asyncio.gather(*(_lane(server.port, encoding, lane, outcome) for lane in lanes))
        outcome.seconds = time.monotonic() - began
        outcome.grown = process.memory_info().rss - start
    await _all_left(server)
    outcome.complaints += outcome.people.complaints
    outcome.complaints += [f"in the log: {line}" for line in server.log() if is_complaint(line)]
    return outcome


async def _each(work: Callable[[T], Awaitable[None]], what: Iterable[T]) -> None:
    """All of it, so many at once."""
    left: Iterator[T] = iter(what)

    async def one_after_the_other() -> None:
        for each in left:
            await work(each)

    await asyncio.gather(*(one_after_the_other() for _ in range(_AT_ONCE)))


async def _try(port: int, attempt: Attempt, outcome: Outcome) -> None:
    """One connection's frames: answers and pongs in good order, and an end that the protocol knows."""
    outcome.connections += 1
    outcome.frames += attempt.frames
    async with Raw(port) as raw:
        raw.say(attempt.data)
        if attempt.is_whole:
            # What follows may have been swallowed with the rest, or come after the close.
            raw.send('{"cmd":"ping","id":"last"}')
        raw.end()
        try:
            await raw.until_over()
        except (Broken, ValueError, TimeoutError) as problem:
            outcome.complaints.append(f"{type(problem).__name__} {problem} after {attempt.data[:60]!r}")
        _note(raw, outcome)


async def _lane(port: int, encoding: Encoding, payloads: list[str | bytes], outcome: Outcome) -> None:
    """Commands of somebody in the room: each is answered, or too large for a frame and the end of the connection."""
    at = 0
    while at < len(payloads):
        outcome.connections += 1
        async with Raw(port, encoding) as raw:
            greeting = [
                {"cmd": "hello", "id": "h", "guest": True},
                {"cmd": "join", "id": "j", "room": ROOM, "agreement": 1},
            ]
            for command in greeting:
                raw.send(_pack(encoding, command))
            await raw.until_answers(len(greeting))
            while at < len(payloads) and not raw.is_over:
                some = payloads[at : at + _TOGETHER]
                large = next((n for n, each in enumerate(some) if _size(each) > FRAME_BYTES), None)
                # One that is too large ends the connection, and takes with it what is not answered yet.
                some = some[:1] if large == 0 else some[:large]
                at += len(some)
                outcome.envelopes += len(some)
                wanted = len(raw.answers) + len(some)
                for each in some:
                    raw.send(each)
                await raw.until_answers(wanted)
                if len(raw.answers) < wanted and raw.close_code not in _CLOSES:
                    missing = wanted - len(raw.answers)
                    outcome.complaints.append(
                        f"{missing} of {len(some)} were not answered, closed with {raw.close_code}"
                    )
            _note(raw, outcome)


def _note(raw: Raw, outcome: Outcome) -> None:
    for answer in raw.answers:
        code = answer["error"]["code"] if "error" in answer else "ok"
        outcome.answers[code] += 1
        if code != "ok" and code not in _CODES:
            outcome.complaints.append(f"answered with {answer}")
    if raw.close_code is not None:
        if raw.close_code not in (1000, 1001, 1005, *_CLOSES) and not 3000 <= raw.close_code < 5000:
            outcome.complaints.append(f"closed with {raw.close_code}")
        outcome.closes[raw.close_code] += 1


async def _all_left(server: ChatServer) -> None:
    """Wait until the server counts no connection any more."""
    async with asyncio.timeout(15), WebClient() as http:
        while "\nchat_connections 0.0\n" not in (await http.get(f"{server.url}/metrics")).text:  # noqa: ASYNC110 - another process's
            await asyncio.sleep(0.1)


def _pack(encoding: Encoding, value: object) -> str | bytes:
    packed: str | bytes = json.dumps(value) if encoding is Encoding.JSON else msgpack.packb(value)
    return packed


def _size(payload: str | bytes) -> int:
    return len(payload.encode() if isinstance(payload, str) else payload)


def main() -> int:
    """Print the figures; 1 where there is something to complain of."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.storm")
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--envelopes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with ChatServer(config={"limits": OPEN_GATES}) as server:
        outcome = asyncio.run(storm(server, given.frames, given.envelopes, given.seed))
    rate = (outcome.frames + outcome.envelopes) / outcome.seconds
    print(
        f"{outcome.frames} frames and {outcome.envelopes} commands on {outcome.connections} connections in"
        f" {outcome.seconds:.1f} s ({rate:.0f} a second); memory grew by {outcome.grown / 2**20:.1f} MiB;"
        f" {outcome.people.posts} posts of bystanders, the slowest acknowledged after"
        f" {outcome.people.slowest_ack * 1000:.0f} ms"
    )
    print("answers:", dict(outcome.answers.most_common()))
    print("closes:", dict(outcome.closes.most_common()))
    for complaint in outcome.complaints:
        print(complaint)
    return 1 if outcome.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
