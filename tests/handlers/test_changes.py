"""What raises moderation's version is acted on before the answer goes out, without a call in the handler."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import CommandId
from chatserver.domain.moderation.measures import MeasureKind, TakeMeasure
from chatserver.handlers.answer import Answer
from chatserver.handlers.changes import act_on_changes
from chatserver.handlers.dispatcher import CommandDispatcher
from chatserver.handlers.part import Job, Part
from chatserver.handlers.periodic import PeriodicJobs
from chatserver.protocol.codes import Close
from chatserver.protocol.fields import DoneOk
from chatserver.protocol.messages import Ping
from chatserver.store.records import StoreUnavailable
from tests.handlers.workers import Cluster, Guest, Worker, open_cluster
from tests.kit.waiting import eventually


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with open_cluster(tmp_path) as cluster:
        yield cluster


async def ban(worker: Worker, whom: Guest, by: Guest) -> None:
    """What a handler does that was written without a thought of other workers, or of this one."""
    asked = TakeMeasure(
        id=f"ban-{whom.member}",
        by=by.member,
        about=whom.member,
        kind=MeasureKind.BAN,
        room=None,
        offset=None,
        epoch=None,
        reason="threats",
        minutes=5,
        report=None,
        is_operator=True,
    )
    await worker.node.store.take_measure(asked, worker.node.now())


def command_of(worker: Worker, work: Callable[[], Awaitable[object]]) -> CommandDispatcher:
    """Return a dispatcher whose one command does this work."""

    async def handle(context: object, connection: object, person: object, command: Any) -> Answer:
        await work()
        return Answer(DoneOk())

    part = Part()
    part.commands = {Ping: handle}  # type: ignore[misc]
    dispatcher = CommandDispatcher(worker.node, worker.people.context)
    dispatcher.register([part])
    return dispatcher


async def test_a_change_holds_on_every_worker_without_a_call_in_the_handler(cluster: Cluster) -> None:
    here, there = await cluster.worker(), await cluster.worker()
    operator, guest = await here.operator("ina"), await here.guest()
    elsewhere = await there.guest(here.token_of(guest))
    dispatcher = command_of(here, lambda: ban(here, guest, operator))
    await dispatcher.dispatch(operator.connection, Ping(id=CommandId("1")))
    assert guest.wire.closed_with == Close.BANNED
    # These workers have no periodic jobs: it can only have been told.
    await eventually(lambda: elsewhere.wire.closed_with == Close.BANNED)


async def test_a_change_holds_also_where_the_command_was_refused_after_it(cluster: Cluster) -> None:
    here = await cluster.worker()
    operator, guest = await here.operator("ina"), await here.guest()

    async def work() -> None:
        await ban(here, guest, operator)
        raise Refusal(Reason.BUSY, retry_after=1.0)

    with pytest.raises(Refusal, match="busy"):
        await command_of(here, work).dispatch(operator.connection, Ping(id=CommandId("1")))
    assert guest.wire.closed_with == Close.BANNED


async def test_a_command_that_changes_nothing_asks_no_part(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    here = await cluster.worker()
    operator, guest, other = await here.operator("ina"), await here.guest(), await here.guest()
    asked = 0

    async def note(self: Part) -> None:
        nonlocal asked
        asked += 1

    monkeypatch.setattr(Part, "moderation_changed", note)
    extra = Part()
    here.node.parts = (*here.node.parts, extra)

    async def change_and_act() -> None:
        await ban(here, other, operator)
        await act_on_changes(here.node)

    assert "ok" in await guest.ask("rename", name="Gentle Otter")
    assert asked == 0
    # The change of another command, in another task, is that command's.
    gate = asyncio.Event()
    waiting = asyncio.create_task(command_of(here, gate.wait).dispatch(guest.connection, Ping(id=CommandId("1"))))
    await asyncio.sleep(0)
    await command_of(here, change_and_act).dispatch(operator.connection, Ping(id=CommandId("1")))
    seen_once = asked
    gate.set()
    await waiting
    assert seen_once == asked > 0


async def test_the_author_is_told_where_a_change_could_not_be_enforced(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await cluster.worker()
    operator, guest = await here.operator("ina"), await here.guest()

    async def away() -> int:
        raise StoreUnavailable("away")

    dispatcher = command_of(here, lambda: ban(here, guest, operator))
    with monkeypatch.context() as patch:
        patch.setattr(here.node.store, "moderation_version", away)
        with pytest.raises(StoreUnavailable):
            await dispatcher.dispatch(operator.connection, Ping(id=CommandId("1")))
        assert guest.wire.closed_with is None
    await here.moderation.enforcement.tick()
    assert guest.wire.closed_with == Close.BANNED


async def test_a_change_by_a_periodic_job_holds_at_once(cluster: Cluster) -> None:
    here = await cluster.worker()
    operator, guest = await here.operator("ina"), await here.guest()
    jobs = PeriodicJobs(here.node, [Job(0.01, lambda: ban(here, guest, operator))])
    running = asyncio.create_task(jobs.run())
    try:
        await eventually(lambda: guest.wire.closed_with == Close.BANNED)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
