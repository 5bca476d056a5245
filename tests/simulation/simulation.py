"""One seed: workers and clients on one virtual clock, planned faults, then a quiet time, and the judgement."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random

from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import room_channel
from chatserver.store import reading
from tests.simulation.bus import SimulatedExchange
from tests.simulation.client import Client
from tests.simulation.disk import MEMBERS, ROOMS, World, template
from tests.simulation.history import History
from tests.simulation.ids import ALIASES
from tests.simulation.loop import Stalled, VirtualLoop
from tests.simulation.plan import Fault, Plan, draw
from tests.simulation.rig import rigged
from tests.simulation.worker import Worker

PEACE_SECONDS = 5.0
"""Seconds within which everybody must agree on everything after the last fault."""
LOOK_SECONDS = 0.2
MOMENTS = ("now", "asked", "committed", "answered")
"""When a worker is killed: at once, or at the next such moment of its store."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a seed. Without complaints everything was correct."""

    complaints: list[str]
    trace: str
    counts: dict[str, int]
    seconds: float
    """Of virtual time."""


class Simulation:
    def __init__(self, plan: Plan, loop: VirtualLoop) -> None:
        self._plan = plan
        self._loop = loop
        self._random = Random(f"{plan.seed} faults")
        self._world = World(Random(f"{plan.seed} disk"), plan.disk)
        self.history = History(loop.time, self._world.memory, plan.retention.dedupe_window / 1000)
        self._world.on_commit = self.history.committed
        self._exchange = SimulatedExchange(Random(f"{plan.seed} bus"), plan.bus, plan.bus_seconds)
        self._workers: list[Worker | None] = [None] * plan.workers
        self._lives = 0
        self._doom: dict[int, tuple[str, int, float]] = {}
        """For each worker's place: the moment that kills it, after how many turns, and how long it stays away."""
        self._drains: list[asyncio.Task[None]] = []
        self._backup: bytes | None = None
        self._is_peace = False
        self._is_over = False
        self._clients = [
            Client(
                f"c{number}",
                # The last client is the first one's second device.
                MEMBERS[number] if number < plan.clients - 1 else MEMBERS[0],
                plan,
                self.history,
                self._world.memory,
                self._find,
                lambda worker, member: worker.people.identities.token_for(MemberId(member)),
                is_binary=number % 2 == 1,
            )
            for number in range(plan.clients)
        ]

    async def run(self) -> None:
        """Run a seed from beginning to end."""
        plan, loop = self._plan, self._loop
        for place in range(plan.workers):
            self._start(place)
        for client in self._clients:
            loop.call_later(0.01 + 0.1 * self._random.random(), client.connect)
            loop.call_later(0.3 + 0.1 * self._random.random(), client.act)
        for fault in plan.faults:
            loop.call_at(fault.at, self._strike, fault)
            if fault.kind == "restore":
                loop.call_at(max(0.1, fault.at - fault.seconds), self._back_up)
        while loop.time() < plan.seconds:
            await asyncio.sleep(LOOK_SECONDS)
            self._look()
        await self._peace()
        self.history.judge_store()
        await self._leave()

    def close(self) -> None:
        self._world.memory.close()

    # ------------------------------------------------------------------------------------------ peace

    async def _peace(self) -> None:
        self._is_peace = True
        self.history.note("peace")
        self._world.calm()
        self._exchange.calm()
        self._doom.clear()
        for client in self._clients:
            client.is_acting = False
        for link in [link for worker in self._living() for link in worker.links]:
            link.settle()
        for place, worker in enumerate(self._workers):
            if worker is None:
                self._start(place)
        # A message of a dead worker that was held back until now would count as a sign of life.
        began = max(self._loop.time(), self._exchange.last_due)
        while open_ends := self._differences():
            if self._loop.time() - began > PEACE_SECONDS:
                for difference in open_ends:
                    self.history.complain(f"after {PEACE_SECONDS} s of peace: {difference}")
                return
            await asyncio.sleep(LOOK_SECONDS)
            self._look()
        self.history.note("at rest")

    def _differences(self) -> list[str]:
        """Return what is not right yet, cheap checks first; empty once everything has come to rest."""
        for client in self._clients:
            if not client.is_settled:
                return [f"{client.name} is inside {sorted(client.inside)} and waits for {[*client.unanswered]}"]
        memory, found = self._world.memory, list[str]()
        for room in ROOMS:
            head, posts = memory.heads()[room_channel(room)], memory.posts(room_channel(room))
            for client in self._there():
                found += client.views[room].differences(head, posts)
        return found or self._absent()

    def _there(self) -> list[Client]:
        return [client for client in self._clients if not client.is_home]

    def _absent(self) -> list[str]:
        """Return where a worker or a client believes somebody to be who is not there, or misses somebody."""
        found: list[str] = []
        truth = sorted({client.member for client in self._there()})
        for room in ROOMS:
            channel = room_channel(room)
            seen = {}
            for worker in self._living():
                people = worker.node.presence.people(channel, 100)
                seen[worker.name] = sorted((person.id, person.name, person.generation) for person in people)
                if [who for who, *_ in seen[worker.name]] != truth:
                    found.append(f"{worker.name} sees {seen[worker.name]} in {room}; there are {truth}")
            if len({str(people) for people in seen.values()}) > 1:
                found.append(f"the workers disagree about {room}: {seen}")
            # All workers agree, so what one of them shows is what everybody must see.
            shown = next(iter(seen.values()), [])
            ids = sorted(ALIASES.in_room(room, who, generation) for who, _, generation in shown)
            found += [
                f"{client.name} sees {sorted(client.views[room].people)} in {room}; there are {ids}"
                for client in self._there()
                if sorted(client.views[room].people) != ids
            ]
        return found

    async def _leave(self) -> None:
        """Let everybody leave. Nobody may be remembered, and no task may be left."""
        for client in self._clients:
            link, client.link = client.link, None
            if link is not None:
                link.hang_up(0.01)
        self._is_over = True
        began = self._loop.time()
        while leaks := [leak for worker in self._living() for leak in worker.leaks()]:
            if self._loop.time() - began > PEACE_SECONDS:
                for leak in leaks:
                    self.history.complain(leak)
                break
            await asyncio.sleep(LOOK_SECONDS)
        for worker in self._living():
            await worker.stop()
        await asyncio.sleep(6.0)
        left = [name for name in self._loop.unfinished() if name != "simulation"]
        if left:
            self.history.complain(f"tasks that never end: {left}")

    def _look(self) -> None:
        for worker in self._living():
            for complaint in worker.complaints():
                self.history.complain(complaint)

    # ------------------------------------------------------------------------------------------ workers

    def _living(self) -> list[Worker]:
        return [worker for worker in self._workers if worker is not None and not worker.is_dead]

    def _find(self, random: Random) -> Worker | None:
        serving = [worker for worker in self._living() if worker.is_serving]
        return random.choice(serving) if serving else None

    def _start(self, place: int) -> None:
        self._lives += 1
        name = f"w{place}.{self._lives}"
        self.history.note(name, "starts")
        self._workers[place] = Worker(
            name,
            self._plan,
            self._world,
            self._exchange,
            self._plan.skews[place],
            lambda moment: self._at_moment(place, moment),
        )

    def _at_moment(self, place: int, moment: str) -> None:
        doom = self._doom.get(place)
        if doom is not None and doom[0] == moment:
            del self._doom[place]
            worker = self._workers[place]
            self._loop.after_turns(doom[1], lambda: self._kill(place, worker, doom[2]))

    def _kill(self, place: int, worker: Worker | None, seconds: float) -> None:
        if worker is not None and self._workers[place] is worker and not worker.is_dead:
            self.history.note(worker.name, "is killed")
            self.history.count("kill")
            worker.kill()
            self._gone(place, seconds)

    def _gone(self, place: int, seconds: float) -> None:
        self._workers[place] = None
        if self._is_over:
            return
        if self._is_peace:
            self._start(place)
        else:
            self._loop.call_later(seconds, self._start_again, place)

    def _start_again(self, place: int) -> None:
        if self._workers[place] is None and not self._is_over:
            self._start(place)

    async def _drain(self, place: int, worker: Worker, seconds: float) -> None:
        await worker.stop()
        if self._workers[place] is worker:
            self._gone(place, seconds)

    # ------------------------------------------------------------------------------------------ faults

    def _strike(self, fault: Fault) -> None:
        self.history.note("fault", fault.kind, fault.target, round(fault.seconds, 3))
        self.history.count(fault.kind)
        place = fault.target % len(self._workers)
        worker = self._workers[place]
        client = self._clients[fault.target % len(self._clients)]
        match fault.kind:
            case "kill":
                moment = MOMENTS[fault.detail % len(MOMENTS)]
                turns = fault.detail // len(MOMENTS) * 2
                if moment == "now":
                    self._kill(place, worker, fault.seconds)
                else:
                    self._doom[place] = (moment, turns, fault.seconds)
            case "drain":
                if worker is not None and worker.is_serving:
                    self._drains.append(self._loop.create_task(self._drain(place, worker, fault.seconds), name="drain"))
            case "restore":
                self._restore()
            case "gone":
                # In half of the cases because their worker died.
                if client.link is not None and fault.detail % 2:
                    died = client.link.worker
                    self._kill(self._workers.index(died) if died in self._workers else place, died, fault.seconds)
                client.go_home()
            case "cut" | "half open" | "stall" | "slow":
                self._strike_client(fault, client)
            case "bus cut" | "bus deaf":
                if worker is not None:
                    self._strike_bus(fault, worker)
            case "bus down":
                self._exchange.interrupt()
                self._loop.call_later(fault.seconds, self._exchange.resume)
            case _:
                self._strike_store(fault)

    def _strike_client(self, fault: Fault, client: Client) -> None:
        link = client.link
        if link is None:
            return
        match fault.kind:
            case "cut":
                link.tear()
            case "half open":
                client.hang_up(min(fault.seconds, 1.0))
            case "stall":
                link.stall(True)
                self._loop.call_later(fault.seconds * 2, link.stall, False)
            case _:
                link.slow_down(True)
                self._loop.call_later(fault.seconds * 2, link.slow_down, False)

    def _strike_bus(self, fault: Fault, worker: Worker) -> None:
        bus = worker.bus
        if fault.kind == "bus cut":
            bus.cut(True)
            self._loop.call_later(fault.seconds, bus.cut, False)
        else:
            bus.is_deaf = True
            self._loop.call_later(fault.seconds, setattr, bus, "is_deaf", False)

    def _strike_store(self, fault: Fault) -> None:
        world = self._world
        match fault.kind:
            case "store hangs":
                world.is_hanging = True
                self._loop.call_later(fault.seconds, world.thaw)
            case "store down":
                world.is_down = True
                self._loop.call_later(fault.seconds, setattr, world, "is_down", False)
            case "store fails":
                world.is_failing = True
                self._loop.call_later(fault.seconds, setattr, world, "is_failing", False)

    def _back_up(self) -> None:
        self._backup = self._world.memory.image()

    def _restore(self) -> None:
        if self._backup is None:
            return
        self.history.judge_store()
        self._world.memory.restore(self._backup)
        self._world.memory.transact(reading.renew_epochs)
        self.history.restored()


def simulate(seed: int, plan: Plan | None = None) -> Outcome:
    """Run one seed."""
    plan = plan if plan is not None else draw(seed)
    loop = VirtualLoop()
    # Make the template before the random numbers are this seed's, whichever seed is the first.
    template()
    with rigged(plan, loop):
        simulation = Simulation(plan, loop)
        try:
            loop.run(simulation.run())
        except Stalled:
            simulation.history.complain("nothing is left to happen, and somebody still waits")
        finally:
            simulation.close()
    complaints = [*simulation.history.complaints, *loop.complaints]
    return Outcome(complaints, simulation.history.trace(), simulation.history.counts, loop.time())
