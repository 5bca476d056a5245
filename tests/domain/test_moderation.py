"""What moderators may decide, about whom and for how long; and a report's way."""

from __future__ import annotations

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.moderation.measures import (
    MOST_MINUTES,
    NOTE_LENGTH,
    REASON_LENGTH,
    Measure,
    MeasureKind,
    MeasureState,
    TakeMeasure,
    appeal,
    decide,
    due_at,
    restriction_of,
)
from chatserver.domain.rooms.decide import decide as decide_in_room
from chatserver.domain.rooms.decide import require_unrestricted
from chatserver.domain.rooms.rooms import (
    EditPost,
    Membership,
    Post,
    Reaction,
    ReactToPost,
    RedactPost,
    Restriction,
    RestrictionKind,
    Room,
    RoomCommand,
    RoomId,
    RoomKind,
    RoomRules,
    RoomState,
    WritePost,
)

NOW = Millis(1_700_000_000_000)
MO, ZOE, BO = MemberId("m_mo"), MemberId("m_zoe"), MemberId("m_bo")
SLEEP = RoomId("sleep")
POST = Post(offset=Offset(3), author=BO, name="Bo", text="no", at=NOW)
FINE = MeasureState(post=None, is_member=True, is_staff=False)


def asked(kind: MeasureKind, **fields: object) -> TakeMeasure:
    usual = TakeMeasure(
        id="a1", by=MO, about=BO, kind=kind, room=SLEEP, offset=None, reason="too loud", minutes=60, report=None
    )
    return msgspec.structs.replace(usual, **fields)


def refused(reason: Reason) -> pytest.RaisesExc[Refusal]:
    return pytest.raises(Refusal, match=f"^{reason.value}$")


@pytest.mark.parametrize("kind", list(MeasureKind))
def test_every_measure_has_a_reason_and_an_end(kind: MeasureKind) -> None:
    post = MeasureKind.REDACT is kind
    state = msgspec.structs.replace(FINE, post=POST if post else None)
    wanted = asked(kind, offset=Offset(3) if post else None)
    measure = decide(wanted, state, NOW)
    assert (measure.about, measure.reason, measure.expires_at) == (BO, "too loud", NOW + 3_600_000)
    assert measure.is_active(NOW)
    assert not measure.is_active(measure.expires_at)
    for reason, why in (("  \n", Reason.TEXT_EMPTY), ("x" * (REASON_LENGTH + 1), Reason.TEXT_TOO_LONG)):
        with refused(why):
            decide(msgspec.structs.replace(wanted, reason=reason), state, NOW)
    most = MOST_MINUTES[kind]
    assert decide(msgspec.structs.replace(wanted, minutes=most), state, NOW).expires_at == NOW + most * 60_000
    for minutes in (0, most + 1):
        with refused(Reason.INVALID):
            decide(msgspec.structs.replace(wanted, minutes=minutes), state, NOW)


def test_what_forbids_something_needs_to_be_told_how_long() -> None:
    for kind in (MeasureKind.MUTE, MeasureKind.REMOVE, MeasureKind.BAN):
        with refused(Reason.INVALID):
            decide(asked(kind, minutes=None), FINE, NOW)
    assert decide(asked(MeasureKind.NOTICE, minutes=None), FINE, NOW).expires_at > NOW


def test_a_ban_is_from_everywhere_and_a_mute_from_where_it_says() -> None:
    assert decide(asked(MeasureKind.BAN), FINE, NOW).room is None
    assert decide(asked(MeasureKind.MUTE), FINE, NOW).room == SLEEP
    assert decide(asked(MeasureKind.MUTE, room=None), FINE, NOW).room is None
    with refused(Reason.INVALID):
        decide(asked(MeasureKind.REMOVE, room=None), FINE, NOW)


def test_nobody_decides_about_themselves_about_staff_or_about_nobody() -> None:
    with refused(Reason.NOT_ALLOWED):
        decide(asked(MeasureKind.MUTE, about=MO), FINE, NOW)
    with refused(Reason.NOT_ALLOWED):
        decide(asked(MeasureKind.MUTE), msgspec.structs.replace(FINE, is_staff=True), NOW)
    with refused(Reason.MEMBER_UNKNOWN):
        decide(asked(MeasureKind.MUTE), msgspec.structs.replace(FINE, is_member=False), NOW)
    with refused(Reason.INVALID):
        decide(asked(MeasureKind.MUTE, about=None), FINE, NOW)


def test_a_post_is_taken_back_where_it_stands() -> None:
    with refused(Reason.INVALID):
        decide(asked(MeasureKind.REDACT), FINE, NOW)
    with refused(Reason.POST_UNKNOWN):
        decide(asked(MeasureKind.REDACT, offset=Offset(3)), FINE, NOW)
    gone = msgspec.structs.replace(FINE, post=msgspec.structs.replace(POST, redacted=True))
    with refused(Reason.POST_REDACTED):
        decide(asked(MeasureKind.REDACT, offset=Offset(3)), gone, NOW)
    there = msgspec.structs.replace(FINE, post=POST)
    assert decide(asked(MeasureKind.REDACT, offset=Offset(3), about=None), there, NOW).about == BO


