"""Places in a meeting: who has a seat, who waits for one, and who may come in.

Pure. Who signed up in time and is there five minutes after the beginning has a seat before anybody who did not.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings.commands import Admit, CountMisses, Enter, SignUp
from chatserver.domain.meetings.draft import Draft
from chatserver.domain.meetings.forms import (
    CALLED,
    CALLED_ON_THE_DAY,
    DOORS,
    MISSES,
    ON_THE_DAY,
    SEATS_FREED,
)
from chatserver.domain.meetings.phases import SEATED_UNTIL, is_closing
from chatserver.domain.meetings.state import Attendee, Meeting, PhaseKind, Place, Stage

MOST_WAITING: Final = 50


def doors_at(meeting: Meeting) -> Millis:
    """Return when the doors open, by the wall's clock."""
    return Millis(meeting.starts_at - DOORS)


def are_seats_open(draft: Draft) -> bool:
    """Return whether seats are still given."""
    meeting = draft.meeting
    if meeting.stage is Stage.ANNOUNCED:
        return True
    if draft.rules.is_for_all:
        return meeting.is_live and not is_closing(meeting)
    return meeting.kind in SEATED_UNTIL


def free_seats(meeting: Meeting) -> int:
    """Return how many seats nobody has, and nobody was called for."""
    called = sum(each.called_until is not None for each in meeting.people.values())
    return meeting.seats - len(meeting.at(Place.SEAT)) - called


def is_seat_for(draft: Draft, who: Attendee) -> bool:
    """Return whether there is a seat for somebody, after everybody who waits for one and comes before them."""
    meeting = draft.meeting
    if not are_seats_open(draft):
        return False
    if who.called_until is not None:
        return True
    ahead = [
        each
        for each in meeting.at(Place.WAITING)
        if (each.at, each.member) < (who.at, who.member)
        and each.called_until is None
        and (each.is_here or not meeting.are_seats_freed)
    ]
    return free_seats(meeting) > len(ahead)


def is_place_to_listen(meeting: Meeting) -> bool:
    """Return whether one more may listen. Those who are there and wait for a seat listen, too."""
    listening = [each for each in meeting.at(Place.LISTENER) if not each.is_out]
    waiting = [each for each in meeting.at(Place.WAITING) if each.is_here]
    return len(listening) + len(waiting) < meeting.listeners


# ------------------------------------------------------------------------------------------------ signing up


def sign_up(draft: Draft, who: MemberId, command: SignUp) -> None:
    meeting, found = draft.meeting, draft.find(who)
    if meeting.is_host(who):
        return
    if meeting.stage is not Stage.ANNOUNCED:
        raise Refusal(Reason.PHASE_OVER)
    wanted = Place.LISTENER if command.listens else Place.SEAT
    if found is not None and found.place is wanted:
        return
    if meeting.is_for_known and found is None and not command.is_known:
        raise Refusal(Reason.GROUP_CLOSED)
    asked = _anew(found, who, command.name, draft.now)
    _know(draft, who)
    if command.listens:
        if not is_place_to_listen(meeting):
            raise Refusal(Reason.MEETING_FULL)
        draft.put(replace(asked, place=Place.LISTENER, called_until=None))
    elif is_seat_for(draft, asked):
        draft.put(replace(asked, place=Place.SEAT, called_until=None))
    elif len(meeting.at(Place.WAITING)) >= MOST_WAITING:
        raise Refusal(Reason.MEETING_FULL)
    elif asked is not found or asked.place is not Place.WAITING:
        draft.put(replace(asked, place=Place.WAITING, at=draft.now))


def _know(draft: Draft, who: MemberId) -> None:
    """Remember whom a closed group lets in, so that they may leave and come back, or come late."""
    if draft.meeting.is_for_known:
        draft.set(known=draft.meeting.known | {who})


def _anew(found: Attendee | None, who: MemberId, name: str, now: Millis) -> Attendee:
    """Return somebody who asks for a place, as they are, or at the end of those who wait if they have none."""
    if found is None or found.place is Place.FREED:
        return Attendee(member=who, name=name, place=Place.WAITING, at=now)
    return found


def sign_off(draft: Draft, who: MemberId) -> None:
    found = draft.find(who)
    if found is None or found.place is Place.HOST:
        return
    if found.is_here:
        raise Refusal(Reason.PHASE_OVER)
    draft.drop(who)


# ------------------------------------------------------------------------------------------------ coming in


def enter(draft: Draft, who: MemberId, command: Enter) -> None:
    """Let somebody in."""
    meeting, found = draft.meeting, draft.find(who)
    _require_open_doors(draft, found)
    is_host = meeting.is_host(who)
    if not is_host and command.agreement < meeting.agreement_version:
        details = {"agreement": meeting.agreement, "agreement_version": meeting.agreement_version}
        raise Refusal(Reason.AGREEMENT_REQUIRED, details=details)
    if found is not None and found.is_here:
        return
    if meeting.is_for_known and found is None and not is_host and who not in meeting.known:
        raise Refusal(Reason.GROUP_CLOSED)
    asked = _anew(found, who, command.name, draft.now)
    _know(draft, who)
    place = Place.HOST if is_host else _place_for(draft, asked, command)
    draft.put(replace(asked, name=command.name, place=place, is_here=True, called_until=None))
    draft.keep_clock()
    draft.put(replace(draft.meeting.people[who], seen_at=draft.time))
    shows_all = is_host or (draft.rules.shows_all and (place is Place.SEAT or meeting.kind is PhaseKind.GATHER))
    admitted = Admit(meeting=meeting.id, member=who, sees_from_now=not shows_all, is_host=is_host)
    draft.effects.append(admitted)
    if asked.missed:
        _count_misses(draft, who, 0)


