"""Reports, measures and the audit log. Sans-I/O, like `rooms_log`.

Locks are taken in the order of every transaction: the listening state, channels, members, and last the one row of
`moderation`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Epoch, Millis, require_epoch
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation import measures as rules
from chatserver.domain.moderation import report_queue
from chatserver.domain.moderation import report_steps as steps
from chatserver.domain.moderation.audit_log import Act
from chatserver.domain.moderation.evidence import Ended, is_alias
from chatserver.domain.moderation.measures import (
    REPORTS_AN_HOUR,
    Measure,
    MeasureKind,
    MeasureState,
    Outcome,
    Report,
    ReportStatus,
    TakeMeasure,
)
from chatserver.domain.moderation.report_access import Asker, needs_another
from chatserver.domain.moderation.report_queue import Folds
from chatserver.domain.rooms.rooms import Post, Publication, Redacted, Room, RoomId, RoomKind, room_channel
from chatserver.domain.text.cleaning import optional, required
from chatserver.store import arrivals, cards, evidence, folding, measures, reading, report_access, report_closing
from chatserver.store import evidence_statements as evidence_sql
from chatserver.store import listening_statements as floor_sql
from chatserver.store import moderation_statements as sql
from chatserver.store import people_statements as people_sql
from chatserver.store import rooms_statements as rooms_sql
from chatserver.store import staff_statements as staff_sql
from chatserver.store.core import decoding
from chatserver.store.core.compiler import Call, Op, Row, by_keys
from chatserver.store.core.sealing import Sealer
from chatserver.store.evidence import Opened
from chatserver.store.measures import measure_of, measure_row, require_reach
from chatserver.store.moderation_lock import ModerationLock, hold_moderation
from chatserver.store.moderation_queue import names, page, people_in, ranks
from chatserver.store.moderation_records import (
    Answered,
    ModerationNotices,
    Queue,
    ReportFile,
    ReportNote,
    RoomReport,
    ShownReport,
    Taken,
)
from chatserver.store.records import Retention
from chatserver.store.report_rows import SNAPSHOT, decode_posts, new_id, report_of, report_row, urgent_among
from chatserver.store.report_views import VIEWED
from chatserver.store.rooms_log import ChannelState, event_row, post_values, save_heads
from chatserver.store.rooms_statements import KEYS_AT_ONCE

CLOSED: Final = 30
MEASURES: Final = 200
"""The most closed reports, and the most measures, that a moderator is shown."""
AFTER: Final = 10
"""Posts after the reported one that go with a report. Earlier posts take the rest of the snapshot."""
KEPT_AFTER: Final = 30 * 24 * rules.HOUR
"""Milliseconds for which a measure is kept after its end."""
_NOBODIES: Final = frozenset({"m_service", "m_erased"})
_replace = msgspec.structs.replace


def version() -> Op[int]:
    ((found,),) = yield Call(sql.VERSION, [()])
    return int(found)


# ------------------------------------------------------------------------------------------------ reports


def report(asked: RoomReport, sealer: Sealer) -> Op[str]:
    channel = room_channel(asked.room)
    # Held until the end, so that the same report made twice at once is one report.
    if not (yield Call(people_sql.LOCK_MEMBER, [(asked.by,)])):
        raise Refusal(Reason.MEMBER_UNKNOWN)
    rows = yield Call(rooms_sql.ROOM, [(channel,)])
    if not rows or decoding.room_of(rows[0]).kind is RoomKind.SESSION:
        raise Refusal(Reason.ROOM_UNKNOWN)
    if not (yield Call(rooms_sql.FIND_MEMBERSHIPS, [(asked.by, asked.room)])):
        raise Refusal(Reason.NOT_IN_ROOM)
    # Locked before the posts are read: a person who is being erased is gone by now, or their erasure finds the report.
    now = yield from hold_moderation()
    opened = yield from _opened(asked, sealer)
    about = opened.about
    before = yield Call(sql.REPORTS_OF, [(asked.by, asked.at - rules.HOUR)])
    same = [
        row[0]
        for row in before
        if row[2] != ReportStatus.CLOSED and tuple(row[3:6]) == (asked.room, about, asked.offset)
    ]
    if same:
        which = str(same[0])
        has_more = yield from evidence.add_to(which, opened, asked.at, sealer)
        urgent = urgent_among(row for row in before if row[0] != which)
        yield from cards.say_again(
            now, which, asked.reason, asked.note, asked.at, has_more=has_more, urgent_before=urgent
        )
        return which
    _require_few(before, asked.at)
    about_staff = yield from report_access.is_about_staff(about, asked.by, asked.room)
    is_new = report_queue.is_new((yield from cards.since(asked.by)), asked.at)
    origin = asked.origin if is_new else None
    row = report_row(
        id_=asked.id,
        at=asked.at,
        by=asked.by,
        about=about,
        room=asked.room,
        reason=asked.reason,
        note=asked.note,
        is_call=False,
        posts=opened.posts,
        offset=asked.offset,
        version=now.version,
        is_about_staff=about_staff,
        is_new=is_new,
        address=None if origin is None else origin.path,
        urgent_before=urgent_among(before),
        sealed=evidence.sealed_for(evidence.Held(earlier=opened.earlier), sealer),
        erased_at=asked.at if opened.has_erased else None,
    )
    yield Call(floor_sql.ADD_REPORT, [row])
    yield from report_access.shut_out(asked.id, about, asked.by, asked.room)
    if origin is not None:
        (made,) = yield Call(sql.REPORT, [(asked.id,)])
        yield from folding.fold(now, Folds.REPORTS, report_of(made[: sql.REPORT_COLUMNS]), origin, asked.at)
    yield from now.rise()
    return asked.id


def require_report(by: MemberId, now: Millis) -> Op[None]:
    _require_few((yield Call(sql.REPORTS_OF, [(by, now - rules.HOUR)])), now)


def _require_few(before: Iterable[Row], now: Millis) -> None:
    lately = sorted(row[1] for row in before if row[1] > now - rules.HOUR)
    if len(lately) >= REPORTS_AN_HOUR:
        raise Refusal(Reason.RATE_LIMITED, retry_after=(lately[-REPORTS_AN_HOUR] + rules.HOUR - now) / 1000)


def _opened(asked: RoomReport, sealer: Sealer) -> Op[Opened]:
    """Return what a report holds and whom it is about, who may be erased as long as what they wrote is kept."""
    channel = room_channel(asked.room)
    if asked.offset is not None:
        require_epoch(asked.epoch, (yield from _epoch_of(asked.room)))
        found = yield Call(rooms_sql.FIND_POSTS, [(channel, asked.offset)])
        if not found:
            raise Refusal(Reason.POST_UNKNOWN)
        post = decoding.post_of(found[0][1:])
        _refuse_oneself(post.author, asked)
        return (yield from evidence.of_post(channel, post, (yield from _around(asked)), sealer))
    about = asked.about
    if about is None:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    _refuse_oneself(about, asked)
    if not (yield Call(people_sql.MEMBER, [(about,)])):
        about = sealer.alias(about)
        if not (yield Call(evidence_sql.WHO_WROTE, [(about, channel)])):
            raise Refusal(Reason.MEMBER_UNKNOWN)
    return (yield from evidence.of_person(channel, about, (yield from _around(asked)), sealer))


def _epoch_of(room: RoomId) -> Op[Epoch]:
    """Return a room's present epoch, empty if the room is gone."""
    rows = yield Call(people_sql.HEAD_OF_ROOM, [(room,)])
    return Epoch(rows[0][0]) if rows else Epoch("")


