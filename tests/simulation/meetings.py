"""One meeting on three workers that are killed, with a store that hangs and fails, on one virtual clock.

What its room's log says at the end is judged by a reader who knows nothing else.

One seed: python -m tests.simulation.meetings SEED. Many: python -m tests.simulation.meetings --seeds N [--from K].
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from random import Random
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import CommandId, Millis
from chatserver.domain.identity import Member, MemberId, Persona
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings import groups
from chatserver.domain.meetings.commands import MeetingAction
from chatserver.domain.meetings.forms import FORMS as FORM_RULES
from chatserver.domain.meetings.groups import GroupEdit, GroupId
from chatserver.domain.meetings.state import MINUTE, SECOND, Form, Meeting, MeetingId, PhaseKind, Place, room_of_meeting
from chatserver.domain.rooms.rooms import Posted, RoomChanged, WritePost
from chatserver.handlers.rooms.commit import commit
from chatserver.store import meeting_log, people
from chatserver.store.records import StoreUnavailable
from tests.domain.meeting_proof import Entry, prove
from tests.simulation.bus import SimulatedExchange
from tests.simulation.disk import MEMBERS, START, SimulatedStore, World, template
from tests.simulation.loop import Stalled, VirtualLoop
from tests.simulation.plan import Disk, Plan, draw
from tests.simulation.rig import rigged
from tests.simulation.worker import Worker
from tests.store.kit import replay

MEETING: Final = MeetingId("m--simulated")
GROUP: Final = GroupId("g-simulated")
BEGIN: Final = Millis(START + 11 * MINUTE)
HOSTS: Final = MEMBERS[:2]
GUESTS: Final = tuple(MemberId(f"m_guest{number}") for number in range(9))
SEATS: Final = 5
FORMS: Final = (Form.CIRCLE, Form.CIRCLE, Form.HANDS)
MINUTES: Final = {PhaseKind.WELCOME: 1, PhaseKind.CHECKIN: 2, PhaseKind.PREPARE: 1, PhaseKind.SHARE: 12,
                  PhaseKind.HANDS: 12, PhaseKind.OPEN: 2, PhaseKind.CLOSING: 2, PhaseKind.LINGER: 1}  # fmt: skip
LATE: Final = 30 * MINUTE
"""Milliseconds after its plan, without those in which nobody of it was seen, at which a meeting has ended (M6)."""
EXPECTED: Final = frozenset(
    (
        Reason.NOT_YOUR_TURN, Reason.SAID_ONCE, Reason.SLOW_MODE, Reason.ROOM_CLOSED, Reason.ROOM_UNKNOWN,
        Reason.AGREEMENT_REQUIRED, Reason.TEXT_TOO_LONG, Reason.STORAGE_UNAVAILABLE,
    )
)  # fmt: skip


class MeetingWorker(Worker):
    """A worker that does nothing but follow meetings, and see who is connected to it."""

    def __init__(self, simulation: MeetingSimulation, place: int, name: str) -> None:
        self._simulation = simulation
        self._place = place
        super().__init__(
            name, simulation.plan, simulation.world, simulation.exchange, 0, lambda moment: simulation.at(place, moment)
        )

    async def _live(self) -> None:
        while True:
            try:
                await self.rooms.load_rooms()
                break
            except StoreUnavailable:
                await asyncio.sleep(0.5)
        await self.node.bus.start(self._hear, self._attached)
        self.is_serving = True
        service = self.meetings.service
        # Who is here says the simulation: there are no sockets.
        service._seen_at = float("inf")
        while True:
            await asyncio.sleep(self._simulation.random.uniform(1.0, 4.0))
            here = [who for who, place in self._simulation.lines.items() if place == self._place]
            try:
                await self.node.store.see_in_meetings(here, service.now())
                await service._turn()
            except (StoreUnavailable, Refusal):
                await asyncio.sleep(0.5)


class MeetingSimulation:
    def __init__(self, seed: int, loop: VirtualLoop) -> None:
        self.random = Random(f"{seed} meeting")
        self._loop = loop
        self.plan: Plan = draw(seed)
        disk = Disk(fail_before=0.02, fail_after=0.02, late=0.05, late_seconds=2.0)
        self.world = World(Random(f"{seed} disk"), disk)
        self.exchange = SimulatedExchange(Random(f"{seed} bus"), self.plan.bus, self.plan.bus_seconds)
        self.workers: list[MeetingWorker | None] = [None] * 3
        self.lines: dict[MemberId, int] = {}
        """To which worker's place everybody is connected, who is."""
        self.complaints: list[str] = []
        self.counts: Counter[str] = Counter()
        self._lives = 0
        self._doom: dict[int, str] = {}
        self._unseen = 0.0
        self._number = 0

    # ------------------------------------------------------------------------------------------ the whole

    async def run(self) -> None:
        """Run the meeting from before its doors until it has ended, or should have."""
        form = self.random.choice(FORMS)
        self._set_up(form)
        for place in range(3):
            self._start(place)
        tasks = [self._loop.create_task(self._live(who), name=who) for who in (*HOSTS, *GUESTS)]
        tasks.append(self._loop.create_task(self._break_things(), name="faults"))
        planned = groups.length_of(self._kept())
        while (meeting := self._look()) is not None and meeting.is_ahead:
            overdue = self._loop.time() * SECOND - self._unseen - (BEGIN - START) - planned - LATE
            if overdue > 0:
                self.complaints.append(f"the meeting has not ended: {meeting.kind}, {meeting.turn}, {meeting.held_at}")
                break
            before = self._loop.time()
            await asyncio.sleep(1.0)
            if not any(worker is not None and worker.is_serving for worker in self.workers) or self._is_broken():
                self._unseen += (self._loop.time() - before) * SECOND
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.world.calm()
        for worker in self.workers:
            if worker is not None and not worker.is_dead:
                worker.kill()
        await self._judge()

    def _is_broken(self) -> bool:
        return self.world.is_down or self.world.is_hanging or self.world.is_failing

    def _set_up(self, form: Form) -> None:
        memory = self.world.memory
        for guest in GUESTS:
            new = Member(id=guest, name=guest, name_key=guest, created_at=Millis(0), seen_at=Millis(2**50))
            memory.transact(lambda new=new: people.add_member(new))  # type: ignore[misc]
        minutes = {
            kind: length
            for kind, length in MINUTES.items()
            if kind in {phase.kind for phase in FORM_RULES[form].phases}
        }
        edit = GroupEdit(name="Round", about="Simulated.", seats=SEATS, minutes=minutes, cohosts=(HOSTS[1],))
        group = groups.open_group(GROUP, HOSTS[0], form, edit)
        names = {host: str(host) for host in HOSTS}
        (meeting,) = groups.plan(group, [BEGIN], [MEETING], [str(self.random.random())], [], names, Millis(START))
        memory.transact(lambda: meeting_log.add([meeting]))

    async def _judge(self) -> None:
        store = SimulatedStore(self.world, lambda moment: None)
        log: list[Entry] = []
        for publication in await replay(store, room_of_meeting(MEETING)):
            match publication.event:
                case RoomChanged(room=room) if room.voice is not None:
                    log.append(Entry(room.voice.since, voice=room.voice))
                case Posted(post=post):
                    log.append(Entry(post.at, author=post.author, length=len(post.text or "")))
                case _:
                    pass
        self.complaints += prove(log)
        self.counts["posts"] += sum(entry.voice is None for entry in log)
        self.counts["voices"] += sum(entry.voice is not None for entry in log)
        phases = {entry.voice.phase for entry in log if entry.voice is not None}
        self.counts["reached closing"] += "closing" in phases
        self.counts["meetings"] += 1

    def _kept(self) -> Meeting:
        found = self._look()
        assert found is not None
        return found

    def _look(self) -> Meeting | None:
        """Read the meeting, unnoticed by the workers, and check what must hold at every moment (M2, M3)."""
        found = self.world.memory.run(meeting_log.meeting(MEETING))
        if found is not None:
            if len(found.at(Place.SEAT)) > SEATS:
                self.complaints.append(f"{len(found.at(Place.SEAT))} people have {SEATS} seats")
            holder = None if found.holder is None else found.people.get(found.holder)
            if found.holder is not None and (holder is None or not holder.is_here):
                self.complaints.append("whoever has the turn is not there")
        return found

    # ------------------------------------------------------------------------------------------ workers

    def _start(self, place: int) -> None:
        self._lives += 1
        self.workers[place] = MeetingWorker(self, place, f"w{place}.{self._lives}")

    def at(self, place: int, moment: str) -> None:
        """Kill a worker whose moment has come: when it has asked the store, or been answered, or it was committed."""
        if self._doom.get(place) == moment:
            del self._doom[place]
            self._loop.call_soon(self._kill, place)

    def _kill(self, place: int) -> None:
        worker = self.workers[place]
        if worker is None or worker.is_dead:
            return
        self.counts["killed"] += 1
        worker.kill()
        self.workers[place] = None
        for who in [who for who, line in self.lines.items() if line == place]:
            del self.lines[who]
        self._loop.call_later(self.random.choice((2.0, 20.0, 90.0)), self._start, place)

    async def _break_things(self) -> None:
        random, world = self.random, self.world
        while True:
            await asyncio.sleep(random.uniform(20.0, 120.0))
            what = random.choice(("kill", "kill", "kill", "bus", "hangs", "down", "fails"))
            span = random.choice((1.0, 10.0, 45.0))
            self.counts[what] += 1
            match what:
                case "kill":
                    self._doom[random.randrange(3)] = random.choice(("asked", "committed", "answered"))
                case "bus":
                    self.exchange.interrupt()
                    await asyncio.sleep(span)
                    self.exchange.resume()
                case "hangs":
                    world.is_hanging = True
                    await asyncio.sleep(span)
                    world.thaw()
                case "down":
                    world.is_down = True
                    await asyncio.sleep(span)
                    world.is_down = False
                case _:
                    world.is_failing = True
                    await asyncio.sleep(span)
                    world.is_failing = False

    # ------------------------------------------------------------------------------------------ people

    async def _live(self, who: MemberId) -> None:
        """Somebody who comes, writes in and out of turn, loses the line, and leaves now and then."""
        random = self.random
        await asyncio.sleep(random.uniform(30.0, 900.0))
        while True:
            await asyncio.sleep(random.uniform(4.0, 25.0))
            if random.random() < 0.03:
                self.lines.pop(who, None)
                await asyncio.sleep(random.choice((5.0, 30.0, 100.0)))
            serving = [place for place, worker in enumerate(self.workers) if worker is not None and worker.is_serving]
            if not serving:
                continue
            if self.lines.get(who) not in serving:
                self.lines[who] = random.choice(serving)
            worker = self.workers[self.lines[who]]
            if worker is not None:
                try:
                    await self._act(who, worker)
                except StoreUnavailable:
                    self.counts["not answered"] += 1
                except Refusal as refusal:
                    self.counts[f"refused {refusal.reason}"] += 1

    async def _act(self, who: MemberId, worker: MeetingWorker) -> None:
        random, service = self.random, worker.meetings.service
        found = await worker.node.store.meeting(MEETING)
        if found is None:
            return
        inside = found.people.get(who)
        if inside is None or not inside.is_here:
            await service.do(who, MEETING, c.Enter(name=who, agreement=1))
        elif random.random() < 0.5 or found.holder == who:
            await self._write(who, worker)
            if found.holder == who and random.random() < 0.5:
                await service.do(who, MEETING, c.Finish())
        else:
            await service.do(who, MEETING, self._command(who, found))

    def _command(self, who: MemberId, found: Meeting) -> MeetingAction:
        random = self.random
        if who in HOSTS:
            step = found.step if random.random() < 0.3 else found.step - 1
            return random.choice((c.Step(seen=step), c.Pause(on=random.random() < 0.2), c.AddTime()))
        if random.random() < 0.04:
            return c.StepOut()
        return random.choice((c.Raise(on=True), c.Later(), c.Pass(on=False), c.Pass(on=True)))

    async def _write(self, who: MemberId, worker: MeetingWorker) -> None:
        """Write a post, and send it again until it is answered: it must be there once."""
        self._number += 1
        room, text = room_of_meeting(MEETING), "x" * self.random.choice((5, 60, 250))
        for _ in range(3):
            try:
                await commit(
                    worker.rooms.rooms,
                    Persona(who, who, 0),
                    room,
                    CommandId(f"{who}-{self._number}"),
                    WritePost(text=text),
                )
            except StoreUnavailable:
                await asyncio.sleep(1.0)
                if worker.is_dead:
                    return
                continue
            except Refusal as refusal:
                if refusal.reason not in EXPECTED:
                    self.complaints.append(f"a post was refused with {refusal.reason}")
                self.counts[f"post refused {refusal.reason}"] += 1
                return
            worker.meetings.service.spoke(who, room)
            return


