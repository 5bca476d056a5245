"""The revision of the schema, and the metadata that holds its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import MetaData

_MIGRATIONS: Final = Path(__file__).parent.parent / "migrations" / "versions"
SCHEMA_REVISION: Final = max(path.name[:4] for path in _MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.py"))
"""The newest migration. A store opens only a database at this revision."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
