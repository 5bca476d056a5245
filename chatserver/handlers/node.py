"""What handlers work with on this worker. Built once, by `server.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from chatserver.bus.contract import Bus
from chatserver.delivery.hub import Hub
from chatserver.delivery.presence import Presence
from chatserver.domain.crisis import Words
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, NodeId, Person
from chatserver.domain.limits import Bucket, Limits
from chatserver.domain.rooms import Room, RoomId, RoomRules
from chatserver.handlers.connection import Connection
from chatserver.handlers.identity import Identities
from chatserver.handlers.staff import StaffAccounts
from chatserver.metrics import Metrics
from chatserver.protocol.codes import Close
from chatserver.protocol.internode import TOPIC_NODES, AnyNodeMessage, encode
from chatserver.store.contract import Retention, Store

if TYPE_CHECKING:
    from chatserver.handlers.duty import DutyKeeper
    from chatserver.handlers.floor import FloorKeeper
    from chatserver.handlers.house import HouseKeeper
    from chatserver.handlers.load import LoadKeeper
    from chatserver.handlers.overseer import Overseer
    from chatserver.handlers.watch import Watch

ENDED_SECONDS: Final = 60.0
"""Longer than any hello takes."""


@dataclass(slots=True)
class Online:
    """A member's connections on this worker, and the pace of all of them together."""

    bucket: Bucket
    posts: Bucket
    connections: set[Connection] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class Node:
    """One worker. `now` is the wall clock in milliseconds, `monotonic` in seconds."""

    id: NodeId
    store: Store
    bus: Bus
    hub: Hub
    presence: Presence
    identities: Identities
    staff: StaffAccounts
    limits: Limits
    rules: RoomRules
    retention: Retention
    words: Words
    metrics: Metrics
    now: Callable[[], Millis]
    monotonic: Callable[[], float]
    rooms: dict[RoomId, Room] = field(default_factory=dict)
    """The directory, refreshed by the sweep and by room changes. Decisions load their own room in the transaction."""
    online: dict[MemberId, Online] = field(default_factory=dict)
    watching: set[Connection] = field(default_factory=set)
    watching_load: dict[Connection, int] = field(default_factory=dict)
    """Those who are shown the load, and the number of the picture that they were last told."""
    staffed: set[Connection] = field(default_factory=set)
    """Those that said hello as staff."""
    ended: dict[MemberId, float] = field(default_factory=dict)
    """Members who are no more, and since when: somebody may be saying hello as one of them at that moment."""
    is_draining: bool = False
    floor: FloorKeeper = field(init=False)
    """The one-to-one side of this worker. It needs the node, so the server gives it afterwards."""
    watch: Watch = field(init=False)
    """The same of moderation."""
    house: HouseKeeper = field(init=False)
    """And of rooms, announcements and protection."""
    duty: DutyKeeper = field(init=False)
    """And of rooms that need a moderator."""
    stop: Callable[[], None] = lambda: None
    """How this worker ends itself, in good order."""
    overseer: Overseer = field(init=False)
    """How moderation is doing, in numbers."""
    load: LoadKeeper = field(init=False)
    """What goes on in the rooms and on the workers. It needs the node, too."""

    def admit(self, connection: Connection, person: Person) -> None:
        """From now on this connection is this member's. Raises BUSY where they have as many as one may have, and
        IDENTITY_UNKNOWN where they are no more."""
        if person.id in self.ended:
            raise Refusal(Reason.IDENTITY_UNKNOWN)
        online = self.online.get(person.id)
        if online is None:
            limits, now = self.limits, self.monotonic()
            bucket = Bucket(limits.member_commands_per_second, limits.member_command_burst, now)
            posts = Bucket(limits.posts_per_second, limits.post_burst, now)
            online = self.online[person.id] = Online(bucket, posts)
        if len(online.connections) >= self.limits.connections_per_member:
            raise Refusal(Reason.BUSY, retry_after=5.0)
        online.connections.add(connection)
        connection.person = person
        connection.member_bucket = online.bucket

    def dismiss(self, connection: Connection) -> None:
        """The connection has ended. A bucket outlives it until it is full, so that coming back does not refill it."""
        self.watching.discard(connection)
        self.watching_load.pop(connection, None)
        self.staffed.discard(connection)
        if connection.person is not None and (online := self.online.get(connection.person.id)) is not None:
            online.connections.discard(connection)

    def forget_absent(self) -> None:
        """Drop the buckets of members who left long enough ago for it to make no difference, and the names of those
        who ended before anybody could still be saying hello as them."""
        now = self.monotonic()
        gone = [
            member
            for member, online in self.online.items()
            if not online.connections and online.bucket.is_full(now) and online.posts.is_full(now)
        ]
        for member in gone:
            del self.online[member]
        for member in [member for member, ended_at in self.ended.items() if now - ended_at > ENDED_SECONDS]:
            del self.ended[member]

    def connections_of(self, member: MemberId) -> list[Connection]:
        """The member's connections on this worker."""
        online = self.online.get(member)
        return [] if online is None else [*online.connections]

    def end_member(self, member: MemberId) -> None:
        """Close the connections here of a member who is no more, and keep nothing that names them."""
        self.hub.forget(member)
        self.ended[member] = self.monotonic()
        for connection in self.connections_of(member):
            connection.outbox.wire.close(Close.IDENTITY_ENDED)

    def tell_nodes(self, message: AnyNodeMessage) -> None:
        """Tell every other worker. May be lost."""
        self.bus.publish([(TOPIC_NODES, encode(self.id, message))])