def _refuse_oneself(about: MemberId, asked: RoomReport) -> None:
    if about == asked.by:
        raise Refusal(Reason.INVALID, details={"field": "$.member", "problem": "that is oneself"})


def _around(asked: RoomReport) -> Op[list[Post]]:
    channel = room_channel(asked.room)
    if asked.offset is None:
        rows = yield Call(rooms_sql.PAGE, [(channel, reading.NEWEST, SNAPSHOT)])
        return [decoding.post_of(row) for row in reversed(rows)]
    before = yield Call(rooms_sql.PAGE, [(channel, asked.offset + 1, SNAPSHOT - AFTER)])
    later = yield Call(sql.POSTS_AFTER, [(channel, asked.offset, AFTER)])
    return [decoding.post_of(row) for row in (*reversed(before), *later)]


def queue(asker: Asker, now: Millis) -> Op[Queue]:
    found = yield from version()
    who = report_access.params_of(asker)
    first = yield from page(asker, None, None)
    counts = yield from ranks(asker)
    closed = [report_of(row) for row in (yield Call(sql.LATELY_CLOSED, [(*who, CLOSED)]))]
    taken = [measure_of(row) for row in (yield Call(sql.MEASURES, [(*who, now, MEASURES)]))]
    taken = yield from _without_answers_to(asker, taken)
    ((unread,),) = yield Call(sql.UNREAD_DEBRIEFS_FOR, [(asker.member,)])
    people = people_in(closed) | {who for each in taken for who in (each.by, each.about)}
    return Queue(
        version=found,
        open=first.reports,
        open_count=sum(counts.values()),
        ranks=counts,
        next=first.next,
        parts=first.parts,
        closed=tuple(closed),
        measures=tuple(taken),
        unread_debriefs=unread,
        names={**first.names, **(yield from names(people))},
    )


