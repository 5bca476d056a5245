"""Older posts of a room, in line with the facts that their reader is told meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from chatserver.delivery.pushes import post_view
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Offset, StreamPosition, require_epoch
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms.decide import evolve
from chatserver.domain.rooms.rooms import Posted, Publication, Reacted, Reaction, room_channel
from chatserver.handlers.answer import Answer
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.handlers.rooms.commands import require_inside
from chatserver.handlers.rooms.context import Rooms
from chatserver.protocol.fields import Command
from chatserver.protocol.rooms.messages import HistoryOk, PageHistory
from chatserver.store.records import Page

_TRIES: Final = 4
"""How often a page is read where more happens meanwhile than a worker remembers."""


async def page(rooms: Rooms, connection: Connection, person: Persona, command: PageHistory) -> Answer:
    """Answer with the posts before an offset as they stand after everything that this connection was told.

    The store is read first; what was pushed while it answered is then applied to what it said, so that words which were
    taken back are not told after their redaction. Raises Refusal or StoreUnavailable.
    """
    node = rooms.node
    require_inside(rooms, connection, command.room)
    channel = room_channel(command.room)
    for _ in range(_TRIES):
        found = await node.store.page(channel, command.before, command.limit, person.id)
        require_epoch(command.epoch, found.head.epoch)
        later = await node.hub.catch_up_with(connection.outbox, channel, found.head.position)
        if later is not None:
            return Answer(_reply(node, command, found, later, person.id))
    raise Refusal(Reason.BUSY, retry_after=1.0)


def _reply(node: Node, command: PageHistory, found: Page, later: Sequence[Publication], whose: MemberId) -> HistoryOk:
    posts = {post.offset: post for post in found.posts}
    mine = {offset: list(reactions) for offset, reactions in found.mine.items()}
    for publication in later:
        event = publication.event
        if isinstance(event, Posted):
            # It stands after all of these.
            continue
        posts = evolve(posts, publication)
        if isinstance(event, Reacted) and event.by == whose and event.target in posts:
            _react(mine, event)
    for offset, post in posts.items():
        if post.redacted:
            mine.pop(offset, None)
    return HistoryOk(
        position=StreamPosition(found.head.epoch, later[-1].offset if later else found.head.last),
        posts=[post_view(post, command.room, offset, node.aliases) for offset, post in sorted(posts.items())],
        mine=mine,
        more=found.more,
    )


def _react(mine: dict[Offset, list[Reaction]], event: Reacted) -> None:
    held = [each for each in mine.pop(event.target, []) if each is not event.reaction]
    if event.on:
        held.append(event.reaction)
    if held:
        mine[event.target] = sorted(held)


COMMANDS: Final[Mapping[type[Command], Handler]] = {PageHistory: page}
"""The command for older posts. Its context is a `Rooms`."""
