"""The tables of meetings and of the groups that hold them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from chatserver.store.core.schema import metadata

meetings = Table(
    "meetings",
    metadata,
    Column("id", String, primary_key=True),
    Column("group_id", String, index=True),
    Column("starts_at", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    # When something of it is next due, by the wall's clock as it stands now. NULL for never.
    Column("due_at", BigInteger, index=True),
    # When anybody in it was last seen, and for how long its clock stood still. Newer than in `body`.
    Column("seen_at", BigInteger),
    Column("stood", BigInteger, nullable=False),
    # For counting. `ends_at` is when it is planned to end; NULL once it has ended.
    Column("form", String, nullable=False),
    Column("stage", String, nullable=False),
    Column("ends_at", BigInteger, index=True),
    # The meeting without its people, in MessagePack.
    Column("body", LargeBinary, nullable=False),
)

meeting_people = Table(
    "meeting_people",
    metadata,
    Column("meeting", String, primary_key=True),
    # No foreign keys: a member who is erased is taken out of each meeting first.
    Column("member", String, primary_key=True),
    Column("is_here", Boolean, nullable=False),
    # By the meeting's clock. Newer than in `body`.
    Column("seen_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(None, "member"),
)

meeting_groups = Table(
    "meeting_groups",
    metadata,
    Column("id", String, primary_key=True),
    Column("owner", String, nullable=False, index=True),
    Column("revision", Integer, nullable=False),
    # When it was ended; NULL while it goes on.
    Column("ended_at", BigInteger),
    # The group, in MessagePack.
    Column("body", LargeBinary, nullable=False),
)