def _require_open_doors(draft: Draft, found: Attendee | None) -> None:
    meeting = draft.meeting
    if meeting.stage is Stage.ANNOUNCED:
        raise Refusal(Reason.NOT_YET, details={"doors_at": doors_at(meeting)})
    if found is not None and found.is_out:
        raise Refusal(Reason.SENT_OUT)
    is_inside = found is not None and found.is_here
    if not meeting.is_live or (is_closing(meeting) and not is_inside):
        raise Refusal(Reason.DOORS_CLOSED)


def _place_for(draft: Draft, asked: Attendee, command: Enter) -> Place:
    meeting = draft.meeting
    if asked.place is Place.SEAT and are_seats_open(draft):
        return Place.SEAT
    if asked.place is Place.LISTENER:
        return Place.LISTENER
    if not command.listens and is_seat_for(draft, asked):
        return Place.SEAT
    if not is_place_to_listen(meeting):
        raise Refusal(Reason.MEETING_FULL)
    return Place.LISTENER if command.listens or not are_seats_open(draft) else Place.WAITING


def sit_back(draft: Draft, who: Attendee, *, on: bool) -> None:
    """Let somebody listen instead of sharing, or the other way."""
    if who.place is Place.HOST:
        raise Refusal(Reason.NOT_ALLOWED)
    if on is (who.place is not Place.SEAT):
        return
    if not are_seats_open(draft) or draft.meeting.kind is PhaseKind.HANDS:
        raise Refusal(Reason.PHASE_OVER)
    if on:
        if not is_place_to_listen(draft.meeting):
            raise Refusal(Reason.MEETING_FULL)
        draft.put(replace(who, place=Place.LISTENER))
        return
    asked = replace(who, place=Place.WAITING, at=who.at if who.place is Place.WAITING else draft.now)
    if not is_seat_for(draft, asked):
        raise Refusal(Reason.MEETING_FULL)
    draft.put(replace(asked, place=Place.SEAT))


# ------------------------------------------------------------------------------------------------ what is due


def call_next(draft: Draft) -> bool:
    """Hold a freed seat for the first who waits, for a time, and then for the next. Return whether anything
    changed."""
    meeting = draft.meeting
    for each in meeting.at(Place.WAITING):
        if each.called_until is not None and each.called_until <= draft.now:
            draft.put(replace(each, called_until=None, at=draft.now))
            return True
    waiting = [each for each in meeting.at(Place.WAITING) if each.called_until is None]
    if not waiting or free_seats(meeting) <= 0:
        return False
    is_on_the_day = meeting.starts_at - draft.now <= ON_THE_DAY
    until = min(draft.now + (CALLED_ON_THE_DAY if is_on_the_day else CALLED), doors_at(meeting))
    draft.put(replace(waiting[0], called_until=Millis(until)))
    return True


def open_waiting(draft: Draft) -> None:
    """Hold no seat for anybody any more: the doors are open, and those who waited come in their order."""
    for each in draft.meeting.at(Place.WAITING):
        if each.called_until is not None:
            draft.put(replace(each, called_until=None))


def is_time_to_free(draft: Draft) -> bool:
    meeting = draft.meeting
    is_late = draft.time >= meeting.starts_at + SEATS_FREED or not are_seats_open(draft)
    return not meeting.are_seats_freed and is_late


def free_the_absent(draft: Draft) -> None:
    """Take the seats of those who did not come."""
    meeting = draft.meeting
    for each in (*meeting.at(Place.SEAT), *meeting.at(Place.LISTENER)):
        if not each.is_here and not each.is_out:
            draft.drop(each.member)
            if each.place is Place.SEAT:
                _count_misses(draft, each.member, each.missed + 1)
    draft.set(are_seats_freed=True)


def _count_misses(draft: Draft, who: MemberId, count: int) -> None:
    meeting = draft.meeting
    if meeting.group is not None:
        draft.effects.append(CountMisses(meeting=meeting.id, group=meeting.group, member=who, count=count))


def note_misses(draft: Draft, who: MemberId, count: int) -> None:
    """Note how many meetings somebody has missed, and free their seat after too many. They find that out where they
    look for their seat."""
    found = draft.find(who)
    if found is None or found.place is not Place.SEAT or draft.meeting.stage is not Stage.ANNOUNCED:
        return
    if count >= MISSES:
        draft.put(replace(found, place=Place.FREED, missed=0))
    else:
        draft.put(replace(found, missed=count))


def seat_the_waiting(draft: Draft) -> bool:
    """Give a free seat to the first who waits for one and is there. Return whether anybody got one."""
    for each in draft.meeting.at(Place.WAITING):
        if each.is_here and is_seat_for(draft, each):
            draft.put(replace(each, place=Place.SEAT))
            draft.step()
            return True
    return False
