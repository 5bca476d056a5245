"""Closed cases, as the second look learns from them: which are read, for every database."""

from __future__ import annotations

import pytest

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.moderation.crisis_phrases import Category
from chatserver.domain.moderation.local_training import ClosedCase
from chatserver.domain.moderation.measures import Outcome
from chatserver.domain.rooms.rooms import RoomId
from chatserver.store import closed_cases
from chatserver.store.moderation_records import ShownReport
from chatserver.store.store import Store
from tests.contract.test_store_moderation import ANYBODY, at, moderator, reported
from tests.contract.test_store_second_looks import late, looks
from tests.store.kit import GRIEF, SLEEP, START, newcomer, say


async def raise_(store: Store, author: Persona, text: str, category: Category, where: RoomId = SLEEP) -> None:
    await say(store, author, text, where=where)
    (look,) = [each for each in await looks(store, where=where) if each.text.strip() == text]
    assert await store.escalate_late([late(look, category=category)]) == 1


async def close(store: Store, by: MemberId, about: Persona, outcome: Outcome, now: int = 1) -> None:
    asker = at(by, is_operator=True)
    for report in (await store.queue(ANYBODY, START)).open:
        if report.about == about.id:
            await store.claim_report(report.id, asker, None, "", START)
            await store.close_report(report.id, asker, outcome, "", Millis(START + now))


async def test_what_moderators_closed_is_read_with_its_words_and_their_judgement(store: Store) -> None:
    mo = await moderator(store)
    ada, bo, cy = [await newcomer(store, name) for name in ("Ada", "Bo", "Cy")]
    await raise_(store, ada, "it gets dark", Category.SELF_HARM)
    await raise_(store, bo, "he locks me in", Category.ABUSE, GRIEF)
    await raise_(store, cy, "still open", Category.DANGER)
    assert await store.closed_cases() == ()
    await close(store, mo, ada, Outcome.NOTHING, 1)
    await close(store, mo, bo, Outcome.HANDLED, 2)
    assert await store.closed_cases() == (
        ClosedCase("he locks me in", Category.ABUSE, bo.id),
        ClosedCase("it gets dark", None, ada.id),
    )


async def test_words_of_erased_people_are_not_learnt_from(store: Store) -> None:
    mo = await moderator(store)
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    await raise_(store, ada, "it gets dark", Category.SELF_HARM)
    await raise_(store, bo, "i will find you", Category.HOSTILE)
    for each in (ada, bo):
        await close(store, mo, each, Outcome.HANDLED)
    assert len(await store.closed_cases()) == 2
    # Of one the case loses the words, of the other it keeps them, sealed.
    for each in (ada, bo):
        await store.erase(each.id, START)
    assert await store.closed_cases() == ()


async def test_only_what_was_judged_singly_in_an_open_room_is_learnt_from(store: Store) -> None:
    mo = await moderator(store)
    ada = await newcomer(store, "Ada")
    # Two on one card: the moderator has judged the first one.
    await raise_(store, ada, "one", Category.SELF_HARM)
    await raise_(store, ada, "two", Category.ABUSE, GRIEF)
    (card,) = (await store.queue(ANYBODY, START)).open
    await store.claim_report(card.id, at(mo), None, "", START)
    shown = ShownReport(seen=card.newest_at)
    await store.close_report(card.id, at(mo), Outcome.NOTHING, "", START, shown)
    assert await store.closed_cases() == (ClosedCase("one", None, ada.id),)


async def test_what_a_person_reported_and_what_is_about_staff_is_not_learnt_from(store: Store) -> None:
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    mo, second = await moderator(store), await moderator(store)
    asked = reported(ada, offset=await say(store, bo, "no"))
    await store.report(asked)
    await store.claim_report(asked.id, at(mo), None, "", START)
    await store.close_report(asked.id, at(mo), Outcome.HANDLED, "", START)
    about = Persona(second, "Mo")
    await store.join(second, SLEEP, 1)
    await raise_(store, about, "i will find you", Category.HOSTILE)
    boss, other = at(mo, is_operator=True), at(MemberId("m_other"), is_operator=True)
    (report,) = (await store.queue(boss, START)).open
    assert report.is_about_staff
    await store.claim_report(report.id, boss, None, "", START)
    await store.close_report(report.id, boss, Outcome.HANDLED, "", START)
    await store.review_report(report.id, other, "", START, is_agreed=True)
    assert (await store.queue(other, START)).open_count == 0
    assert await store.closed_cases() == ()


async def test_many_cases_are_read_in_pages_the_newest_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    mo = await moderator(store)
    people = [await newcomer(store, f"Ada{n}") for n in range(7)]
    for n, each in enumerate(people):
        await raise_(store, each, f"post {n}", Category.SELF_HARM)
    for n, each in enumerate(people):
        # Some at the same moment.
        await close(store, mo, each, Outcome.HANDLED, n // 3)
    monkeypatch.setattr(closed_cases, "_PAGE", 2)
    found = await store.closed_cases()
    assert sorted(case.about for case in found) == sorted(each.id for each in people)
    assert found[0].about == people[6].id
