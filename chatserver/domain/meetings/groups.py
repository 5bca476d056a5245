"""Groups: what facilitators open, and what their meetings are planned from.

Pure: times and ids arrive as arguments.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, NewType

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings.forms import FORMS, LONGEST, ONE_HOST_SEATS, SHORTEST, planned
from chatserver.domain.meetings.state import HOUR, MINUTE, Attendee, Form, Meeting, MeetingId, Phase, PhaseKind, Place
from chatserver.domain.text.cleaning import clean_text, has_visible

GroupId = NewType("GroupId", str)
"""`g-` and 16 random characters."""

NAME_LENGTH: Final = 40
ABOUT_LENGTH: Final = 200
AGREEMENT_LENGTH: Final = 2_000
LINE_LENGTH: Final = 500
WHY_LENGTH: Final = 200
MOST_LINES: Final = 40
MOST_COHOSTS: Final = 3
MOST_DATES: Final = 26
"""How many meetings of a group may be ahead."""
MOST_SIGN_UPS: Final = 10
"""For how many meetings ahead one member may sign up."""
FARTHEST: Final = 366 * 24 * HOUR
HOSTS_REST: Final = 60 * MINUTE
"""Milliseconds between the planned end of a host's meeting and the beginning of the next."""
HOSTS_DAY: Final = 2
"""Meetings that one person may host within 24 hours."""
MOST_AT_ONCE: Final = 200
"""Meetings of an installation that may be planned for the same time."""
_DAY: Final = 24 * HOUR


