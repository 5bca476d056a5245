"""The order of moderators' queue, and when alerts are a flood."""

from __future__ import annotations

import random

import pytest

from chatserver.domain.history import Millis
from chatserver.domain.moderation.alert_floods import FloodRules, Seen, is_flood_of_address, is_flood_of_all
from chatserver.domain.moderation.measures import CALL_TARGET, DANGER, HOUR, Report, ReportStatus
from chatserver.domain.moderation.report_queue import (
    CLAIMED,
    CLAIMED_URGENT,
    RINGS_AGAIN,
    URGENT_EACH,
    Folds,
    QueuePlace,
    Rank,
    Ring,
    band_of,
    cursor_of,
    given_back,
    is_new,
    place_at,
    place_of,
    rank_in,
    rank_of,
    ring_of,
    rings_again,
    taken,
)
from chatserver.domain.rooms.rooms import RoomId

NOW = Millis(1_700_000_000_000)


def a_report(id_: str = "r", *, due: int = 0, new: bool = False, folds: str | None = None, **fields: object) -> Report:
    told = {"reason": "unkind", "is_call": False, "level": None, **fields}
    rank = rank_of(**told)  # type: ignore[arg-type]
    return Report(
        id=id_,
        at=NOW,
        due_at=Millis(NOW + due),
        by=None,
        about=None,
        room=RoomId("sleep"),
        offset=None,
        band=band_of(rank if folds is None else Rank.NOW, is_new=new, is_fold=folds is not None),
        is_new=new,
        folds=folds,
        **told,  # type: ignore[arg-type]
    )


def test_danger_is_as_urgent_as_the_most_serious_words_and_a_report_comes_before_a_guess() -> None:
    waiting = [
        a_report("guess", level=2, reason="self_harm", due=0),
        a_report("unkind", due=1),
        a_report("a flood", folds=Folds.WORDS, due=2),
        a_report("a new one's danger", reason=DANGER, new=True, due=3),
        a_report("words", level=3, reason="self_harm", due=5),
        a_report("danger", reason=DANGER, due=4),
        a_report("call", is_call=True, reason="help", due=6),
        a_report("a new one's unkind", new=True, due=0),
    ]
    random.Random(4).shuffle(waiting)
    assert [each.id for each in sorted(waiting, key=place_of)] == [
        *("danger", "words", "call", "a new one's danger", "a flood", "unkind", "a new one's unkind", "guess"),
    ]


def test_nothing_of_a_lower_rank_ever_comes_before_a_higher_one() -> None:
    bands = {
        rank: [band_of(rank, is_new=new, is_fold=fold) for new in (False, True) for fold in (False, True)]
        for rank in Rank
    }
    assert max(bands[Rank.NOW]) < min(bands[Rank.REPORT])
    assert max(bands[Rank.REPORT]) < min(bands[Rank.WORDS])
    assert all(rank_in(band) is rank for rank, found in bands.items() for band in found)


def test_one_person_has_a_few_urgent_reports_at_a_time_and_every_call() -> None:
    ranks = [rank_of(reason=DANGER, is_call=False, level=None, urgent_before=n) for n in range(URGENT_EACH + 1)]
    assert ranks == [Rank.NOW] * URGENT_EACH + [Rank.REPORT]
    assert rank_of(reason="help", is_call=True, level=None, urgent_before=99) is Rank.NOW


def test_a_cursor_is_the_place_it_was_made_of_and_nothing_else_is_one() -> None:
    place = QueuePlace(12, NOW, "kX3nW9tQ_m2ZbP7dL-")
    assert place_at(cursor_of(place)) == place
    for wrong in ("", "1", "1.2", "-1.2.a", "1.2.a b", "1.2.a\n", "9999.1.a", "1." + "9" * 30 + ".a", "\u0661.2.a"):
        assert place_at(wrong) is None, wrong


