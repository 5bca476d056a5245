"""Rooms, their logs, and members."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("first_offset", sa.BigInteger(), nullable=False),
        sa.Column("last_offset", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", name="pk_channels"),
    )
    op.create_table(
        "log",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("command_id", sa.String(), nullable=True),
        sa.Column("part", sa.SmallInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("warning", sa.Text(), nullable=True),
        sa.Column("reply_to", sa.BigInteger(), nullable=True),
        sa.Column("edited_at", sa.BigInteger(), nullable=True),
        sa.Column("redacted", sa.Boolean(), nullable=False),
        sa.Column("reactions", sa.Text(), nullable=True),
        sa.Column("target", sa.BigInteger(), nullable=True),
        sa.Column("reaction", sa.String(), nullable=True),
        sa.Column("is_on", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("channel", "offset", name="pk_log"),
        sa.UniqueConstraint("author", "command_id", "part", name="uq_log_author_command_id_part"),
    )
    op.create_index(
        "ix_log_channel_target",
        "log",
        ["channel", "target"],
        unique=False,
        sqlite_where=sa.text("target IS NOT NULL"),
        postgresql_where=sa.text("target IS NOT NULL"),
    )
    op.create_table(
        "members",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_members"),
        sa.UniqueConstraint("code_hash", name="uq_members_code_hash"),
        sa.UniqueConstraint("name_key", name="uq_members_name_key"),
    )
    op.create_index("ix_members_seen_at", "members", ["seen_at"], unique=False)
    op.create_table(
        "reactions",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("reaction", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "offset", "member", "reaction", name="pk_reactions"),
    )
    op.create_index("ix_reactions_member", "reactions", ["member"], unique=False)
    op.create_table(
        "upkeep",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("vacuumed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_upkeep"),
    )
    op.create_table(
        "mutes",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("other", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name="fk_mutes_member"),
        sa.PrimaryKeyConstraint("member", "other", name="pk_mutes"),
    )
    op.create_index("ix_mutes_other", "mutes", ["other"], unique=False)
    op.create_table(
        "rooms",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("welcome", sa.Text(), nullable=False),
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("agreement_version", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("slow_mode", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["channel"], ["channels.channel"], name="fk_rooms_channel"),
        sa.PrimaryKeyConstraint("id", name="pk_rooms"),
        sa.UniqueConstraint("channel", name="uq_rooms_channel"),
    )
    op.create_table(
        "memberships",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("agreement_version", sa.Integer(), nullable=False),
        sa.Column("read", sa.BigInteger(), nullable=False),
        sa.Column("last_post_at", sa.BigInteger(), nullable=False),
        sa.Column("joined", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name="fk_memberships_member"),
        sa.ForeignKeyConstraint(["room"], ["rooms.id"], name="fk_memberships_room"),
        sa.PrimaryKeyConstraint("member", "room", name="pk_memberships"),
    )
    op.bulk_insert(
        sa.table(
            "upkeep",
            sa.column("id", sa.Integer()),
            sa.column("beat", sa.BigInteger()),
            sa.column("vacuumed_at", sa.BigInteger()),
        ),
        [{"id": 1, "beat": 0, "vacuumed_at": 0}],
    )
