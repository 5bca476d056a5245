"""Adds who may write in a room at present, to rooms and to the log, and from where on a member is shown a room."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. Everybody may write in the rooms that exist, and is shown all of them."""
    op.add_column("rooms", sa.Column("voice", sa.Text()))
    op.add_column("log", sa.Column("voice", sa.Text()))
    op.add_column("memberships", sa.Column("from_offset", sa.BigInteger(), nullable=False, server_default="0"))
    if op.get_bind().dialect.name == "postgresql":
        # It names members; the planner must keep no samples of it.
        op.execute("ALTER TABLE rooms ALTER COLUMN voice SET STATISTICS 0")
        op.execute("ALTER TABLE log ALTER COLUMN voice SET STATISTICS 0")
