"""Nobody closes a report with content that they have not seen, and nothing urgent stays silent because somebody has
claimed the report, for every database."""

from __future__ import annotations

import asyncio

import asyncpg
import msgspec
import pytest

from chatserver.domain.errors import Reason
from chatserver.domain.history import Millis
from chatserver.domain.identity import Persona
from chatserver.domain.moderation.crisis_phrases import Category
from chatserver.domain.moderation.evidence import is_alias
from chatserver.domain.moderation.measures import CALL_TARGET, DANGER, HOUR, NOTE_LENGTH, Outcome, ReportStatus
from chatserver.domain.moderation.report_queue import URGENT_EACH, Rank, rank_in
from chatserver.domain.people.staff import Role
from chatserver.store.cards import MOST_NOTE
from chatserver.store.moderation_records import RoomReport, ShownReport
from chatserver.store.store import Store
from tests.contract.test_store_cases import BOTH, EVERY_OPERATOR, ROOM, operator, talking
from tests.contract.test_store_moderation import ANYBODY, WHY, at, moderator, refused, reported, write
from tests.contract.test_store_queue import HERE, LATER, people, says
from tests.store.kit import GRIEF, START, Database, newcomer

MINUTE = 60_000
CRISIS = (Category.SELF_HARM, 3)


def about(by: Persona, whom: Persona, now: int, *, reason: str = DANGER, note: str = "it hurts") -> RoomReport:
    return msgspec.structs.replace(reported(by, about=whom, now=now), origin=HERE, reason=reason, note=note)


# ------------------------------------------------------------------------------------------------ what was not seen


async def test_what_joins_a_card_just_before_it_is_closed_is_not_closed_unseen(store: Store) -> None:
    ada, mo = await newcomer(store, "Ada"), at(await moderator(store))
    await says(store, ada, CRISIS, now=LATER)
    (card,) = (await store.queue(ANYBODY, START)).open
    await store.claim_report(card.id, mo, None, "", LATER)
    await says(store, ada, CRISIS, where=GRIEF, now=LATER + 1)
    late = Millis(LATER + 2)
    for shown in (ShownReport(seen=card.at), ShownReport()):
        await refused(store.close_report(card.id, mo, Outcome.NOTHING, "", late, shown), Reason.REPORT_CHANGED)
    (now,) = (await store.queue(ANYBODY, START)).open
    assert now.newest_at is not None
    assert await store.close_report(card.id, mo, Outcome.NOTHING, "", late, ShownReport(seen=now.newest_at)) == card.at


async def test_who_says_nothing_of_what_they_saw_has_seen_what_was_there_when_they_read(store: Store) -> None:
    ada, mo = await newcomer(store, "Ada"), at(await moderator(store))
    await says(store, ada, CRISIS, now=LATER)
    (card,) = (await store.queue(ANYBODY, START)).open
    await store.claim_report(card.id, mo, None, "", LATER)
    # Even in the same millisecond the two can be told apart.
    await says(store, ada, CRISIS, where=GRIEF, now=LATER)
    await refused(store.close_report(card.id, mo, Outcome.NOTHING, "", LATER), Reason.REPORT_CHANGED)
    await store.open_report(card.id, mo, WHY, Millis(LATER + MINUTE))
    assert await store.close_report(card.id, mo, Outcome.NOTHING, "", Millis(LATER + MINUTE)) == card.at


async def test_what_is_urgent_is_raised_anew_as_soon_as_the_last_one_is_closed(store: Store) -> None:
    ada, mo = await newcomer(store, "Ada"), at(await moderator(store))
    await says(store, ada, CRISIS, (Category.HOSTILE, 2), now=LATER)
    (card,) = (await store.queue(ANYBODY, START)).open
    await store.claim_report(card.id, mo, None, "", Millis(LATER + MINUTE))
    await store.close_report(card.id, mo, Outcome.HANDLED, "", Millis(LATER + MINUTE))
    await says(store, ada, CRISIS, (Category.HOSTILE, 2), now=LATER + 2 * MINUTE)
    (new,) = (await store.queue(ANYBODY, START)).open
    assert (new.reason, new.level, new.newest_at) == ("self_harm", 3, None), "what is milder is not raised so soon"


