"""Local fan-out over a real store and a bus that misbehaves: in order, once, whole, and nobody waits for the slow."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time

import pytest

from chatserver.bus.memory import Faults
from chatserver.delivery import gap_repair
from chatserver.delivery import hub as hub_module
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, Epoch, Offset, StreamPosition
from chatserver.domain.limits import Limits
from chatserver.domain.rooms.rooms import Reaction, ReactToPost, RedactPost
from chatserver.protocol.codes import Close
from chatserver.store.records import Retention, StoreUnavailable
from tests.delivery.hub_kit import AUTHOR, CHANNEL, LONG, HubCluster, HubNode, now
from tests.kit.waiting import eventually


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


async def test_fact_reaches_everybody_on_every_node_in_order(site: HubCluster) -> None:
    here, there = await site.node(), await site.node()
    _, near, _ = await here.enter()
    _, far, _ = await there.enter()
    for number in range(20):
        await site.post(here, f"post {number}")
    await eventually(lambda: len(near.offsets()) == len(far.offsets()) == 20)
    assert near.offsets() == far.offsets() == list(range(1, 21))
    assert healed(there) == 0


async def test_pending_facts_are_joined_into_one_write(site: HubCluster) -> None:
    node = await site.node()
    _, wire, _ = await node.enter()
    publications = [await site.commit(f"post {number}") for number in range(10)]
    node.hub.announce(publications)
    await eventually(lambda: len(wire.offsets()) == 10)
    assert wire.writes == 1


async def test_last_fact_that_the_bus_lost_is_shown_within_two_seconds(site: HubCluster) -> None:
    node = await site.node()
    _, wire, _ = await node.enter()
    await site.commit("nobody announced this")
    started = time.monotonic()
    await eventually(lambda: wire.offsets() == [1])
    assert time.monotonic() - started < 2
    assert healed(node) == 1


async def test_hole_is_healed_before_anything_later_is_shown(site: HubCluster) -> None:
    node = await site.node()
    _, wire, _ = await node.enter()
    await site.commit("lost on the way")
    started = time.monotonic()
    await site.post(node, "the next one")
    await eventually(lambda: len(wire.offsets()) == 2)
    assert wire.offsets() == [1, 2]
    assert time.monotonic() - started < 1


async def test_bus_that_loses_repeats_and_reorders_is_not_noticed(site: HubCluster) -> None:
    here, there = await site.node(), await site.node()
    _, wire, _ = await there.enter()
    site.exchange.faults = Faults(lose=0.3, repeat=0.3, delay=0.3)
    for number in range(60):
        await site.post(here, f"post {number}")
    await eventually(lambda: len(wire.offsets()) >= 60)
    assert wire.offsets() == list(range(1, 61))


async def test_chat_goes_on_through_the_store_while_the_bus_is_away(site: HubCluster) -> None:
    here, there = await site.node(), await site.node()
    _, near, _ = await here.enter()
    _, far, _ = await there.enter()
    site.exchange.interrupt()
    started = time.monotonic()
    for number in range(5):
        await site.post(here, f"post {number}")
    await eventually(lambda: len(near.offsets()) == len(far.offsets()) == 5)
    assert time.monotonic() - started < 2
    site.exchange.resume()
    await site.post(here, "back")
    await eventually(lambda: len(far.offsets()) == 6)
    assert near.offsets() == far.offsets() == [1, 2, 3, 4, 5, 6]


async def test_returning_connection_gets_exactly_what_it_missed(site: HubCluster) -> None:
    node = await site.node()
    _, _, first = await node.enter()
    for number in range(5):
        await site.post(node, f"post {number}")
    _, _, prepared = await node.enter(StreamPosition(first.position.epoch, Offset(2)))
    assert prepared.history == "exact"
    assert [p.offset for p in prepared.missed] == [3, 4, 5]
    assert log_reads(node, "recover") == 0


async def test_crowd_that_returns_to_a_cold_node_costs_one_read(site: HubCluster) -> None:
    publications = [await site.commit(f"post {number}") for number in range(40)]
    epoch = publications[0].epoch
    node = await site.node()
    entered = await asyncio.gather(*(node.enter(StreamPosition(epoch, Offset(n % 40))) for n in range(200)))
    for number, (_, _, prepared) in enumerate(entered):
        assert prepared.history == "exact"
        assert [p.offset for p in prepared.missed] == list(range(number % 40 + 1, 41))
    assert log_reads(node, "recover") == 1
    assert log_reads(node, "open") == 1


@pytest.mark.parametrize("position", [(None, 3), ("another", 2)], ids=["ahead of the log", "of another epoch"])
async def test_foreign_position_is_an_explicit_gap(site: HubCluster, position: tuple[str | None, int]) -> None:
    published = await site.commit("one")
    node = await site.node()
    epoch, offset = position
    _, _, prepared = await node.enter(StreamPosition(Epoch(epoch or published.epoch), Offset(offset)))
    assert (prepared.history, prepared.missed, prepared.position.offset) == ("gap", [], 1)


async def test_more_missed_than_is_replayed_is_an_explicit_gap(site: HubCluster) -> None:
    node = await site.node(Limits(recovery_publications=3))
    first = await site.commit("post 0")
    for number in range(1, 6):
        await site.commit(f"post {number}")
    _, _, prepared = await node.enter(StreamPosition(first.epoch, Offset(1)))
    assert prepared.history == "gap"
    _, _, prepared = await node.enter(StreamPosition(first.epoch, Offset(3)))
    assert (prepared.history, [p.offset for p in prepared.missed]) == ("exact", [4, 5, 6])


async def test_nobody_takes_a_rooms_history_from_others_by_toggling_a_reaction(site: HubCluster) -> None:
    node = await site.node(Limits(recovery_publications=5, ring_publications=4))
    first = await site.commit("read already")
    since = StreamPosition(first.epoch, Offset(1))
    await site.commit("missed")
    for number in range(11):
        toggle = ReactToPost(target=Offset(1), reaction=Reaction.HUG, on=number % 2 == 0)
        await site.commit(toggle)
    _, _, prepared = await node.enter(since, whom=AUTHOR.id)
    assert (prepared.history, prepared.is_folded) == ("exact", True)
    assert [each.offset for each in prepared.missed] == [2, 13]
    assert prepared.position.offset == 13
    for number in range(6):
        await site.commit(f"post {number}")
    _, _, prepared = await node.enter(since, whom=AUTHOR.id)
    assert prepared.history == "gap"


async def test_positions_of_long_ago_cost_the_store_nothing(site: HubCluster) -> None:
    node = await site.node(Limits(recovery_publications=5, ring_publications=4))
    first = await site.commit("read already")
    for number in range(21):
        await site.commit(ReactToPost(target=Offset(1), reaction=Reaction.HUG, on=number % 2 == 0))
    await node.enter()
    for _ in range(50):
        prepared = await node.hub.prepare(CHANNEL, StreamPosition(first.epoch, Offset(1)), AUTHOR.id)
        assert (prepared.history, prepared.position.offset) == ("gap", 22)
        node.hub.give_up(CHANNEL)
    assert log_reads(node, "fold") == 0
    # Nearer ones are looked for one at a time.
    since = StreamPosition(first.epoch, Offset(3))
    found = await asyncio.gather(*(node.hub.prepare(CHANNEL, since, AUTHOR.id) for _ in range(50)))
    assert [each.history for each in found] == ["exact"] + ["gap"] * 49
    assert log_reads(node, "fold") == 1
    assert (await node.hub.prepare(CHANNEL, since, AUTHOR.id)).history == "exact"


async def test_expired_facts_are_an_explicit_gap_even_where_memory_still_has_them(site: HubCluster) -> None:
    node = await site.node()
    _, _, first = await node.enter()
    for number in range(3):
        await site.post(node, f"post {number}")
    heads = await site.store.expire(now(), Retention(room_age=-60_000, dedupe_window=-60_000))
    node.hub.expire(heads)
    _, _, prepared = await node.enter(StreamPosition(first.position.epoch, Offset(1)))
    assert prepared.history == "gap"


async def test_client_that_saw_more_elsewhere_than_the_bus_brought_here_is_caught_up_with(site: HubCluster) -> None:
    node = await site.node()
    _, wire, first = await node.enter()
    for number in range(3):
        await site.commit(f"post {number}")
    _, _, prepared = await node.enter(StreamPosition(first.position.epoch, Offset(2)))
    assert (prepared.history, [p.offset for p in prepared.missed]) == ("exact", [3])
    await eventually(lambda: wire.offsets() == [1, 2, 3])


async def test_joining_in_the_middle_of_a_stream_gives_every_fact_once(site: HubCluster) -> None:
    node = await site.node()

    async def write() -> None:
        for number in range(60):
            await site.post(node, f"post {number}")

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


async def test_stalled_connection_is_caught_up_when_it_drains_and_others_never_wait(site: HubCluster) -> None:
    node = await site.node(Limits(outbox_bytes=8_000, ring_publications=8))
    _, slow, _ = await node.enter()
    _, quick, _ = await node.enter()
    slow.is_stalled = True
    for number in range(1, 41):
        await site.post(node, f"{number} {LONG}")
        # One fact a flush, so that what waits for the slow one is the bound and not more than one flush.
        await eventually(lambda number=number: len(quick.offsets()) == number)  # type: ignore[misc]
    assert slow.waiting < 12_000
    slow.drain()
    await eventually(lambda: len(slow.offsets()) == 40)
    await site.post(node, "live again")
    await eventually(lambda: len(slow.offsets()) == 41)
    assert slow.offsets() == quick.offsets() == list(range(1, 42))


async def test_connection_that_takes_nothing_is_closed_and_freed(site: HubCluster) -> None:
    node = await site.node(Limits(outbox_bytes=4_000, catch_up_seconds=0.2))
    _, wire, _ = await node.enter()
    wire.is_stalled = True
    for number in range(10):
        await site.post(node, f"{number} {LONG}")
    await eventually(lambda: wire.is_aborted)
    assert wire.closed_with == Close.TOO_SLOW


async def test_connection_that_fell_behind_what_is_kept_is_told_of_the_gap(site: HubCluster) -> None:
    node = await site.node(Limits(outbox_bytes=4_000, ring_publications=2, recovery_publications=5))
    _, wire, _ = await node.enter()
    wire.is_stalled = True
    for number in range(30):
        await site.post(node, f"{number} {LONG}")
    wire.drain()
    await eventually(lambda: any(push["push"] == "gap" for push in wire.pushes()))
    await site.post(node, "after the gap")
    await eventually(lambda: wire.offsets()[-1] == 31)


async def test_redacted_text_is_in_no_later_recovery(site: HubCluster) -> None:
    node = await site.node()
    _, _, first = await node.enter()
    await site.post(node, "a secret")
    await site.post(node, RedactPost(target=Offset(1)))
    _, _, prepared = await node.enter(StreamPosition(first.position.epoch, Offset(0)))
    assert prepared.history == "exact"
    assert "a secret" not in repr(prepared.missed)


async def test_restored_backup_is_told_as_a_gap_to_those_who_are_connected(site: HubCluster) -> None:
    node = await site.node()
    _, wire, _ = await node.enter()
    await site.commit("one")
    await eventually(lambda: wire.offsets() == [1])
    channel = node.hub._channels[CHANNEL]
    assert channel.line is not None
    # As if the worker had seen what the restored store no longer knows.
    channel.line.last = channel.line.target = Offset(9)
    await eventually(lambda: any(push["push"] == "gap" for push in wire.pushes()))
    await site.post(node, "two")
    await eventually(lambda: wire.offsets()[-1] == 2)


def _restore(site: HubCluster, upto: int) -> None:
    """As if a backup had come back into the store's place that ends there."""
    with contextlib.closing(sqlite3.connect(site.path, timeout=5)) as database, database:
        database.execute('DELETE FROM log WHERE "offset" > ?', (upto,))
        database.execute("UPDATE channels SET last_offset = ?", (upto,))


