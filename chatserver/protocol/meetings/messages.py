"""The commands of support groups and their meetings, and what they are answered with."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from chatserver.domain.errors import Reason
from chatserver.domain.history import Millis
from chatserver.domain.meetings.groups import MOST_COHOSTS, MOST_DATES, MOST_LINES, GroupId
from chatserver.domain.meetings.state import Contract, Form, MeetingId, PhaseKind
from chatserver.domain.people.staff import Capability
from chatserver.protocol.fields import PRINTABLE, Command, Fields, MemberName, Text, Version
from chatserver.protocol.meetings.views import (
    FacilitatorsOk,
    GroupOk,
    GroupsOk,
    MeetingGonePush,
    MeetingOk,
    MeetingPush,
)

MeetingName = Annotated[MeetingId, Meta(min_length=1, max_length=64, pattern=PRINTABLE)]
GroupName = Annotated[GroupId, Meta(min_length=1, max_length=64, pattern=PRINTABLE)]
When = Annotated[Millis, Meta(ge=0, le=2**53 - 1)]
_MEETING: Fields = {"meeting": "m--5t9kq2mzx7b3wc8h"}
_GROUP: Fields = {"group": "g-7h2vq8nfk4x9mz3c"}
_OF_MEETING = (Reason.MEETING_UNKNOWN, Reason.NOT_YET, Reason.DOORS_CLOSED)
_INSIDE = (*_OF_MEETING, Reason.NOT_IN_ROOM)
_OF_HOST = (*_OF_MEETING, Reason.NOT_ALLOWED)
_OF_GROUP = (Reason.GROUP_UNKNOWN, Reason.NOT_ALLOWED, Reason.GROUP_ENDED)
_WORDED = (Reason.TEXT_EMPTY, Reason.TEXT_TOO_LONG, Reason.MEMBER_UNKNOWN)


# ------------------------------------------------------------------------------------------------ members


class AskGroups(Command, frozen=True, kw_only=True, tag="groups"):
    """List the groups that meet, with their next meetings and how many seats are free."""

    answer: ClassVar[str] = "groups"
    cost: ClassVar[float] = 4.0


class AskMeeting(Command, frozen=True, kw_only=True, tag="meeting"):
    """See a meeting that one signed up for, hosts, or is in. `meeting` pushes follow, each with the whole view."""

    answer: ClassVar[str] = "meeting"
    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.MEETING_UNKNOWN,)
    example: ClassVar[Fields] = _MEETING

    meeting: MeetingName


class SignUpCommand(Command, frozen=True, kw_only=True, tag="sign_up"):
    """Take a seat in meetings of a group, or a place on the waiting list; to `listen` is to be there without a turn.
    Without `meetings` it is for the next ten. A freed seat that is held for one is taken by it, too."""

    answer: ClassVar[str] = "group"
    cost: ClassVar[float] = 4.0
    refusals: ClassVar[tuple[Reason, ...]] = (
        Reason.GROUP_UNKNOWN,
        Reason.GROUP_ENDED,
        Reason.MEETING_UNKNOWN,
        Reason.MEETING_FULL,
        Reason.PHASE_OVER,
        Reason.TOO_MANY_SIGN_UPS,
        Reason.GROUP_CLOSED,
    )
    example: ClassVar[Fields] = {**_GROUP, "meetings": ["m--5t9kq2mzx7b3wc8h"]}

    group: GroupName
    meetings: Annotated[list[MeetingName], Meta(min_length=1, max_length=MOST_DATES)] | None = None
    side: Literal["share", "listen"] = "share"


class SignOffCommand(Command, frozen=True, kw_only=True, tag="sign_off"):
    """Give up a place in a meeting that has not begun. The first who waits is called."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.MEETING_UNKNOWN, Reason.PHASE_OVER)
    example: ClassVar[Fields] = _MEETING

    meeting: MeetingName


class EnterMeeting(Command, frozen=True, kw_only=True, tag="enter"):
    """Enter a meeting, accepting the `agreement` (its version), or come back to it. `join` its room then. Who comes
    when turns have begun listens, and is shown only what follows."""

    answer: ClassVar[str] = "meeting"
    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (
        *_OF_MEETING,
        Reason.AGREEMENT_REQUIRED,
        Reason.MEETING_FULL,
        Reason.SENT_OUT,
        Reason.GROUP_CLOSED,
    )
    example: ClassVar[Fields] = {**_MEETING, "agreement": 1}

    meeting: MeetingName
    agreement: Version
    side: Literal["share", "listen"] = "share"


