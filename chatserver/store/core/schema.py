"""The revision of the schema, and the metadata that holds its tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from sqlalchemy import MetaData

_MIGRATIONS: Final = Path(__file__).parent.parent / "migrations" / "versions"
_FOLLOWS: Final = re.compile(r'^down_revision = "(\d{4})"$', re.MULTILINE)


def _newest() -> str:
    """Return the migration that no other follows. Their numbers need not rise along the chain: two may be written at
    the same time, and join it in the other order."""
    files = [*_MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.py")]
    followed = {each for path in files for each in _FOLLOWS.findall(path.read_text(encoding="utf-8"))}
    (newest,) = {path.name[:4] for path in files} - followed
    return newest


SCHEMA_REVISION: Final = _newest()
"""The newest migration. A store opens only a database at this revision."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