def test_who_takes_a_report_has_time_for_it_and_who_gives_it_back_gives_back_that_time() -> None:
    danger, unkind = a_report(reason=DANGER), a_report()
    assert taken(danger, NOW).due_at == NOW + CLAIMED_URGENT
    assert taken(unkind, NOW).due_at == NOW + CLAIMED
    assert given_back(taken(danger, Millis(NOW + HOUR))).due_at == NOW + CALL_TARGET
    assert given_back(taken(unkind, Millis(NOW + HOUR))).due_at == NOW + HOUR
    assert given_back(taken(a_report(folds=Folds.WORDS), NOW)).due_at == NOW + CALL_TARGET


@pytest.mark.parametrize(
    ("report", "ring"),
    [
        (a_report(is_call=True, reason="help"), Ring.CALL),
        (a_report(reason=DANGER), Ring.DANGER),
        (a_report(reason=DANGER, new=True), Ring.DANGER),
        (a_report(folds=Folds.REPORTS), Ring.DANGER),
        (a_report(level=3, reason="danger"), Ring.WORDS),
        (a_report(folds=Folds.WORDS), Ring.WORDS),
        (a_report(folds="words"), Ring.WORDS),
        (a_report(level=2, reason="danger"), None),
        (a_report(), None),
        (a_report(reason="help"), None),
    ],
)
def test_what_rings(report: Report, ring: Ring | None) -> None:
    assert report.status is ReportStatus.OPEN
    assert ring_of(report) is ring


def test_somebody_is_new_for_an_hour() -> None:
    assert is_new(NOW, Millis(NOW + HOUR - 1))
    assert not is_new(NOW, Millis(NOW + HOUR))
    assert not is_new(None, NOW), "whoever is no more is nobody new"


def seen(alerts: int, people: int, alerts_long: int = 0, people_long: int = 0) -> Seen:
    return Seen(
        alerts=alerts,
        people=people,
        alerts_long=max(alerts, alerts_long),
        people_long=max(people, people_long),
    )


def test_many_alerts_of_several_new_people_of_one_address_are_a_flood() -> None:
    rules = FloodRules(per_address=12, people=10)
    assert not is_flood_of_address(seen(12, 2), rules)
    assert is_flood_of_address(seen(13, 2), rules)
    assert not is_flood_of_address(seen(400, 1), rules), "one person has one card anyway"
    assert not is_flood_of_address(seen(4, 2, 36, 9), rules)
    assert is_flood_of_address(seen(4, 2, 37, 9), rules), "slowly is a flood, too"
    assert not is_flood_of_address(seen(10, 10), rules)
    assert is_flood_of_address(seen(11, 11), rules), "many people are one, too, with an alert each"


def test_many_new_people_of_all_addresses_are_a_flood() -> None:
    rules = FloodRules(per_address=12, people=10)
    assert not is_flood_of_all(seen(400, 10), rules)
    assert is_flood_of_all(seen(11, 11), rules)
    assert is_flood_of_all(seen(3, 3, 31, 31), rules)


@pytest.mark.parametrize(
    ("status", "rank", "after", "rang_after", "rings"),
    [
        (ReportStatus.OPEN, Rank.NOW, RINGS_AGAIN, None, False),
        (ReportStatus.CLOSED, Rank.NOW, RINGS_AGAIN, None, False),
        (ReportStatus.CLAIMED, Rank.REPORT, RINGS_AGAIN, None, False),
        (ReportStatus.CLAIMED, Rank.NOW, RINGS_AGAIN - 1, None, False),
        (ReportStatus.CLAIMED, Rank.NOW, RINGS_AGAIN, None, True),
        (ReportStatus.PROPOSED, Rank.NOW, RINGS_AGAIN, None, True),
        (ReportStatus.CLAIMED, Rank.NOW, 2 * RINGS_AGAIN, RINGS_AGAIN + 1, False),
        (ReportStatus.CLAIMED, Rank.NOW, 2 * RINGS_AGAIN, RINGS_AGAIN, True),
    ],
)
def test_what_is_urgent_rings_again_once_whoever_took_it_had_time(
    status: ReportStatus, rank: Rank, after: int, rang_after: int | None, rings: bool
) -> None:
    taken_at = 1_000_000_000
    rang = None if rang_after is None else Millis(taken_at + rang_after)
    due = Millis(taken_at + CLAIMED_URGENT)
    assert rings_again(status, band_of(rank), due, rang, Millis(taken_at + after)) is rings
