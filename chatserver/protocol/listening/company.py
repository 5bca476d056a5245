"""The messages of company while waiting: a small closed room of people who wait for a listener, and a host.

What is written there travels by the messages of rooms. Seekers are shown their company as part of their standing.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from chatserver.domain.errors import Reason
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.company import CompanyId
from chatserver.domain.people.staff import Capability
from chatserver.domain.rooms.rooms import RoomId
from chatserver.protocol.fields import PRINTABLE, Command, Fields

CompanyName = Annotated[CompanyId, Meta(min_length=1, max_length=64, pattern=PRINTABLE)]
Tongue = Annotated[str, Meta(min_length=2, max_length=16, pattern=r"^[A-Za-z0-9-]+$")]
_HOST_REFUSALS = (Reason.NOT_ALLOWED, Reason.HOST_BUSY, Reason.HOST_RESTS)


# ------------------------------------------------------------------------------------------------ views


class CompanyPerson(Struct, frozen=True, kw_only=True):
    """Somebody in a company, with the role that the server gives them."""

    id: MemberId
    name: str
    role: Literal["host", "seeker"]


class DepartureView(Struct, frozen=True, kw_only=True):
    """Who left a company last. `met`: their listener had come."""

    name: str
    met: bool
    at: Millis


class CompanyView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A company as one of its people sees it. `me` is their own id in its room, which `join` enters. `seats` is how
    many seekers may sit there.

    `quiet_since` is given while nobody may write, because no host is there; it closes at `closes_at` unless one comes.
    `until` is when the present host's time is over.
    """

    id: CompanyId
    room: RoomId
    me: MemberId
    people: tuple[CompanyPerson, ...]
    seats: int
    until: Millis | None = None
    quiet_since: Millis | None = None
    closes_at: Millis | None = None
    left: DepartureView | None = None


class CompanyOffer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A company where there is a seat for this seeker: who keeps it, and how many sit there. `ask` says that the page
    should offer it by itself, because the wait is long or unknown and they have not declined."""

    id: CompanyId
    host: str
    sit: int
    ask: bool = False


class HostingOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="hosting", omit_defaults=True):
    """Who may keep company sees how things stand. `company` is the one that they keep, `waiting` how many wait for a
    listener, `sitting` how many of them sit in any company. They cannot begin while `busy` (they listen, talk or wait
    themselves), nor before `rests_until`. `minutes` is how long one may keep company at a stretch."""

    version: int
    waiting: int
    sitting: int
    minutes: int
    languages: tuple[str, ...]
    company: CompanyView | None = None
    busy: bool = False
    rests_until: Millis | None = None


class HostingPush(HostingOk, frozen=True, kw_only=True, tag_field="push", tag="hosting", omit_defaults=True):
    """The same as the reply, whenever it changed. Not a fact: the newest is right."""


# ------------------------------------------------------------------------------------------------ commands


class AskHosting(Command, frozen=True, kw_only=True, tag="hosting"):
    """See how company while waiting stands, for those who may keep it. `hosting` pushes follow whenever it changes."""

    answer: ClassVar[str] = "hosting"
    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.KEEP_COMPANY
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.NOT_ALLOWED,)


class HostCommand(Command, frozen=True, kw_only=True, tag="host"):
    """Keep company with people who wait, or (`on` false) stop. A company of this language that waits for a host is
    taken on; otherwise an empty one is opened. Without `language` the first of `hosting` is used."""

    answer: ClassVar[str] = "hosting"
    cost: ClassVar[float] = 4.0
    capability: ClassVar[Capability | None] = Capability.KEEP_COMPANY
    refusals: ClassVar[tuple[Reason, ...]] = _HOST_REFUSALS
    example: ClassVar[Fields] = {"on": True, "language": "en"}

    on: bool
    language: Tongue | None = None


class SitCommand(Command, frozen=True, kw_only=True, tag="sit"):
    """Take a seat in a company, while one waits for a listener. The place in the queue stays as it is. One is shown
    only what is written from then on."""

    answer: ClassVar[str] = "standing"
    cost: ClassVar[float] = 4.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.NOT_WAITING, Reason.NO_SEAT)
    example: ClassVar[Fields] = {"company": "c--7h2vq8nfk4x9mz3c"}

    company: CompanyName


class StandCommand(Command, frozen=True, kw_only=True, tag="stand"):
    """Leave the company. The place in the queue stays as it is. Succeeds also without a seat."""

    answer: ClassVar[str] = "standing"
    cost: ClassVar[float] = 2.0


class WaitAloneCommand(Command, frozen=True, kw_only=True, tag="wait_alone"):
    """Decline company: the page does not offer it again by itself."""

    answer: ClassVar[str] = "standing"
    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.NOT_WAITING,)


CompanyCommand = AskHosting | HostCommand | SitCommand | StandCommand | WaitAloneCommand