class StepOutOfMeeting(Command, frozen=True, kw_only=True, tag="step_out"):
    """Leave a meeting. One may come back to listen."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.MEETING_UNKNOWN,)
    example: ClassVar[Fields] = _MEETING

    meeting: MeetingName


class SitBackCommand(Command, frozen=True, kw_only=True, tag="sit_back"):
    """Listen instead of sharing; `on` false: the other way, if there is a seat. Before turns begin."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (*_INSIDE, Reason.MEETING_FULL, Reason.PHASE_OVER, Reason.NOT_ALLOWED)
    example: ClassVar[Fields] = {**_MEETING, "on": True}

    meeting: MeetingName
    on: bool


class RaiseHand(Command, frozen=True, kw_only=True, tag="raise"):
    """Raise one's hand, or take it down. Those who had the fewest turns come first."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (*_INSIDE, Reason.PHASE_OVER, Reason.NOT_YOUR_TURN, Reason.NOT_ALLOWED)
    example: ClassVar[Fields] = {**_MEETING, "on": True}

    meeting: MeetingName
    on: bool


class FinishTurn(Command, frozen=True, kw_only=True, tag="finish"):
    """End one's own turn."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (*_INSIDE, Reason.PHASE_OVER, Reason.NOT_YOUR_TURN)
    example: ClassVar[Fields] = _MEETING

    meeting: MeetingName


class PostponeTurn(Command, frozen=True, kw_only=True, tag="later"):
    """Go to the end of the order, once in a meeting."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (*_INSIDE, Reason.PHASE_OVER, Reason.NOT_YOUR_TURN, Reason.NOT_ALLOWED)
    example: ClassVar[Fields] = _MEETING

    meeting: MeetingName


class PassTurn(Command, frozen=True, kw_only=True, tag="pass"):
    """Give one's turn up; `on` false: have it back while others share. In a round: write nothing."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (*_INSIDE, Reason.PHASE_OVER, Reason.NOT_YOUR_TURN, Reason.NOT_ALLOWED)
    example: ClassVar[Fields] = {**_MEETING, "on": True}

    meeting: MeetingName
    on: bool


class ChooseContract(Command, frozen=True, kw_only=True, tag="choose"):
    """Say what one would like from the other of two people while one speaks: only to `listen`, to `ask` now and then,
    or `ideas`. Before turns begin."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (*_INSIDE, Reason.PHASE_OVER)
    example: ClassVar[Fields] = {**_MEETING, "how": "ask"}

    meeting: MeetingName
    how: Contract


class AnswerAsideCommand(Command, frozen=True, kw_only=True, tag="answer_aside"):
    """Answer the offer to talk with one listener. With `yes` one asks for one, first in the queue, with the `agreement`
    of listening; or ask with `ask` beforehand, which is first, too, and says more. Nobody else learns the answer."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (
        *_INSIDE,
        Reason.OFFER_GONE,
        Reason.AGREEMENT_REQUIRED,
        Reason.LISTENING_CLOSED,
        Reason.SESSIONS_USED,
        Reason.PLACES_USED,
        Reason.IN_SESSION,
    )
    example: ClassVar[Fields] = {**_MEETING, "yes": True, "agreement": True}

    meeting: MeetingName
    yes: bool
    agreement: bool = False


# ------------------------------------------------------------------------------------------------ hosts


class StepMeeting(Command, frozen=True, kw_only=True, tag="step"):
    """End the present turn, or else the phase. Nothing happens if the meeting has gone on since the step `seen`."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = _OF_HOST
    example: ClassVar[Fields] = {**_MEETING, "seen": 4}

    meeting: MeetingName
    seen: Version


class CallOnPerson(Command, frozen=True, kw_only=True, tag="call_on"):
    """Let somebody who raised a hand be next."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (*_OF_HOST, Reason.PHASE_OVER, Reason.MEMBER_UNKNOWN)
    example: ClassVar[Fields] = {**_MEETING, "member": "p_c4HnT9xWq2LmR7vZk1sYfJ0dBgE5aUoKiA"}

    meeting: MeetingName
    member: MemberName


