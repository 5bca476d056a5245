"""Who meets whom: hard limits of both sides, the order of the queue, the order of listeners, and the next proposals.

Pure. Every order is total, so that the same state always leads to the same proposals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.rest_rules import cap_of, is_here, pause_of, room_to_take
from chatserver.domain.listening.state import Listener, ListeningRules, ListeningState, Proposal, Seeker, Wish

WHY: Final = {
    "came_back": "Their come-back words lead to this listener",
    "rather_with": "This listener is somebody they would rather talk with",
    "lived": "This listener knows a topic of theirs from their own life",
    "lost_listener": "They go first because they lost their listener",
    "referred": "They go first because the host of a meeting offered it to them",
    "waited_longest": "Of those whom this listener could take, they had waited longest",
    "free_longest": "Nothing else spoke for another listener, and this one had been free longest",
}
"""The reasons for a match, in words for operators."""

FEWEST_SAMPLES: Final = 3
"""With fewer hand-overs no estimate is made."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """The expected waits. `samples` recent hand-overs came one every `gap` seconds, including the time since the last;
    half of them took up to `usual` seconds. `free` listeners could be asked at once; `is_anybody_here` says whether
    there is any listener, busy or not. Made once for all who wait."""

    samples: int
    gap: float
    usual: float
    free: int
    is_anybody_here: bool

    def estimate(self, place: int) -> tuple[int | None, int]:
        """Return the estimated seconds for that place, from 1, and the number of hand-overs behind it. None if it
        cannot be known: there are too few of them, or nobody listens.

        If a listener is free for them it takes as long as usual. Otherwise they move up by one with every hand-over.
        """
        if self.samples < FEWEST_SAMPLES or not self.is_anybody_here:
            return None, self.samples
        return round(min(self.usual, self.gap * place) if place <= self.free else self.gap * place), self.samples


# ------------------------------------------------------------------------------------------------ two people


def may_meet(seeker: Seeker, listener: Listener) -> bool:
    """Return whether neither side has ruled the other out."""
    return not _are_apart(seeker, listener.member) and _fits(seeker.wish, listener)


def _are_apart(seeker: Seeker, listener: MemberId) -> bool:
    return listener == seeker.member or listener in seeker.avoid


def _fits(wish: Wish, listener: Listener) -> bool:
    profile = listener.profile
    if wish.only and wish.member is not None and wish.member != listener.member:
        return False
    if wish.need is not None and wish.need not in profile.needs:
        return False
    if wish.minutes is not None and profile.most_minutes is not None and wish.minutes > profile.most_minutes:
        return False
    if any(topic in profile.not_topics for topic in wish.topics):
        return False
    if any(unwanted in profile.traits or unwanted in profile.lived for unwanted in wish.not_with):
        return False
    tongue = tongue_of(wish.language)
    return any(tongue_of(language) == tongue for language in profile.languages)


def rank(seeker: Seeker, listener: Listener) -> tuple[int, int, int, Millis, MemberId]:
    """Return a listener's rank among those who may meet this seeker; the least is asked first."""
    return _rank(seeker.wish, listener)


def _rank(wish: Wish, listener: Listener) -> tuple[int, int, int, Millis, MemberId]:
    profile = listener.profile
    return (
        0 if wish.member == listener.member else 1,
        -sum(wanted in profile.traits or wanted in profile.lived for wanted in wish.rather_with),
        -sum(topic in profile.lived for topic in wish.topics),
        listener.since,
        listener.member,
    )


def why(seeker: Seeker, listener: Listener) -> tuple[str, ...]:
    """Return the reasons for a match, as keys of `WHY`, the most important first."""
    came_back, rather, lived, _, _ = rank(seeker, listener)
    reasons = ["lost_listener" if seeker.is_first else "referred" if seeker.is_referred else "waited_longest"]
    if came_back == 0:
        reasons.append("came_back")
    if rather:
        reasons.append("rather_with")
    if lived:
        reasons.append("lived")
    if len(reasons) == 1:
        reasons.append("free_longest")
    return tuple(reasons)


@lru_cache(maxsize=1024)
def tongue_of(language: str) -> str:
    """Return the language without its region: speakers of `pt-BR` and of `pt` understand each other."""
    return language.partition("-")[0].lower()


# ------------------------------------------------------------------------------------------------ those who wait


