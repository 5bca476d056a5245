"""Members: names, come-back codes, read positions, memberships and exports. Sans-I/O, like `rooms_log`."""

from __future__ import annotations

from collections.abc import Collection

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Epoch, Millis, Offset, require_epoch
from chatserver.domain.identity import Member, MemberId
from chatserver.domain.rooms.rooms import Membership, Reaction, RoomId, RoomStatus, room_channel
from chatserver.store import arrivals, evidence, exchange_log, hiding, meeting_log, reading, report_views
from chatserver.store import people_statements as sql
from chatserver.store import staff_statements as staff_sql
from chatserver.store.arrivals_records import NameRules
from chatserver.store.core import decoding
from chatserver.store.core.compiler import Call, Op, Row, by_keys
from chatserver.store.core.sealing import Sealer
from chatserver.store.forgetting import listening
from chatserver.store.records import Export, JoinedRoom, Page
from chatserver.store.rooms_statements import KEYS_AT_ONCE, ROOM_COLUMNS

_ROOM_WIDTH = len(ROOM_COLUMNS)
_MEMBERSHIP_WIDTH = 6


def add_member(member: Member) -> Op[None]:
    yield from require_free_name(member.name_key, member.id)
    yield Call(sql.ADD_MEMBER, [(member.id, member.name, member.name_key, member.created_at, member.seen_at)])


def member(who: MemberId) -> Op[Member | None]:
    rows = yield Call(sql.MEMBER, [(who,)])
    return decoding.member_of(rows[0]) if rows else None


def member_by_code(code_hash: bytes) -> Op[Member | None]:
    rows = yield Call(sql.MEMBER_BY_CODE, [(code_hash,)])
    return decoding.member_of(rows[0]) if rows else None


def seen(members: Collection[MemberId]) -> Op[dict[MemberId, Millis]]:
    """Return when those of these people who are still members were last seen."""
    rows = yield Call(sql.SEEN, by_keys([*members], KEYS_AT_ONCE))
    return {MemberId(row[0]): Millis(row[1]) for row in rows}


def touch(members: Collection[MemberId], now: Millis) -> Op[None]:
    # Sorted, so that two workers that touch the same members wait for each other rather than deadlock.
    yield Call(sql.TOUCH, [(who, now) for who in sorted(members)])


def rename(who: MemberId, name: str, name_key: str, rooms: Collection[RoomId], rules: NameRules | None) -> Op[int]:
    yield from require_free_name(name_key, who)
    if rules is not None:
        yield from arrivals.require_distinct(who, name_key, rules)
    yield from _require_member(who)
    before = yield from member(who)
    assert before is not None
    generation = before.generation + (name != before.name)
    yield Call(sql.RENAME, [(name, name_key, generation, who)])
    if rules is not None:
        yield from arrivals.rest(before, name_key, rules.until)
    if generation != before.generation:
        yield from hiding.follow(who, before.generation, generation, rooms)
    return generation


def set_code(who: MemberId, code_hash: bytes) -> Op[None]:
    changed = yield Call(sql.SET_CODE, [(code_hash, who)])
    if not changed:
        raise Refusal(Reason.MEMBER_UNKNOWN)


def joined_rooms(who: MemberId) -> Op[dict[RoomId, JoinedRoom]]:
    rows = yield Call(sql.JOINED, [(who,)])
    return {RoomId(row[0]): _joined(row[:_MEMBERSHIP_WIDTH], row[_MEMBERSHIP_WIDTH]) for row in rows}


def entered(who: MemberId, room: RoomId, agreement: int | None) -> Op[JoinedRoom | None]:
    """Return what `join` would return, or None if it would have to write. Refuses as `join` does."""
    entry = yield from _entry(who, room, agreement)
    return entry.joined if entry.is_current else None


def entered_with_page(
    who: MemberId, room: RoomId, agreement: int | None, limit: int
) -> Op[tuple[JoinedRoom, Page] | None]:
    """Return what `join` would return, if it had nothing to write, and the newest posts. Refuses as `join` does."""
    joined = yield from entered(who, room, agreement)
    if joined is None:
        return None
    page = yield from reading.page(room_channel(room), None, limit, who)
    return joined, page


def join(who: MemberId, room: RoomId, agreement: int | None) -> Op[JoinedRoom]:
    yield from _require_member(who)
    entry = yield from _entry(who, room, agreement)
    if entry.joined is None:
        membership = Membership(room=room, agreement_version=entry.accepted, read=entry.last)
        yield Call(sql.ADD_MEMBERSHIP, [(who, room, entry.accepted, entry.last, 0, True, 0)])
        return JoinedRoom(membership=membership, unread=0)
    if not entry.is_current:
        yield Call(sql.ENTER, [(entry.accepted, who, room)])
    return entry.joined


