"""What comes before what on one connection: the reply to a command, and what the rooms have to tell meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chatserver.domain.limits import Limits
from chatserver.domain.rooms.rooms import Publication, room_channel
from tests.handlers.workers import PLAIN, Cluster, Guest, Worker, open_cluster
from tests.kit.waiting import eventually

CHANNEL = room_channel(PLAIN)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with open_cluster(tmp_path) as opened:
        yield opened


async def _inside(worker: Worker, token: str | None = None) -> Guest:
    guest = await worker.guest(token)
    assert "ok" in await guest.ask("join", room=PLAIN, agreement=1)
    return guest


def _is_told(guest: Guest, offset: int) -> bool:
    return any("push" in each and each.get("offset") == offset for each in guest.wire.pushes())


def _places(guest: Guest, reply: dict[str, Any], offset: int) -> tuple[int, int]:
    """Where in all that was written to a guest a reply stands, and where the push of a fact."""
    written = guest.wire.pushes()
    pushed = next(i for i, each in enumerate(written) if "push" in each and each.get("offset") == offset)
    return next(i for i, each in enumerate(written) if each.get("re") == reply["re"]), pushed


async def _fact(site: Cluster, offset: int) -> Publication:
    return (await site.store.read(CHANNEL, offset - 1, 1)).publications[0]  # type: ignore[arg-type]


async def test_own_push_found_in_the_store_comes_after_the_reply(site: Cluster) -> None:
    """[P-REPLY-3] With the bus away, or a hole before it, the hub reads a fact before its author has been answered."""
    worker = await site.worker()
    author, other = await _inside(worker), await _inside(worker)
    gate = site.store.hold("commit")
    asking = asyncio.create_task(author.ask("post", room=PLAIN, text="found by the tick"))
    await eventually(lambda: "commit" in site.store.waiting)
    running = asyncio.create_task(worker.node.hub.run())
    await eventually(lambda: _is_told(other, 1))
    assert not _is_told(author, 1)
    gate.set()
    reply = await asking
    await eventually(lambda: _is_told(author, 1))
    replied, pushed = _places(author, reply, 1)
    assert replied < pushed
    running.cancel()


async def test_own_push_of_a_command_sent_again_elsewhere_comes_after_the_reply(site: Cluster) -> None:
    """[P-REPLY-3] The first try is still on its way when somebody has come back to another worker."""
    first, second = await site.worker(), await site.worker()
    author = await _inside(first)
    back, other = await _inside(second, first.token_of(author)), await _inside(second)
    gate = site.store.hold("commit")
    asking = asyncio.create_task(back.ask("post", room=PLAIN, text="sent twice"))
    await eventually(lambda: "commit" in site.store.waiting)
    second.node.hub.take(await _fact(site, 1))
    await eventually(lambda: _is_told(other, 1))
    gate.set()
    replied, pushed = _places(back, await asking, 1) if _is_told(back, 1) else (0, 1)
    assert replied < pushed
    await eventually(lambda: _is_told(back, 1))


async def test_room_that_one_changed_oneself_is_told_after_the_reply(site: Cluster) -> None:
    """[P-REPLY-3] Nothing has to go wrong: the others are told before the operator's reply is written."""
    worker = await site.worker()
    operator, other = await worker.operator("ada"), await _inside(worker)
    assert "ok" in await operator.ask("join", room=PLAIN, agreement=1)
    reply = await operator.ask("change_room", room=PLAIN, seen=0, topic="Tonight", reason="It is late.")
    assert "ok" in reply, reply
    await eventually(lambda: _is_told(other, 1) and _is_told(operator, 1))
    replied, pushed = _places(operator, reply, 1)
    assert replied < pushed


async def test_what_waits_for_a_reply_is_bounded_and_nothing_of_it_is_lost(site: Cluster) -> None:
    worker = await site.worker(limits=Limits(outbox_bytes=1_024))
    slow, other = await _inside(worker), await _inside(worker)
    gate = site.store.hold("rename")
    reading = asyncio.create_task(slow.ask("rename", name="Slow Heron"))
    await eventually(lambda: "rename" in site.store.waiting)
    for number in range(12):
        assert "ok" in await other.ask("post", room=PLAIN, text=f"{number} " + "x" * 200)
    await eventually(lambda: _is_told(other, 12))
    assert slow.connection.outbox.waiting() < 4_096
    gate.set()
    reply = await reading
    await eventually(lambda: _is_told(slow, 12))
    assert [each["offset"] for each in slow.wire.pushes() if "push" in each and "offset" in each] == [*range(1, 13)]
    assert _places(slow, reply, 1) == tuple(sorted(_places(slow, reply, 1)))


async def test_nothing_more_is_told_of_a_room_that_was_left_while_a_reply_was_owed(site: Cluster) -> None:
    worker = await site.worker()
    guest, other = await _inside(worker), await _inside(worker)
    gate = site.store.hold("rename")
    reading = asyncio.create_task(guest.ask("rename", name="Slow Heron"))
    await eventually(lambda: "rename" in site.store.waiting)
    await other.ask("post", room=PLAIN, text="hello")
    await eventually(lambda: _is_told(other, 1))
    worker.node.hub.leave(guest.connection.outbox, CHANNEL)
    gate.set()
    await reading
    assert not _is_told(guest, 1)
