"""What is kept of moderation. Pure, like `tables`."""

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
    # A themed room, or the closed one of a session.
    Column("room", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("is_call", Boolean, nullable=False),
    # The last posts as they stood: JSON.
    Column("snapshot", Text, nullable=False),
    Column("status", String, nullable=False, index=True),
    # The post that it is about, where it is about one.
    Column("offset", BigInteger),
    Column("due_at", BigInteger, nullable=False, server_default="0"),
    Column("claimed_by", String),
    Column("closed_at", BigInteger),
    Column("outcome", String),
    Column("reply", Text),
    # Whether the reporter has seen that it is closed.
    Column("is_seen", Boolean, nullable=False, server_default=false()),
    # Of `moderation`, when it last changed.
    Column("version", BigInteger, nullable=False, server_default="0", index=True),
    # Of an escalation, 2 or 3; NULL where a person reported.
    Column("level", Integer),
    # Encrypted: earlier versions of posts, and what people who are erased left to the case (`store/evidence.py`).
    Column("sealed", LargeBinary),
    # When the last of those was erased, or reported after it; NULL where nobody was.
    Column("erased_at", BigInteger),
    # Somebody who works here: operators only, and two of them close it.
    Column("is_about_staff", Boolean, nullable=False, server_default=false()),
    # From whom it was taken while they had it, and why.
    Column("taken_from", String),
    Column("taken_reason", Text),
    Index(None, "room"),
    # Where it stands in the queue: `domain/moderation/report_queue.py`.
    Column("band", SmallInteger, nullable=False, server_default="10"),
    # Whether who reported, or whose words raised it, was new here at that moment.
    Column("is_new", Boolean, nullable=False, server_default=false()),
    # A keyed hash of where that came from, under a key that is another tomorrow. NULL from the end of that day on.
    Column("address_key", LargeBinary),
    # The report that holds it: of the same person's words, or of the flood that it came in.
    Column("card", String, index=True),
    Column("fold", String, index=True),
    # Of a report that holds a flood: of what.
    Column("folds", String),
    Column("newest_at", BigInteger),
    # When it last became something to ring for. NULL where it does not ring, or somebody has taken it.
    Column("rings_at", BigInteger),
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
"""Whose own case a report or a note is: they neither see nor handle it. Kept apart from the session, which is forgotten
long before."""


sealed_copies = Table(
    "sealed_copies",
    metadata,
    Column("channel", String, primary_key=True),
    # The post, and the event that took the words out of it.
    Column("offset", BigInteger, primary_key=True),
    Column("part", BigInteger, primary_key=True),
    # A keyed hash of the author's id (`store/core/sealing.py`).
    Column("who", String, nullable=False, index=True),
    # Encrypted: the post as it stood before.
    Column("body", LargeBinary, nullable=False),
)
"""What was edited, taken back or erased, for as long as the post would have lived."""


moderation = Table(
    "moderation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    # The newest entry of `audit`.
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
"""One row, id 1. Whoever changes anything of moderation holds its lock; it is the last lock that anybody takes."""


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
    # NULL where it holds everywhere.
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
    # A keyed hash of an address, under a key that is another tomorrow.
    Column("address_key", LargeBinary, primary_key=True, index=True),
    Column("expires_at", BigInteger, nullable=False),
    # NULL where it holds in every room.
    Column("room", String),
    # When the measure was taken: whoever was a member before that is no newcomer.
    Column("at", BigInteger, nullable=False, server_default="0"),
)
"""Where newcomers are looked at twice, because somebody about whom the measure is came from there within a day."""


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
    # Acts on accounts are found among any number of others.
    Index("ix_audit_action", "action", "seq"),
)
"""Append-only: a trigger refuses everything else. `domain/moderation/audit_log.py` says how an entry is sealed."""
