"""What a member asks about themselves: hello, a name, a come-back code, whom not to see."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import MemberId, Person, Persona
from chatserver.domain.people.staff import Role, in_order
from chatserver.domain.rooms.hiding import NOBODY_HIDDEN, Hiding
from chatserver.domain.rooms.rooms import Publication, RoomId, room_of
from chatserver.handlers import membership
from chatserver.handlers.answer import Answer
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.handlers.people import aliases, hiding
from chatserver.handlers.rooms.voice import new_name, pay_for_hiding
from chatserver.protocol.codes import Close
from chatserver.protocol.internode import HidingChanged, MemberChanged, MemberEnded
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

HEALED_AT_ONCE: Final = 500
"""Members about whom one read of the store asks."""
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
        if (wait := connection.admit_guest()) > 0:
            raise Refusal(Reason.RATE_LIMITED, retry_after=wait)
        member, issued, _ = await node.identities.arrive(None)
    # Who has just come hides nobody yet, and nothing was decided about them.
    matters = await node.watch.greet(connection, member.id) if issued is None else None
    led = await node.house.look_up(member.id)
    hides = await hiding.read(node, member.id) if issued is None else NOBODY_HIDDEN
    meeting = await node.arrivals.welcome(connection, member)
    # Once more: it may have been decided meanwhile, and whoever is admitted now is found by what comes later.
    node.watch.require_entrance(member.id, None)
    if not node.arrivals.is_good(member.id, member.credentials):
        raise Refusal(Reason.IDENTITY_UNKNOWN)
    person = member.persona
    node.admit(connection, person)
    connection.credentials, connection.welcome = member.credentials, meeting
    node.arrivals.note(connection)
    connection.created_at = member.created_at
    node.hiding.keep(member.id, hides)
    ok = hello_ok(node, person, has_code=member.has_code, hides=hides, issued=issued, roles=[])
    pushes = [*([] if matters is None else [matters]), *node.house.greeting(member.id, led)]
    return Answer(ok, then=(lambda: connection.outbox.send_all(pushes)) if pushes else None)


def hello_ok(
    node: Node, person: Persona, *, has_code: bool, hides: Hiding, issued: str | None, roles: list[Role]
) -> HelloOk:
    """What a hello is answered with. `issued` is the token of a new guest."""
    limits = node.limits
    return HelloOk(
        version=VERSION,
        member=Person(person.id, person.name),
        has_code=has_code,
        muted=aliases.hidden_list(node, person.id, hides),
        limits=Limits(
            frame_bytes=limits.frame_bytes,
            text_length=limits.text_length,
            warning_length=limits.warning_length,
            # Of themed rooms nobody can be in more than they have seats for, on however many connections.
            rooms_per_connection=min(limits.rooms_per_connection, limits.rooms_per_member),
            edit_seconds=limits.edit_seconds,
            ping_seconds=int(limits.ping_seconds),
            commands_per_second=limits.commands_per_second,
            command_burst=limits.command_burst,
            member_commands_per_second=limits.member_commands_per_second,
            member_command_burst=limits.member_command_burst,
            posts_per_second=limits.posts_per_second,
            post_burst=limits.post_burst,
            reactions_per_second=limits.reactions_per_second,
            reaction_burst=limits.reaction_burst,
        ),
        now=node.floor.now(),
        token=issued,
        roles=roles,
    )


async def rename(node: Node, connection: Connection, person: Persona, command: Rename) -> Answer:
    """Be called something else, everywhere at once, as somebody whom nobody can tell to be the same. Posts keep the
    name they were written under.

    Not for staff: members must know whom they have before them. Raises NOT_ALLOWED."""
    _not_as_staff(connection)
    async with new_name(node, connection, person, command.name):
        here = [room_of(channel) for channel in node.presence.channels_of(person.id)]
        renamed = await node.identities.rename(person.id, command.name, here)
    # Before anybody is shown the new one.
    await hiding.reload(node, node.hiding.hiders(person.id))
    node.presence.rename(renamed)

    def tell() -> None:
        node.tell_nodes(MemberChanged(person.id))

    for other in node.connections_of(person.id):
        other.person = renamed
    await node.floor.renamed(renamed)
    await tell_of_self(node, [person.id, *node.hiding.hiders(person.id)])
    return Answer(RenameOk(Person(renamed.id, renamed.name)), then=tell)


async def make_code(node: Node, connection: Connection, person: Person, command: MakeCode) -> Answer:
    """A way back without a password, and so not for staff. Raises NOT_ALLOWED."""
    _not_as_staff(connection)
    node.identities.require_room_for_codes()
    if (wait := node.online[person.id].codes.take(1.0, node.monotonic())) > 0:
        raise Refusal(Reason.RATE_LIMITED, retry_after=wait)
    await connection.admit_code()
    return Answer(CodeOk(await node.identities.make_code(person.id)))


def _not_as_staff(connection: Connection) -> None:
    if connection.sign_in is not None:
        raise Refusal(Reason.NOT_ALLOWED)


async def mute(node: Node, connection: Connection, person: Persona, command: MuteMember) -> Answer:
    """Hide or show somebody, on every device of the asker. Raises MEMBER_UNKNOWN, also for oneself."""
    named = await aliases.in_sight(node, connection, person, command.member)
    if named.member == person.id or (command.on and await node.store.member(named.member) is None):
        raise Refusal(Reason.MEMBER_UNKNOWN)
    pay_for_hiding(node, person, named.member, named.generation)
    limit = node.limits.mutes_per_member
    await node.store.set_mute(person.id, named.member, command.on, limit, named.generation)
    if command.on:
        await node.floor.hidden(person.id, named.member)
    await hiding_changed(node, person.id, named.member)
    return Answer(DoneOk())


async def hiding_changed(node: Node, who: MemberId, other: MemberId) -> None:
    """One member hides another, or no longer: nothing is told but to the one who did, and both see it in the rooms."""
    await hiding.reload(node, [who, other])
    await tell_of_self(node, [who])
    node.tell_nodes(HidingChanged([who, other]))


async def tell_of_self(node: Node, whom: Iterable[MemberId]) -> None:
    """Bring the connections here of these members up to date with their names, whom they hide, and roles.

    One that has no room for it is closed: hello tells it to those who come back.
    """
    for member in {*whom}:
        if not node.connections_of(member):
            continue
        hides = await hiding.fresh(node, member)
        for each in node.connections_of(member):
            if each.outbox.wire.buffered() > node.limits.outbox_bytes:
                node.metrics.evictions.labels("too_slow").inc()
                each.outbox.wire.close(Close.TOO_SLOW)
                each.outbox.wire.abort()
            elif each.person is not None:
                each.outbox.send(_self_push(node, each, each.person, hides))


def _self_push(node: Node, connection: Connection, person: Persona, hides: Hiding) -> SelfPush:
    return SelfPush(
        member=Person(person.id, person.name),
        muted=aliases.hidden_list(node, person.id, hides),
        rooms={room: aliases.room_self(node, person, room, hides) for room in sorted(connection.rooms)},
        roles=in_order(connection.roles),
    )


async def reload_hiding(node: Node, members: list[MemberId]) -> None:
    """Another worker says that one of these hides the other, or no longer; as soon as the store tells."""
    node.hiding.changes += 1
    while any(node.connections_of(member) for member in members):
        try:
            await hiding.reload(node, members)
            await tell_of_self(node, members[:1])
            return
        except (StoreUnavailable, Refusal):
            node.metrics.store_failures.inc()
            await asyncio.sleep(RELOAD_SECONDS)


async def reload_member(node: Node, member: MemberId) -> None:
    """Another worker says that a member changed: load who they are now, as soon as the store tells."""
    node.hiding.changes += 1
    while node.connections_of(member) or node.hiding.seers(member):
        try:
            await _reload(node, member)
            return
        except (StoreUnavailable, Refusal):
            node.metrics.store_failures.inc()
            await asyncio.sleep(RELOAD_SECONDS)


async def heal(node: Node) -> None:
    """Find out what the bus lost about those who are connected here: new names, who hides whom, and rooms that were
    left. Call it when the bus is back, and now and then. Raises StoreUnavailable."""
    present = [member for member, online in node.online.items() if online.connections]
    for at in range(0, len(present), HEALED_AT_ONCE):
        some = present[at : at + HEALED_AT_ONCE]
        found = await node.store.standings(some)
        for member in some:
            connections = node.connections_of(member)
            if not connections or member not in found:
                # Those who are no more are found by `Store.touch`.
                continue
            persona, hides = found[member]
            if hides != node.hiding.of(member) or any(each.person != persona for each in connections):
                # Asked once more, since what differs may have changed meanwhile. Few do.
                await reload_member(node, member)
        await _leave_what_was_left(node, some)


async def _leave_what_was_left(node: Node, members: list[MemberId]) -> None:
    """Take connections here out of rooms that their members left on another worker. Raises StoreUnavailable."""
    inside = [member for member in members if any(each.rooms for each in node.connections_of(member))]
    found = await _left_and_in(node, inside)
    # Asked once more: somebody may have come in again meanwhile.
    for member, room in found & await _left_and_in(node, {member for member, _ in found}):
        membership.left(node, member, room)


async def _left_and_in(node: Node, members: Collection[MemberId]) -> set[tuple[MemberId, RoomId]]:
    """Which rooms these members have left, and are in here all the same."""
    left = await node.store.left_rooms(members) if members else set()
    return {(member, room) for member, room in left if _is_left_in(node, member, room)}


def _is_left_in(node: Node, member: MemberId, room: RoomId) -> bool:
    place = node.rooms.get(room)
    # Out of a room that was split pages are led one by one.
    is_single = place is not None and len(node.house.family(place)) == 1
    return is_single and any(room in each.rooms for each in node.connections_of(member))


async def heal_soon(node: Node) -> None:
    """Do as `heal`, as soon as the store tells."""
    while True:
        try:
            await heal(node)
            return
        except (StoreUnavailable, Refusal):
            node.metrics.store_failures.inc()
            await asyncio.sleep(RELOAD_SECONDS)


async def _reload(node: Node, member: MemberId) -> None:
    now = await node.store.member(member)
    if now is None:
        node.end_member(member)
        return
    # Whoever hides them may have to do so under a new name.
    await hiding.reload(node, node.hiding.hiders(member))
    node.presence.rename(now.persona)
    for connection in node.connections_of(member):
        connection.person = now.persona
    await tell_of_self(node, [member, *node.hiding.hiders(member)])


def erased(node: Node, member: MemberId, publications: list[Publication]) -> None:
    """A member is no more: show that their posts went, and close their connections on every worker."""
    node.hub.announce(publications)
    node.end_member(member)
    node.tell_nodes(MemberEnded(member))
