"""A room that needs a moderator: what becomes of it while none is there."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms.coverage import (
    CLOCKS_DIFFER,
    Attendance,
    Coverage,
    CoverageRules,
    advance,
    ends_at,
    is_worth_keeping,
)
from chatserver.domain.rooms.decide import decide
from chatserver.domain.rooms.rooms import (
    EditPost,
    Membership,
    Post,
    Reaction,
    ReactToPost,
    Redacted,
    RedactPost,
    Room,
    RoomCommand,
    RoomId,
    RoomRules,
    RoomState,
    WritePost,
)

RULES = CoverageRules()
NOW = Millis(1_700_000_000_000)
OTTER = Persona(MemberId("m_otter"), "Otter")


def after(milliseconds: int) -> Millis:
    return Millis(NOW + milliseconds)


def duty(state: Attendance, since: int = 0, attended: int = 0) -> Coverage:
    return Coverage(state=state, since=after(since), attended_at=after(attended))


def test_a_room_that_begins_to_need_somebody_has_its_grace() -> None:
    first = advance(None, is_attended=False, now=NOW, rules=RULES)
    assert first == duty(Attendance.ATTENDED)
    assert advance(first, is_attended=False, now=after(RULES.grace - 1), rules=RULES) == first
    assert advance(first, is_attended=False, now=after(RULES.grace), rules=RULES).state is Attendance.SLOWED


def test_nobody_coming_it_can_only_be_read_at_last() -> None:
    slowed = duty(Attendance.SLOWED)
    assert advance(slowed, is_attended=False, now=after(RULES.patience - 1), rules=RULES) == slowed
    alone = advance(slowed, is_attended=False, now=after(RULES.patience), rules=RULES)
    assert alone.state is Attendance.READ_ONLY
    assert advance(alone, is_attended=False, now=after(10**12), rules=RULES) == msgspec.structs.replace(alone)
    assert ends_at(alone, RULES) is None


@pytest.mark.parametrize("state", [*Attendance])
def test_it_opens_by_itself_when_somebody_is_there(state: Attendance) -> None:
    assert advance(duty(state), is_attended=True, now=after(9_000_000), rules=RULES).state is Attendance.ATTENDED


def test_after_an_hour_in_which_nothing_ran_a_standby_is_paged_first() -> None:
    assert advance(duty(Attendance.ATTENDED), is_attended=False, now=after(3_600_000), rules=RULES).state is (
        Attendance.SLOWED
    )


def test_a_clock_that_was_far_ahead_keeps_nothing_open() -> None:
    ahead = duty(Attendance.ATTENDED, CLOCKS_DIFFER + 1, CLOCKS_DIFFER * 100)
    mended = advance(ahead, is_attended=False, now=NOW, rules=RULES)
    assert mended == duty(Attendance.ATTENDED)
    assert is_worth_keeping(ahead, mended, RULES)
    assert advance(mended, is_attended=False, now=after(RULES.grace), rules=RULES).state is Attendance.SLOWED


@given(grace=st.integers(3_000, 600_000))
def test_that_somebody_is_there_is_said_anew_well_within_the_grace(grace: int) -> None:
    rules = CoverageRules(grace=grace)
    before = duty(Attendance.ATTENDED)
    later = advance(before, is_attended=True, now=after(grace // 4), rules=rules)
    assert is_worth_keeping(before, later, rules)
    assert not is_worth_keeping(before, advance(before, is_attended=True, now=after(1), rules=rules), rules)


_looks = st.lists(st.tuples(st.integers(0, 400_000), st.booleans()), max_size=60)


@given(_looks, st.integers(3_000, 120_000), st.integers(1_000, 600_000))
def test_nobody_is_left_alone_longer_than_the_rules_say(
    looks: list[tuple[int, bool]], grace: int, patience: int
) -> None:
    """However often and whenever it is looked at: it slows at the first look after the grace, can only be read at the
    first one after the patience, and never without having slowed before."""
    rules, now = CoverageRules(grace=grace, patience=patience), NOW
    kept: Coverage | None = None
    last_there = slowed_at = NOW
    state = Attendance.ATTENDED
    for wait, is_attended in looks:
        now = Millis(now + wait)
        if kept is None or is_attended:
            last_there, state = now, Attendance.ATTENDED
        elif state is Attendance.ATTENDED and now - last_there >= grace:
            slowed_at, state = now, Attendance.SLOWED
        elif state is Attendance.SLOWED and now - slowed_at >= patience:
            state = Attendance.READ_ONLY
        kept = advance(kept, is_attended=is_attended, now=now, rules=rules)
        assert kept.state is state
        assert kept.since <= now


@given(_looks, st.integers(0, 3))
def test_two_who_look_at_the_same_row_agree(looks: list[tuple[int, bool]], workers: int) -> None:
    """Settling again at the same moment changes nothing more, whoever does it."""
    kept, now = advance(None, is_attended=False, now=NOW, rules=RULES), NOW
    for wait, is_attended in looks:
        now = Millis(now + wait)
        kept = advance(kept, is_attended=is_attended, now=now, rules=RULES)
        for _ in range(workers):
            assert advance(kept, is_attended=False, now=now, rules=RULES) == kept


# ------------------------------------------------------------------------------------------------ what it means


def state_of(attendance: Attendance, slow_mode: int = 0) -> RoomState:
    room = Room(
        id=RoomId("sleep"),
        name="Can't sleep",
        about="",
        needs_moderator=True,
        attendance=attendance,
        slow_mode=slow_mode,
    )
    own = Post(offset=Offset(1), author=OTTER.id, name=OTTER.name, text="x", at=NOW)
    membership = Membership(room=room.id, agreement_version=1, last_post_at=NOW)
    return RoomState(room=room, membership=membership, target=own)


def ask(state: RoomState, command: RoomCommand, at: int = 1_000) -> object:
    return decide(state, command, OTTER, RoomRules(), after(at))


@pytest.mark.parametrize(
    "command",
    [
        WritePost(text="Hello"),
        EditPost(target=Offset(1), text="Hello"),
        ReactToPost(target=Offset(1), reaction=Reaction.HUG, on=True),
    ],
)
def test_nobody_writes_in_a_room_that_can_only_be_read(command: RoomCommand) -> None:
    with pytest.raises(Refusal) as refusal:
        ask(state_of(Attendance.READ_ONLY), command)
    assert refusal.value.reason is Reason.UNATTENDED


@pytest.mark.parametrize("attendance", [*Attendance])
def test_what_somebody_wrote_is_theirs_to_take_back(attendance: Attendance) -> None:
    assert ask(state_of(attendance), RedactPost(target=Offset(1))) == (Redacted(target=Offset(1)),)


@pytest.mark.parametrize(("slow_mode", "pace"), [(0, 30), (10, 30), (90, 90)])
def test_a_room_without_a_moderator_is_slow_and_never_faster_than_it_was(slow_mode: int, pace: int) -> None:
    slowed = state_of(Attendance.SLOWED, slow_mode=slow_mode)
    with pytest.raises(Refusal) as refusal:
        ask(slowed, WritePost(text="Hello"), at=pace * 1_000 - 1)
    assert refusal.value.reason is Reason.SLOW_MODE
    assert ask(slowed, WritePost(text="Hello"), at=pace * 1_000)
    assert state_of(Attendance.ATTENDED, slow_mode=slow_mode).room.pace == slow_mode
