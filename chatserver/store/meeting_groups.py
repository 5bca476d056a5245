"""Groups and the dates of their meetings. Sans-I/O, like `rooms_log`.

A group is locked before its meetings.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings import groups as rules
from chatserver.domain.meetings.decide import decide
from chatserver.domain.meetings.groups import MOST_SIGN_UPS, Group, GroupId
from chatserver.domain.meetings.state import Meeting, MeetingId, Stage
from chatserver.store import meeting_log
from chatserver.store import meeting_statements as sql
from chatserver.store import people_statements as people_sql
from chatserver.store.core.compiler import Call, Op, Row
from chatserver.store.core.sealing import Sealer
from chatserver.store.meeting_records import GroupWithMeetings, MeetingChange, MeetingCommitted

_encode: Final = msgspec.msgpack.Encoder().encode
_group: Final = msgspec.msgpack.Decoder(Group).decode
ENDED_KEPT: Final = 24 * 3_600_000
"""Milliseconds for which an ended group is kept at least: its meetings' records name it."""


def add_group(group: Group) -> Op[Group]:
    """Add a group, unless there is one with its id: the same command came again."""
    known = yield Call(sql.GROUP, [(group.id,)])
    if known:
        return _group_of(known[0])
    yield Call(sql.ADD_GROUP, [(group.id, group.owner, group.revision, group.ended_at, _encode(group))])
    return group


def change_group(id_: GroupId, change: Callable[[Group], Group], now: Millis) -> Op[Group]:
    """Change a group, and with it those of its meetings that are only announced. Raises GROUP_UNKNOWN."""
    group = yield from _locked(id_)
    changed = change(group)
    if changed == group:
        return group
    yield from _save(changed)
    kept = yield from meeting_log.locked((yield from _meetings_of(id_)))
    announced = [each.meeting for each in kept.values() if each.meeting.stage is Stage.ANNOUNCED]
    yield from meeting_log.save(kept, [rules.updated(each, changed) for each in announced])
    return changed


def end_group(id_: GroupId, why: str, may: Callable[[Group], None], now: Millis, sealer: Sealer) -> Op[Group]:
    """End a group, and call off its meetings that are ahead. `may` raises Refusal where the caller may not."""
    group = yield from _locked(id_)
    may(group)
    if group.ended_at is not None:
        return group
    ended = msgspec.structs.replace(group, ended_at=now, revision=group.revision + 1)
    yield from _save(ended)

    def cancel(meeting: Meeting) -> c.Decided:
        if meeting.stage is not Stage.ANNOUNCED:
            return decide(meeting, c.ApplyDue(), group.owner, now)
        # The owner may have left the meeting's hosts, and a meeting may have none.
        return decide(meeting, c.Cancel(why=why), group.owner, now, is_moderator=True, is_operator=True)

    ids = yield from _meetings_of(id_)
    yield from meeting_log.commit([MeetingChange(meeting=each, decide=cancel, now=now) for each in ids], sealer)
    return ended


def plan(
    id_: GroupId,
    may: Callable[[Group], None],
    dates: Sequence[Millis],
    ids: Sequence[MeetingId],
    seeds: Sequence[str],
    now: Millis,
) -> Op[list[Meeting]]:
    """Plan meetings of a group. Meetings with these ids that exist are returned as they are: the same command came
    again."""
    group = yield from _locked(id_)
    may(group)
    known = yield from meeting_log.meetings(ids)
    if known:
        return sorted(known.values(), key=lambda each: each.starts_at)
    others: dict[MeetingId, Meeting] = {}
    names: dict[MemberId, str] = {}
    for host in group.hosts:
        # Held: a host who is being erased hosts nothing new, and two plans of one host wait for each other.
        if not (yield Call(people_sql.LOCK_MEMBER, [(host,)])):
            raise Refusal(Reason.MEMBER_UNKNOWN)
        ((_, names[host], *_),) = yield Call(people_sql.MEMBER, [(host,)])
        others |= yield from meeting_log.meetings((yield from meeting_log.meetings_of(host)))
    hosted = [each for each in others.values() if each.stage is not Stage.CANCELLED and _is_hosted(each, group)]
    planned = rules.plan(group, dates, ids, seeds, hosted, names, now)
    for each in planned:
        end = Millis(each.starts_at + rules.length_of(each))
        if (yield from meeting_log.at_once(each.starts_at, end)) >= rules.MOST_AT_ONCE:
            raise Refusal(Reason.TOO_MANY_MEETINGS, details={"at": each.starts_at})
    yield from meeting_log.add(planned)
    yield from _save(msgspec.structs.replace(group, planned=group.planned + len(planned)))
    return planned


