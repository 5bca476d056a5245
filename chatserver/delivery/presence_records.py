"""What a worker keeps and tells of who is in which channel."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

from chatserver.domain.history import ChannelName
from chatserver.domain.identity import MemberId, Persona
from chatserver.protocol.internode import (
    PresenceDelta,
    PresenceSnapshot,
)

Shown = tuple[str, int]
"""The name, and its generation, under which somebody is shown."""
People = dict[ChannelName, dict[MemberId, Shown]]
"""By channel and member."""


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """What changed in a channel since it was last drained. A new name counts as one person who went and one who came; a
    change beside a name of the same generation (a role) counts as coming only."""

    here: int
    came: list[Persona]
    went: list[Persona]
    is_count_changed: bool


PresenceChanges = dict[ChannelName, PresenceChange]


class Listed(NamedTuple):
    """The members of a channel as they were last listed, at most `limit` of them."""

    limit: int
    people: list[Persona]
    members: set[MemberId]

    def followed_by(self, person: Persona) -> Listed:
        """Return the same with one more, who came last. The list is a new one; this object is not to be used again."""
        self.members.add(person.id)
        return self._replace(people=[*self.people, person])


@dataclass(slots=True)
class ToldBefore:
    """A channel as it was last told: how many were there, and who came, went or was renamed since, even for a moment,
    with every name they were shown under meanwhile."""

    here: int
    touched: dict[MemberId, dict[int, str]] = field(default_factory=dict)
    """Names by generation."""


@dataclass(slots=True)
class OtherWorker:
    """What is known of another worker: everything up to its delta `seq`, and that there are deltas up to `latest`."""

    heard_at: float
    seq: int = 0
    latest: int = 0
    pending: dict[int, PresenceDelta] = field(default_factory=dict)
    hole_since: float | None = None
    asked_at: float | None = None
    parts_seq: int = -1
    parts: dict[int, PresenceSnapshot] = field(default_factory=dict)


class OwnConnections:
    """The connections of this worker's own members in each channel: nearly always one, so a set of them would be
    expensive."""

    def __init__(self) -> None:
        self._keys: dict[ChannelName, dict[MemberId, tuple[Hashable, ...]]] = {}

    def enter(self, channel: ChannelName, member: MemberId, key: Hashable) -> None:
        """Note a connection of a member in a channel. Repeating it changes nothing."""
        members = self._keys.setdefault(channel, {})
        keys = members.get(member, ())
        if key not in keys:
            members[member] = (*keys, key)

    def leave(self, channel: ChannelName, member: MemberId, key: Hashable) -> bool:
        """Note that a connection is no longer in a channel. Return whether it was the member's last one there."""
        members = self._keys.get(channel, {})
        keys = members.get(member, ())
        if key not in keys:
            return False
        if len(keys) > 1:
            members[member] = tuple(each for each in keys if each != key)
            return False
        del members[member]
        if not members:
            del self._keys[channel]
        return True

    def channels_of(self, member: MemberId) -> list[ChannelName]:
        """Return the channels in which a member has a connection. Costs O(channels with own members)."""
        return [channel for channel, members in self._keys.items() if member in members]


def delta_cost(channel: str, member: MemberId, name: str) -> int:
    """Return about how many bytes one entry takes on the wire."""
    return len(channel) + len(member) + len(name.encode()) + 12
