"""What somebody is shown of a meeting, and of the groups that meet.

Nobody is shown another member's id: people in a meeting have ids of its room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import NamedTuple, cast

from msgspec.structs import replace

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.meetings import seats, turns
from chatserver.domain.meetings.draft import Draft
from chatserver.domain.meetings.forms import LOST, SEATS_FREED
from chatserver.domain.meetings.options import Options
from chatserver.domain.meetings.state import (
    MINUTE,
    REACH,
    Attendee,
    Meeting,
    Phase,
    PhaseKind,
    Place,
    Stage,
    backstage_of,
    is_seen,
    meeting_time,
    room_of_meeting,
    wall_time,
)
from chatserver.domain.rooms.aliases import Aliases
from chatserver.protocol.meetings.views import (
    ConcernView,
    DateView,
    GroupCard,
    MeetingPerson,
    MeetingView,
    PhaseView,
    PlaceWord,
    TurnView,
)
from chatserver.store.meeting_records import GroupWithMeetings


def concerns(meeting: Meeting, member: MemberId) -> bool:
    """Return whether somebody signed up for a meeting, hosts it, or is in it."""
    return member in meeting.people or meeting.is_host(member)


def what_changes(meeting: Meeting, now: Millis, referrable: frozenset[MemberId]) -> tuple[object, ...]:
    """Return something that is different whenever any view of a meeting may be. `referrable` are those whom the queue
    would take first."""
    time = meeting_time(meeting, now)
    lost = frozenset(each.member for each in meeting.here() if not is_seen(meeting, each, time))
    is_host_lost = meeting.is_live and Draft(meeting, now).is_host_lost(LOST)
    gates = (now >= meeting.starts_at, now >= meeting.starts_at + SEATS_FREED)
    return meeting.version, meeting.stood, lost, is_host_lost, gates, referrable


class Viewer(NamedTuple):
    """Somebody who is shown a meeting, and what their role lets them do in every meeting."""

    member: MemberId
    is_moderator: bool = False
    is_operator: bool = False


class MeetingViews:
    """A meeting as people see it at one moment: what is the same for all of them is made once."""

    def __init__(self, meeting: Meeting, now: Millis, aliases: Aliases, may_refer: Callable[[MemberId], bool]) -> None:
        """`may_refer` says whether the queue of listeners would take somebody first, if a host offered it."""
        self._meeting = meeting
        self._now = now
        self._time = meeting_time(meeting, now)
        self._room = room_of_meeting(meeting.id)
        self._aliases = aliases
        self._known: dict[MemberId, MemberId] = {}
        self._options = Options(meeting, now, may_refer)

    def of(self, viewer: Viewer) -> MeetingView:
        """Return the meeting as one person sees it; `version` is the caller's."""
        meeting, member = self._meeting, viewer.member
        found, is_host = meeting.people.get(member), meeting.is_host(member)
        is_inside = (found is not None and found.is_here) or is_host
        view = self._of_hosts if is_host and meeting.is_live else self._of_inside if is_inside else self._of_all
        offered_until = None if found is None or not meeting.is_live else found.offered_until
        return replace(
            view,
            me=self._alias(member),
            may=tuple(self._options.of(member, is_moderator=viewer.is_moderator, is_operator=viewer.is_operator)),
            place=_word(found),
            here=found is not None and found.is_here,
            called_until=None if found is None else found.called_until,
            offered_until=None if offered_until is None else wall_time(meeting, offered_until),
            script=meeting.script if is_host else (),
        )

    def _alias(self, who: MemberId) -> MemberId:
        alias = self._known.get(who)
        if alias is None:
            alias = self._known[who] = self._aliases.in_room(self._room, who, 0)
        return alias

    @cached_property
    def _of_all(self) -> MeetingView:
        """What everybody sees whom the meeting concerns."""
        meeting = self._meeting
        view = MeetingView(
            id=meeting.id,
            room=self._room,
            group=meeting.group or "",  # type: ignore[arg-type]
            name=meeting.name,
            form=meeting.form,
            stage=meeting.stage,
            starts_at=meeting.starts_at,
            doors_at=seats.doors_at(meeting),
            me=MemberId(""),
            may=(),
            phases=_phases(meeting.phases),
            seats=meeting.seats,
            free=max(0, seats.free_seats(meeting)),
            phase=meeting.phase,
            step=meeting.step,
            held=meeting.held_at is not None,
            no_crosstalk=meeting.no_crosstalk,
            ending=meeting.ending,
            why=meeting.why,
            forget_at=meeting.forget_at,
        )
        if not meeting.is_live:
            return view
        return replace(
            view,
            phase_since=wall_time(meeting, meeting.phase_since),
            phase_until=self._wall(meeting.phase_until),
            answers_until=self._wall(meeting.answers_until),
            host_lost=Draft(meeting, self._now).is_host_lost(LOST),
        )

    @cached_property
    def _of_inside(self) -> MeetingView:
        """What those see who are in the meeting."""
        meeting, alias, turn = self._meeting, self._alias, self._meeting.turn
        if not meeting.is_live:
            return self._of_all
        is_share = meeting.kind is PhaseKind.SHARE
        return replace(
            self._of_all,
            people=tuple(self._person(each) for each in _in_order(meeting.here())),
            turn=None
            if turn is None
            else TurnView(
                holder=alias(turn.holder),
                since=wall_time(meeting, turn.since),
                ends_at=wall_time(meeting, turn.ends_at),
                over=turn.is_over,
            ),
            order=tuple(map(alias, meeting.order)),
            allotment=meeting.allotment / 1000 if is_share else 0.0,
            passed=tuple(sorted(map(alias, meeting.passed))) if is_share else (),
            aside=tuple(map(alias, meeting.aside)),
            contracts={alias(each): how for each, how in meeting.contracts.items()},
            hands=tuple(map(alias, turns.hands_in_order(meeting))),
        )

    @cached_property
    def _of_hosts(self) -> MeetingView:
        """What hosts see of a live meeting besides."""
        meeting, inside = self._meeting, self._of_inside
        offered = {self._alias(each.member) for each in meeting.here() if each.offered_until is not None}
        return replace(
            inside,
            people=tuple(replace(each, offered=each.id in offered) for each in inside.people)
            if offered
            else inside.people,
            notes=tuple(
                ConcernView(
                    member=self._alias(each.member),
                    offset=each.post,
                    category=each.category,
                    level=each.level,
                    at=each.at,
                )
                for each in meeting.notes
            ),
            backstage=backstage_of(meeting.id) if meeting.has_backstage else None,
        )

    def _wall(self, at: Millis | None) -> Millis | None:
        return None if at is None else wall_time(self._meeting, at)

    def _person(self, who: Attendee) -> MeetingPerson:
        return MeetingPerson(
            id=self._alias(who.member),
            name=who.name,
            place=_word(who) or "listener",
            lost=not is_seen(self._meeting, who, self._time, REACH),
            hand=who.member in self._meeting.hands,
        )


