"""Adds generations of credentials, where members came from recently, measures that apply to newcomers, resting names.

Everybody's first generation of credentials is 0, so that tokens of the last release stay valid (decision 0134). An
address that was barred stays barred until its time is over; newcomers from there are treated by the new rules (0135).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and tables, and keep samples of personal data out of PostgreSQL's catalog."""
    op.add_column("members", sa.Column("credentials", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("members", sa.Column("credentials_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_members_credentials_at", "members", ["credentials_at"], unique=False)
    op.add_column("barred", sa.Column("room", sa.String(), nullable=True))
    op.add_column("barred", sa.Column("at", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE barred SET at = coalesce((SELECT m.at FROM measures m WHERE m.id = barred.measure), 0)")
    op.create_table(
        "member_sources",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("member", "key", name="pk_member_sources"),
    )
    op.create_index("ix_member_sources_key", "member_sources", ["key"], unique=False)
    op.create_index("ix_member_sources_at", "member_sources", ["at"], unique=False)
    op.create_table(
        "resting_names",
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name_key", "member", name="pk_resting_names"),
    )
    op.create_index("ix_resting_names_member", "resting_names", ["member"], unique=False)
    op.create_index("ix_resting_names_until", "resting_names", ["until"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        # ANALYZE copies samples of a column into the catalog, where no erasure would find them.
        op.execute("ALTER TABLE member_sources ALTER member SET STATISTICS 0, ALTER key SET STATISTICS 0")
        op.execute("ALTER TABLE resting_names ALTER name_key SET STATISTICS 0, ALTER member SET STATISTICS 0")
        op.execute("ALTER TABLE barred ALTER room SET STATISTICS 0")
