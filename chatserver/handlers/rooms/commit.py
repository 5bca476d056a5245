"""The one road of facts: load, decide, evolve, save, publish.

The store loads what is needed and decides inside the transaction. The author hears of it after the commit, and
everybody else after the author. Whatever is lost after the commit is found by the hub's tick.

A text is looked at before the transaction (`handlers/rooms/screening.py`), but not where it seems certain to be
refused; and once more after it, by a model (`handlers/rooms/second_looks.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import CommandId, Epoch
from chatserver.domain.identity import Persona
from chatserver.domain.moderation.alert_floods import Origin
from chatserver.domain.moderation.crisis_phrases import ESCALATED, Signal
from chatserver.domain.rooms.decide import decide, target_of
from chatserver.domain.rooms.rooms import (
    Edited,
    EditPost,
    Posted,
    Publication,
    Reacted,
    RoomCommand,
    RoomEvent,
    RoomId,
    RoomState,
    WritePost,
    room_channel,
)
from chatserver.handlers.answer import Answer
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.handlers.rooms.context import Rooms
from chatserver.handlers.rooms.screening import NOTHING, Read, Unread, care_for, is_sure_to_be_refused, read
from chatserver.protocol.rooms.messages import FactOk
from chatserver.store.records import Committed, RoomChange, StoreUnavailable

_encoder = msgspec.msgpack.Encoder(order="deterministic")


async def commit(
    rooms: Rooms,
    person: Persona,
    room: RoomId,
    command_id: CommandId,
    command: RoomCommand,
    origin: Origin | None = None,
    *,
    epoch: Epoch | None = None,
    is_staff: bool = False,
    refusal: Refusal | None = None,
    writer: Connection | None = None,
) -> Answer:
    """Make a member's command on a room a fact. `epoch` is the numbering of the post that it names, where they said so,
    and `writer` the connection that wrote a text.

    Where `refusal` is given it is raised, unless the same command was made a fact before: then the answer is the same
    as before. Raises Refusal or StoreUnavailable; then nothing was acknowledged."""
    node = rooms.node
    started = node.monotonic()
    found: Read | None = NOTHING
    if isinstance(command, WritePost | EditPost):
        is_refused = refusal is not None or is_sure_to_be_refused(rooms, person, room, command)
        found = None if is_refused else await read(rooms, person, room, command, is_staff=is_staff)
    digest = blake2b(_encoder.encode((room, type(command).__name__, command)), digest_size=16).digest()

    def change(found: Read | None) -> RoomChange:
        return _change(node, person, room, command_id, digest, command, epoch, origin, found, refusal)

    try:
        committed = await _save(rooms, change(found))
    except Unread:
        found = None
        committed = None
    except Refusal as other:
        if refusal is None or other.reason is Reason.BUSY:
            raise
        # What the store knows of the room is not told to somebody who may not write there.
        raise refusal from None
    if found is None and isinstance(command, WritePost | EditPost):
        # It was taken, or was written before: what it says is to be known all the same.
        found = await read(rooms, person, room, command, is_staff=is_staff)
    if committed is None:
        committed = await _save(rooms, change(found))
    node.metrics.commit_seconds.observe(node.monotonic() - started)
    publications = committed.publications
    if not publications:
        return Answer(FactOk(at=node.now()))
    signals = () if found is None else found.signals
    last = publications[-1]
    # Also where it was written before: the worker that wrote it may have died since.
    rooms.second_looks.offer(last, person.id, command_id, signals, origin, writer)
    ok = FactOk(at=last.at, epoch=last.epoch, offset=last.offset, care=care_for(signals))
    if not committed.repeated:
        _count(node, person, room, last.event)
        _tell_closed(rooms, person, room, last, signals)
        for each in signals:
            node.metrics.signals.labels(each.category, each.level).inc()
    # Announcing a repeat again costs nothing where it arrived, and heals where a worker died before announcing it.
    return Answer(ok, then=lambda: node.hub.announce(publications))


async def _save(rooms: Rooms, change: RoomChange) -> Committed:
    try:
        return await rooms.node.store.commit(change)
    except StoreUnavailable:
        # It may have been saved all the same.
        rooms.second_looks.missed(change.now)
        raise


def _change(
    node: Node,
    person: Persona,
    room: RoomId,
    command_id: CommandId,
    digest: bytes,
    command: RoomCommand,
    epoch: Epoch | None,
    origin: Origin | None,
    found: Read | None,
    refusal: Refusal | None,
) -> RoomChange:
    """Return what the store is asked for. Without `found` it raises Unread where the command would be taken."""
    now = node.now()

    def answer(state: RoomState) -> tuple[RoomEvent, ...]:
        if refusal is not None:
            raise refusal
        if found is not None:
            return decide(state, command, person, node.rules, now, found.noticed)
        if decide(state, command, person, node.rules, now, NOTHING.noticed):
            raise Unread
        return ()

    return RoomChange(
        channel=room_channel(room),
        author=person.id,
        command_id=command_id,
        digest=digest,
        now=now,
        target=target_of(command),
        epoch=epoch,
        decide=answer,
        signals=() if found is None else tuple(each for each in found.signals if each.level >= ESCALATED),
        origin=origin,
    )


def _tell_closed(rooms: Rooms, person: Persona, room: RoomId, last: Publication, signals: Sequence[Signal]) -> None:
    """Tell the feature that opened a closed room what a post in it raised."""
    raised = [each for each in signals if each.level >= ESCALATED]
    if raised and (closed := rooms.closed_of(room)) is not None:
        closed.raised(person.id, room, last.event.target if isinstance(last.event, Edited) else last.offset, raised)


def _count(node: Node, person: Persona, room: RoomId, event: RoomEvent) -> None:
    if isinstance(event, Posted):
        place = node.rooms.get(room)
        if place is not None and place.pace and person.id in node.online:
            node.online[person.id].note_post(room, event.post.at)
        node.metrics.posts.inc()
        node.hub.meter.posted(room, person.id, node.monotonic())
    elif isinstance(event, Reacted) and event.on:
        node.hub.meter.reacted(room, node.monotonic())
