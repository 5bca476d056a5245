"""The tables: the single definition of the schema, for both dialects.

Pure. Times are milliseconds since 1970 (`Millis`); offsets count from 1 in each channel. The text of a post is only in
its own `posted` row in `log`. Rows of later events refer to that row (`target`) and are built from it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    column,
    false,
)

from chatserver.store.core.schema import metadata

channels = Table(
    "channels",
    metadata,
    Column("channel", String, primary_key=True),
    Column("epoch", String, nullable=False),
    Column("first_offset", BigInteger, nullable=False),
    Column("last_offset", BigInteger, nullable=False),
    # The last publication's time, so that time in a channel never runs backwards, whichever worker's clock is ahead.
    Column("last_at", BigInteger, nullable=False),
)

rooms = Table(
    "rooms",
    metadata,
    Column("id", String, primary_key=True),
    Column("channel", String, ForeignKey("channels.channel"), nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("about", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("welcome", Text, nullable=False),
    Column("agreement", Text, nullable=False),
    Column("agreement_version", Integer, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("slow_mode", Integer, nullable=False),
    Column("status", String, nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", String, nullable=False, server_default="themed"),
    Column("needs_moderator", Boolean, nullable=False, server_default=false()),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("split_of", String),
    Column("split_at", Integer, nullable=False, server_default="0"),
    Column("attendance", String, nullable=False, server_default="attended"),
    # JSON. NULL if everybody may write.
    Column("voice", Text),
)

log = Table(
    "log",
    metadata,
    Column("channel", String, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("kind", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("author", String, nullable=False),
    # NULL if no command caused it (an erasure). A NULL digest matches any content, because the content is gone.
    Column("command_id", String),
    Column("part", SmallInteger, nullable=False),
    Column("digest", LargeBinary),
    # For a `posted` row: the post in its present state. `reactions` is JSON, NULL if there are none.
    Column("name", String),
    Column("text", Text),
    Column("warning", Text),
    Column("reply_to", BigInteger),
    Column("edited_at", BigInteger),
    Column("redacted", Boolean, nullable=False),
    Column("reactions", Text),
    # For every other row.
    Column("target", BigInteger),
    Column("reaction", String),
    Column("is_on", Boolean),
    # The generation of the author's name when they wrote this.
    Column("generation", Integer, nullable=False, server_default="0"),
    # For a `room_changed` row: the room's voice from then on, so that the log alone says who might write.
    Column("voice", Text),
    # One command may have several events; its parts count from 0.
    UniqueConstraint("author", "command_id", "part"),
    Index(
        "ix_log_channel_target",
        "channel",
        "target",
        sqlite_where=column("target").is_not(None),
        postgresql_where=column("target").is_not(None),
    ),
)

reactions = Table(
    "reactions",
    metadata,
    Column("channel", String, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("member", String, primary_key=True),
    Column("reaction", String, primary_key=True),
    Index(None, "member"),
)

members = Table(
    "members",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("name_key", String, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False, index=True),
    Column("code_hash", LargeBinary, unique=True),
    # Rises with each new name of the member.
    Column("generation", Integer, nullable=False, server_default="0"),
    # Rises when the member signs out everywhere else; tokens of earlier generations are invalid.
    Column("credentials", Integer, nullable=False, server_default="0"),
    # When it last rose.
    Column("credentials_at", BigInteger, index=True),
)

memberships = Table(
    "memberships",
    metadata,
    Column("member", String, ForeignKey("members.id"), primary_key=True),
    Column("room", String, ForeignKey("rooms.id"), primary_key=True),
    Column("agreement_version", Integer, nullable=False),
    Column("read", BigInteger, nullable=False),
    Column("last_post_at", BigInteger, nullable=False),
    Column("joined", Boolean, nullable=False),
    # Nothing is shown to the member of what has an offset up to this one.
    Column("from_offset", BigInteger, nullable=False, server_default="0"),
    Index(None, "room"),
)

mutes = Table(
    "mutes",
    metadata,
    Column("member", String, ForeignKey("members.id"), primary_key=True),
    # No foreign key: a person may be hidden whose posts still exist although they are no longer a member.
    Column("other", String, primary_key=True, index=True),
    # Under which of their names they are hidden.
    Column("generation", Integer, primary_key=True, autoincrement=False),
    # "" for everywhere. Otherwise the room in which they took that name, where they were hidden under the name before.
    Column("room", String, primary_key=True),
    # Their name then, and the generation of the hiding member's own name.
    Column("name", String, nullable=False),
    Column("own_generation", Integer, nullable=False),
)
"""Whom somebody hides (decision 0131)."""

upkeep = Table(
    "upkeep",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("beat", BigInteger, nullable=False),
    Column("vacuumed_at", BigInteger, nullable=False),
    # How many rooms were ever dropped, and how many of them before the file was last scrubbed.
    Column("dropped", BigInteger, nullable=False, server_default="0"),
    Column("scrubbed", BigInteger, nullable=False, server_default="0"),
    # How many erasures have requested a rewrite of the file, and how many of these the last rewrite answered.
    Column("asked", BigInteger, nullable=False, server_default="0"),
    Column("rewritten", BigInteger, nullable=False, server_default="0"),
)
"""One row, id 1: a counter for checks of writing, and when the file was last rewritten."""

# ------------------------------------------------------------------------------------------------ one-to-one

floor = Table(
    "floor",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)
"""One row, id 1. Transactions that change the listening state lock it, before any other lock."""

floor_records = Table(
    "floor_records",
    metadata,
    Column("kind", String, primary_key=True),
    Column("id", String, primary_key=True),
    # Newer than in `body`. NULL for a session.
    Column("seen_at", BigInteger),
    # The whole record, in MessagePack.
    Column("body", LargeBinary, nullable=False),
)

waits = Table(
    "waits",
    metadata,
    Column("asked_at", BigInteger, nullable=False),
    Column("met_at", BigInteger, nullable=False, index=True),
)

asks = Table(
    "asks",
    metadata,
    Column("asked_at", BigInteger, nullable=False, index=True),
    Column("ended_at", BigInteger, nullable=False),
    Column("outcome", String, nullable=False),
    # The session's length in milliseconds. NULL if they met nobody.
    Column("length", BigInteger),
)

shifts = Table(
    "shifts",
    metadata,
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False, index=True),
    Column("cap", Integer, nullable=False),
)

words = Table(
    "words",
    metadata,
    Column("words_hash", LargeBinary, primary_key=True),
    Column("listener", String, nullable=False, index=True),
    Column("expires_at", BigInteger, nullable=False),
)


debriefs = Table(
    "debriefs",
    metadata,
    Column("id", String, primary_key=True),
    Column("listener", String, nullable=False, index=True),
    Column("note", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("read_by", String),
    Column("read_at", BigInteger),
)

feedback = Table(
    "feedback",
    metadata,
    Column("heard", SmallInteger),
    Column("heavy_before", SmallInteger),
    Column("heavy_after", SmallInteger),
    Column("at", BigInteger, nullable=False),
)
"""Feedback, without a name or anything that leads to one."""

# ------------------------------------------------------------------------------------------------ staff


# --------------------------------------------------------------------------------------- tries of secrets

tries = Table(
    "tries",
    metadata,
    Column("kind", String, primary_key=True),
    # A keyed hash of an address, a login or a member; never the value itself.
    Column("key", LargeBinary, primary_key=True),
    # When nothing counts any more, and the row can be dropped.
    Column("full_at", BigInteger, nullable=False, index=True),
    Column("failures", Integer, nullable=False),
    Column("locked_until", BigInteger, nullable=False),
)

# ------------------------------------------------------------------------------------------------ moderation


member_sources = Table(
    "member_sources",
    metadata,
    Column("member", String, primary_key=True),
    # A keyed hash of a network, under a key that changes daily.
    Column("key", LargeBinary, primary_key=True, index=True),
    # 0 for the address itself, and larger for the networks around it.
    Column("width", SmallInteger, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)
"""Where members came from during the last day, so that a measure also applies to a member who is away."""

resting_names = Table(
    "resting_names",
    metadata,
    Column("name_key", String, primary_key=True),
    Column("member", String, primary_key=True, index=True),
    Column("until", BigInteger, nullable=False, index=True),
)
"""Names that somebody gave up, kept as long as what was written under them."""


# ------------------------------------------------------------------------------------------------ the house
