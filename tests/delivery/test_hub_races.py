"""What happens while the store is being read: others expire, post, rejoin and redact in that moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from itertools import pairwise
from pathlib import Path

import pytest

from chatserver.delivery import channel as channel_module
from chatserver.delivery.outbox import Outbox
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, Epoch, Head, Offset, StreamPosition
from chatserver.domain.identity import MemberId
from chatserver.domain.limits import Limits
from chatserver.domain.rooms.rooms import Posted, RedactPost, Room, RoomId, room_channel
from chatserver.protocol.codec import Encoding
from chatserver.protocol.codes import Close
from chatserver.protocol.rooms.messages import GapPush, TypingPush
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.records import LogSlice, Retention
from tests.delivery.hub_kit import CHANNEL, LONG, HubCluster, HubNode, MemoryWire
from tests.kit.waiting import eventually

TINY = Limits(ring_publications=4, outbox_bytes=4_000)


class LateStore(SqliteStore):
    """A store whose answers about the log come when the test lets them come, and which may say that it is busy."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.open_door = asyncio.Event()
        self.open_door.set()
        self.answered = 0
        self.heads_door = asyncio.Event()
        self.heads_door.set()
        self.heads_answered = 0
        self.is_busy = False

    async def heads(self, channels: Collection[ChannelName]) -> dict[ChannelName, Head]:
        found = await super().heads(channels)
        self.heads_answered += 1
        await self.heads_door.wait()
        return found

    async def read(self, channel: ChannelName, after: Offset, limit: int) -> LogSlice:
        found = await super().read(channel, after, limit)
        self.answered += 1
        await self.open_door.wait()
        if self.is_busy:
            raise Refusal(Reason.BUSY, retry_after=1.0)
        return found

    def hold(self) -> None:
        self.open_door.clear()
        self.answered = 0


@pytest.fixture
async def late(site: HubCluster, tmp_path: Path) -> AsyncIterator[LateStore]:
    store = LateStore(tmp_path / "chat.db")
    await store.open()
    yield store
    store.open_door.set()
    store.heads_door.set()
    await store.close()


async def node_on(site: HubCluster, store: LateStore, limits: Limits | None = None) -> HubNode:
    """A node that reads through the late store."""
    ordinary, site.store = site.store, store
    node = await site.node(limits)
    site.store = ordinary
    return node


async def test_slow_connection_is_told_of_the_gap_though_this_worker_has_not_heard_of_the_expiry(
    site: HubCluster, late: LateStore
) -> None:
    node = await node_on(site, late, TINY)
    _, slow, _ = await node.enter()
    slow.is_stalled = True
    for number in range(12):
        await site.post(node, f"{number} {LONG}")
    await eventually(lambda: slow.waiting > TINY.outbox_bytes)
    await asyncio.sleep(0)
    stood = slow.offsets()[-1]
    # Another worker forgets; this one hears of it only at its next tick.
    retention = Retention(room_age=0, dedupe_window=0)
    last = await site.commit("the last one")
    while await site.store.expire(last.at, retention):
        pass
    node.hub.announce([last])
    assert (await site.store.heads([CHANNEL]))[CHANNEL].first > stood + 1
    slow.drain()
    await eventually(lambda: any(push["push"] == "gap" for push in slow.pushes()) or len(slow.offsets()) > stood)
    shown = [push.get("offset") or -1 for push in slow.pushes()]
    for before, after in pairwise(shown):
        assert after in (-1, before + 1) or before == -1, shown


async def test_connection_behind_a_busy_store_goes_on_when_it_has_time(site: HubCluster, late: LateStore) -> None:
    node = await node_on(site, late, TINY)
    _, slow, _ = await node.enter()
    slow.is_stalled = True
    for number in range(12):
        await site.post(node, f"{number} {LONG}")
    late.is_busy = True
    slow.drain()
    await eventually(lambda: late.answered > 0)
    late.is_busy = False
    await eventually(lambda: slow.offsets() == list(range(1, 13)))
    await site.post(node, "and live again")
    await eventually(lambda: slow.offsets() == list(range(1, 14)))


