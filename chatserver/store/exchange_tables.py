"""The tables of the exchange."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, String, Table

from chatserver.store.core.schema import metadata

exchange_pool = Table(
    "exchange_pool",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)
"""One row, id 1. Transactions that change the exchange lock it, after the listening state and before meetings."""

exchange_people = Table(
    "exchange_people",
    metadata,
    # No foreign key: a member who is erased is taken out of the others' records first.
    Column("member", String, primary_key=True),
    # Whether they wait, or are in an exchange.
    Column("is_active", Boolean, nullable=False, index=True),
    # Newer than in `body`.
    Column("seen_at", BigInteger, nullable=False),
    # When something of the record is to be forgotten next. NULL for never.
    Column("expires_at", BigInteger, index=True),
    Column("body", LargeBinary, nullable=False),
)
