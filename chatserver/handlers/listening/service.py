"""One worker's picture of the floor: read when it has changed, settled when it is time, shown to those concerned.

The store decides; this only asks it to, and keeps what it last said (`docs/decisions/0080`).
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Final

import msgspec

from chatserver.delivery.tasks import Tasks
from chatserver.domain.errors import Refusal
from chatserver.domain.history import Millis
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
from chatserver.domain.listening.decide import decide_and_apply_due, due_at
from chatserver.domain.listening.state import ListeningRules, ListeningState, SessionId
from chatserver.domain.people.staff import Capability, may
from chatserver.domain.rooms.rooms import RoomId, RoomStatus, is_session_room
from chatserver.handlers import membership
from chatserver.handlers.connection import Connection
from chatserver.handlers.listening.gauges import measure
from chatserver.handlers.listening.heartbeat import SEEN_SECONDS, Heartbeat
from chatserver.handlers.listening.opening_hours import Clock
from chatserver.handlers.listening.views import Picture, View, ViewKind
from chatserver.handlers.listening.watchers import Watchers
from chatserver.handlers.node import Node
from chatserver.handlers.people.identity import Identities
from chatserver.protocol.internode import ListeningChanged
from chatserver.store.records import ListeningChange, ListeningCommitted, StoreUnavailable

POLL_SECONDS: Final = 0.8
"""How often the floor's version is asked for, and whether its listeners still may listen: what the bus lost is found
here, within a second."""
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
_FOR_EVER: Final = 365 * 24 * 3_600_000
NOBODY: Final = MemberId("")
_SPREAD_SECONDS: Final = 0.15
"""Workers that wake for the same moment try one after another; the first is usually enough."""
log = logging.getLogger("chatserver.handlers")


class ListeningService:
    """Everything that this worker does about the floor. `run` never ends by itself; the server owns and cancels it."""

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
        """What time it is on the floor: for every worker the same, whichever machine it runs on. Otherwise the one
        whose clock is ahead would take everybody for gone."""
        return self.node.database_now()

    def words_expire_at(self) -> Millis:
        """Until when come-back words that are made now are good."""
        return Millis(self.now() + self.rules.words_days * 24 * 3_600_000)

    def keep_hours(self, hours: Clock) -> None:
        """From now on listeners are here at these hours."""
        self._hours = hours
        self.picture = self._picture(self.state)

    @property
    def is_open(self) -> bool:
        return self._hours.is_open(self.now())

    @property
    def opens_at(self) -> Millis | None:
        """When listeners are here again; None where they are, or never will be."""
        return self._hours.opens_at(self.now())

    # ------------------------------------------------------------------------------------------ what people do

    async def do(self, who: MemberId, command: ListeningAction) -> ListeningCommitted:
        """Carry out a command on the floor. On return the picture here shows it. Raises Refusal or StoreUnavailable."""

        def decide(state: ListeningState) -> Decided:
            # By the time when the floor is ours, not when we got in line for it: what is committed later happens later.
            return decide_and_apply_due(state, command, who, self.now(), self._rules())

        try:
            committed = await self.node.store.commit_listening(ListeningChange(decide=decide, now=self.now()))
        except StoreUnavailable:
            self._store_was_away()
            raise
        self._take_in(committed)
        return committed

    async def dismiss(self, member: MemberId, *, is_erased: bool) -> None:
        """Somebody is no more, or listens no more. Not being on the floor changes nothing."""
        await self.do(NOBODY, Dismiss(member=member, is_erased=is_erased))

    async def step_out(self, member: MemberId) -> None:
        """Somebody's account is given back by a link: they are in no session any more."""
        await self.do(NOBODY, StepOut(member=member))

    async def hidden(self, who: MemberId, other: MemberId) -> None:
        """Somebody hides another: if one of them waits here, not for the other any more."""
        if not self.state.seekers.keys().isdisjoint((who, other)):
            await self.do(who, KeepApart(other=other))

    async def renamed(self, person: Person) -> None:
        """Somebody is called something else."""
        if self.picture.concerns(person.id):
            await self.do(person.id, Renamed(person=person))

    async def arrived(self, member: MemberId) -> None:
        """Somebody of the floor has connected: whom they wait for, or who waits for them, must not wait any longer."""
        if not self.picture.concerns(member):
            return
        record = self.state.seekers.get(member) or self.state.listeners[member]
        if 0 <= self.now() - record.seen_at < _JUST_SEEN:
            # Nobody waits for somebody who was here a moment ago, and asking again must not cost the floor's lock.
            return
        await self.node.store.see([member], self.now())
        await self.do(NOBODY, ApplyDue())

    def may_stay(self, room: RoomId, member: MemberId) -> bool:
        """Whether nothing that is known here speaks against somebody's being in a closed room. One that was opened just
        now may not be known yet."""
        return SessionId(room) not in self.state.sessions or self.picture.may_enter(room, member)

    def is_live(self, session: SessionId) -> bool:
        found = self.state.sessions.get(session)
        return found is None or found.is_live

    def spoke(self, who: MemberId, session: SessionId) -> None:
        """Somebody wrote in a session: note now and then that it is not silent, and at once that its seeker wrote
        a first word. Nobody waits for it."""
        now, found = self.node.monotonic(), self.state.sessions.get(session)
        is_first_word = found is not None and who == found.seeker and not found.spoken
        key = (session, is_first_word)
        if now - self._spoke.get(key, float("-inf")) >= SPOKE_SECONDS:
            self._spoke[key] = self._spoke[session, False] = now
            self._tasks.start(self._note_speech(who, key), "note speech")

    async def _note_speech(self, who: MemberId, key: tuple[SessionId, bool]) -> None:
        try:
            await self.do(who, Spoke(session=key[0]))
        except (Refusal, StoreUnavailable):
            # It has just ended, or the next post notes it.
            self._spoke.pop(key, None)

    def typed(self, who: MemberId, session: SessionId) -> None:
        """Somebody is writing in a session: note it as seldom, where no post was noted meanwhile."""
        now = self.node.monotonic()
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
        """From now on this connection is told whenever its view of that kind changes. Returns how it is now. Raises
        NOT_LISTENER for the console of somebody who is none."""
        return self._watchers.watch(connection, kind)

    def closed(self, connection: Connection) -> None:
        """The socket is gone."""
        self._watchers.closed(connection)
        self._heartbeat.closed(connection)

    def changed(self, version: int) -> None:
        """Another worker says that the floor has this version now."""
        self._known = max(self._known, version)
        self._wake.set()

    def look_at_staff(self) -> None:
        """Somebody of the staff is it no more, or may do something else."""
        self._looked_at = float("-inf")
        self._wake.set()

    # ------------------------------------------------------------------------------------------ patience

    def _store_was_away(self) -> None:
        """Nobody could be seen meanwhile. It is not those on the floor who were away."""
        self._patient_until = self.node.monotonic() + min(_MOST_PATIENCE, self.rules.session_grace / 2000)

    def _rules(self) -> ListeningRules:
        """The rules, without an end to anybody's grace while people have not had the time to be seen again."""
        return self._patient_rules if self._is_patient_now() else self.rules

    def _is_patient_now(self) -> bool:
        return self.node.monotonic() < self._patient_until

    # ------------------------------------------------------------------------------------------ clockwork

    async def start(self) -> None:
        """Read the floor before anybody is told where they stand. Raises StoreUnavailable."""
        await self._compare_clocks()
        await self._load()

    async def run(self) -> None:
        """Follow the floor until cancelled."""
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
        if self._is_patient and not self._is_patient_now():
            # What was put off is due from now on.
            self.picture = self._picture(self.state)
        if clock - self._applied_at >= _SPREAD_SECONDS and self._is_due():
            self._applied_at = clock
            await self._apply_due()
        measure(self.node.metrics, self.picture, self.now(), self.rules)
        await self._show(again=clock - self._restated_at >= RESTATE_SECONDS)

    async def _show(self, *, again: bool) -> None:
        """Tell everybody whose view has changed; with `again` because estimates have aged."""
        if again:
            self._restated_at = self.node.monotonic()
            self.picture = self._picture(self.state)
        await self._watchers.show(again=again)

    async def _follow_version(self) -> None:
        """Read everything anew where the store's version is another than the picture's."""
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
        """Go by the database's clock where it has one of its own and this machine's is plainly another."""
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
        """Whose account was revoked, or who is no listener any more, is off the floor, wherever that was ended. Of
        those who are away, too: nobody should wait for them."""
        if not listeners:
            return
        good = await self.node.store.good_staff(listeners)
        for member in listeners:
            if member not in good or not may(good[member].roles, Capability.LISTEN):
                await self.dismiss(member, is_erased=False)

    def _take_in(self, committed: ListeningCommitted) -> None:
        """Announce what a commit did, and show how everything stands after it."""
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
        """Wait until the picture is at least of this version. Any number of callers share one read: the first that is
        waited for may have begun too early, the second has not."""
        for _ in range(2):
            if self.state.version < version:
                await self._load()

    async def _load(self) -> None:
        if self._loading is None:
            self._loading = asyncio.create_task(self._read(), name="read the floor")
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
        )

    async def close(self) -> None:
        """End what runs on the side."""
        await self._tasks.close()

    def _put_in_order(self) -> None:
        """Nobody stays in the closed room of a session that they are no more part of, or that is forgotten."""
        self._typed = {session: at for session, at in self._typed.items() if session in self.state.sessions}
        self._spoke = {key: at for key, at in self._spoke.items() if key[0] in self.state.sessions}
        for connection in self._in_sessions():
            assert connection.person is not None
            for room in [*connection.rooms]:
                if is_session_room(room) and not self.picture.may_enter(room, connection.person.id):
                    membership.depart(self.node, connection, room)

    def _in_sessions(self) -> list[Connection]:
        return [
            connection
            for online in self.node.online.values()
            for connection in online.connections
            if any(is_session_room(room) for room in connection.rooms)
        ]
