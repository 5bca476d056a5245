"""A backup is restored as an operator does it, and somebody still has commands that were meant for what is lost."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator

import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster
from tests.conformance.peer import Json, Peer
from tests.conformance.traffic import Traffic
from tests.kit.backup import back_up, restore


class Restored:
    """A house that was set back. `epoch` and `offset` are of the post that was lost."""

    def __init__(self, site: Cluster, room: str, traffic: Traffic) -> None:
        self.site, self.room, self._traffic = site, room, traffic
        self.epoch, self.offset = "", 0
        self.tokens: list[str | None] = []

    async def come(self, token: str | None = None) -> Peer:
        peer = await Peer.connect(self.site.ws, self._traffic, Encoding.JSON)
        await (peer.hello() if token is None else peer.hello(token=token))
        return peer

    async def happen(self) -> None:
        lamb, wolf, witness = [await self.come() for _ in range(3)]
        self.tokens = [peer.token for peer in (lamb, wolf, witness)]
        for peer in (lamb, wolf, witness):
            await peer.join(self.room)
        await lamb.post(self.room, "hello")
        await back_up(self.site.server)
        wolf = await self.come(wolf.token)
        await wolf.join(self.room)
        said = await wolf.ask("post", room=self.room, text="something cruel")
        self.epoch, self.offset = said["epoch"], said["offset"]
        await restore(self.site.server)

    def count(self, table: str) -> int:
        with contextlib.closing(sqlite3.connect(self.site.database, timeout=20)) as database:
            return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.fixture
async def restored(traffic: Traffic) -> AsyncIterator[Restored]:
    with Cluster() as site:
        place = Restored(site, site.rooms.plain(), traffic)
        await place.happen()
        yield place
        assert site.complaints() == []


@pytest.mark.slow
@pytest.mark.timeout(150)
async def test_nothing_that_was_meant_for_a_lost_post_hits_the_one_in_its_place(restored: Restored) -> None:
    """[P-EPOCH-1] [P-EPOCH-2]"""
    room, offset = restored.room, restored.offset
    lamb, _, witness = [await restored.come(token) for token in restored.tokens]
    now = (await lamb.join(room))["position"]["epoch"]
    await witness.join(room)
    assert now != restored.epoch
    assert await lamb.post(room, "an innocent line") == offset
    await witness.heard_offset(room, offset)
    commands: list[tuple[Peer, str, Json]] = [
        (witness, "report_post", {"offset": offset, "reason": "unkind"}),
        (witness, "react", {"offset": offset, "reaction": "hug", "on": True}),
        (witness, "post", {"reply_to": offset, "text": "how dare you"}),
        (witness, "history", {"before": offset}),
        (witness, "read", {"offset": offset}),
        (lamb, "edit", {"offset": offset, "text": "my other words"}),
        (lamb, "redact", {"offset": offset}),
    ]
    for peer, cmd, fields in commands:
        for told in ({"epoch": restored.epoch}, {}):
            error = await peer.refusal(cmd, room=room, **fields, **told)
            assert (error["code"], error["temporary"]) == ("epoch_stale", False), cmd
    assert [fact["push"] for fact in witness.facts(room)] == ["posted"]
    assert restored.count("reports") == 0
    ok = await lamb.join(room)
    assert ok["position"]["offset"] == offset
    assert [post["text"] for post in ok["posts"]] == ["hello", "an innocent line"]
    cards = (await witness.ask("rooms"))["rooms"]
    assert next(card["unread"] for card in cards if card["id"] == room) == 2
    for peer, cmd, fields in commands:
        await peer.ask(cmd, room=room, **fields, epoch=now)
    assert restored.count("reports") == 1
