"""Accounts of staff: failed tries, known browsers, recovery codes, passkeys, resets, and waiting operators."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_OF_PEOPLE = {
    "staff": ("operator_by",),
    "staff_tries": ("member",),
    "staff_devices": ("device_hash", "member"),
    "staff_recovery": ("code_hash", "member"),
    "staff_passkeys": ("credential", "member", "name", "public_key", "place"),
    "staff_challenges": ("challenge", "purpose", "holder"),
    "resets": ("link_hash", "member"),
}


def upgrade() -> None:
    op.add_column("staff", sa.Column("operator_from", sa.BigInteger(), nullable=True))
    op.add_column("staff", sa.Column("operator_by", sa.String(), nullable=True))
    op.add_column("staff_sign_ins", sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("staff_sign_ins", sa.Column("tried_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "staff_tries",
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("unlogged", sa.Integer(), nullable=False),
        sa.Column("logged_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("member", name="pk_staff_tries"),
    )
    op.create_table(
        "staff_devices",
        sa.Column("device_hash", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["staff.member"], name="fk_staff_devices_member_staff"),
        sa.PrimaryKeyConstraint("device_hash", "member", name="pk_staff_devices"),
    )
    op.create_index("ix_staff_devices_expires_at", "staff_devices", ["expires_at"], unique=False)
    op.create_index("ix_staff_devices_member", "staff_devices", ["member"], unique=False)
    op.create_table(
        "staff_recovery",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["staff.member"], name="fk_staff_recovery_member_staff"),
        sa.PrimaryKeyConstraint("code_hash", name="pk_staff_recovery"),
    )
    op.create_index("ix_staff_recovery_member", "staff_recovery", ["member"], unique=False)
    op.create_table(
        "staff_passkeys",
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["member"], ["staff.member"], name="fk_staff_passkeys_member_staff"),
        sa.PrimaryKeyConstraint("credential", name="pk_staff_passkeys"),
    )
    op.create_index("ix_staff_passkeys_member", "staff_passkeys", ["member"], unique=False)
    op.create_table(
        "staff_challenges",
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("holder", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("challenge", name="pk_staff_challenges"),
    )
    op.create_index("ix_staff_challenges_expires_at", "staff_challenges", ["expires_at"], unique=False)
    op.create_table(
        "resets",
        sa.Column("link_hash", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["staff.member"], name="fk_resets_member_staff"),
        sa.PrimaryKeyConstraint("link_hash", name="pk_resets"),
    )
    op.create_index("ix_resets_member", "resets", ["member"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        _keep_no_samples()


def _keep_no_samples() -> None:
    """As in 0002: ANALYZE would copy samples of them into the catalog, where no erasure would find them."""
    for table, names in _OF_PEOPLE.items():
        none = ", ".join(f'ALTER COLUMN "{name}" SET STATISTICS 0' for name in names)
        op.execute(f"ALTER TABLE {table} {none}")
