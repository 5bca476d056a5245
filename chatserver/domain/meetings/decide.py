"""The one way in which a meeting changes: a command, or the passing of time, becomes the next state and effects.

Pure: time and ids arrive as arguments.
"""

from __future__ import annotations

from typing import Final, assert_never

from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings import asides, pairs, phases, seats, turns
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings.commands import Decided, MeetingAction, SetVoice
from chatserver.domain.meetings.draft import Draft
from chatserver.domain.meetings.forms import ADDED, HOLD, MOST_ADDED, MOST_NOTES, SEATS_FREED
from chatserver.domain.meetings.state import (
    ROUNDS,
    TURNS,
    Attendee,
    Ending,
    Meeting,
    Note,
    PhaseKind,
    Place,
    Stage,
    meeting_time,
    standing,
)
from chatserver.domain.meetings.timers import apply_due

_UNHELD: Final = frozenset((PhaseKind.GATHER, PhaseKind.CLOSING, PhaseKind.LINGER))
_SERVICE: Final = (c.ApplyDue, c.Dismiss, c.Renamed, c.NoteConcern, c.NoteMisses)
_OUTSIDE: Final = (c.SignUp, c.SignOff, c.Enter, *_SERVICE)
"""What needs nobody to be in the meeting."""


def decide(
    meeting: Meeting,
    command: MeetingAction,
    who: MemberId,
    now: Millis,
    *,
    is_moderator: bool = False,
    is_operator: bool = False,
) -> Decided:
    """Answer a command, and carry out what is due before and after it. Moderators may end a meeting, operators may also
    call one off.

    Raises Refusal: MEETING_UNKNOWN to somebody who is nothing to the meeting, DOORS_CLOSED where it is over.
    """
    draft = Draft(meeting, now)
    apply_due(draft)
    if draft.is_forgotten:
        if isinstance(command, _SERVICE):
            return draft.decided()
        raise Refusal(Reason.MEETING_UNKNOWN)
    if not isinstance(command, c.ApplyDue):
        carry_out(draft, command, who, is_moderator=is_moderator, is_operator=is_operator)
        apply_due(draft)
    return _with_voice(draft)


def see(meeting: Meeting, who: MemberId, now: Millis) -> Meeting:
    """Return the meeting after somebody was seen. The store does the same without loading it
    (`meeting_statements.SEE`)."""
    found = meeting.people.get(who)
    if found is None or not found.is_here or not meeting.is_live:
        return meeting
    meeting = replace(
        meeting,
        stood=meeting.stood + standing(meeting, now),
        seen_at=now if meeting.seen_at is None else Millis(max(meeting.seen_at, now)),
    )
    seen_at = Millis(max(found.seen_at, meeting_time(meeting, now)))
    return replace(meeting, people={**meeting.people, who: replace(found, seen_at=seen_at)})


def _with_voice(draft: Draft) -> Decided:
    before, after = draft.before, draft.meeting
    if before.is_live and after.is_live and not draft.is_forgotten:
        voice = phases.voice_of(after)
        if voice != phases.voice_of(before):
            draft.effects.append(SetVoice(meeting=after.id, voice=voice))
    return draft.decided()


