"""What workers tell each other about members besides where they are: who is idle, who is new, and from which network.

A part of `presence`, whose deltas and snapshots carry it. None of it is ever shown to members.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chatserver.domain.history import ChannelName
from chatserver.domain.identity import MemberId, NodeId
from chatserver.domain.rooms.seats import Newcomer

Idle = dict[ChannelName, list[MemberId]]


class Marks:
    """Keep which members are idle in which channel on which worker, and which are newcomers."""

    def __init__(self) -> None:
        self._idle: dict[NodeId, dict[ChannelName, set[MemberId]]] = {}
        self._new: dict[MemberId, Newcomer] = {}
        self._untold: dict[ChannelName, dict[MemberId, bool]] = {}

    # Newcomers

    def welcome(self, member: MemberId, newcomer: Newcomer) -> None:
        """Note that a member is new."""
        self._new[member] = newcomer

    def newcomer(self, member: MemberId) -> Newcomer | None:
        """Return what is known of a member who is, or recently was, new."""
        return self._new.get(member)

    def count(self, members: Iterable[MemberId], now: int) -> dict[str, int]:
        """Return how many of these members are new at `now` (milliseconds), by each network that they are in."""
        counts: dict[str, int] = {}
        for member in members:
            found = self._new.get(member)
            if found is not None and found.until > now:
                for network in found.networks:
                    counts[network] = counts.get(network, 0) + 1
        return counts

    def grow_up(self, now: int) -> None:
        """Forget members who are no longer new."""
        self._new = {member: found for member, found in self._new.items() if found.until > now}

    # Idle members

    def set_idle(self, node: NodeId, channel: ChannelName, member: MemberId, is_idle: bool) -> bool:
        """Note whether a member is idle in a channel on one worker. Return whether that is a change."""
        if self.is_idle(node, channel, member) is is_idle:
            return False
        channels = self._idle.setdefault(node, {})
        if is_idle:
            channels.setdefault(channel, set()).add(member)
        else:
            channels[channel].discard(member)
            if not channels[channel]:
                del channels[channel]
        return True

    def is_idle(self, node: NodeId, channel: ChannelName, member: MemberId) -> bool:
        """Return whether a member is idle in a channel on one worker."""
        return member in self._idle.get(node, {}).get(channel, ())

    def replace(self, node: NodeId, idle: Mapping[ChannelName, Iterable[MemberId]]) -> None:
        """Replace everything that a worker said of its members by this."""
        self._idle[node] = {channel: set(members) for channel, members in idle.items() if members}

    def forget(self, node: NodeId) -> None:
        """Forget what a worker that is gone said."""
        self._idle.pop(node, None)

    # What the others are to be told

    def tell(self, channel: ChannelName, member: MemberId, is_idle: bool) -> None:
        """Note a change of this worker's own members that the others do not know yet."""
        self._untold.setdefault(channel, {})[member] = is_idle

    @property
    def has_untold(self) -> bool:
        """Return whether there are changes that the others do not know yet."""
        return bool(self._untold)

    def take_untold(self) -> list[tuple[ChannelName, MemberId, bool]]:
        """Return the changes that the others do not know yet, each once."""
        untold, self._untold = self._untold, {}
        return [(channel, member, is_idle) for channel, each in untold.items() for member, is_idle in each.items()]
