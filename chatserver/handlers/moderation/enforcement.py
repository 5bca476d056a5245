"""One worker's enforcement of moderation: who may not be here, what moderators are shown, and who is told of a
decision.

The store decides, and keeps a version that every worker reads twice a second. So a ban holds on every worker within a
second while the bus is away, too, and at once while the bus works.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, NamedTuple

from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.moderation.measures import Measure, Report, restriction_of
from chatserver.domain.moderation.report_queue import Folds, QueuePlace, Rank, cursor_of, rank_in
from chatserver.domain.people.staff import Capability, may
from chatserver.domain.rooms.decide import require_unrestricted
from chatserver.domain.rooms.rooms import APPEAL_PATH, Restriction, RestrictionKind, Room, is_closed_room
from chatserver.handlers import membership
from chatserver.handlers.connection import Connection
from chatserver.handlers.moderation.askers import Askers, asker_of
from chatserver.handlers.moderation.paging import Pager
from chatserver.handlers.node import Node
from chatserver.handlers.people.arrivals import Arrivals
from chatserver.protocol.codes import Close
from chatserver.protocol.internode import ModerationChanged
from chatserver.protocol.moderation.views import (
    AnswerView,
    DebriefView,
    MeasureView,
    ModerationNoticesPush,
    ModerationNoticeView,
    NetworkView,
    NoteView,
    RankCounts,
    ReportOk,
    ReportPageOk,
    ReportsOk,
    ReportsPush,
    ReportView,
)
from chatserver.store.moderation_records import DebriefRecord, ModerationNotices, Queue, QueuePage, ReportFile

_NO_PARTS: Final[Mapping[str, int]] = {}
_KEEPS_OUT: Final = (RestrictionKind.REMOVE, RestrictionKind.BAN)


class _Told(NamedTuple):
    """What a connection was shown last, and the number that it had. The store's own version would show to anybody who
    counts it that something changed which they may not see."""

    queue: Queue
    number: int


class Enforcement:
    """Enforces moderation on one worker. `ModerationPart` calls `tick` twice a second."""

    def __init__(self, node: Node, arrivals: Arrivals) -> None:
        self.node = node
        self.arrivals = arrivals
        self.on_changed: list[Callable[[], Awaitable[None]]] = []
        """Called in order where moderation's version rose, before anybody is told: they read what is theirs of it."""
        self._version = -1
        self._restrictions: dict[MemberId, tuple[Restriction, ...]] = {}
        self._due: list[Millis] = []
        self._watching: dict[Connection, _Told] = {}
        self._rings = Pager(node)
        self._lock = asyncio.Lock()
        self.askers: Final = Askers(node.store)

    # ---------------------------------------------------------------------------------------- what is forbidden

    def require_entrance(self, member: MemberId, room: Room | None) -> None:
        """Raise REMOVED or BANNED where a member may not enter a room, or, for None, may not be here at all."""
        require_unrestricted(self._restrictions.get(member, ()), room, self.node.now(), _KEEPS_OUT)

    def require_voice(self, member: MemberId, room: Room | None) -> None:
        """Raise MUTED, REMOVED or BANNED where a member may not write in a room, as far as is known here. The store
        decides again when something is written."""
        require_unrestricted(self._restrictions.get(member, ()), room, self.node.now())

    def require_unmuted(self, member: MemberId) -> None:
        """Raise MUTED where a member is muted in any room."""
        now = self.node.now()
        for each in self._restrictions.get(member, ()):
            if each.kind is RestrictionKind.MUTE and each.until > now:
                details = {"measure": each.measure, "until": each.until, "appeal": APPEAL_PATH}
                raise Refusal(Reason.MUTED, retry_after=(each.until - now) / 1000, details=details)

    async def greet(self, connection: Connection, member: MemberId) -> ModerationNoticesPush | None:
        """Return what moderation has to tell a member who says hello; None for nothing. Raises BANNED, and then applies
        the ban to newcomers from the same place."""
        node, now = self.node, self.node.now()
        matters = await node.store.moderation_notices(member, now)
        bans = [restriction for each in matters.measures if (restriction := restriction_of(each)) is not None]
        bans = [each for each in bans if each.kind is RestrictionKind.BAN]
        if bans:
            await self._bar(bans[0], [connection])
            require_unrestricted(bans, None, now)
        if not (matters.measures or matters.answers or matters.is_stranded):
            return None
        return self.view_of_notices(matters)

    def view_of_notices(self, matters: ModerationNotices) -> ModerationNoticesPush:
        """Return what moderation has to tell somebody, with whom they can turn to outside where nobody here can."""
        return notices_of(matters, self.node.safety_contact)

    # ------------------------------------------------------------------------------------------------ moderators

    async def watch(self, connection: Connection, person: Person) -> ReportsOk:
        """Show this connection the queue from now on whenever it changes. Returns the queue as it is now."""
        # With the lock: what changes meanwhile is told afterwards.
        async with self._lock:
            queue = await self.node.store.queue(asker_of(connection, person), self.node.now())
            before = self._watching.get(connection)
            told = self._watching[connection] = _Told(queue, 1 if before is None else before.number + 1)
        return view_of(queue, told.number)

    def closed(self, connection: Connection) -> None:
        """Forget a connection whose socket is gone."""
        self._watching.pop(connection, None)

    # ------------------------------------------------------------------------------------------------ going round

    def overdue(self) -> int:
        """Return how many escalations nobody has taken in time."""
        return bisect_left(self._due, self.node.now())

    async def refresh_and_broadcast(self) -> None:
        """Enforce what was changed on this worker, and tell the other workers to look. Raises StoreUnavailable."""
        await self.tick()
        self.node.tell_nodes(ModerationChanged(self._version))

    async def tick(self) -> None:
        """Read moderation's version, and enforce what changed. Raises StoreUnavailable; the next call does it then."""
        async with self._lock:
            self._rings.catch_up()
            version = await self.node.store.moderation_version()
            if version == self._version:
                return
            before = self._version
            await self._load()
            for read in self.on_changed:
                await read()
            if before >= 0:
                await self._tell(await self.node.store.concerned(before))
            await self._show()
            self._version = version

    async def _load(self) -> None:
        node = self.node
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
        here = self.node.connections_of(member)
        if restriction.kind is RestrictionKind.BAN:
            for connection in here:
                for room in [*connection.rooms]:
                    membership.depart(self.node, connection, room)
                connection.outbox.wire.close(Close.BANNED)
            if here:
                await self._bar(restriction, here)
        elif restriction.room is not None and not is_closed_room(restriction.room):
            known = self.node.rooms
            for connection in here:
                for room in [*connection.rooms]:
                    if restriction.room in (room, known[room].split_of if room in known else None):
                        membership.depart(self.node, connection, room)

    async def _bar(self, ban: Restriction, connections: Iterable[Connection]) -> None:
        keys = {key for connection in connections for key in connection.prefixes.today if key}
        await self.node.store.bar(ban.measure, keys, self.node.now())

    async def _tell(self, members: Iterable[MemberId]) -> None:
        """Push their moderation notices to those of these members who are connected here."""
        node = self.node
        for member in members:
            here = node.connections_of(member)
            if here:
                push = self.view_of_notices(await node.store.moderation_notices(member, node.now()))
                for connection in here:
                    node.send_or_close(connection, push)

    async def _show(self) -> None:
        node, now = self.node, self.node.now()
        moderators = [each for each in node.staffed if may(each.roles, Capability.MODERATE)]
        self._watching = {each: told for each, told in self._watching.items() if each in moderators}
        groups = await self.askers.learn(moderators)
        await self._rings.look(groups)
        for asker, connections in groups.items():
            queue = await node.store.queue(asker, now)
            for connection in connections:
                self._show_queue(connection, queue)

    def _show_queue(self, connection: Connection, queue: Queue) -> None:
        """Push the queue to a connection for which it shows something new. A push without news would tell of a report
        that its reader may not know of."""
        told = self._watching.get(connection)
        if told is None or replace(told.queue, version=queue.version) == queue:
            return
        self._watching[connection] = _Told(queue, told.number + 1)
        view = view_of(queue, told.number + 1)
        push = ReportsPush(**{name: getattr(view, name) for name in view.__struct_fields__})
        self.node.send_or_close(connection, push)


