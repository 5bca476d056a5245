"""Every table of the schema, of all features."""

from __future__ import annotations

from typing import Final

from sqlalchemy import MetaData

from chatserver.store import (
    exchange_tables,
    meeting_tables,
    moderation_tables,
    room_settings_tables,
    screening_tables,
    second_looks_tables,
    staff_tables,
    tables,
)
from chatserver.store.core import schema

MODULES: Final = (
    tables,
    exchange_tables,
    meeting_tables,
    moderation_tables,
    room_settings_tables,
    screening_tables,
    second_looks_tables,
    staff_tables,
)
METADATA: Final[MetaData] = schema.metadata
"""The metadata with the tables of all these modules."""
