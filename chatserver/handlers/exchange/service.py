"""The exchange on one worker: what people ask of it, what time brings, and what they are shown.

The store decides (`store/exchange_log.py`). Every worker looks once a second whether something is due; the first one
carries it out, and the others find that it is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.exchange.decide import ApplyDue, Decided, ExchangeAction, Facts, Leave, decide
from chatserver.domain.exchange.state import Participant, Pool
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings.commands import StepOut
from chatserver.domain.meetings.state import MeetingId
from chatserver.handlers.connection import Connection
from chatserver.handlers.exchange.views import view_of
from chatserver.handlers.meetings.service import MeetingService
from chatserver.handlers.moderation.enforcement import Enforcement
from chatserver.handlers.node import Node
from chatserver.handlers.sightings import SEEN_SECONDS, sightings
from chatserver.protocol.exchange.views import ExchangePush, ExchangeView
from chatserver.store.exchange_records import ExchangeChange, ExchangeCommitted
from chatserver.store.records import StoreUnavailable

POLL_SECONDS: Final = 0.8
_LOOK_SECONDS: Final = 5.0
"""How often it is looked whether something is due although the exchange has not changed: meetings end, people are seen
again, and ask for a listener. Where the exchange is off and nobody is in one, only this often is looked."""
NOBODY: Final = MemberId("")
log = logging.getLogger("chatserver.handlers")


class ExchangeService:
    """Everything that one worker does about the exchange. `run` never ends by itself."""

    def __init__(
        self,
        node: Node,
        meetings: MeetingService,
        enforcement: Enforcement,
        languages: tuple[str, ...],
        *,
        is_enabled: bool,
    ) -> None:
        self.node = node
        self.meetings = meetings
        self.enforcement = enforcement
        self.languages = languages
        self.is_enabled = is_enabled
        self._watching: dict[Connection, ExchangeView | None] = {}
        self._version = -1
        self._has_active = False
        self._seen_at = self._looked_at = float("-inf")

    def now(self) -> Millis:
        """Return the time by the database's clock, which is the same for every worker."""
        return self.node.database_now()

    def require_enabled(self) -> None:
        """Raise EXCHANGE_OFF where this installation has no exchange."""
        if not self.is_enabled:
            raise Refusal(Reason.EXCHANGE_OFF)

    async def require_able(self, member: MemberId) -> None:
        """Raise MUTED for somebody whom a moderator muted, and LISTENER_FIRST where screening found, within the hour,
        that they may need somebody for themselves."""
        self.enforcement.require_unmuted(member)
        self.enforcement.require_voice(member, None)
        if await self.node.store.needs_somebody(member, self.now()):
            raise Refusal(Reason.LISTENER_FIRST)

    async def look_at_other(self, member: MemberId) -> None:
        """Take whoever somebody was offered out of the line if they are able no more: they may have said yes before."""
        offer = (await self.record(member)).offer
        if offer is None:
            return
        try:
            await self.require_able(offer.other)
        except Refusal:
            await self.do(offer.other, Leave())

    async def do(self, who: MemberId, command: ExchangeAction, *, concerns: Sequence[MemberId] = ()) -> Participant:
        """Carry out a command, and return the record of the member who gave it. Raises Refusal or StoreUnavailable."""

        def answer(pool: Pool, facts: Facts) -> Decided:
            # By the time when the exchange is locked, not when the command came.
            return decide(pool, command, who, self.now(), replace(facts, is_off=not self.is_enabled))

        members = tuple(each for each in (who, *concerns) if each != NOBODY)
        change = ExchangeChange(decide=answer, members=members, seed=secrets.token_hex(8), now=self.now())
        committed = await self.node.store.commit_exchange(change)
        self._take_in(committed)
        return committed.pool.people.get(who) or Participant(member=who)

    async def record(self, who: MemberId) -> Participant:
        """Return a member's record as it is now."""
        picture = await self.node.store.exchange([who])
        return picture.pool.people.get(who) or Participant(member=who)

    def watch(self, connection: Connection, who: Participant) -> ExchangeView:
        """Tell a connection from now on whenever its view changes. Return it as it is now."""
        view = self._numbered(view_of(who, self.now(), self.languages), self._watching.get(connection))
        self._watching[connection] = view
        return view

    def closed(self, connection: Connection) -> None:
        """Forget a connection whose socket is gone."""
        self._watching.pop(connection, None)

    # ------------------------------------------------------------------------------------------ clockwork

    async def run(self) -> None:
        """Follow the exchange until cancelled. Where it is off, what was begun before is still brought to its end."""
        while True:
            seconds = POLL_SECONDS if self.is_enabled or self._has_active else _LOOK_SECONDS
            await asyncio.sleep(seconds * random.uniform(0.9, 1.1))
            try:
                await self.turn()
            except (StoreUnavailable, Refusal) as trouble:
                self.node.metrics.store_failures.inc()
                log.warning("exchange_postponed", extra={"cause": str(trouble)})
            except Exception:
                # What has to go on whatever one turn ran into.
                log.exception("exchange_failed")

    async def turn(self) -> None:
        """Look once: note who is here, carry out what is due, and show what has changed."""
        clock, store = self.node.monotonic(), self.node.store
        if self._watching and clock - self._seen_at >= SEEN_SECONDS:
            self._seen_at = clock
            people = {each.person.id for each in self._watching if each.person is not None}
            for ago, members in sightings(self.node, people).items():
                await store.see_in_exchange(members, Millis(self.now() - ago))
        version = await store.exchange_version()
        is_time = self._has_active or clock - self._looked_at >= _LOOK_SECONDS
        if version == self._version and not is_time:
            return
        self._looked_at = clock
        picture = await store.exchange(self._members())
        facts = Facts(meetings=picture.meetings, apart=picture.apart, busy=picture.busy, is_off=not self.is_enabled)
        if decide(picture.pool, ApplyDue(), NOBODY, self.now(), facts).pool.people != picture.pool.people:
            await self.do(NOBODY, ApplyDue(), concerns=self._members())
            return
        await self._leave_for_listeners(picture.pool, picture.busy)
        self._show(picture.pool)

    async def _leave_for_listeners(self, pool: Pool, busy: frozenset[MemberId]) -> None:
        """Take those out of their exchange who talk with a listener now."""
        for who in pool.people.values():
            if who.running is not None and who.member in busy:
                await self.step_out(who.member, who.running.meeting)

    async def step_out(self, member: MemberId, meeting: MeetingId) -> None:
        """Take somebody out of a meeting, if they are in it."""
        with contextlib.suppress(Refusal):
            await self.meetings.do(member, meeting, StepOut())

    def _members(self) -> list[MemberId]:
        return sorted({each.person.id for each in self._watching if each.person is not None})

    def _take_in(self, committed: ExchangeCommitted) -> None:
        self.node.hub.announce(committed.publications)
        self._show(committed.pool, is_partial=True)

    def _show(self, pool: Pool, *, is_partial: bool = False) -> None:
        """Show their view to everybody for whom it has changed. A commit knows not everybody's record
        (`is_partial`)."""
        self._has_active = any(each.is_active for each in pool.people.values())
        if not is_partial:
            self._version = pool.version
        for connection, before in [*self._watching.items()]:
            person = connection.person
            if person is None or (is_partial and person.id not in pool.people):
                continue
            who = pool.people.get(person.id) or Participant(member=person.id)
            view = view_of(who, self.now(), self.languages)
            if before is not None and replace(view, version=before.version) == before:
                continue
            if connection.outbox.wire.buffered() > self.node.limits.outbox_bytes:
                # They are told when there is room again: the newest is right.
                self._watching[connection] = None
                continue
            view = self._numbered(view, before)
            self._watching[connection] = view
            connection.outbox.send(ExchangePush(exchange=view))

    def _numbered(self, view: ExchangeView, before: ExchangeView | None) -> ExchangeView:
        last = 0 if before is None else before.version
        return replace(view, version=max(self.now(), last + 1))
