"""How a new guest is treated from whose network another was banned, muted or removed: with care, not refused.

Pure. Nobody is refused for the network that they share. A newcomer from the very address of somebody who is banned,
muted or removed solves a proof of work and only reads for a while; from the wider networks around it they solve the
proof of work, until several measures came from there (decision 0135).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.rooms.rooms import Room, RoomId
from chatserver.domain.sources import WIDENING, Prefixes

BAN_HOLDS: Final = 24 * 3_600_000
"""Milliseconds for which a ban follows its addresses, from when they were last seen there."""
MEASURE_HOLDS: Final = 3_600_000
"""Milliseconds for which a mute or a removal does."""
QUIET: Final = 10 * 60_000
"""Milliseconds for which a newcomer from there only reads."""


class Bar(msgspec.Struct, frozen=True):
    """A measure that holds for newcomers from the network with this key, in `room` or (None) everywhere, until `until`.
    `at` is when it was taken: somebody who was a member before that is no newcomer."""

    key: bytes
    measure: str
    at: Millis
    until: Millis
    room: RoomId | None = None


class Welcome(msgspec.Struct, frozen=True):
    """How a member from such a network is treated. `proves` are the rooms in which they solve a proof of work first,
    and `quiet` says until when they only read in which; None stands for every room."""

    proves: frozenset[RoomId | None] = frozenset()
    quiet: Mapping[RoomId | None, Millis] = {}

    def must_prove(self, room: Room) -> bool:
        """Return whether they have to solve the proof of work to enter this room."""
        return not self.proves.isdisjoint(_names_of(room))

    def quiet_until(self, room: Room) -> Millis | None:
        """Return until when they only read in this room, or None if they may write."""
        return max((self.quiet[name] for name in _names_of(room) if name in self.quiet), default=None)


USUAL: Final = Welcome()
"""The treatment of everybody else."""


def welcome(bars: Collection[Bar], prefixes: Prefixes, share: int, created_at: Millis, now: Millis) -> Welcome:
    """Return how to treat a member who became a guest at `created_at` and comes from `prefixes`.

    `share` is how many people are expected behind that address: if there is more than one, nobody is kept from writing
    for what another did.
    """
    counted: dict[tuple[int, RoomId | None], set[str]] = {}
    for bar in bars:
        width = _width(bar.key, prefixes)
        if width is not None and bar.at < created_at and bar.until > now:
            counted.setdefault((width, bar.room), set()).add(bar.measure)
    proves = frozenset(room for _, room in counted)
    until = Millis(created_at + QUIET)
    if share > 1 or until <= now:
        return Welcome(proves)
    return Welcome(proves, {room: until for (width, room), found in counted.items() if len(found) >= WIDENING[width]})


def _width(key: bytes, prefixes: Prefixes) -> int | None:
    for keys in (prefixes.today, prefixes.yesterday):
        if key in keys:
            return keys.index(key)
    return None


def _names_of(room: Room) -> tuple[RoomId | None, ...]:
    """Return the rooms for which a measure may have been taken that holds in this room: the room, the one that it was
    split from, or all."""
    return (None, room.id) if room.split_of is None else (None, room.id, room.split_of)