async def test_who_joins_again_while_something_is_pending_gets_it_once_after_the_reply(site: HubCluster) -> None:
    node = await site.node()
    outbox, wire, _ = await node.enter()
    await site.post(node, "one")
    await eventually(lambda: wire.offsets() == [1])
    second = await node.hub.prepare(CHANNEL, None)
    # While the newest page is read, something is said; its flush waits for its turn.
    fact = await site.commit("two")
    node.hub.take(fact)
    wire.written.clear()
    node.hub.go_live(outbox, CHANNEL, second.position)
    await site.post(node, "three")
    await eventually(lambda: wire.offsets()[-1:] == [3])
    assert wire.offsets() == [2, 3]


async def test_connection_that_falls_behind_again_in_the_moment_it_caught_up_gets_nothing_twice(
    site: HubCluster,
) -> None:
    loud = room_channel(RoomId("loud"))
    await site.store.add_rooms([Room(id=RoomId("loud"), name="Loud", about="Many talk")])
    node = await site.node(Limits(outbox_bytes=4_000))
    # The moment cannot be reached from outside: it is made.
    wire = MemoryWire()
    outbox = Outbox(wire, Encoding.JSON)
    for channel in (CHANNEL, loud):
        prepared = await node.hub.prepare(channel, None)
        node.hub.go_live(outbox, channel, prepared.position)
    quiet = node.hub._channels[CHANNEL]
    node.hub._fall_behind(outbox)
    node.hub._catch_up.stop(outbox)
    # Catch-up has given everything of both rooms; the other room is live already, and more comes than fits.
    outbox.behind.clear()
    node.hub._channels[loud].live[Encoding.JSON].add(outbox)
    wire.is_stalled = True
    for _ in range(8):
        node.hub.tell(loud, GapPush(channel=loud, position=StreamPosition(Epoch("e" * 1_000), Offset(1))))
    quiet.pending[Encoding.MSGPACK].append(b"for somebody else")
    node.hub._flushes.add(quiet)
    node.hub._live_again(outbox, quiet)
    node.hub.flush()
    assert set(outbox.behind) == {CHANNEL, loud}
    await site.post(node, "said once")
    wire.drain()
    await eventually(lambda: not outbox.behind)
    assert wire.offsets() == [1]


async def test_return_is_exact_though_people_go_on_talking_while_the_store_is_read(
    site: HubCluster, late: LateStore
) -> None:
    limits = Limits(ring_publications=4)
    node = await node_on(site, late, limits)
    _, _, first = await node.enter()
    for number in range(10):
        await site.post(node, f"post {number}")
    late.hold()
    coming = asyncio.create_task(node.enter(StreamPosition(first.position.epoch, Offset(2))))
    await eventually(lambda: late.answered == 1)
    for number in range(3):
        await site.post(node, f"meanwhile {number}")
    late.open_door.set()
    _, wire, prepared = await coming
    assert prepared.history == "exact"
    assert [p.offset for p in prepared.missed] == list(range(3, 14))
    await site.post(node, "live")
    await eventually(lambda: wire.offsets() == [14])


async def test_text_that_is_taken_back_while_the_store_is_read_is_in_no_later_recovery(
    site: HubCluster, late: LateStore
) -> None:
    node = await node_on(site, late, Limits(ring_publications=4))
    _, _, first = await node.enter()
    for number in range(10):
        await site.post(node, f"secret {number}")
    late.hold()
    position = StreamPosition(first.position.epoch, Offset(2))
    coming = asyncio.create_task(node.enter(position))
    await eventually(lambda: late.answered == 1)
    await site.post(node, RedactPost(target=Offset(4)))
    late.open_door.set()
    await coming
    _, _, again = await node.enter(position)
    assert again.history == "exact"
    texts = {p.offset: p.event.post.text for p in again.missed if isinstance(p.event, Posted)}
    assert texts[Offset(4)] == ""