def carry_out(draft: Draft, command: MeetingAction, who: MemberId, *, is_moderator: bool, is_operator: bool) -> None:
    """Carry out a command on a draft of which nothing is due. Raises Refusal."""
    is_host = draft.meeting.is_host(who)
    found = draft.find(who)
    # A moderator may end a meeting, and learns that it exists by moderating.
    is_known = found is not None or is_host or (is_moderator and isinstance(command, c.EndMeeting | c.Cancel))
    if draft.rules.is_of_two and found is None and isinstance(command, c.SignUp | c.Enter):
        # Nobody else ever comes in, and nobody learns that there is such a meeting.
        raise Refusal(Reason.MEETING_UNKNOWN)
    if not is_known and not isinstance(command, _OUTSIDE):
        raise Refusal(Reason.MEETING_UNKNOWN)
    match command:
        case c.SignUp():
            seats.sign_up(draft, who, command)
        case c.SignOff():
            seats.sign_off(draft, who)
        case c.Enter():
            seats.enter(draft, who, command)
        case c.Dismiss():
            _dismiss(draft, who)
        case c.NoteMisses(count=count):
            seats.note_misses(draft, who, count)
        case c.Renamed(name=name):
            if found is not None:
                draft.put(replace(found, name=name))
        case c.StepOut():
            if found is not None and found.is_here:
                turns.leave(draft, who)
                draft.take_out(found)
                pairs.leave(draft, who)
        case c.Cancel():
            _require_host(is_host or is_operator)
            _cancel(draft, command.why)
        case c.EndMeeting():
            _require_host(is_host or is_moderator)
            _end(draft, command)
        case c.NoteConcern():
            _note(draft, command, who)
        case c.ApplyDue():
            pass
        case c.Step() | c.CallOn() | c.AddTime() | c.Pause() | c.Aside() | c.SendOut():
            _require_host(is_host)
            _require_live(draft)
            _steer(draft, command, who)
        case _:
            _require_live(draft)
            if found is None or not found.is_here:
                raise Refusal(Reason.NOT_IN_ROOM)
            _take_part(draft, command, found)


def _require_host(is_host: bool) -> None:
    if not is_host:
        raise Refusal(Reason.NOT_ALLOWED)


def _require_live(draft: Draft) -> None:
    if draft.meeting.stage is Stage.ANNOUNCED:
        raise Refusal(Reason.NOT_YET, details={"doors_at": seats.doors_at(draft.meeting)})
    if not draft.meeting.is_live:
        raise Refusal(Reason.DOORS_CLOSED)


# ------------------------------------------------------------------------------------------------ taking part


def _take_part(
    draft: Draft,
    command: c.SitBack | c.Raise | c.Finish | c.Later | c.Pass | c.Choose | c.AnswerAside | c.Spoke,
    who: Attendee,
) -> None:
    match command:
        case c.Spoke():
            if draft.meeting.kind in ROUNDS:
                draft.set(said=draft.meeting.said | {who.member})
        case c.SitBack(on=on):
            seats.sit_back(draft, who, on=on)
        case c.Raise(on=on):
            _raise(draft, who, on=on)
        case c.Finish():
            _finish(draft, who)
        case c.Later():
            _postpone(draft, who)
        case c.Pass(on=on):
            _pass(draft, who, on=on)
        case c.Choose(how=how):
            pairs.choose(draft, who, how)
        case c.AnswerAside(yes=yes):
            asides.answer(draft, who, yes=yes)
        case _:
            assert_never(command)


def _raise(draft: Draft, who: Attendee, *, on: bool) -> None:
    meeting = draft.meeting
    if meeting.kind is not PhaseKind.HANDS:
        raise Refusal(Reason.PHASE_OVER)
    if who.place not in (Place.SEAT, Place.HOST):
        raise Refusal(Reason.NOT_ALLOWED)
    if on and meeting.holder == who.member:
        raise Refusal(Reason.NOT_YOUR_TURN)
    if on and who.member not in meeting.hands:
        draft.set(hands={**meeting.hands, who.member: draft.time})
    elif not on and who.member in meeting.hands:
        draft.set(hands={each: at for each, at in meeting.hands.items() if each != who.member})


def _finish(draft: Draft, who: Attendee) -> None:
    meeting = draft.meeting
    if meeting.kind not in TURNS:
        raise Refusal(Reason.PHASE_OVER)
    if meeting.holder == who.member:
        turns.end(draft, "finished")
    elif who.member not in meeting.had:
        raise Refusal(Reason.NOT_YOUR_TURN)


