"""Workers without sockets for handler tests: real SQLite, the in-process bus, a desk each, clocks that may be wrong."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from chatserver.bus.memory import Exchange, MemoryBus
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, NodeId
from chatserver.domain.limits import Limits
from chatserver.domain.listening.training import QUESTIONS
from chatserver.domain.moderation.text_model import TextModel
from chatserver.domain.people.staff import Role
from chatserver.domain.rooms.aliases import Aliases
from chatserver.domain.rooms.rooms import Room, RoomId
from chatserver.domain.sources import UNKNOWN_SOURCE, Prefixes, Source
from chatserver.handlers.connection import Connection
from chatserver.handlers.people.identity import Identities, new_member_id
from chatserver.handlers.people.staff import StaffAccounts
from chatserver.metrics import Metrics
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.wordlists import load
from chatserver.worker import Worker as BuiltWorker
from chatserver.worker import WorkerOptions
from tests.delivery.hub_kit import MemoryWire
from tests.kit.database import migrated_sqlite

PLAIN = RoomId("plain")
SLOW = RoomId("slow")
KEY = b"k" * 32

WORDS = load()


LATE: Final = (
    "commit", "page", "rename", "join", "join_with_page", "left_rooms", "hiding", "hiding_and_bars", "moves_of",
)  # fmt: skip
"""The methods of the store whose answers a test can hold back."""


class LateStore(SqliteStore):
    """A store that answers some questions only when the test lets it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.gates: dict[str, asyncio.Event] = {}
        self.waiting: set[str] = set()

    def hold(self, name: str) -> asyncio.Event:
        """From now on the answer to the method `name` waits for the event that is returned. Raises ValueError for one
        whose answers cannot be held back."""
        if name not in LATE:
            raise ValueError(name)
        gate = self.gates[name] = asyncio.Event()
        return gate

    async def pass_gate(self, name: str) -> None:
        if (gate := self.gates.pop(name, None)) is not None:
            self.waiting.add(name)
            await gate.wait()
            self.waiting.discard(name)


def _late(name: str) -> Callable[..., Awaitable[Any]]:
    """Return a method that asks the store, and keeps the answer until its gate opens."""

    async def answer(self: LateStore, *args: Any) -> Any:
        found = await getattr(super(LateStore, self), name)(*args)
        await self.pass_gate(name)
        return found

    return answer


for _name in LATE:
    setattr(LateStore, _name, _late(_name))


class Guest:
    """One connection at a desk."""

    def __init__(self, worker: Worker, token: str | None, *, source: Source = UNKNOWN_SOURCE) -> None:
        self.wire = MemoryWire()
        self._worker = worker
        self.connection: Connection = worker.dispatcher.open(
            self.wire,
            binary=False,
            token=token,
            staff_token=None,
            address_limits=worker,
            source=source,
        )
        self._ids = itertools.count()
        self._name = secrets.token_hex(4)

    async def ask(self, cmd: str, **fields: Any) -> dict[str, Any]:
        """Send a command; give its reply, whether `ok` or `error`."""
        command_id = f"{self._name}-{next(self._ids)}"
        await self._worker.dispatcher.receive(
            self.connection, msgspec.json.encode({"cmd": cmd, "id": command_id, **fields}).decode()
        )
        return next(each for each in self.wire.pushes() if each.get("re") == command_id)

    @property
    def member(self) -> MemberId:
        assert self.connection.person is not None
        return self.connection.person.id

    def id_in(self, room: str) -> str:
        """As others in a room know them now."""
        assert self.connection.person is not None
        persona = self.connection.person
        return self._worker.node.aliases.in_room(RoomId(room), persona.id, persona.generation)

    async def proposal(self) -> str:
        """The id of what is proposed to this listener, as soon as their worker has heard of it."""
        deadline = asyncio.get_running_loop().time() + 5.0
        while "proposal" not in (view := (await self.ask("console"))["ok"]):
            assert asyncio.get_running_loop().time() < deadline, "nothing was proposed"
            await asyncio.sleep(0.01)
        return str(view["proposal"]["id"])

    async def colleague(self, other: Guest) -> str:
        """By which id this listener knows another one."""
        assert other.connection.person is not None
        name = other.connection.person.name
        shown = (await self.ask("console"))["ok"]["colleagues"]
        return str(next(each["id"] for each in shown if each["name"] == name))

    def heard(self, push: str) -> list[dict[str, Any]]:
        return [each for each in self.wire.pushes() if each.get("push") == push]


