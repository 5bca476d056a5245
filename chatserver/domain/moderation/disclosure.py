"""What may be told of small numbers: which cells of a table are left out, so that nobody can work them out.

Pure. Whoever reads a table knows its published cells, the totals of its rows and columns and the sum of all, and that
counts are whole and not negative. Against them every suppressed cell is protected by this criterion:

    Each suppressed cell is a corner of a rectangle of suppressed cells (two rows, two columns) in which the two corners
    of one diagonal hold at least SMALL each.

Moving 0, 1, … SMALL along that rectangle, off that diagonal and onto the other, gives SMALL + 1 tables that look the
same from outside: no count is negative, and every row, every column and every published cell is as before. In each of
them the cell has another value. So nobody can derive it, nor bound it to fewer than SMALL + 1 values.

Cells under SMALL are always suppressed, zeros too; others are suppressed with them where a rectangle needs them. A row
or a column for whose small cells there is no rectangle is withheld whole, and counts in no total.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

SMALL: Final = 11
"""Counts under this are not published."""

Cell = tuple[int, int]


class Disclosed(msgspec.Struct, frozen=True, kw_only=True):
    """A table that may be published. `cells` has a row for each of `rows` and in it a count, or None if it is
    suppressed, for each of `columns`; totals are of these rows and columns. What was `withheld` is only named."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[int | None, ...], ...]
    row_totals: tuple[int, ...]
    column_totals: tuple[int, ...]
    total: int
    withheld: tuple[str, ...]


def disclose(rows: Sequence[str], columns: Sequence[str], counts: Sequence[Sequence[int]]) -> Disclosed:
    """Return a table of counts in the form in which it may be published. The same counts give the same answer, so that
    asking again reveals no more. There may be no rows or columns left."""
    kept_rows, kept_columns = [*range(len(rows))], [*range(len(columns))]
    while True:
        table = [[counts[row][column] for column in kept_columns] for row in kept_rows]
        suppressed, unprotected = suppress(table)
        if not unprotected:
            break
        # The line with the most such cells is withheld: of rows and columns with as many, the row with the smallest
        # sum.
        worst = min(_lines(table, unprotected))[-1]
        kind, place = worst
        del (kept_rows if kind == "row" else kept_columns)[place]
        if not kept_rows or not kept_columns:
            kept_rows, kept_columns = [], []
    return Disclosed(
        rows=tuple(rows[row] for row in kept_rows),
        columns=tuple(columns[column] for column in kept_columns),
        cells=tuple(
            tuple(None if (row, column) in suppressed else count for column, count in enumerate(line))
            for row, line in enumerate(table)
        ),
        row_totals=tuple(map(sum, table)),
        column_totals=tuple(map(sum, zip(*table, strict=True))),
        total=sum(map(sum, table)),
        withheld=(
            *(rows[row] for row in range(len(rows)) if row not in kept_rows),
            *(columns[column] for column in range(len(columns)) if column not in kept_columns),
        ),
    )


def suppress(table: Sequence[Sequence[int]]) -> tuple[set[Cell], set[Cell]]:
    """Return which cells are suppressed so that the criterion holds for them; and the small ones for which it
    cannot."""
    small = [(row, column) for row, line in enumerate(table) for column, count in enumerate(line) if count < SMALL]
    suppressed, unprotected = set(small), set()
    for cell in small:
        corners = _cheapest(table, cell, suppressed)
        if corners is None:
            unprotected.add(cell)
        else:
            suppressed.update(corners)
    return suppressed, unprotected


def _cheapest(table: Sequence[Sequence[int]], cell: Cell, suppressed: set[Cell]) -> tuple[Cell, Cell, Cell] | None:
    """Return the other corners of the rectangle that removes the least from the table beyond what is suppressed
    already."""
    found = (
        (sum(table[row][column] for row, column in corners if (row, column) not in suppressed), corners)
        for corners in _rectangles(table, cell)
    )
    return min(found, default=(0, None))[1]


def _rectangles(table: Sequence[Sequence[int]], cell: Cell) -> Iterator[tuple[Cell, Cell, Cell]]:
    """Yield the other corners of each rectangle that protects a small cell. The cell is not on the diagonal that holds
    enough: the two corners beside it are."""
    row, column = cell
    for beside, count in enumerate(table[row]):
        if beside == column or count < SMALL:
            continue
        for below, line in enumerate(table):
            if below != row and line[column] >= SMALL:
                yield (row, beside), (below, column), (below, beside)


def _lines(table: Sequence[Sequence[int]], unprotected: set[Cell]) -> Iterator[tuple[int, int, tuple[str, int]]]:
    for kind, lines, index in (("row", [*table], 0), ("column", [*zip(*table, strict=True)], 1)):
        for place, line in enumerate(lines):
            bare = sum(cell[index] == place for cell in unprotected)
            if bare:
                yield -bare, sum(line), (kind, place)
