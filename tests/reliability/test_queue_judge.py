"""The judge of the queue: it finds every fault that is planted, and none where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.state import (
    Listener,
    ListeningRules,
    ListeningState,
    Profile,
    Proposal,
    Seeker,
    Session,
    SessionId,
    Wish,
)
from chatserver.store.store import Store
from tests.reliability.history import Kept, Log, Verdict
from tests.reliability.queue import Line, QueueDiary
from tests.reliability.queue_judge import IDLE_SECONDS, Watch, judge_floor

ANNA, BEN, LIV = MemberId("m_anna"), MemberId("m_ben"), MemberId("m_liv")
FIRST, SECOND = SessionId("s-first"), SessionId("s-second")
RULES = ListeningRules(pause=1_000, sessions_a_day=2)
NOW = Millis(100_000)


def talk(id: SessionId, seeker: MemberId, started_at: int, ended_at: int) -> Session:
    return Session(
        id=id,
        seeker=seeker,
        seeker_name=seeker,
        listeners=(LIV,),
        names={},
        wish=Wish(),
        asked_at=Millis(0),
        started_at=Millis(started_at),
        ends_at=Millis(started_at + 60_000),
        last_at=Millis(started_at),
        ended_at=Millis(ended_at),
    )


class Story:
    """Anna's session with Liv, then Ben's, both without a fault."""

    def __init__(self) -> None:
        self.sessions = {FIRST: talk(FIRST, ANNA, 1_000, 2_000), SECOND: talk(SECOND, BEN, 3_000, 4_000)}
        self.anna, self.ben, self.liv = (QueueDiary(name, f"m_{name}") for name in ("anna", "ben", "liv"))
        self.logs: dict[str, dict[int, Kept]] = {}
        for diary, session in ((self.anna, FIRST), (self.ben, SECOND)):
            text = f"{session} {diary.name} 0"
            diary.sessions.append(session)
            self.liv.sessions.append(session)
            diary.lines.append(Line(f"{diary.name}-0", session, text, ("e", 1)))
            self.logs[f"room:{session}"] = {1: Kept(f"{diary.member} {diary.name}-0", text)}
            for seen in (diary, self.liv):
                seen.sights.append((session, 1, text))

    def judge(self) -> Verdict:
        logs: dict[str, Log] = {**self.logs}
        floor = ListeningState(sessions=self.sessions)
        return judge_floor([self.anna, self.ben], [self.liv], floor, logs, RULES, {LIV: 1})


def move(story: Story, **fields: Any) -> None:
    story.sessions[SECOND] = replace(story.sessions[SECOND], **fields)


PLANTED: dict[str, Callable[[Story], object]] = {
    "unexpected: m_liv began s-second during a pause": lambda it: move(it, started_at=Millis(2_500)),
    "unexpected: m_liv had 2 sessions at once": lambda it: move(it, started_at=Millis(1_500)),
    "unexpected: m_anna was in s-first and in s-second": lambda it: move(it, seeker=ANNA, started_at=Millis(1_500)),
    "unexpected: m_liv had 3 sessions a day": lambda it: it.sessions.update(
        {SessionId("s-third"): talk(SessionId("s-third"), MemberId("m_cara"), 9_000, 10_000)}
    ),
    "unexpected: ben was told to be in s-first, and is not": lambda it: it.ben.sessions.append(FIRST),
    "unexpected: ben was shown s-first anna 0 in s-second": lambda it: it.ben.sights.append(
        (SECOND, 2, "s-first anna 0")
    ),
    "unexpected: s-first anna 0 stands in room:s-second": lambda it: it.logs["room:s-second"].update(
        {2: it.logs["room:s-first"][1]}
    ),
    "unexpected: anna: a problem": lambda it: it.anna.problems.append("a problem"),
    "unexpected: s-second ben 0 was acknowledged at 1": lambda it: it.logs["room:s-second"].update(
        {1: Kept("m_ben ben-1", "s-second ben 1")}
    ),
    "duplicated: ben saw 1 in s-second 2 times": lambda it: it.ben.sights.append(it.ben.sights[0]),
    "duplicated: s-second ben 0 is in the store 2 times": lambda it: it.logs["room:s-second"].update(
        {2: it.logs["room:s-second"][1]}
    ),
    "reordered: ben saw s-second out of order": lambda it: it.ben.sights.insert(0, (SECOND, 2, "s-second liv 0")),
    "lost: s-first anna 0, acknowledged at 1, is not in the store": lambda it: it.logs["room:s-first"].clear(),
}


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert Story().judge().complaints == []


@pytest.mark.parametrize("complaint", PLANTED)
def test_what_is_planted_is_found(complaint: str) -> None:
    story = Story()
    PLANTED[complaint](story)
    assert complaint in story.judge().complaints


class _Nothing:
    """In place of a store that is not asked."""


def a_watch() -> Watch:
    store: Store = _Nothing()  # type: ignore[assignment]
    return Watch(store, [], RULES)


def waiting(**fields: Any) -> ListeningState:
    """Anna waits, and Liv is free."""
    seeker = Seeker(member=ANNA, name="Anna", asked_at=NOW, wish=Wish(), seen_at=NOW)
    listener = Listener(
        member=LIV, name="Liv", profile=Profile(), wants=True, active_at=NOW, seen_at=NOW, since=NOW, ready_at=NOW
    )
    return ListeningState(seekers={ANNA: replace(seeker, **fields)}, listeners={LIV: listener})


def test_a_listener_who_stays_free_while_somebody_waits_is_noticed() -> None:
    watch = a_watch()
    watch.look(waiting(), NOW, 10.0)
    watch.look(waiting(), Millis(NOW + 900), 10.9)
    assert watch.complaints == []
    watch.look(waiting(), Millis(NOW + 1_200), 11.2)
    assert watch.longest_idle > IDLE_SECONDS
    assert any("was free" in complaint for complaint in watch.complaints)


def test_a_listener_who_was_asked_meanwhile_begins_anew() -> None:
    watch = a_watch()
    proposal = Proposal(listener=LIV, made_at=NOW, deadline=Millis(NOW + 30_000))
    for at, floor in ((10.0, waiting()), (10.9, waiting(proposal=proposal)), (11.2, waiting()), (11.9, waiting())):
        watch.look(floor, Millis(NOW + round(at * 1000) - 10_000), at)
    assert watch.complaints == []


def test_a_broken_promise_of_the_queue_is_noticed() -> None:
    watch = a_watch()
    proposal = Proposal(listener=LIV, made_at=NOW, deadline=Millis(NOW - 20_000))
    watch.look(waiting(proposal=proposal), NOW, 10.0)
    assert watch.complaints == ["late_proposals: 1"]
