"""Adds what meetings are counted by: their form, their stage, and when they are planned to end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0026"
branch_labels = None
depends_on = None

_LONG = 2 * 60 * 60_000


def upgrade() -> None:
    """Add the columns. Of the meetings that exist, each is counted from its next change on, and taken to end in two
    hours."""
    with op.batch_alter_table("meetings") as table:
        table.add_column(sa.Column("form", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("stage", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("ends_at", sa.BigInteger()))
    meetings = sa.table("meetings", sa.column("starts_at", sa.BigInteger), sa.column("ends_at", sa.BigInteger))
    op.execute(sa.update(meetings).values(ends_at=meetings.c.starts_at + _LONG))
    with op.batch_alter_table("meetings") as table:
        table.alter_column("form", server_default=None)
        table.alter_column("stage", server_default=None)
        table.create_index("ix_meetings_ends_at", ["ends_at"])
