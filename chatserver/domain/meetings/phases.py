"""Phases: how one begins, which one is next, and who may write in each.

Pure.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings import turns
from chatserver.domain.meetings.draft import Draft
from chatserver.domain.meetings.forms import (
    ANSWERS_PACE,
    ASIDE_LENGTH,
    ASIDE_PACE,
    FORMS,
    GATHERING,
    OPEN_PACE,
    OVERRUN,
    ROUND_LENGTH,
)
from chatserver.domain.meetings.state import MINUTE, ROUNDS, TURNS, Ending, Meeting, PhaseKind, wall_time
from chatserver.domain.rooms.rooms import Voice

_EVERYBODY: Final = frozenset((PhaseKind.GATHER, PhaseKind.OPEN, PhaseKind.LINGER))
_NOBODY: Final = frozenset((PhaseKind.PREPARE, PhaseKind.QUIET))
ANSWERS: Final = "answers"
"""The phase that a voice names while everybody may answer a share. It stands in no script: the share goes on."""
BREATH: Final = "breath"
"""The same for the minute between the turns of two people, in which nobody writes."""
_AFTER_CLOSING: Final = frozenset((PhaseKind.CLOSING, PhaseKind.LINGER))
SEATED_UNTIL: Final = frozenset((PhaseKind.GATHER, PhaseKind.WELCOME, PhaseKind.CHECKIN, PhaseKind.PREPARE))
"""Phases in which seats are still given where turns are equal."""


def resume(draft: Draft) -> None:
    """Let a meeting go on that was held: everything that was planned comes that much later."""
    meeting = draft.meeting
    assert meeting.held_at is not None
    span = draft.time - meeting.held_at
    turn, until, answers = meeting.turn, meeting.phase_until, meeting.answers_until
    draft.set(
        held_at=None,
        held_for=meeting.held_for + span,
        turn=None if turn is None else replace(turn, ends_at=Millis(turn.ends_at + span)),
        phase_until=None if until is None else Millis(until + span),
        answers_until=None if answers is None else Millis(answers + span),
    )
    draft.step()


def is_closing(meeting: Meeting) -> bool:
    """Return whether the meeting has come to its last phases."""
    return meeting.kind in _AFTER_CLOSING


def go_on(draft: Draft) -> None:
    """Begin the next phase, or end the meeting after the last one."""
    _begin(draft, draft.meeting.phase + 1)


def go_to_closing(draft: Draft) -> None:
    """Begin the closing at once. The meeting ends where it is closing already, or has no closing."""
    meeting = draft.meeting
    ahead = range(meeting.phase + 1, len(meeting.phases))
    index = next((each for each in ahead if meeting.phases[each].kind is PhaseKind.CLOSING), None)
    if index is None:
        draft.end(Ending.HOST)
    else:
        _begin(draft, index)


def _begin(draft: Draft, index: int) -> None:
    while index < len(draft.meeting.phases):
        if draft.meeting.held_at is not None:
            resume(draft)
        draft.set(phase=index, turn=None, answers_until=None, order=(), aside=(), hands={}, said=frozenset())
        phase = draft.meeting.phases[index]
        length = phase.minutes * MINUTE
        if phase.kind is PhaseKind.OPEN:
            length += draft.meeting.saved
            draft.set(saved=0)
        until = None if phase.kind is PhaseKind.SHARE else Millis(draft.time + length)
        if phase.kind is PhaseKind.GATHER:
            # It is the one phase that ends by the clock on the wall: the meeting begins when it was to begin.
            until = Millis(draft.meeting.starts_at + (GATHERING if draft.rules.needs_host else length))
        draft.set(phase_since=draft.time, phase_until=until)
        draft.step()
        is_skipped = phase.kind is PhaseKind.SHARE and not turns.begin_share(draft)
        if not is_skipped and not (phase.kind is PhaseKind.LINGER and draft.is_host_lost(MINUTE)):
            return
        index += 1
    draft.end(Ending.SCRIPT)


def is_done(draft: Draft) -> bool:
    """Return whether a phase is over before its time: everybody has said what it is for."""
    meeting = draft.meeting
    if meeting.kind is PhaseKind.CONTRACT:
        return len(meeting.contracts) >= len(meeting.here())
    return meeting.kind in ROUNDS and is_said_by_all(draft)


def is_said_by_all(draft: Draft) -> bool:
    """Return whether everybody who is there has written in this round."""
    there = {each.member for each in draft.meeting.here() if draft.is_seen(each.member)}
    return bool(there) and bool(draft.meeting.said) and there <= draft.meeting.said


def voice_of(meeting: Meeting) -> Voice:
    """Return who may write in the meeting's room at present."""
    kind = meeting.kind
    if kind is None:
        return Voice(who="none")
    if meeting.held_at is not None:
        return _of("hosts", "hold", meeting.hosts, None)
    if meeting.answers_until is not None and FORMS[meeting.form].is_of_two:
        return Voice(who="none", phase=BREATH, until=wall_time(meeting, meeting.answers_until))
    if meeting.answers_until is not None:
        return Voice(who="all", pace=ANSWERS_PACE, phase=ANSWERS, until=wall_time(meeting, meeting.answers_until))
    until = None if meeting.phase_until is None else wall_time(meeting, meeting.phase_until)
    if kind in _EVERYBODY:
        pace = OPEN_PACE if kind is PhaseKind.OPEN else 0
        return Voice(who="all", pace=pace, phase=kind.value, until=until)
    if kind in ROUNDS:
        return Voice(who="all", once=True, length=ROUND_LENGTH, phase=kind.value, until=until)
    if kind is PhaseKind.WELCOME:
        return _of("hosts", kind.value, meeting.hosts, until)
    if kind in TURNS and meeting.turn is not None:
        ends_at = wall_time(meeting, Millis(meeting.turn.ends_at + (OVERRUN if meeting.turn.is_over else 0)))
        voice = _of("some", kind.value, (meeting.turn.holder,), ends_at)
        if FORMS[meeting.form].is_of_two:
            return replace(voice, aside_length=ASIDE_LENGTH, aside_pace=ASIDE_PACE)
        return voice
    return Voice(who="none", phase=kind.value, until=until)


def _of(who: str, phase: str, some: tuple[MemberId, ...], until: Millis | None) -> Voice:
    return Voice(who="hosts" if who == "hosts" else "some", some=some, phase=phase, until=until)
