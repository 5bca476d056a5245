"""The exchange: people who would like to talk for as long as they listen, and the pairs that are made of them.

Pure: types only. `pairing.py` says who can be paired, and `decide.py` what happens. The exchange itself is a meeting of
two people (`domain/meetings/pairs.py`).

What every reachable state keeps (`pairing.broken` checks it in tests):

- somebody who waits or is offered somebody has practised, is in no exchange, and is over no limit;
- an offer is between two people, who have each the same one;
- two people who are paired do not block each other, and are not both in a hard place.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings.state import MeetingId

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
LENGTHS: Final = (8, 12, 15)
"""Minutes that somebody can have for themselves."""
REACHABLE: Final = 15_000
"""Milliseconds after which somebody who was not seen is offered to nobody."""
GRACE: Final = 3 * MINUTE
"""Milliseconds without a connection after which somebody waits no more."""
OFFER: Final = MINUTE
"""Milliseconds in which both can say yes."""
MOST_PASSES: Final = 2
"""Offers that somebody lets pass before they wait no more."""
A_DAY: Final = 2
"""Exchanges in 24 hours."""
PAUSE: Final = 15 * MINUTE
"""Milliseconds between two exchanges of one person."""
OWES: Final = 30 * DAY
"""Milliseconds for which somebody who left after their own turn listens first in their next exchange."""
AFTERWARDS: Final = HOUR
"""Milliseconds for which one can say something about an exchange afterwards, and be first after somebody left."""
LIGHT: Final = 3
HEAVY_TOGETHER: Final = 6
"""How heavy it may be for each of two people, or for both together, from 1 to 5."""
PLACES_PER_NETWORK: Final = 3
"""How many people of one address can wait at once, times the allowance of a shared network."""
PLACES: Final = 200
"""How many people can wait at once."""
HEADS: Final = 50
"""For how many of them, from the front of the line, somebody is looked for at a time."""


class Wish(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody would like: `minutes` for each, a language, topics (ids of rooms), and how heavy it feels, 1 to
    5."""

    minutes: int = 12
    language: str = "en"
    heavy: int | None = None
    topics: tuple[str, ...] = ()


class Waiting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody's place in the line. `avoid` are those of them whom one blocks; `passed` those with
    whom an offer came to nothing. `networks` are keyed hashes of where they asked from, narrowest first."""

    name: str
    asked_at: Millis
    wish: Wish
    avoid: frozenset[MemberId] = frozenset()
    passed: frozenset[MemberId] = frozenset()
    passes: int = 0
    networks: tuple[str, ...] = ()


class Offer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody was found. `minutes` is what each would have, `why` says what they share, as short keys."""

    id: MeetingId
    other: MemberId
    until: Millis
    minutes: int
    why: tuple[str, ...] = ()
    yes: bool = False


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """An exchange that goes on, as far as is known here."""

    meeting: MeetingId
    other: MemberId
    since: Millis


class After(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An exchange that is over: `how` it ended for this person, until when they can say something about it, and whether
    they would like to meet `again`, which the other is not told."""

    meeting: MeetingId
    other: MemberId
    how: Literal["even", "left", "was_left"]
    until: Millis
    heard: int | None = None
    again: bool = False


class Participant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the exchange knows of one member.

    `begun` are the beginnings of their exchanges of the last 24 hours, `rests_until` ends their pause. Until
    `hears_first_until` they listen first, because they left after their own turn. Until `first_until` they are first in
    the line, and begin, because somebody left them. `met` says whom they met when, in the last 24 hours. `seen_at` is
    when any worker last had a connection of theirs.
    """

    member: MemberId
    seen_at: Millis = Millis(0)
    practised_at: Millis | None = None
    waiting: Waiting | None = None
    offer: Offer | None = None
    running: Running | None = None
    after: After | None = None
    begun: tuple[Millis, ...] = ()
    rests_until: Millis | None = None
    hears_first_until: Millis | None = None
    first_until: Millis | None = None
    met: dict[MemberId, Millis] = {}

    @property
    def is_active(self) -> bool:
        """Return whether they wait, or are in an exchange."""
        return self.waiting is not None or self.running is not None

    @property
    def names(self) -> frozenset[MemberId]:
        """Return the others that this record names."""
        found = {each.other for each in (self.offer, self.running, self.after) if each is not None}
        waiting = self.waiting
        apart = frozenset[MemberId]() if waiting is None else waiting.avoid | waiting.passed
        return frozenset(found | self.met.keys() | apart)


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody who waits, was offered somebody, or is in an exchange, and others whom a decision concerns."""

    version: int = 0
    people: dict[MemberId, Participant] = {}


def again_at(who: Participant, now: Millis) -> Millis | None:
    """Return from when on somebody may have another exchange; None for now."""
    lately = [at for at in who.begun if at > now - DAY]
    waits = [who.rests_until or 0]
    if len(lately) >= A_DAY:
        waits.append(lately[-A_DAY] + DAY)
    latest = max(waits)
    return Millis(latest) if latest > now else None


def is_debtor(who: Participant, now: Millis) -> bool:
    """Return whether somebody listens first in their next exchange."""
    return who.hears_first_until is not None and now < who.hears_first_until


def is_favoured(who: Participant, now: Millis) -> bool:
    """Return whether somebody is first in the line and begins, because they were left."""
    return who.first_until is not None and now < who.first_until


def expires_at(who: Participant) -> Millis | None:
    """Return when something of a record is to be forgotten next; None where nothing is."""
    found: list[Millis] = [Millis(at + DAY) for at in (*who.begun, *who.met.values())]
    found += [each for each in (who.rests_until, who.hears_first_until, who.first_until) if each is not None]
    if who.after is not None:
        found.append(who.after.until)
    return min(found, default=None)


def pruned(who: Participant, now: Millis) -> Participant:
    """Return a record without what is over."""

    def kept(at: Millis | None) -> Millis | None:
        return at if at is not None and at > now else None

    return msgspec.structs.replace(
        who,
        begun=tuple(at for at in who.begun if at + DAY > now),
        met={other: at for other, at in who.met.items() if at + DAY > now},
        rests_until=kept(who.rests_until),
        hears_first_until=kept(who.hears_first_until),
        first_until=kept(who.first_until),
        after=who.after if who.after is not None and who.after.until > now else None,
    )


def without(who: Participant, gone: MemberId) -> Participant:
    """Return a record that does not name a member who is erased."""
    waiting = who.waiting
    if waiting is not None:
        waiting = msgspec.structs.replace(waiting, avoid=waiting.avoid - {gone}, passed=waiting.passed - {gone})
    nobody = MemberId("")
    running = who.running
    if running is not None and running.other == gone:
        running = msgspec.structs.replace(running, other=nobody)
    after = who.after
    if after is not None and after.other == gone:
        after = msgspec.structs.replace(after, other=nobody)
    return msgspec.structs.replace(
        who,
        waiting=waiting,
        offer=None if who.offer is not None and who.offer.other == gone else who.offer,
        running=running,
        after=after,
        met={other: at for other, at in who.met.items() if other != gone},
    )
