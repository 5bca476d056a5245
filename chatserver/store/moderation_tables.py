"""The tables of moderation. Pure, like `tables`."""

from __future__ import annotations

from typing import Final

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
    and_,
    column,
    false,
    literal_column,
)

from chatserver.store.core.schema import metadata

_waits_alone: Final = and_(
    column("status") != literal_column("'closed'"), column("card").is_(None), column("fold").is_(None)
)


_is_new: Final = column("address_key").is_not(None)


_rings: Final = column("rings_at").is_not(None)

reports = Table(
    "reports",
    metadata,
    Column("id", String, primary_key=True),
    Column("at", BigInteger, nullable=False),
    # NULL once the reporter was erased.
    Column("by", String, index=True),
    Column("about", String),
    # A themed room, or the closed room of a session.
    Column("room", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("is_call", Boolean, nullable=False),
    # The last posts as they stood: JSON.
    Column("snapshot", Text, nullable=False),
    Column("status", String, nullable=False, index=True),
    # The reported post; NULL if the report is about none.
    Column("offset", BigInteger),
    Column("due_at", BigInteger, nullable=False, server_default="0"),
    Column("claimed_by", String),
    Column("closed_at", BigInteger),
    Column("outcome", String),
    Column("reply", Text),
    # Whether the reporter has seen that it is closed.
    Column("is_seen", Boolean, nullable=False, server_default=false()),
    # The version of `moderation` at its last change.
    Column("version", BigInteger, nullable=False, server_default="0", index=True),
    # The level of an escalation, 2 or 3; NULL if a person reported.
    Column("level", Integer),
    # Encrypted: earlier versions of posts, and words of erased people that the case keeps (`store/evidence.py`).
    Column("sealed", LargeBinary),
    # When the last of those people was erased, or reported after the erasure; NULL if nobody was.
    Column("erased_at", BigInteger),
    # About staff: only operators see it, and two of them close it.
    Column("is_about_staff", Boolean, nullable=False, server_default=false()),
    # Who had claimed it when it was taken over, and the reason for that.
    Column("taken_from", String),
    Column("taken_reason", Text),
    Index(None, "room"),
    # Its place in the queue (`domain/moderation/report_queue.py`).
    Column("band", SmallInteger, nullable=False, server_default="10"),
    # Whether the reporter, or the author of the words that raised it, was new here at that moment.
    Column("is_new", Boolean, nullable=False, server_default=false()),
    # A keyed hash of the address that it came from. The key changes daily; NULL after that day.
    Column("address_key", LargeBinary),
    # The report that holds it: a card of the same person's words, or a flood.
    Column("card", String, index=True),
    Column("fold", String, index=True),
    # The kind of flood, if this report holds one.
    Column("folds", String),
    Column("newest_at", BigInteger),
    # When it last began to ring. NULL if it does not ring, or somebody has taken it.
    Column("rings_at", BigInteger),
    # The model's score in hundredths; NULL if a list or a person raised it.
    Column("score", SmallInteger),
    # Whether the model takes it for urgent: then it is due earlier within its level.
    Column("is_pressing", Boolean, nullable=False, server_default=false()),
    Index("ix_reports_about", "about", "at"),
    Index(
        "ix_reports_queue",
        "band",
        "due_at",
        "id",
        sqlite_where=_waits_alone,
        postgresql_where=_waits_alone,
    ),
    Index("ix_reports_new", "at", sqlite_where=_is_new, postgresql_where=_is_new),
    Index("ix_reports_rings", "rings_at", sqlite_where=_rings, postgresql_where=_rings),
)


conflicts = Table(
    "conflicts",
    metadata,
    # A report's id, or a debrief note's.
    Column("subject", String, primary_key=True),
    Column("member", String, primary_key=True, index=True),
)
"""Members whose own case a report or a note is: they neither see nor handle it. Kept apart from the session, which is
forgotten much earlier."""


sealed_copies = Table(
    "sealed_copies",
    metadata,
    Column("channel", String, primary_key=True),
    # The post, and the event that removed the words from it.
    Column("offset", BigInteger, primary_key=True),
    Column("part", BigInteger, primary_key=True),
    # A keyed hash of the author's id (`store/core/sealing.py`).
    Column("who", String, nullable=False, index=True),
    # Encrypted: the post as it was before.
    Column("body", LargeBinary, nullable=False),
)
"""Words that were edited, removed or erased, kept as long as the post would have been."""


moderation = Table(
    "moderation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    # The number of the newest entry of `audit`.
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
"""One row, id 1. Transactions that change anything in moderation lock it, and take no lock after it."""


report_notes = Table(
    "report_notes",
    metadata,
    Column("id", String, primary_key=True),
    Column("report", String, ForeignKey("reports.id"), nullable=False, index=True),
    Column("by", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)


measures = Table(
    "measures",
    metadata,
    Column("id", String, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", String, nullable=False),
    Column("about", String, nullable=False, index=True),
    Column("kind", String, nullable=False),
    # NULL if it applies everywhere.
    Column("room", String),
    Column("offset", BigInteger),
    Column("reason", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("report", String),
    Column("lifted_at", BigInteger),
    Column("appeal", Text),
    Column("appealed_at", BigInteger),
    Column("seen_at", BigInteger),
    Column("version", BigInteger, nullable=False, index=True),
)


barred = Table(
    "barred",
    metadata,
    Column("measure", String, primary_key=True),
    # A keyed hash of an address, under a key that changes daily.
    Column("address_key", LargeBinary, primary_key=True, index=True),
    Column("expires_at", BigInteger, nullable=False),
    # NULL if it applies in every room.
    Column("room", String),
    # When the measure was taken. People who were members before that are no newcomers.
    Column("at", BigInteger, nullable=False, server_default="0"),
)
"""Networks where newcomers are restricted, because somebody under a measure came from there within a day."""


audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String, nullable=False),
    Column("action", String, nullable=False),
    # Members' ids, with a space between two.
    Column("about", Text, nullable=False),
    Column("subject", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    # For finding acts on accounts among any number of other entries.
    Index("ix_audit_action", "action", "seq"),
)
"""Append-only: a trigger refuses anything else. `domain/moderation/audit_log.py` says how an entry is sealed."""
