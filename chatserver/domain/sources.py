"""Where somebody connects from: only keyed hashes, which nobody can reverse.

Pure.
"""

from __future__ import annotations

from typing import Final, NamedTuple

WIDENING: Final = (1, 2, 4)
"""How many times the allowance of one address each of its prefixes has: an IPv6 /64, /56 and /48. A /48 contains 65,536
of the first, so that only counting them together bounds it."""


class Prefixes(NamedTuple):
    """The keys of an address, narrowest first: of an IPv6 address its /64, /56 and /48, of an IPv4 address itself.

    Each is 12 bytes. Keys change at midnight UTC: `today` holds those that are used now, `yesterday` those that the
    same networks had the day before, in the same order.
    """

    today: tuple[bytes, ...] = ()
    yesterday: tuple[bytes, ...] = ()


class Source(NamedTuple):
    """An address, as limits see it. `share` is the number of people the operator expects behind it, as a factor of
    every allowance by address: 1 unless a shared network (a school, a clinic) is configured."""

    prefixes: Prefixes
    share: int = 1

    @property
    def key(self) -> bytes:
        """Return the narrowest key of today: of an IPv6 address its /64."""
        return self.prefixes.today[0]


UNKNOWN_SOURCE: Final = Source(Prefixes((b"",), (b"",)))
"""The source of a connection that came over no network, as in tests."""
