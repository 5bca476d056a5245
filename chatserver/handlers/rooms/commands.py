"""What a member does with rooms: find, enter, leave, write, read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chatserver.delivery.pushes import post_view, push_of, room_view
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Offset
from chatserver.domain.identity import Persona
from chatserver.domain.rooms.rooms import (
    EditPost,
    ReactToPost,
    RedactPost,
    Room,
    RoomId,
    RoomStatus,
    WritePost,
    is_closed_room,
    room_channel,
)
from chatserver.handlers import membership
from chatserver.handlers.answer import Answer
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.people import aliases, hiding
from chatserver.handlers.rooms import seats
from chatserver.handlers.rooms.commit import commit
from chatserver.handlers.rooms.context import Rooms
from chatserver.handlers.rooms.voice import may_show_typing, pay_for_reaction, pay_for_words
from chatserver.protocol.fields import Command, DoneOk
from chatserver.protocol.internode import TypingSeen, encode
from chatserver.protocol.operating.messages import ConfirmMove
from chatserver.protocol.rooms.messages import (
    EditCommand,
    JoinOk,
    JoinRoom,
    LeaveRoom,
    ListRooms,
    MarkRead,
    PostCommand,
    ReactCommand,
    RedactCommand,
    RoomCard,
    RoomsOk,
    Typing,
)

_PAGE = 50


async def list_rooms(rooms: Rooms, connection: Connection, person: Persona, command: ListRooms) -> Answer:
    """Answer with the lobby: how many are in each room, and how much the member has not read."""
    node = rooms.node
    joined = await node.store.joined_rooms(person.id)
    (rooms.watching.add if command.watch else rooms.watching.discard)(connection)
    moderated = rooms.moderated()
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


async def join(rooms: Rooms, connection: Connection, person: Persona, command: JoinRoom) -> Answer:
    """Enter a room, or come back to it."""
    node = rooms.node
    room = await _room(rooms, command.room, person)
    rooms.enforcement.require_entrance(person.id, room)
    channel = room_channel(room.id)
    closed = rooms.closed_of(room.id)
    needs_seat = closed is None and not connection.is_moderator
    instead_of = command.instead_of if needs_seat else None
    if room.id in connection.reading:
        seats.require_seat(node, connection, room.id, person, instead_of=command.instead_of)
        seats.swap(node, person.id, room.id, instead_of)
        instead_of = None
    elif room.id not in connection.rooms:
        # Closed rooms are bounded by their features: nobody is kept out of one, or of a room, by earlier ones.
        themed = sum(not is_closed_room(each) for each in connection.rooms)
        if closed is None and themed >= node.limits.rooms_per_connection:
            raise Refusal(Reason.TOO_MANY_ROOMS, details={"limit": node.limits.rooms_per_connection})
        if closed is not None or not connection.is_moderator:
            # A moderator is needed most where it is full, or raided.
            await _require_way_in(rooms, connection, room, person, command)
    prepared = await node.hub.prepare(channel, command.since, person.id)
    try:
        history, page = prepared.history, None
        if history == "exact":
            joined = await node.store.join(person.id, room.id, command.agreement)
            if command.since is not None and command.since.offset < joined.membership.from_offset:
                # They went, and came back to what is not shown to them from its beginning.
                history, page = "gap", await node.store.page(channel, None, _PAGE, person.id)
        else:
            joined, page = await node.store.join_with_page(person.id, room.id, command.agreement, _PAGE)
        if closed is not None:
            # Not older than the position that the reply names: who may write there changes often.
            room = await node.store.room(room.id) or room
        await rooms.coverage.entered(connection, room)
    except BaseException:
        node.hub.give_up(channel)
        raise
    room = node.rooms.get(room.id, room)
    if closed is not None and not closed.may_stay(room.id, person.id):
        # They lost their place in it while the store was asked.
        node.hub.give_up(channel)
        raise Refusal(Reason.ROOM_UNKNOWN)
    try:
        # A moderator may have decided it while the store was asked.
        rooms.enforcement.require_entrance(person.id, room)
        if needs_seat and room.id not in connection.rooms:
            # Once more: others may have come while the store was asked.
            seats.require(
                node,
                connection,
                room,
                person,
                is_returning=command.since is not None,
                instead_of=command.instead_of,
            )
    except Refusal:
        node.hub.give_up(channel)
        raise
    connection.enter(room.id)
    # Only now: whoever was refused keeps the seat that they have.
    seats.swap(node, person.id, room.id, instead_of)
    # Under the name they have now: another connection of theirs may have changed it while the store was asked.
    seats.take(node, connection, room.id, membership.shown(connection, connection.person or person))
    hides = hiding.seen_by(node, connection)
    own = aliases.room_self(node, connection.person or person, room.id, node.hiding.of(person.id))
    ok = JoinOk(
        me=own.me,
        hidden=own.hidden,
        room=room_view(room, node.aliases),
        position=prepared.position,
        history=history,
        posts=[] if page is None else [post_view(each, room.id, each.offset, node.aliases) for each in page.posts],
        mine={} if page is None else {offset: list(reactions) for offset, reactions in page.mine.items()},
        missed=[push_of(each, node.aliases) for each in prepared.missed] if history == "exact" else [],
        folded=prepared.is_folded,
        more=page is None or page.more,
        here=node.presence.here(channel),
        people=rooms.rosters.of(room.id, hides),
        read=joined.membership.read,
        unread=joined.unread,
        retention_seconds=(node.retention.room_age if closed is None else closed.keep) // 1000,
    )
    return Answer(ok, then=lambda: node.hub.go_live(connection.outbox, channel, prepared.position))


async def leave(rooms: Rooms, connection: Connection, person: Persona, command: LeaveRoom) -> Answer:
    """Take a member out of a room, on every connection of theirs. Does nothing where they are not in it."""
    node = rooms.node
    await _room(rooms, command.room, person)
    await node.store.leave(person.id, command.room)
    membership.depart(node, connection, command.room)
    membership.left(node, person.id, command.room, told=connection)
    return Answer(DoneOk(), then=lambda: membership.tell_left(node, person.id, command.room))


async def confirm_move(rooms: Rooms, connection: Connection, person: Persona, command: ConfirmMove) -> Answer:
    """Keep where a member's place is after a split. Their connections here leave the room that they moved out of."""
    node = rooms.node
    await node.store.confirm_move(person.id, command.room, command.to)
    if command.to != command.room:
        await node.store.leave(person.id, command.room)
        for each in node.connections_of(person.id):
            if command.to in each.rooms:
                membership.depart(node, each, command.room)
    return Answer(DoneOk())


