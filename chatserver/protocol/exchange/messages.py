"""The commands of the exchange: two people, an equal time for each. What is said in one is a meeting (`meetings`)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from chatserver.domain.errors import Reason
from chatserver.protocol.exchange.views import ExchangeOk, ExchangePracticeOk, ExchangePush
from chatserver.protocol.fields import Command, Fields, ReportReason, Text
from chatserver.protocol.listening.messages import Scale, Tongue, Words
from chatserver.protocol.meetings.messages import MeetingName

_MEETING: Fields = {"meeting": "m--7c2vq8nfk4x9mz3c"}
_OFF = (Reason.EXCHANGE_OFF,)
_OF_ONE = (Reason.MEETING_UNKNOWN,)


class AskExchange(Command, frozen=True, kw_only=True, tag="exchange"):
    """See the exchange: whether one has practised, waits, was offered somebody, or is in one. `exchange` pushes follow,
    each with the whole view."""

    answer: ClassVar[str] = "exchange"
    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = _OFF


class PractiseExchange(Command, frozen=True, kw_only=True, tag="exchange_practice"):
    """Get the practice, or (`answers`) finish it: the number of an answer for each scene. It is done once, and before
    the first exchange."""

    answer: ClassVar[str] = "exchange_practice"
    cost: ClassVar[float] = 4.0
    refusals: ClassVar[tuple[Reason, ...]] = _OFF
    example: ClassVar[Fields] = {"answers": (1, 2, 0, 1)}

    answers: Annotated[tuple[int, ...], Meta(max_length=16)] = ()


class JoinExchange(Command, frozen=True, kw_only=True, tag="exchange_join"):
    """Wait for somebody, or change what one would like and keep the place. `agreement` says that one is an adult, and
    will listen for as long as one talks. Of the `minutes` of two people the shorter count. `heavy` says how heavy it
    feels, 1 to 5; two people in a hard place are not paired."""

    answer: ClassVar[str] = "exchange"
    cost: ClassVar[float] = 5.0
    refusals: ClassVar[tuple[Reason, ...]] = (
        *_OFF,
        Reason.AGREEMENT_REQUIRED,
        Reason.NOT_PRACTISED,
        Reason.IN_EXCHANGE,
        Reason.IN_SESSION,
        Reason.EXCHANGES_USED,
        Reason.PLACES_USED,
        Reason.LISTENER_FIRST,
        Reason.MUTED,
    )
    example: ClassVar[Fields] = {"agreement": True, "minutes": 12, "heavy": 2, "topics": ("sleep",)}

    agreement: bool
    minutes: int = 12
    language: Tongue | None = None
    heavy: Scale | None = None
    topics: Words = ()


class LeaveExchange(Command, frozen=True, kw_only=True, tag="exchange_leave"):
    """Wait no more. Succeeds also where one does not wait. A meeting that has begun is left by `step_out`."""

    answer: ClassVar[str] = "exchange"
    cost: ClassVar[float] = 2.0


class AnswerExchange(Command, frozen=True, kw_only=True, tag="exchange_answer"):
    """Say yes to somebody who was found, or let it pass. Once both said yes the view has the `meeting`: `join` it."""

    answer: ClassVar[str] = "exchange"
    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (*_OFF, Reason.OFFER_GONE, Reason.LISTENER_FIRST, Reason.MUTED)
    example: ClassVar[Fields] = {"offer": "m--7c2vq8nfk4x9mz3c", "yes": True}

    offer: MeetingName
    yes: bool


class SayAfterExchange(Command, frozen=True, kw_only=True, tag="exchange_after"):
    """Say within an hour whether one felt `heard` (0 no, 1 partly, 2 yes), and whether one would like to meet `again`.
    The other is told neither."""

    answer: ClassVar[str] = "exchange"
    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = _OF_ONE
    example: ClassVar[Fields] = {**_MEETING, "heard": 2, "again": True}

    meeting: MeetingName
    heard: Annotated[int, Meta(ge=0, le=2)] | None = None
    again: bool | None = None


class BlockExchange(Command, frozen=True, kw_only=True, tag="exchange_block"):
    """Leave an exchange, hide the other in rooms too, and never be paired with them again."""

    cost: ClassVar[float] = 5.0
    refusals: ClassVar[tuple[Reason, ...]] = _OF_ONE
    example: ClassVar[Fields] = _MEETING

    meeting: MeetingName


class ReportExchange(Command, frozen=True, kw_only=True, tag="exchange_report"):
    """Tell the moderators about the other of an exchange, with what was last written in it. Until an hour after its
    end."""

    cost: ClassVar[float] = 10.0
    refusals: ClassVar[tuple[Reason, ...]] = (*_OF_ONE, Reason.TEXT_TOO_LONG)
    example: ClassVar[Fields] = {**_MEETING, "reason": "pressure", "note": "They kept asking where I live."}

    meeting: MeetingName
    reason: ReportReason
    note: Text = ""


ExchangeCommand = (
    AskExchange
    | PractiseExchange
    | JoinExchange
    | LeaveExchange
    | AnswerExchange
    | SayAfterExchange
    | BlockExchange
    | ReportExchange
)
ExchangeReply = ExchangeOk | ExchangePracticeOk
ExchangesPush = ExchangePush
