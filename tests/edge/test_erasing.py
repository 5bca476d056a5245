"""Being erased: nothing that names a person is told any more, and an erasure that was interrupted can be finished."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from tests.edge.chat import chatting
from tests.edge.serving import until
from tests.kit.client import ChatClient
from tests.kit.web import WebClient

TEXT = "words that are to be forgotten"


async def enter(client: ChatClient, **fields: Any) -> dict[str, Any]:
    return await client.ask("join", room="sleep", agreement=1, **fields)


async def test_who_was_erased_is_named_to_nobody_who_comes_back(tmp_path: Path) -> None:
    async with chatting(tmp_path) as (served, _), ChatClient(served.url) as ann, ChatClient(served.url) as ben:
        since = (await enter(ben))["position"]
        await enter(ann)
        own = await ann.ask("post", room="sleep", text=TEXT)
        answered = await ben.ask("post", room="sleep", text="an answer", reply_to=own["offset"])
        await ann.ask("react", room="sleep", offset=answered["offset"], reaction="hug", on=True)
        async with WebClient(base_url=served.http) as web:
            erased = await web.post("/api/identity/erase", headers={"authorization": f"Bearer {ann.token}"})
            assert erased.status_code == 204
        async with ChatClient(served.url) as cleo:
            joined = await enter(cleo, since=since)
        assert joined["history"] == "exact"
        assert [push["push"] for push in joined["missed"]] == ["posted", "posted", "reacted", "reacted", "redacted"]
        told = str(joined)
        assert ann.member not in told
        assert ann.hello_ok["member"]["name"] not in told
        assert TEXT not in told


async def test_an_interrupted_erasure_is_finished_by_asking_again(tmp_path: Path) -> None:
    async with chatting(tmp_path) as (served, server), ChatClient(served.url) as ann:
        server.worker.node.store._timeout = server.worker.node.store._writes.backlog._timeout = 0.3  # type: ignore[attr-defined]
        await enter(ann)
        await ann.ask("post", room="sleep", text=TEXT)
        file = tmp_path / "data" / "chat.db"
        reader = sqlite3.connect(file, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchall()
        who = {"authorization": f"Bearer {ann.token}"}
        async with WebClient(base_url=served.http, headers=who) as web:
            # Somebody reads, a backup perhaps, so the write-ahead log cannot be emptied.
            assert (await web.post("/api/identity/erase")).status_code == 503
            reader.close()
            assert (await web.post("/api/identity/erase")).status_code == 204
        await until(lambda: ann.close_code == 4401)
        for left in (tmp_path / "data").glob("chat.db*"):
            assert TEXT.encode() not in left.read_bytes()
