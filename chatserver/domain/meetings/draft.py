"""A meeting while something is decided about it: what is changed, and what follows outside."""

from __future__ import annotations

from msgspec.structs import replace

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings import forms
from chatserver.domain.meetings.commands import (
    CloseRoom,
    Decided,
    DropMeeting,
    Expel,
    MeetingEffect,
    MeetingOver,
)
from chatserver.domain.meetings.forms import FORMS, FormRules
from chatserver.domain.meetings.state import (
    REACH,
    Attendee,
    Ending,
    Meeting,
    Place,
    Stage,
    is_seen,
    meeting_time,
    standing,
)


class Draft:
    """The meeting as it is so far. `now` is the time by the wall's clock, `time` by the meeting's."""

    def __init__(self, meeting: Meeting, now: Millis) -> None:
        self.before = self.meeting = meeting
        self.now = now
        self.effects: list[MeetingEffect] = []
        self.is_forgotten = False

    @property
    def time(self) -> Millis:
        return meeting_time(self.meeting, self.now)

    @property
    def rules(self) -> FormRules:
        return FORMS[self.meeting.form]

    def set(self, **fields: object) -> None:
        self.meeting = replace(self.meeting, **fields)

    def put(self, attendee: Attendee) -> None:
        self.set(people={**self.meeting.people, attendee.member: attendee})

    def drop(self, member: MemberId) -> None:
        self.set(people={id_: each for id_, each in self.meeting.people.items() if id_ != member})

    def find(self, member: MemberId) -> Attendee | None:
        return self.meeting.people.get(member)

    def inside(self, member: MemberId) -> Attendee | None:
        """Return somebody who is in the meeting."""
        found = self.find(member)
        return found if found is not None and found.is_here else None

    def is_seen(self, member: MemberId, within: int = REACH) -> bool:
        """Return whether somebody is in the meeting and has not lost the connection."""
        found = self.find(member)
        return found is not None and is_seen(self.meeting, found, self.time, within)

    def keep_clock(self) -> None:
        """Let the clock run on after somebody came or went."""
        meeting = self.meeting
        is_anybody_here = any(each.is_here for each in meeting.people.values())
        stood = meeting.stood + standing(meeting, self.now)
        self.set(stood=stood, seen_at=self.now if is_anybody_here else None)

    def step(self) -> None:
        self.set(step=self.meeting.step + 1)

    # ------------------------------------------------------------------------------------------ hosts

    def host_seen_at(self) -> Millis | None:
        """Return when a host was last seen in the meeting; None if there was none."""
        seen = [each.seen_at for each in self.meeting.at(Place.HOST) if each.is_here]
        if self.meeting.host_seen_at is not None:
            seen.append(self.meeting.host_seen_at)
        return max(seen, default=None)

    def is_host_lost(self, within: int) -> bool:
        """Return whether no host was in the meeting for so long."""
        seen_at = self.host_seen_at()
        return seen_at is None or self.time - seen_at >= within

    # ------------------------------------------------------------------------------------------ people go

    def take_out(self, who: Attendee, *, is_out: bool = False) -> None:
        """Take somebody out of the meeting. Their turn is the caller's."""
        meeting = self.meeting
        if who.place is Place.HOST and who.is_here:
            self.set(host_seen_at=self.time)
        if is_out:
            gone = replace(who, is_here=False, is_out=True, place=Place.LISTENER, called_until=None, offered_until=None)
            self.put(gone)
        elif who.place is Place.HOST:
            self.put(replace(who, is_here=False))
        else:
            self.drop(who.member)
        self.set(
            order=tuple(each for each in meeting.order if each != who.member),
            aside=tuple(each for each in meeting.aside if each != who.member),
            hands={each: at for each, at in meeting.hands.items() if each != who.member},
            passed=meeting.passed - {who.member},
        )
        if who.is_here:
            self.effects.append(Expel(meeting=meeting.id, member=who.member))
            self.keep_clock()

    # ------------------------------------------------------------------------------------------ the end

    def end(self, ending: Ending) -> None:
        """End the meeting. What was written is kept for a time."""
        meeting = self.meeting
        used = [each.member for each in meeting.at(Place.SEAT) if each.is_here]
        shared = sum(meeting.turns.get(each, 0) > 0 for each in used)
        self.effects.append(
            MeetingOver(form=meeting.form, ending=ending, offered=meeting.seats, used=len(used), shared=shared)
        )
        self.set(
            stage=Stage.ENDED,
            ending=ending,
            ended_at=self.now,
            forget_at=self.now + self.rules.keep,
            turn=None,
            answers_until=None,
            phase_until=None,
            held_at=None,
            seen_at=None,
        )
        self.step()
        self.effects.append(CloseRoom(meeting=self.meeting.id))

    def cancel(self, why: str) -> None:
        forget_at = max(self.now, self.meeting.starts_at) + forms.CANCELLED_KEPT
        self.set(stage=Stage.CANCELLED, why=why, ended_at=self.now, forget_at=forget_at)
        self.step()

    def forget(self) -> None:
        self.is_forgotten = True
        self.effects.append(DropMeeting(meeting=self.meeting.id))

    def decided(self) -> Decided:
        if self.is_forgotten:
            return Decided(meeting=None, effects=tuple(self.effects))
        return Decided(meeting=self.meeting, effects=tuple(self.effects))
