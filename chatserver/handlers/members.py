"""What a member asks about themselves: hello, a name, a come-back code, whom not to see."""

from __future__ import annotations

import asyncio
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.rooms import Publication
from chatserver.domain.staff import Role, in_order
from chatserver.handlers.answer import Answer
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.protocol.codes import Close
from chatserver.protocol.internode import MemberChanged, MemberEnded
from chatserver.protocol.messages import (
    VERSION,
    CodeOk,
    DoneOk,
    Hello,
    HelloOk,
    Limits,
    MakeCode,
    MuteMember,
    Rename,
    RenameOk,
    SelfPush,
)
from chatserver.store.contract import StoreUnavailable

RELOAD_SECONDS: Final = 0.5
"""Between two questions to a store that is away."""


async def hello(node: Node, connection: Connection, command: Hello) -> Answer:
    """Say who is there. The token in the frame goes before the cookie."""
    if connection.person is not None:
        raise Refusal(Reason.ALREADY_SAID_HELLO)
    token = command.token or connection.token
    member = await node.identities.known(token)
    issued: str | None = None
    if member is None:
        if command.token is not None:
            raise Refusal(Reason.IDENTITY_UNKNOWN)
        if not command.guest:
            raise Refusal(Reason.IDENTITY_REQUIRED)
        await node.watch.require_open_door(connection.address)
        if (wait := connection.admit_guest()) > 0:
            raise Refusal(Reason.RATE_LIMITED, retry_after=wait)
        member, issued, _ = await node.identities.arrive(None)
    # Who has just come hides nobody yet, and nothing was decided about them.
    muted = await node.store.muted(member.id) if issued is None else []
    matters = await node.watch.greet(connection, member.id) if issued is None else None
    led = await node.house.look_up(member.id)
    # Once more: it may have been decided meanwhile, and whoever is admitted now is found by what comes later.
    node.watch.require_entrance(member.id, None)
    person = Person(member.id, member.name)
    node.admit(connection, person)
    ok = hello_ok(node, person, has_code=member.has_code, muted=muted, issued=issued, roles=[])
    pushes = [*([] if matters is None else [matters]), *node.house.greeting(member.id, led)]
    return Answer(ok, then=(lambda: connection.outbox.send_all(pushes)) if pushes else None)


def hello_ok(
    node: Node, person: Person, *, has_code: bool, muted: list[MemberId], issued: str | None, roles: list[Role]
) -> HelloOk:
    """What a hello is answered with. `issued` is the token of a new guest."""
    limits = node.limits
    return HelloOk(
        version=VERSION,
        member=person,
        has_code=has_code,
        muted=muted,
        limits=Limits(
            frame_bytes=limits.frame_bytes,
            text_length=limits.text_length,
            warning_length=limits.warning_length,
            rooms_per_connection=limits.rooms_per_connection,
            edit_seconds=limits.edit_seconds,
            ping_seconds=int(limits.ping_seconds),
        ),
        now=node.floor.now(),
        token=issued,
        roles=roles,
    )


async def rename(node: Node, connection: Connection, person: Person, command: Rename) -> Answer:
    """Be called something else, everywhere at once. Posts keep the name they were written under.

    Not for staff: members must know whom they have before them. Raises NOT_ALLOWED."""
    _not_as_staff(connection)
    renamed = await node.identities.rename(person.id, command.name)
    node.presence.rename(person.id, renamed.name)

    def tell() -> None:
        node.tell_nodes(MemberChanged(person.id))

    for other in node.connections_of(person.id):
        other.person = renamed
    await node.floor.renamed(renamed)
    await tell_others_of_self(node, person.id, except_for=connection)
    return Answer(RenameOk(renamed), then=tell)


async def make_code(node: Node, connection: Connection, person: Person, command: MakeCode) -> Answer:
    """A way back without a password, and so not for staff. Raises NOT_ALLOWED."""
    _not_as_staff(connection)
    return Answer(CodeOk(await node.identities.make_code(person.id)))


def _not_as_staff(connection: Connection) -> None:
    if connection.sign_in is not None:
        raise Refusal(Reason.NOT_ALLOWED)


async def mute(node: Node, connection: Connection, person: Person, command: MuteMember) -> Answer:
    """Hide or show another member's posts, on every device of the asker."""
    if command.on and await node.store.member(command.member) is None:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    await node.store.set_mute(person.id, command.member, command.on, node.limits.mutes_per_member)
    if command.on:
        await node.floor.hidden(person.id, command.member)
    await tell_others_of_self(node, person.id, except_for=connection)
    return Answer(DoneOk(), then=lambda: node.tell_nodes(MemberChanged(person.id)))


async def tell_others_of_self(node: Node, member: MemberId, except_for: Connection | None) -> None:
    """Bring a member's other connections here up to date with their name, mutes and roles.

    One that has no room for it is closed: hello tells it to those who come back.
    """
    others = [other for other in node.connections_of(member) if other is not except_for]
    if not others:
        return
    muted = await node.store.muted(member)
    for other in others:
        if other.outbox.wire.buffered() > node.limits.outbox_bytes:
            node.metrics.evictions.labels("too_slow").inc()
            other.outbox.wire.close(Close.TOO_SLOW)
            other.outbox.wire.abort()
        elif other.person is not None:
            other.outbox.send(SelfPush(member=other.person, muted=muted, roles=in_order(other.roles)))


async def reload_member(node: Node, member: MemberId) -> None:
    """Another worker says that a member changed: load who they are now, as soon as the store tells."""
    while node.connections_of(member):
        try:
            await _reload(node, member)
            return
        except (StoreUnavailable, Refusal):
            node.metrics.store_failures.inc()
            await asyncio.sleep(RELOAD_SECONDS)


async def _reload(node: Node, member: MemberId) -> None:
    now = await node.store.member(member)
    if now is None:
        node.end_member(member)
        return
    person = Person(now.id, now.name)
    node.presence.rename(member, now.name)
    for connection in node.connections_of(member):
        connection.person = person
    await tell_others_of_self(node, member, except_for=None)


def erased(node: Node, member: MemberId, publications: list[Publication]) -> None:
    """A member is no more: show that their posts went, and close their connections on every worker."""
    node.hub.announce(publications)
    node.end_member(member)
    node.tell_nodes(MemberEnded(member))
