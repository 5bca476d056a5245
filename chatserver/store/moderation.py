"""Reports, measures and the audit log. Sans-I/O, like `log`.

Locks in the order of everybody: the floor, channels, members, and last the one row of `moderation`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from chatserver.domain import moderation as rules
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.ledger import Act, Entry, LedgerHead
from chatserver.domain.moderation import (
    REPORTS_AN_HOUR,
    Measure,
    MeasureKind,
    MeasureState,
    Outcome,
    Report,
    ReportStatus,
    TakeMeasure,
)
from chatserver.domain.rooms import Post, Publication, Redacted, Room, RoomKind, room_channel
from chatserver.store import floor_statements as floor_sql
from chatserver.store import measures, reading, render
from chatserver.store import moderation_statements as sql
from chatserver.store import people_statements as people_sql
from chatserver.store import staff_statements as staff_sql
from chatserver.store import statements as rooms_sql
from chatserver.store.compiler import Call, Op, Row, by_keys
from chatserver.store.contract import KeptMeasure, KeptView, Retention
from chatserver.store.log import ChannelState, event_row, post_values, save_heads
from chatserver.store.measures import measure_of, measure_row
from chatserver.store.moderation_contract import (
    Answered,
    Debrief,
    Matters,
    Queue,
    ReportFile,
    ReportNote,
    RoomReport,
    Taken,
)
from chatserver.store.report_rows import SNAPSHOT, decode_posts, report_row
from chatserver.store.statements import KEYS_AT_ONCE
from chatserver.store.turns import Turn, turn

QUEUE: Final = 200
CLOSED: Final = 30
MEASURES: Final = 200
DEBRIEFS: Final = 200
"""How many of each a moderator is shown."""
AFTER: Final = 10
"""Posts after the reported one that go with a report; what was written before it takes the rest of the snapshot."""
KEPT_AFTER: Final = 30 * 24 * rules.HOUR
"""Milliseconds for which a measure is kept when it is over."""
VIEWED: Final = "report_viewed"
_NOBODIES: Final = frozenset({"m_service", "m_erased"})
_replace = msgspec.structs.replace


def version() -> Op[int]:
    ((found,),) = yield Call(sql.VERSION, [()])
    return int(found)


# ------------------------------------------------------------------------------------------------ reports


def report(asked: RoomReport) -> Op[str]:
    channel = room_channel(asked.room)
    # Held until the end, so that the same report twice at once is one.
    if not (yield Call(people_sql.LOCK_MEMBER, [(asked.by,)])):
        raise Refusal(Reason.MEMBER_UNKNOWN)
    rows = yield Call(rooms_sql.ROOM, [(channel,)])
    if not rows or render.room_of(rows[0]).kind is not RoomKind.THEMED:
        raise Refusal(Reason.ROOM_UNKNOWN)
    if not (yield Call(rooms_sql.FIND_MEMBERSHIPS, [(asked.by, asked.room)])):
        raise Refusal(Reason.NOT_IN_ROOM)
    about = yield from _whom(asked)
    before = yield Call(sql.REPORTS_OF, [(asked.by, asked.at - rules.HOUR)])
    same = [
        row[0]
        for row in before
        if row[2] != ReportStatus.CLOSED and tuple(row[3:]) == (asked.room, about, asked.offset)
    ]
    if same:
        return str(same[0])
    lately = sorted(row[1] for row in before if row[1] > asked.at - rules.HOUR)
    if len(lately) >= REPORTS_AN_HOUR:
        raise Refusal(Reason.RATE_LIMITED, retry_after=(lately[-REPORTS_AN_HOUR] + rules.HOUR - asked.at) / 1000)
    posts = yield from _around(asked)
    now = yield from turn()
    yield Call(
        floor_sql.ADD_REPORT,
        [
            report_row(
                id_=asked.id,
                at=asked.at,
                by=asked.by,
                about=about,
                room=asked.room,
                reason=asked.reason,
                note=asked.note,
                is_call=False,
                posts=posts,
                offset=asked.offset,
                version=now.version,
            )
        ],
    )
    yield from now.rise()
    return asked.id


def _whom(asked: RoomReport) -> Op[MemberId]:
    about = asked.about
    if asked.offset is not None:
        found = yield Call(rooms_sql.FIND_POSTS, [(room_channel(asked.room), asked.offset)])
        if not found:
            raise Refusal(Reason.POST_UNKNOWN)
        about = render.post_of(found[0][1:]).author
    elif about is None or not (yield Call(people_sql.MEMBER, [(about,)])):
        raise Refusal(Reason.MEMBER_UNKNOWN)
    if about == asked.by:
        raise Refusal(Reason.INVALID, details={"field": "$.member", "problem": "that is oneself"})
    return about


def _around(asked: RoomReport) -> Op[list[Post]]:
    channel = room_channel(asked.room)
    if asked.offset is None:
        rows = yield Call(rooms_sql.PAGE, [(channel, reading.NEWEST, SNAPSHOT)])
        return [render.post_of(row) for row in reversed(rows)]
    before = yield Call(rooms_sql.PAGE, [(channel, asked.offset + 1, SNAPSHOT - AFTER)])
    later = yield Call(sql.POSTS_AFTER, [(channel, asked.offset, AFTER)])
    return [render.post_of(row) for row in (*reversed(before), *later)]


def queue(now: Millis) -> Op[Queue]:
    found = yield from version()
    open_ = [_report_of(row) for row in (yield Call(sql.QUEUE, [(QUEUE,)]))]
    ((count,),) = yield Call(sql.COUNT_OPEN, [()])
    closed = [_report_of(row) for row in (yield Call(sql.LATELY_CLOSED, [(CLOSED,)]))]
    taken = [measure_of(row) for row in (yield Call(sql.MEASURES, [(now, MEASURES)]))]
    ((unread,),) = yield Call(sql.UNREAD_DEBRIEFS, [()])
    people = {who for each in (*open_, *closed) for who in (each.by, each.about, each.claimed_by)}
    people |= {who for each in taken for who in (each.by, each.about)}
    return Queue(
        version=found,
        open=tuple(open_),
        open_count=count,
        closed=tuple(closed),
        measures=tuple(taken),
        unread_debriefs=unread,
        names=(yield from names({who for who in people if who is not None})),
    )


def escalations_due() -> Op[list[Millis]]:
    return [Millis(row[0]) for row in (yield Call(sql.ESCALATIONS_DUE, [(QUEUE,)]))]


def open_report(which: str, by: MemberId, why: str, now: Millis) -> Op[ReportFile]:
    reason = rules.required(why, rules.REASON_LENGTH)
    mine = yield from turn()
    row = yield from _find(which)
    found = _report_of(row[: sql.REPORT_COLUMNS])
    note, snapshot = row[sql.REPORT_COLUMNS :]
    posts = decode_posts(snapshot)
    notes = [ReportNote(by=each[0], at=each[1], note=each[2]) for each in (yield Call(sql.NOTES, [(which,)]))]
    taken: list[Measure] = []
    if found.about is not None:
        taken = [measure_of(each) for each in (yield Call(sql.MEASURES_ABOUT, [(found.about,)]))]
    concerned = _people((found.by, found.about, *(post.author for post in posts)))
    yield from mine.enter(Act(at=now, by=by, action=VIEWED, about=concerned, subject=which, reason=reason))
    known = {who for who in (found.by, found.about, found.claimed_by, *(each.by for each in notes)) if who is not None}
    return ReportFile(
        report=found,
        note=note,
        posts=tuple(posts),
        notes=tuple(notes),
        measures=tuple(taken),
        names=(yield from names(known | {each.by for each in taken})),
    )


def claim(which: str, by: MemberId, instead_of: MemberId | None, now: Millis) -> Op[Millis | None]:
    mine = yield from turn()
    before = _report_of((yield from _find(which))[: sql.REPORT_COLUMNS])
    yield from _change(mine, before, rules.claim(before, by, instead_of), by, "report_claimed", now)
    return before.at if before.status is ReportStatus.OPEN else None


def release(which: str, by: MemberId, now: Millis) -> Op[None]:
    mine = yield from turn()
    before = _report_of((yield from _find(which))[: sql.REPORT_COLUMNS])
    yield from _change(mine, before, rules.release(before, by), by, "report_released", now)


def close(which: str, by: MemberId, outcome: Outcome, reply: str, now: Millis) -> Op[Millis | None]:
    mine = yield from turn()
    before = _report_of((yield from _find(which))[: sql.REPORT_COLUMNS])
    after = rules.close(before, by, outcome, reply, now)
    yield from _change(mine, before, after, by, "report_closed", now, reason=outcome.value)
    return None if before.status is ReportStatus.CLOSED else before.at


def note(which: str, by: MemberId, text: str, note_id: str, now: Millis) -> Op[None]:
    said = rules.required(text, rules.NOTE_LENGTH)
    mine = yield from turn()
    found = _report_of((yield from _find(which))[: sql.REPORT_COLUMNS])
    if note_id in {row[0] for row in (yield Call(sql.NOTE_IDS, [(which,)]))}:
        return
    yield Call(sql.ADD_NOTE, [(note_id, which, by, now, said)])
    # The note itself can be read in the report, and goes with it.
    concerned = _people((found.about,))
    yield from mine.enter(Act(at=now, by=by, action="report_noted", about=concerned, subject=which, reason=""))


def _change(
    mine: Turn, before: Report, after: Report, by: MemberId, action: str, now: Millis, reason: str = ""
) -> Op[None]:
    if after == before:
        return
    row = (after.status, after.claimed_by, after.closed_at, after.outcome, after.reply, mine.version, after.id)
    yield Call(sql.SET_REPORT, [row])
    yield from mine.rise()
    concerned = _people((after.about,))
    yield from mine.enter(Act(at=now, by=by, action=action, about=concerned, subject=after.id, reason=reason))


def _find(which: str) -> Op[Row]:
    rows = yield Call(sql.REPORT, [(which,)])
    if not rows:
        raise Refusal(Reason.REPORT_UNKNOWN)
    return tuple(rows[0])


# ------------------------------------------------------------------------------------------------ measures


def take_measure(asked: TakeMeasure, now: Millis) -> Op[Taken]:
    post: Post | None = None
    state: ChannelState | None = None
    room: Room | None = None
    if asked.room is not None:
        rows = yield Call(rooms_sql.LOCK_ROOMS, [(room_channel(asked.room),)])
        if not rows:
            raise Refusal(Reason.ROOM_UNKNOWN)
        state = ChannelState(rows[0])
        room = render.room_of(rows[0][5:])
        if asked.offset is not None:
            found = yield Call(rooms_sql.FIND_POSTS, [(room_channel(room.id), asked.offset)])
            post = render.post_of(found[0][1:]) if found else None
    known = yield Call(sql.MEASURE, [(asked.id,)])
    if known:
        return Taken(measure=measure_of(known[0]))
    about = rules.about_whom(asked, post)
    # Whoever is erased at this moment is gone before, or after.
    members = yield Call(people_sql.LOCK_MEMBER, [(about,)])
    accounts = yield Call(staff_sql.GOOD_STAFF, by_keys([about], KEYS_AT_ONCE))
    mine_state = MeasureState(post=post, is_member=bool(members), is_staff=bool(accounts))
    measure = rules.decide(asked, mine_state, now)
    if rules.restriction_of(measure) is not None and measure.room is not None and room is not None and room.split_of:
        # It holds in the whole family: whoever is led back is no freer there.
        measure = _replace(measure, room=room.split_of)
    if asked.report is not None:
        yield from _find(asked.report)
    mine = yield from turn()
    publications: list[Publication] = []
    if measure.kind is MeasureKind.REDACT and state is not None and post is not None:
        publications.append((yield from _redact(state, post, asked.by, now)))
    yield Call(sql.ADD_MEASURE, [measure_row(measure, mine.version)])
    yield from mine.rise()
    yield from mine.enter(
        Act(
            at=now,
            by=asked.by,
            action=f"measure_{measure.kind}",
            about=(measure.about,),
            subject=measure.id,
            reason=measure.reason,
        )
    )
    return Taken(measure=measure, publications=tuple(publications))


def _redact(state: ChannelState, post: Post, by: MemberId, now: Millis) -> Op[Publication]:
    publication = state.publish(Redacted(target=post.offset), now)
    gone = _replace(post, text="", warning=None, redacted=True, reactions={})
    place = (state.channel, post.offset)
    yield Call(rooms_sql.ADD_EVENTS, [event_row(publication, by, (None, 0, None))])
    yield Call(rooms_sql.SET_POSTS, [post_values(state.channel, gone)])
    yield Call(rooms_sql.DROP_POST_REACTIONS, [place])
    yield Call(rooms_sql.FORGET_DIGESTS, [place])
    yield from save_heads([state])
    return publication


def lift(which: str, by: MemberId, reason: str, now: Millis) -> Op[None]:
    why = rules.required(reason, rules.REASON_LENGTH)
    mine = yield from turn()
    found = yield from _find_measure(which)
    if found.lifted_at is not None:
        return
    yield from _set_measure(mine, _replace(found, lifted_at=now))
    yield Call(sql.DROP_BARRED_BY, [(which,)])
    act = Act(at=now, by=by, action="measure_lifted", about=(found.about,), subject=which, reason=why)
    yield from mine.enter(act)


def appeal(who: MemberId, which: str, text: str, now: Millis) -> Op[None]:
    mine = yield from turn()
    found = yield from _find_measure(which)
    if found.about != who:
        raise Refusal(Reason.MEASURE_UNKNOWN)
    yield from _set_measure(mine, rules.appeal(found, text, now))
    yield from mine.enter(Act(at=now, by=who, action="measure_appealed", about=(who,), subject=which, reason=""))


def matters(who: MemberId, now: Millis) -> Op[Matters]:
    found = yield from measures.active_of([who], now)
    answers = yield Call(sql.ANSWERED, [(who,)])
    return Matters(
        measures=tuple(sorted(found, key=lambda each: (each.at, each.id))),
        answers=tuple(
            Answered(report=row[0], at=row[1], closed_at=row[2], outcome=Outcome(row[3]), reply=row[4] or "")
            for row in answers
        ),
    )


def concerned(since: int) -> Op[set[MemberId]]:
    return {MemberId(row[0]) for row in (yield Call(sql.CONCERNED, [(since,)])) if row[0] is not None}


def see(who: MemberId, ids: Collection[str], now: Millis) -> Op[None]:
    # In the order of everybody who changes several.
    which = sorted(ids)
    yield Call(sql.SEE_MEASURE, [(now, each, who) for each in which])
    yield Call(sql.SEE_REPORT, [(each, who) for each in which])


def bar(measure: str, keys: Collection[bytes], until: Millis) -> Op[None]:
    # With the lock, so that whoever lifts the measure is before or after.
    yield from turn()
    found = yield Call(sql.MEASURE, [(measure,)])
    if not found or measure_of(found[0]).lifted_at is not None:
        return
    for key in sorted(keys):
        if not (yield Call(sql.IS_BARRED_BY, [(measure, key)])):
            yield Call(sql.ADD_BARRED, [(measure, key, until)])


def barred_until(key: bytes, now: Millis) -> Op[Millis | None]:
    ((until,),) = yield Call(sql.FIND_BARRED, [(key, now)])
    return None if until is None else Millis(until)


def _find_measure(which: str) -> Op[Measure]:
    rows = yield Call(sql.MEASURE, [(which,)])
    if not rows:
        raise Refusal(Reason.MEASURE_UNKNOWN)
    return measure_of(rows[0])


def _set_measure(mine: Turn, measure: Measure) -> Op[None]:
    row = (measure.lifted_at, measure.appeal, measure.appealed_at, mine.version, measure.id)
    yield Call(sql.SET_MEASURE, [row])
    yield from mine.rise()


# ------------------------------------------------------------------------------------------------ debriefs, names


def debriefs() -> Op[list[Debrief]]:
    rows = yield Call(sql.DEBRIEFS, [(DEBRIEFS,)])
    return [Debrief(id=row[0], at=row[1], listener=row[2], note=row[3], read_by=row[4], read_at=row[5]) for row in rows]


def read_debrief(which: str, by: MemberId, now: Millis) -> Op[None]:
    mine = yield from turn()
    rows = yield Call(sql.READ_DEBRIEF, [(by, now, which)])
    if rows:
        yield from mine.rise()
        act = Act(at=now, by=by, action="debrief_read", about=(MemberId(rows[0][0]),), subject=which, reason="")
        yield from mine.enter(act)


def names(members: Collection[MemberId]) -> Op[dict[MemberId, str]]:
    if not members:
        return {}
    rows = yield Call(sql.NAMES, by_keys(sorted(members), KEYS_AT_ONCE))
    return {MemberId(row[0]): row[1] for row in rows}


# ------------------------------------------------------------------------------------------------ the log, forgetting


def entries(after: int, limit: int) -> Op[list[Entry]]:
    rows = yield Call(sql.ENTRIES, [(after, limit)])
    return [
        Entry(
            seq=row[0],
            act=Act(
                at=row[1],
                by=row[2],
                action=row[3],
                about=tuple(MemberId(who) for who in row[4].split()),
                subject=row[5],
                reason=row[6],
            ),
            hash=bytes(row[7]),
        )
        for row in rows
    ]


def head() -> Op[LedgerHead]:
    ((seq, hashed),) = yield Call(sql.HEAD, [()])
    return LedgerHead(seq, bytes(hashed))


def forget(who: MemberId, nobody: MemberId) -> Op[bool]:
    """Let go of somebody who is erased: measures about them go, and their id from what they did here as staff. Entries
    of the audit log stay, under an id that is nobody's any more. Whether there was any text."""
    dropped = yield Call(sql.DROP_MEASURES_ABOUT, [(who,)])
    yield Call(sql.LET_GO, [(who,)])
    for statement in (sql.DISOWN_CLOSED, sql.DISOWN_MEASURES, sql.DISOWN_NOTES, sql.DISOWN_READING):
        yield Call(statement, [(nobody, who)])
    return bool(dropped)


