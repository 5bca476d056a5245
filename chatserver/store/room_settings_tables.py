"""The tables of room settings. Pure, like `tables`."""

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
    # NULL if it is for every room.
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
    # NULL if it is for every room.
    Column("room", String),
    Column("by", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False, index=True),
    # Milliseconds for which guests who are newer than the raid may only read.
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
"""What staff set at run time in place of the configuration."""


moves = Table(
    "moves",
    metadata,
    Column("member", String, primary_key=True),
    Column("room", String, primary_key=True),
    Column("to", String, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)
"""The room to which a split has led a member, until their client has confirmed it."""


coverages = Table(
    "duties",
    metadata,
    Column("room", String, primary_key=True),
    Column("since", BigInteger, nullable=False),
    # When any moderator was last known to be there.
    Column("attended_at", BigInteger, nullable=False),
)
"""Coverage of open rooms that need a moderator. Kept apart from `rooms`, whose row every post locks."""
