"""Reports, measures and the audit log, as `moderation_store` promises them, for every database."""

from __future__ import annotations

import asyncio
import itertools

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.moderation.audit_log import AuditHead, Verifier
from chatserver.domain.moderation.crisis_phrases import Category, Signal
from chatserver.domain.moderation.evidence import is_alias
from chatserver.domain.moderation.measures import (
    CALL_TARGET,
    DANGER,
    HOUR,
    REPORTS_AN_HOUR,
    MeasureKind,
    Outcome,
    TakeMeasure,
)
from chatserver.domain.moderation.newcomers import Bar
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.moderation.report_queue import CLAIMED_URGENT
from chatserver.domain.people.staff import Role
from chatserver.domain.rooms.rooms import EditPost, Redacted, RoomId, WritePost
from chatserver.store.moderation_records import RoomReport, ShownReport
from chatserver.store.records import Committed, Retention
from chatserver.store.store import Store
from tests.contract.test_store_staff import hired
from tests.store.kit import GRIEF, SLEEP, START, Database, change, newcomer

DAY = 24 * HOUR
ALL_SEEN = ShownReport(seen=Millis(1 << 52))
"""For tests in which it does not matter what the decider has seen."""
ANYBODY = Asker(member=MemberId(""), is_operator=False)
WHY = "nobody was there"
_ids = itertools.count(1)


async def write(store: Store, author: Persona, text: str, *, now: int = START, where: RoomId = SLEEP) -> Offset:
    committed = await store.commit(change(author, WritePost(text=text), where=where, now=now))
    return committed.publications[0].offset


def reported(by: Persona, *, offset: int | None = None, about: Persona | None = None, now: int = START) -> RoomReport:
    return RoomReport(
        id=f"r{next(_ids)}",
        at=Millis(now),
        by=by.id,
        room=SLEEP,
        offset=None if offset is None else Offset(offset),
        about=None if about is None else about.id,
        reason="unkind",
        note="it hurts",
    )


def measure(by: MemberId, about: Persona | None, kind: MeasureKind = MeasureKind.MUTE, **fields: object) -> TakeMeasure:
    usual: dict[str, object] = {"room": None, "offset": None, "reason": "too loud", "minutes": 60, "report": None}
    told = {**usual, "id": f"a{next(_ids)}", "by": by, "about": None if about is None else about.id, "kind": kind}
    return TakeMeasure(**{**told, **fields})  # type: ignore[arg-type]


async def refused(attempt: object, reason: Reason) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        await attempt  # type: ignore[misc]
    assert refusal.value.reason is reason
    return refusal.value


def at(member: MemberId, *, is_operator: bool = False) -> Asker:
    return Asker(member=member, is_operator=is_operator)


async def moderator(store: Store) -> MemberId:
    return (await hired(store, f"mo{next(_ids)}", frozenset({Role.MODERATOR}))).member


# ------------------------------------------------------------------------------------------------ reports


async def test_a_report_keeps_the_posts_around_as_they_stood(store: Store) -> None:
    ada, bo, mo = await newcomer(store, "Ada"), await newcomer(store, "Bo"), await moderator(store)
    offsets = [await write(store, (ada, bo)[n % 2], f"post {n}") for n in range(60)]
    asked = reported(ada, offset=offsets[45])
    assert await store.report(asked) == asked.id
    (found,) = (await store.queue(ANYBODY, START)).open
    assert (found.by, found.about, found.offset, found.due_at) == (ada.id, bo.id, offsets[45], START + HOUR)
    await store.erase(bo.id, START)
    file = await store.open_report(asked.id, at(mo), "to look", START)
    assert file.note == "it hurts"
    assert [post.text for post in file.posts] == [f"post {n}" for n in range(6, 56)]
    assert file.names == {ada.id: "Ada"}


async def test_the_same_again_while_it_is_open_is_the_same_report(store: Store, other: Store) -> None:
    ada, bo, mo = await newcomer(store, "Ada"), await newcomer(store, "Bo"), await moderator(store)
    offset = await write(store, bo, "no")
    reports = [reported(ada, offset=offset) for _ in range(6)]
    ids = await asyncio.gather(*(each.report(one) for each, one in zip([store, other] * 3, reports, strict=True)))
    assert len(set(ids)) == 1
    assert (await store.queue(ANYBODY, START)).open_count == 1
    await store.claim_report(ids[0], at(mo), None, WHY, START)
    await store.close_report(ids[0], at(mo), Outcome.NOTHING, "", START)
    again = reported(ada, offset=offset)
    assert await store.report(again) == again.id


