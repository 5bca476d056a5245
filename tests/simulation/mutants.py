"""Servers with one bug each. The simulation is worth something only if it finds every one of them.

Each mutant replaces a function of the product for the length of a `with`; the product's files are not changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from chatserver.delivery import hub
from chatserver.delivery.catchup import CatchUp
from chatserver.delivery.channel_stream import ChannelStream
from chatserver.delivery.gap_repair import GapRepair
from chatserver.delivery.hub import Hub
from chatserver.delivery.outbox import Outbox
from chatserver.delivery.presence import Presence
from chatserver.domain.history import CommandId, Offset, Return
from chatserver.domain.rooms.rooms import Post, Posted, Publication, WritePost, room_channel
from chatserver.handlers import membership
from chatserver.handlers.answer import Answer
from chatserver.handlers.rooms import commands as rooms
from chatserver.handlers.rooms.commit import commit
from chatserver.protocol.internode import TOPIC_NODES, SnapshotWanted
from chatserver.protocol.rooms.messages import FactOk
from chatserver.store.records import Committed, RoomChange, StoreUnavailable
from tests.simulation.disk import SimulatedStore


async def _acknowledges_first(
    part: Any, person: Any, room: Any, command_id: Any, command: Any, *more: Any, **told: Any
) -> Answer:
    """Send the reply before the store has written."""
    task = asyncio.create_task(commit(part, person, room, command_id, command, *more, **told))
    task.add_done_callback(_tell)
    line = part.node.hub._channels[f"room:{room}"].line
    return Answer(FactOk(at=part.node.now(), epoch=line.epoch, offset=Offset(line.last + 1)))


def _tell(done: asyncio.Task[Answer]) -> None:
    if done.exception() is None and (then := done.result().then) is not None:
        then()


async def _acknowledges_what_failed(
    part: Any, person: Any, room: Any, command_id: Any, command: Any, *more: Any, **told: Any
) -> Answer:
    """Take a store that does not answer for one that has written."""
    try:
        return await commit(part, person, room, command_id, command, *more, **told)
    except StoreUnavailable:
        line = part.node.hub._channels[f"room:{room}"].line
        return Answer(FactOk(at=part.node.now(), epoch=line.epoch, offset=Offset(line.last + 1)))


def _passes_holes(self: ChannelStream, publications: Any) -> list[Any]:
    """Show what arrives, whatever is missing before it."""
    ready: list[Any] = []
    for publication in publications:
        if publication.offset > self.last:
            self._let_out(publication, ready)
    self.target = max(self.target, self.last)
    return ready


_accept = ChannelStream.accept


def _keeps_repeats(self: ChannelStream, publications: Any) -> list[Any]:
    """Show again what was shown already."""
    given = [*publications]
    again = [publication for publication in given if publication.offset <= self.last]
    return [*again, *_accept(self, given)]


async def _skips_the_rest(self: CatchUp, outbox: Any, name: Any, offset: Any) -> None:
    """Make a slow connection live again without what it missed."""
    channel, _ = await self._opened(name)
    outbox.behind.pop(name, None)
    self._go_live(outbox, channel)


async def _never_looks(self: Hub) -> None:
    """Do not compare with the store in the tick."""


def _forgets_the_moment(self: Hub, outbox: Any, name: Any, position: Any) -> None:
    """Leave out what came between the reply and now."""
    _go_live(self, outbox, name, self._channels[name].line.position)  # type: ignore[union-attr]


_go_live = Hub.go_live


def _never_buries(self: Presence, now: float) -> None:
    """Keep the people of workers that died."""


def _stays(node: Any, connection: Any, room: Any) -> None:
    """Keep a socket that is gone in its rooms."""


async def _gives_up(self: Any, channel: Any) -> None:
    """Leave a hole open that the store could not close at once."""
    channel.healing = None


def _begins_anew_in_silence(self: Hub, channel: Any, head: Any) -> None:
    """Do not tell clients that a channel began anew."""
    channel.line = ChannelStream(head, self._limits.ring_publications)


async def _announces_first(
    part: Any, person: Any, room: Any, command_id: Any, command: Any, *more: Any, **told: Any
) -> Answer:
    """Announce to others before the store has written."""
    line = part.node.hub._channels[f"room:{room}"].line
    if isinstance(command, WritePost):
        offset, now = Offset(line.last + 1), part.node.now()
        post = Post(offset=offset, author=person.id, name=person.name, text=command.text, at=now)
        part.node.hub.announce(
            [Publication(channel=room_channel(room), epoch=line.epoch, offset=offset, at=now, event=Posted(post))]
        )
    return await commit(part, person, room, command_id, command, *more, **told)


def _never_falls_behind(self: Hub, outbox: Any) -> None:
    """Write for ever to a connection that reads nothing."""


def _keeps_all_that_is_early(self: ChannelStream, publications: Any) -> list[Any]:
    """Keep any number of publications behind a hole."""
    given = [*publications]
    ready = _accept(self, given)
    self._early.update({each.offset: each for each in given if each.offset > self.last})
    return ready


async def _reaches_for_nothing(self: GapRepair, channel: Any, line: Any, offset: Any) -> None:
    """Believe a client that has seen a later offset elsewhere to be from another epoch."""


_store_commit = SimulatedStore.commit


async def _forgets_commands(self: SimulatedStore, change: RoomChange) -> Committed:
    """Treat the same id sent again as another command. (It is stored under another id, so that the table accepts
    it.)"""
    another = CommandId(f"{change.command_id}/{self._world.random.random()}")
    return await _store_commit(self, msgspec.structs.replace(change, command_id=another))


async def _fails_unheard(self: Hub) -> None:
    """Start a task whose failure nobody notices."""
    asyncio.create_task(_break(), name="unheard").add_done_callback(lambda task: None)
    await _tick(self)


async def _break() -> None:
    raise ValueError("unheard")


_tick = Hub._tick


def _always_exact(position: Any, head: Any) -> Return:
    """Answer every return with an exact recovery, whatever position it names."""
    return Return.EXACT


def _never_asks(self: Presence, now: float) -> list[Any]:
    """Do not ask for a snapshot when deltas are missing."""
    return [(topic, message) for topic, message in _presence_tick(self, now) if not _is_question(topic, message)]


def _is_question(topic: str, message: Any) -> bool:
    return isinstance(message, SnapshotWanted) and topic != TOPIC_NODES


def _holds_nothing_back(self: Outbox) -> None:
    """Do not hold facts back until the reply is written."""


_presence_tick = Presence.tick


@dataclass(frozen=True)
class Mutant:
    """One bug: `wrong` replaces `name` of `where`. The judge's complaint must contain `shows`, because a mutant that is
    found only because it crashes proves nothing. `seed` was the first that found it, and is tried first."""

    wrong: Callable[..., object]
    where: Any
    name: str
    shows: str
    seed: int

    @property
    def title(self) -> str:
        return self.wrong.__name__.strip("_")

    @contextmanager
    def in_place(self) -> Iterator[None]:
        right = getattr(self.where, self.name)
        setattr(self.where, self.name, self.wrong)
        try:
            yield
        finally:
            setattr(self.where, self.name, right)


MUTANTS = (
    # The commit road
    Mutant(_acknowledges_first, rooms, "commit", "was acknowledged and never written", 1),
    Mutant(_acknowledges_what_failed, rooms, "commit", "was acknowledged and never written", 2),
    Mutant(_announces_first, rooms, "commit", "was shown before it was written", 1),
    Mutant(_forgets_commands, SimulatedStore, "commit", "stands twice", 6),
    Mutant(_holds_nothing_back, Outbox, "hold", "before its answer", 38),
    # Offsets and holes
    Mutant(_passes_holes, ChannelStream, "accept", ": a hole", 11),
    Mutant(_keeps_repeats, ChannelStream, "accept", "again, at", 2),
    Mutant(_keeps_all_that_is_early, ChannelStream, "accept", "early publications", 17),
    Mutant(_never_looks, Hub, "_tick", "stands at", 0),
    Mutant(_gives_up, GapRepair, "_heal_now", "stands at", 11),
    Mutant(_begins_anew_in_silence, Hub, "_begin_anew", "without a gap", 5),
    # Coming back
    Mutant(_always_exact, hub, "assess_return", "and told 'exact'", 19),
    Mutant(_forgets_the_moment, Hub, "go_live", "stands at", 25),
    Mutant(_reaches_for_nothing, GapRepair, "reach", "was told of a gap", 21),
    # Being slow
    Mutant(_never_falls_behind, Hub, "_fall_behind", "bytes wait for one client", 201),
    Mutant(_skips_the_rest, CatchUp, "_replay", ": a hole", 25),
    # Who is here
    Mutant(_never_buries, Presence, "_bury", "sees", 19),
    Mutant(_never_asks, Presence, "tick", "sees", 6),
    Mutant(_stays, membership, "depart", "sees", 10),
    # Failing aloud
    Mutant(_fails_unheard, Hub, "_tick", "never retrieved", 0),
)
