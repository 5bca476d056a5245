"""Which members are not shown to which others on this worker, as present or typing (decision 0131).

All in a room share one frame. Another frame is made only for members who may not see somebody whom it names, and only
where they are connected here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

from chatserver.delivery.outbox import Outbox
from chatserver.delivery.presence_records import PresenceChange
from chatserver.delivery.pushes import person_view
from chatserver.domain.history import ChannelName
from chatserver.domain.identity import MemberId, Person, Persona
from chatserver.domain.rooms.hiding import NOBODY_HIDDEN, Hiding
from chatserver.domain.rooms.rooms import RoomId, is_closed_room, room_channel, room_of
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node, wait
from chatserver.protocol.codes import Close
from chatserver.protocol.rooms.messages import PresencePush, TypingPush

T = TypeVar("T")
Push = PresencePush | TypingPush


async def read(node: Node, ask: Callable[[], Awaitable[T]]) -> T:
    """Returns what the store says to a question about a member who is about to be admitted, which is asked again where
    somebody hid somebody meanwhile. Call it last before that."""
    tries = 3
    while True:
        seen, tries = node.hiding.changes, tries - 1
        found = await ask()
        if node.hiding.changes == seen or not tries:
            return found


async def reload(node: Node, members: Iterable[MemberId]) -> None:
    """Read anew whom those of these members hide who are connected here, and show their pages the result."""
    node.hiding.changes += 1
    for member in members:
        if node.connections_of(member):
            await fresh(node, member)


async def fresh(node: Node, member: MemberId) -> Hiding:
    """Read what a member has, keep it, and return it; or the answer to a question that was asked later."""
    asked = node.hiding.ask()
    found = await node.store.hiding(member)
    # They may have gone meanwhile: nothing is kept of somebody who is not connected here.
    if node.connections_of(member) and not node.hiding.is_older(member, asked):
        _take(node, member, found, asked)
    return node.hiding.of(member)


def _take(node: Node, member: MemberId, now: Hiding, asked: int) -> None:
    """Keep what a member has from now on. Members who are present and no longer shown to them are shown as gone, and
    the other way round."""
    before = node.hiding.of(member)
    node.hiding.keep(member, now, asked)
    changed = before.others | now.others
    if before == now:
        return
    for connection in node.connections_of(member):
        for room in connection.rooms if not connection.is_moderator else ():
            if (push := _difference(node, room, changed, before, now)) is not None:
                _send(node, connection, push)


def _difference(
    node: Node, room: RoomId, others: Iterable[MemberId], before: Hiding, now: Hiding
) -> PresencePush | None:
    if is_closed_room(room):
        return None
    channel = room_channel(room)
    there = [each for other in others if (each := node.presence.persona(channel, other)) is not None]
    came = [each for each in there if before.is_unseen(each, room) and not now.is_unseen(each, room)]
    went = [each for each in there if now.is_unseen(each, room) and not before.is_unseen(each, room)]
    if not came and not went:
        return None
    return presence_push(node, channel, PresenceChange(node.presence.here(channel), came, went, False), None)


def _send(node: Node, connection: Connection, push: Push) -> None:
    """Send a push, or close a connection whose outbox is full: it is sent everything anew after its next hello."""
    if connection.outbox.wire.buffered() > node.limits.outbox_bytes:
        node.metrics.evictions.labels("too_slow").inc()
        connection.outbox.wire.close(Close.TOO_SLOW)
        connection.outbox.wire.abort()
    else:
        # Not past what the room told before: who went would be shown again by a frame of before.
        node.hub.tell_one(connection.outbox, push.channel, push)


def pay_for_hiding(node: Node, person: Person, other: MemberId, generation: int) -> None:
    """Charge a member for hiding somebody, or showing them: each time both see the other go or come. Raises
    RATE_LIMITED."""
    wait(node.online[person.id].paces.toggle((other, generation), node.monotonic()))


# ------------------------------------------------------------------------------------------------ what is shown


def people(node: Node, room: RoomId, hiding: Hiding) -> list[Persona]:
    """Returns those who are in a room and are shown to somebody, those who have been there longest first, as many as
    are listed."""
    found = node.presence.people(room_channel(room), node.limits.people_listed)
    if hiding == NOBODY_HIDDEN or is_closed_room(room):
        return found
    return [each for each in found if not hiding.is_unseen(each, room)]


def seen_by(node: Node, connection: Connection) -> Hiding:
    """Returns what counts for a connection. A moderator sees everybody."""
    if connection.person is None or connection.is_moderator:
        return NOBODY_HIDDEN
    return node.hiding.of(connection.person.id)


def seen_through(node: Node, outbox: Outbox) -> Hiding:
    """Returns what counts for the connection behind an outbox."""
    for member in node.hiding.members():
        for connection in node.connections_of(member):
            if connection.outbox is outbox:
                return seen_by(node, connection)
    return NOBODY_HIDDEN


def tell_presence(node: Node, channel: ChannelName, change: PresenceChange) -> None:
    """Tell everybody in a room who came and went, each of those whom they may see."""
    listed, room = node.limits.people_listed, room_of(channel)
    came, went = change.came[:listed], change.went[:listed]
    # Where not all can be named, those who are left out must not stay on anybody's list.
    is_whole = len(came) == len(change.came) and len(went) == len(change.went)
    there = None if is_whole else node.presence.people(channel, listed)
    named = PresenceChange(change.here, came, went, change.is_count_changed)

    def other(hiding: Hiding) -> PresencePush | None:
        seen = PresenceChange(
            change.here,
            [each for each in came if not hiding.is_unseen(each, room)],
            [each for each in went if not hiding.is_unseen(each, room)],
            change.is_count_changed,
        )
        shown = None if there is None else [each for each in there if not hiding.is_unseen(each, room)]
        return presence_push(node, channel, seen, shown)

    apart = _apart(node, channel, [*came, *went, *(there or ())], other)
    node.hub.tell(channel, presence_push(node, channel, named, there), apart)


def tell_typing(node: Node, channel: ChannelName, persona: Persona) -> None:
    """Tell everybody in a room that somebody is writing, but those to whom they are not shown."""
    apart = _apart(node, channel, [persona], lambda hiding: None)
    push = TypingPush(channel=channel, member=person_view(persona, room_of(channel), node.aliases).id)
    node.hub.tell(channel, push, apart)


def presence_push(
    node: Node, channel: ChannelName, change: PresenceChange, there: list[Persona] | None
) -> PresencePush:
    """Returns a change, or the whole list, as members of the room see it."""
    room, aliases = room_of(channel), node.aliases
    return PresencePush(
        channel=channel,
        here=change.here,
        came=[person_view(each, room, aliases) for each in change.came],
        went=[person_view(each, room, aliases).id for each in change.went],
        people=None if there is None else [person_view(each, room, aliases) for each in there],
    )


def _apart(
    node: Node, channel: ChannelName, named: list[Persona], other: Callable[[Hiding], Push | None]
) -> Mapping[Outbox, Push | None]:
    """Returns those who get another frame than the rest, because they may not see somebody whom it names."""
    room = room_of(channel)
    seers = {seer for each in named for seer in node.hiding.seers(each.id)}
    if not seers or is_closed_room(room):
        return {}
    apart: dict[Outbox, Push | None] = {}
    for seer in seers:
        hiding = node.hiding.of(seer)
        if any(hiding.is_unseen(each, room) for each in named):
            for connection in node.connections_of(seer):
                if room in connection.rooms and not connection.is_moderator:
                    apart[connection.outbox] = other(hiding)
    return apart
