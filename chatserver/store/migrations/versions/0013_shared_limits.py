"""Adds the table of counted tries, so that limits that guard secrets hold over all workers and restarts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tries",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("full_at", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_tries"),
    )
    op.create_index("ix_tries_full_at", "tries", ["full_at"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        # The row with a keyed hash of an address is dropped later; no sample of it may stay in the catalog.
        op.execute("ALTER TABLE tries ALTER COLUMN key SET STATISTICS 0")
