"""Closed rooms: opening, admitting, expelling, closing and dropping, in the transaction of the feature that does it.
Sans-I/O, like `rooms_log`."""

from __future__ import annotations

from typing import Final

import msgspec

from chatserver.domain.history import ChannelName, Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.commands import OpenSessionRoom
from chatserver.domain.listening.state import SessionId, room_of_session
from chatserver.domain.rooms.rooms import Publication, Room, RoomChanged, RoomId, RoomKind, RoomStatus, room_channel
from chatserver.store import listening_statements as sql
from chatserver.store import people_statements as people_sql
from chatserver.store import reading, report_access
from chatserver.store import rooms_statements as rooms_sql
from chatserver.store.core.compiler import Call, Op
from chatserver.store.rooms_log import ChannelState, event_row, room_values, save_heads

SERVICE: Final = MemberId("m_service")
"""The author of what the service itself published."""
_CAPACITY: Final = 8


class HeldRooms:
    """The rooms that the effects refer to, and which of the people they name are still members."""

    def __init__(self, members: frozenset[MemberId]) -> None:
        self.members: Final = members
        self._held: dict[RoomId, tuple[ChannelState, Room]] = {}
        self._dropped = False

    def hold(self, state: ChannelState, room: Room) -> None:
        self._held[room.id] = (state, room)

    def find(self, session: SessionId) -> tuple[ChannelState, Room] | None:
        return self._held.get(room_of_session(session))

    def open(self, effect: OpenSessionRoom, now: Millis) -> Op[None]:
        found = self.find(effect.session)
        if found is None:
            room = Room(
                id=room_of_session(effect.session),
                name=effect.name,
                about="",
                capacity=_CAPACITY,
                kind=RoomKind.SESSION,
            )
            state = ChannelState((room_channel(room.id), reading.new_epoch(), 1, 0, now))
            yield from reading.insert_rooms([(state, room)])
            self.hold(state, room)
        for member in dict.fromkeys(effect.members):
            yield from self.admit(effect.session, member)

    def admit(self, session: SessionId, member: MemberId) -> Op[None]:
        found = self.find(session)
        if found is None or member not in self.members:
            return
        state, room = found
        yield from report_access.admitted(room.id, member)
        if (yield Call(rooms_sql.FIND_MEMBERSHIPS, [(member, room.id)])):
            yield Call(people_sql.ENTER, [(room.agreement_version, member, room.id)])
        else:
            row = (member, room.id, room.agreement_version, state.last, 0, True)
            yield Call(people_sql.ADD_MEMBERSHIP, [row])

    def close(self, session: SessionId, now: Millis) -> Op[Publication | None]:
        found = self.find(session)
        if found is None or found[1].status is RoomStatus.CLOSED:
            return None
        state = found[0]
        room = msgspec.structs.replace(found[1], status=RoomStatus.CLOSED)
        self.hold(state, room)
        publication = yield from close_room(state, room, now)
        return publication

    def drop(self, session: SessionId) -> Op[bool]:
        found = self._held.pop(room_of_session(session), None)
        if found is None:
            return False
        yield from drop_room(found[0].channel)
        self._dropped = True
        return True

    def save(self) -> Op[None]:
        yield from save_heads(state for state, _ in self._held.values())
        if self._dropped:
            # Last, because every check of writing locks the same row.
            yield Call(sql.NOTE_DROPPED, [()])


def close_room(state: ChannelState, closed: Room, now: Millis) -> Op[Publication]:
    """Close a room whose lock is held. The caller saves the head of its channel."""
    publication = state.publish(RoomChanged(room=closed), now)
    yield Call(rooms_sql.ADD_EVENTS, [event_row(publication, SERVICE, (None, 0, None))])
    yield Call(rooms_sql.SET_ROOM, [room_values(closed)])
    return publication


def drop_room(channel: ChannelName) -> Op[None]:
    """Remove a room whose lock is held, and everything in it."""
    for statement in sql.DROP_ROOM:
        yield Call(statement, [(channel,)])
