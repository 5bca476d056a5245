"""The part of the store's contract that knows who may come in, and how: credentials, sources and resting names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.newcomers import Bar


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


class ArrivalsStore(Protocol):
    """Keeps what decides how somebody comes in. `contract.Store` is one."""

    async def raise_credentials(self, member: MemberId, now: Millis, *, drops_code: bool) -> int:
        """End every token that somebody has, and with `drops_code` their come-back code. Returns the generation that a
        token needs from now on. Raises MEMBER_UNKNOWN."""
        ...

    async def credentials_since(self, since: Millis) -> dict[MemberId, int]:
        """Return whose tokens were ended since then, with the generation that is good, in one cheap read."""
        ...

    async def note_sources(self, seen: Sequence[SourceSeen]) -> None:
        """Remember where members were seen. A later time replaces an earlier one; who is no member is left out."""
        ...

    async def bars(self, keys: Collection[bytes], now: Millis) -> list[Bar]:
        """Return the measures that hold for newcomers from networks with these keys."""
        ...


__all__ = ["ArrivalsStore", "NameRules", "SourceSeen"]
