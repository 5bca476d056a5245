"""Seats in rooms: how many one member has, how many of a room one network's newcomers have, and who gives one up.

Pure: counts and times arrive as arguments. `docs/decisions/0119` gives the reasons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.limits import Limits
from chatserver.domain.rooms.rooms import Room, RoomId
from chatserver.domain.rooms.settings import root_of

NEWCOMER_MILLIS: Final = 3_600_000
"""Milliseconds after which a guest is no longer a newcomer."""
FEWEST_NEWCOMERS: Final = 3
"""Newcomers of one network whom every room admits, however small it is."""


class Newcomer(NamedTuple):
    """A guest who is younger than an hour: the short keyed hash of where they come from, with another key each day;
    until when (milliseconds since 1970) they count as new; and the hashes of the wider networks around the first,
    narrowest first."""

    network: str
    until: int
    around: tuple[str, ...] = ()

    @property
    def networks(self) -> tuple[str, ...]:
        """Return all networks, narrowest first."""
        return (self.network, *self.around)


def seated_elsewhere(room: Room, rooms: Mapping[RoomId, Room], seated: frozenset[RoomId]) -> list[Room]:
    """Return the rooms whose seats count against a member who wants one in `room`, of those where they are `seated`.

    Rooms of the same family do not count: a member who is led to the room beside theirs leaves the first a moment
    later.
    """
    return [other for id_ in seated if (other := rooms.get(id_)) is not None and root_of(other) != root_of(room)]


def newcomers_allowed(capacity: int, allowance: int, limits: Limits) -> int:
    """Return how many newcomers of one network may be in a room of this capacity at once."""
    return max(FEWEST_NEWCOMERS, int(capacity * limits.newcomer_share)) * allowance


def newcomer(created_at: Millis, networks: Sequence[bytes], now: Millis) -> Newcomer | None:
    """Return what is told of a guest who became one at `created_at`, and comes from these networks, narrowest first;
    None for a member who is no newcomer, or whose network is not known."""
    until = created_at + NEWCOMER_MILLIS
    short = tuple(key[:6].hex() for key in networks if key)
    if not short or until <= now:
        return None
    return Newcomer(short[0], until, short[1:])


def giving_up(idle: list[MemberId], here: int, capacity: int) -> list[MemberId]:
    """Return which of the idle members give their seats up, if more members are here than fit.

    Every worker that has the same picture returns the same members, so that each acts only on its own.
    """
    return sorted(idle)[: max(0, here - capacity)]