def a_measure(kind: MeasureKind = MeasureKind.MUTE) -> Measure:
    return decide(asked(kind), FINE, NOW)


def test_it_can_be_answered_once_while_it_holds() -> None:
    measure = appeal(a_measure(), " I was joking. ", Millis(NOW + 1))
    assert (measure.appeal, measure.appealed_at) == ("I was joking.", NOW + 1)
    with refused(Reason.APPEALED):
        appeal(measure, "again", NOW)
    with refused(Reason.MEASURE_UNKNOWN):
        appeal(a_measure(), "late", a_measure().expires_at)
    with refused(Reason.MEASURE_UNKNOWN):
        appeal(msgspec.structs.replace(a_measure(), lifted_at=NOW), "for nothing", NOW)
    with refused(Reason.TEXT_TOO_LONG):
        appeal(a_measure(), "x" * (NOTE_LENGTH + 1), NOW)


def test_a_call_and_a_danger_are_due_sooner() -> None:
    assert NOW < due_at(NOW, "help", True) == due_at(NOW, "danger", False) < due_at(NOW, "unkind", False)


# ------------------------------------------------------------------------------------------------ in a room


def state(*kinds: MeasureKind, room: RoomId | None = SLEEP, kind: RoomKind = RoomKind.THEMED) -> RoomState:
    made = [restriction_of(decide(asked(each, room=room), FINE, NOW)) for each in kinds]
    return RoomState(
        room=Room(id=SLEEP, name="Sleep", about="", kind=kind),
        membership=Membership(room=SLEEP, agreement_version=1),
        target=POST,
        restrictions=tuple(each for each in made if each is not None),
    )


WRITING: tuple[RoomCommand, ...] = (
    WritePost(text="x"),
    EditPost(target=Offset(3), text="x"),
    ReactToPost(target=Offset(3), reaction=Reaction.HUG, on=True),
)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (MeasureKind.MUTE, Reason.MUTED),
        (MeasureKind.REMOVE, Reason.REMOVED),
        (MeasureKind.BAN, Reason.BANNED),
    ],
)
@pytest.mark.parametrize("command", WRITING, ids=lambda command: type(command).__name__)
def test_who_may_not_write_is_told_until_when(kind: MeasureKind, reason: Reason, command: RoomCommand) -> None:
    with refused(reason) as refusal:
        decide_in_room(state(kind), command, Persona(BO, "Bo"), RoomRules(), Millis(NOW + 1_000))
    assert refusal.value.retry_after == 3_599
    assert refusal.value.details == {"measure": "a1", "until": NOW + 3_600_000, "appeal": "/api/identity/appeal"}
    patient = RoomRules(edit_window=2 * 3_600_000)
    assert decide_in_room(state(kind), command, Persona(BO, "Bo"), patient, Millis(NOW + 3_600_000))


def test_a_notice_forbids_nothing_and_taking_back_is_never_forbidden() -> None:
    assert restriction_of(decide(asked(MeasureKind.NOTICE), FINE, NOW)) is None
    for kind in (MeasureKind.MUTE, MeasureKind.REMOVE, MeasureKind.BAN):
        assert decide_in_room(state(kind), RedactPost(target=Offset(3)), Persona(BO, "Bo"), RoomRules(), NOW)


@pytest.mark.parametrize("room", [None, SLEEP], ids=["everywhere", "in its room"])
@pytest.mark.parametrize("kind", [MeasureKind.MUTE, MeasureKind.REMOVE])
def test_nothing_but_a_ban_keeps_anybody_from_their_listener(kind: MeasureKind, room: RoomId | None) -> None:
    post = WritePost(text="x")
    if kind is MeasureKind.MUTE or room is not None:
        talk = state(kind, room=room, kind=RoomKind.SESSION)
        assert decide_in_room(talk, post, Persona(BO, "Bo"), RoomRules(), NOW)
    with refused(Reason.MUTED):
        decide_in_room(state(MeasureKind.MUTE, room=None), post, Persona(BO, "Bo"), RoomRules(), NOW)
    with refused(Reason.BANNED):
        decide_in_room(state(MeasureKind.BAN, kind=RoomKind.SESSION), post, Persona(BO, "Bo"), RoomRules(), NOW)


def test_a_mute_keeps_nobody_out() -> None:
    muted = Restriction(measure="a", kind=RestrictionKind.MUTE, room=None, until=Millis(NOW + 1))
    room = Room(id=SLEEP, name="", about="")
    require_unrestricted([muted], room, NOW, (RestrictionKind.REMOVE, RestrictionKind.BAN))
    removed = msgspec.structs.replace(muted, kind=RestrictionKind.REMOVE, room=SLEEP)
    require_unrestricted([removed], msgspec.structs.replace(room, id=RoomId("grief")), NOW)
    require_unrestricted([removed], None, NOW)
    with refused(Reason.REMOVED):
        require_unrestricted([removed], room, NOW)