async def post(rooms: Rooms, connection: Connection, person: Persona, command: PostCommand) -> Answer:
    wanted = WritePost(text=command.text, warning=command.warning, reply_to=command.reply_to, anyway=command.anyway)
    return await _write(rooms, connection, person, command, wanted)


async def edit(rooms: Rooms, connection: Connection, person: Persona, command: EditCommand) -> Answer:
    wanted = EditPost(target=command.offset, text=command.text, warning=command.warning, anyway=command.anyway)
    return await _write(rooms, connection, person, command, wanted)


async def _write(
    rooms: Rooms,
    connection: Connection,
    person: Persona,
    command: PostCommand | EditCommand,
    wanted: WritePost | EditPost,
) -> Answer:
    node, is_new = rooms.node, isinstance(wanted, WritePost)
    pay_for_words(node, person)
    refusal = await _refusal(rooms, connection, person, command.room)
    answer = await commit(
        rooms,
        membership.shown(connection, person) if is_new else person,
        command.room,
        command.id,
        wanted,
        node.origin_of(connection),
        epoch=command.epoch,
        is_staff=bool(connection.roles),
        refusal=refusal,
        writer=connection,
    )
    closed = rooms.closed_of(command.room)
    if is_new and closed is not None and refusal is None:
        closed.spoke(person.id, command.room)
    return answer


async def redact(rooms: Rooms, connection: Connection, person: Persona, command: RedactCommand) -> Answer:
    """Take a post back. This works also from outside: words must not stay in a room because it was closed, or left."""
    return await commit(rooms, person, command.room, command.id, RedactPost(target=command.offset), epoch=command.epoch)


