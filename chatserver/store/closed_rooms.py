"""Closed rooms: opening, admitting, expelling, closing and dropping, in the transaction of the feature that does it.
Sans-I/O, like `rooms_log`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from chatserver.domain.history import ChannelName, Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import (
    Publication,
    Room,
    RoomChanged,
    RoomId,
    RoomKind,
    RoomStatus,
    Voice,
    room_channel,
)
from chatserver.store import listening_statements as sql
from chatserver.store import people_statements as people_sql
from chatserver.store import reading, report_access
from chatserver.store import rooms_statements as rooms_sql
from chatserver.store.core import decoding
from chatserver.store.core.compiler import Call, Op
from chatserver.store.rooms_log import ChannelState, event_row, room_values, save_heads

SERVICE: Final = MemberId("m_service")
"""The author of what the service itself published."""
_REPLACED: Final = msgspec.structs.replace


class HeldRooms:
    """Closed rooms whose locks are held, and which of the people who are to be admitted are still members.

    What is named may be gone (an erased member, a dropped room); then nothing is done.
    """

    def __init__(self, members: frozenset[MemberId]) -> None:
        self.members: Final = members
        self._held: dict[RoomId, tuple[ChannelState, Room]] = {}
        self._dropped = False

    def hold(self, state: ChannelState, room: Room) -> None:
        self._held[room.id] = (state, room)

    def open(self, room: Room, members: Iterable[MemberId], now: Millis) -> Op[None]:
        """Open a room, unless it exists, and admit these members."""
        if room.id not in self._held:
            state = ChannelState((room_channel(room.id), reading.new_epoch(), 1, 0, now))
            yield from reading.insert_rooms([(state, room)])
            self.hold(state, room)
        for member in dict.fromkeys(members):
            yield from self.admit(room.id, member)

    def admit(self, room_id: RoomId, member: MemberId, *, sees_from_now: bool = False) -> Op[None]:
        """Make somebody a member of a room. With `sees_from_now` they are shown nothing that was written before."""
        found = self._held.get(room_id)
        if found is None or member not in self.members:
            return
        state, room = found
        if room.kind is RoomKind.SESSION:
            yield from report_access.admitted(room.id, member)
        if (yield Call(rooms_sql.FIND_MEMBERSHIPS, [(member, room.id)])):
            yield Call(people_sql.ENTER, [(room.agreement_version, member, room.id)])
            if sees_from_now:
                yield Call(people_sql.SEE_FROM, [(state.last, state.last, member, room.id)])
        else:
            sees_from = state.last if sees_from_now else Offset(0)
            # Who left and came back has written what they wrote: a voice that lets everybody write once counts it.
            ((wrote_at,),) = yield Call(rooms_sql.LAST_POST_OF, [(state.channel, member)])
            row = (member, room.id, room.agreement_version, state.last, wrote_at or 0, True, sees_from)
            yield Call(people_sql.ADD_MEMBERSHIP, [row])

    def expel(self, room_id: RoomId, member: MemberId) -> Op[None]:
        yield Call(sql.DROP_MEMBERSHIP, [(member, room_id)])

    def set_voice(self, room_id: RoomId, voice: Voice, now: Millis) -> Op[Publication | None]:
        """Say who may write in an open room from now on. Nothing is published where nothing is different."""
        found = self._held.get(room_id)
        if found is None or found[1].status is RoomStatus.CLOSED:
            return None
        state, room = found
        if room.voice is not None and _REPLACED(voice, since=room.voice.since) == room.voice:
            return None
        # Later than everything that was written before, so that `since` divides the posts exactly.
        now = Millis(max(state.at + 1, now))
        room = _REPLACED(room, voice=_REPLACED(voice, since=now))
        self.hold(state, room)
        publication = yield from publish(state, room, now)
        return publication

    def close(self, room_id: RoomId, now: Millis) -> Op[Publication | None]:
        found = self._held.get(room_id)
        if found is None or found[1].status is RoomStatus.CLOSED:
            return None
        state = found[0]
        room = _REPLACED(found[1], status=RoomStatus.CLOSED)
        self.hold(state, room)
        publication = yield from publish(state, room, now)
        return publication

    def drop(self, room_id: RoomId) -> Op[bool]:
        """Remove a room with everything in it. Return whether there was one."""
        found = self._held.pop(room_id, None)
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


def hold(rooms: Collection[RoomId], members: Collection[MemberId]) -> Op[HeldRooms]:
    """Lock these rooms, and then those of these people who are members, in the order in which every transaction
    locks."""
    names = sorted(room_channel(room) for room in rooms)
    rows = (yield Call(rooms_sql.LOCK_ROOMS, [(name,) for name in names])) if names else []
    found = (yield Call(sql.HOLD_MEMBERS, [(who,) for who in sorted(members)])) if members else []
    held = HeldRooms(frozenset(MemberId(row[0]) for row in found))
    for row in rows:
        held.hold(ChannelState(row), decoding.room_of(row[5:]))
    return held


def publish(state: ChannelState, changed: Room, now: Millis) -> Op[Publication]:
    """Change a room whose lock is held. The caller saves the head of its channel."""
    publication = state.publish(RoomChanged(room=changed), now)
    yield Call(rooms_sql.ADD_EVENTS, [event_row(publication, SERVICE, (None, 0, None))])
    yield Call(rooms_sql.SET_ROOM, [room_values(changed)])
    return publication


def drop_room(channel: ChannelName) -> Op[None]:
    """Remove a room whose lock is held, and everything in it."""
    for statement in sql.DROP_ROOM:
        yield Call(statement, [(channel,)])
