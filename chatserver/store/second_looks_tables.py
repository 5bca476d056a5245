"""The table of second looks. Pure, like `tables`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table

from chatserver.store.core.schema import metadata

second_looks = Table(
    "second_looks",
    metadata,
    Column("worker", String, primary_key=True),
    # What this worker committed before this time, by its own clock, has been looked at.
    Column("until", BigInteger, nullable=False),
)
"""How far each worker is with its second look at posts. The row of a worker that died stays until another worker has
looked at what it left."""
