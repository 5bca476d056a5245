"""The commands and effects of meetings.

Pure: types only. Every command may be sent again: if its result already holds it is not refused and changes nothing.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings.state import Contract, Ending, Form, Meeting, MeetingId
from chatserver.domain.rooms.rooms import Voice


class _Struct(msgspec.Struct, frozen=True, kw_only=True):
    pass


# Commands of members. The member who asks is an argument of `decide`.


class SignUp(_Struct, frozen=True, kw_only=True):
    """Take a seat, a place on the waiting list, or (`listens`) a listener's place. Raises PHASE_OVER once the doors are
    open, and GROUP_CLOSED where the group takes nobody new and the member is not known (`is_known`) there."""

    name: str
    listens: bool = False
    is_known: bool = False


class SignOff(_Struct, frozen=True, kw_only=True):
    """Give up what one signed up for."""


class Enter(_Struct, frozen=True, kw_only=True):
    """Enter a meeting, or come back to it. Raises NOT_YET with `doors_at`, AGREEMENT_REQUIRED, SENT_OUT, MEETING_FULL,
    or DOORS_CLOSED once it closes."""

    name: str
    agreement: int
    listens: bool = False


class StepOut(_Struct, frozen=True, kw_only=True):
    """Leave a meeting. One may come back as a listener."""


class SitBack(_Struct, frozen=True, kw_only=True):
    """Listen instead of sharing, or (`on` False) the other way if there is a seat. Raises PHASE_OVER once turns have
    begun, and MEETING_FULL."""

    on: bool


class Raise(_Struct, frozen=True, kw_only=True):
    """Raise one's hand, or take it down."""

    on: bool


class Finish(_Struct, frozen=True, kw_only=True):
    """End one's own turn. Raises NOT_YOUR_TURN."""


class Later(_Struct, frozen=True, kw_only=True):
    """Go to the end of the order, once in a meeting. Raises NOT_YOUR_TURN where no turn of theirs is to come."""


class Pass(_Struct, frozen=True, kw_only=True):
    """Give one's turn up, or (`on` False) have it back while others share. In a round: write nothing."""

    on: bool


class Choose(_Struct, frozen=True, kw_only=True):
    """Say what one would like from the other of two people while one speaks. Raises PHASE_OVER once turns begin."""

    how: Contract


class AnswerAside(_Struct, frozen=True, kw_only=True):
    """Answer the offer to talk with one listener. Raises OFFER_GONE for a `yes` where there is none any more."""

    yes: bool


# Commands of hosts. They raise NOT_ALLOWED for everybody else.


class Step(_Struct, frozen=True, kw_only=True):
    """End this turn, or else this phase. Does nothing where the meeting has gone on since the step that the host
    saw."""

    seen: int


class CallOn(_Struct, frozen=True, kw_only=True):
    """Let somebody who raised a hand be next."""

    member: MemberId


class AddTime(_Struct, frozen=True, kw_only=True):
    """Give two minutes more to the present turn and to everybody still to come. Raises NO_MORE_TIME."""


class Pause(_Struct, frozen=True, kw_only=True):
    """Hold the meeting, or let it go on."""

    on: bool


class Aside(_Struct, frozen=True, kw_only=True):
    """Offer somebody who is here, alone, to talk with one listener. Whether the queue has a place is the caller's."""

    member: MemberId


class SendOut(_Struct, frozen=True, kw_only=True):
    """Send somebody out until the end, and tell moderators why."""

    member: MemberId
    reason: str


class EndMeeting(_Struct, frozen=True, kw_only=True):
    """Go straight to the closing; because of `danger`, or in the closing, to the end. A moderator may do it, too."""

    why: Literal["", "danger"] = ""


class Cancel(_Struct, frozen=True, kw_only=True):
    """Call a meeting off before its doors open. Raises PHASE_OVER after that."""

    why: str


# What happens outside.


class Spoke(_Struct, frozen=True, kw_only=True):
    """Note that a member has written."""


class Dismiss(_Struct, frozen=True, kw_only=True):
    """Take a member out who was banned, or is about to be erased."""


class Renamed(_Struct, frozen=True, kw_only=True):
    """Give a member their new name."""

    name: str


class NoteConcern(_Struct, frozen=True, kw_only=True):
    """Tell the hosts, alone, what screening found in a member's post."""

    post: int
    category: str
    level: int


class NoteMisses(_Struct, frozen=True, kw_only=True):
    """Note how many meetings of the group in a row a member has missed. Whoever missed two loses their seats in those
    that are only announced."""

    count: int


class ApplyDue(_Struct, frozen=True, kw_only=True):
    """Do nothing but what time brings."""


MemberCommand = SignUp | SignOff | Enter | StepOut | SitBack | Raise | Finish | Later | Pass | Choose | AnswerAside
HostCommand = Step | CallOn | AddTime | Pause | Aside | SendOut | EndMeeting | Cancel
MeetingAction = MemberCommand | HostCommand | Spoke | Dismiss | Renamed | NoteConcern | NoteMisses | ApplyDue


# Effects: what follows outside the meeting, in the same transaction.


class OpenRoom(_Struct, frozen=True, kw_only=True):
    """Open the meeting's closed room, with its voice; with `has_backstage` also the one of its hosts."""

    meeting: MeetingId
    name: str
    voice: Voice
    has_backstage: bool = False


class Admit(_Struct, frozen=True, kw_only=True):
    """Make somebody a member of the meeting's room; a host also of the hosts'."""

    meeting: MeetingId
    member: MemberId
    sees_from_now: bool
    is_host: bool = False


class Expel(_Struct, frozen=True, kw_only=True):
    meeting: MeetingId
    member: MemberId


class SetVoice(_Struct, frozen=True, kw_only=True):
    meeting: MeetingId
    voice: Voice


class CloseRoom(_Struct, frozen=True, kw_only=True):
    meeting: MeetingId


class DropMeeting(_Struct, frozen=True, kw_only=True):
    """Forget a meeting, its people and its room."""

    meeting: MeetingId


class ReportSentOut(_Struct, frozen=True, kw_only=True):
    """Tell moderators why a host sent somebody out, with the last posts."""

    meeting: MeetingId
    by: MemberId
    about: MemberId
    reason: str
    at: Millis


class CountMisses(_Struct, frozen=True, kw_only=True):
    """Tell the group's other meetings how many in a row a member has missed: 0 once they came."""

    meeting: MeetingId
    group: str
    member: MemberId
    count: int


class TurnOver(_Struct, frozen=True, kw_only=True):
    """Count how a turn ended."""

    how: Literal["finished", "time", "stepped", "set_aside", "given_back", "left"]


class MeetingOver(_Struct, frozen=True, kw_only=True):
    """Count a meeting that ended: the seats that it offered, those that were used, and those whose people had a
    turn."""

    form: Form
    ending: Ending
    offered: int
    used: int
    shared: int


RoomEffect = OpenRoom | Admit | Expel | SetVoice | CloseRoom | DropMeeting
MeetingEffect = RoomEffect | ReportSentOut | CountMisses | TurnOver | MeetingOver


class Decided(_Struct, frozen=True, kw_only=True):
    """The meeting after a command, None if it is forgotten, and what follows outside of it."""

    meeting: Meeting | None
    effects: tuple[MeetingEffect, ...] = ()
