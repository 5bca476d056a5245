"""Who is in which channel, over all workers.

Each worker is the authority on the members behind its own connections. It tells the others what changes (deltas,
numbered without a hole) and that it lives (leases). A worker that notices a hole asks for a snapshot. A worker that is
silent too long is dead, and its people are gone. Messages may be lost, repeated or reordered; at rest all workers
agree.

Sans-I/O: the clock arrives as an argument, any monotonic one in seconds; messages to send are returned.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from itertools import islice
from typing import Final

from chatserver.bus.contract import Topic
from chatserver.delivery.marks import Idle, Marks
from chatserver.delivery.presence_records import (
    Listed,
    OtherWorker,
    OwnConnections,
    People,
    PresenceChange,
    PresenceChanges,
    Shown,
    ToldBefore,
    delta_cost,
)
from chatserver.domain.history import ChannelName
from chatserver.domain.identity import MemberId, NodeId, Persona
from chatserver.domain.rooms.seats import Newcomer
from chatserver.protocol.internode import (
    TOPIC_NODES,
    Lease,
    NodeLeft,
    PresenceDelta,
    PresenceSnapshot,
    SnapshotWanted,
    node_topic,
)

PresenceMessage = PresenceDelta | PresenceSnapshot | Lease | SnapshotWanted | NodeLeft

DELTA_SECONDS: Final = 0.1
"""Seconds between two deltas: changes are collected and sent together."""
LEASE_SECONDS: Final = 1.0
DEAD_SECONDS: Final = 4.0
HOLE_SECONDS: Final = 0.25
"""Seconds for which a missing delta may simply be late before a snapshot is asked for."""
ASK_SECONDS: Final = 0.7
"""Seconds to wait for the answer before asking again."""
STALL_SECONDS: Final = 1.0
"""A gap between two ticks after which this worker itself stood still, so that the silence of others proves nothing."""
LEFT_SECONDS: Final = 30.0
"""Seconds for which late messages of a worker that said goodbye are ignored."""
PAYLOAD_BYTES: Final = 30_000
"""Deltas and snapshots are split so that none has many more bytes than this."""
_MARKS_AT_ONCE: Final = 300
"""The most members that one delta marks as idle or no longer idle."""
PENDING_DELTAS: Final = 256
"""Deltas kept behind a hole. If more are missing, only a snapshot helps."""


class Presence:
    """One worker's view of who is where, and its part in keeping all views the same."""

    def __init__(self, node: NodeId) -> None:
        self.node = node
        self._connections = OwnConnections()
        self._people: dict[NodeId, People] = {node: {}}
        self._alone: dict[NodeId, tuple[NodeId]] = {node: (node,)}
        # The workers on which each member of a channel is, in the order of their ids. The first one's name is shown, so
        # that every worker shows the same. A tuple per member would be expensive; members on one worker share it.
        self._here: dict[ChannelName, dict[MemberId, tuple[NodeId, ...]]] = {}
        self._own_counts: dict[ChannelName, int] = {}
        self._before: dict[ChannelName, ToldBefore] = {}
        self._others: dict[NodeId, OtherWorker] = {}
        self._left: dict[NodeId, float] = {}
        self._seq = 0
        self._untold: dict[ChannelName, dict[MemberId, Shown | None]] = {}
        self._told_at = float("-inf")
        self._lease_at = float("-inf")
        self._ticked_at: float | None = None
        self._asking: dict[NodeId, None] = {}
        self._is_new = True
        self._marks = Marks(self.channels_of)
        self._listed: dict[ChannelName, Listed] = {}

    # What this worker's own connections do.

    def enter(
        self, channel: ChannelName, person: Persona, connection_key: Hashable, newcomer: Newcomer | None = None
    ) -> None:
        """Note that a connection of a member is in a channel. Repeating it changes only the name. `newcomer` is given
        for a guest who is new."""
        if newcomer is not None:
            self._marks.welcome(person.id, newcomer)
        self._connections.enter(channel, person.id, connection_key)
        self._own_set(channel, person.id, (person.name, person.generation))

    def leave(self, channel: ChannelName, member: MemberId, connection_key: Hashable) -> None:
        """Note that a connection is no longer in a channel; with their last one, the member is not either. Repeating it
        changes nothing."""
        if self._connections.leave(channel, member, connection_key):
            self._own_set(channel, member, None)

    def rename(self, person: Persona) -> None:
        """Change a member's name in every channel on this worker. Call it on every worker. Costs O(channels here)."""
        for channel in self._connections.channels_of(person.id):
            self._own_set(channel, person.id, (person.name, person.generation))

    def set_idle(self, channel: ChannelName, member: MemberId, is_idle: bool) -> None:
        """Note whether one of this worker's own members has done nothing in a channel for long. Repeating it changes
        nothing."""
        is_own = member in self._people[self.node].get(channel, ())
        if (is_own or not is_idle) and self._marks.set_idle(self.node, channel, member, is_idle):
            self._marks.tell(channel, member, is_idle)

    # What the worker asks.

    def here(self, channel: ChannelName) -> int:
        """Return how many members are in a channel, on all workers, each counted once."""
        return len(self._here.get(channel, ()))

    def is_here(self, channel: ChannelName, member: MemberId) -> bool:
        """Return whether a member is in a channel, on any worker."""
        return member in self._here.get(channel, ())

    def nodes_of(self, channel: ChannelName, member: MemberId) -> tuple[NodeId, ...]:
        """Return the workers on which a member is in a channel."""
        return self._here.get(channel, {}).get(member, ())

    def persona(self, channel: ChannelName, member: MemberId) -> Persona | None:
        """Return the name and role under which a member is shown in a channel, or None if they are not there."""
        shown = self._shown(channel, member)
        return None if shown is None else Persona(member, *shown)

    def own(self, channel: ChannelName) -> list[MemberId]:
        """Return the members of this worker who are in a channel."""
        return [*self._people[self.node].get(channel, ())]

    def channels_of(self, member: MemberId) -> list[ChannelName]:
        """Return the channels that a member is in, on any worker. Costs O(non-empty channels)."""
        return [channel for channel, members in self._here.items() if member in members]

    def idle(self, channel: ChannelName) -> list[MemberId]:
        """Return the members who have done nothing in a channel for long, on any worker."""
        return [
            member
            for member, nodes in self._here.get(channel, {}).items()
            if all(self._marks.is_idle(node, channel, member) for node in nodes)
        ]

    def newcomers(self, channel: ChannelName, now: int) -> Mapping[str, int]:
        """Return how many members of a channel are new at `now` (milliseconds), by network. Not to be changed."""
        return self._marks.count(channel, now)

    def grow_up(self, now: int) -> None:
        """Forget where members came from who are no longer newcomers. Call it now and then."""
        self._marks.grow_up(now)

    def people(self, channel: ChannelName, limit: int) -> list[Persona]:
        """Return at most `limit` members in a channel, those who have been there longest first. It is the same list,
        not to be changed, until it differs. Making one costs O(limit)."""
        listed = self._listed.get(channel)
        if listed is None or listed.limit != limit:
            members = islice(self._here.get(channel, {}).items(), limit)
            people = [Persona(member, *self._people[nodes[0]][channel][member]) for member, nodes in members]
            if not people:
                return people
            listed = self._listed[channel] = Listed(limit, people, {each.id for each in people})
        return listed.people

    def own_counts(self) -> dict[ChannelName, int]:
        """Return how many of each channel's members this worker answers for: its own members who are on no worker with
        a lower id. Summed over all workers, everybody counts once. Costs O(channels here)."""
        return {**self._own_counts}

    def nodes(self) -> frozenset[NodeId]:
        """Return the workers that live, this one included, as far as is known."""
        return frozenset((self.node, *self._others))

    def drain_changes(self, is_wanted: Callable[[ChannelName], bool] = lambda channel: True) -> PresenceChanges:
        """Return what changed since it was last returned, of the channels that are wanted. Costs O(changes).

        Somebody who was there or away for a moment is included: a list made in that moment is wrong about them.
        """
        changes: PresenceChanges = {}
        for channel in [channel for channel in self._before if is_wanted(channel)]:
            before = self._before.pop(channel)
            came: list[Persona] = []
            went: list[Persona] = []
            for member, names in before.touched.items():
                now = self._shown(channel, member)
                if now is not None:
                    came.append(Persona(member, *now))
                    names.pop(now[1], None)
                went += (Persona(member, name, generation) for generation, name in names.items())
            if came or went:
                here = self.here(channel)
                changes[channel] = PresenceChange(here, came, went, here != before.here)
        return changes

    # What workers tell each other.

    def tick(self, now: float) -> list[tuple[Topic, PresenceMessage]]:
        """Return the messages to publish now. Call it about every 100 ms."""
        self._bury(now)
        out: list[tuple[Topic, PresenceMessage]] = []
        if self._is_new:
            self._is_new = False
            out.append((TOPIC_NODES, SnapshotWanted()))
        # A snapshot belongs to a seq, so its content must have been told before it.
        if (self._untold or self._marks.has_untold) and (self._asking or now - self._told_at >= DELTA_SECONDS):
            self._told_at = now
            out.extend((TOPIC_NODES, delta) for delta in self._deltas())
        if now - self._lease_at >= LEASE_SECONDS:
            self._lease_at = now
            out.append((TOPIC_NODES, Lease(self._seq)))
        if self._asking:
            snapshot = list(self._snapshot())
            out.extend((node_topic(node), part) for node in self._asking for part in snapshot)
            self._asking = {}
        for node, other in self._others.items():
            if other.hole_since is None or now - other.hole_since < HOLE_SECONDS:
                continue
            if other.asked_at is None or now - other.asked_at >= ASK_SECONDS:
                other.asked_at = now
                out.append((node_topic(node), SnapshotWanted()))
        return out

    def receive(self, sender: NodeId, message: PresenceMessage, now: float) -> None:
        """Apply another worker's message. This worker's own messages are ignored."""
        if sender == self.node or sender in self._left:
            return
        if isinstance(message, NodeLeft):
            self._left[sender] = now
            self._forget(sender)
            return
        other = self._others.get(sender)
        if other is None:
            other = self._others[sender] = OtherWorker(heard_at=now)
            self._people[sender] = {}
            self._alone[sender] = (sender,)
        other.heard_at = max(other.heard_at, now)
        match message:
            case Lease(seq=seq):
                other.latest = max(other.latest, seq)
            case PresenceDelta(seq=seq):
                other.latest = max(other.latest, seq)
                if seq > other.seq:
                    if len(other.pending) >= PENDING_DELTAS:
                        other.pending.clear()
                    other.pending[seq] = message
                    self._catch_up(sender, other)
            case PresenceSnapshot():
                other.latest = max(other.latest, message.seq)
                self._take_part(sender, other, message)
            case SnapshotWanted():
                self._asking[sender] = None
        if other.seq >= other.latest:
            other.hole_since = other.asked_at = None
        elif other.hole_since is None:
            other.hole_since = now

    def farewell(self) -> list[tuple[Topic, PresenceMessage]]:
        """Return the last messages to publish when this worker stops."""
        return [(TOPIC_NODES, NodeLeft())]

    # Other workers.

    def _bury(self, now: float) -> None:
        """Forget workers that have been silent too long."""
        stalled = 0.0 if self._ticked_at is None else max(0.0, now - self._ticked_at - STALL_SECONDS)
        self._ticked_at = now
        dead = []
        for node, other in self._others.items():
            other.heard_at += stalled
            if now - other.heard_at > DEAD_SECONDS:
                dead.append(node)
        for node in dead:
            self._forget(node)
        for node in [node for node, left_at in self._left.items() if now - left_at > LEFT_SECONDS]:
            del self._left[node]

    def _forget(self, node: NodeId) -> None:
        self._asking.pop(node, None)
        if self._others.pop(node, None) is not None:
            self._replace(node, {})
            del self._people[node], self._alone[node]
            self._marks.forget(node)

    def _catch_up(self, node: NodeId, other: OtherWorker) -> None:
        """Apply the deltas that follow what is known, as far as they are there."""
        while (delta := other.pending.pop(other.seq + 1, None)) is not None:
            other.seq += 1
            for channel, members in delta.went.items():
                for member in members:
                    self._set(node, channel, member, None)
            for channel, people in delta.came.items():
                for member, name, generation in people:
                    self._set(node, channel, member, (name, generation))
            self._take_marks(delta.new)
            for idle, is_idle in ((delta.idle, True), (delta.awake, False)):
                for channel, members in idle.items():
                    for member in members:
                        self._marks.set_idle(node, channel, member, is_idle)

    def _take_part(self, node: NodeId, other: OtherWorker, part: PresenceSnapshot) -> None:
        if part.seq <= other.seq or part.seq < other.parts_seq:
            return
        if part.seq > other.parts_seq:
            other.parts_seq, other.parts = part.seq, {}
        other.parts[part.part] = part
        if len(other.parts) < part.parts:
            return
        people: People = {}
        idle: Idle = {}
        for one in other.parts.values():
            for channel, entries in one.people.items():
                people.setdefault(channel, {}).update({who: (name, generation) for who, name, generation in entries})
            for channel, members in one.idle.items():
                idle.setdefault(channel, []).extend(members)
            self._take_marks(one.new)
        other.parts = {}
        self._replace(node, people)
        self._marks.replace(node, idle)
        other.seq = part.seq
        other.pending = {seq: delta for seq, delta in other.pending.items() if seq > part.seq}
        self._catch_up(node, other)

    def _take_marks(self, new: Mapping[MemberId, tuple[str, int, tuple[str, ...]]]) -> None:
        for member, told in new.items():
            self._marks.welcome(member, Newcomer(*told))

    def _replace(self, node: NodeId, people: People) -> None:
        for channel, names in list(self._people[node].items()):
            kept = people.get(channel, {})
            for member in [member for member in names if member not in kept]:
                self._set(node, channel, member, None)
        for channel, names in people.items():
            for member, shown in names.items():
                self._set(node, channel, member, shown)

    # This worker's own people, told.

    def _own_set(self, channel: ChannelName, member: MemberId, shown: Shown | None) -> None:
        """Change one of this worker's own members, and note what the others were last told."""
        untold = self._untold.setdefault(channel, {})
        if member not in untold:
            untold[member] = self._people[self.node].get(channel, {}).get(member)
        self._set(self.node, channel, member, shown)

    def _deltas(self) -> Iterator[PresenceDelta]:
        """Yield what the others have not been told, in as many deltas as needed."""
        untold, self._untold = self._untold, {}
        own = self._people[self.node]
        came: dict[ChannelName, list[tuple[MemberId, str, int]]] = {}
        went: dict[ChannelName, list[MemberId]] = {}
        new: dict[MemberId, tuple[str, int, tuple[str, ...]]] = {}
        size = 0
        for channel, members in untold.items():
            names = own.get(channel, {})
            for member, told in members.items():
                shown = names.get(member)
                if shown == told:
                    continue
                cost = delta_cost(
                    "" if channel in came and channel in went else channel, member, shown[0] if shown else ""
                )
                if size and size + cost > PAYLOAD_BYTES:
                    self._seq += 1
                    yield PresenceDelta(self._seq, came, went, new)
                    came, went, new, size = {}, {}, {}, 0
                size += cost
                if shown is None:
                    went.setdefault(channel, []).append(member)
                else:
                    came.setdefault(channel, []).append((member, *shown))
                    size += self._mark(member, new)
        if size:
            self._seq += 1
            yield PresenceDelta(self._seq, came, went, new)
        yield from self._idle_deltas()

    def _mark(self, member: MemberId, new: dict[MemberId, tuple[str, int, tuple[str, ...]]]) -> int:
        """Add what is to be told of a newcomer; return about how many bytes that takes."""
        found = self._marks.newcomer(member)
        if found is None:
            return 0
        new[member] = (found.network, found.until, found.around)
        return delta_cost("", member, "".join(found.networks)) + 9 + len(found.around)

    def _idle_deltas(self) -> Iterator[PresenceDelta]:
        """Yield who has become idle, or no longer is, after the deltas about where they are."""
        changes = self._marks.take_untold()
        for start in range(0, len(changes), _MARKS_AT_ONCE):
            idle: Idle = {}
            awake: Idle = {}
            for channel, member, is_idle in changes[start : start + _MARKS_AT_ONCE]:
                (idle if is_idle else awake).setdefault(channel, []).append(member)
            self._seq += 1
            yield PresenceDelta(self._seq, {}, {}, {}, idle, awake)

    def _snapshot(self) -> Iterator[PresenceSnapshot]:
        """Yield all of this worker's own members, in as many parts as needed."""
        parts: list[dict[ChannelName, list[tuple[MemberId, str, int]]]] = [{}]
        marks: list[tuple[dict[MemberId, tuple[str, int, tuple[str, ...]]], Idle]] = [({}, {})]
        size = 0
        for channel, names in self._people[self.node].items():
            for member, shown in names.items():
                cost = delta_cost("" if channel in parts[-1] else channel, member, shown[0])
                if size and size + cost > PAYLOAD_BYTES:
                    parts.append({})
                    marks.append(({}, {}))
                    size = 0
                new, idle = marks[-1]
                size += cost + self._mark(member, new)
                parts[-1].setdefault(channel, []).append((member, *shown))
                if self._marks.is_idle(self.node, channel, member):
                    size += cost
                    idle.setdefault(channel, []).append(member)
        for number, (people, (new, idle)) in enumerate(zip(parts, marks, strict=True)):
            yield PresenceSnapshot(self._seq, number, len(parts), people, new, idle)

    # The one place where anything changes.

    def _set(self, node: NodeId, channel: ChannelName, member: MemberId, shown: Shown | None) -> None:
        """Apply that one worker has a member in a channel under this name, or (None) has not."""
        earlier, count = self._shown(channel, member), self.here(channel)
        self._place(node, channel, member, shown)
        now = self._shown(channel, member)
        if now == earlier:
            return
        listed = self._listed.get(channel)
        if listed is not None:
            if member in listed.members:
                del self._listed[channel]
            elif now is not None and len(listed.people) < listed.limit:
                self._listed[channel] = listed.followed_by(Persona(member, *now))
        before = self._before.get(channel)
        if before is None:
            before = self._before[channel] = ToldBefore(count)
        names = before.touched.setdefault(member, {})
        for name, generation in filter(None, (earlier, now)):
            names[generation] = name

    def _place(self, node: NodeId, channel: ChannelName, member: MemberId, shown: Shown | None) -> None:
        here = self._here.setdefault(channel, {})
        people = self._people[node]
        nodes = here.get(member, ())
        if shown is not None:
            people.setdefault(channel, {})[member] = shown
            if node not in nodes:
                self._now_on(channel, here, member, tuple(sorted((*nodes, node))))
            return
        names = people.get(channel)
        if self._marks.set_idle(node, channel, member, False) and node == self.node:
            self._marks.tell(channel, member, False)
        if names is not None and names.pop(member, None) is not None:
            if not names:
                del people[channel]
            self._now_on(channel, here, member, tuple(other for other in nodes if other != node))
        if not here:
            del self._here[channel]

    def _now_on(
        self,
        channel: ChannelName,
        here: dict[MemberId, tuple[NodeId, ...]],
        member: MemberId,
        nodes: tuple[NodeId, ...],
    ) -> None:
        """Note the workers that a member is on from now on, in the order of their ids."""
        answered = member in here and here[member][0] == self.node
        answers = bool(nodes) and nodes[0] == self.node
        if answers != answered:
            count = self._own_counts.get(channel, 0) + (1 if answers else -1)
            if count:
                self._own_counts[channel] = count
            else:
                del self._own_counts[channel]
        if not nodes:
            del here[member]
            self._marks.left(channel, member)
        else:
            if member not in here:
                self._marks.entered(channel, member)
            here[member] = self._alone[nodes[0]] if len(nodes) == 1 else nodes

    def _shown(self, channel: ChannelName, member: MemberId) -> Shown | None:
        """Return the name under which a member is shown in a channel, or None if they are not there."""
        nodes = self._here.get(channel, {}).get(member)
        return None if nodes is None else self._people[nodes[0]][channel][member]
