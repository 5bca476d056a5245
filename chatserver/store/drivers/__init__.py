"""The databases: SQLite and PostgreSQL, their connections, and the migration of their schemas."""
