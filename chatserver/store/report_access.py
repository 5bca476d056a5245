"""Keeps people away from the reports and notes that are their own case. Sans-I/O, like `rooms_log`.

The rules are in `domain/moderation/report_access.py`. Here they are checked in the transaction that reads or changes
something.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.state import SessionId
from chatserver.domain.meetings.state import meeting_of_room
from chatserver.domain.moderation import report_access as rules
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.people.staff import Capability, Staff, may, roles_at
from chatserver.domain.rooms.rooms import RoomId, RoomKind, kind_of
from chatserver.store import moderation_statements as moderation_sql
from chatserver.store import report_access_statements as sql
from chatserver.store import staff_statements as staff_sql
from chatserver.store.core import decoding
from chatserver.store.core.compiler import Call, Op, Params, Row, by_keys
from chatserver.store.listening_rows import ListeningRows
from chatserver.store.meeting_hosts import hosts_of
from chatserver.store.moderation_records import Due
from chatserver.store.rooms_statements import KEYS_AT_ONCE

DUE_READ: Final = 1_000
"""The most due times that are read; if more reports are late, this many are reported."""
STRANDED_READ: Final = 1_000
_NOBODIES: Final = frozenset({"m_service", "m_erased"})


def params_of(asker: Asker) -> Params:
    """Return the parameters of `report_access_statements.ASKER`."""
    return asker.member, asker.is_operator


# ------------------------------------------------------------------------------------------------ keeping


def people_of_room(room: RoomId) -> Op[frozenset[MemberId]]:
    """Return everybody who is or was in the session with this room; nobody for any other room."""
    if kind_of(room) is not RoomKind.SESSION:
        return frozenset()
    session = ListeningRows().state(0, (yield Call(sql.SESSION_RECORD, [(room,)]))).sessions.get(SessionId(room))
    return frozenset() if session is None else frozenset((*session.people, *session.left))


def is_about_staff(about: MemberId | None, by: MemberId | None, room: RoomId) -> Op[bool]:
    """Return whether a report is about staff: `about` is staff, or its reporter was the seeker of a session, where they
    met only listeners."""
    if about is not None and (yield Call(sql.IS_STAFF, [(about,)])):
        return True
    if by is None or kind_of(room) is not RoomKind.SESSION:
        return False
    session = ListeningRows().state(0, (yield Call(sql.SESSION_RECORD, [(room,)]))).sessions.get(SessionId(room))
    return session is not None and session.seeker == by


def is_by_moderator(author: MemberId) -> Op[bool]:
    """Return whether an escalation of somebody's words is for operators only, because its author is a moderator.

    Escalations of listeners are seen by all moderators who were not in the session, because moderators supervise
    listeners and there may be few operators.
    """
    rows = yield Call(sql.ROLES_OF_STAFF, [(author,)])
    return any(may(decoding.roles_of(row[0]), Capability.MODERATE) for row in rows)


def shut_out(report: str, about: MemberId | None, by: MemberId | None, room: RoomId) -> Op[None]:
    """Store whose own case a new report is. Of a meeting's room it is its hosts', too, if somebody made it (decision
    0230); what screening raised there complains of nobody."""
    there = yield from people_of_room(room)
    if by is not None and kind_of(room) is RoomKind.MEETING:
        there = yield from hosts_of(meeting_of_room(room))
    people = rules.people_of_report(about, by, there)
    yield from keep(report, people)


def keep(subject: str, people: Iterable[MemberId]) -> Op[None]:
    """Store that a new report or debrief note is the own case of these people."""
    rows = [(subject, who) for who in sorted(set(people)) if who not in _NOBODIES]
    if rows:
        yield Call(sql.ADD_CONFLICT, rows)


def admitted(room: RoomId, member: MemberId) -> Op[None]:
    """Store that reports of a session are the own case of a listener who has just come into it."""
    yield Call(sql.SHUT_OUT_OF_ROOM, [(room, member)])


# ------------------------------------------------------------------------------------------------ asking


def find(which: str, asker: Asker) -> Op[Row]:
    """Return the row of a report that `asker` may handle. Raises REPORT_UNKNOWN for any other, whether it exists or
    not."""
    rows = yield Call(moderation_sql.REPORT, [(which,)])
    if not rows:
        raise Refusal(Reason.REPORT_UNKNOWN)
    row = tuple(rows[0])
    people = yield from conflicts_of(which)
    rules.require_access(asker, people, is_about_staff=bool(row[moderation_sql.IS_ABOUT_STAFF]))
    return row


def conflicts_of(subject: str) -> Op[frozenset[MemberId]]:
    """Return the people whose own case a report or a note is."""
    return frozenset(MemberId(row[0]) for row in (yield Call(sql.CONFLICTS, [(subject,)])))


def with_views_of_their_own(members: Collection[MemberId]) -> Op[set[MemberId]]:
    """Return those of `members` who may not see something of moderation that others with their role may."""
    if not members:
        return set()
    rows = yield Call(sql.WITH_VIEWS_OF_THEIR_OWN, by_keys(sorted(members), KEYS_AT_ONCE))
    return {MemberId(row[0]) for row in rows}


def due(asker: Asker) -> Op[tuple[Due, ...]]:
    """Return when the reports that `asker` may see should have been looked at, the earliest first, bounded."""
    rows = yield Call(sql.DUE, [(*params_of(asker), DUE_READ)])
    return tuple(Due(at=Millis(row[0]), is_escalation=row[1] is not None or row[2] == "words") for row in rows)


# ------------------------------------------------------------------------------------------------ nobody is left


def everybody() -> Op[list[Staff]]:
    """Return all accounts, including revoked ones, with the roles that count: a waiting operator is not counted as
    one."""
    found = [decoding.staff_of(row) for row in (yield Call(staff_sql.ALL_STAFF, [()]))]
    # Waits that are over are cleared by `accounts.prune` within a minute; until then they still count as waiting here.
    return [msgspec.structs.replace(each, roles=roles_at(each, Millis(0))) for each in found]


def stranded() -> Op[set[str]]:
    """Return the open reports about staff that nobody may handle, because they are the own case of all who could.
    Bounded."""
    return (yield from _stranded((yield Call(sql.CASES_ABOUT_STAFF, [(STRANDED_READ,)]))))


def has_stranded(by: MemberId) -> Op[bool]:
    """Return whether somebody made a report that waits because nobody who works here may handle it."""
    return bool((yield from _stranded((yield Call(sql.CASES_ABOUT_STAFF_BY, [(by,)])))))


def _stranded(rows: Iterable[Row]) -> Op[set[str]]:
    people: dict[str, set[MemberId]] = defaultdict(set)
    for id_, member in rows:
        people[id_] |= set() if member is None else {MemberId(member)}
    if not people:
        return set()
    staff = yield from everybody()
    return {id_ for id_, those in people.items() if not rules.handlers_among(staff, those, is_about_staff=True)}


# ------------------------------------------------------------------------------------------------ forgetting


def forget(who: MemberId) -> Op[None]:
    """Remove an erased person's id from whose case a report was, and from whom it was taken."""
    yield Call(sql.DROP_CONFLICTS_OF, [(who,)])
    yield Call(sql.DISOWN_TAKEN, [(who,)])


def prune() -> Op[None]:
    """Remove what is stored about reports and notes that are gone."""
    yield Call(sql.DROP_OLD_CONFLICTS, [()])
