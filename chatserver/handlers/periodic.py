"""What happens because time passes: presence is told, canaries fly, rooms are reloaded, what has expired is forgotten.

No leader: every worker does all of it, and the store's transactions let each thing happen once.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from chatserver.delivery.outbox import Outbox
from chatserver.delivery.presence import PresenceChange
from chatserver.domain.errors import Refusal
from chatserver.domain.history import ChannelName
from chatserver.domain.rooms.rooms import ROOM_CHANNEL_PREFIX, RoomId, room_channel, room_of
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.handlers.operating.commands import Stewards
from chatserver.handlers.operating.health import Health
from chatserver.handlers.people import hiding, members, sign_ins
from chatserver.handlers.rooms import commands as rooms
from chatserver.handlers.rooms import seats
from chatserver.protocol.internode import encode
from chatserver.protocol.messages import CountsPush
from chatserver.store.contract import StoreUnavailable

PRESENCE_SECONDS: Final = 0.1
COUNTS_SECONDS: Final = 1.0
SECOND: Final = 1.0
STAFF_SECONDS: Final = 0.5
WATCH_SECONDS: Final = 0.5
ROOMS_SECONDS: Final = 5.0
STEWARD_SECONDS: Final = 2.0
COUNT_SECONDS: Final = 5.0
DUTY_SECONDS: Final = 1.0
TOUCH_SECONDS: Final = 60.0
EXPIRE_SECONDS: Final = 60.0
REWRITE_SECONDS: Final = 5.0

log = logging.getLogger("chatserver.handlers")


class Sweep:
    """The clockwork of one worker. `run` never ends by itself; the server owns and cancels it."""

    def __init__(self, node: Node, health: Health) -> None:
        self._node = node
        self._health = health
        self._stewards = Stewards(node)
        self._changed_rooms: set[RoomId] = set()
        self._uncounted: set[Connection] = set()
        """Those who had no room for the last counts, and are owed all of them."""

    async def run(self) -> None:
        """Do everything in its own rhythm until cancelled."""
        async with asyncio.TaskGroup() as group:
            for every, work in (
                (PRESENCE_SECONDS, self._presence),
                (COUNTS_SECONDS, self._counts),
                (SECOND, self._second),
                (STAFF_SECONDS, self._staff),
                (WATCH_SECONDS, self._watch),
                (STAFF_SECONDS, self._accounts),
                (STEWARD_SECONDS, self._stewards.tick),
                (DUTY_SECONDS, self._duty),
                (ROOMS_SECONDS, self.load_rooms),
                (ROOMS_SECONDS, self._staff_names),
                (COUNT_SECONDS, self._node.overseer.count),
                (TOUCH_SECONDS, self._touch),
                (EXPIRE_SECONDS, self._expire),
                (REWRITE_SECONDS, self._rewrite),
            ):
                group.create_task(self._repeat(every, work), name=work.__name__)

    async def load_rooms(self) -> None:
        """Bring the room directory up to date."""
        node = self._node
        seen, found = node.rooms, await node.store.rooms()
        if node.rooms is seen:
            # Otherwise they were read anew meanwhile, and these may be older.
            node.rooms = {room.id: room for room in found}

    def restate_presence(self, outbox: Outbox, channel: ChannelName) -> None:
        """Tell a connection that had fallen behind who is there now."""
        node = self._node
        people = hiding.people(node, room_of(channel), hiding.seen_through(node, outbox))
        change = PresenceChange(node.presence.here(channel), [], [], False)
        node.hub.tell_one(outbox, channel, hiding.presence_push(node, channel, change, people))

    async def _repeat(self, every: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            # Workers that started together should not all work in the same moment for ever.
            await asyncio.sleep(every * random.uniform(0.9, 1.1))
            try:
                await work()
            except (StoreUnavailable, Refusal) as trouble:
                self._node.metrics.store_failures.inc()
                log.warning("sweep_postponed", extra={"work": work.__name__, "cause": str(trouble)})
            except Exception:
                # A bug in one piece of work must not stop the clock of the others.
                log.exception("sweep_failed", extra={"work": work.__name__})

    async def _presence(self) -> None:
        node = self._node
        messages = node.presence.tick(node.monotonic())
        if messages:
            node.bus.publish([(topic, encode(node.id, message)) for topic, message in messages])
        for channel, change in node.presence.drain_changes().items():
            if not channel.startswith(ROOM_CHANNEL_PREFIX):
                continue
            if change.is_count_changed and not rooms.is_session(room_of(channel)):
                # How many are in a closed room is nobody's to know but theirs.
                self._changed_rooms.add(room_of(channel))
            hiding.tell_presence(node, channel, change)

    async def _counts(self) -> None:
        node = self._node
        changed, self._changed_rooms = self._changed_rooms, set()
        uncounted, self._uncounted = self._uncounted & node.watching, set()
        if not changed and not uncounted:
            return
        here = {room: node.presence.here(room_channel(room)) for room in changed}
        for room, count in here.items():
            node.metrics.members.labels(room).set(count)
        push = CountsPush(here=here)
        for connection in node.watching if changed else uncounted:
            if connection.outbox.wire.buffered() > node.limits.outbox_bytes:
                self._uncounted.add(connection)
            elif connection in uncounted:
                everywhere = {room: node.presence.here(room_channel(room)) for room in node.rooms}
                connection.outbox.send(CountsPush(here=everywhere))
            else:
                connection.outbox.send(push)

    async def _second(self) -> None:
        node = self._node
        seats.look_round(node)
        self._health.send_canary()
        node.hub.measure()
        node.metrics.bus_attached.set(int(node.bus.is_attached))
        node.metrics.bus_dropped.set(node.bus.dropped)
        node.metrics.store_silent.set(int(node.store.is_silent))

    async def _staff(self) -> None:
        await sign_ins.look_again(self._node)

    async def _accounts(self) -> None:
        await self._node.accounts.tick()

    async def _watch(self) -> None:
        await self._node.arrivals.tick()
        await self._node.watch.tick()

    async def _duty(self) -> None:
        await self._node.duty.tick()

    async def _staff_names(self) -> None:
        await sign_ins.load_names(self._node)

    async def _touch(self) -> None:
        node = self._node
        node.forget_absent()
        node.arrivals.note_present()
        present = [member for member, online in node.online.items() if online.connections]
        if present:
            # Whoever was erased by another worker while the bus was away is found here.
            for member in await node.store.touch(present, node.now()):
                node.end_member(member)
            # And what else the bus may have lost about somebody.
            await members.heal(node)

    async def _expire(self) -> None:
        node = self._node
        while heads := await node.store.expire(node.now(), node.retention):
            node.hub.expire(heads)
            node.metrics.expired.inc(len(heads))

    async def _rewrite(self) -> None:
        """Rewrite the database's files where erasures are owed it. The store keeps it to once an hour."""
        if await self._node.store.rewrite(self._node.now()):
            log.info("database_rewritten")
