"""The revision of the schema, and what holds its tables."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    MetaData,
)

SCHEMA_REVISION: Final = "0017"
"""The newest migration. A store opens only a database that stands there."""


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
