"""Rooms that need a moderator, and when one was last there. Sans-I/O, like `rooms_log`."""

from __future__ import annotations

from typing import Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.moderation.audit_log import Act
from chatserver.domain.rooms import coverage as rules
from chatserver.domain.rooms.coverage import Attendance, Coverage, CoverageRules
from chatserver.domain.rooms.rooms import RoomChanged, RoomId, RoomStatus, room_channel
from chatserver.domain.rooms.settings import SERVICE
from chatserver.store import room_settings_statements as sql
from chatserver.store import rooms_statements as rooms_sql
from chatserver.store.core import decoding
from chatserver.store.core.compiler import Call, Op
from chatserver.store.moderation_lock import hold_moderation
from chatserver.store.room_settings_records import ChangedRooms
from chatserver.store.rooms_log import ChannelState, event_row, room_values, save_heads

_ENTERED: Final = {
    Attendance.ATTENDED: ("room_attended", "A moderator is there again."),
    Attendance.SLOWED: ("room_unattended", "No moderator has been there for a while: it slows."),
    Attendance.READ_ONLY: ("room_read_only", "No moderator came: it can only be read."),
}


def coverages() -> Op[dict[RoomId, Coverage]]:
    rows = yield Call(sql.DUTIES, [()])
    return {
        RoomId(room): Coverage(state=Attendance(state), since=since, attended_at=at) for room, state, since, at in rows
    }


def keep_coverage(which: RoomId, *, is_attended: bool, how: CoverageRules, now: Millis) -> Op[ChangedRooms]:
    rows = yield Call(rooms_sql.LOCK_ROOMS, [(room_channel(which),)])
    if not rows:
        return ChangedRooms(rooms=())
    state, room = ChannelState(rows[0]), decoding.room_of(rows[0][5:])
    if not room.needs_moderator or room.status is not RoomStatus.OPEN:
        # The room was changed in the meantime.
        return ChangedRooms(rooms=(room,))
    kept = yield Call(sql.DUTY, [(which,)])
    before = Coverage(state=room.attendance, since=kept[0][0], attended_at=kept[0][1]) if kept else None
    after = rules.advance(before, is_attended=is_attended, now=now, rules=how)
    if not rules.is_worth_keeping(before, after, how):
        # Another worker was first.
        return ChangedRooms(rooms=(room,))
    times = (after.since, after.attended_at)
    yield Call(sql.ADD_DUTY, [(which, *times)]) if before is None else Call(sql.SET_DUTY, [(*times, which)])
    if after.state is room.attendance:
        return ChangedRooms(rooms=(room,))
    mine = yield from hold_moderation()
    room = msgspec.structs.replace(room, attendance=after.state)
    yield Call(rooms_sql.SET_ROOM, [room_values(room)])
    publication = state.publish(RoomChanged(room=room), now)
    yield Call(rooms_sql.ADD_EVENTS, [event_row(publication, SERVICE, (None, 0, None))])
    yield from save_heads([state])
    yield from mine.rise()
    action, reason = _ENTERED[after.state]
    yield from mine.enter(Act(at=now, by=SERVICE, action=action, about=(), subject=which, reason=reason))
    return ChangedRooms(rooms=(room,), publications=(publication,))
