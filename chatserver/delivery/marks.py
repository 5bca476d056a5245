"""What workers tell each other about members besides where they are: who is idle, who is new, and from which network.

A part of `presence`, whose deltas and snapshots carry it. None of it is ever shown to members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush

from chatserver.domain.history import ChannelName
from chatserver.domain.identity import MemberId, NodeId
from chatserver.domain.rooms.seats import Newcomer

Idle = dict[ChannelName, list[MemberId]]


class Marks:
    """Keep which members are idle in which channel on which worker, and which are newcomers.

    `channels_of` returns the channels that a member is in, on any worker. It is asked when somebody becomes, or is no
    longer, a newcomer; `entered` and `left` say what changes between.
    """

    def __init__(self, channels_of: Callable[[MemberId], Iterable[ChannelName]]) -> None:
        self._channels_of = channels_of
        self._idle: dict[NodeId, dict[ChannelName, set[MemberId]]] = {}
        self._new: dict[MemberId, Newcomer] = {}
        self._ends: list[tuple[int, MemberId]] = []
        """A heap of the times at which newcomers are no longer new. Entries that were replaced stay in it."""
        self._counts: dict[ChannelName, dict[str, int]] = {}
        """How many newcomers are in each channel, by network."""
        self._untold: dict[ChannelName, dict[MemberId, bool]] = {}

    # Newcomers

    def welcome(self, member: MemberId, newcomer: Newcomer) -> None:
        """Note that a member is new."""
        before = self._new.get(member)
        if before == newcomer:
            return
        self._new[member] = newcomer
        heappush(self._ends, (newcomer.until, member))
        for channel in self._channels_of(member):
            if before is not None:
                self._count(channel, before, -1)
            self._count(channel, newcomer, 1)

    def entered(self, channel: ChannelName, member: MemberId) -> None:
        """Note that a member, who was on no worker in a channel, is in it now."""
        found = self._new.get(member)
        if found is not None:
            self._count(channel, found, 1)

    def left(self, channel: ChannelName, member: MemberId) -> None:
        """Note that a member is on no worker in a channel any more."""
        found = self._new.get(member)
        if found is not None:
            self._count(channel, found, -1)

    def newcomer(self, member: MemberId) -> Newcomer | None:
        """Return what is known of a member who is, or recently was, new."""
        return self._new.get(member)

    def count(self, channel: ChannelName, now: int) -> Mapping[str, int]:
        """Return how many members of a channel are new at `now` (milliseconds), by each network that they are in. It
        is read only, and holds until the next change."""
        self.grow_up(now)
        return self._counts.get(channel, {})

    def grow_up(self, now: int) -> None:
        """Forget members who are no longer new."""
        ends = self._ends
        while ends and ends[0][0] <= now:
            until, member = heappop(ends)
            found = self._new.get(member)
            if found is not None and found.until == until:
                for channel in self._channels_of(member):
                    self._count(channel, found, -1)
                del self._new[member]

    def _count(self, channel: ChannelName, newcomer: Newcomer, change: int) -> None:
        counts = self._counts.setdefault(channel, {})
        for network in newcomer.networks:
            number = counts.get(network, 0) + change
            if number:
                counts[network] = number
            else:
                del counts[network]
        if not counts:
            del self._counts[channel]

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