def simulate(seed: int) -> MeetingSimulation:
    """Run one seed."""
    loop = VirtualLoop()
    template()
    simulation = MeetingSimulation(seed, loop)
    with rigged(simulation.plan, loop):
        try:
            loop.run(simulation.run())
        except Stalled:
            simulation.complaints.append("nothing is left to happen, and somebody still waits")
        finally:
            simulation.world.memory.close()
    return simulation


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.meetings", description=__doc__)
    parser.add_argument("seed", type=int, nargs="?", default=0, help="run this seed")
    parser.add_argument("--seeds", type=int, metavar="N", default=1, help="run this many seeds, one after another")
    parser.add_argument("--from", type=int, metavar="K", dest="first", help="beginning with this one")
    given = parser.parse_args()
    first = given.seed if given.first is None else given.first
    counts: Counter[str] = Counter()
    failed, began = 0, time.process_time()
    for seed in range(first, first + given.seeds):
        outcome = simulate(seed)
        counts.update(outcome.counts)
        failed += bool(outcome.complaints)
        for complaint in outcome.complaints[:5]:
            print(f"seed {seed}: {complaint}", flush=True)
    print(f"{given.seeds} seeds from {first}, {failed} failed; {time.process_time() - began:.0f} s of CPU")
    print(dict(sorted(counts.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
