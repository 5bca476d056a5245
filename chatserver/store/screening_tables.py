"""The table of the model's scores. Pure, like `tables`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, SmallInteger, String, Table

from chatserver.store.core.schema import metadata

score_counts = Table(
    "score_counts",
    metadata,
    # The model that gave the scores.
    Column("model", String, primary_key=True),
    # The Monday on which the week begins.
    Column("week", BigInteger, primary_key=True),
    # A themed room (those of a split count as one), or the kind of a closed room.
    Column("place", String, primary_key=True),
    # The step of the score (`domain/moderation/score_counts.py`).
    Column("step", SmallInteger, primary_key=True),
    Column("posts", Integer, nullable=False),
)
"""How many posts of a week had which score, without their texts and without anybody's id."""