def _postpone(draft: Draft, who: Attendee) -> None:
    meeting = draft.meeting
    if meeting.kind is not PhaseKind.SHARE:
        raise Refusal(Reason.PHASE_OVER)
    if pairs.is_first_hearing(meeting, who.member):
        raise Refusal(Reason.NOT_ALLOWED)
    if who.member in meeting.postponed:
        return
    if meeting.holder != who.member and who.member not in meeting.order:
        raise Refusal(Reason.NOT_YOUR_TURN)
    rest = meeting.turn.ends_at - draft.time if meeting.turn is not None and meeting.holder == who.member else None
    if rest is not None:
        draft.set(turn=None, left_of={**meeting.left_of, who.member: max(0, rest)})
    order = tuple(each for each in meeting.order if each != who.member)
    draft.set(order=(*order, who.member), postponed=meeting.postponed | {who.member})
    draft.step()


def _pass(draft: Draft, who: Attendee, *, on: bool) -> None:
    meeting, member = draft.meeting, who.member
    if meeting.kind in ROUNDS and on:
        draft.set(said=meeting.said | {member})
        return
    if meeting.kind is not PhaseKind.SHARE:
        raise Refusal(Reason.PHASE_OVER)
    if draft.rules.is_of_two:
        raise Refusal(Reason.NOT_ALLOWED)
    if on is (member in meeting.passed):
        return
    if not on:
        # Back at the end of the order. Its time no longer goes to the open phase.
        draft.set(
            passed=meeting.passed - {member},
            order=(*meeting.order, member),
            saved=max(0, meeting.saved - meeting.left_of[member]),
        )
        draft.step()
        return
    if meeting.holder == member:
        rest = 0 if meeting.turn is None else max(0, meeting.turn.ends_at - draft.time)
        draft.set(turn=None)
        draft.effects.append(c.TurnOver(how="given_back"))
    elif member in meeting.order or member in meeting.aside:
        rest = meeting.left_of.get(member, meeting.allotment)
    else:
        raise Refusal(Reason.NOT_YOUR_TURN)
    draft.set(
        order=tuple(each for each in meeting.order if each != member),
        aside=tuple(each for each in meeting.aside if each != member),
        passed=meeting.passed | {member},
        left_of={**meeting.left_of, member: rest},
        saved=meeting.saved + rest,
    )
    draft.step()


# ------------------------------------------------------------------------------------------------ steering


def _steer(draft: Draft, command: c.Step | c.CallOn | c.AddTime | c.Pause | c.Aside | c.SendOut, who: MemberId) -> None:
    match command:
        case c.Step(seen=seen):
            _step(draft, seen)
        case c.CallOn(member=member):
            _call_on(draft, member)
        case c.AddTime():
            _add_time(draft)
        case c.Pause(on=on):
            _pause(draft, on=on)
        case c.Aside(member=member):
            asides.offer(draft, member)
        case c.SendOut():
            _send_out(draft, command, who)
        case _:
            assert_never(command)


def _step(draft: Draft, seen: int) -> None:
    meeting = draft.meeting
    if seen < meeting.step:
        return
    if meeting.kind is PhaseKind.GATHER and draft.now < meeting.starts_at:
        raise Refusal(Reason.NOT_YET, details={"at": meeting.starts_at})
    if meeting.held_at is not None:
        phases.resume(draft)
    if meeting.turn is not None:
        turns.end(draft, "stepped")
        return
    if meeting.answers_until is not None:
        turns.end_answers(draft)
        return
    following = meeting.phases[meeting.phase + 1].kind if meeting.phase + 1 < len(meeting.phases) else None
    frees_at = meeting.starts_at + SEATS_FREED
    others = [each for each in meeting.people.values() if each.place not in (Place.HOST, Place.FREED)]
    is_awaited = any(not each.is_here and not each.is_out for each in others)
    if following is PhaseKind.SHARE and draft.now < frees_at and is_awaited:
        # Who signed up may still come, and would find the seats closed.
        raise Refusal(Reason.NOT_YET, details={"at": frees_at})
    phases.go_on(draft)


def _call_on(draft: Draft, member: MemberId) -> None:
    meeting = draft.meeting
    if meeting.kind is not PhaseKind.HANDS:
        raise Refusal(Reason.PHASE_OVER)
    if member == meeting.holder:
        return
    if member not in meeting.hands:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    # Before everybody else, whatever they had.
    draft.set(hands={**meeting.hands, member: Millis(0)}, turns={**meeting.turns, member: -1})