# ------------------------------------------------------------------------------------------------ views


def view_of(queue: Queue, number: int) -> ReportsOk:
    """Return the queue as one connection is shown it, under a number that rises with each time."""
    return ReportsOk(
        version=number,
        open=tuple(_report(each, queue.names, queue.parts) for each in queue.open),
        open_count=queue.open_count,
        ranks=RankCounts(
            now=queue.ranks.get(Rank.NOW, 0),
            reports=queue.ranks.get(Rank.REPORT, 0),
            words=queue.ranks.get(Rank.WORDS, 0),
        ),
        next=_cursor(queue.next),
        closed=tuple(_report(each, queue.names) for each in queue.closed),
        measures=tuple(_measure(each, queue.names) for each in queue.measures),
        unread_debriefs=queue.unread_debriefs,
    )


def page_of(page: QueuePage) -> ReportPageOk:
    """Return a page as moderators are shown it."""
    return ReportPageOk(
        reports=tuple(_report(each, page.names, page.parts) for each in page.reports), next=_cursor(page.next)
    )


def _cursor(place: QueuePlace | None) -> str | None:
    return None if place is None else cursor_of(place)


def file_of(found: ReportFile) -> ReportOk:
    names, around = found.names, found.neighbours
    return ReportOk(
        report=_report(found.report, names),
        note=found.note,
        posts=found.posts,
        notes=tuple(NoteView(by=_person(each.by, names), at=each.at, note=each.note) for each in found.notes),
        measures=tuple(_measure(each, names) for each in found.measures),
        earlier=found.earlier,
        network=None if around is None else NetworkView(others=around.others, newcomer=around.is_newcomer),
    )


