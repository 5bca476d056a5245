"""Adds what the model said of an escalation: its score, and whether it sounds urgent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("reports", sa.Column("score", sa.SmallInteger(), nullable=True))
    op.add_column("reports", sa.Column("is_pressing", sa.Boolean(), nullable=False, server_default=sa.false()))