class AddTimeToTurns(Command, frozen=True, kw_only=True, tag="add_time"):
    """Give two minutes more to the present turn and to everybody whose turn is still to come."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (*_OF_HOST, Reason.PHASE_OVER, Reason.NO_MORE_TIME)
    example: ClassVar[Fields] = _MEETING

    meeting: MeetingName


class PauseMeeting(Command, frozen=True, kw_only=True, tag="pause"):
    """Hold the meeting: only hosts write, and no time passes; ten minutes in all. `on` false: let it go on."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (*_OF_HOST, Reason.PHASE_OVER, Reason.NO_MORE_TIME)
    example: ClassVar[Fields] = {**_MEETING, "on": True}

    meeting: MeetingName
    on: bool


class AsideCommand(Command, frozen=True, kw_only=True, tag="aside"):
    """Offer one person of a live meeting, alone, to talk with a listener now, first in the queue. At most once an hour
    for one person, and for one in ten sessions (`details.why`: `person` or `others`)."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (
        *_OF_HOST,
        Reason.MEMBER_UNKNOWN,
        Reason.LISTENING_CLOSED,
        Reason.OFFERED_ALREADY,
    )
    example: ClassVar[Fields] = {**_MEETING, "member": "p_c4HnT9xWq2LmR7vZk1sYfJ0dBgE5aUoKiA"}

    meeting: MeetingName
    member: MemberName


class SendOutPerson(Command, frozen=True, kw_only=True, tag="send_out"):
    """Send somebody out until the meeting ends. Moderators get a report with the last posts."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (*_OF_HOST, *_WORDED)
    example: ClassVar[Fields] = {
        **_MEETING,
        "member": "p_c4HnT9xWq2LmR7vZk1sYfJ0dBgE5aUoKiA",
        "reason": "They were cruel to others.",
    }

    meeting: MeetingName
    member: MemberName
    reason: Text