def debrief_of(found: DebriefRecord, names: dict[MemberId, str]) -> DebriefView:
    return DebriefView(
        id=found.id,
        at=found.at,
        listener=_person(found.listener, names),
        note=found.note,
        read_by=None if found.read_by is None else _person(found.read_by, names),
        read_at=found.read_at,
    )


def notices_of(matters: ModerationNotices, safety_contact: str) -> ModerationNoticesPush:
    """Return what moderation has to tell somebody."""
    return ModerationNoticesPush(
        stranded=matters.is_stranded,
        contact=safety_contact if matters.is_stranded else "",
        measures=tuple(
            ModerationNoticeView(
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
    """Return a member with their name, which is empty where they are no more."""
    return Person(member, names.get(member, ""))


def _somebody(member: MemberId | None, names: dict[MemberId, str]) -> Person | None:
    return None if member is None else _person(member, names)


def _report(report: Report, names: dict[MemberId, str], parts: Mapping[str, int] = _NO_PARTS) -> ReportView:
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
        epoch=None if report.offset is None else report.epoch,
        by=_somebody(report.by, names),
        about=_somebody(report.about, names),
        claimed_by=_somebody(report.claimed_by, names),
        closed_at=report.closed_at,
        outcome=report.outcome,
        reply=report.reply,
        about_staff=report.is_about_staff,
        taken_from=_somebody(report.taken_from, names),
        taken_why=report.taken_reason,
        rank=rank_in(report.band),
        new=report.is_new,
        pressing=report.is_pressing,
        parts=parts.get(report.id, 0),
        folds=None if report.folds is None else Folds(report.folds),
        card=report.card,
        fold=report.fold,
        newest_at=report.newest_at,
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
