"""One worker as `server.py` builds it, on a simulated bus and a simulated store, which may die at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

from chatserver.domain.history import Millis
from chatserver.domain.identity import NodeId
from chatserver.domain.limits import Limits
from chatserver.handlers.people.identity import Identities, new_member_id
from chatserver.handlers.people.staff import StaffAccounts
from chatserver.metrics import Metrics
from chatserver.protocol import internode
from chatserver.protocol.codes import Close
from chatserver.store.records import StoreUnavailable
from chatserver.wordlists import load
from chatserver.worker import Worker as BuiltWorker
from chatserver.worker import WorkerOptions
from tests.simulation.bus import SimulatedBus, SimulatedExchange
from tests.simulation.disk import START, SimulatedStore, World
from tests.simulation.ids import ALIASES
from tests.simulation.plan import Knobs, Plan

if TYPE_CHECKING:
    from tests.simulation.link import Link

KEY = b"k" * 32

WORDS = load()


class _Mute:
    """A metric that nobody reads."""

    def labels(self, *values: object) -> _Mute:
        return self

    def inc(self, by: float = 1) -> None:
        pass

    dec = set = observe = inc


@cache
def metrics() -> Metrics:
    """Return metrics for all workers that count nothing: making and using real ones takes as long as the rest of a
    small seed."""
    made = Metrics()
    for name in [*vars(made)]:
        if not name.startswith("_"):
            setattr(made, name, _Mute())
    return made


class Worker(BuiltWorker):
    """A worker as the server builds it, on a simulated bus and store. `skew` is its clock's error in milliseconds."""

    def __init__(
        self, name: str, plan: Plan, world: World, exchange: SimulatedExchange, skew: int, doom: Callable[[str], None]
    ) -> None:
        loop = asyncio.get_running_loop()

        def now() -> Millis:
            return Millis(START + int(loop.time() * 1000) + skew)

        self.name = name
        self.plan = plan
        self.is_dead = False
        self.links: dict[Link, None] = {}
        self.store = SimulatedStore(world, doom)
        self.bus = SimulatedBus(exchange)
        draw = Random(f"{plan.seed} {name}").randrange
        super().__init__(
            id=NodeId(name.ljust(internode.NODE_ID_LENGTH, "-")),
            store=self.store,
            bus=self.bus,
            identities=Identities(self.store, token_key=KEY, code_pepper=KEY, name_length=24, now=now, draw=draw),
            accounts=StaffAccounts(
                self.store,
                new_id=lambda: new_member_id(draw),
                now=now,
                name_length=24,
                sign_in_age=3_600_000,
                invitation_age=3_600_000,
            ),
            aliases=ALIASES,
            words=WORDS,
            challenge_key=KEY,
            metrics=metrics(),
            now=now,
            monotonic=loop.time,
            # There are no listeners in this world, so the queue is empty.
            options=WorkerOptions(limits=plan.limits, retention=plan.retention, hours="never", name=name, version="0"),
        )
        self.is_serving = False
        self.node.tasks.start(self._live(), f"{name} lives")

    async def _live(self) -> None:
        while True:
            try:
                await self.rooms.load_rooms()
                break
            except StoreUnavailable:
                # The supervisor would start it again.
                await asyncio.sleep(0.2)
        await self.node.bus.start(self._hear, self._attached)
        await self.node.bus.subscribe([internode.TOPIC_NODES, internode.node_topic(self.node.id)])
        self.node.tasks.start(self.node.hub.run(), "hub")
        self.node.tasks.start(self.jobs.run(), "jobs")
        self.is_serving = True

    def kill(self) -> None:
        """Kill the worker: nothing that it does from now on reaches anybody."""
        self.is_dead = True
        self.is_serving = False
        self.store.kill()
        self.bus.is_cut = True
        self._exchange().remove(self.bus)
        for link in [*self.links]:
            link.kill()
        self.links.clear()
        for tasks in (self.node.tasks, self.node.hub._tasks):
            tasks._is_closed = True
            for task in [*tasks._tasks]:
                task.cancel()

    async def stop(self) -> None:
        """Drain and end, as the server does."""
        self.is_serving = False
        self.node.is_draining = True
        for link in [*self.links]:
            self.dispatcher.say_draining(link.connection, 0.1)
            link.close(Close.SERVICE_RESTART)
        until = asyncio.get_running_loop().time() + 2.0
        while self.links and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110 - virtual
            await asyncio.sleep(0.05)
        for link in [*self.links]:
            link.disconnect()
        node = self.node
        node.bus.publish([(topic, internode.encode(node.id, m)) for topic, m in node.presence.farewell()])
        await node.tasks.close()
        await node.hub.close()
        await node.bus.close()
        self.store.kill()
        self.is_dead = True

    def complaints(self) -> list[str]:
        """Return every queue that is longer than its bound."""
        knobs, limits = self.plan.knobs, self.plan.limits
        return [f"{self.name} {problem}" for problem in self._overlong(knobs, limits)]

    def _overlong(self, knobs: Knobs, limits: Limits) -> Iterator[str]:
        for channel in self.node.hub._channels.values():
            line = channel.line
            if len(channel.held) > knobs.early_limit:
                yield f"holds {len(channel.held)} publications of a channel that is not open"
            if line is not None and len(line._early) > knobs.early_limit:
                yield f"keeps {len(line._early)} early publications"
            if (
                line is not None
                and not line._keepers
                and len(line._ring) > limits.ring_publications + limits.recovery_publications
            ):
                yield f"keeps a ring of {len(line._ring)}"
        for other in self.node.presence._others.values():
            if len(other.pending) > knobs.pending_deltas:
                yield f"keeps {len(other.pending)} deltas behind a hole"
        for link in self.links:
            if link.most > limits.outbox_bytes + 3 * link.biggest:
                yield f"let {link.most} bytes wait for one client"

    def leaks(self) -> list[str]:
        """Return what a worker without connections still remembers of connections."""
        found = [
            f"{self.name} still counts {channel.tracked} in {channel.name}"
            for channel in self.node.hub._channels.values()
            if channel.tracked
        ]
        if self.node.hub._catch_up.outboxes:
            found.append(f"{self.name} still replays to somebody")
        if any(online.connections for online in self.node.online.values()):
            found.append(f"{self.name} still has somebody online")
        return found

    def _exchange(self) -> SimulatedExchange:
        exchange: Any = self.bus._exchange
        assert isinstance(exchange, SimulatedExchange)
        return exchange
