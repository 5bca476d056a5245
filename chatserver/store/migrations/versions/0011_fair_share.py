"""The rooms that a server was created with are split by themselves when nine in ten of their seats are taken.

Only rooms that no operator has ever changed (revision 0): operators who chose `split_at` 0 keep it. How much listening
members and networks had needs no table: it is a record of the listening state, of kind `share`.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE rooms SET split_at = capacity - capacity / 10"
        " WHERE kind = 'themed' AND revision = 0 AND split_at = 0 AND split_of IS NULL AND capacity >= 10"
    )
