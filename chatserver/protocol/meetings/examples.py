"""One real example of every message of support groups: Quiet Wren signs up for an evening circle, and takes part."""

from __future__ import annotations

from typing import Final

from chatserver.domain.history import CommandId, Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.meetings.forms import FORMS
from chatserver.domain.meetings.groups import GroupId
from chatserver.domain.meetings.state import Form, MeetingId, Stage, room_of_meeting
from chatserver.protocol import messages as m
from chatserver.protocol.meetings.views import (
    DateView,
    FacilitatorsOk,
    GroupCard,
    GroupOk,
    GroupsOk,
    MeetingGonePush,
    MeetingOk,
    MeetingPerson,
    MeetingPush,
    MeetingView,
    PhaseView,
    TurnView,
)

_NOW: Final = Millis(1_767_225_600_000)
_MEETING: Final = MeetingId("m--5t9kq2mzx7b3wc8h")
_GROUP: Final = GroupId("g-7h2vq8nfk4x9mz3c")
_ME: Final = MemberId("p_Jm2WnT9xWq2LmR7vZk1sYfJ0dBgE5aUoKi")
_ROBIN: Final = MemberId("p_c4HnT9xWq2LmR7vZk1sYfJ0dBgE5aUoKiA")
_HOST: Final = MemberId("p_Vb8sJq4Yc6RfT1hGk3LmN0pXw9ZaQeUoIy")
_VIEW: Final = MeetingView(
    id=_MEETING,
    room=room_of_meeting(_MEETING),
    group=_GROUP,
    name="Evening circle",
    form=Form.CIRCLE,
    stage=Stage.LIVE,
    version=1_767_225_600_000,
    starts_at=Millis(_NOW - 20 * 60_000),
    doors_at=Millis(_NOW - 30 * 60_000),
    me=_ME,
    may=("step_out", "later", "pass"),
    phases=tuple(PhaseView(kind=each.kind, minutes=each.minutes) for each in FORMS[Form.CIRCLE].phases),
    seats=6,
    free=4,
    place="seat",
    here=True,
    phase=4,
    phase_since=Millis(_NOW - 60_000),
    step=6,
    people=(
        MeetingPerson(id=_HOST, name="Sam", place="host"),
        MeetingPerson(id=_ROBIN, name="Brave Robin", place="seat"),
        MeetingPerson(id=_ME, name="Quiet Wren", place="seat"),
    ),
    turn=TurnView(holder=_ROBIN, since=Millis(_NOW - 60_000), ends_at=Millis(_NOW + 660_000)),
    order=(_ME,),
    allotment=720.0,
)
_CARD: Final = GroupCard(
    id=_GROUP,
    name="Evening circle",
    about="For everybody who cannot come to rest at night.",
    form=Form.CIRCLE,
    language="en",
    agreement="What is said here stays here.",
    agreement_version=1,
    minutes=71,
    phases=tuple(PhaseView(kind=each.kind, minutes=each.minutes) for each in FORMS[Form.CIRCLE].phases),
    seats=6,
    dates=(
        DateView(
            id=_MEETING,
            starts_at=Millis(_NOW + 3_600_000),
            doors_at=Millis(_NOW + 3_000_000),
            stage=Stage.ANNOUNCED,
            seats=6,
            free=2,
            place="seat",
        ),
    ),
)


def _id(number: int) -> CommandId:
    return CommandId(f"c7-{number}")


REPLIES: Final[tuple[m.Reply, ...]] = (
    m.Reply(re=_id(1), ok=GroupsOk(groups=(_CARD,))),
    m.Reply(re=_id(2), ok=GroupOk(group=_CARD)),
    m.Reply(re=_id(3), ok=MeetingOk(meeting=_VIEW)),
    m.Reply(re=_id(4), ok=FacilitatorsOk(facilitators=(Person(MemberId("m_8vq2nfk4x9mz3c7h"), "Sam"),))),
)
PUSHES: Final[tuple[m.AnyPush, ...]] = (MeetingPush(meeting=_VIEW), MeetingGonePush(id=_MEETING))
