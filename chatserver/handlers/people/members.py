"""What a member asks about themselves: hello, a name, a come-back code, whom to hide."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import Member, MemberId, Person, Persona
from chatserver.domain.people.staff import Role, in_order
from chatserver.domain.rooms.hiding import NOBODY_HIDDEN, Hiding
from chatserver.domain.rooms.rooms import Publication, room_of
from chatserver.domain.shared_limits import Shared
from chatserver.handlers.answer import Answer
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node, wait
from chatserver.handlers.part import Greeting
from chatserver.handlers.people import aliases, hiding
from chatserver.handlers.people.context import People
from chatserver.handlers.people.naming import new_name
from chatserver.protocol.fields import Command, DoneOk
from chatserver.protocol.internode import HidingChanged, MemberChanged, MemberEnded
from chatserver.protocol.messages import (
    VERSION,
    CodeOk,
    Hello,
    HelloOk,
    LimitsView,
    MakeCode,
    MuteMember,
    Ping,
    Rename,
    RenameOk,
    SelfPush,
)
from chatserver.store.records import StoreUnavailable

HEALED_AT_ONCE: Final = 500
"""Members about whom one read of the store asks."""
RELOAD_SECONDS: Final = 0.5
"""Between two questions to a store that is away."""


async def hello(people: People, connection: Connection, command: Hello) -> Answer:
    """Admit the member whom a token names, or a new guest. The token in the frame goes before the cookie."""
    node, identities, arrivals = people.node, people.identities, people.arrivals
    if connection.person is not None:
        raise Refusal(Reason.ALREADY_SAID_HELLO)
    token = command.token or connection.token
    member = await identities.known(token)
    issued: str | None = None
    if member is None:
        if command.token is not None:
            raise Refusal(Reason.IDENTITY_UNKNOWN)
        if not command.guest:
            raise Refusal(Reason.IDENTITY_REQUIRED)
        wait(connection.address_limits.admit_guest())
        member, issued, _ = await identities.arrive(None)
    greetings = await prepare_greetings(node, connection, member, is_new=issued is not None)
    networks = arrivals.networks(connection, member)
    if issued is None:
        hides, bars = await hiding.read(node, lambda: node.store.hiding_and_bars(member.id, networks, node.now()))
    else:
        # A guest who was just made hides nobody yet.
        hides, bars = NOBODY_HIDDEN, await node.store.bars(networks, node.now()) if networks else []
    meeting = arrivals.welcome(connection, member, bars)
    # Once more: it may have been decided meanwhile, and a member who is admitted now is found by what comes later.
    for part in node.parts:
        part.require_admission(member)
    person = member.persona
    node.admit(connection, person)
    connection.credentials, connection.welcome = member.credentials, meeting
    arrivals.note(connection)
    connection.created_at = member.created_at
    node.hiding.keep(member.id, hides)
    ok = hello_ok(node, person, has_code=member.has_code, hides=hides, issued=issued, roles=[])
    return Answer(ok, then=greet(connection, greetings))


async def prepare_greetings(node: Node, connection: Connection, member: Member, *, is_new: bool) -> list[Greeting]:
    """Return what the features tell a member who says hello. Raises Refusal where one of them keeps the member out."""
    prepared = [await part.greet(connection, member, is_new=is_new) for part in node.parts]
    return [greeting for greeting in prepared if greeting is not None]


def greet(connection: Connection, greetings: Sequence[Greeting]) -> Callable[[], object] | None:
    """Return what sends the greetings of a connection that was just admitted, or None where there are none."""
    pushes = [push for greeting in greetings for push in greeting()]
    return (lambda: connection.outbox.send_all(pushes)) if pushes else None


def hello_ok(
    node: Node, person: Persona, *, has_code: bool, hides: Hiding, issued: str | None, roles: list[Role]
) -> HelloOk:
    """Return the answer to a hello. `issued` is the token of a new guest."""
    limits = node.limits
    return HelloOk(
        version=VERSION,
        member=Person(person.id, person.name),
        has_code=has_code,
        muted=aliases.hidden_list(node, person.id, hides),
        limits=LimitsView(
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
        now=node.database_now(),
        token=issued,
        roles=roles,
    )


async def rename(people: People, connection: Connection, person: Persona, command: Rename) -> Answer:
    """Give a member another name, everywhere at once, under which nobody can tell that they are the same. Posts keep
    the name they were written under. Raises NOT_ALLOWED for staff: members must know whom they have before them."""
    _not_as_staff(connection)
    node = people.node
    async with new_name(node, connection, person, command.name):
        here = [room_of(channel) for channel in node.presence.channels_of(person.id)]
        renamed = await people.identities.rename(person.id, command.name, here)
    # Before anybody is shown the new one.
    await hiding.reload(node, node.hiding.hiders(person.id))
    node.presence.rename(renamed)

    def tell() -> None:
        node.tell_nodes(MemberChanged(person.id))

    for other in node.connections_of(person.id):
        other.person = renamed
    for part in node.parts:
        await part.member_renamed(renamed)
    await tell_of_self(node, [person.id, *node.hiding.hiders(person.id)])
    return Answer(RenameOk(Person(renamed.id, renamed.name)), then=tell)


async def make_code(people: People, connection: Connection, person: Person, command: MakeCode) -> Answer:
    """Make a come-back code, which needs no password. Raises NOT_ALLOWED for staff."""
    _not_as_staff(connection)
    node = people.node
    people.identities.require_room_for_codes()
    now = node.monotonic()
    wait(node.online[person.id].bucket(Shared.CODES, now).take(1.0, now))
    await connection.address_limits.admit_code()
    return Answer(CodeOk(await people.identities.make_code(person.id)))


def _not_as_staff(connection: Connection) -> None:
    if connection.sign_in is not None:
        raise Refusal(Reason.NOT_ALLOWED)


async def mute(people: People, connection: Connection, person: Persona, command: MuteMember) -> Answer:
    """Hide or show a member, on every device of the asker. Raises MEMBER_UNKNOWN, also for oneself."""
    node = people.node
    named = await aliases.in_sight(node, connection, person, command.member)
    if named.member == person.id or (command.on and await node.store.member(named.member) is None):
        raise Refusal(Reason.MEMBER_UNKNOWN)
    hiding.pay_for_hiding(node, person, named.member, named.generation)
    limit = node.limits.mutes_per_member
    await node.store.set_mute(person.id, named.member, command.on, limit, named.generation)
    if command.on:
        for part in node.parts:
            await part.member_hidden(person.id, named.member)
    await hiding_changed(node, person.id, named.member)
    return Answer(DoneOk())


async def hiding_changed(node: Node, who: MemberId, other: MemberId) -> None:
    """Apply that one member hides another, or no longer: only the one who did it is told, and both see it in the
    rooms."""
    await hiding.reload(node, [who, other])
    await tell_of_self(node, [who])
    node.tell_nodes(HidingChanged([who, other]))


async def tell_of_self(node: Node, whom: Iterable[MemberId]) -> None:
    """Bring the connections here of these members up to date with their names, whom they hide, and roles.

    A connection whose outbox is full is closed; it gets this state again with its next hello.
    """
    for member in {*whom}:
        if not node.connections_of(member):
            continue
        hides = await hiding.fresh(node, member)
        for each in node.connections_of(member):
            if each.person is not None:
                node.send_or_close(each, _self_push(node, each, each.person, hides))


def _self_push(node: Node, connection: Connection, person: Persona, hides: Hiding) -> SelfPush:
    return SelfPush(
        member=Person(person.id, person.name),
        muted=aliases.hidden_list(node, person.id, hides),
        rooms={room: aliases.room_self(node, person, room, hides) for room in sorted(connection.rooms)},
        roles=in_order(connection.roles),
    )


async def reload_hiding(node: Node, members: list[MemberId]) -> None:
    """Read whom a member hides once the store answers, because another worker says that it changed."""
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
    """Read who a member is now once the store answers, because another worker says that it changed."""
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
        for part in node.parts:
            await part.heal(some)


async def heal_soon(node: Node) -> None:
    """Do as `heal` once the store answers."""
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
    """Show that an erased member's posts are gone, and close their connections on every worker."""
    node.hub.announce(publications)
    node.end_member(member)
    node.tell_nodes(MemberEnded(member))


async def ping(people: People, connection: Connection, person: Persona, command: Ping) -> Answer:
    """Answer a ping."""
    return Answer(DoneOk())


COMMANDS: Final[Mapping[type[Command], Handler]] = {
    MuteMember: mute,
    Rename: rename,
    MakeCode: make_code,
    Ping: ping,
}
"""What a member asks about themselves. The context is a `People`."""
