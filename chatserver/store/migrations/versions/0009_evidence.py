"""Sealed copies of removed words, what erasures leave to cases, and requests for a rewrite."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sealed_copies",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "offset", "part", name="pk_sealed_copies"),
    )
    op.create_index("ix_sealed_copies_who", "sealed_copies", ["who"], unique=False)
    op.add_column("reports", sa.Column("sealed", sa.LargeBinary()))
    op.add_column("reports", sa.Column("erased_at", sa.BigInteger()))
    for name in ("asked", "rewritten"):
        op.add_column("upkeep", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    if op.get_bind().dialect.name == "postgresql":
        # As in 0002: ANALYZE would copy samples of them into the catalog, where nothing prunes them.
        op.execute("ALTER TABLE sealed_copies ALTER who SET STATISTICS 0, ALTER body SET STATISTICS 0")
        op.execute("ALTER TABLE reports ALTER sealed SET STATISTICS 0")
