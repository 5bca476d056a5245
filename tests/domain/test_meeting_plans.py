"""Planning the meetings of a group: the rest of hosts, how many seats one host holds together, and who is new."""

from __future__ import annotations

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.meetings import groups
from chatserver.domain.meetings.groups import Group, GroupEdit, GroupId
from chatserver.domain.meetings.state import HOUR, MINUTE, Form, Meeting, MeetingId, Stage
from tests.domain.meeting_kit import HOST, SECOND_HOST, START

NAMES = {HOST: "Host", SECOND_HOST: "Second"}


def group(form: Form = Form.HANDS, **edit: object) -> Group:
    return groups.open_group(GroupId("g-1"), HOST, form, GroupEdit(name="Round", about="Us.", **edit))  # type: ignore[arg-type]


def plan(of: Group, *dates: int, others: tuple[Meeting, ...] = ()) -> list[Meeting]:
    ids = [MeetingId(f"m--{of.id}{date}") for date in dates]
    return groups.plan(of, [Millis(date) for date in dates], ids, ["s"] * len(dates), others, NAMES, START)


def refusal(of: Group, *dates: int, others: tuple[Meeting, ...] = ()) -> object:
    with pytest.raises(Refusal) as refused:
        plan(of, *dates, others=others)
    assert refused.value.reason is Reason.INVALID
    assert refused.value.details is not None
    return refused.value.details["problem"]


def test_nobody_hosts_more_than_two_meetings_within_a_day_nor_without_an_hour_of_rest() -> None:
    first, second = START + HOUR, START + 6 * HOUR
    two = tuple(plan(group(), first, second))
    assert "24 hours" in str(refusal(group(), START + 12 * HOUR, others=two))
    assert "24 hours" in str(refusal(group(), first, second, START + 12 * HOUR))
    assert plan(group(), first + 24 * HOUR, others=two)
    assert "an hour" in str(refusal(group(), first + 2 * HOUR, others=two[:1]))
    assert plan(group(), first + 2 * HOUR + 11 * MINUTE, others=two[:1])


def test_the_rest_is_each_hosts_own_and_counts_from_when_a_meeting_really_ended() -> None:
    theirs = msgspec.structs.replace(group(), id=GroupId("g-2"), owner=SECOND_HOST)
    others = tuple(plan(theirs, START + HOUR, START + 6 * HOUR))
    alone = plan(group(), START + 12 * HOUR, others=others)
    assert len(alone) == 1
    both = group(cohosts=(SECOND_HOST,))
    assert "24 hours" in str(refusal(both, START + 12 * HOUR, others=others))
    ended = msgspec.structs.replace(others[0], stage=Stage.ENDED, ended_at=Millis(START + HOUR + 10 * MINUTE))
    assert plan(both, START + 2 * HOUR + 15 * MINUTE, others=(ended,))


def test_one_host_holds_eight_people_together_and_two_hold_more() -> None:
    (alone,) = plan(group(), START + HOUR)
    (both,) = plan(group(cohosts=(SECOND_HOST,)), START + HOUR)
    (quiet,) = plan(group(Form.QUIET), START + HOUR)
    assert (alone.seats, both.seats, quiet.seats) == (8, 12, 15)
    assert groups.updated(both, group()).seats == 8


def test_a_former_host_of_a_group_hosts_none_of_its_planned_meetings() -> None:
    (both,) = plan(group(cohosts=(SECOND_HOST,)), START + HOUR)
    alone = groups.updated(both, group())
    assert SECOND_HOST in both.people
    assert SECOND_HOST not in {*alone.hosts, *alone.people}


def test_a_new_host_of_a_group_adds_no_seats_to_meetings_that_they_do_not_host() -> None:
    (one,) = plan(group(), START + HOUR)
    changed = groups.updated(one, group(cohosts=(SECOND_HOST,)))
    assert (changed.hosts, changed.seats) == (one.hosts, one.seats)


def test_a_closed_group_takes_nobody_new_after_so_many_meetings() -> None:
    closed = group(closed_after=2)
    meetings = plan(closed, *(START + HOUR + each * 24 * HOUR for each in range(4)))
    assert [each.is_for_known for each in meetings] == [False, False, True, True]
    later = msgspec.structs.replace(closed, planned=4)
    assert [each.number for each in plan(later, START + 200 * HOUR)] == [5]
    opened = groups.change_group(closed, 1, GroupEdit(closed_after=0))
    assert [groups.updated(each, opened).is_for_known for each in meetings] == [False] * 4
