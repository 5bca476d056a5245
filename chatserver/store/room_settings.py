"""Changing and splitting rooms, announcements, raids and opening hours. Sans-I/O, like `rooms_log`.

Locks are taken in the order of every transaction: channels, members, and last the one row of `moderation`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.audit_log import Act
from chatserver.domain.moderation.measures import REASON_LENGTH
from chatserver.domain.rooms import settings as rules
from chatserver.domain.rooms.rooms import (
    Publication,
    Room,
    RoomChanged,
    RoomEdit,
    RoomId,
    RoomKind,
    RoomStatus,
    room_channel,
)
from chatserver.domain.rooms.settings import Hours, Notice, Raid, RoomMove, RoomSettings
from chatserver.domain.rooms.splitting import Tie
from chatserver.domain.text.cleaning import required
from chatserver.store import hiding, reading
from chatserver.store import people_statements as people_sql
from chatserver.store import room_settings_statements as sql
from chatserver.store import rooms_statements as rooms_sql
from chatserver.store.core import decoding
from chatserver.store.core.compiler import Call, Op, Row, by_keys
from chatserver.store.moderation_lock import ModerationLock, hold_moderation
from chatserver.store.room_settings_records import ChangedRooms, CompanionGraph, StaffAction
from chatserver.store.rooms_log import ChannelState, event_row, room_values, save_heads
from chatserver.store.rooms_statements import KEYS_AT_ONCE

LATELY: Final = 2_000
"""How many of the newest publications are searched for companions."""
NOTICES_AT_ONCE: Final = 50
_HOURS: Final = "hours"
_replace = msgspec.structs.replace


def room_settings(now: Millis) -> Op[RoomSettings]:
    # Before the rooms, so that every move that is found has its room among them.
    moves = [_move(row) for row in (yield Call(sql.MOVES, [(now - rules.MOVE_KEPT,)]))]
    rooms = yield from reading.rooms()
    notices = [_notice(row) for row in (yield Call(sql.NOTICES, [(now,)]))]
    raids = [_raid(row) for row in (yield Call(sql.RAIDS, [(now,)]))]
    return RoomSettings(
        rooms=tuple(rooms),
        notices=tuple(notices),
        raids=tuple(raids),
        moves=tuple(moves),
        hours=(yield from _hours()),
    )


# ------------------------------------------------------------------------------------------------ rooms


def open_room(name: str, edit: RoomEdit, deed: StaffAction) -> Op[ChangedRooms]:
    reason = required(deed.reason, REASON_LENGTH)
    mine = yield from hold_moderation()
    known = yield from _known(deed)
    if known is not None:
        return known
    room = rules.open_room(name, edit, (yield from reading.rooms()))
    state = ChannelState((room_channel(room.id), reading.new_epoch(), 1, 0, 0))
    yield from reading.insert_rooms([(state, room)])
    publication = yield from _publish(state, room, deed)
    yield from save_heads([state])
    yield from _enter(mine, deed, "room_opened", room.id, reason)
    return ChangedRooms(rooms=(room,), publications=(publication,))


def change_room(which: RoomId, seen: int, edit: RoomEdit, deed: StaffAction) -> Op[ChangedRooms]:
    reason = required(deed.reason, REASON_LENGTH)
    rows = yield Call(rooms_sql.LOCK_ROOMS, [(room_channel(which),)])
    if not rows:
        raise Refusal(Reason.ROOM_UNKNOWN)
    known = yield from _known(deed)
    if known is not None:
        return known
    state, before = ChannelState(rows[0]), decoding.room_of(rows[0][5:])
    # Locked before the other rooms are read, so that two rooms cannot take the same name at once.
    mine = yield from hold_moderation()
    after = rules.change_room(before, seen, edit, (yield from reading.rooms()))
    if after is before:
        return ChangedRooms(rooms=(before,))
    yield Call(rooms_sql.SET_ROOM, [room_values(after)])
    if not after.needs_moderator or after.status is not RoomStatus.OPEN or before.status is not RoomStatus.OPEN:
        # If it needs a moderator again later, a new grace period begins.
        yield Call(sql.DROP_DUTY, [(after.id,)])
    publication = yield from _publish(state, after, deed)
    yield from save_heads([state])
    action = "room_changed"
    if before.status is not after.status:
        action = "room_closed" if after.status is RoomStatus.CLOSED else "room_reopened"
    yield from _enter(mine, deed, action, after.id, f"{reason} ({rules.what_changed(before, after)})")
    return ChangedRooms(rooms=(after,), publications=(publication,))


def split_room(
    which: RoomId, seen: int, groups: Collection[Collection[MemberId]], deed: StaffAction
) -> Op[ChangedRooms]:
    reason = required(deed.reason, REASON_LENGTH)
    kept = yield from reading.rooms()
    asked = next((room for room in kept if room.id == which), None)
    if asked is None:
        raise Refusal(Reason.ROOM_UNKNOWN)
    names = sorted(room_channel(room.id) for room in rules.family(rules.root_of(asked), kept))
    held: dict[RoomId, tuple[ChannelState, Room]] = {}
    for row in (yield Call(rooms_sql.LOCK_ROOMS, [(name,) for name in names])):
        room = decoding.room_of(row[5:])
        held[room.id] = (ChannelState(row), room)
    known = yield from _known(deed)
    if known is not None:
        return known
    state, source = held[which]
    if source.status is not RoomStatus.OPEN:
        raise Refusal(Reason.ROOM_CLOSED)
    if seen != source.revision:
        raise Refusal(Reason.ROOM_CHANGED, details={"revision": source.revision})
    if not groups:
        raise Refusal(Reason.ROOM_CHANGED, details={"revision": source.revision})
    leaving = [sorted(set(group)) for group in [*groups][1:]]
    agreed = yield from _members_of(source.id, sorted({who for group in leaving for who in group}))
    mine = yield from hold_moderation()
    everywhere = yield from reading.rooms()
    root = next(room for room in everywhere if room.id == rules.root_of(source))
    closed = [each for each in held.values() if each[1].split_of == root.id and each[1].status is RoomStatus.CLOSED]
    source = _replace(source, revision=source.revision + 1)
    publications = [(yield from _publish(state, source, deed))]
    yield Call(rooms_sql.SET_ROOM, [room_values(source)])
    states, rooms = [state], [source]
    for group in leaving:
        if closed:
            there, before = closed.pop(0)
            # With the present settings of the room that it was split from, not those it was closed with.
            beside = _replace(
                rules.sibling(root, everywhere),
                id=before.id,
                name=before.name,
                position=before.position,
                agreement_version=max(
                    root.agreement_version, before.agreement_version + (root.agreement != before.agreement)
                ),
                revision=before.revision + 1,
                status=RoomStatus.OPEN,
            )
            yield Call(rooms_sql.SET_ROOM, [room_values(beside)])
        else:
            beside = _replace(rules.sibling(root, everywhere), status=RoomStatus.OPEN)
            there = ChannelState((room_channel(beside.id), reading.new_epoch(), 1, 0, 0))
            yield from reading.insert_rooms([(there, beside)])
        everywhere = [*everywhere, beside]
        publications.append((yield from _publish(there, beside, deed, part=None)))
        accepted = {who: _carried(agreed[who], source, beside) for who in group if who in agreed}
        yield from _lead([*accepted], source.id, there, beside.id, accepted, deed.now)
        states.append(there)
        rooms.append(beside)
    yield from save_heads(states)
    sizes = ", ".join(str(len(group)) for group in groups)
    yield from _enter(mine, deed, "room_split", source.id, f"{reason} (into {sizes})")
    return ChangedRooms(rooms=tuple(rooms), publications=tuple(publications))


def _members_of(room: RoomId, people: Sequence[MemberId]) -> Op[dict[MemberId, tuple[int, Millis]]]:
    """Return, for each member of a room, the agreement version that they accepted and when they last wrote. Their rows
    are locked until the transaction ends."""
    found: dict[MemberId, tuple[int, Millis]] = {}
    if not people:
        return found
    for who in people:
        # One at a time. Somebody who is being erased has no membership after this.
        yield Call(people_sql.LOCK_MEMBER, [(who,)])
    for row in (yield Call(rooms_sql.FIND_MEMBERSHIPS, [(who, room) for who in people])):
        membership = decoding.membership_of(row[1:7])
        found[MemberId(row[0])] = (membership.agreement_version, membership.last_post_at)
    return found


def _lead(
    people: Sequence[MemberId],
    source: RoomId,
    there: ChannelState,
    to: RoomId,
    agreed: dict[MemberId, tuple[int, Millis]],
    now: Millis,
) -> Op[None]:
    if not people:
        return
    for who in people:
        yield from _make_member(who, to, there.last, agreed[who])
    yield Call(sql.DROP_MOVE, [(who, source) for who in people])
    yield Call(sql.ADD_MOVE, [(who, source, to, now) for who in people])


def _carried(agreed: tuple[int, Millis], source: Room, there: Room) -> tuple[int, Millis]:
    """Return the accepted agreement version in another room: its present one if the agreements are the same, else 0.
    The time of the last post is carried over."""
    version, last_post_at = agreed
    is_same = version >= source.agreement_version and source.agreement == there.agreement
    return there.agreement_version if is_same else 0, last_post_at


def _make_member(who: MemberId, room: RoomId, last: Offset, agreed: tuple[int, Millis]) -> Op[None]:
    version, last_post_at = agreed
    if kept := (yield Call(rooms_sql.FIND_MEMBERSHIPS, [(who, room)])):
        version = max(version, decoding.membership_of(kept[0][1:7]).agreement_version)
        yield Call(people_sql.ENTER, [(version, who, room)])
    else:
        yield Call(people_sql.ADD_MEMBERSHIP, [(who, room, version, last, last_post_at, True, 0)])


def companions(room: RoomId, people: Collection[MemberId]) -> Op[CompanionGraph]:
    channel = room_channel(room)
    heads = yield from reading.heads([channel])
    if channel not in heads:
        raise Refusal(Reason.ROOM_UNKNOWN)
    after = max(0, heads[channel].last - LATELY)
    answers = yield Call(sql.ANSWERS, [(channel, after)])
    reactors = yield Call(sql.REACTORS, [(channel, after)])
    rows = (yield Call(sql.CREATED, by_keys(sorted(people), KEYS_AT_ONCE))) if people else []
    apart = yield from hiding.apart(people)
    return CompanionGraph(
        apart=apart,
        ties=tuple(Tie(row[0], row[1]) for row in (*answers, *reactors)),
        created_at={MemberId(row[0]): Millis(row[1]) for row in rows},
    )


def confirm_move(who: MemberId, room: RoomId, to: RoomId) -> Op[None]:
    if not (yield Call(people_sql.LOCK_MEMBER, [(who,)])):
        raise Refusal(Reason.MEMBER_UNKNOWN)
    kept = {each.id: each for each in (yield from reading.rooms())}
    source, there = kept.get(room), kept.get(to)
    if source is None or there is None or rules.root_of(source) != rules.root_of(there):
        raise Refusal(Reason.ROOM_UNKNOWN)
    if to != room and there.status is not RoomStatus.OPEN:
        raise Refusal(Reason.ROOM_CLOSED)
    memberships = yield Call(rooms_sql.FIND_MEMBERSHIPS, [(who, room)])
    led = [row for row in (yield Call(sql.MOVES_OF, [(who, 0)])) if row[1] == room]
    if memberships and to != room:
        membership = decoding.membership_of(memberships[0][1:7])
        ((_, last),) = yield Call(people_sql.HEAD_OF_ROOM, [(to,)])
        agreed = (membership.agreement_version, membership.last_post_at)
        yield from _make_member(who, to, Offset(last), _carried(agreed, source, there))
    if led and led[0][2] not in (to, room):
        yield Call(people_sql.LEAVE, [(who, led[0][2])])
    yield Call(sql.DROP_MOVE, [(who, room)])


def moves_of(who: MemberId, now: Millis) -> Op[list[RoomMove]]:
    return [_move(row) for row in (yield Call(sql.MOVES_OF, [(who, now - rules.MOVE_KEPT)]))]


# ------------------------------------------------------------------------------------------------ announcements


def announce(notice: Notice, deed: StaffAction) -> Op[Notice]:
    reason = required(deed.reason, REASON_LENGTH)
    mine = yield from hold_moderation()
    known = yield Call(sql.NOTICE, [(notice.id,)])
    if known:
        return _notice(known[0][:5])
    yield from _require_room(notice.room)
    ((count,),) = yield Call(sql.COUNT_NOTICES, [(deed.now,)])
    if count >= NOTICES_AT_ONCE:
        raise Refusal(Reason.RATE_LIMITED, retry_after=60.0)
    yield Call(sql.ADD_NOTICE, [(notice.id, notice.room, notice.text, deed.by, notice.at, notice.until)])
    yield from _enter(mine, deed, "announced", notice.room or "", f"{reason} ({notice.text})")
    return notice


def withdraw(which: str, deed: StaffAction) -> Op[None]:
    reason = required(deed.reason, REASON_LENGTH)
    mine = yield from hold_moderation()
    found = yield Call(sql.NOTICE, [(which,)])
    if not found or found[0][4] <= deed.now:
        raise Refusal(Reason.NOTICE_UNKNOWN)
    if found[0][5] is None:
        yield Call(sql.WITHDRAW, [(deed.now, which)])
        yield from _enter(mine, deed, "announcement_withdrawn", which, reason)


# ------------------------------------------------------------------------------------------------ raids


def declare(raid: Raid, deed: StaffAction) -> Op[Raid]:
    reason = required(deed.reason, REASON_LENGTH)
    mine = yield from hold_moderation()
    known = yield Call(sql.RAID, [(raid.id,)])
    if known:
        return _raid(known[0][:5])
    yield from _require_room(raid.room)
    before = [_raid(row) for row in (yield Call(sql.RAIDS, [(deed.now,)]))]
    same = [each for each in before if each.room == raid.room]
    if same:
        # Guests who were new when the first of these raids began still count as new.
        raid = _replace(raid, at=min(each.at for each in same))
        yield Call(sql.END_RAID, [(deed.now, each.id) for each in same])
    yield Call(sql.ADD_RAID, [(raid.id, raid.room, deed.by, raid.at, raid.until, raid.quiet)])
    yield from _enter(mine, deed, "raid_declared", raid.room or "", reason)
    return raid


def end_raid(which: str, deed: StaffAction) -> Op[None]:
    reason = required(deed.reason, REASON_LENGTH)
    mine = yield from hold_moderation()
    found = yield Call(sql.RAID, [(which,)])
    if not found or found[0][3] <= deed.now:
        raise Refusal(Reason.RAID_UNKNOWN)
    if found[0][5] is None:
        yield Call(sql.END_RAID, [(deed.now, which)])
        yield from _enter(mine, deed, "raid_ended", found[0][1] or "", reason)


# ------------------------------------------------------------------------------------------------ hours


def set_hours(wanted: Hours, deed: StaffAction) -> Op[Hours]:
    reason = required(deed.reason, REASON_LENGTH)
    mine = yield from hold_moderation()
    before = yield from _hours()
    revision = 0 if before is None else before.revision
    after = _replace(wanted, revision=wanted.revision + 1)
    if before == after:
        return after
    if revision != wanted.revision:
        raise Refusal(Reason.HOURS_CHANGED, details={"revision": revision})
    value = msgspec.json.encode(after).decode()
    yield Call(sql.ADD_SETTING, [(_HOURS, value)]) if before is None else Call(sql.SET_SETTING, [(value, _HOURS)])
    yield from _enter(mine, deed, "hours_set", _HOURS, f"{reason} ({after.hours or 'always'}, {after.timezone})")
    return after


def enter(act: Act) -> Op[None]:
    reason = required(act.reason, REASON_LENGTH)
    mine = yield from hold_moderation()
    yield from mine.enter(_replace(act, reason=reason))


# ------------------------------------------------------------------------------------------------ forgetting


def forget(who: MemberId, nobody: MemberId) -> Op[None]:
    """Remove an erased person's id from what they did here."""
    yield Call(sql.DISOWN_NOTICES, [(nobody, who)])
    yield Call(sql.DISOWN_RAIDS, [(nobody, who)])


