"""What the server knows of each command: its handler, who may use it, and what it costs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from msgspec import Struct

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.people.staff import Capability
from chatserver.handlers.answer import Answer
from chatserver.handlers.connection import Connection
from chatserver.protocol.fields import Command

# Any: each handler takes the context of its feature and its own command type; the part that registers it matches them.
Handler = Callable[[Any, Connection, Any, Any], Awaitable[Answer]]


def never(command: Any) -> bool:
    """Return False: a command that is dangerous for nobody."""
    return False


def always(command: Any) -> bool:
    """Return True: a command that is always dangerous."""
    return True


class CommandSpec(Struct, frozen=True):
    """One command. `needs` is the capability that the sender must have; without it the command is every member's. What
    `is_dangerous` needs the password to have been given within the last ten minutes. What a command costs stands in
    `protocol/costs.py`."""

    handler: Handler
    needs: Capability | None = None
    is_dangerous: Callable[[Any], bool] = never


class Bound(NamedTuple):
    """A command's specification, and what its handler is called with."""

    spec: CommandSpec
    context: Any


def pay(connection: Connection, cost: float, now: float) -> None:
    """Charge a connection and its member; `now` in seconds. Raises RATE_LIMITED."""
    wait = connection.bucket.take(cost, now)
    if wait == 0 and connection.member_bucket is not None:
        wait = connection.member_bucket.take(cost, now)
    if wait > 0:
        raise Refusal(Reason.RATE_LIMITED, retry_after=wait)


def union(*features: Mapping[type[Command], CommandSpec]) -> dict[type[Command], CommandSpec]:
    """Return all commands of some features. Raises ValueError for a command that two of them claim."""
    found: dict[type[Command], CommandSpec] = {}
    for feature in features:
        if twice := found.keys() & feature.keys():
            raise ValueError(f"more than one feature answers {sorted(each.__name__ for each in twice)}")
        found.update(feature)
    return found
