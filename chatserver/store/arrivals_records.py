"""What a store is told and tells of credentials, sources and resting names."""

from __future__ import annotations

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId


class SourceSeen(msgspec.Struct, frozen=True):
    """A member was seen at a network. `key` is its keyed hash, `width` is 0 for the address itself (of IPv6 its /64)
    and rises with the networks around it."""

    member: MemberId
    key: bytes
    width: int
    at: Millis


class NameRules(msgspec.Struct, frozen=True):
    """What else holds when somebody takes another name at `now`: names of whoever was here after `since` must not be
    nearly the same, and the old name, if anything was written under it, rests until `until`."""

    now: Millis
    since: Millis
    until: Millis


__all__ = ["NameRules", "SourceSeen"]
