"""What a member does with rooms: find, enter, leave, write, read."""

from __future__ import annotations

from chatserver.delivery.pushes import push_of
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.floor import SESSION_PREFIX, SessionId
from chatserver.domain.history import Offset
from chatserver.domain.house import root_of
from chatserver.domain.identity import Person
from chatserver.domain.rooms import (
    EditPost,
    ReactToPost,
    RedactPost,
    Room,
    RoomId,
    RoomKind,
    RoomStatus,
    WritePost,
    room_channel,
)
from chatserver.handlers.answer import Answer
from chatserver.handlers.commit import commit
from chatserver.handlers.connection import Connection
from chatserver.handlers.duty import MODERATOR_SUFFIX, is_moderator
from chatserver.handlers.node import Node
from chatserver.protocol.internode import TypingSeen, encode
from chatserver.protocol.messages import (
    DoneOk,
    EditCommand,
    HistoryOk,
    JoinOk,
    JoinRoom,
    LeaveRoom,
    ListRooms,
    MarkRead,
    PageHistory,
    PostCommand,
    ReactCommand,
    RedactCommand,
    RoomCard,
    RoomsOk,
    Typing,
    TypingPush,
)

_PAGE = 50
_RETURNING_SLACK = 1.1
"""Somebody who comes back with a position is let in over the capacity, up to this factor: the network took them out."""
_ROOMS_WITH_SPACE = 5


async def list_rooms(node: Node, connection: Connection, person: Person, command: ListRooms) -> Answer:
    """The lobby, with how many are in each room and what the member has not read."""
    joined = await node.store.joined_rooms(person.id)
    (node.watching.add if command.watch else node.watching.discard)(connection)
    moderated = node.load.moderated()
    cards = []
    for room in node.rooms.values():
        if room.status is not RoomStatus.OPEN:
            continue
        mine = joined.get(room.id)
        cards.append(
            RoomCard(
                id=room.id,
                name=room.name,
                about=room.about,
                here=node.presence.here(room_channel(room.id)),
                capacity=room.capacity,
                slow_mode=room.pace,
                agreement_version=room.agreement_version,
                agreed=mine is not None and mine.membership.agreement_version >= room.agreement_version,
                unread=None if mine is None else mine.unread,
                attended=room.id in moderated,
            )
        )
    return Answer(RoomsOk(rooms=cards))


async def join(node: Node, connection: Connection, person: Person, command: JoinRoom) -> Answer:
    """Enter a room, or come back to it."""
    room = await _room(node, command.room, person)
    node.watch.require_entrance(person.id, room)
    channel = room_channel(room.id)
    is_here = room.id in connection.rooms
    if not is_here:
        # Sessions are bounded by the floor: nobody is kept out of their conversation, or of a room, by earlier ones.
        themed = sum(not is_session(each) for each in connection.rooms)
        if not is_session(room.id) and themed >= node.limits.rooms_per_connection:
            raise Refusal(Reason.TOO_MANY_ROOMS, details={"limit": node.limits.rooms_per_connection})
        if is_session(room.id) or not is_moderator(connection):
            # A moderator is needed most where it is full, or raided.
            await _require_way_in(node, room, person, command)
    joined = await node.store.join(person.id, room.id, command.agreement)
    await node.duty.entered(connection, room)
    room = node.rooms.get(room.id, room)
    prepared = await node.hub.prepare(channel, command.since)
    try:
        if prepared.history == "exact":
            posts, mine, more = [], {}, True
        else:
            page = await node.store.page(channel, None, _PAGE, person.id)
            posts, more = list(page.posts), page.more
            mine = {offset: list(reactions) for offset, reactions in page.mine.items()}
    except BaseException:
        node.hub.give_up(channel)
        raise
    if is_session(room.id) and not node.floor.may_stay(room.id, person.id):
        # It was handed over while the store was asked.
        node.hub.give_up(channel)
        raise Refusal(Reason.ROOM_UNKNOWN)
    try:
        # A moderator may have decided it while the store was asked.
        node.watch.require_entrance(person.id, room)
    except Refusal:
        node.hub.give_up(channel)
        raise
    connection.rooms.add(room.id)
    # Under the name they have now: another connection of theirs may have changed it while the store was asked.
    node.presence.enter(channel, shown(connection, connection.person or person), connection)
    ok = JoinOk(
        room=room,
        position=prepared.position,
        history=prepared.history,
        posts=posts,
        mine=mine,
        missed=[push_of(publication) for publication in prepared.missed],
        more=more,
        here=node.presence.here(channel),
        people=node.presence.people(channel, node.limits.people_listed),
        read=joined.membership.read,
        unread=joined.unread,
        retention_seconds=(node.floor.rules.keep if is_session(room.id) else node.retention.room_age) // 1000,
    )
    return Answer(ok, then=lambda: node.hub.go_live(connection.outbox, channel, prepared.position))


async def leave(node: Node, connection: Connection, person: Person, command: LeaveRoom) -> Answer:
    """Leave a room. Leaving one that one is not in is done already."""
    await _room(node, command.room, person)
    await node.store.leave(person.id, command.room)
    depart(node, connection, command.room)
    return Answer(DoneOk())


def depart(node: Node, connection: Connection, room: RoomId) -> None:
    """This connection is in the room no more."""
    if room in connection.rooms:
        connection.rooms.discard(room)
        channel = room_channel(room)
        node.hub.leave(connection.outbox, channel)
        if connection.person is not None:
            node.presence.leave(channel, connection.person.id, connection)


