"""The one road of facts: load, decide, evolve, save, publish.

The store loads what is needed and decides inside the transaction. The author hears of it after the commit, and
everybody else after the author. Whatever is lost after the commit is found by the hub's tick.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from chatserver.domain.crisis import CARED_FOR, ESCALATED, Signal
from chatserver.domain.history import CommandId
from chatserver.domain.identity import Person
from chatserver.domain.rooms import (
    EditPost,
    Posted,
    Reacted,
    RoomCommand,
    RoomEvent,
    RoomId,
    WritePost,
    decide,
    room_channel,
    target_of,
)
from chatserver.handlers.answer import Answer
from chatserver.handlers.node import Node
from chatserver.protocol.messages import FactOk
from chatserver.store.contract import RoomChange

_encoder = msgspec.msgpack.Encoder(order="deterministic")


async def commit(node: Node, person: Person, room: RoomId, command_id: CommandId, command: RoomCommand) -> Answer:
    """Make a member's command on a room a fact. Raises Refusal or StoreUnavailable; then nothing was acknowledged."""
    now = node.now()
    started = node.monotonic()
    signals = _screen(node, command)
    digest = blake2b(_encoder.encode((room, type(command).__name__, command)), digest_size=16).digest()
    committed = await node.store.commit(
        RoomChange(
            channel=room_channel(room),
            author=person.id,
            command_id=command_id,
            digest=digest,
            now=now,
            target=target_of(command),
            decide=lambda state: decide(state, command, person, node.rules, now),
            signals=tuple(each for each in signals if each.level >= ESCALATED),
        )
    )
    node.metrics.commit_seconds.observe(node.monotonic() - started)
    publications = committed.publications
    if not publications:
        return Answer(FactOk(at=now))
    last = publications[-1]
    care = next((each.category for each in signals if each.category in CARED_FOR), None)
    ok = FactOk(at=last.at, epoch=last.epoch, offset=last.offset, care=care)
    if not committed.repeated:
        _count(node, person, room, last.event)
        for each in signals:
            node.metrics.signals.labels(each.category, each.level).inc()
    # Announcing a repeat again costs nothing where it arrived, and heals where a worker died before announcing it.
    return Answer(ok, then=lambda: node.hub.announce(publications))


def _screen(node: Node, command: RoomCommand) -> tuple[Signal, ...]:
    """What a human should see, or the author be offered. Only ever more help: nothing is refused by it."""
    if not isinstance(command, WritePost | EditPost):
        return ()
    return node.words.screen(f"{command.warning or ''}\n{command.text}")


def _count(node: Node, person: Person, room: RoomId, event: RoomEvent) -> None:
    if isinstance(event, Posted):
        node.metrics.posts.inc()
        node.hub.meter.posted(room, person.id, node.monotonic())
    elif isinstance(event, Reacted) and event.on:
        node.hub.meter.reacted(room, node.monotonic())