def _without_answers_to(asker: Asker, taken: list[Measure]) -> Op[list[Measure]]:
    """Return measures without the answers to those that the asker took, if somebody else is there to read the
    answers."""
    if not any(each.by == asker.member and each.appeal is not None for each in taken):
        return taken
    staff = yield from report_access.everybody()
    return [
        _replace(each, appeal="") if each.by == asker.member and needs_another(each.by, each.about, staff) else each
        for each in taken
    ]


def open_report(which: str, asker: Asker, why: str, now: Millis, sealer: Sealer) -> Op[ReportFile]:
    reason = required(why, rules.REASON_LENGTH)
    mine = yield from hold_moderation()
    row = yield from report_access.find(which, asker)
    found = report_of(row[: sql.REPORT_COLUMNS])
    note, snapshot = row[sql.REPORT_COLUMNS :]
    ((sealed,),) = yield Call(evidence_sql.SEALED, [(which,)])
    held = evidence.held_by(sealed, sealer)
    posts = evidence.shown(decode_posts(snapshot), held)
    notes = [ReportNote(by=each[0], at=each[1], note=each[2]) for each in (yield Call(sql.NOTES, [(which,)]))]
    taken: list[Measure] = []
    if found.about is not None:
        rows = yield Call(sql.MEASURES_ABOUT_FOR, [(*report_access.params_of(asker), found.about)])
        taken = yield from _without_answers_to(asker, [measure_of(each) for each in rows])
    concerned = _people((found.by, found.about, *(post.author for post in posts)))
    yield from mine.enter(Act(at=now, by=asker.member, action=VIEWED, about=concerned, subject=which, reason=reason))
    known = {who for who in (found.by, found.about, found.claimed_by, *(each.by for each in notes)) if who is not None}
    return ReportFile(
        report=found,
        note=note if held.note is None else held.note,
        posts=posts,
        earlier=held.earlier,
        notes=tuple(notes),
        measures=tuple(taken),
        names=(yield from names(known | {each.by for each in taken})),
        neighbours=(yield from arrivals.neighbours(found.about, now)),
    )


def claim(which: str, asker: Asker, instead_of: MemberId | None, why: str, now: Millis) -> Op[Millis | None]:
    mine = yield from hold_moderation()
    before = yield from _find(which, asker)
    after = steps.claim(before, asker.member, instead_of, why)
    if before.claimed_by not in (None, asker.member):
        yield from _change(mine, before, after, asker, "report_taken_over", now, reason=after.taken_reason)
    else:
        yield from _change(mine, before, after, asker, "report_claimed", now)
    return before.at if before.status is ReportStatus.OPEN else None


def release(which: str, asker: Asker, now: Millis) -> Op[None]:
    mine = yield from hold_moderation()
    before = yield from _find(which, asker)
    yield from _change(mine, before, steps.release(before, asker.member), asker, "report_released", now)


def close(which: str, asker: Asker, outcome: Outcome, reply: str, now: Millis, shown: ShownReport) -> Op[Millis | None]:
    mine = yield from hold_moderation()
    before = yield from _find(which, asker)
    if steps.is_proposed_by(before, asker.member, outcome, reply):
        return None
    after = steps.close(before, asker.member, outcome, reply, now)
    yield from report_closing.require_seen(before, asker, shown)
    action = "report_closed" if after.status is ReportStatus.CLOSED else "report_outcome_proposed"
    yield from _change(mine, before, after, asker, action, now, reason=outcome.value)
    return before.at if after.status is ReportStatus.CLOSED else None


