"""Anonymous timings of listening, for replaying the queue under another policy."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "asks",
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("length", sa.BigInteger()),
    )
    op.create_index("ix_asks_asked_at", "asks", ["asked_at"], unique=False)
    op.create_table(
        "shifts",
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=False),
    )
    op.create_index("ix_shifts_ended_at", "shifts", ["ended_at"], unique=False)
