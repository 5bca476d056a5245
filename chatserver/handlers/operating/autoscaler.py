"""Rooms that are split without an operator where they are too full, and closed again where they stay empty."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from chatserver.domain.errors import Refusal
from chatserver.domain.history import CommandId
from chatserver.domain.identity import MemberId, NodeId, Persona
from chatserver.domain.rooms import settings as rules
from chatserver.domain.rooms import splitting
from chatserver.domain.rooms.rooms import Room, RoomEdit, RoomId, RoomStatus, room_channel
from chatserver.handlers.changes import act_on_changes
from chatserver.handlers.node import Node
from chatserver.handlers.operating.context import Operations
from chatserver.protocol.internode import DrainWanted, encode, node_topic
from chatserver.store.room_settings_records import StaffAction

NEW_FOR: Final = 30 * 60_000
"""Milliseconds for which a guest is a newcomer, who knows nobody yet."""
EMPTY_SECONDS: Final = 15 * 60.0
"""How long a room that was opened beside another one stands empty before it is closed again."""
SPLIT_PAUSE_SECONDS: Final = 120.0
"""How long nothing beside a room is split by itself again: people are led, and need a while to go."""
_LEAVING_SECONDS: Final = 60.0
"""For how long a worker that was asked to drain, and did not, is asked again."""


async def groups_of(node: Node, room: Room, parts: int | None) -> tuple[tuple[MemberId, ...], ...]:
    """Return the members that would be led out of a room if it was split now, by the room that they would be led to."""
    people = [each.id for each in people_in(node, room)]
    circle = await node.store.companions(room.id, people)
    now = node.now()
    # Who is no member any more has no place to be led to.
    here = [who for who in people if who in circle.created_at]
    new = [who for who in here if now - circle.created_at[who] < NEW_FOR]
    return splitting.plan(here, circle.ties, new, parts, circle.apart)


def people_in(node: Node, room: Room) -> list[Persona]:
    """Return those who are in a room, on whatever worker."""
    return node.presence.people(room_channel(room.id), rules.MOST_PEOPLE)


def ask_to_drain(node: Node, worker: NodeId) -> None:
    """Ask a worker to drain. The request may be lost."""
    node.bus.publish([(node_topic(worker), encode(node.id, DrainWanted()))])


class RoomAutoscaler:
    """Splits rooms that are fuller than an operator set, closes the rooms beside them that stay empty, and repeats the
    request to workers that should drain. Every worker tries; the revision of a room lets one of them succeed."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._node = operations.node
        self._empty_since: dict[RoomId, float] = {}
        self._grown: dict[RoomId, tuple[int, float]] = {}
        """For each room that others stand beside: how many are open, and since when it is so many."""

    async def tick(self) -> None:
        node = self._node
        if not node.bus.is_attached:
            # Who is on other workers is not known now: a room may be anything but empty.
            self._empty_since.clear()
        serving = self._operations.load.serving() if self._operations.admission.leaving else set()
        for worker, since in [*self._operations.admission.leaving.items()]:
            if worker in serving and node.monotonic() - since < _LEAVING_SECONDS:
                ask_to_drain(node, worker)
            else:
                del self._operations.admission.leaving[worker]
        for room in [*node.rooms.values()]:
            if room.status is not RoomStatus.OPEN:
                self._empty_since.pop(room.id, None)
                continue
            here = node.presence.here(room_channel(room.id))
            root = node.rooms.get(rules.root_of(room), room)
            if 0 < root.split_at <= here:
                if self._is_stable(root):
                    await self._split(room)
            elif room.split_of is not None and here == 0 and node.bus.is_attached:
                since = self._empty_since.setdefault(room.id, node.monotonic())
                if node.monotonic() - since >= EMPTY_SECONDS:
                    await self._close(room)
            else:
                self._empty_since.pop(room.id, None)

    def _is_stable(self, root: Room) -> bool:
        open_ = sum(room.status is RoomStatus.OPEN for room in self._operations.admission.family(root))
        known = self._grown.get(root.id)
        if known is None or known[0] != open_:
            # One that was never split has nobody who is on their way.
            since = float("-inf") if known is None and open_ == 1 else self._node.monotonic()
            known = self._grown[root.id] = open_, since
        return self._node.monotonic() - known[1] >= SPLIT_PAUSE_SECONDS

    async def _split(self, room: Room) -> None:
        node = self._node
        try:
            groups = await groups_of(node, room, None)
            action = self._action("split", room, "It was as full as an operator set.")
            changed = await node.store.split_room(room.id, room.revision, groups, action)
        except Refusal:
            # Another worker was first, or too few are left.
            return
        node.hub.announce(changed.publications)
        await act_on_changes(node)

    async def _close(self, room: Room) -> None:
        node = self._node
        action = self._action("merge", room, "It stood empty beside the room that it was split from.")
        try:
            changed = await node.store.change_room(room.id, room.revision, RoomEdit(status=RoomStatus.CLOSED), action)
        except Refusal:
            return
        node.hub.announce(changed.publications)
        await act_on_changes(node)

    def _action(self, what: str, room: Room, reason: str) -> StaffAction:
        command_id = CommandId(f"{what}-{room.id}-{room.revision}")
        digest = blake2b(command_id.encode(), digest_size=16).digest()
        return StaffAction(by=rules.SERVICE, command_id=command_id, digest=digest, reason=reason, now=self._node.now())
