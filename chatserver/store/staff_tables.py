"""What is kept of staff accounts. Pure, like `tables`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
)

from chatserver.store.core.schema import metadata

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
