"""What is kept, and how the database holds it: the single definition of the schema, for both dialects.

Pure. Times are milliseconds since 1970 (`Millis`), offsets count from 1 in each channel. The text of a post stands in
one place only: its own `posted` row in `log`. Rows of later events name that row (`target`) and are rendered from it.
"""

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
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    column,
    false,
    literal_column,
)

SCHEMA_REVISION: Final = "0017"
"""The newest migration. A store opens only a database that stands there."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

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
)

log = Table(
    "log",
    metadata,
    Column("channel", String, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("kind", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("author", String, nullable=False),
    # NULL where no command caused it (an erasure). A NULL digest stands for any content: the content is gone.
    Column("command_id", String),
    Column("part", SmallInteger, nullable=False),
    Column("digest", LargeBinary),
    # Of a `posted` row: the post as it stands now. `reactions` is JSON, NULL where there are none.
    Column("name", String),
    Column("text", Text),
    Column("warning", Text),
    Column("reply_to", BigInteger),
    Column("edited_at", BigInteger),
    Column("redacted", Boolean, nullable=False),
    Column("reactions", Text),
    # Of every other row.
    Column("target", BigInteger),
    Column("reaction", String),
    Column("is_on", Boolean),
    # Of the author's name, when they wrote this.
    Column("generation", Integer, nullable=False, server_default="0"),
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
    # Rises with each new name.
    Column("generation", Integer, nullable=False, server_default="0"),
    # Rises when somebody signs out everywhere else; a token of an earlier generation is good for nothing.
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
    Index(None, "room"),
)

mutes = Table(
    "mutes",
    metadata,
    Column("member", String, ForeignKey("members.id"), primary_key=True),
    # No foreign key: somebody may be muted whose posts are still there and who is not.
    Column("other", String, primary_key=True, index=True),
    # Under which of their names they are hidden.
    Column("generation", Integer, primary_key=True, autoincrement=False),
    # "" for everywhere. Otherwise the room in which they took that name, hidden there under the one before.
    Column("room", String, primary_key=True),
    # What they were called, and which of their own names whoever hides them had then.
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
    # How many rooms were dropped ever, and how many of them when the file was last scrubbed of what was removed.
    Column("dropped", BigInteger, nullable=False, server_default="0"),
    Column("scrubbed", BigInteger, nullable=False, server_default="0"),
    # How often somebody's erasure asked for the file to be rewritten, and how many of these the last rewrite answered.
    Column("asked", BigInteger, nullable=False, server_default="0"),
    Column("rewritten", BigInteger, nullable=False, server_default="0"),
)
"""One row, id 1: a counter that proves writing, and when the file was last rewritten."""

# ------------------------------------------------------------------------------------------------ one-to-one

floor = Table(
    "floor",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)
"""One row, id 1. Whoever changes the floor holds its lock; it is the first lock that anybody takes."""

floor_records = Table(
    "floor_records",
    metadata,
    Column("kind", String, primary_key=True),
    Column("id", String, primary_key=True),
    # Newer than what `body` says. NULL for a session.
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
    # Milliseconds. NULL where they met nobody.
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
"""Without anybody's name, and without anything that leads to one."""

# ------------------------------------------------------------------------------------------------ staff

staff = Table(
    "staff",
    metadata,
    # What others see of them, their name, is the member's.
    Column("member", String, ForeignKey("members.id"), primary_key=True),
    Column("login", String, nullable=False),
    Column("login_key", String, nullable=False, unique=True),
    Column("password_hash", String, nullable=False),
    Column("totp_secret", String),
    Column("totp_step", BigInteger, nullable=False),
    # Sorted, with a space between two.
    Column("roles", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    # When the operator's role begins to count, and who gave it; NULL where it counted at once.
    Column("operator_from", BigInteger),
    Column("operator_by", String),
)

staff_sign_ins = Table(
    "staff_sign_ins",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("member", String, ForeignKey("staff.member"), nullable=False, index=True),
    Column("confirmed_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    # How many tries failed before this sign-in and since the one before it, and when the last of them was.
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("tried_at", BigInteger),
)

staff_tries = Table(
    "staff_tries",
    metadata,
    # Empty for all logins together that nobody has.
    Column("member", String, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("unlogged", Integer, nullable=False),
    Column("logged_at", BigInteger, nullable=False),
)
"""Failed tries of passwords and codes, folded (`domain/people/account_acts.py`)."""

staff_devices = Table(
    "staff_devices",
    metadata,
    # Browsers where somebody signed in before, by the hash of their cookie.
    Column("device_hash", LargeBinary, primary_key=True),
    Column("member", String, ForeignKey("staff.member"), primary_key=True, index=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

staff_recovery = Table(
    "staff_recovery",
    metadata,
    Column("code_hash", LargeBinary, primary_key=True),
    Column("member", String, ForeignKey("staff.member"), nullable=False, index=True),
)

staff_passkeys = Table(
    "staff_passkeys",
    metadata,
    Column("credential", LargeBinary, primary_key=True),
    Column("member", String, ForeignKey("staff.member"), nullable=False, index=True),
    Column("name", String, nullable=False),
    # COSE, as the browser gave it.
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    # The host that it was made for, and is good for alone.
    Column("place", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

staff_challenges = Table(
    "staff_challenges",
    metadata,
    Column("challenge", LargeBinary, primary_key=True),
    Column("purpose", String, nullable=False),
    # The hash of what the browser that asked holds in a cookie.
    Column("holder", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)
"""Random questions that passkeys have to answer: each once, for one purpose, by the browser that asked."""

resets = Table(
    "resets",
    metadata,
    Column("link_hash", LargeBinary, primary_key=True),
    Column("member", String, ForeignKey("staff.member"), nullable=False, index=True),
    Column("expires_at", BigInteger, nullable=False),
)
"""Links that give an account back to its owner, with a new password."""

invitations = Table(
    "invitations",
    metadata,
    Column("link_hash", LargeBinary, primary_key=True),
    Column("roles", String, nullable=False),
    # NULL for the first one of all, and once who made it was erased.
    Column("made_by", String),
    Column("expires_at", BigInteger, nullable=False),
)

# --------------------------------------------------------------------------------------- tries of secrets

tries = Table(
    "tries",
    metadata,
    Column("kind", String, primary_key=True),
    # A keyed hash of an address, a login or a member: never one of them in clear.
    Column("key", LargeBinary, primary_key=True),
    # When nothing of what was counted counts any more, and the row can go.
    Column("full_at", BigInteger, nullable=False, index=True),
    Column("failures", Integer, nullable=False),
    Column("locked_until", BigInteger, nullable=False),
)

# ------------------------------------------------------------------------------------------------ moderation

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

member_sources = Table(
    "member_sources",
    metadata,
    Column("member", String, primary_key=True),
    # A keyed hash of a network, under a key that is another tomorrow.
    Column("key", LargeBinary, primary_key=True, index=True),
    # 0 for the address itself, more for the networks around it.
    Column("width", SmallInteger, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)
"""Where members came from during the last day, so that a measure also holds for somebody who is away."""

resting_names = Table(
    "resting_names",
    metadata,
    Column("name_key", String, primary_key=True),
    Column("member", String, primary_key=True, index=True),
    Column("until", BigInteger, nullable=False, index=True),
)
"""Names that somebody gave up, for as long as what they wrote under them stands."""

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

# ------------------------------------------------------------------------------------------------ the house

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
