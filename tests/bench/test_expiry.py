"""Old rows that the bench puts into a database are such as the server expires, and not before it is told to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bench.machine import cores
from bench.scenarios.expiry import ROOMS, fill, left
from bench.targets import RAISED, Chat
from chatserver.store.drivers.migrate import migrate
from tests.kit.process import wait_until

_ROWS = 50


@pytest.fixture
def chat() -> Iterator[Chat]:
    with Chat(
        cores(),
        rooms=ROOMS + 1,
        raised=RAISED,
        prepare=lambda path: fill(path, _ROWS),
        expires_when_told=True,
        is_forked=True,
    ) as target:
        yield target


def test_old_rows_expire_once_the_server_is_told(chat: Chat) -> None:
    assert left(chat) == _ROWS
    chat.begin_expiry()
    wait_until(lambda: left(chat) == 0, "all rows to expire")
    with closing(sqlite3.connect(chat.database, timeout=30)) as database:
        assert database.execute("SELECT count(*) FROM log").fetchone() == (0,)
    # It is counted after the commit.
    wait_until(lambda: chat.sum_of("chat_channels_expired_total") >= 1, "the count of what expired")


def test_database_without_the_room_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    migrate(f"sqlite:///{path}")
    with pytest.raises(RuntimeError, match="no channel"):
        fill(path, _ROWS)
