"""Staff who are connected here: how they say hello, and how they learn that their account or sign-in has ended."""

from __future__ import annotations

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import MemberId
from chatserver.domain.people import staff
from chatserver.domain.people.staff import in_order, staff_keys
from chatserver.handlers import membership
from chatserver.handlers.answer import Answer
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.handlers.people import hiding, members
from chatserver.handlers.people.context import People
from chatserver.protocol.codes import Close
from chatserver.protocol.internode import StaffChanged
from chatserver.protocol.messages import Hello


async def hello(people: People, connection: Connection, command: Hello) -> Answer:
    """Admit the staff member whose sign-in a token names. The token in the frame goes before the cookie."""
    node = people.node
    if connection.person is not None:
        raise Refusal(Reason.ALREADY_SAID_HELLO)
    sign_in = await people.accounts.known(command.token or connection.staff_token)
    member = None if sign_in is None else await node.store.member(sign_in.staff.member)
    if sign_in is None or member is None:
        raise Refusal(Reason.IDENTITY_REQUIRED if command.token is None else Reason.IDENTITY_UNKNOWN)
    connection.roles, connection.sign_in = sign_in.staff.roles, sign_in.token_hash
    try:
        greetings = await members.prepare_greetings(node, connection, member, is_new=False)
        hides = await hiding.read(node, lambda: node.store.hiding(member.id))
        node.admit(connection, member.persona)
    except BaseException:
        connection.roles, connection.sign_in = frozenset(), None
        raise
    person = member.persona
    node.hiding.keep(member.id, hides)
    node.staffed.add(connection)
    ok = members.hello_ok(node, person, has_code=False, hides=hides, issued=None, roles=in_order(connection.roles))
    return Answer(ok, then=members.greet(connection, greetings))


async def revalidate_sign_ins(node: Node) -> None:
    """Ask the store about all who are connected here as staff: close those whose sign-in or account has ended, and give
    the others the roles that they have now.

    Asked twice a second, so that it holds with the bus away, and at once where the bus tells of a change.
    """
    if not node.staffed:
        return
    asked = [*node.staffed]
    good = await node.store.sign_ins({each.sign_in for each in asked if each.sign_in is not None}, node.now())
    changed: set[MemberId] = set()
    for connection in asked:
        if connection.sign_in is None or connection.person is None:
            continue
        sign_in = good.get(connection.sign_in)
        if sign_in is None:
            node.staffed.discard(connection)
            connection.roles = frozenset()
            connection.outbox.wire.close(Close.IDENTITY_ENDED)
        elif sign_in.staff.roles != connection.roles:
            connection.roles = sign_in.staff.roles
            node.presence.rename(membership.shown(connection, connection.person))
            changed.add(sign_in.staff.member)
    await members.tell_of_self(node, changed)


async def require_confirmed(node: Node, connection: Connection) -> None:
    """Raise CONFIRMATION_REQUIRED where a connection's sign-in has ended, or where its owner gave their password too
    long ago for what is dangerous. The store is asked each time, because the password may have been given to any
    worker."""
    token = connection.sign_in
    sign_in = None if token is None else (await node.store.sign_ins([token], node.now())).get(token)
    if sign_in is None:
        raise Refusal(Reason.CONFIRMATION_REQUIRED)
    staff.require_confirmed(sign_in.confirmed_at, node.now())


async def load_names(people: People) -> None:
    """Read whom no member's name may resemble. Raises StoreUnavailable."""
    people.identities.staff_keys = staff_keys(await people.node.store.all_staff())


def changed(node: Node, member: MemberId) -> None:
    """Tell every worker to look at staff again, because an account, its roles or its sign-ins were changed here."""
    node.tell_nodes(StaffChanged(member))
