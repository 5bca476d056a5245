"""Nobody handles their own case, as `chatserver.store.moderation_records` promises it, for every database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import pytest

from chatserver.domain.errors import Reason
from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.listening.commands import (
    AdmitToRoom,
    DropRoom,
    KeepDebrief,
    KeepReport,
    ListenerSet,
    OpenSessionRoom,
    SeekerSet,
    SessionForgotten,
    SessionSet,
)
from chatserver.domain.listening.state import Left, SessionId
from chatserver.domain.moderation.crisis_phrases import Category
from chatserver.domain.moderation.measures import MeasureKind, Outcome, ReportStatus
from chatserver.domain.moderation.report_access import VIEW_REASON, VIEWS_AFTER, Asker
from chatserver.domain.people.staff import Role, Staff
from chatserver.domain.rooms.rooms import RoomId, WritePost
from chatserver.store.store import Store
from tests.contract.test_store_moderation import (
    ANYBODY,
    DAY,
    WHY,
    at,
    measure,
    moderator,
    refused,
    reported,
    signalled,
    worried,
    write,
)
from tests.contract.test_store_staff import hired
from tests.store.kit import START, change, newcomer, say
from tests.store.listening_kit import does, listener, seeker, session

TALK: Final = SessionId("s-talk")
ROOM: Final = RoomId(TALK)
OPERATOR: Final = frozenset({Role.OPERATOR})
BOTH: Final = frozenset({Role.LISTENER, Role.MODERATOR})
EVERY_OPERATOR: Final = Asker(member=MemberId(""), is_operator=True)


async def staffed(store: Store, login: str, roles: frozenset[Role]) -> Persona:
    account: Staff = await hired(store, login, roles)
    return Persona(account.member, account.name)


async def operator(store: Store, login: str = "ops") -> MemberId:
    return (await staffed(store, login, OPERATOR)).id


async def talking(store: Store, roles: frozenset[Role] = BOTH) -> tuple[Persona, Persona]:
    """Return a seeker, and a listener who also moderates, in a session with a room."""
    ada, liv = await newcomer(store, "Ada"), await staffed(store, "liv", roles)
    await does(
        store,
        SeekerSet(seeker=seeker(ada.id, session=TALK)),
        ListenerSet(listener=listener(liv.id)),
        SessionSet(session=session(TALK, ada.id, liv.id)),
        effects=(OpenSessionRoom(session=TALK, name="One to one", members=(ada.id, liv.id)),),
    )
    return ada, liv


async def report_session(store: Store, by: Persona, about: Persona | None, *, is_call: bool = False) -> None:
    told = KeepReport(
        session=TALK, by=by.id, about=None if about is None else about.id, reason="pressure", note="he presses me",
        is_call=is_call, at=START,
    )  # fmt: skip
    await does(store, effects=(told,))


async def sees(store: Store, asker: Asker) -> int:
    """Return how many open reports somebody is shown, which must be the number they are told."""
    found = await store.queue(asker, START)
    assert found.open_count == len(found.open) == len(await store.due(asker))
    return found.open_count


async def the_only(store: Store) -> str:
    (found,) = (await store.queue(EVERY_OPERATOR, START)).open
    return found.id


Attempt = Callable[[Store, str, Asker], Awaitable[object]]
ATTEMPTS: Final[dict[str, Attempt]] = {
    "open": lambda store, which, by: store.open_report(which, by, WHY, START),
    "claim": lambda store, which, by: store.claim_report(which, by, None, "", START),
    "release": lambda store, which, by: store.release_report(which, by, START),
    "note": lambda store, which, by: store.note_report(which, by, "lies", "n1", START),
    "close": lambda store, which, by: store.close_report(which, by, Outcome.NOTHING, "Trust them.", START),
    "review": lambda store, which, by: store.review_report(which, by, WHY, START, is_agreed=True),
}


async def is_shut_out(store: Store, who: MemberId, *, is_operator: bool = False) -> None:
    """Check that somebody can neither see nor handle the only report, and that nothing reveals it to them."""
    asker, which = at(who, is_operator=is_operator), await the_only(store)
    before = await store.moderation_version()
    assert await sees(store, asker) == 0
    if not is_operator:
        assert await store.with_views_of_their_own([who]) == {who}
    for attempt in ATTEMPTS.values():
        told = await refused(attempt(store, which, asker), Reason.REPORT_UNKNOWN)
        nothing = await refused(attempt(store, "none", asker), Reason.REPORT_UNKNOWN)
        assert (told.details, told.retry_after) == (nothing.details, nothing.retry_after) == (None, None)
    named = measure(who, await newcomer(store, "Zoe"), report=which, is_operator=is_operator)
    await refused(store.take_measure(named, START), Reason.REPORT_UNKNOWN)
    assert await store.moderation_version() == before


# ------------------------------------------------------------------------------------------------ whose case it is


async def test_whom_a_report_is_about_cannot_touch_it(store: Store) -> None:
    ada, mo = await newcomer(store, "Ada"), await staffed(store, "mo", frozenset({Role.MODERATOR}))
    await store.report(reported(ada, about=mo))
    await is_shut_out(store, mo.id)
    await is_shut_out(store, mo.id, is_operator=True)


async def test_who_made_a_report_cannot_touch_it(store: Store) -> None:
    bo, mo = await newcomer(store, "Bo"), await staffed(store, "mo", frozenset({Role.MODERATOR}))
    for room in (await store.rooms())[:2]:
        await store.join(mo.id, room.id, 1)
    await store.report(reported(mo, about=bo))
    await is_shut_out(store, mo.id)
    assert await sees(store, at(await moderator(store))) == 1


@pytest.mark.parametrize("is_call", [False, True], ids=["report", "call"])
async def test_nobody_of_a_session_touches_what_is_reported_of_it(store: Store, *, is_call: bool) -> None:
    ada, liv = await talking(store)
    early, late = await staffed(store, "early", BOTH), await staffed(store, "late", BOTH)
    now = session(TALK, ada.id, liv.id, left={early.id: Left(at=START)})
    await does(store, SessionSet(session=now))
    await report_session(store, liv if is_call else ada, None, is_call=is_call)
    # Somebody who joins the session afterwards is as much part of it.
    after = msgspec.structs.replace(now, listeners=(liv.id, late.id))
    await does(store, SessionSet(session=after), effects=(AdmitToRoom(session=TALK, member=late.id),))
    # The report is kept longer than the session.
    await does(store, SessionForgotten(session=TALK), effects=(DropRoom(session=TALK),))
    for who in (liv, early, late):
        await is_shut_out(store, who.id)
    assert await sees(store, EVERY_OPERATOR) == 1
    assert await sees(store, ANYBODY) == (1 if is_call else 0), "what a seeker reports is about a listener"


async def test_an_escalation_is_kept_from_whom_it_is_about_and_from_their_session(store: Store) -> None:
    ada, liv = await talking(store)
    await worried(store, ada, signalled(3), where=ROOM)
    await is_shut_out(store, liv.id)
    assert await sees(store, at(await moderator(store))) == 1


async def test_a_listeners_words_in_a_session_escalate_to_operators_only(store: Store) -> None:
    _, liv = await talking(store)
    await worried(store, liv, signalled(3, Category.GROOMING), where=ROOM)
    await is_shut_out(store, liv.id)
    assert (await sees(store, at(await moderator(store))), await sees(store, EVERY_OPERATOR)) == (0, 1)


async def test_only_those_with_a_case_of_their_own_need_a_view_of_their_own(store: Store) -> None:
    ada, mo = await newcomer(store, "Ada"), await staffed(store, "mo", frozenset({Role.MODERATOR}))
    other = await moderator(store)
    await store.report(reported(ada, about=mo))
    assert await store.with_views_of_their_own([mo.id, other]) == {mo.id}
    assert await store.with_views_of_their_own([]) == set()


async def test_erasure_leaves_no_id_of_whose_case_it_was(store: Store) -> None:
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    await store.report(reported(ada, about=bo))
    assert await store.with_views_of_their_own([ada.id, bo.id]) == {ada.id, bo.id}
    await store.erase(ada.id, START)
    assert await store.with_views_of_their_own([ada.id, bo.id]) == {bo.id}


# ------------------------------------------------------------------------------------------------ about staff


async def test_a_report_about_staff_is_closed_by_two(store: Store) -> None:
    ada, liv = await newcomer(store, "Ada"), await staffed(store, "liv", frozenset({Role.LISTENER}))
    first, second = (
        at(await operator(store, "one"), is_operator=True),
        at(await operator(store, "two"), is_operator=True),
    )
    which = await store.report(reported(ada, about=liv))
    await store.claim_report(which, first, None, "", START)
    assert await store.close_report(which, first, Outcome.NOTHING, "All is well.", START) is None
    (found,) = (await store.queue(second, START)).open
    assert (found.status, found.claimed_by, found.outcome) == (ReportStatus.PROPOSED, first.member, Outcome.NOTHING)
    assert (await store.moderation_notices(ada.id, START)).answers == (), "nothing is decided yet"
    export = await store.export(ada.id, START)
    assert export is not None
    assert [(each.outcome, each.reply) for each in export.reports] == [(None, "")]
    refusal = await refused(store.review_report(which, first, "", START, is_agreed=True), Reason.NOT_ALLOWED)
    assert refusal.details == {"why": "second"}
    await refused(store.review_report(which, second, " ", START, is_agreed=False), Reason.TEXT_EMPTY)
    assert await store.review_report(which, second, "Ask her again.", START, is_agreed=False) is None
    (found,) = (await store.queue(first, START)).open
    assert (found.status, found.claimed_by, found.outcome, found.reply) == (ReportStatus.OPEN, None, None, "")
    file = await store.open_report(which, first, WHY, START)
    assert [(note.by, note.note) for note in file.notes] == [(second.member, "Ask her again.")]
    await refused(store.review_report(which, second, "", START, is_agreed=True), Reason.NOT_PROPOSED)
    await store.claim_report(which, second, None, "", START)
    await store.close_report(which, second, Outcome.HANDLED, "We talked with them.", START)
    assert await store.review_report(which, first, "", Millis(START + 5), is_agreed=True) == START
    (answer,) = (await store.moderation_notices(ada.id, START)).answers
    assert (answer.outcome, answer.reply, answer.closed_at) == (Outcome.HANDLED, "We talked with them.", START + 5)
    entries = await store.audit_entries(0, 40)
    acts = [(entry.act.by, entry.act.action) for entry in entries if entry.act.action.startswith("report_")]
    assert acts == [
        (first.member, "report_claimed"),
        (first.member, "report_outcome_proposed"),
        (second.member, "report_outcome_refused"),
        (first.member, "report_viewed"),
        (second.member, "report_claimed"),
        (second.member, "report_outcome_proposed"),
        (first.member, "report_closed"),
    ]


async def test_what_somebody_proposed_who_is_erased_is_open_again(store: Store) -> None:
    ada, liv = await newcomer(store, "Ada"), await staffed(store, "liv", frozenset({Role.LISTENER}))
    first, second = await operator(store, "one"), await operator(store, "two")
    which = await store.report(reported(ada, about=liv))
    await store.claim_report(which, at(first, is_operator=True), None, "", START)
    await store.close_report(which, at(first, is_operator=True), Outcome.NOTHING, "All is well.", START)
    await store.erase(first, START)
    (found,) = (await store.queue(at(second, is_operator=True), START)).open
    assert (found.status, found.claimed_by, found.outcome, found.reply) == (ReportStatus.OPEN, None, None, "")


async def test_what_somebody_claimed_whose_account_is_reset_is_open_again(store: Store) -> None:
    """[P-STAFF-15]"""
    ada, mo = await newcomer(store, "Ada"), await staffed(store, "mo", frozenset({Role.MODERATOR}))
    await store.report(reported(await newcomer(store, "Bo"), about=ada))
    which = await the_only(store)
    await store.claim_report(which, at(mo.id), None, "", START)
    await store.make_reset(b"link", mo.id, START, Millis(START + DAY))
    (found,) = (await store.queue(ANYBODY, START)).open
    assert (found.id, found.status, found.claimed_by) == (which, ReportStatus.OPEN, None)


async def test_a_report_that_nobody_may_handle_waits_for_whoever_comes(store: Store) -> None:
    ada, boss = await newcomer(store, "Ada"), await staffed(store, "boss", OPERATOR)
    await moderator(store)
    before = await store.moderation_version()
    which = await store.report(reported(ada, about=boss))
    await is_shut_out(store, boss.id, is_operator=True)
    assert await store.stranded() == {which}
    assert (await store.moderation_notices(ada.id, START)).is_stranded
    assert not (await store.moderation_notices(boss.id, START)).is_stranded
    assert await store.concerned(before) == {ada.id}, "they are told to whom they can turn"
    another = at(await operator(store, "another"), is_operator=True)
    assert await store.stranded() == set()
    assert not (await store.moderation_notices(ada.id, START)).is_stranded
    assert await sees(store, another) == 1


# ------------------------------------------------------------------------------------------------ taking over


async def test_taking_a_report_from_a_colleague_needs_a_reason_that_they_are_told(store: Store) -> None:
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    first, second = at(await moderator(store)), at(await moderator(store))
    which = await store.report(reported(ada, about=bo))
    await store.claim_report(which, first, None, "", START)
    await refused(store.claim_report(which, second, first.member, "  ", START), Reason.TEXT_EMPTY)
    await store.claim_report(which, second, first.member, "You went home.", START)
    (found,) = (await store.queue(first, START)).open
    assert (found.claimed_by, found.taken_from, found.taken_reason) == (second.member, first.member, "You went home.")
    act = (await store.audit_entries(0, 9))[-1].act
    assert (act.action, act.by, act.reason) == ("report_taken_over", second.member, "You went home.")
    assert set(act.about) == {bo.id, first.member}
    await store.release_report(which, second, START)
    (found,) = (await store.queue(first, START)).open
    assert (found.claimed_by, found.taken_from, found.taken_reason) == (None, None, "")


# ------------------------------------------------------------------------------------------------ measures, notes


async def test_nobody_ends_a_measure_about_themselves_or_is_shown_it_as_a_moderator(store: Store) -> None:
    bo, mo = await newcomer(store, "Bo"), await moderator(store)
    taken = (await store.take_measure(measure(mo, bo), START)).measure
    refusal = await refused(store.lift_measure(taken.id, bo.id, "it was nothing", START), Reason.NOT_ALLOWED)
    assert refusal.details == {"why": "self"}
    assert (await store.queue(at(bo.id), START)).measures == ()
    assert await store.with_views_of_their_own([bo.id, mo]) == {bo.id}
    assert [each.id for each in (await store.queue(at(mo), START)).measures] == [taken.id]


async def test_an_answer_is_for_somebody_else_to_read_and_decide(store: Store) -> None:
    bo, mo = await newcomer(store, "Bo"), await moderator(store)
    taken = (await store.take_measure(measure(mo, bo), START)).measure
    await store.appeal(bo.id, taken.id, "It was a joke.", START)
    (alone,) = (await store.queue(at(mo), START)).measures
    assert alone.appeal == "It was a joke.", "nobody else is there to read it"
    second = await moderator(store)
    assert await store.with_views_of_their_own([mo, second]) == {mo}
    (own,), (others,) = [(await store.queue(at(who), START)).measures for who in (mo, second)]
    assert (own.appeal, own.appealed_at, others.appeal) == ("", START, "It was a joke.")
    refusal = await refused(store.lift_measure(taken.id, mo, "I was wrong", START), Reason.NOT_ALLOWED)
    assert refusal.details == {"why": "own_measure"}
    await store.lift_measure(taken.id, second, "it was a joke", START)
    assert (await store.moderation_notices(bo.id, START)).measures == ()


async def test_a_measure_does_not_name_a_report_to_those_who_may_not_know_of_it(store: Store) -> None:
    ada, liv = await talking(store)
    await report_session(store, liv, None, is_call=True)
    which, mo = await the_only(store), await moderator(store)
    await store.take_measure(measure(mo, ada, report=which), START)
    (theirs,), (others,) = [(await store.queue(at(who), START)).measures for who in (liv.id, mo)]
    assert (theirs.report, others.report) == (None, which)


async def test_notes_of_listeners_are_not_read_by_whoever_was_there(store: Store) -> None:
    ada, liv = await talking(store)
    late, mo = await staffed(store, "late", BOTH), await moderator(store)
    await does(store, SessionSet(session=session(TALK, ada.id, liv.id, left={late.id: Left(at=START)})))
    await does(store, effects=(KeepDebrief(listener=liv.id, note="late frightened me", at=START, session=TALK),))
    for who in (liv.id, late.id):
        assert await store.debriefs(at(who), START) == []
        assert (await store.queue(at(who), START)).unread_debriefs == 0
        assert await store.with_views_of_their_own([who]) == {who}
    (note,) = await store.debriefs(at(mo), START)
    assert (await store.queue(at(mo), START)).unread_debriefs == 1
    await store.read_debrief(note.id, at(liv.id), START)
    assert (await store.debriefs(at(mo), START))[0].read_by is None
    await store.read_debrief(note.id, at(mo), START)
    assert (await store.debriefs(at(mo), START))[0].read_by == mo


# ------------------------------------------------------------------------------------------------ private sessions


async def test_no_measure_reaches_into_a_session_but_by_a_report_that_one_has_claimed(store: Store) -> None:
    ada, liv = await talking(store)
    mo = at(await moderator(store))
    hers = await say(store, ada, "this is my evidence", where=ROOM)
    for kind in MeasureKind:
        for offset in (None, hers, Offset(99)):
            for about in (None, ada):
                asked = measure(mo.member, about, kind, room=ROOM, offset=offset)
                assert (await refused(store.take_measure(asked, START), Reason.ROOM_UNKNOWN)).details is None
    await report_session(store, liv, ada)
    which = await the_only(store)
    redact = measure(mo.member, None, MeasureKind.REDACT, room=ROOM, offset=hers, minutes=None)
    await refused(store.take_measure(redact, START), Reason.ROOM_UNKNOWN)
    await store.claim_report(which, mo, None, "", START)
    later = await say(store, ada, "what came afterwards", where=ROOM)
    for asked in (
        measure(mo.member, None, MeasureKind.REDACT, room=ROOM, offset=later, minutes=None),
        measure(mo.member, None, MeasureKind.REDACT, room=ROOM, offset=hers, minutes=None, report="another"),
        measure(liv.id, None, MeasureKind.REDACT, room=ROOM, offset=hers, minutes=None),
    ):
        await refused(store.take_measure(asked, START), Reason.ROOM_UNKNOWN)
    for kind in (MeasureKind.MUTE, MeasureKind.REMOVE):
        await refused(store.take_measure(measure(mo.member, None, kind, room=ROOM, offset=hers), START), Reason.INVALID)
    assert (await store.take_measure(redact, START)).measure.about == ada.id
    await store.commit(change(ada, WritePost(text="I can still write to them"), where=ROOM))
    await store.close_report(which, mo, Outcome.MEASURE, "", START)
    again = await store.take_measure(redact, START)
    assert again.publications == (), "the same command again is the same measure"
    late = measure(mo.member, None, MeasureKind.NOTICE, room=ROOM, offset=hers, minutes=None)
    await refused(store.take_measure(late, START), Reason.ROOM_UNKNOWN)


# ------------------------------------------------------------------------------------------------ what exports tell


async def test_an_export_tells_of_a_reading_a_week_after_the_reports_end(store: Store) -> None:
    ada, bo, mo = await newcomer(store, "Ada"), await newcomer(store, "Bo"), at(await moderator(store))
    cay = await newcomer(store, "Cay")
    which = await store.report(reported(ada, offset=await write(store, bo, "no")))
    export = await store.export(bo.id, START)
    await store.open_report(which, mo, "Ada says that Bo presses her.", START)
    await store.claim_report(which, mo, None, "", START)
    assert await store.export(bo.id, Millis(START + 20 * DAY)) == export, "nothing, however long it is open"
    closed = START + 20 * DAY
    await store.close_report(which, mo, Outcome.HANDLED, "", Millis(closed))
    assert await store.export(bo.id, Millis(closed + VIEWS_AFTER - 1)) == export
    for who, count in ((ada, 1), (bo, 1), (cay, 0)):
        shown = await store.export(who.id, Millis(closed + VIEWS_AFTER))
        assert shown is not None
        assert [(each.at, each.reason) for each in shown.views] == [(START // DAY * DAY, VIEW_REASON)] * count
