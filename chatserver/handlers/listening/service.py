"""One worker's picture of the listening state: it is read when it has changed, what is due is carried out, and the
people concerned are shown it.

The store decides. This service asks it to, and keeps what the store said last (`docs/decisions/0080`).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from typing import Final

import msgspec

from chatserver.delivery.tasks import Tasks
from chatserver.domain.errors import Refusal
from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.listening.commands import (
    ApplyDue,
    Decided,
    Dismiss,
    KeepApart,
    ListeningAction,
    Renamed,
    Spoke,
    StepOut,
    Typed,
)
from chatserver.domain.listening.company_commands import (
    LeaveCompany,
)
from chatserver.domain.listening.decide import decide_and_apply_due, due_at
from chatserver.domain.listening.state import ListeningRules, ListeningState, SessionId
from chatserver.domain.moderation.crisis_phrases import Signal
from chatserver.domain.people.staff import Capability, may
from chatserver.domain.rooms.rooms import RoomId, RoomKind, RoomStatus, kind_of
from chatserver.handlers import membership
from chatserver.handlers.connection import Connection
from chatserver.handlers.listening.gauges import measure
from chatserver.handlers.listening.heartbeat import Heartbeat
from chatserver.handlers.listening.opening_hours import Clock
from chatserver.handlers.listening.views import Picture, View, ViewKind
from chatserver.handlers.listening.watchers import Watchers
from chatserver.handlers.node import Node
from chatserver.handlers.people.identity import Identities
from chatserver.handlers.sightings import SEEN_SECONDS
from chatserver.protocol.internode import ListeningChanged
from chatserver.store.records import ListeningChange, ListeningCommitted, StoreUnavailable

POLL_SECONDS: Final = 0.8
"""Seconds between two reads of the listening state's version, with which it is checked whether its listeners still may
listen. What the bus lost is found here, within a second."""
SPOKE_SECONDS: Final = 20.0
"""How often a worker notes that a session is not silent. Far within its idle limit."""
RESTATE_SECONDS: Final = 15.0
"""How often views are made anew although nothing happened: estimates age."""
_MOST_PATIENCE: Final = 30.0
"""How many seconds, after the store was away or this worker has started, nobody counts as gone for good: as long as
clients may wait before they come back."""
_CLOCKS_DIFFER: Final = 2_000
"""Milliseconds by which two clocks may differ, and a question to the database may take, to count as the same."""
_JUST_SEEN: Final = 2_000
"""Milliseconds for which somebody who was seen counts as here without being looked for again."""
_CLOSED_ROOMS: Final = (RoomKind.SESSION, RoomKind.COMPANY)
_FOR_EVER: Final = 365 * 24 * 3_600_000
NOBODY: Final = MemberId("")
_SPREAD_SECONDS: Final = 0.15
"""Workers that wake for the same moment try one after another; the first is usually enough."""
log = logging.getLogger("chatserver.handlers")


class ListeningService:
    """Everything that one worker does about one-to-one listening. `run` never ends by itself: the server owns and
    cancels it."""

    def __init__(
        self, node: Node, identities: Identities, rules: ListeningRules, hours: Clock, languages: tuple[str, ...]
    ) -> None:
        self.node = node
        self.identities = identities
        self._hours = hours
        self.languages = languages
        """Those that somebody who asks can choose."""
        self.rules = rules
        self._patient_rules = msgspec.structs.replace(
            rules, grace=rules.grace + _FOR_EVER, session_grace=rules.session_grace + _FOR_EVER
        )
        self._patient_until = 0.0
        self._is_patient = True
        """Whether the picture was made while nobody counted as gone for good."""
        # After a start, too: whoever was connected to a worker that stopped is on their way.
        self._store_was_away()
        self._held = frozenset[MemberId]()
        """Those who wait and whom a moderator is to talk with, while there is company to offer."""
        self.picture = self._picture(ListeningState())
        self._watchers = Watchers(lambda: self.picture, self.now, node.limits.outbox_bytes)
        self._heartbeat = Heartbeat(node)
        self._loading: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._known = 0
        """The newest version that anybody told of."""
        self._taken_in = 0
        """Counts the commits of this worker whose state became the picture."""
        self._spoke: dict[tuple[SessionId, bool], float] = {}
        """When this worker last noted that a session's seeker, or (False) a listener of it, spoke, by its monotonic
        clock."""
        self._typed: dict[SessionId, float] = {}
        """When it last noted that somebody is writing there."""
        self._tasks = Tasks()
        self._seen_at = self._looked_at = self._restated_at = self._applied_at = float("-inf")

    @property
    def state(self) -> ListeningState:
        return self.picture.state

    def now(self) -> Millis:
        """Return the time by the database's clock, which is the same for every worker. By its own clock, a worker that
        is ahead would take everybody for gone."""
        return self.node.database_now()

    def words_expire_at(self) -> Millis:
        """Return until when come-back words that are made now can be used."""
        return Millis(self.now() + self.rules.words_days * 24 * 3_600_000)

    def keep_hours(self, hours: Clock) -> None:
        """Replace the opening hours of listeners."""
        self._hours = hours
        self.picture = self._picture(self.state)

    @property
    def is_open(self) -> bool:
        return self._hours.is_open(self.now())

    @property
    def opens_at(self) -> Millis | None:
        """Return when listeners are here again; None where they are here now, or never will be."""
        return self._hours.opens_at(self.now())

    # ------------------------------------------------------------------------------------------ what people do

    async def do(self, who: MemberId, command: ListeningAction) -> ListeningCommitted:
        """Carry out a command on the listening state. On return this worker's picture shows the result. Raises Refusal
        or StoreUnavailable."""

        def decide(state: ListeningState) -> Decided:
            # By the time when the state is locked, not when the command came: what is committed later happens later.
            return decide_and_apply_due(state, command, who, self.now(), self._rules())

        try:
            committed = await self.node.store.commit_listening(ListeningChange(decide=decide, now=self.now()))
        except StoreUnavailable:
            self._store_was_away()
            raise
        self._take_in(committed)
        return committed

    async def dismiss(self, member: MemberId, *, is_erased: bool) -> None:
        """Take a member who was erased, or who listens no more, out of the listening state. Does nothing for somebody
        who is not in it."""
        await self.do(NOBODY, Dismiss(member=member, is_erased=is_erased))

    async def step_out(self, member: MemberId) -> None:
        """Take a member whose account is given back by a link out of their sessions."""
        await self.do(NOBODY, StepOut(member=member))

    async def hidden(self, who: MemberId, other: MemberId) -> None:
        """Keep two members apart in the queue after one of them hid the other, if one of them waits."""
        if not self.state.seekers.keys().isdisjoint((who, other)):
            await self.do(who, KeepApart(other=other))

    async def renamed(self, person: Person) -> None:
        """Give a member of the listening state their new name."""
        if self.picture.concerns(person.id):
            await self.do(person.id, Renamed(person=person))

    async def arrived(self, member: MemberId) -> None:
        """Note that a seeker or a listener has connected, and carry out what waited for them."""
        if not self.picture.concerns(member):
            return
        state = self.state
        record = state.seekers.get(member) or state.listeners.get(member) or state.hosts[member]
        if 0 <= self.now() - record.seen_at < _JUST_SEEN:
            # Nobody waits for somebody who was here a moment ago, and asking again must not cost the lock of the state.
            return
        await self.node.store.see([member], self.now())
        await self.do(NOBODY, ApplyDue())

    def may_stay(self, room: RoomId, member: MemberId) -> bool:
        """Return whether a member may be in a session's room, as far as is known here. A session that was opened just
        now may not be known yet; then the answer is yes."""
        return SessionId(room) not in self.state.sessions or self.picture.may_enter(room, member)

    @property
    def keep(self) -> int:
        """Return for how many milliseconds a session's content is kept after its end."""
        return self.rules.keep

    def is_live(self, room: RoomId) -> bool:
        found = self.state.sessions.get(SessionId(room))
        return found is None or found.is_live

    def spoke(self, who: MemberId, room: RoomId) -> None:
        """Note that somebody wrote in a session: now and then that it is not silent, and at once that its seeker wrote
        their first words. Nothing waits for the note."""
        now, session = self.node.monotonic(), SessionId(room)
        found = self.state.sessions.get(session)
        is_first_word = found is not None and who == found.seeker and not found.spoken
        key = (session, is_first_word)
        if now - self._spoke.get(key, float("-inf")) >= SPOKE_SECONDS:
            self._spoke[key] = self._spoke[session, False] = now
            self._tasks.start(self._note_speech(who, key), "note speech")

    def raised(self, who: MemberId, room: RoomId, post: Offset, signals: Sequence[Signal]) -> None:
        """Do nothing: a listener reads every word, and calls for help by `report`."""

    async def _note_speech(self, who: MemberId, key: tuple[SessionId, bool]) -> None:
        try:
            await self.do(who, Spoke(session=key[0]))
        except (Refusal, StoreUnavailable):
            # It has just ended, or the next post notes it.
            self._spoke.pop(key, None)

    def typed(self, who: MemberId, room: RoomId) -> None:
        """Note that somebody is typing in a session, as seldom as for posts, unless a post was noted meanwhile."""
        now, session = self.node.monotonic(), SessionId(room)
        noted = max(self._typed.get(session, float("-inf")), self._spoke.get((session, False), float("-inf")))
        if now - noted >= SPOKE_SECONDS:
            self._typed[session] = now
            self._tasks.start(self._note_typing(who, session), "note typing")

    async def _note_typing(self, who: MemberId, session: SessionId) -> None:
        try:
            await self.do(who, Typed(session=session))
        except (Refusal, StoreUnavailable):
            self._typed.pop(session, None)

    def watch(self, connection: Connection, kind: ViewKind) -> View:
        """Tell this connection from now on whenever its view of that kind changes. Returns the view as it is now.
        Raises NOT_LISTENER where somebody who is no listener asks for the console."""
        return self._watchers.watch(connection, kind)

    def closed(self, connection: Connection) -> None:
        """Forget a connection whose socket is gone."""
        self._watchers.closed(connection)
        self._heartbeat.closed(connection)

    def changed(self, version: int) -> None:
        """Note that the listening state has reached this version, as another worker says."""
        self._known = max(self._known, version)
        self._wake.set()

    def look_at_staff(self) -> None:
        """Check soon whether all listeners may still listen, because a staff account was changed."""
        self._looked_at = float("-inf")
        self._wake.set()

    # ------------------------------------------------------------------------------------------ patience

    def _store_was_away(self) -> None:
        """Be patient for a while: nobody could be noted as present while the store was away, so nobody may be taken for
        gone."""
        self._patient_until = self.node.monotonic() + min(_MOST_PATIENCE, self.rules.session_grace / 2000)

    def _rules(self) -> ListeningRules:
        """Return the rules. While people have not yet had the time to be seen again, nobody's grace ends by them."""
        return self._patient_rules if self._is_patient_now() else self.rules

    def _is_patient_now(self) -> bool:
        return self.node.monotonic() < self._patient_until

    # ------------------------------------------------------------------------------------------ clockwork

    async def start(self) -> None:
        """Read the listening state, before anybody is shown their place. Raises StoreUnavailable."""
        await self._compare_clocks()
        await self._load()

    async def run(self) -> None:
        """Follow the listening state until cancelled."""
        while True:
            await self._pause()
            try:
                await self._turn()
            except (StoreUnavailable, Refusal) as trouble:
                self._store_was_away()
                self.node.metrics.store_failures.inc()
                log.warning("floor_postponed", extra={"cause": str(trouble)})
                # What is due stays due meanwhile.
                await asyncio.sleep(POLL_SECONDS)
            except Exception:
                # What has to go on whatever one turn ran into.
                log.exception("floor_failed")
                await asyncio.sleep(POLL_SECONDS)

    async def _pause(self) -> None:
        due = self.picture.due
        wait = POLL_SECONDS * random.uniform(0.9, 1.1)
        if due is not None:
            wait = min(wait, max(0.0, (due - self.now()) / 1000) + random.uniform(0, _SPREAD_SECONDS))
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _turn(self) -> None:
        clock = self.node.monotonic()
        await self._follow_version()
        if clock - self._seen_at >= SEEN_SECONDS:
            self._seen_at = clock
            await self._note_who_is_here()
        elif clock - self._looked_at >= POLL_SECONDS / 2:
            self._looked_at = clock
            await self._dismiss_those_who_may_not(self._listeners_who_count())
            await self._dismiss_hosts_who_may_not()
        if self._is_patient and not self._is_patient_now():
            # What was put off is due from now on.
            self.picture = self._picture(self.state)
        if clock - self._applied_at >= _SPREAD_SECONDS and self._is_due():
            self._applied_at = clock
            await self._apply_due()
        measure(self.node.metrics, self.picture, self.now(), self.rules)
        await self._show(again=clock - self._restated_at >= RESTATE_SECONDS)

    async def _show(self, *, again: bool) -> None:
        """Show their view to everybody for whom it has changed; with `again` also where only estimates have aged."""
        if again:
            self._restated_at = self.node.monotonic()
            self.picture = self._picture(self.state)
        await self._watchers.show(again=again)

    async def _follow_version(self) -> None:
        """Read the state anew where the store has another version than the picture."""
        if self._known <= self.state.version:
            self._known = await self.node.store.listening_version()
        if self._known != self.state.version:
            # Also where it went back: a database that took over from a broken one may have missed the last commits.
            await self._load()
            await self._fresh(self._known)
            self._known = self.state.version

    async def _note_who_is_here(self) -> None:
        """Tell the store who of the queue is connected here, and see who is connected elsewhere."""
        await self._compare_clocks()
        await self._heartbeat.tell(self.picture, self.now())
        # Being seen is no new version: without this a quiet queue would look as if everybody had gone.
        await self._load()
        await self._dismiss_those_who_may_not([*self.state.listeners])
        await self._look_at_companies()

    def _listeners_who_count(self) -> list[MemberId]:
        """Return those who may be asked, or are in a session."""
        listeners, sessions = self.state.listeners.values(), self.picture.sessions
        return [each.member for each in listeners if each.wants or each.member in sessions]

    def _is_due(self) -> bool:
        return self.picture.due is not None and self.picture.due <= self.now()

    async def _apply_due(self) -> None:
        await self.do(NOBODY, ApplyDue())
        # Where nothing was due after all, people have been seen meanwhile: the picture is old.
        await self._load()

    async def _compare_clocks(self) -> None:
        """Use the database's clock from now on where it differs plainly from this machine's."""
        before = self.node.now()
        theirs = await self.node.store.clock()
        after = self.node.now()
        if theirs is None or not 0 <= after - before <= _CLOCKS_DIFFER:
            return
        ahead = (before + after) // 2 - theirs
        if abs(ahead) <= _CLOCKS_DIFFER:
            ahead = 0
        if abs(ahead - self.node.clock_ahead) > _CLOCKS_DIFFER:
            log.warning("floor_clock_is_wrong", extra={"ahead_ms": ahead})
            self.node.clock_ahead = ahead

    async def _dismiss_those_who_may_not(self, listeners: list[MemberId]) -> None:
        """Take listeners out of the listening state whose account was revoked or who have lost the role, on whatever
        worker that was done. This includes listeners who are away: nobody should wait for them."""
        if not listeners:
            return
        good = await self.node.store.good_staff(listeners)
        for member in listeners:
            if member not in good or not may(good[member].roles, Capability.LISTEN):
                await self.dismiss(member, is_erased=False)

    async def _look_at_companies(self) -> None:
        """Find out whom of those who wait no company may be offered, and whether all hosts still may keep company."""
        waiting = [each.member for each in self.picture.queue] if self.picture.companies else []
        self._held = await self.node.store.urgent_among(waiting) if waiting else frozenset()
        await self._dismiss_hosts_who_may_not()

    async def _dismiss_hosts_who_may_not(self) -> None:
        hosts = [each.host for each in self.state.companies.values() if each.host is not None]
        good = await self.node.store.good_staff(hosts) if hosts else {}
        for member in hosts:
            if member not in good or not may(good[member].roles, Capability.KEEP_COMPANY):
                await self.do(member, LeaveCompany())

    def _take_in(self, committed: ListeningCommitted) -> None:
        """Announce the publications of a commit, and show the state after it."""
        node = self.node
        node.hub.announce(committed.publications)
        if committed.is_changed:
            node.tell_nodes(ListeningChanged(committed.version))
            self.changed(committed.version)
        state = committed.state
        if state.version > self.state.version:
            waits = tuple(sorted((*self.state.waits, *state.waits), key=lambda wait: (wait[1], wait[0])))
            self._taken_in += 1
            self.picture = self._picture(msgspec.structs.replace(state, waits=waits))
            self._put_in_order()

    async def _fresh(self, version: int) -> None:
        """Wait until the picture has at least this version. All callers share one read. The read that is under way may
        have begun too early for a caller; the next one has not."""
        for _ in range(2):
            if self.state.version < version:
                await self._load()

    async def _load(self) -> None:
        if self._loading is None:
            self._loading = asyncio.create_task(self._read(), name="read the listening state")
        # Shielded: whoever gives up waiting must not end it for the others.
        await asyncio.shield(self._loading)

    async def _read(self) -> None:
        taken_in = self._taken_in
        try:
            found = await self.node.store.listening_state()
            if found.version >= self.state.version or taken_in == self._taken_in:
                # Otherwise a commit of this worker came in between, and what was read is older.
                self.picture = self._picture(found)
                self._put_in_order()
        finally:
            self._loading = None

    def _picture(self, state: ListeningState) -> Picture:
        now = self.now()
        self._is_patient = self._is_patient_now()
        return Picture(
            state,
            self.rules,
            self.node.aliases,
            hides=self.node.hiding.hides,
            is_open=self._hours.is_open(now),
            opens_at=self._hours.opens_at(now),
            languages=self.languages,
            topics=tuple(room.id for room in self.node.rooms.values() if room.status is RoomStatus.OPEN),
            due=due_at(state, now, self._rules()),
            now=now,
            held=self._held,
        )

    async def close(self) -> None:
        """End the tasks that this service has started."""
        await self._tasks.close()

    def _put_in_order(self) -> None:
        """Take connections out of the rooms of sessions and companies that their members belong to no more, or that are
        forgotten."""
        self._typed = {session: at for session, at in self._typed.items() if session in self.state.sessions}
        self._spoke = {key: at for key, at in self._spoke.items() if key[0] in self.state.sessions}
        for connection in self._in_sessions():
            assert connection.person is not None
            for room in [*connection.rooms]:
                if kind_of(room) in _CLOSED_ROOMS and not self.picture.may_enter(room, connection.person.id):
                    membership.depart(self.node, connection, room)

    def _in_sessions(self) -> list[Connection]:
        return [
            connection
            for online in self.node.online.values()
            for connection in online.connections
            if any(kind_of(room) in _CLOSED_ROOMS for room in connection.rooms)
        ]
