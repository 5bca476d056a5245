"""What leaves the house: whole weeks, once they are over, with small numbers protected."""

from __future__ import annotations

import datetime as dt

from chatserver.domain.history import Millis
from chatserver.domain.moderation.statistics import DAY, HEAD, WEEK, Given, Happened, final_weeks, lines, tables

MONDAY = Millis(int(dt.datetime(2026, 3, 2, tzinfo=dt.UTC).timestamp()) * 1000)
HOUR = 3_600_000


def at(day: int, hour: int = 12) -> Millis:
    return Millis(MONDAY + day * DAY + hour * HOUR)


def test_a_week_is_told_once_it_is_over_and_settled_and_while_it_is_kept_whole() -> None:
    def starts(now: int, age: int = 30 * DAY) -> list[int]:
        return [(start - MONDAY) // WEEK for start in final_weeks(Millis(now), final_after=DAY, age=age, most=3)]

    assert starts(MONDAY + WEEK + DAY - 1) == [-3, -2, -1]
    assert starts(MONDAY + WEEK + DAY) == [-2, -1, 0]
    assert starts(MONDAY + WEEK + DAY, age=WEEK + DAY) == []
    assert starts(MONDAY + WEEK + DAY, age=WEEK + DAY + 1) == [0]
    assert starts(MONDAY + 3 * WEEK) == [-1, 0, 1], "the third is over, and not final"


def test_weeks_do_not_overlap_and_are_the_same_whenever_they_are_asked_for() -> None:
    seen: set[Millis] = set()
    for hours in range(0, 24 * 40, 7):
        found = final_weeks(Millis(MONDAY + hours * HOUR), final_after=DAY, age=400 * DAY, most=4)
        assert all((start - MONDAY) % WEEK == 0 for start in found)
        seen |= {*found}
    assert sorted((start - MONDAY) // WEEK for start in seen) == [*range(-5, 5)]


def test_reports_are_told_by_day_and_reason_and_rare_ones_are_not() -> None:
    often = [(at(day), reason) for day in range(7) for reason in ("unkind", "pressure") for _ in range(20 + day)]
    once = [(at(2), "danger"), (at(3), "a word that a client made up")]
    reports, heard, heavy = tables(MONDAY, "2026-03-02", Happened(reports=(*often, *once), feedback=()))
    assert reports.shown.columns == ("unkind", "pressure")
    assert set(reports.shown.withheld) == {"contact", "sexual", "danger", "help", "other"}
    assert heard.shown.total == heavy.shown.total == 0
    told = [dict(zip(HEAD, line, strict=True)) for line in lines([reports, heard, heavy])]
    assert {"week": "2026-03-02", "table": "reports", "day": "wednesday", "kind": "unkind", "count": "22"} in told
    assert {"week": "2026-03-02", "table": "reports", "day": "total", "kind": "total", "count": "322"} in told
    assert not [line for line in told if line["kind"] == "danger" or "made up" in str(line)]
    assert [line["day"] for line in told if line["table"] == "reports" and line["kind"] == "withheld"] == [
        "contact", "sexual", "danger", "help", "other",
    ]  # fmt: skip


def test_a_small_number_among_large_ones_is_suppressed_with_what_would_give_it_away() -> None:
    given = [Given(at(day), heard, 3, 2) for day in range(7) for heard in (1, 2, 0, None) for _ in range(30)]
    # On Wednesday two people did not feel heard.
    given = [each for each in given if not (each.heard == 0 and each.at == at(2))] + [Given(at(2), 0, 3, 2)] * 2
    _, heard, heavy = tables(MONDAY, "2026-03-02", Happened(reports=(), feedback=tuple(given)))
    assert heard.shown.withheld == ()
    assert sum(cell is None for row in heard.shown.cells for cell in row) == 4
    assert heard.shown.cells[2][0] is None
    assert heard.shown.row_totals[2] == 92
    # Everybody left lighter: the other kinds hold nobody, and are not told.
    assert heavy.shown.columns == ("lighter",)


def test_how_heavy_it_was_is_compared_with_before() -> None:
    given = [Given(at(day), 2, 3, after) for day in range(7) for after in (1, 3, 5, None) for _ in range(11)]
    _, _, heavy = tables(MONDAY, "2026-03-02", Happened(reports=(), feedback=tuple(given)))
    assert heavy.shown.columns == ("lighter", "as_before", "heavier", "not_said")
    assert {cell for row in heavy.shown.cells for cell in row} == {11}