def _phases(script: Iterable[Phase]) -> tuple[PhaseView, ...]:
    return tuple(PhaseView(kind=each.kind, minutes=each.minutes) for each in script)


def _in_order(people: Iterable[Attendee]) -> list[Attendee]:
    places = [*Place]
    return sorted(people, key=lambda each: (places.index(each.place), each.at, each.member))


def card_of(found: GroupWithMeetings, viewer: Viewer, names: Mapping[MemberId, str]) -> GroupCard:
    """Return a group as one person sees it before they are in a meeting: numbers, and no names. `names` are those of
    the hosts, where the person is one of them."""
    group, member = found.group, viewer.member
    is_mine = member in group.hosts
    is_shown_all = is_mine or viewer.is_operator
    is_new = not is_known(found, member)
    return GroupCard(
        id=group.id,
        name=group.name,
        about=group.about,
        form=group.form,
        language=group.language,
        agreement=group.agreement,
        agreement_version=group.agreement_version,
        minutes=group.length // MINUTE,
        dates=tuple(_date(each, member, is_new=is_new) for each in found.meetings),
        phases=_phases(group.phases),
        seats=group.seats,
        theme=group.theme,
        mine=is_mine,
        no_crosstalk=group.no_crosstalk,
        closed_after=group.closed_after,
        script=group.script if is_shown_all else (),
        hosts=tuple(Person(each, names[each]) for each in group.hosts if each in names) if is_mine else (),
        revision=group.revision if is_shown_all else None,
        ended_at=group.ended_at,
    )


def _word(who: Attendee | None) -> PlaceWord | None:
    """Return what part somebody has, on the wire."""
    return None if who is None or who.place is Place.FREED else cast("PlaceWord", who.place.value)


def is_known(found: GroupWithMeetings, member: MemberId) -> bool:
    """Return whether somebody has a place in any of a group's meetings, or hosts it."""
    return member in found.group.hosts or any(member in each.people for each in found.meetings)


def _date(meeting: Meeting, member: MemberId, *, is_new: bool) -> DateView:
    found = meeting.people.get(member)
    return DateView(
        id=meeting.id,
        starts_at=meeting.starts_at,
        doors_at=seats.doors_at(meeting),
        stage=meeting.stage,
        seats=meeting.seats,
        free=max(0, seats.free_seats(meeting)),
        waiting=len(meeting.at(Place.WAITING)) if meeting.stage is Stage.ANNOUNCED else 0,
        place=_word(found),
        called_until=None if found is None else found.called_until,
        freed=found is not None and found.place is Place.FREED,
        closed=is_new and meeting.is_for_known,
    )
