"""Nobody handles their own case: the people of each report and note, which reports are about staff, and from whom a
report was taken over.

Reports of the last release get their people here: whom they are about, who made them and, for one-to-one sessions, who
was in the session as far as that is still known (from the session while it is kept, and from the authors of what was
kept).
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conflicts",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "member", name="pk_conflicts"),
    )
    op.create_index("ix_conflicts_member", "conflicts", ["member"], unique=False)
    op.add_column("reports", sa.Column("is_about_staff", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("reports", sa.Column("taken_from", sa.String()))
    op.add_column("reports", sa.Column("taken_reason", sa.Text()))
    op.create_index("ix_reports_room", "reports", ["room"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        # As in 0002: ANALYZE would copy samples of them into the catalog, where no erasure would find them.
        op.execute("ALTER TABLE conflicts ALTER COLUMN subject SET STATISTICS 0, ALTER COLUMN member SET STATISTICS 0")
        op.execute(
            "ALTER TABLE reports ALTER COLUMN taken_from SET STATISTICS 0, ALTER COLUMN taken_reason SET STATISTICS 0"
        )
    _find_people()


def _find_people() -> None:
    bind = op.get_bind()
    staff = {row[0] for row in bind.execute(sa.text("SELECT member FROM staff WHERE revoked_at IS NULL"))}
    sessions: dict[str, Any] = {
        row[0]: msgspec.msgpack.decode(bytes(row[1]))
        for row in bind.execute(sa.text("SELECT id, body FROM floor_records WHERE kind = 'session'"))
    }
    found = bind.execute(sa.text('SELECT id, "by", about, room, snapshot FROM reports')).all()
    conflicts: list[dict[str, str]] = []
    about_staff: list[dict[str, str]] = []
    for id_, by, about, room, snapshot in found:
        people = {about, by}
        is_session = room.startswith("s-")
        session = sessions.get(room)
        if is_session:
            people |= {post["author"] for post in json.loads(snapshot)}
        if session is not None:
            people |= {session["seeker"], *session["listeners"], *session.get("left", {})}
        people -= {None, "m_service", "m_erased"}
        conflicts += [{"subject": id_, "member": who} for who in sorted(people)]
        # A seeker is not staff, and met only listeners.
        if about in staff or (is_session and by is not None and by not in staff):
            about_staff.append({"which": id_})
    for id_, listener in bind.execute(sa.text("SELECT id, listener FROM debriefs")).all():
        conflicts.append({"subject": id_, "member": listener})
    if conflicts:
        bind.execute(sa.text("INSERT INTO conflicts (subject, member) VALUES (:subject, :member)"), conflicts)
    if about_staff:
        bind.execute(sa.text("UPDATE reports SET is_about_staff = true WHERE id = :which"), about_staff)
