"""Members and staff as a part of a worker."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import Member, MemberId, NodeId, Persona
from chatserver.domain.rooms.rooms import Publication
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.handlers.part import Job, Part
from chatserver.handlers.people import account_monitor, hiding, members, sign_ins
from chatserver.handlers.people.account_monitor import AccountMonitor
from chatserver.handlers.people.arrivals import Arrivals
from chatserver.handlers.people.context import People
from chatserver.handlers.people.identity import Identities
from chatserver.handlers.people.staff import StaffAccounts
from chatserver.protocol.fields import Command
from chatserver.protocol.internode import (
    CredentialsRaised,
    HidingChanged,
    MemberChanged,
    MemberEnded,
    StaffChanged,
    TypingSeen,
)
from chatserver.store.records import StoreUnavailable

_CREDENTIALS_SECONDS = 0.5
_SIGN_INS_SECONDS = 0.5
_NAMES_SECONDS = 5.0
_TOUCH_SECONDS = 60.0


class PeoplePart(Part):
    """Who members and staff are, how they arrive, and how their connections learn of a change."""

    commands: ClassVar[Mapping[type[Command], Handler]] = members.COMMANDS

    def __init__(self, node: Node, identities: Identities, accounts: StaffAccounts) -> None:
        self.node = node
        self.identities = identities
        self.accounts = accounts
        self.arrivals = Arrivals(node)
        self.context = People(node, identities, accounts, self.arrivals)
        identities.on_erased = self._erased
        identities.on_erasing = self._erasing
        identities.on_raised = self.arrivals.raised
        identities.room_age = node.retention.room_age
        accounts.on_changed = self._account_changed
        accounts.on_reset = self._account_reset

    async def start(self) -> None:
        await sign_ins.load_names(self.context)

    def jobs(self) -> Sequence[Job]:
        return (
            Job(_CREDENTIALS_SECONDS, self.arrivals.tick),
            Job(_SIGN_INS_SECONDS, self.revalidate_sign_ins),
            Job(_NAMES_SECONDS, self.load_names),
            Job(_TOUCH_SECONDS, self.touch),
        )

    def hears(self) -> Mapping[type[Struct], Callable[[NodeId, Any], None]]:
        return {
            TypingSeen: self._typing_seen,
            MemberChanged: self._member_changed,
            HidingChanged: self._hiding_changed,
            MemberEnded: self._member_ended,
            CredentialsRaised: self._credentials_raised,
            StaffChanged: lambda sender, message: self._look_at_staff(),
        }

    def bus_attached(self) -> None:
        self.node.tasks.start(members.heal_soon(self.node), "heal members")

    def require_admission(self, member: Member) -> None:
        if not self.arrivals.is_good(member.id, member.credentials):
            raise Refusal(Reason.IDENTITY_UNKNOWN)

    async def revalidate_sign_ins(self) -> None:
        """Ask the store about all who are connected here as staff. Raises StoreUnavailable."""
        await sign_ins.revalidate_sign_ins(self.node)

    async def load_names(self) -> None:
        """Read whom no member's name may resemble. Raises StoreUnavailable."""
        await sign_ins.load_names(self.context)

    async def touch(self) -> None:
        """Note that the members who are connected here are not gone, and find out what the bus lost about them."""
        node = self.node
        node.forget_absent()
        self.arrivals.note_present()
        present = [member for member, online in node.online.items() if online.connections]
        if present:
            # A member who was erased by another worker while the bus was away is found here.
            for member in await node.store.touch(present, node.now()):
                node.end_member(member)
            await members.heal(node)

    # ------------------------------------------------------------------------------------------ other workers

    def _typing_seen(self, sender: NodeId, message: TypingSeen) -> None:
        hiding.tell_typing(self.node, message.channel, Persona(message.member, "", message.generation))

    def _member_changed(self, sender: NodeId, message: MemberChanged) -> None:
        self.node.tasks.start(members.reload_member(self.node, message.member), "reload member")

    def _hiding_changed(self, sender: NodeId, message: HidingChanged) -> None:
        self.node.tasks.start(members.reload_hiding(self.node, message.members), "reload hiding")

    def _member_ended(self, sender: NodeId, message: MemberEnded) -> None:
        self.node.end_member(message.member)

    def _credentials_raised(self, sender: NodeId, message: CredentialsRaised) -> None:
        self.arrivals.end_older(message.member, message.credentials)

    # ------------------------------------------------------------------------------------------ members and accounts

    async def _erasing(self, member: MemberId) -> None:
        for part in self.node.parts:
            await part.before_erasure(member)

    def _erased(self, member: MemberId, publications: list[Publication]) -> None:
        members.erased(self.node, member, publications)

    def _account_changed(self, member: MemberId) -> None:
        self._look_at_staff()
        sign_ins.changed(self.node, member)

    async def _account_reset(self, member: MemberId) -> None:
        for part in self.node.parts:
            await part.account_reset(member)

    def _look_at_staff(self) -> None:
        for part in self.node.parts:
            part.staff_changed()
        self.node.tasks.start(self._look_again_now(), "look at staff")

    async def _look_again_now(self) -> None:
        with contextlib.suppress(StoreUnavailable):
            # Where the store is away the job asks again, and counts it.
            await self.revalidate_sign_ins()


class AccountsPart(Part):
    """What operators are shown of staff accounts."""

    commands: ClassVar[Mapping[type[Command], Handler]] = account_monitor.COMMANDS

    def __init__(self, node: Node) -> None:
        self.context = self._monitor = AccountMonitor(node)

    def jobs(self) -> Sequence[Job]:
        return (Job(_SIGN_INS_SECONDS, self._monitor.tick),)

    def connection_closed(self, connection: Connection) -> None:
        self._monitor.closed(connection)
