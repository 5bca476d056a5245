"""Every command and every message between workers has a part for it, and every part is told what happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest

from chatserver.handlers.commands import union
from chatserver.handlers.part import Part
from chatserver.protocol import internode
from chatserver.protocol.messages import AnyCommand, Hello
from tests.handlers.workers import PLAIN, Worker, open_cluster
from tests.kit.commands import COMMANDS

BY_THE_CORE = {
    internode.Announced,
    internode.Spent,
    internode.PresenceDelta,
    internode.PresenceSnapshot,
    internode.Lease,
    internode.SnapshotWanted,
    internode.NodeLeft,
}
"""What `Worker` hears itself."""


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    async with open_cluster(tmp_path) as cluster:
        yield await cluster.worker()


def test_every_command_has_one_handler() -> None:
    assert {Hello, *COMMANDS} == {*get_args(AnyCommand)}
    with pytest.raises(ValueError, match="more than one feature answers"):
        union(COMMANDS, dict([next(iter(COMMANDS.items()))]))


async def test_the_parts_of_a_worker_answer_every_command(worker: Worker) -> None:
    assert union(*(part.commands for part in worker.parts)).keys() == COMMANDS.keys()


async def test_every_message_between_workers_is_heard(worker: Worker) -> None:
    heard = {kind for part in worker.parts for kind in part.hears()}
    assert heard | BY_THE_CORE == {*get_args(internode.AnyNodeMessage)}


async def test_what_happens_to_a_member_is_told_to_every_part(worker: Worker) -> None:
    told: list[str] = []

    class Listening(Part):
        def connection_closed(self, connection: object) -> None:
            told.append("closed")

        async def member_renamed(self, person: object) -> None:
            told.append("renamed")

        async def member_hidden(self, who: object, other: object) -> None:
            told.append("hidden")

    worker.node.parts = (*worker.node.parts, Listening())
    ada, bo = await worker.guest(), await worker.guest()
    for each in (ada, bo):
        assert "ok" in await each.ask("join", room=PLAIN, agreement=1)
    assert "ok" in await ada.ask("mute", member=bo.id_in(PLAIN), on=True)
    assert "ok" in await ada.ask("rename", name="Gentle Otter")
    worker.dispatcher.closed(ada.connection)
    assert told == ["hidden", "renamed", "closed"]
