"""What is kept of how rooms are set up. Pure, like `tables`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    String,
    Table,
    Text,
)

from chatserver.store.core.schema import metadata

notices = Table(
    "notices",
    metadata,
    Column("id", String, primary_key=True),
    # NULL where it is for every room.
    Column("room", String),
    Column("text", Text, nullable=False),
    Column("by", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False, index=True),
    Column("withdrawn_at", BigInteger),
)


raids = Table(
    "raids",
    metadata,
    Column("id", String, primary_key=True),
    # NULL where it is for every room.
    Column("room", String),
    Column("by", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False, index=True),
    # Milliseconds for which a guest who is newer than the raid only reads.
    Column("quiet", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
)


settings = Table(
    "settings",
    metadata,
    Column("name", String, primary_key=True),
    # JSON.
    Column("value", Text, nullable=False),
)
"""What staff set at run time instead of what the configuration says."""


moves = Table(
    "moves",
    metadata,
    Column("member", String, primary_key=True),
    Column("room", String, primary_key=True),
    Column("to", String, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)
"""Where somebody's place is since a room was split, until their page has heard of it."""


coverages = Table(
    "duties",
    metadata,
    Column("room", String, primary_key=True),
    Column("since", BigInteger, nullable=False),
    # When a moderator was last known to be there, not which one.
    Column("attended_at", BigInteger, nullable=False),
)
"""Of open rooms that need a moderator. Apart from the room, whose row every post holds."""
