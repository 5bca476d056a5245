"""Rooms that need a moderator: their attendance, and when a moderator was last there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rooms", sa.Column("attendance", sa.String(), nullable=False, server_default="attended"))
    op.create_table(
        "duties",
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("attended_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("room", name="pk_duties"),
    )
