"""Who may handle a report: nobody decides their own case.

Pure. A report's *people* are everybody whose own case it is: the person it is about, its author, and, if it is of a
one-to-one session, everybody who was ever in that session. They are kept with the report when it is made, because the
session is deleted long before the report is. The store applies these rules in the transaction that reads or changes a
report, and refuses with REPORT_UNKNOWN, the answer for an id that never existed: nothing reveals that there is one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.staff import Capability, Role, Staff, may

DAY: Final = 24 * 3_600_000
VIEWS_AFTER: Final = 7 * DAY
"""Milliseconds from a report's end until the people whose words were in it can see that staff have read them."""
VIEW_REASON: Final = "A moderator read it to answer a report."
"""The reason that an export gives for every such reading. The moderator's own words name people, and stay in the audit
log."""


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """A staff member who asks for reports and may moderate, and whether they are an operator."""

    member: MemberId
    is_operator: bool


def people_of_report(about: MemberId | None, by: MemberId | None, session: Iterable[MemberId]) -> frozenset[MemberId]:
    """Return the members whose own case a report is. `session` are all who were ever in its one-to-one session, and
    empty for a report from a themed room."""
    return frozenset(who for who in (about, by, *session) if who is not None)


def may_handle(asker: Asker, people: Collection[MemberId], *, is_about_staff: bool) -> bool:
    """Return whether `asker` may see and handle a report: it is not their own case, and if it is about a staff member
    they are an operator."""
    return asker.member not in people and (asker.is_operator or not is_about_staff)


def require_access(asker: Asker, people: Collection[MemberId], *, is_about_staff: bool) -> None:
    """Raise REPORT_UNKNOWN unless `may_handle`."""
    if not may_handle(asker, people, is_about_staff=is_about_staff):
        raise Refusal(Reason.REPORT_UNKNOWN)


def handlers_among(staff: Iterable[Staff], people: Collection[MemberId], *, is_about_staff: bool) -> list[MemberId]:
    """Return those of `staff` who may handle a report with these people: accounts that are not revoked, with a role
    that moderates."""
    return [
        each.member
        for each in staff
        if each.revoked_at is None
        and may(each.roles, Capability.MODERATE)
        and may_handle(
            Asker(member=each.member, is_operator=Role.OPERATOR in each.roles), people, is_about_staff=is_about_staff
        )
    ]


def needs_another(by: MemberId, about: MemberId, staff: Iterable[Staff]) -> bool:
    """Return whether the answer to a measure that `by` took about `about` is for somebody else to read and decide:
    there is another who may moderate. If `by` is the only one, they decide, or nobody would."""
    return any(
        each.revoked_at is None and may(each.roles, Capability.MODERATE) and each.member not in (by, about)
        for each in staff
    )


def shown_view(at: Millis, closed_at: Millis | None, now: Millis, *, is_kept: bool) -> Millis | None:
    """Return the day (its first millisecond, UTC) that an export gives for a reading at `at` of a report that was
    closed at `closed_at`, or None if it does not tell of it yet. `is_kept` is False once the report itself was deleted,
    which happens long after its end."""
    if is_kept and (closed_at is None or now < closed_at + VIEWS_AFTER):
        return None
    return Millis(at // DAY * DAY)
