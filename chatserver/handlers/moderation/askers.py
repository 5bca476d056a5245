"""Which staff on this worker may see which reports.

Most see what everybody with their roles sees, so one read of the store serves all of them. Staff who are in a case of
their own, as its subject, as a person of its session or as its reporter, get a read of their own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final, NamedTuple

from msgspec.structs import replace

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.operating.alerts import ModerationLoad
from chatserver.domain.people.staff import Role
from chatserver.handlers.connection import Connection
from chatserver.store.moderation_records import Due, Floods
from chatserver.store.store import Store

NOBODY: Final = MemberId("")
"""The member of an asker who stands for everybody without a case of their own."""


def asker_of(connection: Connection, person: Person) -> Asker:
    """Return who asks for reports on a connection."""
    return Asker(member=person.id, is_operator=Role.OPERATOR in connection.roles)


class Late(NamedTuple):
    """Reports that an asker may see and that should have been looked at by now: how many, for how long (milliseconds)
    the first of them, and how many of them are escalations; and the floods that they may see."""

    reports: int
    since_ms: int
    escalations: int
    floods: Floods = Floods()


class Askers:
    """The groups of moderators here that see the same. `Enforcement` calls `learn` whenever something of moderation
    changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._groups: dict[Asker, Asker] = {}
        self._due: dict[Asker, tuple[Due, ...]] = {}
        self._floods: dict[Asker, Floods] = {}

    async def learn(self, connections: Iterable[Connection]) -> dict[Asker, list[Connection]]:
        """Put connections of moderators into groups that see the same. Returns the groups, each by the asker to read
        the store with. Forgets what was known of other connections. Raises StoreUnavailable."""
        askers = {each: asker_of(each, each.person) for each in connections if each.person is not None}
        own = await self._store.with_views_of_their_own({asker.member for asker in askers.values()})
        groups: dict[Asker, Asker] = {}
        found: dict[Asker, list[Connection]] = {}
        for connection, asker in askers.items():
            group = asker if asker.member in own else Asker(member=NOBODY, is_operator=asker.is_operator)
            groups[asker] = group
            found.setdefault(group, []).append(connection)
        due = {group: await self._store.due(group) for group in found}
        floods = {group: await self._store.floods(group) for group in found}
        self._groups, self._due, self._floods = groups, due, floods
        return found

    async def meet(self, connection: Connection) -> None:
        """Find the group of one connection that came after the last change. Raises StoreUnavailable."""
        if connection.person is None or (asker := asker_of(connection, connection.person)) in self._groups:
            return
        own = await self._store.with_views_of_their_own({asker.member})
        group = asker if asker.member in own else Asker(member=NOBODY, is_operator=asker.is_operator)
        if group not in self._due:
            self._due[group], self._floods[group] = await self._store.due(group), await self._store.floods(group)
        self._groups[asker] = group

    def group_of(self, connection: Connection) -> Asker | None:
        """Return the group that a connection is in, None while it is not known."""
        return None if connection.person is None else self._groups.get(asker_of(connection, connection.person))

    def late(self, group: Asker | None, now: Millis) -> Late:
        """Return what is late of what a group may see; nothing for those whose group is not known."""
        due = () if group is None else self._due.get(group, ())
        late = due[: bisect_left(due, now, key=lambda each: each.at)]
        since = max(0, now - late[0].at) if late else 0
        floods = Floods() if group is None else self._floods.get(group, Floods())
        return Late(len(late), since, sum(each.is_escalation for each in late), floods)


def load_of(late: Late, whole: ModerationLoad) -> ModerationLoad:
    """Return moderation in numbers, as an asker may see it."""
    floods, folded = late.floods
    return replace(whole, overdue=late.reports, overdue_ms=late.since_ms, floods=floods, folded=folded)