def _is_hosted(meeting: Meeting, group: Group) -> bool:
    return any(each in meeting.hosts for each in group.hosts)


def _locked(id_: GroupId) -> Op[Group]:
    rows = yield Call(sql.LOCK_GROUP, [(id_,)])
    if not rows:
        raise Refusal(Reason.GROUP_UNKNOWN)
    return _group_of(rows[0])


def _save(group: Group) -> Op[None]:
    yield Call(sql.SET_GROUP, [(group.owner, group.revision, group.ended_at, _encode(group), group.id)])


def _meetings_of(id_: GroupId) -> Op[list[MeetingId]]:
    return [MeetingId(row[0]) for row in (yield Call(sql.MEETINGS_OF_GROUP, [(id_,)]))]


def _group_of(row: Row) -> Group:
    return _group(bytes(row[3]))


# ------------------------------------------------------------------------------------------------ signing up


def sign_up(
    who: MemberId,
    ids: Sequence[MeetingId],
    change: Callable[[Meeting], c.Decided],
    now: Millis,
    sealer: Sealer,
) -> Op[list[MeetingCommitted]]:
    """Sign somebody up for meetings, all or none. Raises TOO_MANY_SIGN_UPS with `details.limit`, and the Refusal of
    `change`."""
    # Meetings are locked before members. The member is held, so that two sign-ups at once count each other.
    yield from meeting_log.locked(ids)
    if not (yield Call(people_sql.LOCK_MEMBER, [(who,)])):
        raise Refusal(Reason.MEMBER_UNKNOWN)
    known = {MeetingId(row[0]) for row in (yield Call(sql.COUNT_OF, [(who, now)]))}
    if len(known | {*ids}) > MOST_SIGN_UPS:
        raise Refusal(Reason.TOO_MANY_SIGN_UPS, details={"limit": MOST_SIGN_UPS})
    outcomes = yield from meeting_log.commit(
        [MeetingChange(meeting=id_, decide=change, now=now) for id_ in sorted(ids)], sealer
    )
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return [each for each in outcomes if not isinstance(each, Exception)]


# ------------------------------------------------------------------------------------------------ reading


def group(id_: GroupId) -> Op[GroupWithMeetings | None]:
    rows = yield Call(sql.GROUP, [(id_,)])
    if not rows:
        return None
    return (yield from _with_meetings([_group_of(rows[0])]))[0]


def groups() -> Op[list[GroupWithMeetings]]:
    return (yield from _with_meetings([_group_of(row) for row in (yield Call(sql.GROUPS, [()]))]))


def _with_meetings(found: Collection[Group]) -> Op[list[GroupWithMeetings]]:
    result: list[GroupWithMeetings] = []
    for each in found:
        meetings = yield from meeting_log.meetings((yield from _meetings_of(each.id)))
        ahead = [one for one in meetings.values() if one.is_ahead]
        ahead.sort(key=lambda one: (one.starts_at, one.id))
        result.append(GroupWithMeetings(group=each, meetings=tuple(ahead)))
    return result


# ------------------------------------------------------------------------------------------------ forgetting


def hold(who: MemberId) -> Op[None]:
    """Lock the groups and meetings of somebody who is about to be erased, in the order in which every transaction
    locks."""
    for row in (yield Call(sql.GROUPS_OF, [(who,)])):
        yield Call(sql.LOCK_GROUP, [(row[0],)])
    yield from meeting_log.locked((yield from meeting_log.meetings_of(who)))


def forget(who: MemberId, now: Millis, sealer: Sealer) -> Op[None]:
    """End the groups of somebody who is erased, so that nothing names them."""
    for row in (yield Call(sql.GROUPS_OF, [(who,)])):
        mine = _group_of(row)
        yield from end_group(mine.id, "", lambda group: None, now, sealer)
        nobody = msgspec.structs.replace(mine, owner=MemberId(""), ended_at=now, revision=mine.revision + 2)
        yield from _save(nobody)
    for row in (yield Call(sql.GROUPS, [()])):
        theirs = _group_of(row)
        if who in theirs.cohosts:
            rest = tuple(each for each in theirs.cohosts if each != who)
            yield from _save(msgspec.structs.replace(theirs, cohosts=rest, revision=theirs.revision + 1))


def prune(now: Millis) -> Op[None]:
    """Remove groups that ended, and of which no meeting is kept."""
    yield Call(sql.DROP_GROUPS, [(now - ENDED_KEPT,)])