async def _epoch(site: HubCluster) -> str:
    return (await site.store.heads([CHANNEL]))[CHANNEL].epoch


async def test_channel_of_a_restored_store_begins_anew_for_those_who_come_back_later_too(site: HubCluster) -> None:
    node = await site.node()
    _, wire, _ = await node.enter()
    (*_, seen) = [await site.post(node, f"lost {number}") for number in range(5)]
    await eventually(lambda: 5 in wire.offsets())
    old = StreamPosition(seen.epoch, seen.offset)
    _restore(site, 2)
    await eventually(lambda: [push for push in wire.pushes() if push.get("push") == "gap"])
    assert await _epoch(site) != old.epoch
    for number in range(5):
        await site.post(node, f"new {number}")
    _, _, prepared = await node.enter(since=old)
    assert (prepared.history, prepared.missed) == ("gap", [])


async def test_restored_store_that_has_gone_on_before_anybody_looked_is_known_by_what_it_says(site: HubCluster) -> None:
    """Another fact stands where one was shown: it is no repeat."""
    node = await site.node()
    _, wire, _ = await node.enter()
    (*_, seen) = [await site.post(node, f"lost {number}") for number in range(3)]
    await eventually(lambda: 3 in wire.offsets())
    _restore(site, 1)
    for number in range(4):
        await site.post(node, f"new {number}")
    await eventually(lambda: [push for push in wire.pushes() if push.get("push") == "gap"])
    assert await _epoch(site) != seen.epoch