class EndMeetingCommand(Command, frozen=True, kw_only=True, tag="end_meeting"):
    """Go straight to the closing; because of `danger`, or in the closing, to the end. Moderators may, too."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.MEETING_UNKNOWN, Reason.NOT_ALLOWED, Reason.NOT_YET)
    example: ClassVar[Fields] = {**_MEETING, "why": "danger"}

    meeting: MeetingName
    why: Literal["", "danger"] = ""


# ------------------------------------------------------------------------------------------------ facilitators


class OpenGroup(Command, frozen=True, kw_only=True, tag="open_group"):
    """Open a group. `script` are lines for its hosts; `minutes` the lengths of phases that differ from the form's;
    `cohosts` the ids of facilitators who steer its meetings, too. With `no_crosstalk` nobody answers after a share;
    after as many meetings as `closed_after` (0: never) nobody new signs up."""

    answer: ClassVar[str] = "group"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.FACILITATE
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.NOT_ALLOWED, *_WORDED)
    example: ClassVar[Fields] = {
        "form": "circle",
        "name": "Evening circle",
        "about": "For everybody who cannot come to rest at night.",
        "agreement": "What is said here stays here.",
    }

    form: Form
    name: Text
    about: Text
    theme: Annotated[str, Meta(max_length=64)] = ""
    language: Annotated[str, Meta(max_length=16)] = "en"
    agreement: Text = ""
    script: Annotated[list[Text], Meta(max_length=MOST_LINES)] | None = None
    seats: Annotated[int, Meta(ge=1, le=40)] | None = None
    minutes: dict[PhaseKind, int] | None = None
    cohosts: Annotated[list[MemberName], Meta(max_length=MOST_COHOSTS)] | None = None
    no_crosstalk: bool = False
    closed_after: Annotated[int, Meta(ge=0, le=1000)] = 0


class AskFacilitators(Command, frozen=True, kw_only=True, tag="facilitators"):
    """List the other facilitators, who may become co-hosts of a group."""

    answer: ClassVar[str] = "facilitators"
    cost: ClassVar[float] = 4.0
    capability: ClassVar[Capability | None] = Capability.FACILITATE
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.NOT_ALLOWED,)


class ChangeGroup(Command, frozen=True, kw_only=True, tag="change_group"):
    """Change what is given of a group of one's own, and of its meetings that have not begun. Operators change every
    group. `seen` is the `revision` that one saw."""

    answer: ClassVar[str] = "group"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.RUN_GROUPS
    refusals: ClassVar[tuple[Reason, ...]] = (*_OF_GROUP, Reason.GROUP_CHANGED, *_WORDED)
    example: ClassVar[Fields] = {**_GROUP, "seen": 1, "seats": 8}

    group: GroupName
    seen: Version
    name: Text | None = None
    about: Text | None = None
    theme: Annotated[str, Meta(max_length=64)] | None = None
    language: Annotated[str, Meta(max_length=16)] | None = None
    agreement: Text | None = None
    script: Annotated[list[Text], Meta(max_length=MOST_LINES)] | None = None
    seats: Annotated[int, Meta(ge=1, le=40)] | None = None
    minutes: dict[PhaseKind, int] | None = None
    cohosts: Annotated[list[MemberName], Meta(max_length=MOST_COHOSTS)] | None = None
    no_crosstalk: bool | None = None
    closed_after: Annotated[int, Meta(ge=0, le=1000)] | None = None


class EndGroup(Command, frozen=True, kw_only=True, tag="end_group"):
    """End a group of one's own; operators end every group. Its meetings that have not begun are called off; `why` is
    told to those who signed up."""

    answer: ClassVar[str] = "group"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.RUN_GROUPS
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.GROUP_UNKNOWN, Reason.NOT_ALLOWED, Reason.TEXT_TOO_LONG)
    example: ClassVar[Fields] = {**_GROUP, "why": "I am moving away."}

    group: GroupName
    why: Text = ""


class PlanMeetings(Command, frozen=True, kw_only=True, tag="plan"):
    """Plan meetings of a group of one's own: at `dates`, or a series of `times` from `first`, a local time in `zone`,
    `every` so many weeks. A series keeps its time of day when summer time begins or ends; a time that does not exist on
    a day moves forward, and of one that exists twice the first is meant."""

    answer: ClassVar[str] = "group"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.FACILITATE
    refusals: ClassVar[tuple[Reason, ...]] = (*_OF_GROUP, Reason.MEMBER_UNKNOWN, Reason.TOO_MANY_MEETINGS)
    example: ClassVar[Fields] = {**_GROUP, "first": "2026-03-16T19:30", "zone": "Europe/Berlin", "times": 6}

    group: GroupName
    dates: Annotated[list[When], Meta(min_length=1, max_length=MOST_DATES)] | None = None
    first: Annotated[str, Meta(max_length=32)] | None = None
    zone: Annotated[str, Meta(max_length=64)] = "UTC"
    every: Literal[1, 2] = 1
    times: Annotated[int, Meta(ge=1, le=MOST_DATES)] = 1


class CancelMeeting(Command, frozen=True, kw_only=True, tag="cancel"):
    """Call a meeting off before its doors open; operators call off every meeting. `why` is told to those who signed
    up."""

    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.RUN_GROUPS
    refusals: ClassVar[tuple[Reason, ...]] = (
        Reason.MEETING_UNKNOWN,
        Reason.NOT_ALLOWED,
        Reason.PHASE_OVER,
        Reason.TEXT_TOO_LONG,
    )
    example: ClassVar[Fields] = {**_MEETING, "why": "I am ill."}

    meeting: MeetingName
    why: Text = ""


MeetingCommand = (
    AskGroups
    | AskMeeting
    | SignUpCommand
    | SignOffCommand
    | EnterMeeting
    | StepOutOfMeeting
    | SitBackCommand
    | RaiseHand
    | FinishTurn
    | PostponeTurn
    | PassTurn
    | ChooseContract
    | AnswerAsideCommand
    | StepMeeting
    | CallOnPerson
    | AddTimeToTurns
    | PauseMeeting
    | AsideCommand
    | SendOutPerson
    | EndMeetingCommand
    | OpenGroup
    | AskFacilitators
    | ChangeGroup
    | EndGroup
    | PlanMeetings
    | CancelMeeting
)
MeetingReply = GroupsOk | GroupOk | FacilitatorsOk | MeetingOk
MeetingsPush = MeetingPush | MeetingGonePush
