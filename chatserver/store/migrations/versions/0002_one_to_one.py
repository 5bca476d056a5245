"""One-to-one listening: its state, the rooms of its sessions, and staff."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OF_PEOPLE = {
    "log": ("author", "command_id", "digest", "name", "text", "warning"),
    "members": ("id", "name", "name_key", "code_hash"),
    "memberships": ("member",),
    "mutes": ("member", "other"),
    "reactions": ("member",),
    "floor_records": ("id", "body"),
    "words": ("words_hash", "listener"),
    "reports": ("id", "by", "about", "session", "reason", "note", "snapshot", "status"),
    "debriefs": ("id", "listener", "note"),
    "staff": ("member", "login", "login_key", "password_hash", "totp_secret", "roles"),
    "staff_sign_ins": ("token_hash", "member"),
    "invitations": ("link_hash", "roles", "made_by"),
}
"""Columns whose values belong to a person."""


def upgrade() -> None:
    op.add_column("rooms", sa.Column("kind", sa.String(), nullable=False, server_default="themed"))
    op.add_column("upkeep", sa.Column("dropped", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("upkeep", sa.Column("scrubbed", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("ix_memberships_room", "memberships", ["room"], unique=False)
    _add_floor()
    _add_what_it_leaves()
    _add_staff()
    if op.get_bind().dialect.name == "postgresql":
        _keep_no_samples()


def _add_floor() -> None:
    op.create_table(
        "floor",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_floor"),
    )
    op.create_table(
        "floor_records",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name="pk_floor_records"),
    )
    op.bulk_insert(
        sa.table("floor", sa.column("id", sa.Integer()), sa.column("version", sa.BigInteger())),
        [{"id": 1, "version": 0}],
    )


def _add_what_it_leaves() -> None:
    op.create_table(
        "waits",
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("met_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_waits_met_at", "waits", ["met_at"], unique=False)
    op.create_table(
        "words",
        sa.Column("words_hash", sa.LargeBinary(), nullable=False),
        sa.Column("listener", sa.String(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("words_hash", name="pk_words"),
    )
    op.create_index("ix_words_listener", "words", ["listener"], unique=False)
    op.create_table(
        "reports",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("about", sa.String(), nullable=True),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("is_call", sa.Boolean(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
    )
    op.create_index("ix_reports_by", "reports", ["by"], unique=False)
    op.create_table(
        "debriefs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("listener", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_debriefs"),
    )
    op.create_index("ix_debriefs_listener", "debriefs", ["listener"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("heard", sa.SmallInteger(), nullable=True),
        sa.Column("heavy_before", sa.SmallInteger(), nullable=True),
        sa.Column("heavy_after", sa.SmallInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )


def _add_staff() -> None:
    op.create_table(
        "staff",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("login_key", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("totp_secret", sa.String(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name="fk_staff_member"),
        sa.PrimaryKeyConstraint("member", name="pk_staff"),
        sa.UniqueConstraint("login_key", name="uq_staff_login_key"),
    )
    op.create_table(
        "staff_sign_ins",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["staff.member"], name="fk_staff_sign_ins_member"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_staff_sign_ins"),
    )
    op.create_index("ix_staff_sign_ins_member", "staff_sign_ins", ["member"], unique=False)
    op.create_table(
        "invitations",
        sa.Column("link_hash", sa.LargeBinary(), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("link_hash", name="pk_invitations"),
    )


def _keep_no_samples() -> None:
    """Keep ANALYZE from copying samples of these columns into the catalog, where no erasure would find them. Setting a
    column to the type that it has drops samples that were taken already, and rewrites nothing."""
    inspector, dialect = sa.inspect(op.get_bind()), op.get_bind().dialect
    for table, names in _OF_PEOPLE.items():
        kinds = {each["name"]: each["type"].compile(dialect) for each in inspector.get_columns(table)}
        quoted = {name: f'"{name}"' for name in names}
        types = ", ".join(f"ALTER COLUMN {quoted[name]} TYPE {kinds[name]}" for name in names)
        none = ", ".join(f"ALTER COLUMN {quoted[name]} SET STATISTICS 0" for name in names)
        op.execute(f"ALTER TABLE {table} {types}")
        op.execute(f"ALTER TABLE {table} {none}")
