"""The load of everything, live: this worker's sample every second, the others', and what staff are shown of both.

What is kept is bounded: the newest sample of each worker that lives, one row for each room of the directory, and
`Histories` (60 numbers for each of at most 5,000 rooms).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Final

from chatserver.delivery.tasks import Tasks
from chatserver.domain.history import Millis
from chatserver.domain.identity import NodeId, Person
from chatserver.domain.listening import rest_rules
from chatserver.domain.listening.invariants import PROMISES, check_invariants
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.operating.alerts import (
    Alert,
    AlertKind,
    AlertTracker,
    ListeningLoad,
    ModerationLoad,
    Thresholds,
    concerns,
)
from chatserver.domain.operating.load import Histories, Roll, RoomLoad, RoomSample, Sample, Totals, merge
from chatserver.domain.people.staff import Capability, may
from chatserver.domain.rooms.rooms import RoomId, RoomStatus, is_closed_room, room_of
from chatserver.handlers.answer import Answer
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.listening.service import ListeningService
from chatserver.handlers.moderation.askers import load_of
from chatserver.handlers.moderation.enforcement import Enforcement
from chatserver.handlers.moderation.monitor import ModerationMonitor
from chatserver.handlers.node import Node
from chatserver.handlers.operating.health import Health
from chatserver.handlers.operating.process_stats import ProcessStats
from chatserver.handlers.rooms import seats
from chatserver.protocol.codec import Encoding, encode_frame
from chatserver.protocol.fields import Command
from chatserver.protocol.internode import TOPIC_LOAD, LoadTold, encode
from chatserver.protocol.operating.load_messages import AskLoad, LoadOk, LoadPush, PlaceView, WorkerView
from chatserver.store.records import StoreUnavailable

UNWATCHED_TICKS: Final = 5
"""How many seconds lie between two looks at everything while nobody watches: histories and alerts need no more."""
GATHER_SECONDS: Final = 0.3
"""How long the others' samples of the same second are waited for, at most, before they are shown. All are taken as a
second of the wall clock begins, so those who watch see numbers that are as old as the way through the bus is long."""
ROOMS_AT_ONCE: Final = 16
"""How many rooms are sampled in one turn of the event loop, so that no post waits for all of them."""
STORE_TICKS: Final = 2
"""How many seconds lie between two looks at the store."""
CONCERNS_TOLD: Final = 40
_START_SECONDS: Final = 5.0
"""How long after its start a worker need not have heard itself yet."""

log = logging.getLogger("chatserver.handlers")


class LoadMonitor:
    """One worker's picture of the load of all. `run` never ends by itself; the server owns and cancels it."""

    def __init__(
        self,
        node: Node,
        enforcement: Enforcement,
        monitor: ModerationMonitor,
        listening: ListeningService,
        health: Health,
        limits: Thresholds,
        *,
        name: str,
        version: str,
    ) -> None:
        self._node = node
        self.enforcement = enforcement
        self._monitor = monitor
        self._listening = listening
        self.watching: dict[Connection, int] = {}
        """Those who are shown the load, and the number of the picture that they were last told."""
        self._health = health
        self._limits = limits
        self._name = name
        self._version = version
        self._started_at = node.now()
        self._started = node.monotonic()
        self._vitals = ProcessStats(node.metrics)
        self._tasks = Tasks()
        self._roll = Roll()
        self._samples: dict[NodeId, Sample] = {}
        self._awaited: set[NodeId] = set()
        self._gathered = asyncio.Event()
        self._histories = Histories()
        self._watch = AlertTracker()
        self._second = 0
        self._store = "ok"
        self._picture = 0
        """Counts the pictures. What changed is remembered with the number of the picture that it changed in."""
        self._rooms: dict[RoomId, RoomLoad] = {}
        self._places: dict[RoomId, PlaceView] = {}
        self._room_changed: dict[RoomId, int] = {}
        self._place_changed: dict[RoomId, int] = {}
        self._gone: dict[RoomId, int] = {}
        self._totals = Totals()
        self._floor = ListeningLoad()
        self._floor_changed = 0
        self._concerns: dict[Asker | None, list[Alert]] = {}
        self._concerns_changed: dict[Asker | None, int] = {}
        """By what its readers may see of reports (`handlers/moderation/askers.py`)."""
        self._told_as: dict[Connection, Asker | None] = {}

    # ------------------------------------------------------------------------------------------ clockwork

    async def run(self) -> None:
        """Sample and tell every second until cancelled."""
        self._tasks.start(self._vitals.run(), "vitals")
        while True:
            await asyncio.sleep(_until_next_second(self._node.now()))
            try:
                await self._turn()
            except Exception:
                # What has to go on whatever one turn ran into.
                log.exception("load_failed")

    async def close(self) -> None:
        """End what runs on the side."""
        await self._tasks.close()

    def take(self, node: NodeId, sample: Sample) -> None:
        """Another worker's sample."""
        if self._roll.take(node, sample, self._node.monotonic()):
            self._awaited.discard(node)
            if not self._awaited:
                self._gathered.set()

    def left(self, node: NodeId) -> None:
        """Another worker stops."""
        self._roll.drop(node)
        self._awaited.discard(node)

    async def _turn(self) -> None:
        node = self._node
        self._second += 1
        self._awaited = {each for each in self._samples if each != node.id}
        self._gathered.clear()
        sample = await self.sample()
        node.bus.publish([(TOPIC_LOAD, encode(node.id, LoadTold(sample)))])
        self._roll.take(node.id, sample, node.monotonic())
        if self._second % STORE_TICKS == 0:
            self._tasks.start(self._look_at_store(), "look at store")
        if self.watching and self._awaited:
            try:
                async with asyncio.timeout(GATHER_SECONDS):
                    await self._gathered.wait()
            except TimeoutError:
                # Somebody is late; what they say comes with the next.
                pass
        if self.watching or self._second % UNWATCHED_TICKS == 0 or self._histories.is_due(node.now()):
            self._look()
            self._show()
        else:
            self._samples = self._roll.alive(node.monotonic())

    async def _look_at_store(self) -> None:
        self._store = (await self._health.check())["store"]

    # ------------------------------------------------------------------------------------------ this worker's part

    async def sample(self) -> Sample:
        """How it is here, at this moment; posts go out in between, and may be counted already."""
        node, health, metrics = self._node, self._health, self._node.metrics
        rooms = await self._room_samples()
        bus_seconds = health.bus_seconds
        if bus_seconds is None and node.bus.is_attached and node.monotonic() - self._started < _START_SECONDS:
            bus_seconds = 0.0
        return Sample(
            at=node.now(),
            name=self._name,
            version=self._version,
            started_at=self._started_at,
            connections=sum(len(online.connections) for online in node.online.values()),
            cpu=round(self._vitals.cpu(), 3),
            rss=self._vitals.memory(),
            lag_ms=round(self._vitals.lag() * 1000),
            bus_ms=None if bus_seconds is None else round(bus_seconds * 1000, 1),
            is_attached=node.bus.is_attached,
            dropped=node.bus.dropped,
            healed=metrics.total(metrics.healed),
            evictions=metrics.total(metrics.evictions),
            store=self._store,
            store_ms=None if health.store_seconds is None else round(health.store_seconds * 1000, 1),
            store_failures=metrics.total(metrics.store_failures),
            is_draining=node.is_draining,
            rooms=rooms,
        )

    async def _room_samples(self) -> dict[RoomId, RoomSample]:
        node = self._node
        members = {room_of(channel): count for channel, count in node.presence.own_counts().items()}
        behind = {room_of(channel): found for channel, found in node.hub.behind().items()}
        activity = node.hub.meter.read(node.monotonic())
        moderators = Counter(
            room
            for connection in node.staffed
            if may(connection.roles, Capability.MODERATE)
            for room in connection.rooms
        )
        found: dict[RoomId, RoomSample] = {}
        for number, room in enumerate({*members, *behind, *activity, *moderators}, 1):
            if number % ROOMS_AT_ONCE == 0:
                await asyncio.sleep(0)
            if is_closed_room(room):
                # What goes on in a closed room is counted with the sessions and meetings.
                continue
            doing = activity.get(room)
            slow, waiting = behind.get(room, (0, 0))
            found[room] = RoomSample(
                members=members.get(room, 0),
                writers=0 if doing is None else doing.writers,
                posts=0 if doing is None else doing.posts,
                reactions=0 if doing is None else doing.reactions,
                behind=slow,
                outbox=waiting,
                moderators=moderators[room],
                delivered=() if doing is None else doing.steps,
            )
        return found

    # ------------------------------------------------------------------------------------------ the picture of all

    def serving(self) -> set[NodeId]:
        """The workers that live and are not about to go."""
        node = self._node
        alive = self._roll.alive(node.monotonic())
        return {each for each, sample in alive.items() if not sample.is_draining} | (
            set() if node.is_draining else {node.id}
        )

    def moderated(self) -> set[RoomId]:
        """The rooms where a moderator is, on any worker, a second ago at most."""
        alive = self._roll.alive(self._node.monotonic())
        return {room for sample in alive.values() for room, part in sample.rooms.items() if part.moderators > 0}

    def name_of(self, node: NodeId) -> str:
        """What a worker is called on the operators' page."""
        sample = self._roll.alive(self._node.monotonic()).get(node)
        return self._name if sample is None else sample.name

    def _look(self) -> None:
        """Make a new picture, and remember what changed in it."""
        node, now = self._node, self._node.now()
        self._samples = self._roll.alive(node.monotonic())
        self._picture += 1
        loads, self._totals = merge(self._samples.values(), node.rooms)
        self._remember_rooms(loads)
        self._watch.look(loads.values(), now)
        if self._histories.is_due(now):
            self._histories.add({room: load.members for room, load in loads.items()}, now)
        floor = listening_load(self._listening)
        if floor != self._floor:
            self._floor, self._floor_changed = floor, self._picture
        self._find_concerns(loads, now)
        node.metrics.workers.set(len(self._samples))

    def _find_concerns(self, loads: dict[RoomId, RoomLoad], now: Millis) -> None:
        """What needs somebody: all of it for metrics, and for each group of readers what is theirs to know."""
        node = self._node
        crowds = seats.crowds(node)

        def found(moderation: ModerationLoad, overdue: int) -> list[Alert]:
            return concerns(
                loads=loads,
                rooms=node.rooms,
                samples=self._samples,
                floor=self._floor,
                moderation=moderation,
                alone_since=self._watch.alone_since,
                now=now,
                limits=self._limits,
                overdue=overdue,
                crowds=crowds,
            )

        kinds = Counter(each.kind for each in found(self._monitor.load(now), self.enforcement.overdue()))
        for kind in AlertKind:
            node.metrics.attention.labels(kind.value).set(kinds[kind])
        before, self._concerns = self._concerns, {}
        for group in {self.enforcement.askers.group_of(each) for each in self.watching} | {None}:
            late = self.enforcement.askers.late(group, now)
            seen = found(load_of(late, self._monitor.load(node.now())), late.escalations)
            if before.get(group) != seen:
                self._concerns_changed[group] = self._picture
            self._concerns[group] = seen
        self._concerns_changed = {group: self._concerns_changed[group] for group in self._concerns}

    def _remember_rooms(self, loads: dict[RoomId, RoomLoad]) -> None:
        number = self._picture
        for room, load in loads.items():
            if self._rooms.get(room) != load:
                self._room_changed[room] = number
        for room in self._rooms.keys() - loads.keys():
            self._room_changed.pop(room, None)
            self._place_changed.pop(room, None)
            self._gone[room] = number
        places = {
            room.id: PlaceView(
                id=room.id, name=room.name, capacity=room.capacity, slow_mode=room.pace, status=room.status
            )
            for room in self._node.rooms.values()
        }
        for room, place in places.items():
            self._gone.pop(room, None)
            if self._places.get(room) != place:
                self._place_changed[room] = number
                self._node.metrics.capacity.labels(room).set(place.capacity if place.status is RoomStatus.OPEN else 0)
        self._rooms, self._places = loads, places
        oldest = min(self.watching.values(), default=number)
        self._gone = {room: at for room, at in self._gone.items() if at > oldest}

    def _workers(self) -> list[WorkerView]:
        now = self._node.now()
        return [
            _worker(node, sample, now) for node, sample in sorted(self._samples.items(), key=lambda each: each[1].name)
        ]

    # ------------------------------------------------------------------------------------------ showing

    def watch(self, connection: Connection, *, is_wanted: bool) -> LoadOk:
        """The whole picture. Where it is wanted, what changes is told from now on."""
        self.watching[connection] = self._picture
        self._look()
        group = self.enforcement.askers.group_of(connection)
        if is_wanted:
            self.watching[connection], self._told_as[connection] = self._picture, group
        else:
            self.watching.pop(connection, None)
        return LoadOk(
            at=self._node.now(),
            here=self._node.id,
            places=[*self._places.values()],
            rooms=[*self._rooms.values()],
            totals=self._totals,
            workers=self._workers(),
            floor=self._floor,
            attention=self._concerns[group][:CONCERNS_TOLD],
            concerns=len(self._concerns[group]),
            history=self._histories.rows,
            history_seconds=Histories.EVERY_MS // 1000,
        )

    def _show(self) -> None:
        """Tell each who watches what changed since they were last told: the same frame to all who stand at the same
        picture."""
        frames: dict[tuple[Encoding, int, Asker | None, bool], bytes] = {}
        self._told_as = {each: group for each, group in self._told_as.items() if each in self.watching}
        for connection, told in [*self.watching.items()]:
            if not may(connection.roles, Capability.SEE_LOAD):
                # They were told of their other roles; of this they hear no more.
                del self.watching[connection]
                continue
            outbox = connection.outbox
            if outbox.wire.buffered() > self._node.limits.outbox_bytes:
                # They are told when they have room again, of everything since.
                continue
            group = self.enforcement.askers.group_of(connection)
            if group not in self._concerns:
                # They came into it since the picture was made.
                group = None
            is_same = self._told_as.get(connection) == group
            key = (outbox.encoding, told, group, is_same)
            frame = frames.get(key)
            if frame is None:
                frame = frames[key] = encode_frame(outbox.encoding, self._since(told, group, is_same=is_same))
            outbox.wire.write(frame)
            self.watching[connection], self._told_as[connection] = self._picture, group

    def _since(self, told: int, group: Asker | None, *, is_same: bool) -> LoadPush:
        has_news = not is_same or self._concerns_changed[group] > told
        return LoadPush(
            at=self._node.now(),
            totals=self._totals,
            workers=self._workers(),
            rooms=[self._rooms[room] for room, at in self._room_changed.items() if at > told],
            places=[self._places[room] for room, at in self._place_changed.items() if at > told],
            gone=[room for room, at in self._gone.items() if at > told],
            floor=self._floor if self._floor_changed > told else None,
            attention=self._concerns[group][:CONCERNS_TOLD] if has_news else None,
            concerns=len(self._concerns[group]),
        )


