"""What somebody is shown of a meeting, and of the groups that meet.

Nobody is shown another member's id: people in a meeting have ids of its room.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.meetings import seats, turns
from chatserver.domain.meetings.decide import may
from chatserver.domain.meetings.draft import Draft
from chatserver.domain.meetings.forms import LOST, SEATS_FREED, planned
from chatserver.domain.meetings.state import (
    MINUTE,
    REACH,
    Attendee,
    Meeting,
    Phase,
    PhaseKind,
    Place,
    Stage,
    is_seen,
    meeting_time,
    room_of_meeting,
    wall_time,
)
from chatserver.domain.rooms.aliases import Aliases
from chatserver.protocol.meetings.views import DateView, GroupCard, MeetingPerson, MeetingView, PhaseView, TurnView
from chatserver.store.meeting_records import GroupWithMeetings


def concerns(meeting: Meeting, member: MemberId) -> bool:
    """Return whether somebody signed up for a meeting, hosts it, or is in it."""
    return member in meeting.people or meeting.is_host(member)


def what_changes(meeting: Meeting, now: Millis) -> tuple[object, ...]:
    """Return something that is different whenever any view of a meeting may be."""
    time = meeting_time(meeting, now)
    lost = frozenset(each.member for each in meeting.here() if not is_seen(meeting, each, time))
    is_host_lost = meeting.is_live and Draft(meeting, now).is_host_lost(LOST)
    gates = (now >= meeting.starts_at, now >= meeting.starts_at + SEATS_FREED)
    return meeting.version, meeting.stood, lost, is_host_lost, gates


def view_of(
    meeting: Meeting, member: MemberId, now: Millis, aliases: Aliases, *, is_moderator: bool = False
) -> MeetingView:
    """Return a meeting as one person sees it; `version` is the caller's."""
    room = room_of_meeting(meeting.id)

    def alias(who: MemberId) -> MemberId:
        return aliases.in_room(room, who, 0)

    found = meeting.people.get(member)
    is_inside = (found is not None and found.is_here) or meeting.is_host(member)
    view = MeetingView(
        id=meeting.id,
        room=room,
        group=meeting.group or "",  # type: ignore[arg-type]
        name=meeting.name,
        form=meeting.form,
        stage=meeting.stage,
        starts_at=meeting.starts_at,
        doors_at=seats.doors_at(meeting),
        me=alias(member),
        may=tuple(may(meeting, member, now, is_moderator=is_moderator)),
        phases=_phases(meeting.phases),
        seats=meeting.seats,
        free=max(0, seats.free_seats(meeting)),
        place=None if found is None else found.place,
        here=found is not None and found.is_here,
        phase=meeting.phase,
        step=meeting.step,
        held=meeting.held_at is not None,
        called_until=None if found is None else found.called_until,
        script=meeting.script if meeting.is_host(member) else (),
        ending=meeting.ending,
        why=meeting.why,
        forget_at=meeting.forget_at,
    )
    if not meeting.is_live:
        return view
    view = replace(
        view,
        phase_since=wall_time(meeting, meeting.phase_since),
        phase_until=None if meeting.phase_until is None else wall_time(meeting, meeting.phase_until),
        host_lost=Draft(meeting, now).is_host_lost(LOST),
    )
    if not is_inside:
        return view
    time = meeting_time(meeting, now)
    turn = meeting.turn
    return replace(
        view,
        people=tuple(_person(meeting, each, alias(each.member), time) for each in _in_order(meeting.here())),
        turn=None
        if turn is None
        else TurnView(
            holder=alias(turn.holder),
            since=wall_time(meeting, turn.since),
            ends_at=wall_time(meeting, turn.ends_at),
            over=turn.is_over,
        ),
        order=tuple(map(alias, meeting.order)),
        allotment=meeting.allotment / 1000 if meeting.kind is PhaseKind.SHARE else 0.0,
        passed=tuple(sorted(map(alias, meeting.passed))) if meeting.kind is PhaseKind.SHARE else (),
        aside=tuple(map(alias, meeting.aside)),
        hands=tuple(map(alias, turns.hands_in_order(meeting))),
    )


def _phases(script: Iterable[Phase]) -> tuple[PhaseView, ...]:
    return tuple(PhaseView(kind=each.kind, minutes=each.minutes) for each in script)


def _in_order(people: Iterable[Attendee]) -> list[Attendee]:
    places = [*Place]
    return sorted(people, key=lambda each: (places.index(each.place), each.at, each.member))


def _person(meeting: Meeting, who: Attendee, alias: MemberId, time: Millis) -> MeetingPerson:
    return MeetingPerson(
        id=alias,
        name=who.name,
        place=who.place,
        lost=not is_seen(meeting, who, time, REACH),
        hand=who.member in meeting.hands,
    )


def card_of(found: GroupWithMeetings, member: MemberId, names: Mapping[MemberId, str]) -> GroupCard:
    """Return a group as one person sees it before they are in a meeting: numbers, and no names. `names` are those of
    the hosts, where the person is one of them."""
    group, is_mine = found.group, member in found.group.hosts
    return GroupCard(
        id=group.id,
        name=group.name,
        about=group.about,
        form=group.form,
        language=group.language,
        agreement=group.agreement,
        agreement_version=group.agreement_version,
        minutes=planned(group.phases) // MINUTE,
        dates=tuple(_date(each, member) for each in found.meetings),
        phases=_phases(group.phases),
        seats=group.seats,
        theme=group.theme,
        mine=is_mine,
        script=group.script if is_mine else (),
        hosts=tuple(Person(each, names[each]) for each in group.hosts if each in names) if is_mine else (),
        revision=group.revision if is_mine else None,
        ended_at=group.ended_at,
    )


def _date(meeting: Meeting, member: MemberId) -> DateView:
    found = meeting.people.get(member)
    return DateView(
        id=meeting.id,
        starts_at=meeting.starts_at,
        doors_at=seats.doors_at(meeting),
        stage=meeting.stage,
        seats=meeting.seats,
        free=max(0, seats.free_seats(meeting)),
        waiting=len(meeting.at(Place.WAITING)) if meeting.stage is Stage.ANNOUNCED else 0,
        place=None if found is None else found.place,
        called_until=None if found is None else found.called_until,
    )
