"""The composition root: names the backends, wires the ring, and takes it apart again.

Everything below is handed what it works with; only this file knows which bus and which store there are.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator, Coroutine
from typing import Any, assert_never

import msgspec
from starlette.applications import Starlette

from chatserver import __version__, wordlists
from chatserver.bus.contract import Bus
from chatserver.bus.memory import Exchange, MemoryBus
from chatserver.bus.redis import RedisBus
from chatserver.config import Settings, effective
from chatserver.delivery.hub import Hub
from chatserver.delivery.presence import Presence
from chatserver.delivery.tasks import Tasks
from chatserver.domain.errors import Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, NodeId, Persona
from chatserver.domain.listening.opening_hours import parse_hours
from chatserver.domain.people.names import warm_up
from chatserver.domain.rooms.aliases import Aliases
from chatserver.domain.rooms.rooms import Publication, RoomRules, room_of
from chatserver.domain.rooms.settings import Hours
from chatserver.domain.shared_limits import TELL_SECONDS, Sharing
from chatserver.edge.addresses import Addresses, AddressKeys, trusting
from chatserver.edge.app import build_app
from chatserver.edge.gate import STATE_KEY, Gate
from chatserver.edge.guard import Cookies, Origins
from chatserver.edge.staff_asking import StaffCookies
from chatserver.handlers import membership
from chatserver.handlers.dispatcher import Desk
from chatserver.handlers.high_water import KEEP_SECONDS, Keeper
from chatserver.handlers.listening.opening_hours import Clock
from chatserver.handlers.listening.queue_simulator import simulation
from chatserver.handlers.listening.service import FloorKeeper
from chatserver.handlers.moderation.enforcement import Watch
from chatserver.handlers.moderation.monitor import Overseer
from chatserver.handlers.moderation.statistics import statistics
from chatserver.handlers.node import Node
from chatserver.handlers.operating.health import Health
from chatserver.handlers.operating.load import LoadKeeper
from chatserver.handlers.people import hiding, members, sign_ins
from chatserver.handlers.people.account_monitor import AccountsKeeper
from chatserver.handlers.people.arrivals import Arrivals
from chatserver.handlers.people.hiding import HidingBook
from chatserver.handlers.people.identity import Identities, new_member_id
from chatserver.handlers.people.staff import DEVICE_AGE, StaffAccounts
from chatserver.handlers.people.tries import Tries
from chatserver.handlers.periodic import SECOND, Sweep
from chatserver.handlers.rooms import seats
from chatserver.handlers.rooms.admission import HouseKeeper
from chatserver.handlers.rooms.coverage import DutyKeeper
from chatserver.metrics import Metrics
from chatserver.protocol import internode
from chatserver.protocol.internode import (
    NODE_ID_LENGTH,
    TOPIC_LOAD,
    TOPIC_NODES,
    Announced,
    Canary,
    CredentialsRaised,
    DrainWanted,
    FloorChanged,
    HidingChanged,
    Lease,
    LoadTold,
    MemberChanged,
    MemberEnded,
    ModerationChanged,
    NodeLeft,
    PresenceDelta,
    PresenceSnapshot,
    RoomLeft,
    RoomRead,
    SeatGivenUp,
    SnapshotWanted,
    Spent,
    StaffChanged,
    TypingSeen,
    node_topic,
)
from chatserver.seeds import seed_rooms
from chatserver.store.contract import Store, StoreUnavailable
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.webroot import web_root

STORE_TIMEOUT_SECONDS = 5.0

log = logging.getLogger("chatserver.server")


def create_app() -> Starlette:
    """The ASGI app of one worker, from the effective configuration. uvicorn calls this in every worker."""
    return Server(effective()).app


class Server:
    """One worker, from its start to its drained end. Each instance may be started once."""

    def __init__(self, settings: Settings) -> None:
        limits = settings.limits
        self._workers = settings.workers
        metrics = Metrics()
        store = make_store(settings)
        bus = _bus(settings)
        node_id = NodeId(secrets.token_hex(NODE_ID_LENGTH // 2))
        identities = Identities(
            store,
            token_key=settings.secret("identity tokens"),
            code_pepper=settings.secret("come-back codes"),
            name_length=limits.name_length,
            now=_now,
            draw=secrets.randbelow,
        )
        accounts = make_accounts(settings, store)
        aliases = Aliases(settings.secret("aliases"))
        sharing = Sharing(settings.workers)
        self.node = Node(
            id=node_id,
            sharing=sharing,
            store=store,
            bus=bus,
            hub=Hub(node_id, store, bus, limits, metrics, _now, aliases),
            aliases=aliases,
            hiding=HidingBook(),
            presence=Presence(node_id),
            identities=identities,
            staff=accounts,
            limits=limits,
            rules=RoomRules(
                contact_policy=settings.listening.contact_details,
                room_contact_policy=settings.rooms.contact_details,
                text_length=limits.text_length,
                warning_length=limits.warning_length,
                edit_window=limits.edit_seconds * 1000,
            ),
            retention=settings.store_retention,
            words=wordlists.load(settings.words_dir),
            safety_contact=settings.safety_contact,
            metrics=metrics,
            now=_now,
            monotonic=time.monotonic,
        )
        identities.room_age = settings.store_retention.room_age
        identities.on_erased = self._erased
        identities.on_erasing = self._erasing
        accounts.on_changed = self._staff_changed
        accounts.on_reset = self._stepped_out
        self.node.floor = FloorKeeper(
            self.node,
            settings.floor_rules,
            Clock(parse_hours(settings.listening.hours), settings.listening.timezone),
            settings.listening.languages,
        )
        self.node.watch = Watch(self.node)
        self.node.house = HouseKeeper(
            self.node,
            Hours(hours=settings.listening.hours, timezone=settings.listening.timezone),
            settings.secret("challenges"),
        )
        self.node.accounts = AccountsKeeper(self.node)
        self.node.arrivals = Arrivals(self.node)
        identities.on_raised = self.node.arrivals.raised
        self.node.duty = DutyKeeper(self.node, settings.duty_rules)
        self.node.stop = _stop
        self.node.overseer = Overseer(self.node)
        keys = AddressKeys(settings.secret("address keys"), time.time, settings.networks_shared)
        is_trusted = trusting(settings.trusted_proxies)
        self._gate = Gate(limits, lambda address: None if is_trusted(address) else keys.source(address))
        self._gate.on_drain(self._drain)
        self._health = Health(self.node)
        self._sweep = Sweep(self.node, self._health)
        self.node.load = LoadKeeper(
            self.node,
            self._health,
            settings.thresholds,
            name=f"{socket.gethostname()}:{os.getpid()}",
            version=__version__,
        )
        self.node.hub.on_caught_up = self._sweep.restate_presence
        self._high_water = Keeper(store, settings.data_dir)
        self._tasks = Tasks()
        secure = {"auto": None, "always": True, "never": False}[settings.secure_cookies]
        self.app = build_app(
            desk=Desk(self.node),
            identities=identities,
            accounts=accounts,
            watch=self.node.watch,
            statistics=lambda: statistics(store, _now(), settings.store_retention, keep=settings.floor_rules.keep),
            simulation=lambda asked: simulation(
                store, _now(), settings.floor_rules, asked.policy(settings.floor_rules), days=asked.days
            ),
            health=self._health,
            exposition=metrics.exposition,
            gate=self._gate,
            addresses=Addresses(keys, limits, time.monotonic, sharing),
            inner_port=settings.metrics_port,
            tries=make_tries(settings, store),
            origins=Origins(settings.public_origins),
            cookies=Cookies("chat_identity", max_age=settings.store_retention.member_age // 1000, secure=secure),
            staff_cookies=StaffCookies(
                sign_in_seconds=settings.sign_in_age // 1000, device_seconds=DEVICE_AGE // 1000, secure=secure
            ),
            web_root=web_root(),
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[dict[str, Any]]:
        node = self.node
        await node.store.open()
        try:
            await node.store.add_rooms(seed_rooms())
            await self._sweep.load_rooms()
            await sign_ins.load_names(node)
            await node.floor.start()
            await node.watch.tick()
            await node.bus.start(self._hear, self._attached)
            await node.bus.subscribe([TOPIC_NODES, TOPIC_LOAD, node_topic(node.id)])
            for work, name in (
                (node.hub.run(), "hub"),
                (self._sweep.run(), "sweep"),
                (node.floor.run(), "floor"),
                (node.load.run(), "load"),
                (node.overseer.run(), "overseer"),
                (self._count_turned_away(), "turned away"),
                (self._tell_spent(), "tell spent"),
                (self._keep_high_water(), "keep high water"),
            ):
                self._tasks.start(self._for_ever(work), name)
            # Otherwise the first guest would wait for it, and everybody with them.
            await asyncio.to_thread(warm_up)
            _calm_collector()
            log.info("worker_started", extra={"node": node.id, "rooms": len(node.rooms)})
            yield {STATE_KEY: self._gate}
        finally:
            node.is_draining = True
            node.bus.publish([(topic, internode.encode(node.id, m)) for topic, m in node.presence.farewell()])
            await self._tasks.close()
            await node.load.close()
            await node.floor.close()
            await node.hub.close()
            await node.bus.close()
            with contextlib.suppress(StoreUnavailable, Refusal):
                await self._high_water.keep()
            await node.store.close()
            log.info("worker_stopped", extra={"node": node.id})

    # ------------------------------------------------------------------------------------------ the returning half

    def _hear(self, topic: str, payload: bytes) -> None:
        """A message from the bus: everything that other workers, or this one's own canary, have to say."""
        node = self.node
        sender = internode.sender_of(payload)
        if sender == node.id and topic != node_topic(node.id):
            return
        try:
            message = internode.decode(payload)
        except msgspec.MsgspecError:
            log.warning("bus_message_unreadable", extra={"topic": topic, "bytes": len(payload)})
            return
        match message:
            case Announced(publication=publication):
                node.hub.take(publication)
            case TypingSeen(channel=channel, member=member, generation=generation):
                hiding.tell_typing(node, channel, Persona(member, "", generation))
            case Canary():
                self._health.heard(message)
            case Spent(spent=spent, held=held):
                node.sharing.heard(sender, spent, held, node.monotonic())
            case LoadTold(sample=sample):
                node.load.take(sender, sample)
            case PresenceDelta() | PresenceSnapshot() | Lease() | SnapshotWanted() | NodeLeft():
                node.presence.receive(sender, message, node.monotonic())
                if isinstance(message, NodeLeft):
                    node.load.left(sender)
            case MemberChanged(member=member):
                self._tasks.start(members.reload_member(node, member), "reload member")
            case HidingChanged(members=whom):
                self._tasks.start(members.reload_hiding(node, whom), "reload hiding")
            case MemberEnded(member=member):
                node.end_member(member)
            case CredentialsRaised(member=member, credentials=credentials):
                node.arrivals.end_older(member, credentials)
            case SeatGivenUp(member=member, channel=channel):
                seats.give_up(node, member, room_of(channel))
            case RoomLeft(member=member, channel=channel):
                membership.left(node, member, room_of(channel))
            case RoomRead(member=member, channel=channel, offset=offset):
                membership.read(node, member, room_of(channel), offset)
            case StaffChanged():
                self._tasks.start(self._look_at_staff(), "look at staff")
            case FloorChanged(version=version):
                node.floor.changed(version)
            case DrainWanted():
                if not node.is_draining:
                    node.stop()
            case ModerationChanged():
                self._tasks.start(self._look_at_moderation(), "look at moderation")
            case _:
                assert_never(message)

    def _attached(self, is_attached: bool) -> None:
        log.info("bus_attached" if is_attached else "bus_detached", extra={"node": self.node.id})
        if is_attached:
            # What was told meanwhile is lost.
            self._tasks.start(members.heal_soon(self.node), "heal members")

    def _drain(self) -> None:
        self.node.is_draining = True

    async def _for_ever(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what has to go on for as long as this worker lives.

        Where it ends all the same the worker goes, in good order, and is replaced: one without its clock would look
        well and be of no use.
        """
        try:
            await work
        finally:
            if not self.node.is_draining:
                self.node.stop()

    async def _count_turned_away(self) -> None:
        """The gate's plain numbers as metrics: edge and metrics know nothing of each other."""
        while True:
            await asyncio.sleep(1.0)
            self.node.metrics.refused.set(self._gate.refused)
            self.node.metrics.went_silent.set(self._gate.went_silent)

    async def _keep_high_water(self) -> None:
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            with contextlib.suppress(StoreUnavailable, Refusal):
                await self._high_water.keep()

    async def _tell_spent(self) -> None:
        """Tell the other workers what members and addresses do here, so that their limits hold over all of them."""
        node, sharing, owing = self.node, self.node.sharing, asyncio.Event()
        sharing.on_owing = owing.set
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SECOND):
                    await owing.wait()
            owing.clear()
            sharing.is_attached = node.bus.is_attached
            if sharing.is_attached:
                others = len(node.presence.nodes()) - 1
                sharing.workers = max(self._workers, others + 1)
                for spent, held in sharing.to_tell(node.monotonic()):
                    if others:
                        node.tell_nodes(Spent(spent, held))
                await asyncio.sleep(TELL_SECONDS)
            else:
                # Every other worker seems to be gone: the last number is the better one, and what is owed waits.
                sharing.settle(node.monotonic())
                await asyncio.sleep(SECOND)

    def _staff_changed(self, member: MemberId) -> None:
        self._tasks.start(self._look_at_staff(), "look at staff")
        sign_ins.changed(self.node, member)

    async def _look_at_staff(self) -> None:
        self.node.floor.look_at_staff()
        with contextlib.suppress(StoreUnavailable):
            # Where the store is away the sweep asks again, and counts it.
            await sign_ins.look_again(self.node)

    async def _look_at_moderation(self) -> None:
        with contextlib.suppress(StoreUnavailable):
            await self.node.watch.tick()

    async def _erasing(self, member: MemberId) -> None:
        """Before somebody goes: nobody waits for them, or sits with them, any longer."""
        await self.node.floor.dismiss(member, is_erased=True)

    async def _stepped_out(self, member: MemberId) -> None:
        """Before anybody has the link to somebody's account: what is said one to one is not behind it."""
        await self.node.floor.step_out(member)

    def _erased(self, member: MemberId, publications: list[Publication]) -> None:
        members.erased(self.node, member, publications)


