"""Local fan-out over a real store and a bus that misbehaves: in order, once, whole, and nobody waits for the slow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatserver.bus.memory import Faults
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, Epoch, Offset, StreamPosition
from chatserver.domain.limits import Limits
from chatserver.domain.rooms import RedactPost
from chatserver.protocol.codes import Close
from chatserver.store.contract import Retention
from tests.delivery.hub_house import CHANNEL, House, HubNode, now, open_house
from tests.kit.waiting import eventually

LONG = "x" * 1_000


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened


def healed(node: HubNode) -> float:
    """Publications that this node took from the store instead of the bus."""
    return sum(
        sample.value
        for metric in node.metrics.healed.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    )


def log_reads(node: HubNode, why: str) -> float:
    return float(node.metrics.store_reads.labels(why)._value.get())


async def test_fact_reaches_everybody_on_every_node_in_order(house: House) -> None:
    here, there = await house.node(), await house.node()
    _, near, _ = await here.enter()
    _, far, _ = await there.enter()
    for number in range(20):
        await house.post(here, f"post {number}")
    await eventually(lambda: len(near.offsets()) == len(far.offsets()) == 20)
    assert near.offsets() == far.offsets() == list(range(1, 21))
    assert healed(there) == 0


async def test_pending_facts_are_joined_into_one_write(house: House) -> None:
    node = await house.node()
    _, wire, _ = await node.enter()
    publications = [await house.commit(f"post {number}") for number in range(10)]
    node.hub.announce(publications)
    await eventually(lambda: len(wire.offsets()) == 10)
    assert wire.writes == 1


async def test_last_fact_that_the_bus_lost_is_shown_within_two_seconds(house: House) -> None:
    node = await house.node()
    _, wire, _ = await node.enter()
    await house.commit("nobody announced this")
    started = time.monotonic()
    await eventually(lambda: wire.offsets() == [1])
    assert time.monotonic() - started < 2
    assert healed(node) == 1


async def test_hole_is_healed_before_anything_later_is_shown(house: House) -> None:
    node = await house.node()
    _, wire, _ = await node.enter()
    await house.commit("lost on the way")
    started = time.monotonic()
    await house.post(node, "the next one")
    await eventually(lambda: len(wire.offsets()) == 2)
    assert wire.offsets() == [1, 2]
    assert time.monotonic() - started < 1


async def test_bus_that_loses_repeats_and_reorders_is_not_noticed(house: House) -> None:
    here, there = await house.node(), await house.node()
    _, wire, _ = await there.enter()
    house.exchange.faults = Faults(lose=0.3, repeat=0.3, delay=0.3)
    for number in range(60):
        await house.post(here, f"post {number}")
    await eventually(lambda: len(wire.offsets()) >= 60)
    assert wire.offsets() == list(range(1, 61))


async def test_chat_goes_on_through_the_store_while_the_bus_is_away(house: House) -> None:
    here, there = await house.node(), await house.node()
    _, near, _ = await here.enter()
    _, far, _ = await there.enter()
    house.exchange.interrupt()
    started = time.monotonic()
    for number in range(5):
        await house.post(here, f"post {number}")
    await eventually(lambda: len(near.offsets()) == len(far.offsets()) == 5)
    assert time.monotonic() - started < 2
    house.exchange.resume()
    await house.post(here, "back")
    await eventually(lambda: len(far.offsets()) == 6)
    assert near.offsets() == far.offsets() == [1, 2, 3, 4, 5, 6]


async def test_returning_connection_gets_exactly_what_it_missed(house: House) -> None:
    node = await house.node()
    _, _, first = await node.enter()
    for number in range(5):
        await house.post(node, f"post {number}")
    _, _, prepared = await node.enter(StreamPosition(first.position.epoch, Offset(2)))
    assert prepared.history == "exact"
    assert [p.offset for p in prepared.missed] == [3, 4, 5]
    assert log_reads(node, "recover") == 0


async def test_crowd_that_returns_to_a_cold_node_costs_one_read(house: House) -> None:
    publications = [await house.commit(f"post {number}") for number in range(40)]
    epoch = publications[0].epoch
    node = await house.node()
    entered = await asyncio.gather(*(node.enter(StreamPosition(epoch, Offset(n % 40))) for n in range(200)))
    for number, (_, _, prepared) in enumerate(entered):
        assert prepared.history == "exact"
        assert [p.offset for p in prepared.missed] == list(range(number % 40 + 1, 41))
    assert log_reads(node, "recover") == 1
    assert log_reads(node, "open") == 1


@pytest.mark.parametrize("position", [(None, 3), ("another", 2)], ids=["ahead of the log", "of another epoch"])
async def test_foreign_position_is_an_explicit_gap(house: House, position: tuple[str | None, int]) -> None:
    published = await house.commit("one")
    node = await house.node()
    epoch, offset = position
    _, _, prepared = await node.enter(StreamPosition(Epoch(epoch or published.epoch), Offset(offset)))
    assert (prepared.history, prepared.missed, prepared.position.offset) == ("gap", [], 1)


async def test_more_missed_than_is_replayed_is_an_explicit_gap(house: House) -> None:
    node = await house.node(Limits(recovery_publications=3))
    first = await house.commit("post 0")
    for number in range(1, 6):
        await house.commit(f"post {number}")
    _, _, prepared = await node.enter(StreamPosition(first.epoch, Offset(1)))
    assert prepared.history == "gap"
    _, _, prepared = await node.enter(StreamPosition(first.epoch, Offset(3)))
    assert (prepared.history, [p.offset for p in prepared.missed]) == ("exact", [4, 5, 6])


async def test_expired_facts_are_an_explicit_gap_even_where_memory_still_has_them(house: House) -> None:
    node = await house.node()
    _, _, first = await node.enter()
    for number in range(3):
        await house.post(node, f"post {number}")
    heads = await house.store.expire(now(), Retention(room_age=-60_000, dedupe_window=-60_000))
    node.hub.expire(heads)
    _, _, prepared = await node.enter(StreamPosition(first.position.epoch, Offset(1)))
    assert prepared.history == "gap"


async def test_client_that_saw_more_elsewhere_than_the_bus_brought_here_is_caught_up_with(house: House) -> None:
    node = await house.node()
    _, wire, first = await node.enter()
    for number in range(3):
        await house.commit(f"post {number}")
    _, _, prepared = await node.enter(StreamPosition(first.position.epoch, Offset(2)))
    assert (prepared.history, [p.offset for p in prepared.missed]) == ("exact", [3])
    await eventually(lambda: wire.offsets() == [1, 2, 3])


async def test_joining_in_the_middle_of_a_stream_gives_every_fact_once(house: House) -> None:
    node = await house.node()

    async def write() -> None:
        for number in range(60):
            await house.post(node, f"post {number}")

    async def come() -> tuple[list[int], list[int]]:
        _, wire, prepared = await node.enter()
        await asyncio.sleep(0)
        joined_at = prepared.position.offset
        await writing
        await eventually(lambda: (wire.offsets() or [joined_at])[-1] == 60)
        return wire.offsets(), list(range(joined_at + 1, 61))

    writing = asyncio.create_task(write())
    comers: list[asyncio.Task[tuple[list[int], list[int]]]] = []
    while not writing.done():
        comers.append(asyncio.create_task(come()))
        await asyncio.sleep(0.002)
    for shown, expected in await asyncio.gather(*comers):
        assert shown == expected


async def test_stalled_connection_is_caught_up_when_it_drains_and_others_never_wait(house: House) -> None:
    node = await house.node(Limits(outbox_bytes=8_000, ring_publications=8))
    _, slow, _ = await node.enter()
    _, quick, _ = await node.enter()
    slow.is_stalled = True
    for number in range(1, 41):
        await house.post(node, f"{number} {LONG}")
        # One fact a flush, so that what waits for the slow one is the bound and not more than one flush.
        await eventually(lambda number=number: len(quick.offsets()) == number)  # type: ignore[misc]
    assert slow.waiting < 12_000
    slow.drain()
    await eventually(lambda: len(slow.offsets()) == 40)
    await house.post(node, "live again")
    await eventually(lambda: len(slow.offsets()) == 41)
    assert slow.offsets() == quick.offsets() == list(range(1, 42))


async def test_connection_that_takes_nothing_is_closed_and_freed(house: House) -> None:
    node = await house.node(Limits(outbox_bytes=4_000, catch_up_seconds=0.2))
    _, wire, _ = await node.enter()
    wire.is_stalled = True
    for number in range(10):
        await house.post(node, f"{number} {LONG}")
    await eventually(lambda: wire.is_aborted)
    assert wire.closed_with == Close.TOO_SLOW


async def test_connection_that_fell_behind_what_is_kept_is_told_of_the_gap(house: House) -> None:
    node = await house.node(Limits(outbox_bytes=4_000, ring_publications=2, recovery_publications=5))
    _, wire, _ = await node.enter()
    wire.is_stalled = True
    for number in range(30):
        await house.post(node, f"{number} {LONG}")
    wire.drain()
    await eventually(lambda: any(push["push"] == "gap" for push in wire.pushes()))
    await house.post(node, "after the gap")
    await eventually(lambda: wire.offsets()[-1] == 31)


async def test_redacted_text_is_in_no_later_recovery(house: House) -> None:
    node = await house.node()
    _, _, first = await node.enter()
    await house.post(node, "a secret")
    await house.post(node, RedactPost(target=Offset(1)))
    _, _, prepared = await node.enter(StreamPosition(first.position.epoch, Offset(0)))
    assert prepared.history == "exact"
    assert "a secret" not in repr(prepared.missed)


async def test_restored_backup_is_told_as_a_gap_to_those_who_are_connected(house: House) -> None:
    node = await house.node()
    _, wire, _ = await node.enter()
    await house.commit("one")
    await eventually(lambda: wire.offsets() == [1])
    channel = node.hub._channels[CHANNEL]
    assert channel.line is not None
    # As if the worker had seen what the restored store no longer knows.
    channel.line.last = channel.line.target = Offset(9)
    await eventually(lambda: any(push["push"] == "gap" for push in wire.pushes()))
    await house.post(node, "two")
    await eventually(lambda: wire.offsets()[-1] == 2)


async def test_who_left_hears_nothing_more(house: House) -> None:
    node = await house.node()
    outbox, wire, _ = await node.enter()
    _, other, _ = await node.enter()
    node.hub.leave(outbox, CHANNEL)
    await house.post(node, "one")
    await eventually(lambda: other.offsets() == [1])
    assert wire.offsets() == []


async def test_unknown_channel_is_refused_and_leaves_nothing_behind(house: House) -> None:
    node = await house.node()
    with pytest.raises(Refusal) as refused:
        await node.enter(channel=ChannelName("room:nowhere"))
    assert refused.value.reason is Reason.ROOM_UNKNOWN
    assert node.hub.channels == 0


async def test_who_comes_between_two_flushes_gets_what_follows_and_nothing_twice(house: House) -> None:
    node = await house.node()
    _, there, _ = await node.enter()
    outbox, wire, prepared = await node.prepare()
    fact = await house.commit("said while they came")
    node.hub.take(fact)
    node.hub.go_live(outbox, CHANNEL, prepared.position)
    # What was missed is written at once; the others' flush, still to come, must not bring it again.
    assert wire.offsets() == [1]
    node.hub.take(await house.commit("said before the flush"))
    node.hub.flush()
    assert wire.offsets() == there.offsets() == [1, 2]


async def test_who_leaves_between_two_flushes_gets_nothing_more(house: House) -> None:
    node = await house.node()
    await node.enter()
    outbox, wire, prepared = await node.prepare()
    node.hub.take(await house.commit("one"))
    node.hub.go_live(outbox, CHANNEL, prepared.position)
    node.hub.take(await house.commit("two"))
    node.hub.leave(outbox, CHANNEL)
    node.hub.flush()
    assert wire.offsets() == [1]
