"""Moderation: reports become a queue, measures, and the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_HOUR = 3_600_000
_OF_PEOPLE = {
    "reports": ("offset", "claimed_by", "outcome", "reply"),
    "debriefs": ("read_by",),
    "report_notes": ("id", "report", "by", "note"),
    "measures": ("id", "by", "about", "kind", "room", "offset", "reason", "report", "appeal"),
    "barred": ("measure", "address_key"),
    "audit": ("by", "action", "about", "subject", "reason", "hash"),
    "moderation": ("hash",),
}


def upgrade() -> None:
    op.execute("ALTER TABLE reports RENAME COLUMN session TO room")
    for column in (
        sa.Column("offset", sa.BigInteger()),
        sa.Column("due_at", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("claimed_by", sa.String()),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("outcome", sa.String()),
        sa.Column("reply", sa.Text()),
        sa.Column("is_seen", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("version", sa.BigInteger(), nullable=False, server_default="0"),
    ):
        op.add_column("reports", column)
    op.create_index("ix_reports_status", "reports", ["status"], unique=False)
    op.create_index("ix_reports_version", "reports", ["version"], unique=False)
    reports = sa.table("reports", sa.column("at", sa.BigInteger()), sa.column("due_at", sa.BigInteger()))
    op.execute(reports.update().values(due_at=reports.c.at + _HOUR))
    op.add_column("debriefs", sa.Column("read_by", sa.String()))
    op.add_column("debriefs", sa.Column("read_at", sa.BigInteger()))
    _add_measures()
    _add_audit()
    if op.get_bind().dialect.name == "postgresql":
        _keep_no_samples()


def _add_measures() -> None:
    op.create_table(
        "report_notes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("report", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name="fk_report_notes_report"),
        sa.PrimaryKeyConstraint("id", name="pk_report_notes"),
    )
    op.create_index("ix_report_notes_report", "report_notes", ["report"], unique=False)
    op.create_table(
        "measures",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("room", sa.String(), nullable=True),
        sa.Column("offset", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("report", sa.String(), nullable=True),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.Column("appeal", sa.Text(), nullable=True),
        sa.Column("appealed_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_measures"),
    )
    for name in ("about", "expires_at", "version"):
        op.create_index(f"ix_measures_{name}", "measures", [name], unique=False)
    op.create_table(
        "barred",
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("address_key", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("measure", "address_key", name="pk_barred"),
    )
    op.create_index("ix_barred_address_key", "barred", ["address_key"], unique=False)


def _add_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{event.lower()} BEFORE {event} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
        )
    op.create_table(
        "moderation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_moderation"),
    )
    op.bulk_insert(
        sa.table(
            "moderation",
            sa.column("id", sa.Integer()),
            sa.column("version", sa.BigInteger()),
            sa.column("seq", sa.BigInteger()),
            sa.column("hash", sa.LargeBinary()),
        ),
        [{"id": 1, "version": 0, "seq": 0, "hash": bytes(32)}],
    )


def _keep_no_samples() -> None:
    """As in 0002: ANALYZE would copy samples of them into the catalog, where no erasure would find them."""
    for table, names in _OF_PEOPLE.items():
        none = ", ".join(f'ALTER COLUMN "{name}" SET STATISTICS 0' for name in names)
        op.execute(f"ALTER TABLE {table} {none}")
