"""Adds meetings, the people in them, and the groups that hold them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_OF_PEOPLE = {
    "meetings": ("id", "group_id", "body"),
    "meeting_people": ("meeting", "member", "body"),
    "meeting_groups": ("id", "owner", "body"),
}
"""Columns of which the planner must keep no samples: they tell of people, and no erasure would find them there."""


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "meetings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=True),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("stood", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_meetings"),
    )
    op.create_index("ix_meetings_group_id", "meetings", ["group_id"], unique=False)
    op.create_index("ix_meetings_due_at", "meetings", ["due_at"], unique=False)
    op.create_table(
        "meeting_people",
        sa.Column("meeting", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("is_here", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("meeting", "member", name="pk_meeting_people"),
    )
    op.create_index("ix_meeting_people_member", "meeting_people", ["member"], unique=False)
    op.create_table(
        "meeting_groups",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_meeting_groups"),
    )
    op.create_index("ix_meeting_groups_owner", "meeting_groups", ["owner"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        for table, names in _OF_PEOPLE.items():
            op.execute(f"ALTER TABLE {table} " + ", ".join(f"ALTER COLUMN {each} SET STATISTICS 0" for each in names))