async def test_nobody_agrees_with_another_outcome_than_the_one_they_saw(store: Store) -> None:
    staff, him = await moderator(store), await newcomer(store, "Him")
    first, second = (
        at(await operator(store, "one"), is_operator=True),
        at(await operator(store, "two"), is_operator=True),
    )
    asked = about(him, Persona(staff, "Mo"), LATER)
    await store.report(asked)
    await store.claim_report(asked.id, first, None, "", LATER)
    hard, soft = (Outcome.MEASURE, "We spoke to him."), (Outcome.NOTHING, "Trust him.")
    await store.close_report(asked.id, first, *hard, LATER)
    assert await store.close_report(asked.id, first, *hard, LATER) is None, "the answer was lost"
    await refused(store.close_report(asked.id, first, *soft, LATER), Reason.REPORT_TAKEN)
    await store.release_report(asked.id, first, LATER)
    await store.claim_report(asked.id, first, None, "", LATER)
    await store.close_report(asked.id, first, *soft, Millis(LATER + 1))
    seen = ShownReport(seen=LATER, outcome=hard[0], reply=hard[1])
    for is_agreed in (True, False):
        for shown in (seen, ShownReport()):
            await refused(
                store.review_report(asked.id, second, "No.", LATER, shown, is_agreed=is_agreed), Reason.REPORT_CHANGED
            )
    await store.report(msgspec.structs.replace(asked, id="again", note="He is at my door.", at=Millis(LATER + 2)))
    seen = ShownReport(seen=LATER, outcome=soft[0], reply=soft[1])
    await refused(store.review_report(asked.id, second, "", LATER, seen, is_agreed=True), Reason.REPORT_CHANGED)
    (now,) = (await store.queue(second, START)).open
    seen = msgspec.structs.replace(seen, seen=now.newest_at)
    assert await store.review_report(asked.id, second, "", Millis(LATER + 3), seen, is_agreed=True) == asked.at


async def test_a_flood_is_not_closed_with_a_report_that_joined_it_unseen(store: Store) -> None:
    mo, him = at(await moderator(store)), await newcomer(store, "Him")
    crowd = await people(store, 14, "Crowd")
    for n, who in enumerate(crowd[:13]):
        await store.report(about(who, him, START + n, reason="unkind"))
    (fold,) = (await store.queue(ANYBODY, START)).open
    await store.claim_report(fold.id, mo, None, "", Millis(START + 50))
    await store.report(about(crowd[13], him, START + 60, reason="unkind"))
    late = Millis(START + 61)
    seen = ShownReport(seen=Millis(fold.newest_at or fold.at))
    await refused(store.close_report(fold.id, mo, Outcome.NOTHING, "", late, seen), Reason.REPORT_CHANGED)
    await refused(store.close_report(fold.id, mo, Outcome.NOTHING, "", late), Reason.REPORT_CHANGED)


# ------------------------------------------------------------------------------------------------ heard again


async def test_what_is_urgent_rings_again_on_a_card_that_somebody_took_and_forgot(store: Store) -> None:
    ada, mo = await newcomer(store, "Ada"), at(await moderator(store))
    await says(store, ada, CRISIS, now=LATER)
    (card,) = (await store.queue(ANYBODY, START)).open
    await store.claim_report(card.id, mo, None, "", LATER)
    soon, later = Millis(LATER + MINUTE), Millis(LATER + 12 * HOUR)
    await says(store, ada, CRISIS, where=GRIEF, now=soon)
    assert await store.rings(ANYBODY, START) == [], "whoever took it a minute ago is there"
    await says(store, ada, CRISIS, where=GRIEF, now=later)
    (ring,) = await store.rings(ANYBODY, START)
    assert (ring.report.id, ring.at, ring.report.status) == (card.id, later, ReportStatus.CLAIMED)
    assert ring.report.due_at <= later + CALL_TARGET