def kept_of(who: MemberId) -> Op[tuple[tuple[KeptMeasure, ...], tuple[KeptView, ...]]]:
    """Measures about somebody, and when staff read what is theirs."""
    taken = [measure_of(row) for row in (yield Call(sql.MEASURES_ABOUT, [(who,)]))]
    rows = yield Call(sql.ENTRIES_ABOUT, [(f"%{who}%", VIEWED)])
    return (
        tuple(
            KeptMeasure(
                at=each.at,
                kind=each.kind,
                room=each.room,
                reason=each.reason,
                expires_at=each.expires_at,
                lifted_at=each.lifted_at,
                appeal=each.appeal,
            )
            for each in taken
        ),
        tuple(KeptView(at=row[0], reason=row[3]) for row in rows if who in row[2].split()),
    )


def prune(now: Millis, retention: Retention) -> Op[None]:
    """Remove measures that were over long ago, and the notes of reports that are about to go."""
    yield Call(sql.DROP_OLD_NOTES, [(now - retention.report_age,)])
    yield Call(sql.DROP_OLD_MEASURES, [(now - KEPT_AFTER,)])


def _people(whom: Iterable[MemberId | None]) -> tuple[MemberId, ...]:
    """Members only: neither the service, nor those who are no more."""
    return tuple(sorted({who for who in whom if who is not None and who not in _NOBODIES}))


def _report_of(row: Row) -> Report:
    id_, at, due_at, by, about, room, offset, reason, is_call, status, claimed_by, closed_at, outcome, reply, level = (
        row
    )
    return Report(
        id=id_,
        at=at,
        due_at=due_at,
        by=by,
        about=about,
        room=room,
        offset=None if offset is None else Offset(offset),
        reason=reason,
        is_call=bool(is_call),
        status=ReportStatus(status),
        claimed_by=claimed_by,
        closed_at=closed_at,
        outcome=None if outcome is None else Outcome(outcome),
        reply=reply or "",
        level=level,
    )
