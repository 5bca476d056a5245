"""Meetings of two people: how one begins for a pair, what they agree on, and what it means that one leaves.

Pure. Nobody else is ever in such a meeting. Both have the same time; who listens first does not depend on who is
quicker or has the better connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings import phases, turns
from chatserver.domain.meetings.commands import Admit, Decided, OpenRoom
from chatserver.domain.meetings.draft import Draft
from chatserver.domain.meetings.forms import BREATH, FORMS, TWO_GONE
from chatserver.domain.meetings.state import (
    MINUTE,
    Attendee,
    Contract,
    Ending,
    Form,
    Gone,
    Meeting,
    MeetingId,
    Phase,
    PhaseKind,
    Place,
    Stage,
)

_NAME: Final = "Exchange"


def open_pair(
    id_: MeetingId,
    names: Mapping[MemberId, str],
    minutes: int,
    seed: str,
    now: Millis,
    *,
    hears_first: MemberId | None = None,
) -> Decided:
    """Return a meeting that begins now for two people, both of whom are there. Each has `minutes`. Chance (`seed`)
    draws who begins, unless one of them hears the other first."""
    script = tuple(
        Phase(each.kind, 2 * minutes + BREATH // MINUTE if each.kind is PhaseKind.SHARE else each.minutes)
        for each in FORMS[Form.EXCHANGE].phases
    )
    meeting = Meeting(
        id=id_,
        form=Form.EXCHANGE,
        name=_NAME,
        starts_at=now,
        phases=script,
        seats=2,
        listeners=0,
        hosts=(),
        seed=seed,
        stage=Stage.LIVE,
        version=1,
        are_seats_freed=True,
        hears_first=hears_first,
        people={
            member: Attendee(member=member, name=name, place=Place.SEAT, at=now, is_here=True, seen_at=now)
            for member, name in names.items()
        },
    )
    draft = Draft(meeting, now)
    draft.keep_clock()
    phases.go_on(draft)
    draft.effects.append(OpenRoom(meeting=id_, name=_NAME, voice=phases.voice_of(draft.meeting)))
    draft.effects += [Admit(meeting=id_, member=member, sees_from_now=False) for member in names]
    return draft.decided()


def choose(draft: Draft, who: Attendee, how: Contract) -> None:
    """Note what somebody would like from the other. Once both have said it, the first turn begins."""
    meeting = draft.meeting
    if meeting.kind is not PhaseKind.CONTRACT:
        raise Refusal(Reason.PHASE_OVER)
    draft.set(contracts={**meeting.contracts, who.member: how})


def leave(draft: Draft, who: MemberId) -> None:
    """End a meeting that one of the two leaves, and note what was over by then."""
    meeting = draft.meeting
    if not meeting.is_live or not draft.rules.is_of_two:
        return
    if not phases.is_closing(meeting):
        others = [each for each in meeting.people if each != who]
        draft.set(
            gone=Gone(
                member=who, had_turn=who in meeting.had, other_had_turn=any(each in meeting.had for each in others)
            )
        )
    draft.end(Ending.LEFT)


def is_first_hearing(meeting: Meeting, who: MemberId) -> bool:
    """Return whether the other of the two hears first in any case, so that somebody may not give them the first
    turn."""
    return meeting.hears_first is not None and meeting.hears_first != who


def is_waited_for(draft: Draft) -> bool:
    """Return whether one of two people has lost the connection before their turn was over. It is kept for them."""
    return draft.rules.is_of_two and bool(draft.meeting.order or draft.meeting.aside)


def leave_the_lost(draft: Draft) -> bool:
    """End a meeting of which one of the two was not seen for long, as if they had left. Return whether that is so."""
    if not draft.rules.is_of_two:
        return False
    lost = [each for each in draft.meeting.here() if draft.time - each.seen_at >= TWO_GONE]
    if not lost:
        return False
    # Where neither is seen the clock stands still, so one of them is seen.
    gone = min(lost, key=lambda each: (each.seen_at, each.member))
    turns.leave(draft, gone.member)
    draft.take_out(gone)
    leave(draft, gone.member)
    return True


def forget_who_left(draft: Draft, who: MemberId) -> None:
    """Forget what was noted about somebody who is erased."""
    meeting = draft.meeting
    gone = meeting.gone
    draft.set(
        contracts={each: how for each, how in meeting.contracts.items() if each != who},
        hears_first=None if meeting.hears_first == who else meeting.hears_first,
        gone=replace(gone, member=MemberId("")) if gone is not None and gone.member == who else gone,
    )
