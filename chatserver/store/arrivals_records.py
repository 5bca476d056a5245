"""What callers and the store pass each other about credentials, sources and resting names."""

from __future__ import annotations

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId


class SourceSeen(msgspec.Struct, frozen=True):
    """A member was seen at a network. `key` is the network's keyed hash; `width` is 0 for the address itself (for IPv6
    its /64) and rises with the networks around it."""

    member: MemberId
    key: bytes
    width: int
    at: Millis


class NameRules(msgspec.Struct, frozen=True):
    """Rules for taking another name at `now`: it must not be nearly the same as the name of a member seen after
    `since`; the old name, if anything was written under it, rests until `until`."""

    now: Millis
    since: Millis
    until: Millis


__all__ = ["NameRules", "SourceSeen"]
