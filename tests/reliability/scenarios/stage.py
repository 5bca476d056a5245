"""What every scenario does around its fault: the house, the crowd, the watch, and the row at the end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.reliability.cluster import Cluster
from tests.reliability.readiness import Readiness, watching
from tests.reliability.report import Mark, Row, p99, row
from tests.reliability.workload import RoomTalk

RECONNECT_SECONDS: Final = 3.0
ACK_SECONDS: Final = 0.25
SHOWN_SECONDS: Final = 2.0
"""How late those of other workers may be shown something while Redis is away."""
_TICK_SECONDS: Final = 0.05
_LATE_SECONDS: Final = 0.25


@dataclass(slots=True)
class Stage:
    """A crowd that is in place, the house it is in, and what its servers said of themselves."""

    site: Cluster
    talk: RoomTalk
    ready: list[Readiness]
    complaints: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    may_be_silent: bool = False
    stood_still: float = 0.0

    async def watch_itself(self) -> None:
        """Note, until cancelled, for how long this process could not run: what it measures then is not theirs."""
        while True:
            asleep_at = time.monotonic()
            await asyncio.sleep(_TICK_SECONDS)
            late = time.monotonic() - asleep_at - _TICK_SECONDS
            if late > _LATE_SECONDS:
                self.stood_still += late

    def mark(self, name: str, value: float, most: float, at_worst: float | None = None) -> None:
        """`at_worst` is `most` unless told otherwise."""
        self.marks.append(Mark(name=name, value=value, most=most, at_worst=most if at_worst is None else at_worst))

    def mark_acks(self, acks: Sequence[float]) -> None:
        self.mark("ack p99 s", p99(acks), ACK_SECONDS, at_worst=3.0)

    def mark_reconnects(self, at_worst: float | None = None) -> None:
        self.mark("reconnect p99 s", p99(self.talk.measured().outages), RECONNECT_SECONDS, at_worst)

    def mark_bus(self) -> None:
        """What holds of every fault of the bus: nobody notices but by a short delay."""
        measured = self.talk.measured()
        self.mark_acks(measured.acks)
        self.mark("shown on other workers within s", max(measured.shown, default=0.0), SHOWN_SECONDS)
        if measured.outages:
            self.complaints.append(f"{len(measured.outages)} connections were lost: {max(measured.outages):.1f} s")

    def truth(self, broken: Sequence[tuple[float, float]], *, servers: Sequence[int] | None = None) -> None:
        """Hold /statusz of some servers (all) against when they could not serve; the others against that they could."""
        touched = range(len(self.ready)) if servers is None else servers
        for number, one in enumerate(self.ready):
            # What was done to the house before this scenario may still be felt at its beginning.
            began = one.answers[0].asked_at
            lies = one.lies([(began, began), *(broken if number in touched else [])])
            self.complaints += [f"/statusz of server {number}: {lie}" for lie in lies]
        self.notes.append(f"/statusz asked {sum(len(one.answers) for one in self.ready):,} times")

    async def end(self, scenario: str, fault: str, times: int, *, settle: float = 20.0) -> Row:
        """Wait until all is quiet, judge, and say what was found."""
        try:
            await self.talk.settle(settle)
        except TimeoutError as error:
            self.complaints.append(str(error))
        returns = [member for member in self.talk.members if member.outages]
        if returns:
            self.notes.append(f"slowest return {max(returns, key=lambda one: max(one.outages)).slowest_return}")
        verdict = self.talk.judge(self.site.logs(self.talk.channels))
        self.complaints += self.site.tracebacks()
        if self.talk.silences and not self.may_be_silent:
            self.complaints.append(f"{self.talk.silences} commands had no answer")
        return row(
            scenario,
            fault,
            times,
            self.talk.measured(),
            verdict,
            stood_still=self.stood_still,
            marks=self.marks,
            notes=self.notes,
            complaints=self.complaints,
        )


@contextlib.asynccontextmanager
async def stage(
    site: Cluster, members: int, *, rooms: int = 1, ws_urls: Sequence[str] | None = None, **talk: int | bool
) -> AsyncIterator[Stage]:
    """A crowd in rooms of its own. `ws_urls` are the way to the house where it is not the direct one."""
    crowd = RoomTalk(ws_urls or site.ws_urls, site.take_rooms(rooms), members, **talk)  # type: ignore[arg-type]
    async with watching(site.urls) as ready:
        try:
            await crowd.enter()
            on = Stage(site, crowd, ready)
            watching_itself = asyncio.create_task(on.watch_itself(), name="watching itself")
            try:
                yield on
            finally:
                watching_itself.cancel()
                await asyncio.gather(watching_itself, return_exceptions=True)
        finally:
            await crowd.leave()
