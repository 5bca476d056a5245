"""One worker's watch over moderation: who may not be here, what moderators are shown, and whom to tell of a decision.

The store decides and keeps a version, which is asked for twice a second. So a ban holds on every worker within a second
with the bus away, too; where the bus carries, at once.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.moderation import Measure, Report, ReportStatus, restriction_of
from chatserver.domain.rooms import Restriction, RestrictionKind, Room, require_unrestricted
from chatserver.domain.staff import Capability, may
from chatserver.handlers import rooms
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.protocol.codes import Close
from chatserver.protocol.internode import ModerationChanged
from chatserver.protocol.moderation import (
    AnswerView,
    DebriefView,
    MattersPush,
    MatterView,
    MeasureView,
    NoteView,
    ReportOk,
    ReportsOk,
    ReportsPush,
    ReportView,
    RingPush,
)
from chatserver.store.moderation_contract import Debrief, Matters, Queue, ReportFile

DAY: Final = 24 * 3_600_000
"""Milliseconds after which an address has another key."""
RINGS_FOR: Final = 15 * 60_000
"""Milliseconds for which a silent call that nobody has taken rings at whoever connects."""
_KEEPS_OUT: Final = (RestrictionKind.REMOVE, RestrictionKind.BAN)


class Watch:
    """Kept by the node; `tick` is the sweep's."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._version = -1
        self._restrictions: dict[MemberId, tuple[Restriction, ...]] = {}
        self._due: list[Millis] = []
        self._watching: set[Connection] = set()
        self._rung: dict[str, Millis] = {}
        self._lock = asyncio.Lock()

    # ---------------------------------------------------------------------------------------- what is forbidden

    def require_entrance(self, member: MemberId, room: Room | None) -> None:
        """Raises REMOVED or BANNED where somebody may not enter a room, or (None) be here at all."""
        require_unrestricted(self._restrictions.get(member, ()), room, self._node.now(), _KEEPS_OUT)

    async def greet(self, connection: Connection, member: MemberId) -> MattersPush | None:
        """At the door: what there is to tell somebody. Raises BANNED, and lets no new guests in from there today."""
        node, now = self._node, self._node.now()
        matters = await node.store.matters(member, now)
        bans = [restriction for each in matters.measures if (restriction := restriction_of(each)) is not None]
        bans = [each for each in bans if each.kind is RestrictionKind.BAN]
        if bans:
            await self._bar(bans[0], [connection])
            require_unrestricted(bans, None, now)
        return matters_of(matters) if matters.measures or matters.answers else None

    async def require_open_door(self, connection_key: bytes) -> None:
        """Raises BANNED where no new guests come in from an address today, without saying by which measure."""
        now = self._node.now()
        until = await self._node.store.barred_until(connection_key, now)
        if until is not None:
            raise Refusal(Reason.BANNED, retry_after=(until - now) / 1000, details={"until": until})

    # ------------------------------------------------------------------------------------------------ moderators

    async def watch(self, connection: Connection) -> ReportsOk:
        """From now on this connection is told of what there is to do. Returns how it is now."""
        queue = await self._node.store.queue(self._node.now())
        self._watching.add(connection)
        return view_of(queue)

    def closed(self, connection: Connection) -> None:
        """The socket is gone."""
        self._watching.discard(connection)

    # ------------------------------------------------------------------------------------------------ going round

    def overdue(self) -> int:
        """How many escalations nobody has taken in time."""
        return bisect_left(self._due, self._node.now())

    async def heed(self) -> None:
        """Something was changed here: see to it, and tell the other workers."""
        await self.tick()
        self._node.tell_nodes(ModerationChanged(self._version))

    async def tick(self) -> None:
        """Ask whether anything changed, and let it hold. Raises StoreUnavailable; then it is owed still."""
        async with self._lock:
            version = await self._node.store.moderation_version()
            if version == self._version:
                return
            before = self._version
            await self._load()
            await self._node.house.load()
            if before >= 0:
                await self._tell(await self._node.store.concerned(before))
            await self._show()
            self._version = version

    async def _load(self) -> None:
        node = self._node
        found: dict[MemberId, tuple[Restriction, ...]] = {}
        for measure in await node.store.restricting(node.now()):
            if (restriction := restriction_of(measure)) is not None:
                found[measure.about] = (*found.get(measure.about, ()), restriction)
        self._restrictions = found
        self._due = await node.store.escalations_due()
        for member, restrictions in found.items():
            for restriction in restrictions:
                if restriction.kind is not RestrictionKind.MUTE:
                    await self._put_out(member, restriction)

    async def _put_out(self, member: MemberId, restriction: Restriction) -> None:
        here = self._node.connections_of(member)
        if restriction.kind is RestrictionKind.BAN:
            for connection in here:
                for room in [*connection.rooms]:
                    rooms.depart(self._node, connection, room)
                connection.outbox.wire.close(Close.BANNED)
            if here:
                await self._bar(restriction, here)
        elif restriction.room is not None:
            known = self._node.rooms
            for connection in here:
                for room in [*connection.rooms]:
                    if restriction.room in (room, known[room].split_of if room in known else None):
                        rooms.depart(self._node, connection, room)

    async def _bar(self, ban: Restriction, connections: Iterable[Connection]) -> None:
        end_of_day = Millis((self._node.now() // DAY + 1) * DAY)
        keys = {connection.address for connection in connections}
        await self._node.store.bar(ban.measure, keys, min(end_of_day, ban.until))

    async def _tell(self, members: Iterable[MemberId]) -> None:
        """Those whose matters changed, where they are connected."""
        node = self._node
        for member in members:
            here = node.connections_of(member)
            if here:
                push = matters_of(await node.store.matters(member, node.now()))
                for connection in here:
                    _send(node, connection, push)

    async def _show(self) -> None:
        self._node.duty.show()
        node, now = self._node, self._node.now()
        moderators = [each for each in node.staffed if may(each.roles, Capability.MODERATE)]
        self._watching.intersection_update(moderators)
        if not moderators:
            return
        queue = await node.store.queue(now)
        for push in self._rings(queue.open, now):
            for connection in moderators:
                _send(node, connection, push)
        if self._watching:
            view = view_of(queue)
            push_ = ReportsPush(**{name: getattr(view, name) for name in view.__struct_fields__})
            for connection in self._watching:
                _send(node, connection, push_)

    def _rings(self, reports: Iterable[Report], now: Millis) -> list[RingPush]:
        """Silent calls that nobody has taken and that have not rung here."""
        self._rung = {report: at for report, at in self._rung.items() if now - at < RINGS_FOR}
        new = [
            each
            for each in reports
            if each.has_to_ring
            and each.status is ReportStatus.OPEN
            and now - each.at < RINGS_FOR
            and each.id not in self._rung
        ]
        self._rung.update({each.id: each.at for each in new})
        return [RingPush(report=each.id, at=each.at, room=each.room) for each in new]


def _send(node: Node, connection: Connection, push: ReportsPush | RingPush | MattersPush) -> None:
    """One that has no room for it is closed: whoever comes back is told anew."""
    if connection.outbox.wire.buffered() > node.limits.outbox_bytes:
        node.metrics.evictions.labels("too_slow").inc()
        connection.outbox.wire.close(Close.TOO_SLOW)
        connection.outbox.wire.abort()
    else:
        connection.outbox.send(push)


# ------------------------------------------------------------------------------------------------ views


def view_of(queue: Queue) -> ReportsOk:
    return ReportsOk(
        version=queue.version,
        open=tuple(_report(each, queue.names) for each in queue.open),
        open_count=queue.open_count,
        closed=tuple(_report(each, queue.names) for each in queue.closed),
        measures=tuple(_measure(each, queue.names) for each in queue.measures),
        unread_debriefs=queue.unread_debriefs,
    )


def file_of(found: ReportFile) -> ReportOk:
    names = found.names
    return ReportOk(
        report=_report(found.report, names),
        note=found.note,
        posts=found.posts,
        notes=tuple(NoteView(by=_person(each.by, names), at=each.at, note=each.note) for each in found.notes),
        measures=tuple(_measure(each, names) for each in found.measures),
    )


def debrief_of(found: Debrief, names: dict[MemberId, str]) -> DebriefView:
    return DebriefView(
        id=found.id,
        at=found.at,
        listener=_person(found.listener, names),
        note=found.note,
        read_by=None if found.read_by is None else _person(found.read_by, names),
        read_at=found.read_at,
    )


def matters_of(matters: Matters) -> MattersPush:
    return MattersPush(
        measures=tuple(
            MatterView(
                id=each.id,
                at=each.at,
                kind=each.kind,
                reason=each.reason,
                until=each.expires_at,
                room=each.room,
                seen=each.seen_at is not None,
                appealed=each.appeal is not None,
            )
            for each in matters.measures
        ),
        answers=tuple(
            AnswerView(id=each.report, at=each.at, closed_at=each.closed_at, outcome=each.outcome, reply=each.reply)
            for each in matters.answers
        ),
    )


def _person(member: MemberId, names: dict[MemberId, str]) -> Person:
    """Whoever is no more has no name."""
    return Person(member, names.get(member, ""))


def _somebody(member: MemberId | None, names: dict[MemberId, str]) -> Person | None:
    return None if member is None else _person(member, names)


def _report(report: Report, names: dict[MemberId, str]) -> ReportView:
    return ReportView(
        id=report.id,
        at=report.at,
        due_at=report.due_at,
        room=report.room,
        reason=report.reason,
        status=report.status,
        is_call=report.is_call,
        level=report.level,
        offset=report.offset,
        by=_somebody(report.by, names),
        about=_somebody(report.about, names),
        claimed_by=_somebody(report.claimed_by, names),
        closed_at=report.closed_at,
        outcome=report.outcome,
        reply=report.reply,
    )


def _measure(measure: Measure, names: dict[MemberId, str]) -> MeasureView:
    return MeasureView(
        id=measure.id,
        at=measure.at,
        kind=measure.kind,
        by=_person(measure.by, names),
        about=_person(measure.about, names),
        reason=measure.reason,
        expires_at=measure.expires_at,
        room=measure.room,
        offset=measure.offset,
        report=measure.report,
        lifted_at=measure.lifted_at,
        appeal=measure.appeal,
        appealed_at=measure.appealed_at,
    )
