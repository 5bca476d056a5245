"""Names have generations, and hiding somebody goes with one of them (decisions 0130 and 0131).

Everybody's first generation is 0, also for everything written before. People who were hidden are hidden under that
name.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_OF_PEOPLE = ("member", "other", "room", "name")


def upgrade() -> None:
    """Add the generations, and create the table of mutes anew with them in its key."""
    for table in ("members", "log"):
        op.add_column(table, sa.Column("generation", sa.Integer(), nullable=False, server_default="0"))
    # SQLite cannot change a key, and PostgreSQL cannot use a constraint's name twice.
    op.execute("CREATE TABLE mutes_before AS SELECT member, other FROM mutes")
    op.drop_table("mutes")
    op.create_table(
        "mutes",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("other", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("own_generation", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name="fk_mutes_member"),
        sa.PrimaryKeyConstraint("member", "other", "generation", "room", name="pk_mutes"),
    )
    op.create_index("ix_mutes_other", "mutes", ["other"], unique=False)
    op.execute(
        "INSERT INTO mutes (member, other, generation, room, name, own_generation) "
        "SELECT b.member, b.other, 0, '', coalesce(m.name, ''), 0 FROM mutes_before b "
        "LEFT JOIN members m ON m.id = b.other"
    )
    op.drop_table("mutes_before")
    if op.get_bind().dialect.name == "postgresql":
        # ANALYZE copies samples of a column into the catalog, where no erasure would find them.
        op.execute("ALTER TABLE mutes " + ", ".join(f'ALTER COLUMN "{name}" SET STATISTICS 0' for name in _OF_PEOPLE))