def is_waiting(seeker: Seeker) -> bool:
    """Return whether a seeker has a place in the queue."""
    return seeker.session is None and seeker.lapsed_at is None


def order(seeker: Seeker) -> tuple[bool, bool, int, Millis, MemberId]:
    """Return the sort key of the queue: seekers who lost their listener, then whom a meeting's host referred, then
    those with fewer sessions today, then by when they asked."""
    is_before = seeker.is_first or seeker.is_referred
    return (not seeker.is_first, not is_before, 0 if is_before else seeker.had, seeker.asked_at, seeker.member)


def queue(state: ListeningState) -> list[Seeker]:
    """Return everybody who waits, in order."""
    return sorted(filter(is_waiting, state.seekers.values()), key=order)


def place(state: ListeningState, member: MemberId) -> int | None:
    """Return a seeker's place in the queue, from 1; None for somebody who does not wait. For many at once see
    `places`."""
    seeker = state.seekers.get(member)
    if seeker is None or not is_waiting(seeker):
        return None
    own = order(seeker)
    return 1 + sum(order(other) < own for other in state.seekers.values() if is_waiting(other))


def places(state: ListeningState) -> dict[MemberId, int]:
    """Return the places of all who wait, from 1."""
    return {seeker.member: place for place, seeker in enumerate(queue(state), start=1)}


def may_be_matched(seeker: Seeker, now: Millis, rules: ListeningRules) -> bool:
    """Return whether a listener can be asked about a seeker now. A seeker who is not connected keeps the place, and is
    skipped until they are back: a listener should find somebody there. So is one who rests from withdrawing."""
    return (
        is_waiting(seeker)
        and seeker.proposal is None
        and now - seeker.seen_at < rules.reachable
        and (seeker.rests_until is None or seeker.rests_until <= now)
    )


# ------------------------------------------------------------------------------------------------ those who listen


def loads(state: ListeningState) -> Counter[MemberId]:
    """Return how many seats of each listener are taken or promised: live sessions, proposals, and sessions they are
    asked to join."""
    seats: Counter[MemberId] = Counter()
    for session in state.sessions.values():
        if session.ended_at is None:
            seats.update(session.listeners)
            if session.asked is not None and session.asked.listener not in session.listeners:
                seats[session.asked.listener] += 1
    for seeker in state.seekers.values():
        if seeker.proposal is not None:
            seats[seeker.proposal.listener] += 1
    return seats


def promised(state: ListeningState) -> Counter[MemberId]:
    """Return how many sessions of each listener may yet begin from open proposals and questions."""
    promises = Counter(seeker.proposal.listener for seeker in state.seekers.values() if seeker.proposal is not None)
    promises.update(
        session.asked.listener
        for session in state.sessions.values()
        if session.asked is not None and session.asked.listener not in session.listeners
    )
    return promises


def may_take_one_more(state: ListeningState, listener: Listener, now: Millis, rules: ListeningRules) -> bool:
    """Return whether a listener is there, rested, and has a seat that is neither taken nor promised."""
    return (
        is_here(listener, now, rules)
        and pause_of(listener, now, rules) is None
        and loads(state)[listener.member] < cap_of(listener, rules)
        and promised(state)[listener.member] < room_to_take(listener, now, rules)
    )


def free_listeners(state: ListeningState, now: Millis, rules: ListeningRules) -> list[Listener]:
    """Return all listeners who could get a proposal now: those without an open one who may take one more."""
    there = [
        listener
        for listener in state.listeners.values()
        if is_here(listener, now, rules) and pause_of(listener, now, rules) is None
    ]
    if not there:
        return []
    seats = loads(state)
    asked = {seeker.proposal.listener for seeker in state.seekers.values() if seeker.proposal is not None}
    promises = promised(state)
    return [
        listener
        for listener in there
        if listener.member not in asked
        and seats[listener.member] < cap_of(listener, rules)
        and promises[listener.member] < room_to_take(listener, now, rules)
    ]


# ------------------------------------------------------------------------------------------------ proposals