async def test_first_who_comes_back_from_beyond_the_end_begins_the_channel_anew(site: HubCluster) -> None:
    node = await site.node()
    (*_, seen) = [await site.post(node, f"lost {number}") for number in range(5)]
    _restore(site, 2)
    # Nobody was here: this worker has seen none of it.
    _, wire, _ = await node.enter()
    _, _, first = await node.enter(since=StreamPosition(seen.epoch, Offset(5)))
    assert first.history == "gap"
    assert first.position.epoch == await _epoch(site) != seen.epoch
    assert [push["push"] for push in wire.pushes()] == ["gap"]
    for number in range(5):
        await site.post(node, f"new {number}")
    _, _, later = await node.enter(since=StreamPosition(seen.epoch, Offset(4)))
    assert later.history == "gap"


async def test_who_claims_to_have_seen_more_is_believed_once_and_only_soon_after_a_start(
    site: HubCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = await site.node()
    await site.post(node, "hello")
    beyond = Offset(1_000)
    epochs = [await _epoch(site)]
    for _ in range(3):
        _, _, prepared = await node.enter(since=StreamPosition(epochs[-1], beyond))  # type: ignore[arg-type]
        assert prepared.history == "gap"
        epochs.append(await _epoch(site))
    assert epochs[0] != epochs[1] == epochs[2] == epochs[3]
    monkeypatch.setattr(gap_repair, "BELIEF_SECONDS", 0)
    other = await site.node()
    await other.enter(since=StreamPosition(epochs[-1], beyond))  # type: ignore[arg-type]
    assert await _epoch(site) == epochs[-1]


async def test_who_comes_back_from_beyond_the_end_while_the_store_goes_away_is_believed_afterwards(
    site: HubCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = await site.node()
    (*_, seen) = [await site.post(node, f"lost {number}") for number in range(5)]
    _restore(site, 2)
    renew_epoch = site.store.renew_epoch

    async def fails(*args: object) -> object:
        monkeypatch.setattr(site.store, "renew_epoch", renew_epoch)
        raise StoreUnavailable("it goes away at this moment")

    monkeypatch.setattr(site.store, "renew_epoch", fails)
    with pytest.raises(StoreUnavailable):
        await node.enter(since=StreamPosition(seen.epoch, Offset(5)))
    assert await _epoch(site) == seen.epoch
    _, _, again = await node.enter(since=StreamPosition(seen.epoch, Offset(5)))
    assert again.history == "gap"
    assert again.position.epoch == await _epoch(site) != seen.epoch


async def test_who_claims_it_again_when_nobody_follows_the_channel_any_more_is_not_believed_again(
    site: HubCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who is alone in a room on this worker may send everybody in it on the others a gap once."""
    monkeypatch.setattr(hub_module, "LINGER_SECONDS", 0)
    node = await site.node()
    await site.post(node, "hello")
    epochs = [await _epoch(site)]
    for _ in range(2):
        outbox, _, _ = await node.enter(since=StreamPosition(epochs[-1], Offset(1_000)))  # type: ignore[arg-type]
        epochs.append(await _epoch(site))
        node.hub.leave(outbox, CHANNEL)
        await asyncio.sleep(0.01)
        await node.hub._tick()
        assert CHANNEL not in node.hub._channels
    assert epochs[0] != epochs[1] == epochs[2]


async def test_who_left_hears_nothing_more(site: HubCluster) -> None:
    node = await site.node()
    outbox, wire, _ = await node.enter()
    _, other, _ = await node.enter()
    node.hub.leave(outbox, CHANNEL)
    await site.post(node, "one")
    await eventually(lambda: other.offsets() == [1])
    assert wire.offsets() == []


async def test_unknown_channel_is_refused_and_leaves_nothing_behind(site: HubCluster) -> None:
    node = await site.node()
    with pytest.raises(Refusal) as refused:
        await node.enter(channel=ChannelName("room:nowhere"))
    assert refused.value.reason is Reason.ROOM_UNKNOWN
    assert node.hub.channels == 0


async def test_who_comes_between_two_flushes_gets_what_follows_and_nothing_twice(site: HubCluster) -> None:
    node = await site.node()
    _, there, _ = await node.enter()
    outbox, wire, prepared = await node.prepare()
    fact = await site.commit("said while they came")
    node.hub.take(fact)
    node.hub.go_live(outbox, CHANNEL, prepared.position)
    # What was missed is written at once; the others' flush, still to come, must not bring it again.
    assert wire.offsets() == [1]
    node.hub.take(await site.commit("said before the flush"))
    node.hub.flush()
    assert wire.offsets() == there.offsets() == [1, 2]


async def test_who_leaves_between_two_flushes_gets_nothing_more(site: HubCluster) -> None:
    node = await site.node()
    await node.enter()
    outbox, wire, prepared = await node.prepare()
    node.hub.take(await site.commit("one"))
    node.hub.go_live(outbox, CHANNEL, prepared.position)
    node.hub.take(await site.commit("two"))
    node.hub.leave(outbox, CHANNEL)
    node.hub.flush()
    assert wire.offsets() == [1]
