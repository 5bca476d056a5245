"""Who can be paired in the exchange, and who is paired first.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from chatserver.domain.exchange.state import (
    DAY,
    HEAVY_TOGETHER,
    LIGHT,
    Participant,
    Pool,
    Waiting,
    again_at,
    is_debtor,
    is_favoured,
)
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId


def may_meet(one: Participant, other: Participant, now: Millis) -> bool:
    """Return whether two people who wait can be paired: they speak a language, nobody of them blocks the other, they
    did not meet in the last 24 hours (unless both would like to meet again), at most one of them is in a hard place,
    and at most one of them has to listen first."""
    mine, theirs = one.waiting, other.waiting
    if mine is None or theirs is None or one.member == other.member:
        return False
    if mine.wish.language != theirs.wish.language:
        return False
    if other.member in mine.avoid | mine.passed or one.member in theirs.avoid | theirs.passed:
        return False
    if is_debtor(one, now) and is_debtor(other, now):
        return False
    if _met_lately(one, other, now) and not _again(one, other):
        return False
    return is_bearable(_weight(mine), _weight(theirs))


def is_bearable(one: int, other: int) -> bool:
    """Return whether two people can hold what each brings: light for both, or not too much together."""
    return max(one, other) <= LIGHT or one + other <= HEAVY_TOGETHER


def _weight(waiting: Waiting) -> int:
    # Who did not say is taken for neither light nor heavy.
    return LIGHT if waiting.wish.heavy is None else waiting.wish.heavy


def _met_lately(one: Participant, other: Participant, now: Millis) -> bool:
    found = [at for at in (one.met.get(other.member), other.met.get(one.member)) if at is not None]
    return any(at + DAY > now for at in found)


def _again(one: Participant, other: Participant) -> bool:
    return all(
        who.after is not None and who.after.other == whom.member and who.after.again
        for who, whom in ((one, other), (other, one))
    )


def in_line(people: Iterable[Participant], now: Millis) -> list[Participant]:
    """Return those who wait in their order: first those who were left, then by when they asked."""
    waiting = [(each, each.waiting) for each in people if each.waiting is not None and each.offer is None]
    waiting.sort(key=lambda each: (not is_favoured(each[0], now), each[1].asked_at, each[0].member))
    return [each for each, _ in waiting]


def shared(one: Participant, other: Participant) -> tuple[str, ...]:
    """Return the topics that two people share."""
    if one.waiting is None or other.waiting is None:
        return ()
    return tuple(topic for topic in one.waiting.wish.topics if topic in other.waiting.wish.topics)


def partner_of(who: Participant, line: list[Participant], now: Millis) -> Participant | None:
    """Return whom somebody is offered: of those who can meet them one who shares a topic, then who waits longest."""
    first: Participant | None = None
    for each in line:
        if (first is None or shared(who, each)) and may_meet(who, each, now):
            if shared(who, each):
                return each
            first = each
    return first


def hears_first(one: Participant, other: Participant, now: Millis) -> MemberId | None:
    """Return who of two people listens first in any case; None where chance draws it."""
    for who, whom in ((one, other), (other, one)):
        if is_debtor(who, now):
            return who.member
        if is_favoured(whom, now) and not is_favoured(who, now) and not is_debtor(whom, now):
            return who.member
    return None


def broken(pool: Pool, now: Millis) -> list[str]:
    """Return what a state breaks of the promises in `state.py`, in words; nothing if all is well."""
    found: list[str] = []
    for who in pool.people.values():
        if who.running is not None and (who.waiting is not None or who.offer is not None):
            found.append(f"{who.member} is in two places")
        if who.waiting is not None and who.practised_at is None:
            found.append(f"{who.member} has not practised")
        if who.waiting is not None and again_at(who, now) is not None:
            found.append(f"{who.member} is over a limit")
        if who.offer is not None:
            other = pool.people.get(who.offer.other)
            if other is None or other.offer is None or other.offer.id != who.offer.id:
                found.append(f"{who.member} is offered somebody who is not offered them")
            elif who.waiting is None or other.waiting is None:
                found.append(f"{who.member} is offered somebody, and does not wait")
            elif other.member in who.waiting.avoid or who.member in other.waiting.avoid:
                found.append(f"{who.member} is offered somebody who is blocked")
            elif not is_bearable(_weight(who.waiting), _weight(other.waiting)):
                found.append(f"{who.member} and {other.member} are both in a hard place")
    return found
