"""Moves rows to fresh pages of a SQLite file, a few at a time. `VACUUM` does it at once, but holds everybody up.

When SQLite splits or joins pages, it may leave a copy of a row in the unused part of one (measured: for about one
removed text in a thousand). A page that is emptied is overwritten with zeros (`secure_delete`). So the rows of a table
are taken from its beginning and put at its end, under new rowids, until every old page has been emptied. This does not
reach the pages of indexes, which hold ids and the skeletons of names; those need `VACUUM`.
"""

from __future__ import annotations

import sqlite3
from typing import Final, NamedTuple

MOVED: Final = (
    "log", "members", "floor_records", "reports", "report_notes", "measures", "debriefs", "sealed_copies", "staff",
)  # fmt: skip
"""Tables that contain text or names of people."""
ROWS_AT_ONCE: Final = 60
"""Rows that one transaction moves, which takes some milliseconds."""
BEYOND: Final = 500
"""Already moved rows that are moved once more, because when the last old row goes, SQLite may join its page with its
neighbours'."""


class RowBound(NamedTuple):
    """Asks how far a table's rows have to be moved. The answer is a rowid."""

    table: str


class RowMove(NamedTuple):
    """Asks to move the first rows of a table, up to a rowid, to its end. The answer is how many were moved."""

    table: str
    upto: int


def bound_of(db: sqlite3.Connection, asked: RowBound) -> int:
    """Return the newest rowid of a table, increased by the number of rows that are moved twice."""
    ((newest,),) = db.execute(f'SELECT coalesce(max(rowid), 0) FROM "{asked.table}"')  # noqa: S608 - one of MOVED
    return int(newest) + BEYOND if newest else 0


def move(db: sqlite3.Connection, asked: RowMove) -> int:
    """Move the first rows of a table to its end. Return how many there were.

    Runs in the caller's transaction, which holds the file for writing. Only rowids change.
    """
    # Rows that others refer to are deleted for a moment.
    db.execute("PRAGMA defer_foreign_keys=ON")
    found = db.execute(
        f'SELECT rowid, * FROM "{asked.table}" WHERE rowid <= ? ORDER BY rowid LIMIT ?',  # noqa: S608 - one of MOVED
        (asked.upto, ROWS_AT_ONCE),
    )
    # The first is the rowid itself.
    columns = [f'"{column[0]}"' for column in found.description][1:]
    rows = found.fetchall()
    if not rows:
        return 0
    ((newest,),) = db.execute(f'SELECT max(rowid) FROM "{asked.table}"')  # noqa: S608 - one of MOVED
    db.executemany(f'DELETE FROM "{asked.table}" WHERE rowid = ?', [(row[0],) for row in rows])  # noqa: S608
    places = ", ".join("?" * (len(columns) + 1))
    db.executemany(
        f'INSERT INTO "{asked.table}" (rowid, {", ".join(columns)}) VALUES ({places})',  # noqa: S608 - one of MOVED
        [(newest + number, *row[1:]) for number, row in enumerate(rows, 1)],
    )
    return len(rows)
