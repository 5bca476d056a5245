"""What time brings to a meeting: one function carries out what is due, another says when something will be due.

Pure. Both read the same rules: a rule that is missing in one of them is carried out late. Carrying out what is due
twice changes nothing.
"""

from __future__ import annotations

from typing import Final

from chatserver.domain.history import Millis
from chatserver.domain.meetings import asides, pairs, phases, seats, turns
from chatserver.domain.meetings.commands import OpenRoom
from chatserver.domain.meetings.draft import Draft
from chatserver.domain.meetings.forms import DEAD, HOLD, HOST_LOST, LOST, OVERRUN, SEATS_FREED, TWO_GONE
from chatserver.domain.meetings.state import (
    REACH,
    ROUNDS,
    TURNS,
    Ending,
    Meeting,
    PhaseKind,
    Place,
    Stage,
    standing,
    wall_time,
)

_HOSTLESS: Final = frozenset((PhaseKind.GATHER, PhaseKind.CLOSING, PhaseKind.LINGER))
"""Phases that a lost host does not end early."""
_MOST_STEPS: Final = 1_000


def apply_due(draft: Draft) -> None:
    """Carry out everything that is due."""
    for _ in range(_MOST_STEPS):
        if draft.is_forgotten or not _apply_one(draft):
            return
    raise AssertionError("what is due does not end")


def _apply_one(draft: Draft) -> bool:
    meeting = draft.meeting
    match meeting.stage:
        case Stage.ANNOUNCED:
            if draft.now >= seats.doors_at(meeting):
                _open_doors(draft)
                return True
            return seats.call_next(draft)
        case Stage.LIVE:
            return _apply_one_live(draft)
        case Stage.ENDED | Stage.CANCELLED:
            if meeting.forget_at is not None and draft.now >= meeting.forget_at:
                draft.forget()
            return False


def _open_doors(draft: Draft) -> None:
    seats.open_waiting(draft)
    draft.set(stage=Stage.LIVE, stood=0, seen_at=None)
    phases.go_on(draft)
    meeting = draft.meeting
    voice = phases.voice_of(meeting)
    opened = OpenRoom(meeting=meeting.id, name=meeting.name, voice=voice, has_backstage=meeting.has_backstage)
    draft.effects.append(opened)


def _apply_one_live(draft: Draft) -> bool:
    meeting = draft.meeting
    if draft.now >= meeting.starts_at + DEAD:
        draft.end(Ending.ABANDONED)
        return True
    if standing(meeting, draft.now):
        # Nobody is seen: the meeting waits for them.
        return False
    if pairs.leave_the_lost(draft):
        return True
    if seats.is_time_to_free(draft):
        seats.free_the_absent(draft)
        return True
    if seats.seat_the_waiting(draft) or asides.take_back_one(draft):
        return True
    if meeting.held_at is not None:
        is_over = draft.time - meeting.held_at >= HOLD - meeting.held_for
        if is_over:
            phases.resume(draft)
        return is_over
    if meeting.turn is not None:
        return _go_on_with_turn(draft)
    return _go_on_with_phase(draft)


def _go_on_with_turn(draft: Draft) -> bool:
    turn = draft.meeting.turn
    assert turn is not None
    if turns.is_past(turn, draft.time):
        turns.end(draft, "time")
    elif not draft.is_seen(turn.holder, LOST):
        turns.set_aside(draft)
    elif draft.time >= turn.ends_at and not turn.is_over:
        turns.mark_over(draft)
    else:
        return False
    return True


def _go_on_with_phase(draft: Draft) -> bool:
    meeting, kind = draft.meeting, draft.meeting.kind
    is_over = meeting.phase_until is not None and draft.time >= meeting.phase_until
    if kind is PhaseKind.GATHER:
        if is_over:
            _begin_or_not(draft)
        return is_over
    if draft.rules.needs_host and kind not in _HOSTLESS and draft.is_host_lost(HOST_LOST):
        phases.go_to_closing(draft)
    elif is_over or phases.is_done(draft):
        phases.go_on(draft)
    elif kind is PhaseKind.LINGER and draft.is_host_lost(LOST):
        draft.end(Ending.SCRIPT)
    elif meeting.answers_until is not None:
        if draft.time < meeting.answers_until:
            return False
        turns.end_answers(draft)
    elif kind is PhaseKind.SHARE:
        following = turns.next_of_share(draft)
        if following is None and pairs.is_waited_for(draft):
            return False
        if following is None:
            phases.go_on(draft)
        else:
            turns.begin(draft, following)
    elif kind is PhaseKind.HANDS and turns.may_have_hand_turn(draft):
        following = turns.next_of_hands(draft)
        if following is None:
            return False
        turns.begin(draft, following)
    else:
        return False
    return True


def _begin_or_not(draft: Draft) -> None:
    there = sum(draft.is_seen(each.member) for each in draft.meeting.here())
    if draft.rules.needs_host and draft.is_host_lost(LOST):
        draft.end(Ending.NO_HOST)
    elif there < draft.rules.least:
        draft.end(Ending.TOO_FEW)
    else:
        phases.go_on(draft)


# ------------------------------------------------------------------------------------------------ when


def next_due(meeting: Meeting) -> Millis | None:
    """Return when, by the wall's clock, carrying out what is due would next change something; None for never.

    It holds for as long as nobody does anything, and everybody who is seen now is seen until then. Where nobody is
    seen the clock stands still, and so does everything that was due.
    """
    if meeting.stage is Stage.ANNOUNCED:
        calls = [each.called_until for each in meeting.people.values() if each.called_until is not None]
        return min([seats.doors_at(meeting), *calls])
    if not meeting.is_live:
        return meeting.forget_at
    return min(Millis(meeting.starts_at + DEAD), *(wall_time(meeting, each) for each in _moments(Draft(meeting, _NOW))))


_NOW: Final = Millis(0)


def _moments(draft: Draft) -> list[Millis]:
    """Return the moments, by the meeting's clock, at which a live meeting may change by itself."""
    meeting = draft.meeting
    found: list[int] = []
    if not meeting.are_seats_freed:
        found.append(meeting.starts_at + SEATS_FREED)
    if draft.rules.is_of_two:
        found += [each.seen_at + TWO_GONE for each in meeting.here()]
    found += [each.offered_until for each in meeting.people.values() if each.offered_until is not None]
    if meeting.held_at is not None:
        found.append(meeting.held_at + HOLD - meeting.held_for)
        return [Millis(each) for each in found]
    if (turn := meeting.turn) is not None:
        holder = meeting.people.get(turn.holder)
        found.append(turn.ends_at + (OVERRUN if turn.is_over else 0))
        if holder is not None:
            found.append(holder.seen_at + LOST)
        return [Millis(each) for each in found]
    if meeting.phase_until is not None:
        found.append(meeting.phase_until)
    if meeting.answers_until is not None:
        found.append(meeting.answers_until)
    host_seen_at = draft.host_seen_at()
    if draft.rules.needs_host and host_seen_at is not None and meeting.kind not in _HOSTLESS:
        found.append(host_seen_at + HOST_LOST)
    if meeting.kind is PhaseKind.LINGER and host_seen_at is not None:
        found.append(host_seen_at + LOST)
    if meeting.kind in ROUNDS and meeting.said:
        # Once somebody who has not written is gone, everybody else may have.
        found += [each.seen_at + REACH for each in meeting.here() if each.member not in meeting.said]
    if meeting.kind in TURNS:
        # Somebody who was away may be back at any time. The worker that sees them says so.
        found += [each.seen_at + LOST for each in meeting.at(Place.SEAT) if each.is_here]
    return [Millis(each) for each in found]