def _calm_collector() -> None:
    """Look for cyclic garbage seldom, and never among what is there to stay: connections leave no cycles behind, and
    looking through thousands of them again and again was a fifth of what a new one cost."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def _stop() -> None:
    """End this worker as its supervisor would: sockets are told to come back elsewhere, and another one is started.

    One that runs alone has nobody who starts another, and takes SIGHUP to serve anew by itself. Everywhere else SIGHUP
    is ignored, or would end the process at once.
    """
    serves_anew = callable(signal.getsignal(signal.SIGHUP))
    signal.raise_signal(signal.SIGHUP if serves_anew else signal.SIGTERM)


def _now() -> Millis:
    return Millis(time.time_ns() // 1_000_000)


def _bus(settings: Settings) -> Bus:
    if settings.redis_url is None:
        return MemoryBus(Exchange())
    return RedisBus(settings.redis_url, prefix=settings.redis_namespace)


def make_tries(settings: Settings, store: Store) -> Tries:
    """What counts the tries of secrets in a store, the same for every worker."""
    return Tries(store, settings.secret("tries"), settings.limits, _now)


def make_accounts(settings: Settings, store: Store) -> StaffAccounts:
    """The staff's accounts in a store."""
    return StaffAccounts(
        store,
        tries=make_tries(settings, store),
        new_id=lambda: new_member_id(secrets.randbelow),
        now=_now,
        name_length=settings.limits.name_length,
        sign_in_age=settings.sign_in_age,
        invitation_age=settings.invitation_age,
        device_key=settings.secret("device cookies"),
    )


def make_store(settings: Settings) -> Store:
    """The configured store, not opened yet."""
    key = settings.secret("sealed copies")
    scheme, _, rest = settings.database_url.partition("://")
    if scheme == "sqlite":
        return SqliteStore(rest.removeprefix("/"), timeout=STORE_TIMEOUT_SECONDS, sealing_key=key)
    # asyncpg is an extra: whoever keeps everything in SQLite need not have it.
    from chatserver.store.drivers.postgres import PostgresStore  # noqa: PLC0415

    return PostgresStore(
        settings.database_url,
        timeout=STORE_TIMEOUT_SECONDS,
        sealing_key=key,
        connections=settings.database_connections,
    )
