"""The core of one worker: what every feature works with. It knows no feature (`part.py`); `chatserver/worker.py` builds
it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from chatserver.bus.contract import Bus
from chatserver.delivery.hub import Hub
from chatserver.delivery.outbox import Outbox
from chatserver.delivery.presence import Presence
from chatserver.delivery.tasks import Tasks
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, NodeId, Persona
from chatserver.domain.limits import Limits
from chatserver.domain.moderation.alert_floods import FloodRules, Origin
from chatserver.domain.moderation.crisis_phrases import Words
from chatserver.domain.rooms.aliases import Aliases
from chatserver.domain.rooms.rooms import Room, RoomId, RoomRules
from chatserver.domain.shared_limits import Shared, SharedCounts, Sharing, Spending
from chatserver.handlers.connection import Connection
from chatserver.handlers.hiding_book import HidingBook
from chatserver.handlers.online import RATES_OF_MEMBERS, MemberRates, Online
from chatserver.handlers.part import Part
from chatserver.metrics import Metrics
from chatserver.protocol.codes import Close
from chatserver.protocol.internode import TOPIC_NODES, AnyNodeMessage, encode
from chatserver.protocol.messages import AnyServerMessage
from chatserver.store.records import Retention
from chatserver.store.store import Store

ENDED_SECONDS: Final = 60.0
"""Longer than any hello takes."""


@dataclass(slots=True, kw_only=True)
class Node:
    """One worker. `now` is the wall clock in milliseconds, `monotonic` in seconds."""

    id: NodeId
    store: Store
    bus: Bus
    hub: Hub
    presence: Presence
    aliases: Aliases
    hiding: HidingBook
    limits: Limits
    rules: RoomRules
    retention: Retention
    words: Words
    metrics: Metrics
    now: Callable[[], Millis]
    monotonic: Callable[[], float]
    safety_contact: str = ""
    """To whom outside a reporter can turn where nobody here may handle their report."""
    rooms: dict[RoomId, Room] = field(default_factory=dict)
    """The directory, refreshed by the sweep and by room changes. Decisions load their own room in the transaction."""
    online: dict[MemberId, Online] = field(default_factory=dict)
    staffed: set[Connection] = field(default_factory=set)
    """Those that said hello as staff."""
    ended: dict[MemberId, float] = field(default_factory=dict)
    """Members who are no more, and since when: somebody may be saying hello as one of them at that moment."""
    is_draining: bool = False
    sharing: Sharing = field(default_factory=Sharing)
    """What this worker and the others tell each other of what one member or address does."""
    tasks: Tasks = field(default_factory=Tasks)
    """What was started here and is ended with this worker."""
    clock_ahead: int = 0
    """By how many milliseconds this worker's clock is ahead of the database's."""
    parts: Sequence[Part] = ()
    """The features, lower ones first. `chatserver/worker.py` registers them before anybody is served."""
    stop: Callable[[], None] = lambda: None
    """How this worker ends itself, in good order."""

    _connections: SharedCounts = field(init=False)
    _rates: MemberRates = field(init=False)

    def __post_init__(self) -> None:
        self._connections = SharedCounts(self.sharing, Shared.CONNECTIONS, self.limits.connections_per_member)
        self._rates = MemberRates(self.sharing, self.limits)
        for kind in RATES_OF_MEMBERS:
            self.sharing.on_spent(kind, self._hear_spent)

    def database_now(self) -> Millis:
        """Return the time by the database's clock: for every worker the same, whichever machine it runs on."""
        return Millis(self.now() - self.clock_ahead)

    def origin_of(self, connection: Connection) -> Origin:
        """Return where a connection's commands come from, as floods of alerts are counted."""
        rules = FloodRules(
            per_address=self.limits.alerts_per_address_per_minute * connection.share,
            people=self.limits.new_people_alerts_per_minute,
        )
        return Origin(address=connection.address, rules=rules, around=connection.networks[1:])

    def admit(self, connection: Connection, person: Persona) -> None:
        """Make this connection the member's. Raises BUSY where they have as many connections as one member may have,
        and IDENTITY_UNKNOWN where they are no more."""
        if person.id in self.ended:
            raise Refusal(Reason.IDENTITY_UNKNOWN)
        online, now = self._online(person.id), self.monotonic()
        if self._connections.is_full(online.key, now):
            raise Refusal(Reason.BUSY, retry_after=5.0)
        online.add(connection)
        self._connections.enter(online.key)
        connection.person = person
        connection.member_bucket = online.bucket(Shared.COMMANDS, now)

    def dismiss(self, connection: Connection) -> None:
        """Forget a connection that has ended. Its member's buckets stay until they are full, so that coming back does
        not refill them."""
        self.staffed.discard(connection)
        online = None if connection.person is None else self.online.get(connection.person.id)
        if connection.person is not None and online is not None and connection in online.connections:
            online.remove(connection)
            if not online.connections:
                self.hiding.drop(connection.person.id)
            self._connections.leave(online.key)

    def _online(self, member: MemberId) -> Online:
        """Return what is kept of a member here, from now on if nothing was."""
        online = self.online.get(member)
        if online is None:
            online = self.online[member] = Online(member.encode(), self._rates)
        return online

    def _hear_spent(self, spending: Spending, now: float) -> None:
        """Charge a member for what they did on another worker. This includes members who are not here: they may come
        here next."""
        online = self._online(MemberId(spending.key.decode()))
        online.bucket(spending.kind, now).spent_elsewhere(spending.amount, now)

    def forget_absent(self) -> None:
        """Drop the buckets of members who left long enough ago for it to make no difference, and the names of those
        who ended before anybody could still be saying hello as them."""
        now = self.monotonic()
        gone = [member for member, online in self.online.items() if not online.connections and online.is_full(now)]
        for member in gone:
            del self.online[member]
        for member in [member for member, ended_at in self.ended.items() if now - ended_at > ENDED_SECONDS]:
            del self.ended[member]

    def connections_of(self, member: MemberId) -> list[Connection]:
        """Return the member's connections on this worker."""
        online = self.online.get(member)
        return [] if online is None else [*online.connections]

    def end_member(self, member: MemberId) -> None:
        """Close the connections here of a member who is no more, and keep nothing that names them."""
        self.hub.forget(member)
        self.ended[member] = self.monotonic()
        for connection in self.connections_of(member):
            connection.outbox.wire.close(Close.IDENTITY_ENDED)

    def send_or_close(self, connection: Connection, push: AnyServerMessage) -> None:
        """Send a push, or close a connection whose outbox is full: it is sent the same after its next hello."""
        if connection.outbox.wire.buffered() > self.limits.outbox_bytes:
            self.close_slow(connection.outbox)
        else:
            connection.outbox.send(push)

    def close_slow(self, outbox: Outbox) -> None:
        """Close a connection whose client reads too slowly."""
        self.metrics.evictions.labels("too_slow").inc()
        outbox.wire.close(Close.TOO_SLOW)
        outbox.wire.abort()

    def tell_nodes(self, message: AnyNodeMessage) -> None:
        """Send a message to every other worker. It may be lost."""
        self.bus.publish([(TOPIC_NODES, encode(self.id, message))])


def wait(seconds: float) -> None:
    """Raise RATE_LIMITED where something may be done only after that many seconds; 0 is now."""
    if seconds > 0:
        raise Refusal(Reason.RATE_LIMITED, retry_after=seconds)
