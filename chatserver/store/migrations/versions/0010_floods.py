"""The queue of reports gets an order that is kept, cards for one person, and folds for floods."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_OF_PEOPLE = ("address_key", "card", "fold", "folds")
_WAITS_ALONE = "status != 'closed' AND card IS NULL AND fold IS NULL"


def upgrade() -> None:
    for column in (
        sa.Column("band", sa.SmallInteger(), nullable=False, server_default="10"),
        sa.Column("is_new", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("address_key", sa.LargeBinary()),
        sa.Column("card", sa.String()),
        sa.Column("fold", sa.String()),
        sa.Column("folds", sa.String()),
        sa.Column("newest_at", sa.BigInteger()),
        sa.Column("rings_at", sa.BigInteger()),
    ):
        op.add_column("reports", column)
    op.execute(
        "UPDATE reports SET band = CASE WHEN is_call OR level >= 3 OR (level IS NULL AND reason = 'danger') THEN 0 "
        "WHEN level IS NULL THEN 10 ELSE 20 END"
    )
    op.create_index("ix_reports_card", "reports", ["card"], unique=False)
    op.create_index("ix_reports_fold", "reports", ["fold"], unique=False)
    op.create_index("ix_reports_about", "reports", ["about", "at"], unique=False)
    for name, columns, where in (
        ("ix_reports_queue", ["band", "due_at", "id"], _WAITS_ALONE),
        ("ix_reports_new", ["at"], "address_key IS NOT NULL"),
        ("ix_reports_rings", ["rings_at"], "rings_at IS NOT NULL"),
    ):
        op.create_index(
            name, "reports", columns, unique=False, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )
    if op.get_bind().dialect.name == "postgresql":
        for column_ in _OF_PEOPLE:
            op.execute(f'ALTER TABLE reports ALTER COLUMN "{column_}" SET STATISTICS 0')
