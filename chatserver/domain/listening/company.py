"""Company while waiting: seekers who wait sit together in a small closed room that a host keeps.

Pure: types only. `company_rules.py` decides. The invariants that every reachable state keeps:

- sitting changes no queue: nothing here is read by `matching.py`, and no seeker's record changes but for `alone`;
- only seekers who wait sit, each on one seat, and no more than there are seats;
- two people between whom there is a block never sit together;
- people may write only while a host was seen within `CompanyRules.host_grace`.
"""

from __future__ import annotations

from typing import Final, NewType

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import RoomId

CompanyId = NewType("CompanyId", str)
"""`c--` and random characters. Also the id of the closed room that the people of a company write in."""

ROOM_NAME: Final = "Company while you wait"


def room_of_company(company: CompanyId) -> RoomId:
    """Return the closed room of a company."""
    return RoomId(company)


class CompanyRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of company while waiting. Times in milliseconds."""

    seats: int = 5
    heavy_seats: int = 2
    """Seats for seekers who said that it feels at least as heavy as `heavy_from`."""
    heavy_from: int = 4
    offer_after: int = 3 * 60_000
    """Company is offered by itself from this estimated wait on, or if the wait cannot be estimated."""
    longest: int = 60 * 60_000
    """How long one host keeps company at a stretch."""
    pause: int = 15 * 60_000
    """How long a host rests afterwards."""
    host_grace: int = 60_000
    """A host who was not seen for longer is gone: nobody may write until they, or another host, are there."""
    host_gone: int = 5 * 60_000
    """How long a company waits for a host before it closes."""
    keep: int = 15 * 60_000
    """How long the posts are kept after the last seeker left."""


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A seeker in a company. `avoid` are the members between whom and the seeker there is a block."""

    member: MemberId
    since: Millis
    avoid: frozenset[MemberId] = frozenset()
    is_heavy: bool = False


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """Who left a company last, and whether their listener had come."""

    name: str
    met: bool
    at: Millis


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """A room of a host and of seekers who wait.

    `host` keeps it since `hosted_at`, or nobody does (None). `quiet_at` is since when nobody may write, because there
    is no host or the host was not seen. `emptied_at` is when the last seeker left, while nobody sits. `counts` says
    that the present host's time here counts in their caps, which it does from the first seeker on. After the end:
    `closed_at`.
    """

    id: CompanyId
    language: str
    opened_at: Millis
    hosted_at: Millis
    host: MemberId | None
    seats: tuple[Seat, ...] = ()
    counts: bool = False
    quiet_at: Millis | None = None
    emptied_at: Millis | None = None
    closed_at: Millis | None = None
    left: Departure | None = None

    @property
    def is_live(self) -> bool:
        return self.closed_at is None

    @property
    def people(self) -> tuple[MemberId, ...]:
        """Return the host, if there is one, and those who sit."""
        seated = tuple(seat.member for seat in self.seats)
        return seated if self.host is None else (self.host, *seated)

    def seat_of(self, member: MemberId) -> Seat | None:
        return next((seat for seat in self.seats if seat.member == member), None)


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """A staff member who keeps company, or did lately. `hosted` are the beginnings of their times with seekers in the
    last 24 hours, `rests_until` is when they may begin again. `seen_at` is when any worker last had a connection of
    theirs."""

    member: MemberId
    name: str
    seen_at: Millis
    hosted: tuple[Millis, ...] = ()
    rests_until: Millis | None = None
