"""The tables of staff accounts. Pure, like `tables`."""

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
    # The name that others see is the member's.
    Column("member", String, ForeignKey("members.id"), primary_key=True),
    Column("login", String, nullable=False),
    Column("login_key", String, nullable=False, unique=True),
    Column("password_hash", String, nullable=False),
    Column("totp_secret", String),
    Column("totp_step", BigInteger, nullable=False),
    # Sorted, separated by spaces.
    Column("roles", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    # When the operator role begins to count, and who gave it; NULL if it counted at once.
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
    # How many tries failed between the sign-in before and this one, and when the last of them was.
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("tried_at", BigInteger),
)


staff_tries = Table(
    "staff_tries",
    metadata,
    # Empty for all logins that do not exist, together.
    Column("member", String, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("unlogged", Integer, nullable=False),
    Column("logged_at", BigInteger, nullable=False),
)
"""Failed tries of passwords and codes, counted (`domain/people/account_acts.py`)."""


staff_devices = Table(
    "staff_devices",
    metadata,
    # The hash of the cookie of a browser in which somebody has signed in.
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
    # The only host at which it can be used.
    Column("place", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)


staff_challenges = Table(
    "staff_challenges",
    metadata,
    Column("challenge", LargeBinary, primary_key=True),
    Column("purpose", String, nullable=False),
    # The hash of the cookie of the browser that asked.
    Column("holder", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)
"""Random challenges for passkeys, each for one use, one purpose, and the browser that asked."""


resets = Table(
    "resets",
    metadata,
    Column("link_hash", LargeBinary, primary_key=True),
    Column("member", String, ForeignKey("staff.member"), nullable=False, index=True),
    Column("expires_at", BigInteger, nullable=False),
)
"""Links that give an account a new password."""


invitations = Table(
    "invitations",
    metadata,
    Column("link_hash", LargeBinary, primary_key=True),
    Column("roles", String, nullable=False),
    # NULL for the first one, and after the person who made it was erased.
    Column("made_by", String),
    Column("expires_at", BigInteger, nullable=False),
)
