"""One worker, put together: the core, its features in one list, and how they start, hear each other and stop.

The server, the tests of handlers, the simulation and the bench all build their workers here, so that no feature can be
forgotten in one of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from chatserver.bus.contract import Bus
from chatserver.delivery.hub import Hub
from chatserver.delivery.presence import Presence
from chatserver.domain.history import Millis
from chatserver.domain.identity import NodeId
from chatserver.domain.limits import Limits
from chatserver.domain.listening.opening_hours import parse_hours
from chatserver.domain.listening.state import ListeningRules
from chatserver.domain.moderation.crisis_phrases import Words
from chatserver.domain.moderation.screening_curve import Curve
from chatserver.domain.moderation.screening_levels import Loads
from chatserver.domain.moderation.text_model import TextModel
from chatserver.domain.operating.alerts import Thresholds
from chatserver.domain.rooms.aliases import Aliases
from chatserver.domain.rooms.coverage import CoverageRules
from chatserver.domain.rooms.rooms import RoomKind, RoomRules
from chatserver.domain.rooms.settings import Hours
from chatserver.domain.shared_limits import TELL_SECONDS, Sharing
from chatserver.handlers.dispatcher import CommandDispatcher
from chatserver.handlers.exchange.part import ExchangePart
from chatserver.handlers.exchange.service import ExchangeService
from chatserver.handlers.hiding_book import HidingBook
from chatserver.handlers.listening.companies import CompanyRooms
from chatserver.handlers.listening.opening_hours import Clock
from chatserver.handlers.listening.part import ListeningPart, SupervisionPart
from chatserver.handlers.listening.service import ListeningService
from chatserver.handlers.meetings.part import MeetingsPart
from chatserver.handlers.meetings.service import MeetingService
from chatserver.handlers.moderation.part import ModerationPart
from chatserver.handlers.node import Node
from chatserver.handlers.operating.part import HealthPart, LoadPart, OperatingPart
from chatserver.handlers.part import Part
from chatserver.handlers.people.identity import Identities
from chatserver.handlers.people.part import AccountsPart, PeoplePart
from chatserver.handlers.people.staff import StaffAccounts
from chatserver.handlers.periodic import PeriodicJobs
from chatserver.handlers.rooms.part import RoomsPart
from chatserver.metrics import Metrics
from chatserver.protocol import internode
from chatserver.protocol.internode import (
    TOPIC_LOAD,
    TOPIC_NODES,
    Announced,
    Lease,
    NodeLeft,
    PresenceDelta,
    PresenceSnapshot,
    SnapshotWanted,
    Spent,
    node_topic,
)
from chatserver.store.records import Retention
from chatserver.store.store import Store

SECOND: Final = 1.0

log = logging.getLogger("chatserver.server")


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerOptions:
    """What a worker is told of its service. The defaults are those of the configuration."""

    limits: Limits = field(default_factory=Limits)
    room_rules: RoomRules = field(default_factory=RoomRules)
    retention: Retention = field(default_factory=Retention)
    listening_rules: ListeningRules = field(default_factory=ListeningRules)
    coverage_rules: CoverageRules = field(default_factory=CoverageRules)
    thresholds: Thresholds = field(default_factory=Thresholds)
    loads: Loads = field(default_factory=Loads)
    is_second_look_wanted: bool = True
    hours: str = "always"
    timezone: str = "UTC"
    languages: tuple[str, ...] = ("en",)
    exchange: bool = False
    """Whether two members may talk and listen by turns."""
    safety_contact: str = ""
    workers: int = 1
    """How many workers there are on this machine."""
    name: str = ""
    """How staff are told this worker from others: host and process."""
    version: str = ""


class Worker:
    """One worker, from its start to its drained end. Each instance may be started once."""

    def __init__(
        self,
        *,
        id: NodeId,
        store: Store,
        bus: Bus,
        identities: Identities,
        accounts: StaffAccounts,
        aliases: Aliases,
        words: Words,
        challenge_key: bytes,
        metrics: Metrics,
        now: Callable[[], Millis],
        monotonic: Callable[[], float],
        options: WorkerOptions,
        model: TextModel | None = None,
        curve: Curve | None = None,
    ) -> None:
        """`now` is the wall clock in milliseconds, `monotonic` a clock in seconds. Without a
        `model` the word lists go alone; `curve` is what it finds of test sentences."""
        self._workers = options.workers
        self.node = node = Node(
            id=id,
            store=store,
            bus=bus,
            hub=Hub(id, store, bus, options.limits, metrics, now, aliases),
            aliases=aliases,
            hiding=HidingBook(),
            presence=Presence(id),
            limits=options.limits,
            rules=options.room_rules,
            retention=options.retention,
            words=words,
            metrics=metrics,
            now=now,
            monotonic=monotonic,
            safety_contact=options.safety_contact,
            sharing=Sharing(options.workers),
        )
        self.people = PeoplePart(node, identities, accounts)
        self.moderation = ModerationPart(node, self.people.arrivals)
        clock = Clock(parse_hours(options.hours), options.timezone)
        listening = ListeningService(node, identities, options.listening_rules, clock, options.languages)
        self.listening = ListeningPart(listening)
        self.meetings = MeetingsPart(MeetingService(node, listening))
        self.exchange = ExchangePart(
            ExchangeService(
                node,
                self.meetings.service,
                self.moderation.enforcement,
                options.languages,
                is_enabled=options.exchange,
            )
        )
        hours = Hours(hours=options.hours, timezone=options.timezone)
        self.rooms = RoomsPart(
            node,
            self.moderation.enforcement,
            listening,
            hours,
            challenge_key,
            options.coverage_rules,
            {
                RoomKind.SESSION: listening,
                RoomKind.COMPANY: CompanyRooms(listening),
                RoomKind.MEETING: self.meetings.service,
            },
            model,
            options.loads,
        )
        self.health = HealthPart(node)
        self.load = LoadPart(
            node,
            self.health.health,
            self.moderation,
            listening,
            self.rooms,
            options.thresholds,
            name=options.name,
            version=options.version,
        )
        node.parts = self.parts = (
            self.people,
            AccountsPart(node),
            self.moderation,
            self.listening,
            SupervisionPart(listening),
            self.meetings,
            self.exchange,
            self.rooms,
            self.health,
            self.load,
            OperatingPart(
                node, self.rooms, self.load.monitor, curve, is_second_look_wanted=options.is_second_look_wanted
            ),
        )
        self.dispatcher = CommandDispatcher(node, self.people.context)
        self.dispatcher.register(self.parts)
        self.jobs = PeriodicJobs(node, [job for part in self.parts for job in part.jobs()])
        self._heard_by = _heard_by(self.parts)

    # ------------------------------------------------------------------------------------------ start and stop

    async def prepare(self) -> None:
        """Read what has to be known before anybody is served. The store is open. Raises StoreUnavailable."""
        for part in self.parts:
            await part.start()

    async def attach(self) -> None:
        """Hear other workers from now on, and be heard."""
        await self.node.bus.start(self._hear, self._attached)
        await self.node.bus.subscribe([TOPIC_NODES, TOPIC_LOAD, node_topic(self.node.id)])

    def run(self) -> None:
        """Begin what goes on for as long as this worker lives."""
        self.go_on(self.node.hub.run(), "hub")
        self.go_on(self.jobs.run(), "periodic jobs")
        self.go_on(self._tell_spent(), "tell spent")
        for part in self.parts:
            for service in part.services():
                self.go_on(service.run(), service.name)

    def go_on(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Begin something that has to go on for as long as this worker lives."""
        self.node.tasks.start(self._for_ever(work), name)

    async def stop(self) -> None:
        """Say farewell to the other workers, and end everything but the store."""
        node = self.node
        node.is_draining = True
        node.bus.publish([(topic, internode.encode(node.id, m)) for topic, m in node.presence.farewell()])
        await node.tasks.close()
        for part in reversed(self.parts):
            await part.close()
        await node.hub.close()
        await node.bus.close()

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

    # ------------------------------------------------------------------------------------------ other workers

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
            case Spent(spent=spent, held=held):
                node.sharing.heard(sender, spent, held, node.monotonic())
            case PresenceDelta() | PresenceSnapshot() | Lease() | SnapshotWanted() | NodeLeft():
                node.presence.receive(sender, message, node.monotonic())
        for hear in self._heard_by.get(type(message), ()):
            hear(sender, message)

    def _attached(self, is_attached: bool) -> None:
        log.info("bus_attached" if is_attached else "bus_detached", extra={"node": self.node.id})
        if is_attached:
            for part in self.parts:
                part.bus_attached()

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
                sharing.cap_owed(node.monotonic())
                await asyncio.sleep(SECOND)


def _heard_by(parts: tuple[Part, ...]) -> dict[type[msgspec.Struct], list[Callable[[NodeId, Any], None]]]:
    found: dict[type[msgspec.Struct], list[Callable[[NodeId, Any], None]]] = {}
    for part in parts:
        for kind, hear in part.hears().items():
            found.setdefault(kind, []).append(hear)
    return found