async def test_danger_said_again_rings_where_whoever_took_it_is_gone(store: Store) -> None:
    ada, him, mo = await newcomer(store, "Ada"), await newcomer(store, "Him"), at(await moderator(store))
    asked = about(ada, him, LATER)
    await store.report(asked)
    await store.claim_report(asked.id, mo, None, "", LATER)
    for n, (after, rings) in enumerate([(MINUTE, []), (HOUR, [LATER + HOUR]), (HOUR + MINUTE, [LATER + HOUR])]):
        again = about(ada, him, LATER + after, note=f"He is here, {n}.")
        assert await store.report(again) == asked.id
        assert [ring.at for ring in await store.rings(ANYBODY, START)] == rings
    (now,) = (await store.queue(ANYBODY, START)).open
    assert now.due_at <= LATER + HOUR + CALL_TARGET


async def test_danger_said_by_somebody_whose_report_is_in_a_flood_makes_the_flood_urgent(store: Store) -> None:
    him, child = await newcomer(store, "Him"), await newcomer(store, "Child")
    for n, who in enumerate(await people(store, 13, "Crowd")):
        await store.report(about(who, him, START + n, reason="unkind"))
    await store.report(about(child, him, START + 100, reason="unkind"))
    (fold,) = (await store.queue(ANYBODY, START)).open
    assert (rank_in(fold.band), await store.rings(ANYBODY, START)) == (Rank.REPORT, [])
    await store.report(about(child, him, START + MINUTE, note="He wants to meet me."))
    (ring,) = await store.rings(ANYBODY, START)
    assert (ring.report.id, ring.at, rank_in(ring.report.band)) == (fold.id, START + MINUTE, Rank.NOW)
    assert (ring.report.newest_at, ring.report.due_at) == (
        START + MINUTE,
        min(fold.due_at, START + MINUTE + CALL_TARGET),
    )