def review(
    which: str, asker: Asker, why: str, now: Millis, shown: ShownReport, *, is_agreed: bool
) -> Op[Millis | None]:
    mine = yield from hold_moderation()
    before = yield from _find(which, asker)
    after = steps.review(before, asker.member, why, now, is_agreed=is_agreed)
    yield from report_closing.require_reviewed(before, asker, shown, is_agreed=is_agreed)
    action = "report_closed" if is_agreed else "report_outcome_refused"
    if not is_agreed:
        # A note for the next person who looks at the report.
        yield Call(sql.ADD_NOTE, [(new_id(), which, asker.member, now, required(why, rules.REASON_LENGTH))])
    yield from _change(mine, before, after, asker, action, now, reason=optional(why, rules.REASON_LENGTH))
    return before.at if after.status is ReportStatus.CLOSED else None


def note(which: str, asker: Asker, text: str, note_id: str, now: Millis) -> Op[None]:
    said = required(text, rules.NOTE_LENGTH)
    mine = yield from hold_moderation()
    found = yield from _find(which, asker)
    if note_id in {row[0] for row in (yield Call(sql.NOTE_IDS, [(which,)]))}:
        return
    yield Call(sql.ADD_NOTE, [(note_id, which, asker.member, now, said)])
    # The note itself is in the report, and is dropped with it.
    concerned = _people((found.about,))
    act = Act(at=now, by=asker.member, action="report_noted", about=concerned, subject=which, reason="")
    yield from mine.enter(act)


def _change(
    mine: ModerationLock, before: Report, after: Report, by: Asker, action: str, now: Millis, reason: str = ""
) -> Op[None]:
    if before.card is not None:
        # A report on a card is handled with the card, not by itself.
        raise Refusal(Reason.REPORT_UNKNOWN)
    if after == before:
        return
    row = (
        after.status,
        after.claimed_by,
        after.closed_at,
        after.outcome,
        after.reply,
        after.taken_from,
        after.taken_reason,
        mine.version,
        after.id,
    )
    yield Call(sql.SET_REPORT, [row])
    others = yield from cards.follow(mine, by, before, after, now)
    yield from mine.rise()
    # Include the moderator from whom it was taken.
    concerned = _people((after.about, *others, before.claimed_by if before.claimed_by != by.member else None))
    yield from mine.enter(Act(at=now, by=by.member, action=action, about=concerned, subject=after.id, reason=reason))


def _find(which: str, asker: Asker) -> Op[Report]:
    row = yield from report_access.find(which, asker)
    return report_of(row[: sql.REPORT_COLUMNS])


# ------------------------------------------------------------------------------------------------ measures


def take_measure(asked: TakeMeasure, now: Millis, sealer: Sealer) -> Op[Taken]:
    post: Post | None = None
    state: ChannelState | None = None
    room: Room | None = None
    if asked.room is not None:
        rows = yield Call(rooms_sql.LOCK_ROOMS, [(room_channel(asked.room),)])
        if not rows:
            raise Refusal(Reason.ROOM_UNKNOWN)
        state = ChannelState(rows[0])
        room = decoding.room_of(rows[0][5:])
        if asked.offset is not None:
            found = yield Call(rooms_sql.FIND_POSTS, [(room_channel(room.id), asked.offset)])
            post = decoding.post_of(found[0][1:]) if found else None
    known = yield Call(sql.MEASURE, [(asked.id,)])
    if known:
        return Taken(measure=measure_of(known[0]))
    if state is not None and asked.offset is not None:
        require_epoch(asked.epoch, state.epoch)
    if room is not None and room.kind is RoomKind.SESSION:
        yield from require_reach(asked)
    if asked.report is not None:
        yield from report_access.find(asked.report, Asker(member=asked.by, is_operator=asked.is_operator))
    about = rules.about_whom(asked, post)
    # A person who is being erased is gone before this lock, or their erasure waits for it.
    members = yield Call(people_sql.LOCK_MEMBER, [(about,)])
    accounts = yield Call(staff_sql.GOOD_STAFF, by_keys([about], KEYS_AT_ONCE))
    mine_state = MeasureState(post=post, is_member=bool(members), is_staff=bool(accounts))
    measure = rules.decide(asked, mine_state, now)
    if rules.restriction_of(measure) is not None and measure.room is not None and room is not None and room.split_of:
        # A measure applies in all rooms of a split room, so that being led to another one does not escape it.
        measure = _replace(measure, room=room.split_of)
    mine = yield from hold_moderation()
    publications: list[Publication] = []
    if measure.kind is MeasureKind.REDACT and state is not None and post is not None:
        publications.append((yield from _redact(state, post, asked.by, now, sealer)))
    yield Call(sql.ADD_MEASURE, [measure_row(measure, mine.version)])
    yield from arrivals.follow(measure, now)
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