def prune(now: Millis) -> Op[None]:
    """Remove what ended long ago."""
    yield Call(sql.DROP_NOTICES, [(now - rules.KEPT,)])
    yield Call(sql.DROP_RAIDS, [(now - rules.KEPT,)])
    yield Call(sql.DROP_MOVES, [(now - rules.MOVE_KEPT,)])


# ------------------------------------------------------------------------------------------------ parts


def _known(deed: StaffAction) -> Op[ChangedRooms | None]:
    """Return what the same command did before, or None. Raises DUPLICATE_ID if it was a different command."""
    rows = yield Call(rooms_sql.FIND_COMMANDS, [(deed.by, deed.command_id)])
    if not rows:
        return None
    _, digest, channel, epoch, *columns = rows[0]
    if digest is not None and bytes(digest) != deed.digest:
        raise Refusal(Reason.DUPLICATE_ID)
    (found,) = yield Call(rooms_sql.ROOM, [(channel,)])
    room = decoding.room_of(found)
    publication = decoding.publication_of(ChannelName(channel), epoch, columns, room)
    return ChangedRooms(rooms=(room,), publications=(publication,))


def _publish(state: ChannelState, room: Room, deed: StaffAction, *, part: int | None = 0) -> Op[Publication]:
    publication = state.publish(RoomChanged(room=room), deed.now)
    command = (None, 0, None) if part is None else (deed.command_id, part, deed.digest)
    yield Call(rooms_sql.ADD_EVENTS, [event_row(publication, deed.by, command)])
    return publication


def _enter(mine: ModerationLock, deed: StaffAction, action: str, subject: str, reason: str) -> Op[None]:
    yield from mine.rise()
    yield from mine.enter(Act(at=deed.now, by=deed.by, action=action, about=(), subject=subject, reason=reason))


def _require_room(room: RoomId | None) -> Op[None]:
    if room is None:
        return
    found = yield from reading.room(room)
    if found is None or found.kind is not RoomKind.THEMED:
        raise Refusal(Reason.ROOM_UNKNOWN)


def _hours() -> Op[Hours | None]:
    rows = yield Call(sql.SETTING, [(_HOURS,)])
    return msgspec.json.decode(rows[0][0], type=Hours) if rows else None


def _notice(row: Row) -> Notice:
    id_, room, text, at, until = row
    return Notice(id=id_, room=room, text=text, at=at, until=until)


def _raid(row: Row) -> Raid:
    id_, room, at, until, quiet = row
    return Raid(id=id_, room=room, at=at, until=until, quiet=quiet)


def _move(row: Row) -> RoomMove:
    member, room, to, at = row
    return RoomMove(member=member, room=room, to=to, at=at)
