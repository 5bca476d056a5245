"""Moving rows to fresh pages of a SQLite file, a few at a time: `VACUUM` does it at once, and holds everybody up.

Where SQLite splits or joins pages it may leave a copy of a row in the unused part of one (about one removed text in a
thousand, measured). A page that is emptied is overwritten with zeros (`secure_delete`). So the rows of a table are
taken from its left end and put at its right end, under new rowids, until every page that was there has been emptied.
What this does not reach are the pages of indexes, which hold ids, and of names what they look like: those need
`VACUUM`.
"""

from __future__ import annotations

import sqlite3
from typing import Final, NamedTuple

MOVED: Final = (
    "log", "members", "floor_records", "reports", "report_notes", "measures", "debriefs", "sealed_copies", "staff",
)  # fmt: skip
"""Tables with words or names of people in them."""
ROWS_AT_ONCE: Final = 60
"""Rows that one transaction moves: some milliseconds."""
BEYOND: Final = 500
"""Moved rows that are moved once more. When the last old row goes, SQLite may join its page with its neighbours'."""


class RowBound(NamedTuple):
    """Asks how far a table's rows have to be moved. Answered with a rowid."""

    table: str


class RowMove(NamedTuple):
    """Asks for the first rows of a table, up to a rowid, to be moved to its end. Answered with how many were."""

    table: str
    upto: int


def bound_of(db: sqlite3.Connection, asked: RowBound) -> int:
    """Return the newest rowid of a table, and those of as many more rows as are moved twice."""
    ((newest,),) = db.execute(f'SELECT coalesce(max(rowid), 0) FROM "{asked.table}"')  # noqa: S608 - one of MOVED
    return int(newest) + BEYOND if newest else 0


def move(db: sqlite3.Connection, asked: RowMove) -> int:
    """RowMove the first rows of a table to its end. Returns how many there were.

    In a transaction of the caller's, who holds the file for writing. Nothing but the rowids is another afterwards.
    """
    # Rows that others refer to are away for a moment.
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
