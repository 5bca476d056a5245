"""Turns: who has one, who is next, and how one ends.

Pure. In a share everybody's time is equal; with raised hands those come first who had the fewest turns.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Literal

from msgspec.structs import replace

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings.commands import TurnOver
from chatserver.domain.meetings.draft import Draft
from chatserver.domain.meetings.forms import ANSWERS, BREATH, HAND_TURN, LEAST_TURN, LOST, OVERRUN, allotment, two_turns
from chatserver.domain.meetings.state import Meeting, PhaseKind, Place, Turn


def drawn(meeting: Meeting, members: list[MemberId]) -> tuple[MemberId, ...]:
    """Return members in the order that chance gave them when the meeting was planned."""
    return tuple(sorted(members, key=lambda each: blake2b(f"{meeting.seed} {each}".encode(), digest_size=8).digest()))


def begin_share(draft: Draft) -> bool:
    """Draw the order of those who share, and fix how long each of them has. Return whether there is anybody."""
    meeting = draft.meeting
    sharers = [each.member for each in meeting.at(Place.SEAT) if each.is_here]
    if not sharers:
        return False
    minutes = meeting.phases[meeting.phase].minutes
    order = drawn(meeting, sharers)
    draft.set(
        order=tuple(sorted(order, key=lambda each: each == meeting.hears_first)),
        allotment=two_turns(minutes) if draft.rules.is_of_two else allotment(minutes, len(sharers)),
        left_of={},
        had=frozenset(),
        passed=frozenset(),
        aside=(),
    )
    return True


def may_have_hand_turn(draft: Draft) -> bool:
    """Return whether there is time for one more turn of somebody who raised a hand."""
    until = draft.meeting.phase_until
    return until is not None and until - draft.time >= LEAST_TURN


def next_of_hands(draft: Draft) -> MemberId | None:
    """Return whose raised hand is next, of those who have not lost the connection."""
    return next((each for each in hands_in_order(draft.meeting) if draft.is_seen(each)), None)


def hands_in_order(meeting: Meeting) -> list[MemberId]:
    """Return those whose hand is raised: first those who had the fewest turns, then those who raised it first."""
    return sorted(meeting.hands, key=lambda each: (meeting.turns.get(each, 0), meeting.hands[each], each))


def next_of_share(draft: Draft) -> MemberId | None:
    """Return whose turn is next in a share: somebody who was interrupted and is back, or else the first of the
    order who is there. Who hears the other first waits for them, also where they have lost the connection."""
    meeting = draft.meeting
    coming = (*meeting.aside, *meeting.order)
    if meeting.hears_first is not None and set(coming) - {meeting.hears_first}:
        coming = tuple(each for each in coming if each != meeting.hears_first)
    return next((each for each in coming if draft.is_seen(each, LOST)), None)


def begin(draft: Draft, holder: MemberId) -> None:
    """Give somebody the turn."""
    meeting, time = draft.meeting, draft.time
    if meeting.kind is PhaseKind.SHARE:
        length = meeting.left_of.get(holder, meeting.allotment)
        turn = Turn(holder=holder, since=time, ends_at=Millis(time + length))
    else:
        until = meeting.phase_until if meeting.phase_until is not None else time + HAND_TURN
        turn = Turn(
            holder=holder,
            since=time,
            ends_at=Millis(min(time + HAND_TURN, until)),
            raised_at=meeting.hands.get(holder, time),
        )
    draft.set(
        turn=turn,
        order=tuple(each for each in meeting.order if each != holder),
        aside=tuple(each for each in meeting.aside if each != holder),
        hands={each: at for each, at in meeting.hands.items() if each != holder},
        turns={**meeting.turns, holder: meeting.turns.get(holder, 0) + 1},
    )
    draft.step()


def end(draft: Draft, how: Literal["finished", "time", "stepped", "left"]) -> None:
    """End the present turn. What is left of it goes to the open phase. After a share others may answer it, unless the
    group wants none of that, or its holder has left."""
    meeting, turn = draft.meeting, draft.meeting.turn
    if turn is not None:
        save(draft, turn.ends_at - draft.time)
        draft.set(turn=None, had=meeting.had | {turn.holder})
        if how != "left" and meeting.kind is PhaseKind.SHARE and not meeting.no_crosstalk:
            is_of_two = draft.rules.is_of_two
            if not is_of_two or meeting.order or meeting.aside:
                draft.set(answers_until=Millis(draft.time + (BREATH if is_of_two else ANSWERS)))
        draft.effects.append(TurnOver(how=how))
        draft.step()


def end_answers(draft: Draft) -> None:
    """Let the next one share."""
    draft.set(answers_until=None)
    draft.step()


def save(draft: Draft, unused: int) -> None:
    """Keep time that somebody left unused for the open phase, never for those who share later: their time is equal."""
    if draft.meeting.kind is PhaseKind.SHARE:
        draft.set(saved=draft.meeting.saved + max(0, unused))


def set_aside(draft: Draft) -> None:
    """Keep the rest of a turn whose holder has lost the connection, from when they were last seen."""
    meeting, turn = draft.meeting, draft.meeting.turn
    assert turn is not None
    holder = draft.find(turn.holder)
    seen_at = draft.time if holder is None else holder.seen_at
    rest = turn.ends_at - max(turn.since, min(seen_at, draft.time))
    draft.set(turn=None)
    draft.effects.append(TurnOver(how="set_aside"))
    if meeting.kind is PhaseKind.HANDS:
        # The hand is up again, where it was.
        draft.set(
            hands={**meeting.hands, turn.holder: turn.raised_at},
            turns={**meeting.turns, turn.holder: meeting.turns[turn.holder] - 1},
        )
    elif rest >= LEAST_TURN and turn.holder not in meeting.left_of:
        # Once: nobody holds the others up again and again.
        draft.set(
            aside=(*meeting.aside, turn.holder),
            left_of={**meeting.left_of, turn.holder: rest},
            turns={**meeting.turns, turn.holder: meeting.turns[turn.holder] - 1},
        )
    else:
        draft.set(had=meeting.had | {turn.holder})
    draft.step()


def leave(draft: Draft, who: MemberId) -> None:
    """End what somebody who goes has of turns."""
    meeting = draft.meeting
    if meeting.holder == who:
        end(draft, "left")
    elif who in meeting.order or who in meeting.aside:
        save(draft, meeting.left_of.get(who, meeting.allotment))


def mark_over(draft: Draft) -> None:
    """Note that the holder's time is over: they finish now."""
    turn = draft.meeting.turn
    assert turn is not None
    draft.set(turn=replace(turn, is_over=True))
    draft.step()


def is_past(turn: Turn, time: Millis) -> bool:
    return time >= turn.ends_at + OVERRUN