async def test_one_person_has_few_urgent_reports_also_where_they_become_so_later(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    for n, who in enumerate(await people(store, 2 * URGENT_EACH)):
        await store.report(about(ada, who, LATER + n, reason="unkind"))
        await store.report(about(ada, who, LATER + n))
    assert (await store.queue(ANYBODY, START)).ranks == {Rank.NOW: URGENT_EACH, Rank.REPORT: URGENT_EACH}
    assert len(await store.rings(ANYBODY, START)) == URGENT_EACH


async def test_the_newest_words_are_kept_however_much_was_said_before(store: Store) -> None:
    ada, him, mo = await newcomer(store, "Ada"), await newcomer(store, "Him"), at(await moderator(store))
    asked = about(ada, him, LATER, note="He writes to me.")
    await store.report(asked)
    for n in range(6):
        await store.report(about(ada, him, LATER + n, note=f"{n}" * NOTE_LENGTH))
    await store.report(about(ada, him, LATER + 9, note="He is at my door."))
    note = (await store.open_report(asked.id, mo, WHY, LATER)).note
    assert note.startswith("He writes to me.")
    assert note.endswith("He is at my door.")
    assert len(note) == MOST_NOTE


@pytest.mark.parametrize("is_erased", [True, False])
async def test_what_somebody_had_who_is_no_more_waits_and_rings(store: Store, *, is_erased: bool) -> None:
    ada, him, mo = await newcomer(store, "Ada"), await newcomer(store, "Him"), await moderator(store)
    asked = about(ada, him, LATER)
    await store.report(asked)
    await store.claim_report(asked.id, at(mo), None, "", LATER)
    version = await store.moderation_version()
    gone = Millis(LATER + HOUR)
    await (store.erase(mo, gone) if is_erased else store.revoke_staff(mo, gone))
    (ring,) = await store.rings(ANYBODY, START)
    assert (ring.report.id, ring.at, ring.report.status) == (asked.id, gone, ReportStatus.OPEN)
    assert ring.report.claimed_by is None
    assert await store.moderation_version() > version, "workers show it"


# ------------------------------------------------------------------------------------------------ who hears of it


async def test_a_crowd_that_reports_somebody_who_works_here_is_folded_where_only_operators_see_it(store: Store) -> None:
    mo, him = await moderator(store), await newcomer(store, "Him")
    accused = Persona(await operator(store), "Ops")
    for n, who in enumerate(await people(store, 14, "Crowd")):
        for whom in (him, Persona(mo, "Mo"), accused):
            await store.report(about(who, whom, START + n))
    seen = {asker: (await store.queue(asker, START)).open for asker in (EVERY_OPERATOR, ANYBODY, at(mo))}
    folds = [each for each in seen[EVERY_OPERATOR] if each.folds]
    assert {(each.about, each.is_about_staff) for each in folds} == {(None, False), (mo, True), (accused.id, True)}
    own = [each for each in (await store.queue(at(accused.id, is_operator=True), START)).open if each.folds]
    assert {each.about for each in own} == {None, mo}, "nobody sees a flood about themselves"
    for each in (ANYBODY, at(mo)):
        assert [found.is_about_staff for found in seen[each]] == [False]
    (fold,) = [each for each in folds if each.about == mo]
    first, second = [at(await operator(store, login), is_operator=True) for login in ("one", "two")]
    await store.claim_report(fold.id, first, None, "", Millis(START + 20))
    shown = ShownReport(seen=fold.newest_at, outcome=Outcome.NOTHING)
    assert await store.close_report(fold.id, first, Outcome.NOTHING, "", Millis(START + 20), shown) is None
    assert await store.review_report(fold.id, second, "", Millis(START + 21), shown, is_agreed=True) == fold.at
    left = (await store.queue(EVERY_OPERATOR, START)).open
    assert [each for each in left if each.about == mo] == [], "closed with all that it holds"


@pytest.mark.parametrize("moderates", [False, True])
async def test_what_a_listener_writes_is_heard_by_moderators_unless_they_moderate(
    store: Store, *, moderates: bool
) -> None:
    _, liv = await talking(store, BOTH if moderates else frozenset({Role.LISTENER}))
    await says(store, liv, (Category.GROOMING, 2), where=ROOM)
    found = [[each.about for each in (await store.queue(who, START)).open] for who in (ANYBODY, EVERY_OPERATOR)]
    assert found == [[] if moderates else [liv.id], [liv.id]]
    assert (await store.queue(at(liv.id, is_operator=True), START)).open == (), "nobody sees their own case"


# ------------------------------------------------------------------------------------------------ two at once


async def test_an_erasure_and_a_report_at_once_come_one_after_the_other(
    store: Store, other: Store, database: Database
) -> None:
    if database.path is not None:
        pytest.skip("one writes at a time")
    victim, him = await newcomer(store, "Victim"), await newcomer(store, "Him")
    offset = await write(store, him, "I will find you at your school.")
    held = await asyncpg.connect(database.url)
    try:
        async with held.transaction():
            await held.execute("SELECT * FROM moderation FOR UPDATE")
            asked = msgspec.structs.replace(reported(victim, offset=offset), id="first", reason=DANGER)
            reporting = asyncio.create_task(store.report(asked))
            await _waiting(database, 1)
            erasing = asyncio.create_task(other.erase(him.id, Millis(START + 5)))
            await _waiting(database, 2)
        await asyncio.gather(reporting, erasing)
        row = await held.fetchrow("SELECT about, snapshot FROM reports WHERE id = 'first'")
    finally:
        await held.close()
    assert row is not None
    assert is_alias(row["about"])
    assert him.id not in row["snapshot"]
    assert "find you" not in row["snapshot"]


async def test_what_is_added_to_a_report_while_somebody_is_erased_is_not_lost(store: Store, database: Database) -> None:
    if database.path is not None:
        pytest.skip("one writes at a time")
    victim, her = await newcomer(store, "Victim"), await newcomer(store, "Her")
    asked = reported(victim, offset=await write(store, her, "bad words"))
    await store.report(asked)
    held = await asyncpg.connect(database.url)
    try:
        async with held.transaction():
            await held.execute("SELECT * FROM moderation FOR UPDATE")
            await held.execute("UPDATE reports SET note = note || ' She is at my door.' WHERE id = $1", asked.id)
            erasing = asyncio.create_task(store.erase(her.id, Millis(START + 9)))
            await _waiting(database, 1)
        await erasing
        note = await held.fetchval("SELECT note FROM reports WHERE id = $1", asked.id)
    finally:
        await held.close()
    assert note == "it hurts She is at my door."


async def _waiting(database: Database, count: int) -> None:
    """Return once this many transactions of this database wait for a lock."""
    db = await asyncpg.connect(database.url)
    question = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    try:
        async with asyncio.timeout(20):
            while await db.fetchval(question) < count:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.02)
    finally:
        await db.close()
