"""Attacks that make the server work: what strangers write, toggle and ask for, as fast as they are let."""

from __future__ import annotations

import asyncio
import collections
import contextlib
from collections.abc import Coroutine, Iterable
from typing import Any, Final

from websockets.exceptions import ConnectionClosed

from tests.abuse.attack import Attack, Outcome
from tests.abuse.scene import Scene, enter, room_ids, together
from tests.abuse.witness import Witness, witness
from tests.kit.client import ChatClient, Refused

MASKED: Final = ("s***s " * 333)[:1_990]
"""The text that cost most before work per text had a bound: each word could be any of many."""
SECONDS: Final = 4.0


async def masked_words(scene: Scene) -> Outcome:
    """Let 12 guests edit their posts to the dearest text, on 4 sockets each, as fast as they can."""
    return await _mask(scene, 12, 4)


async def masked_words_over_workers(scene: Scene) -> Outcome:
    """Let 12 guests try to have 24 sockets each, which is what once ended three workers within a second."""
    return await _mask(scene, 12, 24)


async def _mask(scene: Scene, guests: int, sockets: int) -> Outcome:
    outcome = Outcome(cost=f"{guests} guests x {sockets} sockets of one address, {SECONDS:g} s")
    first = await scene.guests(guests)
    room = (await room_ids(first[0]))[0]
    crowd = [*first]
    for each in first:
        more = await together(scene.guest(token=each.token) for _ in range(sockets - 1))
        crowd += [one for one in more if isinstance(one, ChatClient)]
    posts = {}
    for each in first:
        await enter(each, room)
        posts[each.token] = (await each.ask("post", room=room, text="hello"))["offset"]
    for each in crowd[len(first) :]:
        await enter(each, room)
    quiet = await _quiet(scene, room)
    async with witness(scene, room) as seen:
        edits = await _for_a_while(_edit_without_end(each, room, posts[each.token]) for each in crowd)
    _judge(scene, seen, outcome, quiet)
    outcome.noticed = f"{len(crowd)} sockets let in, {sum(edits)} edits; {_spoken(outcome)}"
    return outcome


async def _edit_without_end(client: ChatClient, room: str, offset: int) -> int:
    done = 0
    with contextlib.suppress(ConnectionClosed):
        while True:
            try:
                await client.ask("edit", room=room, offset=offset, text=f"{MASKED} {done % 10}", timeout=60)
                done += 1
            except Refused as refused:
                await asyncio.sleep(min(refused.error.get("retry_after", 0.05), 0.5))
            except asyncio.CancelledError:
                break
    return done


async def _for_a_while(endless: Iterable[Coroutine[Any, Any, int]]) -> list[int]:
    tasks = [asyncio.create_task(each) for each in endless]
    await asyncio.sleep(SECONDS)
    for task in tasks:
        task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    return [each for each in found if isinstance(each, int)]


async def _quiet(scene: Scene, room: str) -> Witness | None:
    """Return what somebody honest lives through before the attack, where times are asked for."""
    if not scene.is_timed:
        return None
    async with witness(scene, room) as seen:
        await asyncio.sleep(SECONDS)
    return seen


def _judge(scene: Scene, seen: Witness, outcome: Outcome, quiet: Witness | None) -> None:
    """Note what may not happen, and the times before and during the attack."""
    outcome.faults += seen.faults
    outcome.faults += [f"in the log: {line}" for line in scene.complaints()]
    outcome.expect(bool(seen.posts), "nobody honest could post")
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        if quiet is not None:
            outcome.figures[f"ping {name}, quiet, ms"] = quiet.ping(share) * 1000
        outcome.figures[f"ping {name}, under attack, ms"] = seen.ping(share) * 1000
        if quiet is not None:
            outcome.figures[f"ping {name}, times as long"] = seen.ping(share) / max(quiet.ping(share), 1e-6)
    outcome.figures["post p50, under attack, ms"] = seen.post(0.5) * 1000


def _spoken(outcome: Outcome) -> str:
    return ", ".join(f"{what.removesuffix(', ms')} {value:.1f}" for what, value in outcome.figures.items())


async def erasures(scene: Scene) -> Outcome:
    """Let guests of one address write a word and erase themselves, all at once, while others write."""
    outcome = Outcome(cost="10 guests of one address")
    crowd = await scene.guests(10)
    room = (await room_ids(crowd[0]))[0]
    for each in crowd:
        await enter(each, room)
        await each.ask("post", room=room, text="one word")

    async def erase(token: str | None) -> int:
        async with scene.caller(token) as http:
            return (await http.post("/api/identity/erase")).status_code

    quiet = await _quiet(scene, room)
    async with witness(scene, room) as seen:
        answers = await together(erase(each.token) for each in crowd)
        await asyncio.sleep(1.0)
    _judge(scene, seen, outcome, quiet)
    outcome.expect(503 not in answers, f"erasing was answered {sorted(set(answers))}")
    outcome.noticed = f"answers {sorted(set(answers))}; {_spoken(outcome)}"
    return outcome


CALLS: Final = 64
"""How often each connection asks. Half of them ask for what has a burst of 200 and 10 a second."""
PATHS: Final = ("/metrics", "/api/identity/matters", "/", "/api/identity/matters")


async def requests_without_end(scene: Scene) -> Outcome:
    """Let one address ask for the metrics and other pages as fast as it can."""
    connections = 16
    outcome = Outcome(cost=f"1 address, {connections} connections, {connections * CALLS} requests")
    opener = await scene.guest(scene.honest)
    room = (await room_ids(opener))[0]
    answers: collections.Counter[int] = collections.Counter()

    async def go_on(number: int) -> None:
        async with scene.caller() as http:
            for _ in range(CALLS):
                answers[(await http.get(PATHS[number % len(PATHS)])).status_code] += 1

    quiet = await _quiet(scene, room)
    async with witness(scene, room) as seen:
        await asyncio.gather(*(go_on(number) for number in range(connections)))
    _judge(scene, seen, outcome, quiet)
    outcome.expect(answers[429] > 0, f"nothing was refused: {dict(answers)}")
    outcome.noticed = f"answers {dict(answers)}; {_spoken(outcome)}"
    return outcome


ATTACKS: Final = (
    Attack("masked-words", "no honest post refused or lost, no worker lost", masked_words),
    Attack("masked-words-3w", "the same over three workers, 288 sockets", masked_words_over_workers, workers=3),
    Attack("erasures", "every erasure acknowledged, no honest post refused", erasures),
    Attack("requests-without-end", "429 for who asks too much, no honest post refused", requests_without_end),
)
