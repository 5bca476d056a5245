"""Who may handle a report, and when it is told that staff have read somebody's words."""

from __future__ import annotations

import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.report_access import (
    DAY,
    VIEWS_AFTER,
    Asker,
    handlers_among,
    may_handle,
    needs_another,
    people_of_report,
    require_access,
    shown_view,
)
from chatserver.domain.people.staff import Role, Staff

MO, ZOE, BO, LIV = MemberId("m_mo"), MemberId("m_zoe"), MemberId("m_bo"), MemberId("m_liv")
NOW = Millis(1_700_000_000_000)


def staff(member: MemberId, *roles: Role, is_revoked: bool = False) -> Staff:
    return Staff(
        member=member,
        login=member,
        name=member,
        roles=frozenset(roles),
        created_at=NOW,
        revoked_at=NOW if is_revoked else None,
    )


def test_the_people_of_a_report_are_all_whose_case_it_is() -> None:
    assert people_of_report(LIV, BO, [BO, LIV, ZOE]) == {LIV, BO, ZOE}
    assert people_of_report(None, None, []) == frozenset()


@pytest.mark.parametrize("is_operator", [False, True])
@pytest.mark.parametrize("is_about_staff", [False, True])
def test_nobody_handles_their_own_case_and_operators_alone_what_is_about_staff(
    *, is_operator: bool, is_about_staff: bool
) -> None:
    for who, is_own in ((MO, False), (LIV, True), (BO, True)):
        asker = Asker(member=who, is_operator=is_operator)
        expected = not is_own and (is_operator or not is_about_staff)
        assert may_handle(asker, {LIV, BO}, is_about_staff=is_about_staff) is expected
        if expected:
            require_access(asker, {LIV, BO}, is_about_staff=is_about_staff)
        else:
            with pytest.raises(Refusal) as refusal:
                require_access(asker, {LIV, BO}, is_about_staff=is_about_staff)
            assert (refusal.value.reason, refusal.value.details) == (Reason.REPORT_UNKNOWN, None)


def test_who_is_left_to_handle_it() -> None:
    everybody = [
        staff(MO, Role.MODERATOR),
        staff(ZOE, Role.OPERATOR),
        staff(LIV, Role.LISTENER),
        staff(BO, Role.OPERATOR, is_revoked=True),
    ]
    assert handlers_among(everybody, {LIV}, is_about_staff=False) == [MO, ZOE]
    assert handlers_among(everybody, {LIV}, is_about_staff=True) == [ZOE]
    assert handlers_among(everybody, {ZOE}, is_about_staff=True) == []


def test_another_decides_about_an_answer_where_there_is_another() -> None:
    alone = [staff(MO, Role.MODERATOR), staff(LIV, Role.LISTENER), staff(ZOE, Role.OPERATOR, is_revoked=True)]
    assert not needs_another(MO, BO, alone)
    assert needs_another(MO, BO, [*alone, staff(MemberId("m_ops"), Role.OPERATOR)])
    assert not needs_another(MO, ZOE, [*alone, staff(ZOE, Role.OPERATOR)])


def test_a_reading_is_told_by_the_day_a_week_after_the_end() -> None:
    closed = Millis(NOW + 3 * DAY)
    told = Millis(closed + VIEWS_AFTER)
    assert shown_view(NOW, None, told, is_kept=True) is None
    assert shown_view(NOW, closed, Millis(told - 1), is_kept=True) is None
    assert shown_view(NOW, closed, told, is_kept=True) == NOW // DAY * DAY
    assert shown_view(NOW, None, told, is_kept=False) == NOW // DAY * DAY, "of a report that was forgotten since"