def leave(who: MemberId, room: RoomId) -> Op[None]:
    yield Call(sql.LEAVE, [(who, room)])


def left_rooms(members: Collection[MemberId]) -> Op[set[tuple[MemberId, RoomId]]]:
    rows = (yield Call(sql.LEFT_BY_THESE, by_keys(sorted(members), KEYS_AT_ONCE))) if members else []
    return {(MemberId(row[0]), RoomId(row[1])) for row in rows}


def mark_read(who: MemberId, room: RoomId, offset: Offset, epoch: Epoch | None) -> Op[None]:
    rows = yield Call(sql.HEAD_OF_ROOM, [(room,)])
    if rows:
        ((present, last),) = rows
        require_epoch(epoch, present)
        yield Call(sql.MARK_READ, [(min(offset, last), who, room)])


def export(who: MemberId, now: Millis, sealer: Sealer) -> Op[Export | None]:
    found = yield from member(who)
    if found is None:
        return None
    memberships = yield Call(sql.MEMBERSHIPS_OF, [(who,)])
    posts = yield Call(sql.POSTS_OF, [(who,)])
    reactions = yield Call(sql.REACTIONS_OF, [(who,)])
    hidden = (yield from hiding.hiding(who)).hidden
    kept = yield from listening.kept_of(who)
    accounts = yield Call(staff_sql.STAFF, [(who,)])
    measures, views = yield from report_views.kept_of(who, now)
    return Export(
        member=found,
        memberships=tuple(decoding.membership_of(row) for row in memberships),
        posts=tuple((RoomId(row[0]), decoding.post_of(row[1:])) for row in posts),
        reactions=tuple((RoomId(row[0]), Offset(row[2]), Reaction(row[3])) for row in reactions),
        muted=tuple(each.name for each in hidden),
        place=kept.place,
        listener=kept.listener,
        sessions=kept.sessions,
        reports=kept.reports,
        debriefs=kept.debriefs,
        begun=kept.begun,
        hosted=kept.hosted,
        staff=decoding.staff_of(accounts[0][: decoding.STAFF_COLUMNS]) if accounts else None,
        measures=measures,
        views=views,
        sealed=(yield from evidence.copies_of(who, sealer)),
        meetings=(yield from meeting_log.kept_of(who)),
        exchange=(yield from exchange_log.kept_of(who)),
    )


def require_free_name(name_key: str, who: MemberId) -> Op[None]:
    holders = yield Call(sql.NAME_HOLDER, [(name_key,)])
    if any(row[0] != who for row in holders):
        raise Refusal(Reason.NAME_TAKEN)


def _require_member(who: MemberId) -> Op[None]:
    if not (yield Call(sql.LOCK_MEMBER, [(who,)])):
        raise Refusal(Reason.MEMBER_UNKNOWN)


def _joined(row: Row, unread: int) -> JoinedRoom:
    return JoinedRoom(membership=decoding.membership_of(row), unread=unread)


class _Entry:
    """A room as a member finds it when they enter. `joined` is None at the first join."""

    __slots__ = ("accepted", "is_current", "joined", "last")

    def __init__(self, accepted: int, last: Offset, joined: JoinedRoom | None, is_current: bool) -> None:
        self.accepted = accepted
        self.last = last
        self.joined = joined
        self.is_current = is_current


def _entry(who: MemberId, room: RoomId, agreement: int | None) -> Op[_Entry]:
    rows = yield Call(sql.ENTRY, [(who, room)])
    if not rows:
        raise Refusal(Reason.ROOM_UNKNOWN)
    row = tuple(rows[0])
    found = decoding.room_of(row[:_ROOM_WIDTH])
    last, membership, unread = Offset(row[_ROOM_WIDTH]), row[_ROOM_WIDTH + 1 : -1], row[-1]
    known = membership[0] is not None
    if found.kind.is_closed and not known:
        # A closed room does not exist for anybody but its members.
        raise Refusal(Reason.ROOM_UNKNOWN)
    is_left_to_read = known and found.split_of is not None
    if not found.kind.is_closed and found.status is not RoomStatus.OPEN and not is_left_to_read:
        # Members may read a closed room, and a room that was merged back, until it is forgotten.
        raise Refusal(Reason.ROOM_CLOSED)
    before = membership[1] if known else 0
    # A version that does not exist yet cannot have been read.
    accepted = max(before, min(agreement or 0, found.agreement_version))
    if accepted < found.agreement_version:
        details = {"agreement": found.agreement, "agreement_version": found.agreement_version}
        raise Refusal(Reason.AGREEMENT_REQUIRED, details=details)
    if not known:
        return _Entry(accepted, last, None, is_current=False)
    joined = _joined((room, accepted, *membership[2:]), unread)
    return _Entry(accepted, last, joined, is_current=bool(membership[4]) and before == accepted)