async def load(monitor: LoadMonitor, connection: Connection, person: Person, command: AskLoad) -> Answer:
    """The load of everything, for staff."""
    with contextlib.suppress(StoreUnavailable):
        # While the store is away the load is shown all the same, without what only the store knows whose it is.
        await monitor.enforcement.askers.meet(connection)
    return Answer(monitor.watch(connection, is_wanted=command.watch))


def listening_load(service: ListeningService) -> ListeningLoad:
    """One-to-one in numbers, as this worker last read it."""
    picture, rules, now = service.picture, service.rules, service.now()
    found = check_invariants(picture.state, now, rules)
    listeners = picture.state.listeners.values()
    states = Counter(rest_rules.state_of(picture.state, each, now, rules).value for each in listeners)
    estimate, samples = picture.pace.estimate(len(picture.queue) + 1)
    return ListeningLoad(
        waiting=len(picture.queue),
        oldest_wait_ms=max((max(0, now - seeker.asked_at) for seeker in picture.queue), default=0),
        estimate=estimate,
        estimate_from=samples,
        proposals=len(picture.asked),
        sessions=sum(session.is_live for session in picture.state.sessions.values()),
        is_open=picture.is_open,
        listeners={state.value: states[state.value] for state in rest_rules.ListenerState},
        near_cap=sum(rest_rules.room_to_take(each, now, rules) <= 1 for each in listeners),
        idle_ms=found.idle_ms,
        broken={promise: count for promise in PROMISES if (count := getattr(found, promise)) > 0},
    )


def _worker(node: NodeId, sample: Sample, now: Millis) -> WorkerView:
    return WorkerView(
        id=node,
        name=sample.name,
        version=sample.version,
        started_at=sample.started_at,
        age_ms=max(0, now - sample.at),
        connections=sample.connections,
        cpu=sample.cpu,
        rss=sample.rss,
        lag_ms=sample.lag_ms,
        bus_ms=sample.bus_ms,
        is_attached=sample.is_attached,
        dropped=sample.dropped,
        healed=sample.healed,
        evictions=sample.evictions,
        store=sample.store,
        store_ms=sample.store_ms,
        store_failures=sample.store_failures,
        is_draining=sample.is_draining,
        members=sum(part.members for part in sample.rooms.values()),
    )


def _until_next_second(now: Millis) -> float:
    """Seconds until a second of the wall clock begins. Whoever wakes a little early has had this one."""
    wait = (1_000 - now % 1_000) / 1_000
    return wait if wait > 0.1 else wait + 1.0


COMMANDS: Final[Mapping[type[Command], Handler]] = {AskLoad: load}
"""The command that shows the load. Its context is a `LoadMonitor`."""