class GroupEdit(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be different in a group; None is as it is."""

    name: str | None = None
    about: str | None = None
    theme: str | None = None
    language: str | None = None
    agreement: str | None = None
    script: tuple[str, ...] | None = None
    seats: int | None = None
    minutes: dict[PhaseKind, int] | None = None
    cohosts: tuple[MemberId, ...] | None = None
    no_crosstalk: bool | None = None
    closed_after: int | None = None


class Group(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A circle of people that meets. `owner` is the facilitator who opened it; `cohosts` steer its meetings, too.
    `minutes` are the lengths of phases that differ from the form's. A changed `agreement` has a later version, which
    everybody accepts anew. With `no_crosstalk` nobody answers after a share. After as many meetings as `closed_after`
    (0: never) the group takes nobody new. `planned` counts its meetings so far. `revision` rises with every change."""

    id: GroupId
    owner: MemberId
    form: Form
    name: str
    about: str
    theme: str = ""
    language: str = "en"
    agreement: str = ""
    agreement_version: int = 1
    script: tuple[str, ...] = ()
    seats: int = 0
    minutes: dict[PhaseKind, int] = {}
    cohosts: tuple[MemberId, ...] = ()
    no_crosstalk: bool = False
    closed_after: int = 0
    planned: int = 0
    revision: int = 1
    ended_at: Millis | None = None

    @property
    def hosts(self) -> tuple[MemberId, ...]:
        return (self.owner, *self.cohosts)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Return the script of its meetings."""
        phases = FORMS[self.form].phases
        return tuple(Phase(each.kind, self.minutes.get(each.kind, each.minutes)) for each in phases)

    @property
    def places(self) -> int:
        """Return how many seats its meetings have."""
        return self.places_with(len(self.hosts))

    def places_with(self, hosts: int) -> int:
        """Return how many seats a meeting with so many hosts has: one holds together only so many people's turns."""
        return min(self.seats, ONE_HOST_SEATS) if FORMS[self.form].needs_host and hosts <= 1 else self.seats

    @property
    def length(self) -> int:
        """Return how long its meetings are planned to take, in milliseconds."""
        return planned(self.phases, 0 if self.no_crosstalk else self.places)

    def is_for_known(self, number: int) -> bool:
        """Return whether nobody new may come to its so-manieth meeting."""
        return 0 < self.closed_after < number


def open_group(id_: GroupId, owner: MemberId, form: Form, edit: GroupEdit) -> Group:
    """Return a new group. Raises TEXT_EMPTY, TEXT_TOO_LONG or INVALID."""
    if FORMS[form].is_of_two:
        raise _invalid("$.form", "not a form of groups")
    group = Group(id=id_, owner=owner, form=form, name="", about="", seats=FORMS[form].seats)
    named = msgspec.structs.replace(edit, name=edit.name or "", about=edit.about or "")
    return msgspec.structs.replace(_edited(group, named), revision=1, agreement_version=1)


def change_group(group: Group, seen: int, edit: GroupEdit) -> Group:
    """Return a group after a change by somebody who had `seen` that revision; the very same if nothing is different.
    Raises GROUP_ENDED, GROUP_CHANGED with the present `revision`, and as `open_group`."""
    require_going_on(group)
    if seen != group.revision:
        raise Refusal(Reason.GROUP_CHANGED, details={"revision": group.revision})
    changed = _edited(group, edit)
    return group if msgspec.structs.replace(changed, revision=group.revision) == group else changed


def require_going_on(group: Group) -> None:
    """Raise GROUP_ENDED if a group was ended."""
    if group.ended_at is not None:
        raise Refusal(Reason.GROUP_ENDED)


def _edited(group: Group, edit: GroupEdit) -> Group:
    fields: dict[str, Any] = {}
    if edit.name is not None:
        fields["name"] = _required(edit.name, NAME_LENGTH)
    if edit.about is not None:
        fields["about"] = _required(edit.about, ABOUT_LENGTH)
    if edit.theme is not None:
        fields["theme"] = edit.theme
    if edit.language is not None:
        fields["language"] = edit.language
    if edit.agreement is not None and (agreement := within(edit.agreement, AGREEMENT_LENGTH)) != group.agreement:
        fields |= {"agreement": agreement, "agreement_version": group.agreement_version + 1}
    if edit.script is not None:
        if len(edit.script) > MOST_LINES:
            raise _invalid("$.script", f"at most {MOST_LINES} lines")
        fields["script"] = tuple(within(line, LINE_LENGTH) for line in edit.script)
    if edit.minutes is not None:
        kinds = {phase.kind for phase in FORMS[group.form].phases}
        for kind, minutes in edit.minutes.items():
            if kind not in kinds or not SHORTEST <= minutes <= LONGEST:
                raise _invalid("$.minutes", f"phases of the form, each from {SHORTEST} to {LONGEST}")
        fields["minutes"] = dict(edit.minutes)
    if edit.cohosts is not None:
        cohosts = tuple(dict.fromkeys(each for each in edit.cohosts if each != group.owner))
        if len(cohosts) > MOST_COHOSTS:
            raise _invalid("$.cohosts", f"at most {MOST_COHOSTS}")
        fields["cohosts"] = cohosts
    if edit.no_crosstalk is not None:
        fields["no_crosstalk"] = edit.no_crosstalk
    if edit.closed_after is not None:
        fields["closed_after"] = edit.closed_after
    if edit.seats is not None:
        if not 1 <= edit.seats <= FORMS[group.form].most_seats:
            raise _invalid("$.seats", f"from 1 to {FORMS[group.form].most_seats}")
        fields["seats"] = edit.seats
    return msgspec.structs.replace(group, revision=group.revision + 1, **fields)


# ------------------------------------------------------------------------------------------------ dates


def plan(
    group: Group, dates: Sequence[Millis], ids: Sequence[MeetingId], seeds: Sequence[str], others: Collection[Meeting],
    names: dict[MemberId, str], now: Millis,
) -> list[Meeting]:  # fmt: skip
    """Return the meetings of a group at these dates, each with an id and a seed. `others` are the meetings of any of
    its hosts that are ahead, live, or have just ended, and `names` the names of the hosts.

    Raises GROUP_ENDED, and INVALID for a date that has passed or is too far away, too many dates, and dates at which a
    host has another meeting, had one within the hour, or has two within 24 hours already.
    """
    require_going_on(group)
    ahead = sum(each.group == group.id and each.is_ahead for each in others)
    if not dates or len(dates) + ahead > MOST_DATES:
        raise _invalid("$.dates", f"from 1 to {MOST_DATES} ahead")
    theirs = {host: [_span(each) for each in others if host in each.hosts] for host in group.hosts}
    found: list[Meeting] = []
    for date, id_, seed in zip(sorted(dates), ids, seeds, strict=True):
        if not now < date <= now + FARTHEST:
            raise _invalid("$.dates", "in the coming year")
        for taken in theirs.values():
            _require_rested(date, group.length, taken)
            taken.append((date, Millis(date + group.length)))
        number = group.planned + len(found) + 1
        found.append(_meeting(group, date, id_, seed, names, number, now))
    return found


def _span(meeting: Meeting) -> tuple[Millis, Millis]:
    """Return when a meeting begins, and when it ends as far as is known."""
    end = meeting.starts_at + length_of(meeting) if meeting.ended_at is None else meeting.ended_at
    return meeting.starts_at, Millis(end)


def length_of(meeting: Meeting) -> int:
    """Return how long a meeting is planned to take, in milliseconds."""
    return planned(meeting.phases, 0 if meeting.no_crosstalk else meeting.seats)


def _require_rested(date: Millis, length: int, taken: Collection[tuple[Millis, Millis]]) -> None:
    """Raise INVALID for a date at which a host would have no rest."""
    if any(date < end + HOSTS_REST and start < date + length + HOSTS_REST for start, end in taken):
        raise _invalid("$.dates", "an hour after a host's last meeting, and before the next")
    starts = sorted([date, *(start for start, _ in taken)])
    if any(last - first < _DAY for first, last in zip(starts, starts[HOSTS_DAY:], strict=False)):
        raise _invalid("$.dates", f"at most {HOSTS_DAY} meetings of one host within 24 hours")


def _meeting(
    group: Group, date: Millis, id_: MeetingId, seed: str, names: dict[MemberId, str], number: int, now: Millis
) -> Meeting:
    rules = FORMS[group.form]
    hosts = {each: Attendee(member=each, name=names[each], place=Place.HOST, at=now) for each in group.hosts}
    return Meeting(
        id=id_,
        form=group.form,
        name=group.name,
        starts_at=date,
        phases=group.phases,
        seats=group.places,
        listeners=rules.listeners,
        hosts=group.hosts,
        seed=seed,
        group=group.id,
        agreement=group.agreement,
        agreement_version=group.agreement_version,
        script=group.script,
        no_crosstalk=group.no_crosstalk,
        is_for_known=group.is_for_known(number),
        number=number,
        people=hosts,
    )


def updated(meeting: Meeting, group: Group) -> Meeting:
    """Return a meeting that was only announced as its group is now. Nobody loses a seat by fewer seats. A former host
    of the group does not host the meeting any more; a new one hosts those that are planned from now on."""
    hosts = tuple(each for each in meeting.hosts if each in group.hosts)
    former = {*meeting.hosts} - {*hosts}
    return msgspec.structs.replace(
        meeting,
        name=group.name,
        phases=group.phases,
        seats=max(group.places_with(len(hosts)), len(meeting.at(Place.SEAT))),
        hosts=hosts,
        people={member: each for member, each in meeting.people.items() if member not in former},
        agreement=group.agreement,
        agreement_version=group.agreement_version,
        script=group.script,
        no_crosstalk=group.no_crosstalk,
        is_for_known=group.is_for_known(meeting.number),
    )


def _required(text: str, limit: int) -> str:
    text = within(text, limit)
    if not has_visible(text):
        raise Refusal(Reason.TEXT_EMPTY)
    return text


def within(text: str, limit: int) -> str:
    """Return a text as it is stored. Raises TEXT_TOO_LONG."""
    if len(text) <= 3 * limit and len(cleaned := clean_text(text)) <= limit:
        return cleaned
    raise Refusal(Reason.TEXT_TOO_LONG, details={"limit": limit})


def _invalid(field: str, problem: str) -> Refusal:
    return Refusal(Reason.INVALID, details={"field": field, "problem": problem})
