"""A server that is killed after it saved a post and before the model looked at it: another life finds the post."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from chatserver.domain.moderation.text_model import MODEL
from tests.faults.doomed import ANSWERED, Point
from tests.faults.reader import ROOM
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(240)]

TEXT = "if i dont wake up dont be sad about it"
"""Words that the shipped model marks."""
_LONG_AGO = 600_000


async def test_a_post_whose_worker_was_killed_before_the_model_saw_it_is_raised_once() -> None:
    server = ChatServer(config={"screening": {"second_look": True}})
    plan, deaths = server.directory / "points.json", server.directory / "deaths"
    plan.write_bytes(msgspec.json.encode([Point(ANSWERED)]))
    deaths.touch()
    config = server.process.command[-1]
    server.process.command = [sys.executable, "-m", "tests.faults.doomed", config, str(plan), str(deaths)]
    try:
        await asyncio.to_thread(server.start)
        await _say(server, TEXT)
        assert deaths.read_text().splitlines() == [ANSWERED]
        database = server.directory / "data" / "chat.db"
        assert _rows(database, "SELECT note FROM reports") == []
        assert _rows(database, "SELECT count(*) FROM log WHERE kind = 'posted'") == [(1,)], "it was saved"
        ((dead,),) = _rows(database, "SELECT worker FROM second_looks ORDER BY until LIMIT 1")
        # Its silence is long already, so that nobody waits for two minutes; and another one, which has seen the same,
        # died as well: both are looked after.
        _change(
            database,
            f"UPDATE second_looks SET until = until - {_LONG_AGO} WHERE worker = '{dead}'",
            f"INSERT INTO second_looks SELECT 'gone', until FROM second_looks WHERE worker = '{dead}'",
        )
        await _until(lambda: not _rows(database, f"SELECT 1 FROM second_looks WHERE worker IN ('{dead}', 'gone')"))
        ((note, level),) = _rows(database, "SELECT note, level FROM reports")
        assert (note.split("\n")[1], level) == (MODEL, 2)
        assert not [line for line in server.log() if "Traceback" in str(line)]
    finally:
        server.close()


async def _say(server: ChatServer, text: str) -> None:
    client = ChatClient(server.ws_url)
    await client.open()
    await client.ask("join", room=ROOM, agreement=1)
    with contextlib.suppress(ConnectionClosed):
        await client.ask("post", id="one", room=ROOM, text=text)
    await _until(lambda: client.close_code is not None)
    await client.close()


def _rows(database: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as file:
        return file.execute(statement).fetchall()


def _change(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database, timeout=10)) as file, file:
        for statement in statements:
            file.execute(statement)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(100):
        while not condition():  # noqa: ASYNC110 (nobody announces it)
            await asyncio.sleep(0.05)
