"""Workers without sockets for handler tests: real SQLite, the in-process bus, a desk each, clocks that may be wrong."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from chatserver.bus.memory import Exchange, MemoryBus
from chatserver.delivery.hub import Hub
from chatserver.delivery.presence import Presence
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, NodeId
from chatserver.domain.limits import Limits
from chatserver.domain.rooms import Room, RoomId, RoomRules
from chatserver.handlers import members
from chatserver.handlers.connection import Connection
from chatserver.handlers.desk import Desk
from chatserver.handlers.health import Health
from chatserver.handlers.identity import Identities, new_member_id
from chatserver.handlers.node import Node
from chatserver.handlers.staff import StaffAccounts
from chatserver.handlers.sweep import Sweep
from chatserver.metrics import Metrics
from chatserver.store.contract import Retention
from chatserver.store.migrate import migrate
from chatserver.store.sqlite import SqliteStore
from tests.delivery.hub_house import MemoryWire

PLAIN = RoomId("plain")
SLOW = RoomId("slow")
KEY = b"k" * 32


class LateStore(SqliteStore):
    """A store that answers some questions only when the test lets it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.gates: dict[str, asyncio.Event] = {}
        self.waiting: set[str] = set()

    def hold(self, name: str) -> asyncio.Event:
        """From now on the answer to the method `name` waits for the event that is returned."""
        gate = self.gates[name] = asyncio.Event()
        return gate

    async def pass_gate(self, name: str) -> None:
        if (gate := self.gates.pop(name, None)) is not None:
            self.waiting.add(name)
            await gate.wait()
            self.waiting.discard(name)

    async def join(self, *args: Any) -> Any:
        found = await super().join(*args)
        await self.pass_gate("join")
        return found

    async def muted(self, *args: Any) -> Any:
        found = await super().muted(*args)
        await self.pass_gate("muted")
        return found


class Guest:
    """One connection at a desk."""

    def __init__(self, worker: Worker, token: str | None) -> None:
        self.wire = MemoryWire()
        self._worker = worker
        self.connection: Connection = worker.desk.open(
            self.wire, binary=False, token=token, staff_token=None, admit_guest=lambda: 0.0
        )
        self._ids = itertools.count()
        self._name = secrets.token_hex(4)

    async def ask(self, cmd: str, **fields: Any) -> dict[str, Any]:
        """Send a command; give its reply, whether `ok` or `error`."""
        command_id = f"{self._name}-{next(self._ids)}"
        await self._worker.desk.receive(
            self.connection, msgspec.json.encode({"cmd": cmd, "id": command_id, **fields}).decode()
        )
        return next(each for each in self.wire.pushes() if each.get("re") == command_id)

    def heard(self, push: str) -> list[dict[str, Any]]:
        return [each for each in self.wire.pushes() if each.get("push") == push]


class Worker:
    """A node as the server builds it. `skew` in milliseconds is how wrong its clock is."""

    def __init__(self, store: SqliteStore, exchange: Exchange, *, limits: Limits, skew: int = 0) -> None:
        def now() -> Millis:
            return Millis(time.time_ns() // 1_000_000 + skew)

        node_id = NodeId(secrets.token_hex(6))
        metrics, bus = Metrics(), MemoryBus(exchange)
        identities = Identities(store, token_key=KEY, code_pepper=KEY, name_length=24, now=now, draw=secrets.randbelow)
        self.node = Node(
            id=node_id,
            store=store,
            bus=bus,
            hub=Hub(node_id, store, bus, limits, metrics, now),
            presence=Presence(node_id),
            identities=identities,
            staff=StaffAccounts(
                store,
                new_id=lambda: new_member_id(secrets.randbelow),
                now=now,
                name_length=24,
                sign_in_age=3_600_000,
                invitation_age=3_600_000,
            ),
            limits=limits,
            rules=RoomRules(),
            retention=Retention(),
            metrics=metrics,
            now=now,
            monotonic=time.monotonic,
        )
        identities.on_erased = lambda member, publications: members.erased(self.node, member, publications)
        self.desk = Desk(self.node)
        self.sweep = Sweep(self.node, Health(self.node))

    async def start(self) -> None:
        await self.node.bus.start(lambda topic, payload: None, lambda is_attached: None)
        await self.sweep.load_rooms()

    async def stop(self) -> None:
        await self.node.hub.close()
        await self.node.bus.close()

    async def guest(self, token: str | None = None) -> Guest:
        """Somebody new, or the member behind `token`, who has said hello."""
        guest = Guest(self, token)
        reply = await guest.ask("hello", guest=token is None)
        assert "ok" in reply, reply
        return guest

    def token_of(self, guest: Guest) -> str:
        assert guest.connection.person is not None
        return self.node.identities.token_for(MemberId(guest.connection.person.id))


class House:
    """One store, and as many workers as a test asks for."""

    def __init__(self, store: LateStore) -> None:
        self.store = store
        self.exchange = Exchange()
        self._workers: list[Worker] = []

    async def worker(self, *, limits: Limits | None = None, skew: int = 0) -> Worker:
        worker = Worker(self.store, self.exchange, limits=limits or Limits(), skew=skew)
        self._workers.append(worker)
        await worker.start()
        return worker

    async def close(self) -> None:
        for worker in self._workers:
            await worker.stop()


@asynccontextmanager
async def open_house(directory: Path) -> AsyncIterator[House]:
    path = directory / "chat.db"
    await asyncio.to_thread(migrate, f"sqlite:///{path}")
    store = LateStore(path)
    await store.open()
    try:
        await store.add_rooms(
            [
                Room(id=PLAIN, name="Plain", about="For anything"),
                Room(id=SLOW, name="Slow", about="One at a time", slow_mode=1),
            ]
        )
        house = House(store)
        yield house
        await house.close()
    finally:
        await store.close()