async def react(rooms: Rooms, connection: Connection, person: Persona, command: ReactCommand) -> Answer:
    pay_for_reaction(rooms.node, person, command.room, command.offset)
    refusal = await _refusal(rooms, connection, person, command.room)
    wanted = ReactToPost(target=command.offset, reaction=command.reaction, on=command.on)
    return await commit(rooms, person, command.room, command.id, wanted, epoch=command.epoch, refusal=refusal)


async def mark_read(rooms: Rooms, connection: Connection, person: Persona, command: MarkRead) -> Answer:
    node = rooms.node
    require_inside(rooms, connection, command.room)
    offset = Offset(command.offset)
    await node.store.mark_read(person.id, command.room, offset, command.epoch)
    membership.read(node, person.id, command.room, offset, told=connection)
    return Answer(DoneOk(), then=lambda: membership.tell_read(node, person.id, command.room, offset))


async def typing(rooms: Rooms, connection: Connection, person: Persona, command: Typing) -> Answer:
    """Show the others that a member is typing. Nothing says so where the others cannot be told."""
    node = rooms.node
    require_inside(rooms, connection, command.room)
    seats.require_seat(node, connection, command.room, membership.shown(connection, person))
    channel = room_channel(command.room)
    closed = rooms.closed_of(command.room)
    if closed is not None and not closed.is_live(command.room):
        # Over: whoever stays to read is left in peace.
        return Answer(DoneOk())
    if closed is not None:
        closed.typed(person.id, command.room)
    if not await may_show_typing(rooms, connection, person, command.room):
        return Answer(DoneOk())

    def tell() -> None:
        hiding.tell_typing(node, channel, person)
        node.bus.publish([(channel, encode(node.id, TypingSeen(channel, person.id, person.generation)))])

    return Answer(DoneOk(), then=tell)


async def _room(rooms: Rooms, wanted: RoomId, person: Persona) -> Room:
    """Return a room that this member may know of. Raises ROOM_UNKNOWN."""
    node = rooms.node
    room = node.rooms.get(wanted)
    closed = rooms.closed_of(wanted)
    if room is None and closed is not None and closed.may_stay(wanted, person.id):
        # Whose one is that this worker has not heard of yet, the store decides.
        room = await node.store.room(wanted)
    if room is None or room.kind.is_closed is not is_closed_room(room.id):
        raise Refusal(Reason.ROOM_UNKNOWN)
    return room


def require_inside(rooms: Rooms, connection: Connection, room: RoomId) -> None:
    """Raise NOT_IN_ROOM where a connection is not in a room. Notes that its member did something there."""
    if room not in connection.rooms:
        raise Refusal(Reason.NOT_IN_ROOM)
    seats.touch(rooms.node, connection, room)


async def _require_voice(rooms: Rooms, connection: Connection, person: Persona, room: RoomId) -> None:
    seats.require_seat(rooms.node, connection, room, membership.shown(connection, person))
    if not is_closed_room(room) and not connection.is_moderator:
        await rooms.admission.require_voice(person, room, connection.welcome)


async def _refusal(rooms: Rooms, connection: Connection, person: Persona, room: RoomId) -> Refusal | None:
    """Return why a member may not write in a room, or None where they may. Where the same command was carried out
    before, it is answered as it was then, whatever has become of its author since."""
    try:
        require_inside(rooms, connection, room)
        await _require_voice(rooms, connection, person, room)
    except Refusal as refusal:
        return refusal
    return None


async def _require_way_in(rooms: Rooms, connection: Connection, room: Room, person: Persona, command: JoinRoom) -> None:
    is_returning = command.since is not None
    if not is_closed_room(room.id):
        await rooms.admission.require_way_in(
            person,
            room,
            proof=command.proof,
            is_exact=command.exact,
            is_returning=is_returning,
            must_prove=connection.welcome.must_prove(room),
        )
        seats.require(rooms.node, connection, room, person, is_returning=is_returning, instead_of=command.instead_of)


COMMANDS: Final[Mapping[type[Command], Handler]] = {
    ListRooms: list_rooms,
    JoinRoom: join,
    LeaveRoom: leave,
    PostCommand: post,
    EditCommand: edit,
    RedactCommand: redact,
    ReactCommand: react,
    MarkRead: mark_read,
    Typing: typing,
    ConfirmMove: confirm_move,
}
"""The commands of rooms, but for older posts (`history.py`). Their context is a `Rooms`."""