def _add_time(draft: Draft) -> None:
    meeting = draft.meeting
    if meeting.kind is not PhaseKind.SHARE:
        raise Refusal(Reason.PHASE_OVER)
    turn = meeting.turn
    to_come = (*meeting.order, *meeting.aside)
    more = ADDED * (len(to_come) + (turn is not None))
    if more == 0 or meeting.added + more > MOST_ADDED:
        raise Refusal(Reason.NO_MORE_TIME)
    draft.set(
        added=meeting.added + more,
        turn=None if turn is None else replace(turn, ends_at=Millis(turn.ends_at + ADDED), is_over=False),
        left_of={
            **meeting.left_of,
            **{each: meeting.left_of.get(each, meeting.allotment) + ADDED for each in to_come},
        },
    )
    draft.step()


def _pause(draft: Draft, *, on: bool) -> None:
    meeting = draft.meeting
    if on is (meeting.held_at is not None):
        return
    if not on:
        phases.resume(draft)
        return
    if meeting.kind in _UNHELD:
        raise Refusal(Reason.PHASE_OVER)
    if meeting.held_for >= HOLD:
        raise Refusal(Reason.NO_MORE_TIME)
    draft.set(held_at=draft.time)
    draft.step()


def _send_out(draft: Draft, command: c.SendOut, who: MemberId) -> None:
    found = draft.find(command.member)
    if found is None:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    if found.place is Place.HOST:
        raise Refusal(Reason.NOT_ALLOWED)
    if found.is_out:
        return
    turns.leave(draft, found.member)
    draft.take_out(found, is_out=True)
    draft.effects.append(
        c.ReportSentOut(meeting=draft.meeting.id, by=who, about=found.member, reason=command.reason, at=draft.now)
    )


def _end(draft: Draft, command: c.EndMeeting) -> None:
    meeting = draft.meeting
    if meeting.stage is Stage.ANNOUNCED:
        raise Refusal(Reason.NOT_YET, details={"doors_at": seats.doors_at(meeting)})
    if not meeting.is_live:
        return
    if command.why == "danger":
        draft.end(Ending.DANGER)
    elif phases.is_closing(meeting) or meeting.kind is PhaseKind.GATHER:
        draft.end(Ending.HOST)
    else:
        phases.go_to_closing(draft)


def _cancel(draft: Draft, why: str) -> None:
    if draft.meeting.stage is Stage.CANCELLED:
        return
    if draft.meeting.stage is not Stage.ANNOUNCED:
        raise Refusal(Reason.PHASE_OVER)
    draft.cancel(why)


def _note(draft: Draft, command: c.NoteConcern, who: MemberId) -> None:
    """Note what screening found, once for each post and category."""
    meeting = draft.meeting
    known = {(each.post, each.category) for each in meeting.notes}
    if meeting.is_live and (command.post, command.category) not in known:
        note = Note(member=who, post=command.post, category=command.category, level=command.level, at=draft.now)
        draft.set(notes=(*meeting.notes, note)[-MOST_NOTES:])


def _dismiss(draft: Draft, who: MemberId) -> None:
    found = draft.find(who)
    if found is not None:
        turns.leave(draft, who)
        draft.take_out(found)
        draft.drop(who)
        pairs.leave(draft, who)
    pairs.forget_who_left(draft, who)
    if draft.meeting.is_host(who):
        draft.set(hosts=tuple(each for each in draft.meeting.hosts if each != who))
    meeting = draft.meeting
    draft.set(
        had=meeting.had - {who},
        said=meeting.said - {who},
        known=meeting.known - {who},
        postponed=meeting.postponed - {who},
        left_of={each: left for each, left in meeting.left_of.items() if each != who},
        turns={each: count for each, count in meeting.turns.items() if each != who},
        notes=tuple(each for each in meeting.notes if each.member != who),
    )
