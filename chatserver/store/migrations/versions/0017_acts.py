"""Adds an index for finding acts on accounts in the audit log among any number of other entries."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_audit_action", "audit", ["action", "seq"], unique=False)
