"""Adds an index by which acts on accounts are found in the audit log, however much else was entered since."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_audit_action", "audit", ["action", "seq"], unique=False)
