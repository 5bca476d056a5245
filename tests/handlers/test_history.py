"""A page of older posts stands in line with the facts that its reader is told while the store answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chatserver.domain.history import ChannelName, StreamPosition
from chatserver.domain.limits import Limits
from chatserver.domain.rooms.rooms import room_channel
from tests.handlers.workers import PLAIN, Cluster, Guest, Worker, open_cluster
from tests.kit.waiting import eventually

CHANNEL: ChannelName = room_channel(PLAIN)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with open_cluster(tmp_path) as opened:
        yield opened


async def inside(worker: Worker) -> Guest:
    guest = await worker.guest()
    assert "ok" in await guest.ask("join", room=PLAIN, agreement=1)
    return guest


async def done(guest: Guest, cmd: str, **fields: Any) -> dict[str, Any]:
    reply = await guest.ask(cmd, room=PLAIN, **fields)
    assert "ok" in reply, reply
    found: dict[str, Any] = reply["ok"]
    return found


def asking(site: Cluster, reader: Guest, **fields: Any) -> tuple[asyncio.Task[dict[str, Any]], asyncio.Event]:
    """A page is asked for. The store has read it, and keeps its answer back until the event is set."""
    gate = site.store.hold("page")
    return asyncio.create_task(done(reader, "history", **{"before": 1_000, **fields})), gate


async def test_words_that_were_taken_back_meanwhile_are_not_in_the_page(site: Cluster) -> None:
    """[P-PAGE-1]"""
    worker = await site.worker()
    reader, writer = await inside(worker), await inside(worker)
    offset = (await done(writer, "post", text="my address is", warning="private"))["offset"]
    await done(writer, "react", offset=offset, reaction="hug", on=True)
    page, gate = asking(site, reader)
    await eventually(lambda: site.store.waiting)
    taken = await done(writer, "redact", offset=offset)
    await eventually(lambda: reader.heard("redacted"))
    gate.set()
    ok = await page
    (post,) = ok["posts"]
    assert (post["text"], post.get("warning"), post["redacted"], post.get("reactions", {})) == ("", None, True, {})
    assert ok["position"] == {"epoch": taken["epoch"], "offset": taken["offset"]}


async def test_edits_and_reactions_of_meanwhile_are_in_the_page(site: Cluster) -> None:
    """[P-PAGE-1] One's own too, and none that was not asked for."""
    worker = await site.worker()
    reader, writer = await inside(worker), await inside(worker)
    first = (await done(writer, "post", text="frist"))["offset"]
    second = (await done(writer, "post", text="second"))["offset"]
    await done(reader, "react", offset=first, reaction="hug", on=True)
    own = await worker.guest(worker.token_of(reader))
    await done(own, "join", agreement=1)
    page, gate = asking(site, reader, before=second)
    await eventually(lambda: site.store.waiting)
    await done(writer, "edit", offset=first, text="first")
    await done(writer, "react", offset=first, reaction="strength", on=True)
    await done(own, "react", offset=first, reaction="hug", on=False)
    last = await done(own, "react", offset=first, reaction="same_here", on=True)
    await done(writer, "post", text="third")
    await eventually(lambda: len(reader.heard("posted")) == 3)
    gate.set()
    ok = await page
    assert [(post["offset"], post["text"]) for post in ok["posts"]] == [(first, "first")]
    assert ok["posts"][0]["reactions"] == {"strength": 1, "same_here": 1}
    assert ok["mine"] == {str(first): ["same_here"]}
    assert ok["position"]["offset"] == last["offset"] + 1


async def test_page_is_read_again_where_more_happened_than_is_remembered(site: Cluster) -> None:
    """[P-PAGE-1]"""
    worker = await site.worker(limits=Limits(ring_publications=2))
    reader, writer = await inside(worker), await inside(worker)
    offset = (await done(writer, "post", text="gone soon"))["offset"]
    page, gate = asking(site, reader)
    await eventually(lambda: site.store.waiting)
    await done(writer, "redact", offset=offset)
    for number in range(5):
        await done(writer, "post", text=f"later {number}")
    gate.set()
    ok = await page
    assert [post["text"] for post in ok["posts"]] == ["", *(f"later {number}" for number in range(5))]


async def test_facts_up_to_the_page_are_told_before_it(site: Cluster) -> None:
    """[P-PAGE-1] Also those that wait for the next flush."""
    worker = await site.worker()
    reader, writer = await inside(worker), await inside(worker)
    offset = (await done(writer, "post", text="not for long"))["offset"]
    await eventually(lambda: reader.heard("posted"))
    worker.node.hub._channels[CHANNEL].rests_until = time.monotonic() + 3_600
    await done(writer, "edit", offset=offset, text="still not for long")
    await done(writer, "redact", offset=offset)
    assert not reader.heard("edited")
    await done(reader, "history", before=1_000)
    await done(writer, "post", text="after it")
    worker.node.hub.flush()
    told = [each.get("push") or each["ok"]["ok"] for each in reader.wire.pushes() if "error" not in each]
    facts = [kind for kind in told if kind in ("posted", "edited", "redacted", "history")]
    assert facts == ["posted", "edited", "redacted", "history", "posted"]


async def test_what_the_store_is_ahead_of_this_worker_is_told_first(site: Cluster) -> None:
    """[P-PAGE-1] Another worker wrote it, and this one never heard of it."""
    here, there = await site.worker(), await site.worker()
    reader, writer = await inside(here), await inside(there)
    offset = (await done(writer, "post", text="from elsewhere"))["offset"]
    taken = await done(writer, "redact", offset=offset)
    assert not reader.heard("redacted")
    ok = await done(reader, "history", before=1_000)
    assert ok["posts"][0]["text"] == ""
    assert ok["position"]["offset"] == taken["offset"]
    here.node.hub.flush()
    kinds = [each.get("push") or each["ok"]["ok"] for each in reader.wire.pushes()]
    assert [kind for kind in kinds if kind in ("posted", "redacted", "history")] == ["posted", "redacted", "history"]


async def test_position_is_the_stores_where_nothing_happened_meanwhile(site: Cluster) -> None:
    worker = await site.worker()
    reader = await inside(worker)
    made = await done(reader, "post", text="one")
    ok = await done(reader, "history", before=1_000, epoch=made["epoch"])
    assert ok["position"] == {"epoch": made["epoch"], "offset": made["offset"]}
    position = StreamPosition(made["epoch"], made["offset"])
    assert await worker.node.hub.catch_up_with(reader.connection.outbox, CHANNEL, position) == []