async def post(node: Node, connection: Connection, person: Person, command: PostCommand) -> Answer:
    _require_inside(connection, command.room)
    if (wait := node.online[person.id].posts.take(1.0, node.monotonic())) > 0:
        raise Refusal(Reason.RATE_LIMITED, retry_after=wait)
    await _require_voice(node, connection, person, command.room)
    wanted = WritePost(text=command.text, warning=command.warning, reply_to=command.reply_to, anyway=command.anyway)
    answer = await commit(node, shown(connection, person), command.room, command.id, wanted)
    if is_session(command.room):
        node.floor.spoke(person.id, SessionId(command.room))
    return answer


async def edit(node: Node, connection: Connection, person: Person, command: EditCommand) -> Answer:
    _require_inside(connection, command.room)
    await _require_voice(node, connection, person, command.room)
    wanted = EditPost(target=command.offset, text=command.text, warning=command.warning, anyway=command.anyway)
    return await commit(node, person, command.room, command.id, wanted)


async def redact(node: Node, connection: Connection, person: Person, command: RedactCommand) -> Answer:
    """Also from outside: a room that was closed, or left, must not keep what somebody wants back."""
    return await commit(node, person, command.room, command.id, RedactPost(target=command.offset))


async def react(node: Node, connection: Connection, person: Person, command: ReactCommand) -> Answer:
    _require_inside(connection, command.room)
    await _require_voice(node, connection, person, command.room)
    wanted = ReactToPost(target=command.offset, reaction=command.reaction, on=command.on)
    return await commit(node, person, command.room, command.id, wanted)


async def history(node: Node, connection: Connection, person: Person, command: PageHistory) -> Answer:
    """Older posts."""
    _require_inside(connection, command.room)
    page = await node.store.page(room_channel(command.room), command.before, command.limit, person.id)
    mine = {offset: list(reactions) for offset, reactions in page.mine.items()}
    return Answer(HistoryOk(posts=list(page.posts), mine=mine, more=page.more))


async def mark_read(node: Node, connection: Connection, person: Person, command: MarkRead) -> Answer:
    _require_inside(connection, command.room)
    await node.store.mark_read(person.id, command.room, Offset(command.offset))
    return Answer(DoneOk())


async def typing(node: Node, connection: Connection, person: Person, command: Typing) -> Answer:
    """Show the others that somebody is writing. Lost without a trace where nobody can be told."""
    _require_inside(connection, command.room)
    channel = room_channel(command.room)
    if is_session(command.room) and not node.floor.is_live(SessionId(command.room)):
        # Over: whoever stays to read is left in peace.
        return Answer(DoneOk())

    def tell() -> None:
        node.hub.tell(channel, TypingPush(channel=channel, member=person.id))
        node.bus.publish([(channel, encode(node.id, TypingSeen(channel, person.id)))])

    return Answer(DoneOk(), then=tell)


def shown(connection: Connection, person: Person) -> Person:
    """Somebody as the others in a room see them: a moderator with their role."""
    return Person(person.id, person.name + MODERATOR_SUFFIX) if is_moderator(connection) else person


def is_session(room: RoomId) -> bool:
    """Whether a room is the closed one of a one-to-one session. No other may be called like that."""
    return room.startswith(SESSION_PREFIX)


async def _room(node: Node, wanted: RoomId, person: Person) -> Room:
    """A room that this member may know of. Raises ROOM_UNKNOWN."""
    room = node.rooms.get(wanted)
    if room is None and is_session(wanted) and node.floor.may_stay(wanted, person.id):
        # Whose one is that this worker has not heard of yet, the store decides.
        room = await node.store.room(wanted)
    if room is None or (room.kind is RoomKind.SESSION) is not is_session(room.id):
        raise Refusal(Reason.ROOM_UNKNOWN)
    return room


def _require_inside(connection: Connection, room: RoomId) -> None:
    if room not in connection.rooms:
        raise Refusal(Reason.NOT_IN_ROOM)


async def _require_voice(node: Node, connection: Connection, person: Person, room: RoomId) -> None:
    if not is_session(room) and not is_moderator(connection):
        await node.house.require_voice(person, room)


async def _require_way_in(node: Node, room: Room, person: Person, command: JoinRoom) -> None:
    is_returning = command.since is not None
    if not is_session(room.id):
        await node.house.require_way_in(
            person, room, proof=command.proof, is_exact=command.exact, is_returning=is_returning
        )
    _check_space(node, room, person, is_returning=is_returning)


def _check_space(node: Node, room: Room, person: Person, *, is_returning: bool) -> None:
    """Counts are other workers' too and a second old at most, so two who come at the same moment may both get in."""
    channel = room_channel(room.id)
    capacity = room.capacity * _RETURNING_SLACK if is_returning else room.capacity
    if node.presence.here(channel) < capacity or node.presence.is_here(channel, person.id):
        return
    root = root_of(room)
    here = {other.id: node.presence.here(room_channel(other.id)) for other in node.rooms.values()}
    open_ = [other for other in node.rooms.values() if other.status is RoomStatus.OPEN]
    with_space = [other for other in open_ if here[other.id] < other.capacity]
    # Those beside it first: what is spoken of there is what somebody came for.
    with_space.sort(key=lambda other: root_of(other) != root)
    told = [{"id": other.id, "name": other.name, "here": here[other.id]} for other in with_space[:_ROOMS_WITH_SPACE]]
    raise Refusal(Reason.ROOM_FULL, retry_after=60.0, details={"rooms": told})
