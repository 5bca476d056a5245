"""Floods of alerts: when so many come from new people at once that they are folded into one card.

Pure: counts and times arrive as arguments. A flood takes the attention of all moderators; folding it loses nothing, and
frees the attention (decision 0117).
"""

from __future__ import annotations

from typing import Final

import msgspec

from chatserver.domain.sources import WIDENING

MINUTE: Final = 60_000
LONG: Final = 10 * MINUTE
"""Milliseconds of the longer of the two windows in which alerts are counted."""
LONG_FACTOR: Final = 3
"""How many times the limit of a minute makes a flood within `LONG`: slow floods are found, too."""
FEWEST: Final = 2
"""The least number of people of one address that make a flood. What one person raises is one card anyway."""
STAYS: Final = LONG
"""Milliseconds since a flood's last alert within which the next one of new people joins it at once."""


class FloodRules(msgspec.Struct, frozen=True, kw_only=True):
    """How many alerts a minute are not a flood yet: `per_address` of new people of one address, and `people` new
    people, of one address, or of all those that have no flood of their own."""

    per_address: int = 12
    people: int = 10


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a command comes from: the keyed hash of its address, whose key changes every day (UTC), those of the wider
    networks around it, narrowest first, and the rules."""

    address: bytes
    rules: FloodRules = FloodRules()
    around: tuple[bytes, ...] = ()

    @property
    def path(self) -> bytes:
        """Return all keys in one, the widest first: what comes from the same network begins with the same bytes."""
        return b"".join(reversed((self.address, *self.around)))

    @property
    def places(self) -> tuple[tuple[bytes, FloodRules], ...]:
        """Return the beginning of the path of each network that contains this address, narrowest first, with its
        rules."""
        keys = (self.address, *self.around)
        return tuple(
            (
                b"".join(reversed(keys[number:])),
                msgspec.structs.replace(self.rules, per_address=self.rules.per_address * scale),
            )
            for number, scale in zip(range(len(keys)), WIDENING, strict=False)
        )


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts of new people within a minute and within `LONG`: how many, and of how many people."""

    alerts: int
    people: int
    alerts_long: int
    people_long: int


def is_flood_of_address(seen: Seen, rules: FloodRules) -> bool:
    """Return whether what new people of one address raised is a flood. As many people as make a flood of all
    addresses also make one of a single address: otherwise a crowd that raises one alert each would draw in people
    from elsewhere."""
    if is_flood_of_all(seen, rules):
        return True
    if seen.people >= FEWEST and seen.alerts > rules.per_address:
        return True
    return seen.people_long >= FEWEST and seen.alerts_long > rules.per_address * LONG_FACTOR


def most_of_one_address(rules: FloodRules) -> int:
    """Return for how many people one address counts at most among all: a flood of all needs at least three addresses.
    Otherwise a crowd of one address would only have to wait for a few others to draw in everybody new."""
    return max(1, rules.people // 2)


def is_flood_of_all(seen: Seen, rules: FloodRules) -> bool:
    """Return whether what new people of all addresses raised is a flood, without those whose address has one."""
    return seen.people > rules.people or seen.people_long > rules.people * LONG_FACTOR
