"""One worker's picture of the meetings that somebody here is in or sees: read when they have changed, shown to the
people concerned. What is due of any meeting is carried out by whichever worker finds it first.

The store decides. This service asks it to, and keeps what the store said last (decision 0202).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from chatserver.delivery.tasks import Tasks
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.listening import referrals
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings.commands import CountMisses, Decided, MeetingAction
from chatserver.domain.meetings.decide import decide
from chatserver.domain.meetings.forms import FORMS
from chatserver.domain.meetings.groups import GroupId
from chatserver.domain.meetings.state import (
    ROUNDS,
    Meeting,
    MeetingId,
    backstage_of,
    is_backstage,
    meeting_of_room,
    room_of_meeting,
)
from chatserver.domain.meetings.timers import next_due
from chatserver.domain.moderation.crisis_phrases import Signal
from chatserver.domain.people.staff import Capability, may
from chatserver.domain.rooms.rooms import RoomId, RoomKind, kind_of
from chatserver.handlers import membership
from chatserver.handlers.connection import Connection
from chatserver.handlers.listening.service import ListeningService
from chatserver.handlers.meetings import gauges, views
from chatserver.handlers.meetings.views import MeetingViews, Viewer
from chatserver.handlers.node import Node
from chatserver.handlers.sightings import SEEN_SECONDS, sightings
from chatserver.protocol.internode import MeetingChanged
from chatserver.protocol.meetings.views import MeetingGonePush, MeetingPush, MeetingView
from chatserver.store.meeting_records import MeetingChange, MeetingCommitted
from chatserver.store.records import StoreUnavailable

POLL_SECONDS: Final = 0.8
"""Seconds between two looks for what is due, and for meetings that have changed. What the bus lost is found here."""
DUE_AT_ONCE: Final = 50
_SPREAD_SECONDS: Final = 0.1
"""Workers that wake for the same moment try one after another; the first is usually enough."""
NOBODY: Final = MemberId("")
log = logging.getLogger("chatserver.handlers")


class MeetingService:
    """Everything that one worker does about meetings. `run` never ends by itself: the server owns and cancels it."""

    def __init__(self, node: Node, listening: ListeningService) -> None:
        """`listening` has the queue to whose head a host may refer somebody."""
        self.node = node
        self.listening = listening
        self._pictures: dict[MeetingId, Meeting] = {}
        self._watching: dict[MeetingId, dict[Connection, MeetingView | None]] = {}
        """Who is told of which meeting, and what they were last told."""
        self._shown: dict[MeetingId, tuple[object, ...]] = {}
        """What the views that were shown last were made of."""
        self._doubtful: set[tuple[Connection, RoomId]] = set()
        """Connections in rooms of meetings that their members seemed not to be in when that was last looked at."""
        self._stale: set[MeetingId] = set()
        self._tasks = Tasks()
        self._wake = asyncio.Event()
        self._seen_at = float("-inf")

    def now(self) -> Millis:
        """Return the time by the database's clock, which is the same for every worker."""
        return self.node.database_now()

    # ------------------------------------------------------------------------------------------ what people do

    async def do(
        self,
        who: MemberId,
        meeting: MeetingId,
        command: MeetingAction,
        *,
        is_moderator: bool = False,
        is_operator: bool = False,
    ) -> MeetingCommitted:
        """Carry out a command on a meeting. On return this worker's picture shows the result. Raises Refusal or
        StoreUnavailable."""
        due: Millis | None = None

        def answer(found: Meeting) -> Decided:
            nonlocal due
            due = next_due(found)
            # By the time when the meeting is locked, not when the command came.
            return decide(found, command, who, self.now(), is_moderator=is_moderator, is_operator=is_operator)

        committed = await self.node.store.commit_meeting(MeetingChange(meeting=meeting, decide=answer, now=self.now()))
        if isinstance(command, c.ApplyDue) and committed.is_changed and due is not None:
            self.node.metrics.meeting_late_seconds.observe(max(0, self.now() - due) / 1000)
        self.take_in(meeting, committed)
        return committed

    async def take_everywhere(self, who: MemberId, command: MeetingAction) -> None:
        """Carry out a command on every meeting that somebody has a part in."""
        for meeting in await self.node.store.meetings_of(who):
            try:
                await self.do(who, meeting, command)
            except Refusal as refusal:
                # It was forgotten just now.
                if refusal.reason is not Reason.MEETING_UNKNOWN:
                    raise

    async def seen(self, who: MemberId, meeting: MeetingId) -> None:
        """Note that somebody of a meeting is here, and carry out what waited for them."""
        await self.node.store.see_in_meetings([who], self.now())
        await self.do(NOBODY, meeting, c.ApplyDue())

    async def picture(self, meeting: MeetingId) -> Meeting:
        """Return a meeting as it is now. Raises MEETING_UNKNOWN."""
        found = await self.node.store.meeting(meeting)
        if found is None:
            raise Refusal(Reason.MEETING_UNKNOWN)
        self._keep(found)
        return found

    def view(self, connection: Connection, meeting: Meeting) -> MeetingView:
        """Tell a connection of a meeting from now on whenever it changes. Return its view as it is now."""
        watching = self._watching.setdefault(meeting.id, {})
        made = self._views(meeting).of(viewer(connection))
        watching[connection] = made = self._numbered(made, watching.get(connection))
        return made

    def closed(self, connection: Connection) -> None:
        """Forget a connection whose socket is gone."""
        for meeting, watching in [*self._watching.items()]:
            watching.pop(connection, None)
            if not watching:
                del self._watching[meeting]
        self._doubtful = {each for each in self._doubtful if each[0] is not connection}

    def changed(self, meeting: MeetingId) -> None:
        """Note that a meeting has changed, as another worker says."""
        if meeting in self._pictures or meeting in self._watching:
            self._stale.add(meeting)
            self._wake.set()

    # ------------------------------------------------------------------------------------------ closed rooms

    @property
    def keep(self) -> int:
        """Return for how many milliseconds what was written is kept at most after the end."""
        return max(rules.keep for rules in FORMS.values())

    def may_stay(self, room: RoomId, member: MemberId) -> bool:
        """Return whether a member may be in a meeting's room, as far as is known here. The store knows who is a member
        of it, and somebody who has left is found in the next turn."""
        return True

    def is_live(self, room: RoomId) -> bool:
        found = self._pictures.get(meeting_of_room(room))
        return found is None or found.is_live

    def spoke(self, who: MemberId, room: RoomId) -> None:
        """Note that somebody wrote, where everybody writes once. Nothing waits for the note."""
        if is_backstage(room):
            return
        found = self._pictures.get(MeetingId(room))
        if found is None or (found.kind in ROUNDS and who not in found.said):
            self._tasks.start(self._note(who, MeetingId(room), c.Spoke()), "note speech")

    def raised(self, who: MemberId, room: RoomId, post: Offset, signals: Sequence[Signal]) -> None:
        """Tell the hosts what screening found in a post in their meeting. Nothing waits for it: moderators have an
        entry of it already."""
        if not is_backstage(room):
            for each in signals:
                noted = c.NoteConcern(post=post, category=str(each.category), level=each.level)
                self._tasks.start(self._note(who, meeting_of_room(room), noted), "note concern")

    async def _note(self, who: MemberId, meeting: MeetingId, note: c.Spoke | c.NoteConcern) -> None:
        try:
            await self.do(who, meeting, note)
        except (Refusal, StoreUnavailable):
            # The round is over, or ends by its time; or the meeting is.
            log.info("meeting_note_lost", extra={"meeting": meeting, "note": type(note).__name__})

    def typed(self, who: MemberId, room: RoomId) -> None:
        """Do nothing: no turn ends because somebody is silent."""

    # ------------------------------------------------------------------------------------------ clockwork

    async def run(self) -> None:
        """Follow the meetings until cancelled."""
        while True:
            await self._pause()
            try:
                await self._turn()
            except (StoreUnavailable, Refusal) as trouble:
                self.node.metrics.store_failures.inc()
                log.warning("meetings_postponed", extra={"cause": str(trouble)})
                await asyncio.sleep(POLL_SECONDS)
            except Exception:
                # What has to go on whatever one turn ran into.
                log.exception("meetings_failed")
                await asyncio.sleep(POLL_SECONDS)

    async def close(self) -> None:
        """End the tasks that this service has started."""
        await self._tasks.close()

    async def _pause(self) -> None:
        wait = POLL_SECONDS * random.uniform(0.9, 1.1)
        due = [at for each in self._pictures.values() if (at := next_due(each)) is not None and at > self.now()]
        if due:
            wait = min(wait, (min(due) - self.now()) / 1000 + random.uniform(0, _SPREAD_SECONDS))
        try:
            async with asyncio.timeout(max(0.0, wait)):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _turn(self) -> None:
        clock = self.node.monotonic()
        concerned = self._concerned()
        is_time_to_see = clock - self._seen_at >= SEEN_SECONDS
        if is_time_to_see:
            self._seen_at = clock
            await self._note_who_is_here()
            await self._dismiss_hosts_who_may_not()
        for meeting in await self.node.store.due_meetings(self.now(), DUE_AT_ONCE):
            await self._apply_due(meeting)
        await self._follow(concerned, again=is_time_to_see)
        self._put_in_order()
        self._show()

    async def _apply_due(self, meeting: MeetingId) -> None:
        try:
            await self.do(NOBODY, meeting, c.ApplyDue())
        except StoreUnavailable:
            raise
        except Refusal as refusal:
            # Another worker was first, and forgot it.
            if refusal.reason is not Reason.MEETING_UNKNOWN:
                raise
        except Exception:
            # A bug that one meeting runs into holds up no other.
            log.exception("meeting_failed", extra={"meeting": meeting})

    def _concerned(self) -> set[MeetingId]:
        """Return the meetings that somebody here sees, or is in."""
        inside = {meeting_of_room(room) for connection in self._inside() for room in connection.rooms if _is_ours(room)}
        return {*self._watching, *inside}

    def _inside(self) -> list[Connection]:
        return [
            connection
            for online in self.node.online.values()
            for connection in online.connections
            if any(map(_is_ours, connection.rooms))
        ]

    async def _note_who_is_here(self) -> None:
        """Tell the store who of the meetings has a connection here that answers."""
        people = {
            connection.person.id
            for connection in (*self._inside(), *(one for each in self._watching.values() for one in each))
            if connection.person is not None
        }
        for ago, members in sightings(self.node, people).items():
            await self.node.store.see_in_meetings(members, Millis(self.now() - ago))

    async def _dismiss_hosts_who_may_not(self) -> None:
        """Take hosts out whose account was revoked, or who have lost the role, on whatever worker that was done."""
        hosted = [each for each in self._pictures.values() if each.is_ahead]
        hosts = {host for each in hosted for host in each.hosts}
        good = await self.node.store.good_staff(hosts) if hosts else {}
        bad = {host for host in hosts if host not in good or not may(good[host].roles, Capability.FACILITATE)}
        for meeting in hosted:
            for host in bad & {*meeting.hosts}:
                await self.do(host, meeting.id, c.Dismiss())

    def look_at_staff(self) -> None:
        """Check soon whether all hosts may still host, because a staff account was changed."""
        self._seen_at = float("-inf")
        self._wake.set()

    async def _follow(self, concerned: set[MeetingId], *, again: bool) -> None:
        """Read anew the meetings whose version is another than the picture's; with `again` all of them, because who
        was seen is no new version."""
        stale, self._stale = self._stale & concerned, set()
        versions = await self.node.store.meeting_versions(concerned) if concerned else {}
        for meeting in [*self._pictures]:
            if meeting not in concerned:
                self._drop(meeting)
        wanted = [
            meeting
            for meeting in concerned
            if again or meeting in stale or versions.get(meeting) != self._version(meeting)
        ]
        found = await self.node.store.meetings(wanted) if wanted else {}
        for meeting in wanted:
            if meeting not in found:
                self._gone(meeting)
            elif found[meeting].version >= (self._version(meeting) or 0):
                # Otherwise a commit of this worker came in between.
                self._pictures[meeting] = found[meeting]

    def _version(self, meeting: MeetingId) -> int | None:
        found = self._pictures.get(meeting)
        return None if found is None else found.version

    # ------------------------------------------------------------------------------------------ pictures

    def take_in(self, meeting: MeetingId, committed: MeetingCommitted) -> None:
        """Announce what a commit published, and show the meeting after it."""
        node, after = self.node, committed.meeting
        node.hub.announce(committed.publications)
        for misses in committed.misses:
            self._tasks.start(self._tell_misses(misses), "tell misses")
        gauges.count(node.metrics, committed)
        if after is None:
            node.tell_nodes(MeetingChanged(meeting, 0))
            self._gone(meeting)
            return
        if committed.is_changed:
            node.tell_nodes(MeetingChanged(meeting, after.version))
        self._keep(after)
        self._show_one(after)

    async def _tell_misses(self, misses: CountMisses) -> None:
        """Tell the other meetings of a group that somebody did not come, or came after all. If this worker dies
        meanwhile nobody is told: a seat is kept once too often."""
        try:
            group = await self.node.store.group(GroupId(misses.group))
            for each in () if group is None else group.meetings:
                if each.id != misses.meeting and misses.member in each.people:
                    await self.do(misses.member, each.id, c.NoteMisses(count=misses.count))
        except (Refusal, StoreUnavailable):
            log.info("misses_not_told", extra={"meeting": misses.meeting})

    def _keep(self, meeting: Meeting) -> None:
        before = self._pictures.get(meeting.id)
        if before is not None and before.version > meeting.version:
            return
        self._pictures[meeting.id] = meeting
        if before is not None:
            gone = {each.member for each in before.here()} - {each.member for each in meeting.here()}
            self._take_out(meeting.id, gone)

    def _gone(self, meeting: MeetingId) -> None:
        """Forget a meeting that the store has forgotten."""
        for connection in self._watching.pop(meeting, {}):
            self.node.send_or_close(connection, MeetingGonePush(id=meeting))
        for connection in self._inside():
            membership.depart(self.node, connection, room_of_meeting(meeting))
            membership.depart(self.node, connection, backstage_of(meeting))
        self._drop(meeting)

    async def count(self) -> None:
        """Set the gauges of how many meetings there are."""
        gauges.measure(self.node.metrics, await self.node.store.count_meetings())

    def _drop(self, meeting: MeetingId) -> None:
        self._pictures.pop(meeting, None)
        self._shown.pop(meeting, None)

    def _take_out(self, meeting: MeetingId, members: Iterable[MemberId]) -> None:
        for member in members:
            membership.left(self.node, member, room_of_meeting(meeting))
            membership.left(self.node, member, backstage_of(meeting))

    def _put_in_order(self) -> None:
        """Take connections out of rooms of meetings that their members are not in: a picture may be older than a join,
        so only those for whom it was the same the last time."""
        found = {
            (connection, room)
            for connection in self._inside()
            for room in connection.rooms
            if _is_ours(room) and not self._is_in(room, connection)
        }
        for connection, room in found & self._doubtful:
            assert connection.person is not None
            membership.left(self.node, connection.person.id, room)
        self._doubtful = found - self._doubtful

    def _is_in(self, room: RoomId, connection: Connection) -> bool:
        found = self._pictures.get(meeting_of_room(room))
        if found is None or connection.person is None or not found.is_live:
            return True
        who = found.people.get(connection.person.id)
        return who is not None and who.is_here and (not is_backstage(room) or found.is_host(who.member))

    # ------------------------------------------------------------------------------------------ showing

    def _show(self) -> None:
        for meeting in [*self._watching]:
            if (found := self._pictures.get(meeting)) is not None:
                self._show_one(found)

    def _show_one(self, meeting: Meeting) -> None:
        """Show a meeting to everybody for whom it has changed."""
        watching = self._watching.get(meeting.id)
        if watching is None:
            return
        made_of = views.what_changes(meeting, self.now(), self._referrable(meeting))
        if self._shown.get(meeting.id) == made_of and None not in watching.values():
            return
        self._shown[meeting.id] = made_of
        shared = self._views(meeting)
        for connection, before in [*watching.items()]:
            view = shared.of(viewer(connection))
            if before is None or replace(view, version=before.version) != before:
                view = self._numbered(view, before)
                if connection.outbox.wire.buffered() > self.node.limits.outbox_bytes:
                    # They are told when there is room again: the newest is right.
                    watching[connection] = None
                    continue
                connection.outbox.send(MeetingPush(meeting=view))
                watching[connection] = view

    def _views(self, meeting: Meeting) -> MeetingViews:
        return MeetingViews(meeting, self.now(), self.node.aliases, self._referrable(meeting).__contains__)

    def _referrable(self, meeting: Meeting) -> frozenset[MemberId]:
        """Return whom of a meeting the queue of listeners would take first, if a host offered it."""
        if not (meeting.is_live and self.listening.is_open):
            return frozenset()
        state, now = self.listening.state, self.now()
        return frozenset(each for each in meeting.people if referrals.refusal(state, each, now) is None)

    def _numbered(self, view: MeetingView, before: MeetingView | None) -> MeetingView:
        """Return a view with its number, which rises over all workers."""
        last = 0 if before is None else before.version
        return replace(view, version=max(self.now(), last + 1))

    async def renamed(self, person: Person) -> None:
        """Give a member their new name in every meeting that they have a part in."""
        await self.take_everywhere(person.id, c.Renamed(name=person.name))


def viewer(connection: Connection) -> Viewer:
    """Return whom a connection shows meetings to."""
    assert connection.person is not None
    is_operator = may(connection.roles, Capability.OPERATE)
    return Viewer(connection.person.id, is_moderator=connection.is_moderator, is_operator=is_operator)


def _is_ours(room: RoomId) -> bool:
    return kind_of(room) is RoomKind.MEETING
