"""Adds how many posts of a week had which score of the model."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "score_counts",
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("week", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("posts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("model", "week", "place", "step", name="pk_score_counts"),
    )