def _redact(state: ChannelState, post: Post, by: MemberId, now: Millis, sealer: Sealer) -> Op[Publication]:
    publication = state.publish(Redacted(target=post.offset), now)
    gone = _replace(post, text="", warning=None, redacted=True, reactions={})
    place = (state.channel, post.offset)
    copy = evidence.copy_row(state.channel, post, publication.offset, publication.at, Ended.REDACTED, sealer)
    yield Call(rooms_sql.ADD_EVENTS, [event_row(publication, by, (None, 0, None))])
    yield Call(evidence_sql.ADD_COPIES, [copy])
    yield Call(rooms_sql.SET_POSTS, [post_values(state.channel, gone)])
    yield Call(rooms_sql.DROP_POST_REACTIONS, [place])
    yield Call(rooms_sql.FORGET_DIGESTS, [place])
    yield from save_heads([state])
    return publication


def moderation_notices(who: MemberId, now: Millis) -> Op[ModerationNotices]:
    found = yield from measures.active_of([who], now)
    answers = yield Call(sql.ANSWERED, [(who,)])
    return ModerationNotices(
        is_stranded=(yield from report_access.has_stranded(who)),
        measures=tuple(sorted(found, key=lambda each: (each.at, each.id))),
        answers=tuple(
            Answered(report=row[0], at=row[1], closed_at=row[2], outcome=Outcome(row[3]), reply=row[4] or "")
            for row in answers
        ),
    )


def concerned(since: int) -> Op[set[MemberId]]:
    return {MemberId(row[0]) for row in (yield Call(sql.CONCERNED, [(since,)])) if row[0] is not None}


def see(who: MemberId, ids: Collection[str], now: Millis) -> Op[None]:
    # Sorted: the order in which everybody who changes several does.
    which = sorted(ids)
    yield Call(sql.SEE_MEASURE, [(now, each, who) for each in which])
    yield Call(sql.SEE_REPORT, [(each, who) for each in which])


def bar(measure: str, keys: Collection[bytes], now: Millis) -> Op[None]:
    # Under the lock, so that lifting the measure comes before or after, never in between.
    yield from hold_moderation()
    found = yield Call(sql.MEASURE, [(measure,)])
    if found and measure_of(found[0]).lifted_at is None:
        yield from arrivals.bar(measure_of(found[0]), dict.fromkeys(keys, now), now)


# ------------------------------------------------------------------------------------------------ the log, forgetting


def let_go(mine: ModerationLock, who: MemberId, now: Millis) -> Op[None]:
    """Give back to the queue, where they ring if urgent, the reports claimed by somebody who is gone or no longer
    staff."""
    if (yield Call(sql.LET_GO, [(mine.version, now, who)])):
        yield from mine.rise()


def forget(who: MemberId, nobody: MemberId, now: Millis, sealer: Sealer) -> Op[bool]:
    """Remove an erased person's id from measures and reports, which stay in force, and from what they did as staff.
    Entries of the audit log keep the id, which is nobody's any more. Return whether any text was removed."""
    has_dropped = yield from evidence.keep_measures(who, sealer)
    yield from let_go((yield from hold_moderation()), who, now)
    for statement in (sql.DISOWN_CLOSED, sql.DISOWN_MEASURES, sql.DISOWN_NOTES, sql.DISOWN_READING):
        yield Call(statement, [(nobody, who)])
    yield from report_access.forget(who)
    return has_dropped


def prune(now: Millis, retention: Retention) -> Op[None]:
    """Remove measures whose time to be kept is over, and the notes of reports that are about to be dropped."""
    yield Call(sql.DROP_OLD_NOTES, [(now - retention.report_age,)])
    yield Call(sql.DROP_OLD_MEASURES, [(now - KEPT_AFTER,)])
    yield from folding.forget_addresses(now)
    yield from report_access.prune()


def _people(whom: Iterable[MemberId | None]) -> tuple[MemberId, ...]:
    """Return those who are members: neither the service nor erased people."""
    return tuple(sorted({who for who in whom if who is not None and who not in _NOBODIES and not is_alias(who)}))