class Worker(BuiltWorker):
    """A worker as the server builds it, without its periodic jobs. `skew` in milliseconds is how wrong its clock is."""

    def __init__(
        self, store: SqliteStore, exchange: Exchange, *, limits: Limits, skew: int = 0, model: TextModel | None = None
    ) -> None:
        def now() -> Millis:
            return Millis(time.time_ns() // 1_000_000 + skew)

        super().__init__(
            id=NodeId(secrets.token_hex(6)),
            store=store,
            bus=MemoryBus(exchange),
            identities=Identities(
                store, token_key=KEY, code_pepper=KEY, name_length=24, now=now, draw=secrets.randbelow
            ),
            accounts=StaffAccounts(
                store,
                new_id=lambda: new_member_id(secrets.randbelow),
                now=now,
                name_length=24,
                sign_in_age=3_600_000,
                invitation_age=3_600_000,
            ),
            aliases=Aliases(KEY),
            words=WORDS,
            challenge_key=KEY,
            metrics=Metrics(),
            now=now,
            monotonic=time.monotonic,
            options=WorkerOptions(limits=limits, languages=("en", "de"), name="lamp:1", version="0.1.0"),
            model=model,
        )
        self.words_wait = 0.0
        """Seconds for which nobody may try come-back words."""
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.attach()
        await self.prepare()

    def follow(self) -> None:
        """From now on follow the queue, as a server does."""
        self._following = asyncio.create_task(self.listening.service.run())

    def admit_guest(self) -> float:
        return 0.0

    async def admit_code(self) -> None:
        """Count nothing."""

    async def admit_words(self) -> None:
        if self.words_wait > 0:
            raise Refusal(Reason.RATE_LIMITED, retry_after=self.words_wait)

    async def stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await super().stop()

    async def guest(
        self, token: str | None = None, *, address: bytes = b"", around: tuple[bytes, ...] = (), allowance: int = 1
    ) -> Guest:
        """Somebody new, or the member behind `token`, who has said hello, from a place that is shared by as many as
        `allowance` says."""
        source = Source(Prefixes((address, *around), ()), allowance) if address else UNKNOWN_SOURCE
        guest = Guest(self, token, source=source)
        reply = await guest.ask("hello", guest=token is None)
        assert "ok" in reply, reply
        return guest

    async def operator(self, login: str) -> Guest:
        """A new operator who has said hello."""
        link = await self.people.accounts.make_invitation([Role.OPERATOR], None)
        welcome = await self.people.accounts.accept_invitation(
            link.secret, login, login.title(), "lamp river boots sky"
        )
        operator = Guest(self, None)
        reply = await operator.ask("hello", staff=True, token=welcome.token)
        assert "ok" in reply, reply
        return operator

    async def listener(self, login: str) -> Guest:
        """A new listener at their console, who may be asked."""
        link = await self.people.accounts.make_invitation([Role.LISTENER], None)
        welcome = await self.people.accounts.accept_invitation(
            link.secret, login, login.title(), "lamp river boots sky"
        )
        listener = Guest(self, None)
        for command, fields in (
            ("hello", {"staff": True, "token": welcome.token}),
            ("console", {}),
            ("ready", {"answers": [question.right for question in QUESTIONS]}),
            ("available", {"on": True}),
        ):
            reply = await listener.ask(command, **fields)
            assert "ok" in reply, reply
        return listener

    def token_of(self, guest: Guest) -> str:
        return self.people.identities.token_for(guest.member)


class Cluster:
    """One store, and as many workers as a test asks for."""

    def __init__(self, store: LateStore) -> None:
        self.store = store
        self.exchange = Exchange()
        self._workers: list[Worker] = []

    async def worker(self, *, limits: Limits | None = None, skew: int = 0, model: TextModel | None = None) -> Worker:
        worker = Worker(self.store, self.exchange, limits=limits or Limits(), skew=skew, model=model)
        self._workers.append(worker)
        await worker.start()
        return worker

    async def close(self) -> None:
        for worker in self._workers:
            await worker.stop()


@asynccontextmanager
async def open_cluster(directory: Path) -> AsyncIterator[Cluster]:
    path = directory / "chat.db"
    migrated_sqlite(path)
    store = LateStore(path)
    await store.open()
    try:
        await store.add_rooms(
            [
                Room(id=PLAIN, name="Plain", about="For anything"),
                Room(id=SLOW, name="Slow", about="One at a time", slow_mode=1),
            ]
        )
        site = Cluster(store)
        yield site
        await site.close()
    finally:
        await store.close()


async def ok(guest: Guest, cmd: str, **fields: Any) -> dict[str, Any]:
    """Send a command that is accepted. Return what it is answered with."""
    reply = await guest.ask(cmd, **fields)
    assert "ok" in reply, reply
    answer: dict[str, Any] = reply["ok"]
    return answer


async def refused(guest: Guest, cmd: str, **fields: Any) -> str:
    """Send a command that is refused. Return the code of the refusal."""
    return str((await guest.ask(cmd, **fields))["error"]["code"])


async def facilitator(worker: Worker, login: str) -> Guest:
    """Make a facilitator's account, and sign in with it."""
    link = await worker.people.accounts.make_invitation([Role.FACILITATOR], None)
    welcome = await worker.people.accounts.accept_invitation(link.secret, login, login.title(), "lamp river boots sky")
    guest = Guest(worker, None)
    await ok(guest, "hello", staff=True, token=welcome.token)
    return guest
