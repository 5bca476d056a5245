"""The queue simulator: replays recorded days on a virtual clock, with another policy.

Pure. Who meets whom is decided by the same code that decides it live (`decide.py`, and with it `matching.py`,
`timers.py`, `sessions.py` and `rest_rules.py`). Only the people are simulated, as far as they are known:

- Seekers ask when they asked. One who left without being met leaves after the same wait; one who was met would have
  waited PATIENCE longer, and then leaves.
- A session lasts as long as it did. One that went to its limit goes to the new limit; for a seeker who was not met, and
  now is, a length is drawn from the others'.
- Listeners are there when a listener was, with the cap they had. Each span is a person of its own, so that caps of a
  day count within it. Everybody can meet everybody: wishes are not kept, and a real queue is a little slower for it.
- How long listeners take to answer is not kept. It is drawn around the wait of the tenth of people who were met
  soonest, because somebody who finds a free listener waits for little else, and not around more than SLOWEST: in a full
  queue those waited for more than an answer. An answer after the deadline does not count.

The same record, policy and seed give the same answer. What is drawn for a person is the same under every policy.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, assert_never

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.commands import (
    Accept,
    Ask,
    Decided,
    Dismiss,
    EndSession,
    GiveUpPlace,
    ListenerSet,
    ListeningAction,
    SeekerSet,
    SetAvailable,
    Spoke,
)
from chatserver.domain.listening.decide import apply_due, decide_and_apply_due, due_at, evolve_all
from chatserver.domain.listening.queue_history import GRAIN, Recorded, Span, Wait, WaitOutcome
from chatserver.domain.listening.rest_rules import NEVER
from chatserver.domain.listening.state import Listener, ListeningRules, ListeningState, Profile, SessionId, Wish
from chatserver.domain.moderation.disclosure import SMALL

FEWEST_ASKS: Final = 20
"""With fewer asks nothing can be said, and the result would tell of single people."""
SOON: Final = 5 * 60_000
"""Milliseconds up to which a wait counts as soon."""
MOST_LISTENERS: Final = 50
"""The most listeners that can be added or removed."""
_DAY: Final = 24 * 3_600_000
PATIENCE: Final = 60 * 60_000
SLOWEST: Final = 10_000
_FASTEST: Final = 2_000
_ALWAYS: Final = 2**50
"""Milliseconds: longer than any record."""
_USUAL_LENGTH: Final = 30 * 60_000
"""The length of a session if nobody at all was met."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The settings to try. None leaves a setting as it is: the rules' own, and each listener's own cap. `listeners` is
    how many more (or fewer) there would be on every day on which anybody listened."""

    listeners: int = 0
    pause: int | None = None
    cap: int | None = None
    length: int | None = None
    proposal: int | None = None


class OutOfRange(ValueError):
    """The requested policy is out of range; the message says which part."""


STEPS_FOR_AN_ASK: Final = 40
_FEWEST_STEPS: Final = 1_000
"""A replay with more steps is given up: otherwise one in which the same people are proposed in vain all day would run
too long."""
MOST_MINUTES: Final = 240
MOST_SECONDS: Final = 600


def policy(
    rules: ListeningRules,
    *,
    listeners: int = 0,
    pause_minutes: int | None = None,
    cap: int | None = None,
    session_minutes: int | None = None,
    proposal_seconds: int | None = None,
) -> Policy:
    """Return a policy from people's units. Raises OutOfRange."""
    for name, value, least, most in (
        ("listeners", listeners, -MOST_LISTENERS, MOST_LISTENERS),
        ("pause_minutes", pause_minutes, 0, MOST_MINUTES),
        ("cap", cap, 1, rules.most_cap),
        ("session_minutes", session_minutes, 5, MOST_MINUTES),
        ("proposal_seconds", proposal_seconds, 10, MOST_SECONDS),
    ):
        if value is not None and not least <= value <= most:
            raise OutOfRange(f"{name} is from {least} to {most}")
    return Policy(
        listeners=listeners,
        pause=None if pause_minutes is None else pause_minutes * 60_000,
        cap=cap,
        length=None if session_minutes is None else session_minutes * 60_000,
        proposal=None if proposal_seconds is None else proposal_seconds * 1_000,
    )