async def test_what_cannot_be_reported(store: Store) -> None:
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo", GRIEF)
    mine = await write(store, ada, "mine")
    await refused(store.report(reported(ada, offset=99)), Reason.POST_UNKNOWN)
    await refused(store.report(reported(ada, offset=mine)), Reason.INVALID)
    await refused(store.report(reported(bo, offset=mine)), Reason.NOT_IN_ROOM)
    nobody = Persona(MemberId("m_nobody_at_all"), "Nobody")
    await refused(store.report(reported(ada, about=nobody)), Reason.MEMBER_UNKNOWN)
    assert (await store.queue(ANYBODY, START)).open_count == 0


async def test_so_many_reports_an_hour(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    for n in range(REPORTS_AN_HOUR):
        await store.report(reported(ada, about=await newcomer(store, f"Bo{n}"), now=START + n))
    late = await newcomer(store, "Late")
    refusal = await refused(store.report(reported(ada, about=late, now=START + 100)), Reason.RATE_LIMITED)
    assert refusal.retry_after == (HOUR - 100) / 1000
    await store.report(reported(ada, about=late, now=START + HOUR))


async def test_moderation_is_counted_by_reason_and_kind_and_nobody_is_named(store: Store, other: Store) -> None:
    ada, bo, mo = await newcomer(store, "Ada"), await newcomer(store, "Bo"), await moderator(store)
    nothing = await store.counts(START)
    assert (nothing.reports, nothing.overdue, nothing.overdue_since, nothing.measures) == ({}, 0, None, {})
    assert nothing.entries == (await store.audit_head()).seq
    danger = msgspec.structs.replace(reported(bo, about=ada), reason=DANGER)
    made_up = msgspec.structs.replace(reported(ada, about=await newcomer(store, "Cy")), reason="a word of mine")
    first = await store.report(reported(ada, about=bo))
    for each in (danger, made_up):
        await store.report(each)
    for kind in (MeasureKind.MUTE, MeasureKind.NOTICE, MeasureKind.NOTICE):
        await store.take_measure(measure(mo, bo, kind), START)
    (muted,) = (await store.take_measure(measure(mo, bo), START),)
    await store.appeal(bo.id, muted.measure.id, "it was a joke", START)
    early = await other.counts(Millis(START + CALL_TARGET))
    assert (early.reports, early.overdue) == ({"unkind": 1, DANGER: 1, "other": 1}, 0)
    late = await other.counts(Millis(START + CALL_TARGET + 1))
    assert (late.overdue, late.overdue_since) == (1, START + CALL_TARGET)
    assert (late.measures, late.appeals) == ({MeasureKind.MUTE: 2, MeasureKind.NOTICE: 2}, 1)
    assert late.entries == (await store.audit_head()).seq
    await store.claim_report(first, at(mo), None, WHY, START)
    await store.close_report(first, at(mo), Outcome.HANDLED, "", START)
    last = await other.counts(Millis(START + 30 * DAY))
    assert (last.reports, last.overdue) == ({DANGER: 1, "other": 1}, 2)
    assert last.measures == {}


async def test_what_happened_is_told_of_a_time_and_of_nobody(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    for n in range(3):
        await store.report(reported(ada, about=await newcomer(store, f"Bo{n}"), now=START + n))
    found = await store.happened(START, Millis(START + 2))
    assert sorted(found.reports) == [(START, "unkind"), (START + 1, "unkind")]
    assert found.feedback == ()
    await store.erase(ada.id, Millis(START + 3))
    assert await store.happened(START, Millis(START + 2)) == found


async def test_a_report_has_one_owner_and_one_end(store: Store, other: Store) -> None:
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    first, second = await moderator(store), await moderator(store)
    report = await store.report(reported(ada, about=bo))
    taken = await asyncio.gather(
        store.claim_report(report, at(first), None, WHY, START),
        other.claim_report(report, at(second), None, WHY, START),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in taken) == ["Refusal", "int"]
    assert START in taken, "when it was made: nobody had it until now"
    (found,) = (await store.queue(ANYBODY, START)).open
    owner = found.claimed_by
    loser = second if owner == first else first
    refusal = await refused(store.close_report(report, at(loser), Outcome.HANDLED, "", START), Reason.NOT_CLAIMED)
    assert refusal.details is None
    assert (await refused(store.claim_report(report, at(loser), None, WHY, START), Reason.REPORT_TAKEN)).details == {
        "by": owner
    }
    assert await store.claim_report(report, at(loser), owner, WHY, START) is None
    await store.note_report(report, at(loser), "seen before", "n1", START)
    await store.note_report(report, at(loser), "seen before", "n1", START)
    assert await store.close_report(report, at(loser), Outcome.HANDLED, "Thank you.", Millis(START + 5)) == START
    await refused(store.claim_report(report, at(loser), None, WHY, START), Reason.REPORT_CLOSED)
    file = await store.open_report(report, at(loser), "once more", START)
    assert [note.note for note in file.notes] == ["seen before"]
    (answer,) = (await store.moderation_notices(ada.id, START)).answers
    assert (answer.outcome, answer.reply, answer.closed_at) == (Outcome.HANDLED, "Thank you.", START + 5)
    assert (await store.moderation_notices(bo.id, START)).answers == ()
    await store.see_moderation_notices(bo.id, [report], START)
    assert len((await store.moderation_notices(ada.id, START)).answers) == 1, "others' are not theirs to see"
    await store.see_moderation_notices(ada.id, [report], START)
    assert (await store.moderation_notices(ada.id, START)).answers == ()


# ------------------------------------------------------------------------------------------------ measures


async def test_a_mute_holds_in_the_transaction_of_the_post(store: Store, other: Store) -> None:
    bo, mo = await newcomer(store, "Bo"), await moderator(store)
    first = await write(store, bo, "before")
    taken = await store.take_measure(measure(mo, bo, room=SLEEP, minutes=10), START)
    refusal = await refused(write(other, bo, "after"), Reason.MUTED)
    assert refusal.retry_after == 600
    assert refusal.details == {
        "measure": taken.measure.id,
        "until": START + 600_000,
        "appeal": "/api/identity/appeal",
    }
    await write(store, bo, "elsewhere", where=GRIEF)
    assert await write(store, bo, "when it is over", now=START + 600_000) > first
    everywhere = await store.take_measure(measure(mo, bo), START)
    await refused(write(store, bo, "no", where=GRIEF), Reason.MUTED)
    await store.lift_measure(everywhere.measure.id, mo, "a mistake", START)
    await store.lift_measure(everywhere.measure.id, mo, "a mistake", START)
    await write(store, bo, "again", where=GRIEF)


@pytest.mark.parametrize(("kind", "reason"), [(MeasureKind.REMOVE, Reason.REMOVED), (MeasureKind.BAN, Reason.BANNED)])
async def test_who_is_sent_away_writes_nothing(store: Store, kind: MeasureKind, reason: Reason) -> None:
    bo, mo = await newcomer(store, "Bo"), await moderator(store)
    await store.take_measure(measure(mo, bo, kind, room=SLEEP), START)
    await refused(write(store, bo, "no"), reason)
    assert [each.kind for each in await store.restricting(START)] == [kind]
    assert [each.kind for each in (await store.moderation_notices(bo.id, START)).measures] == [kind]
    assert await store.restricting(Millis(START + HOUR)) == []


async def test_a_redacted_post_is_gone_and_the_fact_is_published_once(store: Store, database: Database) -> None:
    bo, mo = await newcomer(store, "Bo"), await moderator(store)
    offset = await write(store, bo, "unkindness-7f3a")
    asked = measure(mo, None, MeasureKind.REDACT, room=SLEEP, offset=offset, minutes=None)
    taken = await store.take_measure(asked, START)
    assert [publication.event for publication in taken.publications] == [Redacted(target=offset)]
    assert (taken.measure.about, taken.measure.offset) == (bo.id, offset)
    again = await store.take_measure(asked, START)
    assert (again.measure, again.publications) == (taken.measure, ())
    (post,) = (await store.page(taken.publications[0].channel, None, 10, bo.id)).posts
    assert (post.redacted, post.text) == (True, "")
    other_one = measure(mo, None, MeasureKind.REDACT, room=SLEEP, offset=offset, minutes=None)
    await refused(store.take_measure(other_one, START), Reason.POST_REDACTED)


async def test_whom_nothing_can_be_done_about(store: Store) -> None:
    bo, mo = await newcomer(store, "Bo"), await moderator(store)
    colleague = await hired(store, "liv")
    staff = Persona(colleague.member, colleague.name)
    before = await store.audit_head()
    assert (await refused(store.take_measure(measure(mo, staff), START), Reason.NOT_ALLOWED)).details == {
        "why": "staff"
    }
    me = Persona(mo, "me")
    assert (await refused(store.take_measure(measure(mo, me), START), Reason.NOT_ALLOWED)).details == {"why": "self"}
    nobody = Persona(MemberId("m_nobody_at_all"), "")
    await refused(store.take_measure(measure(mo, nobody), START), Reason.MEMBER_UNKNOWN)
    await refused(store.take_measure(measure(mo, bo, reason=" "), START), Reason.TEXT_EMPTY)
    await refused(store.take_measure(measure(mo, bo, minutes=None), START), Reason.INVALID)
    await refused(store.take_measure(measure(mo, bo, minutes=31 * 24 * 60), START), Reason.INVALID)
    await refused(store.take_measure(measure(mo, bo, MeasureKind.REMOVE), START), Reason.INVALID)
    assert await store.audit_head() == before


async def test_one_appeal_by_whom_it_is_about(store: Store) -> None:
    bo, ada, mo = await newcomer(store, "Bo"), await newcomer(store, "Ada"), await moderator(store)
    taken = (await store.take_measure(measure(mo, bo, MeasureKind.NOTICE, minutes=None), START)).measure
    await refused(store.appeal(ada.id, taken.id, "not me", START), Reason.MEASURE_UNKNOWN)
    await refused(store.appeal(bo.id, taken.id, "  ", START), Reason.TEXT_EMPTY)
    await store.appeal(bo.id, taken.id, "I was joking.", START)
    await refused(store.appeal(bo.id, taken.id, "really", START), Reason.APPEALED)
    (seen,) = (await store.queue(ANYBODY, START)).measures
    assert (seen.appeal, seen.appealed_at) == ("I was joking.", START)
    await refused(store.appeal(bo.id, taken.id, "late", taken.expires_at), Reason.MEASURE_UNKNOWN)


async def test_an_address_is_watched_for_a_day_at_most_and_while_its_measure_holds(store: Store) -> None:
    bo, mo = await newcomer(store, "Bo"), await moderator(store)
    ban = (await store.take_measure(measure(mo, bo, MeasureKind.BAN, minutes=2 * 24 * 60), START)).measure
    for _ in range(2):
        await store.bar(ban.id, [b"one", b"two"], START)
    assert await store.bars([b"one", b"three"], START) == [Bar(b"one", ban.id, START, Millis(START + DAY))]
    assert await store.bars([], START) == []
    assert await store.bars([b"one"], Millis(START + DAY)) == []
    # They tried again from there, so it applies from now on.
    await store.bar(ban.id, [b"one"], Millis(START + HOUR))
    assert [each.until for each in await store.bars([b"one"], START)] == [START + DAY + HOUR]
    await store.lift_measure(ban.id, mo, "a mistake", START)
    assert await store.bars([b"two"], START) == []
    await store.bar(ban.id, [b"one"], START)
    assert await store.bars([b"one"], START) == []


async def test_every_change_raises_the_version_and_says_whom_it_concerns(store: Store) -> None:
    ada, bo, mo = await newcomer(store, "Ada"), await newcomer(store, "Bo"), await moderator(store)
    before = await store.moderation_version()
    report = await store.report(reported(ada, about=bo))
    reported_at = await store.moderation_version()
    assert reported_at == before + 1
    assert await store.concerned(before) == set(), "an open report is nobody's to be told of"
    await store.take_measure(measure(mo, bo), START)
    assert await store.concerned(reported_at) == {bo.id}
    await store.claim_report(report, at(mo), None, WHY, START)
    await store.close_report(report, at(mo), Outcome.MEASURE, "", START)
    assert await store.concerned(reported_at) == {ada.id, bo.id}
    assert await store.concerned(await store.moderation_version()) == set()


async def test_erasing_staff_takes_their_hands_off_reports_and_the_log_stays(store: Store) -> None:
    ada, bo, mo = await newcomer(store, "Ada"), await newcomer(store, "Bo"), await moderator(store)
    await hired(store, "operator", frozenset({Role.OPERATOR}))
    report = await store.report(reported(ada, about=bo))
    await store.claim_report(report, at(mo), None, WHY, START)
    await store.note_report(report, at(mo), "seen before", "n1", START)
    await store.take_measure(measure(mo, bo), START)
    await store.erase(mo, START)
    (found,) = (await store.queue(ANYBODY, START)).open
    assert (found.status, found.claimed_by) == ("open", None)
    acts = [entry.act for entry in await store.audit_entries(0, 10)]
    assert [act.by for act in acts if not act.action.startswith("account_")] == [mo] * 3, "the log stays as it is"


async def test_measures_are_forgotten_a_month_after_they_are_over(store: Store) -> None:
    bo, mo = await newcomer(store, "Bo"), await moderator(store)
    await store.take_measure(measure(mo, bo, minutes=1), START)
    kept = Retention(member_age=10**13, room_age=10**13)
    for now, count in ((START + 29 * DAY, 1), (START + 31 * DAY, 0)):
        await store.expire(Millis(now), kept)
        export = await store.export(bo.id, Millis(START + 8 * DAY))
        assert export is not None
        assert len(export.measures) == count


async def test_a_report_is_forgotten_with_its_notes_and_the_log_is_not(store: Store) -> None:
    ada, bo, mo = await newcomer(store, "Ada"), await newcomer(store, "Bo"), await moderator(store)
    report = await store.report(reported(ada, about=bo))
    await store.note_report(report, at(mo), "seen before", "n1", START)
    head = await store.audit_head()
    kept = Retention(member_age=10**13, room_age=10**13)
    for now, count in ((START + 179 * DAY, 1), (START + 181 * DAY, 0)):
        await store.expire(Millis(now), kept)
        assert (await store.queue(ANYBODY, Millis(now))).open_count == count
    await refused(store.open_report(report, at(mo), "why", START), Reason.REPORT_UNKNOWN)
    assert await verify(store) == head


async def test_a_report_is_read_for_a_reason(store: Store) -> None:
    ada, bo, mo = await newcomer(store, "Ada"), await newcomer(store, "Bo"), await moderator(store)
    report = await store.report(reported(ada, about=bo))
    await refused(store.open_report(report, at(mo), "", START), Reason.TEXT_EMPTY)
    await refused(store.open_report("none", at(mo), "why", START), Reason.REPORT_UNKNOWN)


# ------------------------------------------------------------------------------------------------ the audit log


# ------------------------------------------------------------------------------------------------ escalations


def signalled(level: int = 2, category: Category = Category.SELF_HARM) -> Signal:
    return Signal(category=category, level=level, phrase="(want|wish) to die", words="want to die", start=2, end=11)


async def worried(
    store: Store, author: Persona, *signals: Signal, now: int = START, where: RoomId = SLEEP, command: str | None = None
) -> Committed:
    asked = change(author, WritePost(text="I want to die"), where=where, now=now, id_=command)
    return await store.commit(msgspec.structs.replace(asked, signals=signals))


async def test_a_post_and_what_its_words_raise_are_saved_as_one(store: Store, other: Store) -> None:
    ada, bo, mo = await newcomer(store, "Ada"), await newcomer(store, "Bo"), await moderator(store)
    for n in range(14):
        await write(store, bo, f"post {n}")
    before = await other.moderation_version()
    committed = await worried(store, ada, signalled(3))
    assert await other.moderation_version() > before
    (found,) = (await other.queue(ANYBODY, START)).open
    assert (found.by, found.about, found.room, found.level) == (None, ada.id, SLEEP, 3)
    assert (found.reason, found.offset) == ("self_harm", committed.publications[0].offset)
    assert found.due_at == START + 5 * 60_000
    assert await other.escalations_due() == [found.due_at]
    file = await other.open_report(found.id, at(mo), "to help", START)
    assert file.note == "want to die\n(want|wish) to die"
    assert [post.text for post in file.posts] == [*(f"post {n}" for n in range(5, 14)), "I want to die"]
    await store.claim_report(found.id, at(mo), None, WHY, START)
    assert await other.escalations_due() == [START + CLAIMED_URGENT], "whoever takes one may forget it"
    await store.release_report(found.id, at(mo), START)
    assert await other.escalations_due() == [found.due_at]


async def test_the_same_command_again_raises_nothing_again(store: Store, other: Store) -> None:
    ada = await newcomer(store, "Ada")
    first = await worried(store, ada, signalled(), command="once-only-command")
    again = await worried(other, ada, signalled(), command="once-only-command")
    assert (first.repeated, again.repeated) == (False, True)
    assert (await store.queue(ANYBODY, START)).open_count == 1


async def test_one_person_in_one_room_raises_one_of_a_kind(store: Store, other: Store) -> None:
    ada, bo, mo = await newcomer(store, "Ada"), await newcomer(store, "Bo"), await moderator(store)
    await asyncio.gather(*(worried((store, other)[n % 2], ada, signalled()) for n in range(10)))
    assert (await store.queue(ANYBODY, START)).open_count == 1
    await worried(store, ada, signalled(3))
    await worried(store, ada, signalled(2), signalled(2, Category.METHOD))
    await worried(store, bo, signalled())
    queue = await store.queue(ANYBODY, START)
    found = queue.open
    assert [(each.about, each.reason, each.level) for each in found] == [
        (ada.id, "self_harm", 3), (bo.id, "self_harm", 2),
    ]  # fmt: skip
    held = (await store.queue_page(ANYBODY, None, found[0].id)).reports
    assert sorted((each.reason, each.level) for each in held) == [("method", 2), ("self_harm", 2)]
    assert queue.parts == {found[0].id: 2}
    for each in found:
        await store.claim_report(each.id, at(mo), None, WHY, START)
        await store.close_report(each.id, at(mo), Outcome.HANDLED, "", START, ALL_SEEN)
    await worried(store, ada, signalled(2), now=START + 60_000)
    assert (await store.queue(ANYBODY, START)).open_count == 0
    await worried(store, bo, signalled(3), now=START + 60_000)
    assert (await store.queue(ANYBODY, START)).open_count == 1, "what is urgent is heard at once"
    await worried(store, ada, signalled(2), now=START + 11 * 60_000)
    assert (await store.queue(ANYBODY, START)).open_count == 2


async def test_an_edit_raises_what_its_words_say(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    offset = await write(store, ada, "fine")
    asked = change(ada, EditPost(target=offset, text="not fine"))
    await store.commit(msgspec.structs.replace(asked, signals=(signalled(),)))
    (found,) = (await store.queue(ANYBODY, START)).open
    assert (found.offset, found.level) == (offset, 2)


async def test_a_refused_post_raises_nothing(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    asked = change(ada, WritePost(text=" "))
    await refused(store.commit(msgspec.structs.replace(asked, signals=(signalled(),))), Reason.TEXT_EMPTY)
    assert (await store.queue(ANYBODY, START)).open_count == 0


async def test_erasure_takes_the_words_out_of_an_escalation_about_ones_own_danger(store: Store) -> None:
    ada, mo = await newcomer(store, "Ada"), await moderator(store)
    await worried(store, ada, signalled())
    await store.erase(ada.id, START)
    (found,) = (await store.queue(ANYBODY, START)).open
    assert is_alias(found.about)
    file = await store.open_report(found.id, at(mo), "to look", START)
    assert [(post.text, post.redacted) for post in file.posts] == [("", True)]
    assert file.note == ""
    assert ada.id not in repr(file)


async def verify(store: Store, *exported: AuditHead) -> AuditHead:
    verifier = Verifier(exported)
    verifier.read(await store.audit_entries(0, 100))
    return verifier.finish(await store.audit_head())
