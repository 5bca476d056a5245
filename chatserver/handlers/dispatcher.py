"""Where frames become commands and answers become frames: what the edge calls."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from chatserver.delivery.outbox import Outbox
from chatserver.delivery.wire import Wire
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import CommandId
from chatserver.domain.limits import Bucket
from chatserver.domain.people.staff import require
from chatserver.domain.sources import UNKNOWN_SOURCE, Source
from chatserver.handlers.answer import Answer
from chatserver.handlers.changes import acting_on_changes
from chatserver.handlers.commands import Bound, pay
from chatserver.handlers.connection import AddressLimits, Connection
from chatserver.handlers.node import Node
from chatserver.handlers.part import Part
from chatserver.handlers.people import members, sign_ins
from chatserver.handlers.people.context import People
from chatserver.protocol.codec import Encoding, Unreadable, decode_command
from chatserver.protocol.codes import Close, error_body
from chatserver.protocol.fields import Command
from chatserver.protocol.messages import AnyCommand, DrainingPush, ErrorReply, Hello, Reply
from chatserver.protocol.rooms.messages import JoinRoom, PageHistory
from chatserver.store.records import StoreUnavailable

REFUSALS_PER_SECOND = 5.0
REFUSALS_AT_ONCE = 200.0
"""Commands refused for their pace, on average and at once, that a connection may go on with before it is closed."""

FREE_BYTES = 64 * 1024
BYTES_A_TOKEN = 32 * 1024
"""Bytes of a reply that its command's cost pays for, and how many more cost one token: a page of the longest posts is
made and sent for as much as hundreds of short ones."""

log = logging.getLogger("chatserver.handlers")


class CommandDispatcher:
    """Serves the connections of one worker. Commands of one connection are answered one after another, in order."""

    def __init__(self, node: Node, people: People) -> None:
        self._node = node
        self._people = people
        self._commands: dict[type[Command], Bound] = {}

    def register(self, parts: Sequence[Part]) -> None:
        """Answer the commands of these parts. Raises ValueError for a command that two of them claim."""
        for part in parts:
            for kind, handler in part.commands.items():
                if kind in self._commands:
                    raise ValueError(f"more than one part answers {kind.__name__}")
                self._commands[kind] = Bound(handler, part.context)

    async def dispatch(self, connection: Connection, command: AnyCommand) -> Answer:
        """Run one command of one connection, and act on what it changed. Raises Refusal or StoreUnavailable."""
        return await acting_on_changes(self._node, self._run(connection, command))

    async def _run(self, connection: Connection, command: AnyCommand) -> Answer:
        now = self._node.monotonic()
        if isinstance(command, Hello):
            pay(connection, command.cost, now)
            hello = sign_ins.hello if command.staff else members.hello
            return await hello(self._people, connection, command)
        person = connection.person
        if person is None:
            raise Refusal(Reason.HELLO_REQUIRED)
        handler, context = self._commands[type(command)]
        pay(connection, command.cost, now)
        if command.capability is not None:
            require(connection.roles, command.capability)
        if command.requires_confirmation():
            await sign_ins.require_confirmed(self._node, connection)
        return await handler(context, connection, person, command)

    def open(
        self,
        wire: Wire,
        *,
        binary: bool,
        token: str | None,
        staff_token: str | None,
        address_limits: AddressLimits,
        source: Source = UNKNOWN_SOURCE,
    ) -> Connection:
        """Return the connection for a handshake that was accepted.

        `token` and `staff_token` come from the cookies. `source` is where the connection comes from, and
        `address_limits` what is allowed there.
        """
        node = self._node
        limits = node.limits
        connection = Connection(
            Outbox(wire, Encoding.MSGPACK if binary else Encoding.JSON),
            token=token,
            staff_token=staff_token,
            bucket=Bucket(limits.commands_per_second, limits.command_burst, node.monotonic()),
            address_limits=address_limits,
            source=source,
        )
        node.metrics.connections.inc()
        return connection

    def has_said_hello(self, connection: Connection) -> bool:
        return connection.person is not None

    async def receive(self, connection: Connection, data: str | bytes) -> None:
        """Answer one frame. Raises nothing but CancelledError; what must end the connection closes its wire."""
        outbox, limits = connection.outbox, self._node.limits
        try:
            command = decode_command(outbox.encoding, data, limits.frame_bytes)
        except Unreadable as refusal:
            self._refuse_unreadable(connection, refusal)
        else:
            connection.bad_frames = 0
            await self._answer(connection, command)
        if not await outbox.room(limits.outbox_bytes, limits.catch_up_seconds):
            self._node.close_slow(outbox)

    def closed(self, connection: Connection) -> None:
        """Forget a connection whose socket is gone."""
        for part in self._node.parts:
            part.connection_closed(connection)
        self._node.hub.closed(connection.outbox)
        self._node.dismiss(connection)
        self._node.metrics.connections.dec()

    def say_draining(self, connection: Connection, reconnect_after: float) -> None:
        """Tell a connection that this worker stops, and that it should come back elsewhere after that many seconds."""
        connection.outbox.send(DrainingPush(reconnect_after=round(reconnect_after, 3)))

    async def _answer(self, connection: Connection, command: AnyCommand) -> None:
        node, name = self._node, str(type(command).__struct_config__.tag)
        started = node.monotonic()
        outcome = "ok"
        then: Callable[[], object] | None = None
        if not isinstance(command, Hello | JoinRoom | PageHistory):
            # The replies to a join and to a page say themselves what comes before them.
            connection.outbox.hold()
        try:
            answer = await self.dispatch(connection, command)
        except Refusal as refusal:
            outcome = refusal.reason.value
            self._refuse(connection, command.id, refusal)
        except StoreUnavailable as trouble:
            outcome = Reason.STORAGE_UNAVAILABLE.value
            node.metrics.store_failures.inc()
            log.warning("store_unavailable", extra={"cmd": name, "cause": str(trouble)})
            self._refuse(connection, command.id, Refusal(Reason.STORAGE_UNAVAILABLE, retry_after=1.0))
        except Exception as bug:
            # The boundary of one command: whatever went wrong is told without revealing it, and harms nobody else.
            outcome = Reason.INTERNAL.value
            log.exception(
                "command_failed", extra={"cmd": name, "kind": type(bug).__name__}, exc_info=_without_text(bug)
            )
            self._refuse(connection, command.id, Refusal(Reason.INTERNAL, retry_after=1.0))
        else:
            size = connection.outbox.send(Reply(re=command.id, ok=answer.ok))
            if size > FREE_BYTES:
                connection.bucket.owe((size - FREE_BYTES) / BYTES_A_TOKEN, node.monotonic())
            then = answer.then
        finally:
            connection.outbox.release()
        if then is not None:
            then()
        node.metrics.answered(name, outcome, node.monotonic() - started)

    def _refuse(self, connection: Connection, command_id: CommandId | None, refusal: Refusal) -> None:
        connection.outbox.send(ErrorReply(re=command_id, error=error_body(refusal)))
        if refusal.reason is Reason.RATE_LIMITED:
            now = self._node.monotonic()
            if connection.patience is None:
                connection.patience = Bucket(REFUSALS_PER_SECOND, REFUSALS_AT_ONCE, now)
            if connection.patience.take(1.0, now) > 0:
                self._evict(connection, Close.TOO_FAST, "too_fast")

    def _refuse_unreadable(self, connection: Connection, refusal: Unreadable) -> None:
        try:
            pay(connection, 1.0, self._node.monotonic())
        except Refusal as too_fast:
            self._refuse(connection, refusal.re, too_fast)
        else:
            self._refuse(connection, refusal.re, refusal)
        connection.bad_frames += 1
        if connection.bad_frames >= self._node.limits.bad_frames:
            self._evict(connection, Close.TOO_MANY_BAD_FRAMES, "bad_frames")

    def _evict(self, connection: Connection, code: Close, why: str) -> None:
        self._node.metrics.evictions.labels(why).inc()
        connection.outbox.wire.close(code)


def _without_text(bug: Exception) -> Exception:
    """Return the bug with its traceback and without its message, which may hold what somebody wrote."""
    return Exception(type(bug).__name__).with_traceback(bug.__traceback__)
