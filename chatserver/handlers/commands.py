"""Handlers of commands, and what each feature says of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from chatserver.domain.errors import Reason, Refusal
from chatserver.handlers.answer import Answer
from chatserver.handlers.connection import Connection
from chatserver.protocol.fields import Command

# Any: each handler takes the context of its feature and its own command type; the part that registers it matches them.
Handler = Callable[[Any, Connection, Any, Any], Awaitable[Answer]]


class Bound(NamedTuple):
    """A command's handler, and what it is called with first."""

    handler: Handler
    context: Any


def pay(connection: Connection, cost: float, now: float) -> None:
    """Charge a connection and its member; `now` in seconds. Raises RATE_LIMITED."""
    wait = connection.bucket.take(cost, now)
    if wait == 0 and connection.member_bucket is not None:
        wait = connection.member_bucket.take(cost, now)
    if wait > 0:
        raise Refusal(Reason.RATE_LIMITED, retry_after=wait)


def union(*features: Mapping[type[Command], Handler]) -> dict[type[Command], Handler]:
    """Return all commands of some features. Raises ValueError for a command that two of them claim."""
    found: dict[type[Command], Handler] = {}
    for feature in features:
        if twice := found.keys() & feature.keys():
            raise ValueError(f"more than one feature answers {sorted(each.__name__ for each in twice)}")
        found.update(feature)
    return found
