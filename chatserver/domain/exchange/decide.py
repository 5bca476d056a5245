"""The one way in which the exchange changes: a command, or the passing of time, becomes the next state and effects.

Pure: time, chance, and what is known of other features arrive as arguments. Decisions 0234 and 0235 say why it is so.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final, Literal, assert_never

import msgspec
from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.exchange import pairing
from chatserver.domain.exchange.state import (
    AFTERWARDS,
    GRACE,
    HEADS,
    LENGTHS,
    MOST_PASSES,
    OFFER,
    OWES,
    PAUSE,
    PLACES,
    PLACES_PER_NETWORK,
    REACHABLE,
    After,
    Offer,
    Participant,
    Pool,
    Running,
    Waiting,
    Wish,
    again_at,
    without,
)
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings.state import Meeting, MeetingId
from chatserver.domain.rooms.rooms import ID_PREFIXES, RoomKind


class _Struct(msgspec.Struct, frozen=True, kw_only=True):
    pass


# Commands. The member who asks is an argument of `decide`. Each may be sent again.


class Practise(_Struct, frozen=True, kw_only=True):
    """Note that somebody has practised."""


class Join(_Struct, frozen=True, kw_only=True):
    """Wait for somebody. Raises NOT_PRACTISED, IN_EXCHANGE, EXCHANGES_USED with `again_at`, PLACES_USED, IN_SESSION for
    those who wait for a listener or talk with one, or INVALID."""

    name: str
    wish: Wish
    networks: tuple[str, ...] = ()
    allowance: int = 1


class Leave(_Struct, frozen=True, kw_only=True):
    """Wait no more. The other of an offer keeps their place."""


class AnswerOffer(_Struct, frozen=True, kw_only=True):
    """Say yes to somebody who was found, or let it pass. Raises OFFER_GONE for a `yes` that comes too late."""

    id: MeetingId
    yes: bool


class SayAfterwards(_Struct, frozen=True, kw_only=True):
    """Say something about an exchange, for nobody but the service. Raises MEETING_UNKNOWN."""

    meeting: MeetingId
    heard: int | None = None
    again: bool | None = None


class Renamed(_Struct, frozen=True, kw_only=True):
    name: str


class Dismiss(_Struct, frozen=True, kw_only=True):
    """Take somebody out who was banned."""


class ApplyDue(_Struct, frozen=True, kw_only=True):
    """Do nothing but what time brings."""


ExchangeAction = Practise | Join | Leave | AnswerOffer | SayAfterwards | Renamed | Dismiss | ApplyDue


class OpenExchange(_Struct, frozen=True, kw_only=True):
    """Open the meeting of two people who both said yes."""

    id: MeetingId
    names: dict[MemberId, str]
    minutes: int
    seed: str
    hears_first: MemberId | None


class Facts(_Struct, frozen=True, kw_only=True):
    """What is known of other features in the same transaction. `meetings` are those of exchanges that go on; one that
    is missing is forgotten. `apart` says who of those who wait, or join now, must not meet whom, because one blocks the
    other. `busy` are those who wait for a listener, or talk with one. `seed` is chance. Where the exchange `is_off`,
    nobody waits; exchanges that go on end as ever."""

    meetings: Mapping[MeetingId, Meeting] = {}
    apart: Mapping[MemberId, frozenset[MemberId]] = {}
    busy: frozenset[MemberId] = frozenset()
    seed: str = ""
    is_off: bool = False


class Decided(_Struct, frozen=True, kw_only=True):
    """The state after a command, and the exchanges that begin."""

    pool: Pool
    opened: tuple[OpenExchange, ...] = ()


def decide(pool: Pool, command: ExchangeAction, who: MemberId, now: Millis, facts: Facts) -> Decided:
    """Answer a command, and carry out what is due before and after it. Raises Refusal."""
    draft = _Draft(pool, now, facts)
    draft.apply_due()
    if not isinstance(command, ApplyDue):
        _carry_out(draft, command, who)
        draft.apply_due()
    return draft.decided()


def forget(people: Mapping[MemberId, Participant], who: MemberId) -> dict[MemberId, Participant]:
    """Return everybody's records without somebody who is erased: theirs is gone, and no other names them. An offer of
    theirs is over; the other keeps their place."""
    return {
        member: without(each, who) if who in each.names else each for member, each in people.items() if member != who
    }


class _Draft:
    """The exchange as it is so far."""

    def __init__(self, pool: Pool, now: Millis, facts: Facts) -> None:
        self.pool, self.now, self.facts = pool, now, facts
        self.people = dict(pool.people)
        self.opened: list[OpenExchange] = []

    def find(self, who: MemberId) -> Participant:
        return self.people.get(who) or Participant(member=who)

    def put(self, who: Participant) -> None:
        self.people[who.member] = who

    def decided(self) -> Decided:
        return Decided(pool=replace(self.pool, people=self.people), opened=tuple(self.opened))

    # ------------------------------------------------------------------------------------------ what is due

    def apply_due(self) -> None:
        for who in [*self.people.values()]:
            if who.running is not None:
                self._take_in(who, who.running)
        for who in [*self.people.values()]:
            self._drop_or_lapse(self.people[who.member])
        in_line = frozenset(who.member for who in self.people.values() if who.waiting is not None)
        for who in [*self.people.values()]:
            self._keep_apart(self.people[who.member], in_line)
        self._offer()

    def _take_in(self, who: Participant, running: Running) -> None:
        """Note the end of an exchange: for this person, as soon as it is known."""
        meeting = self.facts.meetings.get(running.meeting)
        has_just_begun = any(each.id == running.meeting for each in self.opened)
        if has_just_begun or (meeting is not None and meeting.is_live):
            return
        gone = None if meeting is None else meeting.gone
        ended_at = self.now if meeting is None or meeting.ended_at is None else meeting.ended_at
        how: Literal["even", "left", "was_left"] = "even"
        if gone is not None:
            had = gone.had_turn if gone.member == who.member else gone.other_had_turn
            how = "left" if gone.member == who.member else ("even" if had else "was_left")
        changed = replace(
            who,
            running=None,
            after=After(meeting=running.meeting, other=running.other, how=how, until=Millis(ended_at + AFTERWARDS)),
            met={**who.met, running.other: ended_at} if running.other else who.met,
        )
        if how == "was_left":
            # It was none: it costs them neither a pause nor one of the day.
            self.put(
                replace(
                    changed,
                    begun=tuple(at for at in who.begun if at != running.since),
                    first_until=Millis(ended_at + AFTERWARDS),
                )
            )
            return
        has_heard = meeting is None or running.other in meeting.had
        if gone is not None:
            has_heard = gone.other_had_turn if gone.member == who.member else gone.had_turn
        owes = gone is not None and gone.member == who.member and gone.had_turn and not gone.other_had_turn
        # Somebody who left before either was heard has not listened yet, and still owes what they owed.
        kept = None if has_heard else who.hears_first_until
        self.put(
            replace(
                changed,
                rests_until=Millis(ended_at + PAUSE),
                hears_first_until=Millis(ended_at + OWES) if owes else kept,
                first_until=None,
            )
        )

    def _keep_apart(self, who: Participant, in_line: frozenset[MemberId]) -> None:
        waiting = who.waiting
        if waiting is None:
            return
        avoid = self.facts.apart.get(who.member, frozenset()) & in_line
        if avoid != waiting.avoid:
            self.put(replace(who, waiting=replace(waiting, avoid=avoid)))
        if who.offer is not None and who.offer.other in avoid:
            for each in (who.member, who.offer.other):
                self.let_pass(self.find(each), has_passed=False)

    def _drop_or_lapse(self, who: Participant) -> None:
        if who.waiting is None:
            return
        if self.facts.is_off or who.member in self.facts.busy or self.now - who.seen_at >= GRACE:
            self.leave(who)
        elif who.offer is not None and self.now >= who.offer.until:
            for each in (who.member, who.offer.other):
                self.let_pass(self.find(each), has_passed=None)

    def leave(self, who: Participant) -> None:
        if who.offer is not None:
            self.let_pass(self.find(who.offer.other), has_passed=False)
        self.put(replace(self.find(who.member), waiting=None, offer=None))

    def let_pass(self, who: Participant, *, has_passed: bool | None) -> None:
        """End an offer for one of the two: they let it pass, did not, or (None) said nothing in time."""
        offer, waiting = who.offer, who.waiting
        if offer is None or waiting is None:
            return
        passes = waiting.passes + (not offer.yes if has_passed is None else has_passed)
        if passes >= MOST_PASSES:
            self.put(replace(who, waiting=None, offer=None))
            return
        waiting = replace(waiting, passes=passes, passed=waiting.passed | {offer.other})
        self.put(replace(who, waiting=waiting, offer=None))

    def _offer(self) -> None:
        line = [
            each
            for each in pairing.in_line(self.people.values(), self.now)
            if self.now - each.seen_at < REACHABLE and again_at(each, self.now) is None
        ]
        heads = HEADS
        while line and heads:
            heads -= 1
            who = line.pop(0)
            other = pairing.partner_of(who, line, self.now)
            if other is None or who.waiting is None or other.waiting is None:
                continue
            line.remove(other)
            id_ = MeetingId(ID_PREFIXES[RoomKind.MEETING] + _letters(self.facts.seed, who.member, other.member))
            minutes = min(who.waiting.wish.minutes, other.waiting.wish.minutes)
            until, why = Millis(self.now + OFFER), pairing.shared(who, other)
            for one, whom in ((who, other), (other, who)):
                self.put(replace(one, offer=Offer(id=id_, other=whom.member, until=until, minutes=minutes, why=why)))


def _carry_out(draft: _Draft, command: ExchangeAction, who: MemberId) -> None:
    found = draft.find(who)
    match command:
        case Practise():
            if found.practised_at is None:
                draft.put(replace(found, practised_at=draft.now))
        case Join():
            _join(draft, found, command)
        case Leave():
            draft.leave(found)
        case AnswerOffer():
            _answer(draft, found, command)
        case SayAfterwards():
            _say_afterwards(draft, found, command)
        case Renamed(name=name):
            if found.waiting is not None:
                draft.put(replace(found, waiting=replace(found.waiting, name=name)))
        case Dismiss():
            draft.leave(found)
        case ApplyDue():
            pass
        case _:
            assert_never(command)


def _join(draft: _Draft, who: Participant, command: Join) -> None:
    if command.wish.minutes not in LENGTHS:
        raise Refusal(Reason.INVALID, details={"field": "$.minutes", "problem": "8, 12 or 15"})
    if who.practised_at is None:
        raise Refusal(Reason.NOT_PRACTISED)
    if who.running is not None:
        raise Refusal(Reason.IN_EXCHANGE, details={"meeting": who.running.meeting})
    if who.member in draft.facts.busy:
        raise Refusal(Reason.IN_SESSION)
    at = again_at(who, draft.now)
    if at is not None:
        raise Refusal(Reason.EXCHANGES_USED, details={"again_at": at}, retry_after=(at - draft.now) / 1000)
    if who.waiting is not None:
        # The wish changes, and the place is kept. An offer that stands was made for the wish before.
        if who.offer is None:
            waiting = replace(who.waiting, wish=command.wish)
            draft.put(replace(who, waiting=waiting, seen_at=draft.now))
        return
    _require_place(draft, command)
    draft.put(
        replace(
            who,
            seen_at=draft.now,
            waiting=Waiting(
                name=command.name,
                asked_at=draft.now,
                wish=command.wish,
                networks=command.networks,
            ),
        )
    )


def _require_place(draft: _Draft, command: Join) -> None:
    waiting = [each.waiting for each in draft.people.values() if each.waiting is not None]
    if len(waiting) >= PLACES:
        raise Refusal(Reason.PLACES_USED)
    for network in command.networks[:1]:
        if sum(network in each.networks for each in waiting) >= PLACES_PER_NETWORK * command.allowance:
            raise Refusal(Reason.PLACES_USED)


def _answer(draft: _Draft, who: Participant, command: AnswerOffer) -> None:
    offer = who.offer
    if offer is None or offer.id != command.id:
        if command.yes and not (who.running is not None and who.running.meeting == command.id):
            raise Refusal(Reason.OFFER_GONE)
        return
    other = draft.find(offer.other)
    if not command.yes:
        draft.let_pass(other, has_passed=False)
        draft.let_pass(who, has_passed=True)
        return
    draft.put(replace(who, offer=replace(offer, yes=True)))
    if other.offer is None or not other.offer.yes or who.waiting is None or other.waiting is None:
        return
    draft.opened.append(
        OpenExchange(
            id=offer.id,
            names={who.member: who.waiting.name, other.member: other.waiting.name},
            minutes=offer.minutes,
            seed=draft.facts.seed,
            hears_first=pairing.hears_first(who, other, draft.now),
        )
    )
    for one, whom in ((who, other), (other, who)):
        running = Running(meeting=offer.id, other=whom.member, since=draft.now)
        draft.put(replace(one, waiting=None, offer=None, after=None, running=running, begun=(*one.begun, draft.now)))


def _say_afterwards(draft: _Draft, who: Participant, command: SayAfterwards) -> None:
    after = who.after
    if after is None or after.meeting != command.meeting:
        raise Refusal(Reason.MEETING_UNKNOWN)
    draft.put(
        replace(
            who,
            after=replace(
                after,
                heard=after.heard if command.heard is None else command.heard,
                again=after.again if command.again is None else command.again,
            ),
        )
    )


_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"


def _letters(*parts: str) -> str:
    digest = blake2b(" ".join(parts).encode(), digest_size=16).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest)
