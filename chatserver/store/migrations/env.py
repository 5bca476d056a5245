"""How Alembic reaches the database: over the connection that `drivers.migrate` opened, in its transaction."""

from __future__ import annotations

from alembic import context

from chatserver.store.all_tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite's definitions are transactional, too, which Alembic does not assume.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