class SimulatedShare(msgspec.Struct, frozen=True):
    """A part of all, in percent. If the part, or the rest, is under SMALL, only a bound is given: `bound` is `under` or
    `over`, otherwise `is`."""

    bound: str
    percent: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The results. Waits of seekers who were met are in seconds, None if under SMALL were; `left` are those who left
    without being met, None if they or the others are under SMALL. `busy` is the share of the listeners' places that was
    taken, in percent; None without listeners."""

    asks: int
    half: int | None
    nine_in_ten: int | None
    longest: int | None
    soon: SimulatedShare
    left: int | None
    busy: int | None


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """Three columns: the record, a replay with the same rules (its distance from the first says how far the third can
    be trusted), and a replay with the policy."""

    recorded: Figures
    replayed: Figures
    imagined: Figures


class Run(msgspec.Struct, frozen=True):
    """The result for each seeker, in order: their wait, or None; and the milliseconds of places taken and available."""

    waits: tuple[int | None, ...]
    taken: int
    there: int


def simulate(recorded: Recorded, policy: Policy, rules: ListeningRules, seed: int = 0) -> Simulation | None:
    """Simulate a policy. Return None if there are fewer than FEWEST_ASKS."""
    if len(recorded.waits) < FEWEST_ASKS:
        return None
    return Simulation(
        recorded=figures(as_it_was(recorded)),
        replayed=figures(replay(recorded, Policy(), rules, seed)),
        imagined=figures(replay(recorded, policy, rules, seed)),
    )


def as_it_was(recorded: Recorded) -> Run:
    """Return the record itself, as a run."""
    return Run(
        tuple(wait.ended_at - wait.asked_at if wait.outcome is WaitOutcome.MET else None for wait in recorded.waits),
        sum(wait.length or 0 for wait in recorded.waits),
        _places(recorded.spans),
    )


def replay(recorded: Recorded, policy: Policy, rules: ListeningRules, seed: int = 0) -> Run:
    """Replay the record with a policy. Raises OutOfRange if that takes too many steps."""
    return _Replay(recorded, policy, rules, seed).run()


def figures(run: Run) -> Figures:
    """Return the figures of a run that may be shown."""
    met = sorted(wait for wait in run.waits if wait is not None)
    asks, left = len(run.waits), len(run.waits) - len(met)
    is_told = len(met) >= SMALL
    return Figures(
        asks=asks,
        half=_at(met, 0.5) if is_told else None,
        nine_in_ten=_at(met, 0.9) if is_told else None,
        longest=_at(met, 1.0) if is_told else None,
        soon=_share(sum(wait <= SOON for wait in met), asks),
        left=left if min(left, asks - left) >= SMALL else None,
        busy=None if run.there <= 0 else min(100, round(100 * run.taken / run.there)),
    )


def staffed(spans: Sequence[Span], listeners: int) -> list[Span]:
    """Return the spans with that many more of a usual kind on every day, or fewer: a day's usual span is its median by
    length. Existing spans are not changed."""
    days: dict[int, list[Span]] = defaultdict(list)
    for span in spans:
        days[span.start // _DAY].append(span)
    found: list[Span] = []
    for day in days.values():
        day.sort(key=lambda span: (span.end - span.start, span.start, span.cap))
        usual = day[len(day) // 2]
        for _ in range(min(-listeners, len(day))):
            del day[len(day) // 2]
        found += [*day, *[usual] * listeners]
    return sorted(found, key=lambda span: (span.start, span.end, span.cap))


def lines(simulation: Simulation) -> list[str]:
    """Return the simulation as a table for people."""
    columns = (simulation.recorded, simulation.replayed, simulation.imagined)
    rows = [
        ("", ["recorded", "replayed", "with this policy"]),
        ("asked for a listener", [str(each.asks) for each in columns]),
        ("half of those met waited up to", [_said(each.half) for each in columns]),
        ("nine in ten waited up to", [_said(each.nine_in_ten) for each in columns]),
        ("the longest wait", [_said(each.longest) for each in columns]),
        (f"met within {SOON // 60_000} minutes", [_said_share(each.soon) for each in columns]),
        (
            "left without being met",
            [f"under {SMALL}, or nearly all" if each.left is None else str(each.left) for each in columns],
        ),
        (
            "of the listeners' places taken",
            ["nobody listened" if each.busy is None else f"{each.busy} %" for each in columns],
        ),
    ]
    return [f"{name:32}" + "".join(f"{cell:>26}" for cell in cells) for name, cells in rows]


def _said(seconds: int | None) -> str:
    if seconds is None:
        return f"under {SMALL} were met"
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60:02} s"


def _said_share(share: SimulatedShare) -> str:
    return f"{share.percent} %" if share.bound == "is" else f"{share.bound} {share.percent} %"


# ------------------------------------------------------------------------------------------------ the virtual clock


class _Comes(msgspec.Struct, frozen=True):
    listener: int


class _Goes(msgspec.Struct, frozen=True):
    listener: int


class _Asks(msgspec.Struct, frozen=True):
    ask: int


class _GivesUp(msgspec.Struct, frozen=True):
    ask: int


class _Answers(msgspec.Struct, frozen=True):
    ask: int
    listener: MemberId
    made_at: Millis


class _Ends(msgspec.Struct, frozen=True):
    ask: int


class _AppliesDue(msgspec.Struct, frozen=True):
    pass


_Step = _Comes | _Goes | _Asks | _GivesUp | _Answers | _Ends | _AppliesDue


class _Replay:
    def __init__(self, recorded: Recorded, policy: Policy, rules: ListeningRules, seed: int) -> None:
        self._asked = sorted(recorded.waits, key=lambda wait: (wait.asked_at, wait.ended_at, wait.outcome))
        self._rules = _rules(rules, policy)
        self._limit, self._new_limit = rules.length, rules.length if policy.length is None else policy.length
        spans = staffed(recorded.spans, policy.listeners)
        self._spans = spans if policy.cap is None else [Span(span.start, span.end, policy.cap) for span in spans]
        self._seed = seed
        self._answer = _answer(self._asked)
        self._lengths = sorted(wait.length for wait in self._asked if wait.length is not None) or [_USUAL_LENGTH]
        self._floor = ListeningState()
        self._steps: list[tuple[Millis, int, _Step]] = []
        self._number = 0
        self._met: dict[int, int] = {}
        self._proposed: dict[int, int] = defaultdict(int)
        self._leaving: set[MemberId] = set()
        self._settles_at: Millis | None = None
        self._taken = 0

    def run(self) -> Run:
        for number, span in enumerate(self._spans):
            self._plan(span.start, _Comes(number))
            self._plan(span.end, _Goes(number))
        for number, wait in enumerate(self._asked):
            self._plan(wait.asked_at, _Asks(number))
            patience = PATIENCE if wait.outcome is WaitOutcome.MET else 0
            self._plan(Millis(wait.ended_at + patience), _GivesUp(number))
        left = _FEWEST_STEPS + STEPS_FOR_AN_ASK * len(self._asked)
        while self._steps:
            left -= 1
            if left < 0:
                raise OutOfRange("hardly anybody would answer in time, which takes too long to replay")
            now, _, step = heapq.heappop(self._steps)
            self._take(step, now)
            self._look_ahead(now)
        waits = tuple(self._met.get(number) for number in range(len(self._asked)))
        return Run(waits, self._taken, _places(self._spans))

    def _plan(self, at: Millis, step: _Step) -> None:
        self._number += 1
        heapq.heappush(self._steps, (at, self._number, step))

    def _take(self, step: _Step, now: Millis) -> None:
        match step:
            case _Comes(listener=number):
                listener = Listener(
                    member=_listener(number),
                    name="",
                    profile=Profile(cap=max(1, min(self._spans[number].cap, self._rules.most_cap))),
                    wants=True,
                    active_at=NEVER,
                    seen_at=NEVER,
                    since=now,
                    ready_at=now,
                )
                self._floor = evolve_all(self._floor, (ListenerSet(listener=listener),))
                self._apply_due(now)
            case _Goes(listener=number):
                self._do(SetAvailable(on=False), _listener(number), now)
                self._leaving.add(_listener(number))
                self._let_go(now)
            case _Asks(ask=ask):
                who = _seeker(ask)
                self._do(Ask(name="", wish=Wish(), avoid=frozenset(), is_open=True), who, now)
                # Connected for as long as they wait.
                seen = msgspec.structs.replace(self._floor.seekers[who], seen_at=NEVER)
                self._floor = evolve_all(self._floor, (SeekerSet(seeker=seen),))
            case _GivesUp(ask=ask):
                self._do(GiveUpPlace(), _seeker(ask), now)
            case _Answers():
                self._accept(step, now)
            case _Ends(ask=ask):
                self._do(EndSession(session=_session(ask)), _seeker(ask), now)
                self._let_go(now)
            case _AppliesDue():
                self._settles_at = None
                self._apply_due(now)
            case _:
                assert_never(step)

    def _accept(self, answer: _Answers, now: Millis) -> None:
        who = _seeker(answer.ask)
        seeker = self._floor.seekers.get(who)
        proposal = None if seeker is None else seeker.proposal
        if proposal is None or (proposal.listener, proposal.made_at) != (answer.listener, answer.made_at):
            # The seeker withdrew meanwhile, or the deadline was first.
            return
        self._do(Accept(seeker=who, session=_session(answer.ask)), answer.listener, now)
        # Seekers who talked are assumed to have written, and nobody is the same twice: shares remember nothing here.
        self._do(Spoke(session=_session(answer.ask)), who, now)
        self._floor = msgspec.structs.replace(self._floor, shares={})
        self._met[answer.ask] = now - self._asked[answer.ask].asked_at
        length = self._length(answer.ask)
        self._taken += length
        self._plan(Millis(now + length), _Ends(answer.ask))

    def _length(self, ask: int) -> int:
        length = self._asked[ask].length
        if length is None:
            length = self._lengths[int(self._drawn("length", ask, 0) * len(self._lengths))]
        if length >= self._limit - GRAIN:
            return max(GRAIN, length + self._new_limit - self._limit)
        return min(length, self._new_limit)

    def _drawn(self, what: str, ask: int, time: int) -> float:
        """Return a random number from 0 to under 1, evenly distributed."""
        digest = hashlib.blake2b(f"{self._seed} {what} {ask} {time}".encode(), digest_size=4).digest()
        return int.from_bytes(digest) / 2**32

    def _let_go(self, now: Millis) -> None:
        """Remove listeners who no longer listen and talk with nobody, so that the state stays small."""
        busy = {member for session in self._floor.sessions.values() for member in session.listeners}
        for member in sorted(self._leaving - busy):
            self._leaving.remove(member)
            self._do(Dismiss(member=member, is_erased=False), member, now)

    def _do(self, command: ListeningAction, who: MemberId, now: Millis) -> None:
        self._evolve(decide_and_apply_due(self._floor, command, who, now, self._rules))

    def _apply_due(self, now: Millis) -> None:
        self._evolve(apply_due(self._floor, now, self._rules))

    def _evolve(self, decided: Decided) -> None:
        before = self._floor.seekers
        self._floor = evolve_all(self._floor, decided.events)
        for event in decided.events:
            if isinstance(event, SeekerSet) and (proposal := event.seeker.proposal) is not None:
                known = before.get(event.seeker.member)
                if known is not None and known.proposal == proposal:
                    continue
                ask = int(event.seeker.member[1:])
                self._proposed[ask] += 1
                drawn = self._drawn("answer", ask, self._proposed[ask])
                at = Millis(proposal.made_at + round(self._answer * (0.5 + drawn)))
                if at < proposal.deadline:
                    self._plan(at, _Answers(ask, proposal.listener, proposal.made_at))

    def _look_ahead(self, now: Millis) -> None:
        due = due_at(self._floor, now, self._rules)
        if due is None or due >= _ALWAYS or (self._settles_at is not None and self._settles_at <= due):
            return
        self._settles_at = Millis(max(due, now + 1))
        self._plan(self._settles_at, _AppliesDue())


def _rules(rules: ListeningRules, policy: Policy) -> ListeningRules:
    """Return rules under which nobody is lost, idle or limited except as the record says; and nothing is kept."""
    return msgspec.structs.replace(
        rules,
        pause=rules.pause if policy.pause is None else policy.pause,
        proposal=rules.proposal if policy.proposal is None else policy.proposal,
        length=_ALWAYS,
        longest=_ALWAYS,
        idle=_ALWAYS,
        warning=0,
        keep=0,
        most_ignored=_ALWAYS,
        declines_an_hour=_ALWAYS,
    )


def _answer(asked: Iterable[Wait]) -> int:
    met = sorted(wait.ended_at - wait.asked_at for wait in asked if wait.outcome is WaitOutcome.MET)
    soonest = met[len(met) // 10] if met else 0
    return max(_FASTEST, min(soonest, SLOWEST))


def _places(spans: Iterable[Span]) -> int:
    return sum((span.end - span.start) * span.cap for span in spans)


def _at(waits: Sequence[int], part: float) -> int:
    """Return a quantile in seconds, as coarse as the record is."""
    wait = waits[max(0, math.ceil(part * len(waits)) - 1)]
    return round(wait / GRAIN) * GRAIN // 1000


def _share(some: int, every: int) -> SimulatedShare:
    if some < SMALL:
        return SimulatedShare("under", math.ceil(100 * SMALL / every) if every > SMALL else 100)
    if every - some < SMALL:
        return SimulatedShare("over", max(0, 100 * (every - SMALL) // every))
    return SimulatedShare("is", round(100 * some / every))


def _listener(number: int) -> MemberId:
    return MemberId(f"l{number:06}")


def _seeker(ask: int) -> MemberId:
    return MemberId(f"s{ask:06}")


def _session(ask: int) -> SessionId:
    return SessionId(f"s-{ask}")
