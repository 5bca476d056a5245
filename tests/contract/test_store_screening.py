"""The model's scores and levels, as `screening_store` promises, for every database."""

from __future__ import annotations

import asyncio

from chatserver.domain.errors import Reason
from chatserver.domain.history import Millis
from chatserver.domain.moderation.measures import Outcome
from chatserver.domain.moderation.score_counts import BINS, WEEK, bin_of, monday_of
from chatserver.domain.moderation.screening_levels import KEPT, Levels, Loads, Model, ScreeningLevels
from chatserver.domain.moderation.text_model import MODEL as MODEL_PHRASE
from chatserver.store.records import Retention
from chatserver.store.screening_records import LevelsWanted, Scored
from chatserver.store.store import Store
from tests.contract.test_store_moderation import ANYBODY, at, moderator, refused
from tests.contract.test_store_room_settings import acts, deed, operator
from tests.contract.test_store_second_looks import looks, pressing
from tests.store.kit import START, newcomer, say

MODEL = Model(name="one", levels=Levels(0.1, 0.3))
MONDAY = Millis(monday_of(START))


def scored(score: float, posts: int, *, place: str = "sleep", week: Millis = MONDAY) -> Scored:
    return Scored(week, place, bin_of(score), posts)


async def fill(store: Store, week: Millis = MONDAY) -> None:
    """Let 3,000 posts be written, of which 300 have a high score."""
    await store.add_scores(MODEL.name, [scored(-0.5, 2_700, week=week), scored(0.45, 300, week=week)])


async def test_what_workers_count_is_summed_by_place_and_by_model(store: Store, other: Store) -> None:
    some = [scored(0.0, 3), scored(0.4, 1), scored(0.0, 7, place="session")]
    await asyncio.gather(store.add_scores("one", some), other.add_scores("one", some), store.add_scores("two", some))
    counts = (await other.screening("one", START)).counts
    assert {place: sum(each) for place, each in counts.items()} == {"sleep": 8, "session": 14}
    assert counts["sleep"][bin_of(0.0)] == 6
    assert len(counts["sleep"]) == BINS


async def test_counts_of_old_weeks_count_no_more_and_are_removed(store: Store) -> None:
    await fill(store, Millis(MONDAY - 5 * WEEK))
    await fill(store, Millis(MONDAY - 4 * WEEK))
    assert sum((await store.screening("one", START)).counts["sleep"]) == 3_000
    earlier = Millis(START - WEEK)
    assert sum((await store.screening("one", earlier)).counts["sleep"]) == 6_000
    await store.expire(Millis(MONDAY - 5 * WEEK + KEPT), Retention())
    assert sum((await store.screening("one", earlier)).counts["sleep"]) == 3_000


async def test_one_worker_moves_the_levels_once_a_week_and_says_so(store: Store, other: Store) -> None:
    await fill(store)
    found = await asyncio.gather(*(each.follow_scores(MODEL, START) for each in (store, other, store)))
    assert len({each.revision for each in found}) == 1
    assert found[0] == await other.screening_levels()
    assert found[0].week == MONDAY
    assert await acts(store) == [
        ("screening_set", "screening", "the week's posts (level 1: 0.10 to 0.20; level 2: 0.30 to 0.40)")
    ]
    await other.follow_scores(MODEL, Millis(MONDAY + WEEK - 1))
    assert len(await acts(store)) == 1
    after = await other.follow_scores(MODEL, Millis(MONDAY + WEEK))
    assert after.revision == found[0].revision + 1
    assert len(await acts(store)) == 2


async def test_a_week_with_few_posts_changes_nothing_and_is_not_in_the_log(store: Store) -> None:
    await store.add_scores(MODEL.name, [scored(0.9, 100)])
    after = await store.follow_scores(MODEL, START)
    assert (after.revision, after.levels, after.week) == (0, None, MONDAY)
    assert await acts(store) == []


async def test_an_operator_sets_the_loads_and_they_hold_at_once(store: Store, other: Store) -> None:
    boss = await operator(store)
    await fill(store)
    after = await store.set_screening(LevelsWanted(seen=0, loads=Loads(120, 40)), MODEL, deed(boss, "more"))
    assert after.loads == Loads(120, 40)
    assert after.levels is not None
    assert after.levels.second > 0.45
    assert await other.screening_levels() == after
    again = await other.set_screening(LevelsWanted(seen=0, loads=Loads(120, 40)), MODEL, deed(boss, "more"))
    assert again == after
    late = other.set_screening(LevelsWanted(seen=0, loads=Loads(60, 20)), MODEL, deed(boss))
    refusal = await refused(late, Reason.SCREENING_CHANGED)
    assert refusal.details == {"revision": after.revision}
    ((action, _, reason),) = await acts(store)
    assert action == "screening_set"
    assert reason.startswith("more (120 and 40 of 1,000 posts: level 1 from ")


async def test_levels_set_by_hand_stay_until_a_person_lets_them_follow(store: Store) -> None:
    boss = await operator(store)
    await fill(store)
    wanted = LevelsWanted(seen=0, loads=Loads(), levels=Levels(0.2, 0.6))
    by_hand = await store.set_screening(wanted, MODEL, deed(boss, "for the holidays"))
    assert await acts(store) == [
        ("screening_set", "screening", "for the holidays (by hand: level 1 from 0.20, level 2 from 0.60)")
    ]
    later = await store.follow_scores(MODEL, Millis(START + WEEK))
    assert (later.levels, later.revision) == (by_hand.levels, by_hand.revision)
    followed = await store.set_screening(
        LevelsWanted(seen=later.revision, loads=Loads()), MODEL, deed(boss, now=START + WEEK)
    )
    assert not followed.is_by_hand
    assert followed.levels != by_hand.levels


async def test_a_missing_reason_changes_nothing(store: Store) -> None:
    boss = await operator(store)
    wanted = LevelsWanted(seen=0, loads=Loads(60, 20))
    await refused(store.set_screening(wanted, MODEL, deed(boss, "  ")), Reason.TEXT_EMPTY)
    assert await store.screening_levels() == ScreeningLevels()


async def test_closed_escalations_are_read_with_their_scores_from_when_they_were_closed(store: Store) -> None:
    mo = await moderator(store)
    ada = await newcomer(store, "Ada")
    await say(store, ada, "the lanterns go dark")
    (look,) = await looks(store)
    assert await store.escalate_late([pressing(look, 0.512)]) == 1
    (report,) = (await store.queue(ANYBODY, START)).open
    await store.claim_report(report.id, at(mo), None, "", START)
    assert await store.closed_escalations(START, Millis(START + 10)) == []
    await store.close_report(report.id, at(mo), Outcome.NOTHING, "", Millis(START + 5))
    (found,) = await store.closed_escalations(START, Millis(START + 10))
    assert (found.score, found.outcome, found.about) == (51, Outcome.NOTHING, ada.id)
    assert found.note.split("\n")[1] == MODEL_PHRASE
    assert await store.closed_escalations(START, Millis(START + 5)) == []
