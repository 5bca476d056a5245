"""What everybody on the floor lived through, held against the floor itself and the sessions' logs.

Pure, but for `Watch`, which reads the floor again and again while things break.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import httpx

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.invariants import PROMISES, check_invariants
from chatserver.domain.listening.matching import next_proposals
from chatserver.domain.listening.state import ListeningRules, ListeningState, Session
from chatserver.store.store import Store
from tests.kit.web import WebClient
from tests.reliability.history import Log, Verdict
from tests.reliability.queue import QueueDiary

EVERY_SECONDS: Final = 0.2
IDLE_SECONDS: Final = 1.0
"""For how long a listener who could be asked may stay without a proposal while somebody waits whom they could take."""


@dataclass(slots=True)
class Watch:
    """Looks at the floor in the database, and at what the servers say of it, all along."""

    store: Store
    urls: Sequence[str]
    rules: ListeningRules
    complaints: list[str] = field(default_factory=list)
    longest_idle: float = 0.0
    looks: int = 0
    scrapes: int = 0
    _idle_since: dict[tuple[MemberId, MemberId], float] = field(default_factory=dict)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_on())
            group.create_task(self._scrape_on())

    async def _look_on(self) -> None:
        while True:
            floor = await self.store.listening_state()
            self.look(floor, Millis(time.time_ns() // 1_000_000), time.monotonic())
            await asyncio.sleep(EVERY_SECONDS)

    def look(self, floor: ListeningState, now: Millis, clock: float) -> None:
        """One look at the floor as it was committed."""
        self.looks += 1
        found = check_invariants(floor, now, self.rules)
        self.complaints += [f"{name}: {broken}" for name in PROMISES if (broken := getattr(found, name))]
        idle = {(seeker.member, proposal.listener) for seeker, proposal in next_proposals(floor, now, self.rules)}
        self._idle_since = {pair: self._idle_since.get(pair, clock) for pair in idle}
        for (seeker, listener), since in self._idle_since.items():
            self.longest_idle = max(self.longest_idle, clock - since)
            if clock - since > IDLE_SECONDS:
                self.complaints.append(f"{listener} was free for {clock - since:.1f} s while {seeker} waited")

    async def _scrape_on(self) -> None:
        async with WebClient(timeout=10) as http:
            while True:
                for url in self.urls:
                    try:
                        text = (await http.get(f"{url}/metrics")).text
                    except httpx.TransportError:
                        continue
                    self.scrapes += 1
                    self.complaints += [
                        f"/metrics says {line}"
                        for line in text.splitlines()
                        if line.startswith("chat_floor_broken{") and float(line.rpartition(" ")[2]) > 0
                    ]
                await asyncio.sleep(1.0)


def judge_floor(
    seekers: Sequence[QueueDiary],
    listeners: Sequence[QueueDiary],
    floor: ListeningState,
    logs: Mapping[str, Log],
    rules: ListeningRules,
    caps: Mapping[MemberId, int],
) -> Verdict:
    """Judge it all when everything is quiet. `logs` holds every session's posts by its channel."""
    verdict = Verdict()
    sessions = [*floor.sessions.values()]
    _judge_seekers(sessions, verdict)
    _judge_listeners(sessions, rules, caps, verdict)
    people: dict[str, set[str]] = {session.id: {*session.people} for session in sessions}
    for diary in (*seekers, *listeners):
        verdict.unexpected += [f"{diary.name}: {problem}" for problem in diary.problems]
        for session in diary.sessions:
            if diary.member not in people.get(session, set()):
                verdict.unexpected.append(f"{diary.name} was told to be in {session}, and is not")
        _judge_sights(diary, verdict)
        _judge_lines(diary, logs, verdict)
    for channel, log in logs.items():
        verdict.unexpected += [
            f"{kept.text} stands in {channel}"
            for kept in log.values()
            if not kept.text.startswith(channel.removeprefix("room:") + " ")
        ]
        texts = Counter(kept.text for kept in log.values())
        verdict.duplicated += [f"{text} is in the store {n} times" for text, n in texts.items() if n > 1]
    return verdict


def _judge_seekers(sessions: Iterable[Session], verdict: Verdict) -> None:
    by_seeker: dict[MemberId, list[Session]] = {}
    for session in sessions:
        by_seeker.setdefault(session.seeker, []).append(session)
    for seeker, held in by_seeker.items():
        held.sort(key=lambda each: each.started_at)
        verdict.unexpected += [
            f"{seeker} was in {one.id} and in {other.id}"
            for one, other in itertools.pairwise(held)
            if one.ended_at is None or one.ended_at > other.started_at
        ]


def _judge_listeners(
    sessions: Iterable[Session], rules: ListeningRules, caps: Mapping[MemberId, int], verdict: Verdict
) -> None:
    by_listener: dict[MemberId, list[Session]] = {}
    for session in sessions:
        for listener in session.listeners:
            by_listener.setdefault(listener, []).append(session)
    for listener, held in by_listener.items():
        ends = sorted(each.ended_at for each in held if each.ended_at is not None)
        for session in held:
            began = session.started_at
            at_once = sum(
                each.started_at <= began and (each.ended_at is None or each.ended_at > began) for each in held
            )
            if at_once > caps[listener]:
                verdict.unexpected.append(f"{listener} had {at_once} sessions at once")
            if any(end < began < end + rules.pause for end in ends):
                verdict.unexpected.append(f"{listener} began {session.id} during a pause")
        if len(held) > rules.sessions_a_day:
            verdict.unexpected.append(f"{listener} had {len(held)} sessions a day")


def _judge_sights(diary: QueueDiary, verdict: Verdict) -> None:
    for session, _, text in diary.sights:
        if not text.startswith(f"{session} "):
            verdict.unexpected.append(f"{diary.name} was shown {text} in {session}")
    seen = Counter((session, offset) for session, offset, _ in diary.sights)
    verdict.duplicated += [
        f"{diary.name} saw {at} in {session} {n} times" for (session, at), n in seen.items() if n > 1
    ]
    for session in diary.sessions:
        offsets = [offset for held, offset, _ in diary.sights if held == session]
        if offsets != sorted(offsets):
            verdict.reordered.append(f"{diary.name} saw {session} out of order")


def _judge_lines(diary: QueueDiary, logs: Mapping[str, Log], verdict: Verdict) -> None:
    for line in diary.lines:
        log = logs.get(f"room:{line.session}", {})
        if line.acked is not None and line.acked[1] not in log:
            verdict.lost.append(f"{line.text}, acknowledged at {line.acked[1]}, is not in the store")
        elif line.acked is not None and log[line.acked[1]].text != line.text:
            verdict.unexpected.append(f"{line.text} was acknowledged at {line.acked[1]}")
