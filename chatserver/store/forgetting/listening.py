"""What the listening state and its sessions hold of one person: removing it, exporting it, and expiring it. Sans-I/O,
like `rooms_log`.

An erasure first commits a `Dismiss`, which decides what becomes of the people who were with the person. What it left,
and what happened since, is repaired here: no record refers to the erased person, and nobody waits for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from chatserver.domain.history import ChannelName, Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.company import Company
from chatserver.domain.listening.state import (
    Ending,
    Listener,
    ListeningState,
    Seeker,
    Session,
    SessionId,
    Wish,
    room_of_session,
)
from chatserver.domain.rooms.rooms import Publication, Room, RoomStatus, room_channel
from chatserver.store import evidence, listening_log, queue_history
from chatserver.store import evidence_statements as evidence_sql
from chatserver.store import listening_statements as sql
from chatserver.store import rooms_statements as rooms_sql
from chatserver.store.closed_rooms import drop_room, publish
from chatserver.store.core import decoding
from chatserver.store.core.compiler import Call, Op
from chatserver.store.core.sealing import Sealer
from chatserver.store.evidence import Nobody
from chatserver.store.listening_rows import ListeningRows
from chatserver.store.moderation_lock import hold_moderation
from chatserver.store.records import KeptNote, KeptReport, KeptSession, LogPlace, Retention
from chatserver.store.rooms_log import ChannelState

WAITS_KEPT: Final = 7 * 24 * 3_600_000
"""Milliseconds for which hand-overs are kept."""
ORPHANED_FOR: Final = 24 * 3_600_000
"""Milliseconds of silence after which the room of a session that does not exist is dropped."""
ORPHANS_AT_ONCE: Final = 50

_replace = msgspec.structs.replace


# ------------------------------------------------------------------------------------------------ erasing


def without(floor: ListeningState, who: MemberId, nobody: Nobody, now: Millis) -> ListeningState:
    """Return the listening state without a person. Their live sessions end, and are forgotten at once."""
    sessions = {id_: _session_without(session, who, nobody, now) for id_, session in floor.sessions.items()}
    over = {id_ for id_, session in sessions.items() if session is not floor.sessions[id_] and not session.is_live}
    return _replace(
        floor,
        version=floor.version + 1,
        seekers={id_: _seeker_without(seeker, who, over) for id_, seeker in floor.seekers.items() if id_ != who},
        listeners={id_: listener for id_, listener in floor.listeners.items() if id_ != who},
        sessions=sessions,
        shares={id_: share for id_, share in floor.shares.items() if id_ != who},
        companies={id_: _company_without(company, who, now) for id_, company in floor.companies.items()},
        hosts={id_: host for id_, host in floor.hosts.items() if id_ != who},
    )


def _company_without(company: Company, who: MemberId, now: Millis) -> Company:
    """Return a company without a person. What follows for the others is carried out as if they had left."""
    if company.host == who:
        company = _replace(company, host=None, counts=False, hosted_at=now)
    seat = company.seat_of(who)
    seats = tuple(
        _replace(each, avoid=each.avoid - {who}) if who in each.avoid else each
        for each in company.seats
        if each.member != who
    )
    if seats == company.seats:
        return company
    emptied_at = company.emptied_at if seats or seat is None else now
    return _replace(company, seats=seats, emptied_at=emptied_at)


def _seeker_without(seeker: Seeker, who: MemberId, over: set[SessionId]) -> Seeker:
    fields: dict[str, object] = {}
    if seeker.wish.member == who:
        fields["wish"] = _replace(seeker.wish, member=None, only=False)
    if seeker.proposal is not None and seeker.proposal.listener == who:
        fields["proposal"] = None
    for name, members in (("avoid", seeker.avoid), ("refused_by", seeker.refused_by)):
        if who in members:
            fields[name] = members - {who}
    if seeker.session in over:
        # They lost their listener, so they are next in the queue.
        fields |= {"session": None, "is_first": True}
    return _replace(seeker, **fields) if fields else seeker


def _session_without(session: Session, who: MemberId, nobody: Nobody, now: Millis) -> Session:
    asked = session.asked
    if asked is not None and who in (asked.listener, asked.by):
        session = _replace(session, asked=None)
    if session.wish.member == who:
        session = _replace(session, wish=_replace(session.wish, member=None, only=False))
    if who not in session.people and who not in session.names:
        return session

    def other(member: MemberId) -> MemberId:
        return nobody.id if member == who else member

    if session.is_live and who in session.people:
        session = _replace(session, ended_at=now, ending=Ending.ERASED, forget_at=now)
    is_seeker = session.seeker == who
    return _replace(
        session,
        seeker=other(session.seeker),
        seeker_name=nobody.name if is_seeker else session.seeker_name,
        wish=Wish() if is_seeker else session.wish,
        listeners=tuple(other(member) for member in session.listeners),
        names={other(member): nobody.name if member == who else name for member, name in session.names.items()},
        extend_by=session.extend_by - {who},
        gone={member: since for member, since in session.gone.items() if member != who},
        again=session.again - {who},
        left={member: left for member, left in session.left.items() if member != who},
        heard=None if is_seeker else session.heard,
        heavy_after=None if is_seeker else session.heavy_after,
    )


def take_off(floor: ListeningState, who: MemberId, nobody: Nobody, now: Millis) -> Op[list[SessionId] | None]:
    """Remove a person from the locked listening state. Return the sessions that this ended, or None if nothing
    changed."""
    after = without(floor, who, nobody, now)
    changed = listening_log.differences(floor, after)
    if not changed:
        return None
    yield from listening_log.save(floor, after, changed)
    return [id_ for id_, session in after.sessions.items() if floor.sessions[id_].is_live and not session.is_live]


def close_rooms(ended: list[SessionId], states: Mapping[str, ChannelState], now: Millis) -> Op[list[Publication]]:
    """Close the rooms of sessions that an erasure ended. The caller holds their channels, and saves their heads."""
    publications: list[Publication] = []
    for id_ in ended:
        state = states.get(room_channel(room_of_session(id_)))
        rows = (yield Call(rooms_sql.ROOM, [(state.channel,)])) if state is not None else []
        if state is not None and rows:
            room: Room = decoding.room_of(rows[0])
            if room.status is RoomStatus.OPEN:
                publications.append((yield from publish(state, _replace(room, status=RoomStatus.CLOSED), now)))
    return publications


def forget_what_was_kept(who: MemberId, nobody: Nobody, now: Millis, sealer: Sealer) -> Op[bool]:
    """Remove come-back words that lead to a person, notes about themselves, and their part in reports, except what
    cases about them hold (`evidence.withdraw`). Return whether there was any text."""
    # Anybody who adds to a report at this moment has done so before the lock, or adds to what is left.
    yield from hold_moderation()
    dropped = yield Call(sql.DROP_WORDS_TO, [(who,)])
    debriefs = yield Call(sql.DROP_DEBRIEFS_OF, [(who,)])
    had_words = yield from evidence.withdraw(who, nobody, now, sealer)
    yield Call(sql.DISOWN_REPORTS, [(who,)])
    return bool(dropped or debriefs or had_words)


# ------------------------------------------------------------------------------------------------ showing


class Kept(msgspec.Struct, frozen=True):
    """What is kept about one person outside of rooms. It contains nothing of what others said privately about a
    session."""

    place: LogPlace | None
    listener: Listener | None
    sessions: tuple[KeptSession, ...]
    reports: tuple[KeptReport, ...]
    debriefs: tuple[KeptNote, ...]
    begun: tuple[Millis, ...]
    """When their sessions of the last day began."""
    hosted: tuple[Millis, ...]
    """When they began to keep company in the last day."""


def kept_of(who: MemberId) -> Op[Kept]:
    floor = ListeningRows().state(0, (yield Call(sql.RECORDS_OF, [(who, who, who, who)])))
    seeker = floor.seekers.get(who)
    share = floor.shares.get(who)
    host = floor.hosts.get(who)
    seats = [seat for company in floor.companies.values() if (seat := company.seat_of(who)) is not None]
    reports = yield Call(sql.REPORTS_BY, [(who,)])
    debriefs = yield Call(sql.DEBRIEFS_OF, [(who,)])
    return Kept(
        place=None if seeker is None else _place_of(seeker, seats[0].since if seats else None),
        listener=floor.listeners.get(who),
        sessions=tuple(
            _kept_session(session, who)
            for session in floor.sessions.values()
            if who in session.people or who in session.left
        ),
        reports=tuple(
            KeptReport(at=row[0], reason=row[1], note=row[2], outcome=row[3], reply=row[4] or "") for row in reports
        ),
        debriefs=tuple(KeptNote(at=row[0], note=row[1]) for row in debriefs),
        begun=() if share is None else share.sessions,
        hosted=() if host is None else host.hosted,
    )


def _place_of(seeker: Seeker, sits_since: Millis | None) -> LogPlace:
    return LogPlace(
        asked_at=seeker.asked_at,
        wish=_own_wish(seeker.wish),
        seen_at=seeker.seen_at,
        lapsed_at=seeker.lapsed_at,
        sits_since=sits_since,
    )


def _own_wish(wish: Wish) -> Wish:
    """Return what somebody asked for, without the id of the listener that their come-back words led to."""
    return _replace(wish, member=None)


def _kept_session(session: Session, who: MemberId) -> KeptSession:
    is_seeker = who == session.seeker
    left = session.left.get(who)
    return KeptSession(
        id=session.id,
        is_seeker=is_seeker,
        started_at=session.started_at,
        ended_at=session.ended_at,
        forget_at=session.forget_at,
        wish=_own_wish(session.wish) if is_seeker else None,
        heard=session.heard if is_seeker else None,
        heavy_after=session.heavy_after if is_seeker else None,
        flagged=None if is_seeker else session.flagged if left is None else left.flagged,
        left_at=None if left is None else left.at,
        would_talk_again=who in session.again,
    )


# ------------------------------------------------------------------------------------------------ expiring


def prune(now: Millis, retention: Retention) -> Op[bool]:
    """Remove hand-overs, timings, reports, debriefs and feedback that are too old, and words, invitations and sign-ins
    that are over. Return whether any text that somebody wrote was among it."""
    yield Call(sql.DROP_OLD_WAITS, [(now - WAITS_KEPT,)])
    yield from queue_history.prune(now, retention)
    for statement in sql.DROP_OVER:
        yield Call(statement, [(now,)])
    has_dropped = False
    for statement, age in (
        (evidence_sql.DROP_EVIDENCE, retention.evidence_age),
        (sql.DROP_OLD_REPORTS, retention.report_age),
        (sql.DROP_OLD_DEBRIEFS, retention.debrief_age),
        (sql.DROP_OLD_FEEDBACK, retention.feedback_age),
    ):
        has_dropped |= bool((yield Call(statement, [(now - age,)])))
    return has_dropped


def orphans(now: Millis) -> Op[list[ChannelName]]:
    """Return the channels of rooms that no session will ever drop."""
    rows = yield Call(sql.ORPHANS, [(now - ORPHANED_FOR, ORPHANS_AT_ONCE)])
    return sorted(ChannelName(row[0]) for row in rows)


def drop_orphans(now: Millis) -> Op[None]:
    # The listening state's lock comes first, as everywhere; then none of these rooms can get a session again.
    yield Call(sql.LOCK_FLOOR, [()])
    names = yield from orphans(now)
    if names:
        yield Call(rooms_sql.LOCK_ROOMS, [(name,) for name in names])
        for name in names:
            yield from drop_room(name)
        yield Call(sql.NOTE_DROPPED, [()])
