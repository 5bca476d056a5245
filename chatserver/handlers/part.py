"""A feature of a worker, as the core sees it: what it answers, repeats, hears, and is told.

A part is registered once, in `chatserver/worker.py`. The core knows no feature by name: it asks every part in turn.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from msgspec import Struct

from chatserver.domain.identity import Member, MemberId, NodeId, Person
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.protocol.fields import Command
from chatserver.protocol.messages import AnyServerMessage


class Job(NamedTuple):
    """Work that is repeated on every worker, each time `seconds` after it was done. A job may raise StoreUnavailable or
    Refusal: it is done again at its next time."""

    seconds: float
    work: Callable[[], Awaitable[object]]


class Service(NamedTuple):
    """Work that goes on for as long as the worker lives. A worker whose service ends stops, and is replaced."""

    name: str
    run: Callable[[], Coroutine[Any, Any, None]]


Greeting = Callable[[], Sequence[AnyServerMessage]]
"""Returns what a connection is told after the answer to its hello."""


class Part:
    """One feature of a worker. Every method here does nothing: a part overrides those that its feature needs.

    Parts are asked in the order in which they are registered, lower features first.
    """

    commands: ClassVar[Mapping[type[Command], Handler]] = {}
    """The commands of the feature. Their handlers are called with the part's `context`."""

    context: Any = None
    """What the handlers of the feature's commands work with."""

    def jobs(self) -> Sequence[Job]:
        """Return what is repeated."""
        return ()

    def services(self) -> Sequence[Service]:
        """Return what goes on for as long as the worker lives."""
        return ()

    def hears(self) -> Mapping[type[Struct], Callable[[NodeId, Any], None]]:
        """Return what is done about messages of other workers, by type: called with the sender and the message."""
        return {}

    async def start(self) -> None:
        """Get ready, once the store is open and before anybody is served. Raises StoreUnavailable."""

    async def close(self) -> None:
        """End the tasks that the part has started."""

    def bus_attached(self) -> None:
        """Do what follows the bus being attached again: messages that were sent meanwhile are lost."""

    # ------------------------------------------------------------------------------------------ connections

    async def greet(self, connection: Connection, member: Member, *, is_new: bool) -> Greeting | None:
        """Prepare what a member is sent who says hello; `is_new` says that this hello made the guest. Raises Refusal to
        keep them out."""
        return None

    def require_admission(self, member: Member) -> None:
        """Raise Refusal where a member may not be here, as far as is known now. Asked last: nothing is awaited between
        this and the admission."""

    def connection_closed(self, connection: Connection) -> None:
        """Forget a connection whose socket is gone."""

    # ------------------------------------------------------------------------------------------ members

    async def require_new_name(self, connection: Connection, person: Person) -> None:
        """Raise Refusal where a member may not be called something else at this moment."""

    async def member_renamed(self, person: Person) -> None:
        """Take note that a member has a new name."""

    async def member_hidden(self, who: MemberId, other: MemberId) -> None:
        """Take note that a member hides another from now on."""

    async def member_banned(self, member: MemberId) -> None:
        """Act on a member's ban, which was a command to this worker."""

    async def before_erasure(self, member: MemberId) -> None:
        """Prepare for a member's erasure."""

    async def heal(self, members: Sequence[MemberId]) -> None:
        """Find out what the bus lost about these members, who are connected here. Raises StoreUnavailable."""

    # ------------------------------------------------------------------------------------------ moderation

    async def moderation_changed(self) -> None:
        """Act on what a command or a job of this worker has changed in moderation: a measure, a report, a room's
        settings. The answer to the command goes out after this. Raises StoreUnavailable."""

    # ------------------------------------------------------------------------------------------ staff

    def staff_changed(self) -> None:
        """Act on a change to a staff account, its roles or its sign-ins, which was made on some worker."""

    async def account_reset(self, member: MemberId) -> None:
        """Prepare for a link that resets a staff account, before it is given out."""
