"""What callers and the store pass each other about the exchange."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chatserver.domain.exchange.decide import Decided, Facts
from chatserver.domain.exchange.state import Pool
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings.state import Meeting, MeetingId
from chatserver.domain.rooms.rooms import Publication


class ExchangeChange(msgspec.Struct, frozen=True, kw_only=True):
    """One command on the exchange, to be decided inside the transaction that saves the result. `decide` also carries
    out what is due, may read a clock, may be called again, and MUST NOT block. `members` are those whom it concerns
    besides everybody who waits, `seed` is chance, and `now` is the time of what it publishes."""

    decide: Callable[[Pool, Facts], Decided]
    members: tuple[MemberId, ...]
    seed: str
    now: Millis


class ExchangeCommitted(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit did: the state after it, the meetings that it opened, and what has to be announced."""

    pool: Pool
    opened: tuple[Meeting, ...] = ()
    publications: tuple[Publication, ...] = ()


class ExchangePicture(msgspec.Struct, frozen=True, kw_only=True):
    """The exchange as it is now, with what it is decided by."""

    pool: Pool
    meetings: dict[MeetingId, Meeting]
    apart: dict[MemberId, frozenset[MemberId]]
    busy: frozenset[MemberId]


class KeptOfExchange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the exchange keeps of somebody. `with_others` counts those whom they met in the last 24 hours: who those are
    is theirs."""

    practised_at: Millis | None = None
    waits_since: Millis | None = None
    minutes: int | None = None
    heavy: int | None = None
    topics: tuple[str, ...] = ()
    begun: tuple[Millis, ...] = ()
    rests_until: Millis | None = None
    hears_first_until: Millis | None = None
    with_others: int = 0
    heard: int | None = None
    again: bool = False
