"""Small numbers: nobody who knows the totals can work out what was left out."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from chatserver.domain.moderation.disclosure import SMALL, Cell, Disclosed, disclose
from tests.kit.nightly import drawn

DAYS = ("mon", "tue", "wed", "thu", "fri")
KINDS = ("a", "b", "c", "d")


def tables(most: int = 60) -> st.SearchStrategy[list[list[int]]]:
    count = st.one_of(st.integers(0, SMALL), st.integers(0, most))
    return st.integers(1, 5).flatmap(
        lambda rows: st.integers(1, 4).flatmap(
            lambda columns: st.lists(st.lists(count, min_size=columns, max_size=columns), min_size=rows, max_size=rows)
        )
    )


def told(counts: Sequence[Sequence[int]]) -> Disclosed:
    return disclose(DAYS[: len(counts)], KINDS[: len(counts[0])], counts)


def suppressed(shown: Disclosed) -> set[Cell]:
    return {(row, column) for row, line in enumerate(shown.cells) for column, at in enumerate(line) if at is None}


class Attacker:
    """Knows everything that was published, and works out the least and the most that one cell can be: the largest
    flow through the suppressed cells from what is missing in rows to what is missing in columns."""

    def __init__(self, shown: Disclosed) -> None:
        self._open = suppressed(shown)
        self._rows = [
            total - sum(each for each in line if each is not None)
            for line, total in zip(shown.cells, shown.row_totals, strict=True)
        ]
        self._columns = [
            total - sum(line[column] or 0 for line in shown.cells) for column, total in enumerate(shown.column_totals)
        ]

    def bounds(self, cell: Cell) -> tuple[int, int]:
        """Of one suppressed cell: by trying every value that it could have at all."""
        most = min(self._rows[cell[0]], self._columns[cell[1]])
        possible = [value for value in range(most + 1) if self._is_possible(cell, value)]
        return possible[0], possible[-1]

    def _is_possible(self, fixed: Cell, value: int) -> bool:
        rows, columns = [*self._rows], [*self._columns]
        rows[fixed[0]] -= value
        columns[fixed[1]] -= value
        flow: dict[Cell, int] = dict.fromkeys(self._open - {fixed}, 0)
        while any(rows):
            if not self._augment(rows, columns, flow):
                return False
        return True

    @staticmethod
    def _augment(rows: list[int], columns: list[int], flow: dict[Cell, int]) -> bool:
        """Send one step of flow from a row with something left to a column with something left, by a shortest way."""
        ways: dict[tuple[str, int], list[Cell]] = {("row", row): [] for row, left in enumerate(rows) if left > 0}
        line = [*ways]
        for kind, place in line:
            way = ways[kind, place]
            if kind == "column" and columns[place] > 0:
                start = way[0][0]
                back = [flow[cell] for cell in way[1::2]]
                step = min([rows[start], columns[place], *back])
                for number, cell in enumerate(way):
                    flow[cell] += step if number % 2 == 0 else -step
                rows[start] -= step
                columns[place] -= step
                return True
            for cell, amount in flow.items():
                if kind == "row" and cell[0] == place:
                    to = ("column", cell[1])
                elif kind == "column" and cell[1] == place and amount > 0:
                    to = ("row", cell[0])
                else:
                    continue
                if to not in ways:
                    ways[to] = [*way, cell]
                    line.append(to)
        return False


@given(tables())
@settings(max_examples=drawn(300), deadline=None)
def test_who_knows_the_totals_can_bound_no_suppressed_cell_to_fewer_than_twelve_values(counts: list[list[int]]) -> None:
    shown = told(counts)
    attacker = Attacker(shown)
    for row, column in suppressed(shown):
        least, most = attacker.bounds((row, column))
        truth = counts[DAYS.index(shown.rows[row])][KINDS.index(shown.columns[column])]
        assert least <= truth <= most
        assert most - least >= SMALL


@given(tables())
def test_no_small_number_is_told_in_a_cell_or_a_total(counts: list[list[int]]) -> None:
    shown = told(counts)
    said = [each for line in shown.cells for each in line if each is not None]
    assert all(each >= SMALL for each in (*said, *shown.row_totals, *shown.column_totals))
    assert shown.total >= SMALL or shown.rows == shown.columns == ()


@given(tables())
def test_what_is_told_is_true_and_the_same_each_time(counts: list[list[int]]) -> None:
    shown = told(counts)
    assert told(counts) == shown
    kept = [[counts[DAYS.index(row)][KINDS.index(column)] for column in shown.columns] for row in shown.rows]
    for line, truth in zip(shown.cells, kept, strict=True):
        assert all(said in (None, count) for said, count in zip(line, truth, strict=True))
    assert shown.row_totals == tuple(map(sum, kept))
    assert shown.total == sum(map(sum, kept))
    assert {*shown.rows, *shown.columns, *shown.withheld} == {*DAYS[: len(counts)], *KINDS[: len(counts[0])]}


def test_where_all_is_large_all_is_told() -> None:
    counts = [[20, 30], [40, 11]]
    shown = told(counts)
    assert shown.cells == ((20, 30), (40, 11))
    assert (shown.row_totals, shown.column_totals, shown.total) == ((50, 51), (60, 41), 101)
    assert shown.withheld == ()


def test_one_small_number_takes_three_others_with_it_those_that_cost_least() -> None:
    shown = told([[3, 50, 90], [40, 70, 80], [60, 20, 99]])
    assert shown.cells == ((None, None, 90), (40, 70, 80), (None, None, 99))
    assert shown.withheld == ()


def test_what_cannot_be_protected_is_withheld_with_its_total() -> None:
    shown = told([[3, 2], [40, 70], [60, 20]])
    assert (shown.rows, shown.withheld) == (("tue", "wed"), ("mon",))
    assert shown.column_totals == (100, 90)
    assert told([[5]]).rows == ()
    assert told([[0, 0], [0, 0]]).total == 0


def test_it_can_be_bounded_without_the_rectangle() -> None:
    """The attacker of these tests is no straw man: where only the small number is left out, it is found."""
    naive = Disclosed(
        rows=DAYS[:2],
        columns=KINDS[:2],
        cells=((None, 50), (40, 70)),
        row_totals=(53, 110),
        column_totals=(43, 120),
        total=163,
        withheld=(),
    )
    assert Attacker(naive).bounds((0, 0)) == (3, 3)