def next_proposals(state: ListeningState, now: Millis, rules: ListeningRules) -> list[tuple[Seeker, Proposal]]:
    """Return the proposals to make now. The seeker who has waited longest chooses first among the free listeners, and
    so on down the queue; a seeker whom no free listener can take is skipped, and keeps the place."""
    free = {listener.member: listener for listener in free_listeners(state, now, rules)}
    if not free:
        return []
    tongues = {tongue_of(language) for listener in free.values() for language in listener.profile.languages}
    waiting = [
        seeker
        for seeker in state.seekers.values()
        if may_be_matched(seeker, now, rules) and tongue_of(seeker.wish.language) in tongues
    ]
    waiting.sort(key=order)
    choices: dict[Wish, list[MemberId]] = {}
    """For each wish the listeners who fit, the best first: many seekers have the same wish."""
    proposals = []
    for seeker in waiting:
        if (choice := choices.get(seeker.wish)) is None:
            choice = choices[seeker.wish] = _choice(seeker.wish, free.values())
        listener = _first(seeker, (member for member in choice if member in free), is_resting(seeker, now, rules))
        if listener is None:
            continue
        proposals.append((seeker, _proposal(seeker, free.pop(listener), now, rules)))
        if not free:
            break
    return proposals


def is_resting(seeker: Seeker, now: Millis, rules: ListeningRules) -> bool:
    """Return whether listeners who declined this seeker are not to be asked again yet."""
    return seeker.refused_at is not None and now < seeker.refused_at + rules.ask_again


def _choice(wish: Wish, free: Iterable[Listener]) -> list[MemberId]:
    fitting = [listener for listener in free if _fits(wish, listener)]
    fitting.sort(key=lambda listener: _rank(wish, listener))
    return [listener.member for listener in fitting]


def _first(seeker: Seeker, choice: Iterable[MemberId], is_resting: bool) -> MemberId | None:
    """Return the first listener who has not declined them; if there is none, the first who did, if they may be asked
    again."""
    again = None
    for listener in choice:
        if _are_apart(seeker, listener):
            continue
        if listener not in seeker.refused_by:
            return listener
        if again is None and not is_resting:
            again = listener
    return again


def _proposal(seeker: Seeker, listener: Listener, now: Millis, rules: ListeningRules) -> Proposal:
    return Proposal(
        listener=listener.member, made_at=now, deadline=Millis(now + rules.proposal), why=why(seeker, listener)
    )


# ------------------------------------------------------------------------------------------------ the estimate


def pace(state: ListeningState, now: Millis, rules: ListeningRules) -> Pace:
    """Return what seekers may expect, from the hand-overs of the last `rules.waits_kept`."""
    recent = sorted(
        (met_at, max(0, met_at - asked_at)) for asked_at, met_at in state.waits if now - rules.waits_kept < met_at
    )
    gap = usual = 0.0
    if len(recent) >= FEWEST_SAMPLES:
        # From the first of them until now: if hand-overs have stopped the gap grows, and the estimate with it.
        gap = max(0, now - recent[0][0]) / (len(recent) - 1) / 1000
        usual = sorted(wait for _, wait in recent)[len(recent) // 2] / 1000
    return Pace(
        samples=len(recent),
        gap=gap,
        usual=usual,
        free=len(free_listeners(state, now, rules)),
        is_anybody_here=any(is_here(listener, now, rules) for listener in state.listeners.values()),
    )


class Prospects:
    """The seekers for whom the general pace holds: not those who wait for one listener, nor those whom nobody who is
    here could meet. For one picture of the state; who fits a wish is computed once for all who have it."""

    def __init__(self, here: Collection[Listener]) -> None:
        self._here = here
        self._fitting: dict[Wish, frozenset[MemberId]] = {}

    def can_tell(self, seeker: Seeker) -> bool:
        """Return whether an estimate can be given to this seeker."""
        wish = seeker.wish
        if wish.only and wish.member is not None:
            return False
        if (fitting := self._fitting.get(wish)) is None:
            fitting = frozenset(listener.member for listener in self._here if _fits(wish, listener))
            self._fitting[wish] = fitting
        return any(not _are_apart(seeker, listener) for listener in fitting)


def estimate(state: ListeningState, member: MemberId, now: Millis, rules: ListeningRules) -> tuple[int | None, int]:
    """Return the estimated seconds until a seeker meets a listener, and the number of hand-overs behind it."""
    expected, own = pace(state, now, rules), place(state, member)
    here = [listener for listener in state.listeners.values() if is_here(listener, now, rules)]
    if own is None or not Prospects(here).can_tell(state.seekers[member]):
        return None, expected.samples
    return expected.estimate(own)