async def test_hole_that_the_bus_closed_while_the_store_was_read_is_no_gap(site: HubCluster, late: LateStore) -> None:
    node = await node_on(site, late)
    _, wire, _ = await node.enter()
    late.hold()
    publications = sorted(
        await asyncio.gather(*(site.commit(f"post {number}") for number in range(700))), key=lambda p: p.offset
    )
    for publication in publications[1:600]:
        node.hub.take(publication)
    await eventually(lambda: late.answered == 1)
    node.hub.take(publications[0])
    late.open_door.set()
    await eventually(lambda: len(wire.offsets()) >= 700)
    assert [push["push"] for push in wire.pushes() if push["push"] != "posted"] == []
    assert wire.offsets() == list(range(1, 701))


async def test_hole_behind_a_busy_store_is_closed_as_soon_as_it_has_time(
    site: HubCluster, late: LateStore, caplog: pytest.LogCaptureFixture
) -> None:
    node = await node_on(site, late)
    _, wire, _ = await node.enter()
    late.is_busy = True
    await site.commit("lost on the way")
    await site.post(node, "the next one")
    await eventually(lambda: late.answered >= 2)
    late.is_busy = False
    await eventually(lambda: wire.offsets() == [1, 2])
    assert not caplog.records


async def test_what_comes_while_a_room_is_opened_is_bounded_and_nothing_is_missed(
    site: HubCluster, late: LateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "EARLY_LIMIT", 2)
    near, far = await node_on(site, late), await site.node()
    late.heads_door.clear()
    coming = asyncio.create_task(near.enter())
    await eventually(lambda: late.heads_answered)
    for number in range(5):
        await site.post(far, f"post {number}")
    await eventually(lambda: [held.offset for held in near.hub._channels[CHANNEL].held] == [4, 5])
    late.heads_door.set()
    _, wire, _ = await coming
    await eventually(lambda: wire.offsets() == [1, 2, 3, 4, 5])


async def test_who_falls_behind_by_a_frame_of_their_own_misses_nothing_that_waits_elsewhere(site: HubCluster) -> None:
    """Somebody who hides a person gets frames of their own; one of those may be the one for which there is no room."""
    loud = room_channel(RoomId("loud"))
    await site.store.add_rooms([Room(id=RoomId("loud"), name="Loud", about="Many talk")])
    node = await site.node(TINY)
    wire, other = MemoryWire(), MemoryWire()
    outbox, witness = Outbox(wire, Encoding.JSON), Outbox(other, Encoding.JSON)
    for each in (outbox, witness):
        for channel in (CHANNEL, loud):
            prepared = await node.hub.prepare(channel, None)
            node.hub.go_live(each, channel, prepared.position)
    wire.is_stalled, wire.waiting = True, TINY.outbox_bytes + 1
    # Both in one turn of the loop: the post is not written to anybody yet.
    fact = await site.commit("said in the quiet room")
    node.hub.take(fact)
    node.hub.tell(loud, TypingPush(channel=loud, member=MemberId("p_hidden")), {outbox: None})
    assert set(outbox.behind) == {CHANNEL, loud}
    wire.drain()
    await eventually(lambda: not outbox.behind)
    await eventually(lambda: other.offsets() == [1])
    assert wire.offsets() == [1]
    assert [push["push"] for push in wire.pushes()] == ["posted"]
    assert sorted(push["push"] for push in other.pushes()) == ["posted", "typing"]


async def test_who_cannot_be_caught_up_with_is_closed_and_not_left_in_silence(
    site: HubCluster, late: LateStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    node = await node_on(site, late, TINY)
    _, slow, _ = await node.enter()
    slow.is_stalled = True
    for number in range(12):
        await site.post(node, f"{number} {LONG}")

    async def fails(*args: object) -> object:
        raise RuntimeError("nobody thought of it")

    monkeypatch.setattr(late, "read", fails)
    slow.drain()
    await eventually(lambda: slow.closed_with == Close.INTERNAL)
    await eventually(lambda: [each.message for each in caplog.records] == ["task_failed"])
