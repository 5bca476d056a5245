"""What operators are shown of acts on staff accounts, as they happen.

The audit log is asked for its newest entry twice a second while somebody watches. So what any worker or command line
did is shown within a second, while the bus is away, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.moderation.audit_log import Entry
from chatserver.domain.people.account_acts import MACHINE, NOBODYS, AccountAct
from chatserver.domain.people.staff import Capability, may
from chatserver.handlers.answer import Answer
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.protocol.codes import Close
from chatserver.protocol.fields import Command
from chatserver.protocol.people.account_messages import AccountsOk, AccountsPush, ActView, AskAccounts, WaitingView
from chatserver.store.staff_records import Waiting

SHOWN: Final = 60
"""How many acts an operator is shown."""
_IN_A_MILLISECOND: Final = 16
"""Numbers of acts for each millisecond."""


class AccountMonitor:
    """Shows operators what was done on staff accounts. `AccountsPart` calls `tick` twice a second."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._watching: set[Connection] = set()
        self._head = -1
        self._told: AccountsOk | None = None

    async def watch(self, connection: Connection) -> AccountsOk:
        """Show this connection what is new from now on. Returns what there is now."""
        self._watching.add(connection)
        return await self._load()

    def closed(self, connection: Connection) -> None:
        """Forget a connection whose socket is gone."""
        self._watching.discard(connection)

    async def tick(self) -> None:
        """Push what is new since the last call. Raises StoreUnavailable; the next call does it then."""
        node = self._node
        self._watching = {each for each in self._watching if may(each.roles, Capability.MANAGE_STAFF)}
        if not self._watching:
            return
        head = (await node.store.audit_head()).seq
        if head == self._head:
            return
        found = await self._load()
        self._head = head
        if found == self._told:
            return
        self._told = found
        push = AccountsPush(acts=found.acts, waiting=found.waiting)
        for connection in self._watching:
            if connection.outbox.wire.buffered() > node.limits.outbox_bytes:
                # Whoever comes back asks anew.
                node.metrics.evictions.labels("too_slow").inc()
                connection.outbox.wire.close(Close.TOO_SLOW)
                connection.outbox.wire.abort()
            else:
                connection.outbox.send(push)

    async def _load(self) -> AccountsOk:
        store = self._node.store
        entries = await store.account_acts(SHOWN)
        waiting = await store.waiting_operators(self._node.now())
        names = await store.names(_people(entries, waiting))
        return AccountsOk(
            acts=tuple(_act(entry, number, names) for entry, number in zip(entries, _numbers(entries), strict=True)),
            waiting=tuple(
                WaitingView(
                    member=_person(each.member, names),
                    at=Millis(each.operator_from),
                    by=None if each.granted_by is None else _person(each.granted_by, names),
                )
                for each in waiting
            ),
        )


async def ask(monitor: AccountMonitor, connection: Connection, person: Person, command: AskAccounts) -> Answer:
    """Answer with what was done on accounts, and push it from now on whenever there is something new."""
    return Answer(await monitor.watch(connection))


def _numbers(entries: Sequence[Entry]) -> list[int]:
    """Return a number for each act, newest first, that rises with time. The entry's own would tell whoever counts them
    how much else was entered, such as that somebody reads a report about them."""
    numbers: list[int] = []
    before = 0
    for entry in reversed(entries):
        before = max(entry.act.at * _IN_A_MILLISECOND, before + 1)
        numbers.append(before)
    return numbers[::-1]


def _act(entry: Entry, number: int, names: dict[MemberId, str]) -> ActView:
    act = entry.act
    return ActView(
        seq=number,
        at=act.at,
        action=AccountAct(act.action),
        by=None if act.by in (MACHINE, NOBODYS) else _person(act.by, names),
        about=_person(act.about[0], names) if len(act.about) == 1 else None,
        detail=act.reason,
        is_machine=act.by == MACHINE,
    )


def _people(entries: Collection[Entry], waiting: Collection[Waiting]) -> set[MemberId]:
    acted = {entry.act.by for entry in entries} - {MACHINE, NOBODYS}
    concerned = {who for entry in entries for who in entry.act.about}
    new = {each.member for each in waiting} | {each.granted_by for each in waiting if each.granted_by is not None}
    return acted | concerned | new


def _person(member: MemberId, names: dict[MemberId, str]) -> Person:
    """Return a member with their name, which is empty where they are no more."""
    return Person(member, names.get(member, ""))


COMMANDS: Final[Mapping[type[Command], Handler]] = {AskAccounts: ask}
"""The command that shows what was done on accounts. Its context is an `AccountMonitor`."""
