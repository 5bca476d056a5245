"""A small house for hub tests: real SQLite, the in-process bus, and sockets that only remember what was written."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from chatserver.bus.memory import Exchange, MemoryBus
from chatserver.delivery.channel import Prepared
from chatserver.delivery.hub import Hub
from chatserver.delivery.outbox import Outbox
from chatserver.domain.history import ChannelName, CommandId, Millis, StreamPosition
from chatserver.domain.identity import Member, MemberId, NodeId, Persona
from chatserver.domain.limits import Limits
from chatserver.domain.rooms.aliases import Aliases
from chatserver.domain.rooms.decide import decide, target_of
from chatserver.domain.rooms.rooms import Publication, Room, RoomCommand, RoomId, RoomRules, WritePost, room_channel
from chatserver.metrics import Metrics
from chatserver.protocol import internode
from chatserver.protocol.codec import Encoding
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.records import RoomChange
from chatserver.store.store import Store
from tests.kit.database import migrated_sqlite
from tests.kit.frames import split

ROOM = RoomId("sleep")
CHANNEL = room_channel(ROOM)
ALIASES = Aliases(b"the hubs of tests")
AUTHOR = Persona(MemberId("m_author"), "Quiet Heron")
LONG = "x" * 1_000


def now() -> Millis:
    return Millis(time.time_ns() // 1_000_000)


class MemoryWire:
    """A socket's outgoing half that remembers. `is_stalled`: the peer takes nothing, and what is written waits."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.writes = 0
        self.waiting = 0
        self.is_stalled = False
        self.is_watched_closely = False
        self.owes = 0.0
        self.closed_with: int | None = None
        self.is_aborted = False
        self._drained: Callable[[], None] | None = None

    def write(self, frames: bytes) -> int:
        if self.is_aborted:
            return self.waiting
        self.writes += 1
        self.written.append(frames)
        if self.is_stalled:
            self.waiting += len(frames)
        return self.waiting

    def buffered(self) -> int:
        return self.waiting

    def when_drained(self, callback: Callable[[], None] | None) -> None:
        self._drained = callback
        if callback is not None and not self.is_stalled:
            asyncio.get_running_loop().call_soon(callback)

    def watch_closely(self, is_on: bool) -> None:
        self.is_watched_closely = is_on

    def unanswered(self) -> float:
        return self.owes

    def close(self, code: int, reason: str = "") -> None:
        if self.closed_with is None:
            self.closed_with = code

    def abort(self) -> None:
        self.is_aborted = True

    def drain(self) -> None:
        """The peer reads again."""
        self.is_stalled = False
        self.waiting = 0
        if self._drained is not None:
            callback, self._drained = self._drained, None
            callback()

    def pushes(self) -> list[dict[str, Any]]:
        """Every message written, decoded."""
        return [msgspec.json.decode(payload) for data in self.written for _, payload in split(data)]

    def offsets(self) -> list[int]:
        """The offsets of the facts written, in order."""
        return [push["offset"] for push in self.pushes() if "offset" in push]


class HubNode:
    """One worker's hub with its bus, as the server wires them."""

    def __init__(self, name: str, store: Store, exchange: Exchange, limits: Limits) -> None:
        self.id = NodeId(name.ljust(internode.NODE_ID_LENGTH, "0"))
        self.bus = MemoryBus(exchange)
        self.metrics = Metrics()
        self.hub = Hub(self.id, store, self.bus, limits, self.metrics, now, ALIASES)
        self._ticking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.bus.start(self._hear, lambda is_attached: None)
        self._ticking = asyncio.create_task(self.hub.run())

    async def stop(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        await self.hub.close()
        await self.bus.close()

    async def enter(
        self, since: StreamPosition | None = None, channel: ChannelName = CHANNEL, whom: MemberId | None = None
    ) -> tuple[Outbox, MemoryWire, Prepared]:
        """A new connection joins, as the handler does it."""
        outbox, wire, prepared = await self.prepare(since, channel, whom)
        self.hub.go_live(outbox, channel, prepared.position)
        return outbox, wire, prepared

    async def prepare(
        self, since: StreamPosition | None = None, channel: ChannelName = CHANNEL, whom: MemberId | None = None
    ) -> tuple[Outbox, MemoryWire, Prepared]:
        """A new connection is about to join, and is not live yet."""
        wire = MemoryWire()
        return Outbox(wire, Encoding.JSON), wire, await self.hub.prepare(channel, since, whom)

    def _hear(self, topic: str, payload: bytes) -> None:
        message = internode.decode(payload)
        if internode.sender_of(payload) != self.id and isinstance(message, internode.Announced):
            self.hub.take(message.publication)


class HubCluster:
    """A store with one room and one author, and as many nodes as a test asks for."""

    def __init__(self, store: SqliteStore, path: Path) -> None:
        self.store = store
        self.path = path
        self.exchange = Exchange()
        self._ids = itertools.count()
        self._nodes: list[HubNode] = []

    async def node(self, limits: Limits | None = None) -> HubNode:
        node = HubNode(f"node{len(self._nodes)}", self.store, self.exchange, limits or Limits())
        self._nodes.append(node)
        await node.start()
        return node

    async def commit(self, command: RoomCommand | str) -> Publication:
        """Make something a fact, without announcing it."""
        wanted = WritePost(text=command) if isinstance(command, str) else command
        committed = await self.store.commit(
            RoomChange(
                channel=CHANNEL,
                author=AUTHOR.id,
                command_id=CommandId(f"c{next(self._ids)}"),
                digest=b"",
                now=now(),
                target=target_of(wanted),
                decide=lambda state: decide(state, wanted, AUTHOR, RoomRules(), now()),
            )
        )
        return committed.publications[0]

    async def post(self, node: HubNode, command: RoomCommand | str) -> Publication:
        """Make something a fact and announce it from a node, as the one road does."""
        publication = await self.commit(command)
        node.hub.announce([publication])
        return publication

    async def close(self) -> None:
        for node in self._nodes:
            await node.stop()


@asynccontextmanager
async def open_site(directory: Path) -> AsyncIterator[HubCluster]:
    path = directory / "chat.db"
    migrated_sqlite(path)
    store = SqliteStore(path)
    await store.open()
    try:
        await store.add_rooms([Room(id=ROOM, name="Sleep", about="For the sleepless")])
        await store.add_member(
            Member(id=AUTHOR.id, name=AUTHOR.name, name_key="quietheron", created_at=now(), seen_at=now())
        )
        await store.join(AUTHOR.id, ROOM, 1)
        site = HubCluster(store, path)
        yield site
        await site.close()
    finally:
        await store.close()
