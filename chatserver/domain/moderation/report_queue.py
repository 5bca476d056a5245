"""The order of the report queue, in which cheap reports cannot hide the others.

Pure: time and ids arrive as arguments. `store/moderation_queue_statements.py` sorts by the same key, and a test
compares the two.
"""

from __future__ import annotations

import re
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.moderation.crisis_phrases import URGENT
from chatserver.domain.moderation.measures import CALL_TARGET, DANGER, HOUR, Report, ReportStatus, due_at

NEW_FOR: Final = HOUR
"""Milliseconds after their first arrival for which a member counts as new."""
URGENT_EACH: Final = 3
"""Reports of danger by one person that are urgent at the same time. Further ones keep their due time and come after
other people's reports of danger: one person cannot fill the first page."""
CARD_FOR: Final = 24 * HOUR
"""Milliseconds from its first escalation within which a person's further escalations join their card."""
CLAIMED_URGENT: Final = 30 * 60_000
CLAIMED: Final = 2 * HOUR
"""Milliseconds within which a moderator who took an urgent report, or another one, should have closed it or given it
back."""
RINGS_AGAIN: Final = 10 * 60_000
"""Milliseconds after somebody took an urgent report, or it last rang, from which an addition to it rings again."""
PAGE: Final = 50
"""Reports on one page of the queue."""
_BANDS: Final = 10
"""The distance between two ranks in a band."""


class Rank(IntEnum):
    """How soon somebody should look. The highest comes first."""

    WORDS = 1
    """The server's guess at a member's words, of level 2."""
    REPORT = 2
    """A person reports."""
    NOW = 3
    """A person reports danger, a listener calls, the server's guess is of level 3, or many alerts come at once."""


class Folds(StrEnum):
    """The kind of reports that a card holds which were folded because they came in a flood."""

    WORDS = "words"
    REPORTS = "reports"


class QueuePlace(NamedTuple):
    """A report's position in the queue: the smallest comes first. No two reports have the same position."""

    band: int
    due_at: Millis
    id: str


_PLACE: Final = re.compile(r"([0-9]{1,3})\.([0-9]{1,15})\.([A-Za-z0-9_-]{1,64})")


def rank_of(*, reason: str, is_call: bool, level: int | None, urgent_before: int = 0) -> Rank:
    """Return the rank of a report or an escalation.

    `level` is an escalation's (None: a person reported). `urgent_before` counts the open reports of rank NOW by the
    same person; a call is urgent however many there are.
    """
    if level is not None:
        return Rank.NOW if level >= URGENT else Rank.WORDS
    if is_call or (reason == DANGER and urgent_before < URGENT_EACH):
        return Rank.NOW
    return Rank.REPORT


def band_of(rank: Rank, *, is_new: bool = False, is_fold: bool = False) -> int:
    """Return the band of a rank: the smaller comes first.

    Within a rank, what concerns people who were here before comes before what was written or reported by somebody new
    (`is_new`), and a card that holds a flood (`is_fold`) comes last: it never hides a single report.
    """
    return (Rank.NOW - rank) * _BANDS + (2 if is_fold else 1 if is_new else 0)


def rank_in(band: int) -> Rank:
    """Return the rank that a band belongs to."""
    return Rank(Rank.NOW - band // _BANDS)


def place_of(report: Report) -> QueuePlace:
    """Return the position of an open report: by its band, then the one that is due first, then by id."""
    return QueuePlace(report.band, report.due_at, report.id)


def is_new(since: Millis | None, now: Millis) -> bool:
    """Return whether somebody who came at `since` (None: not known) is new here at `now`."""
    return since is not None and now - since < NEW_FOR


def taken(report: Report, now: Millis) -> Report:
    """Return a report that was claimed just now, with the time by which it should be closed or given back."""
    target = CLAIMED_URGENT if rank_in(report.band) is Rank.NOW else CLAIMED
    return msgspec.structs.replace(report, due_at=Millis(now + target))


def rings_again(status: ReportStatus, band: int, due: Millis, rang_at: Millis | None, now: Millis) -> bool:
    """Return whether an urgent report that somebody took rings again now that something is added to it.

    `due` is the due time that `taken` gave it, which says when it was taken; `rang_at` is when it rang since then
    (None: never). One that nobody has taken rings already.
    """
    if status in (ReportStatus.OPEN, ReportStatus.CLOSED) or rank_in(band) is not Rank.NOW:
        return False
    return now - max(due - CLAIMED_URGENT, rang_at or 0) >= RINGS_AGAIN


def given_back(report: Report) -> Report:
    """Return a report that was given back, due when it was first due: the reporter has waited all the time."""
    if report.folds is not None:
        return msgspec.structs.replace(report, due_at=Millis(report.at + CALL_TARGET))
    due = due_at(report.at, report.reason, report.is_call, report.level, is_pressing=report.is_pressing)
    return msgspec.structs.replace(report, due_at=due)


def cursor_of(place: QueuePlace) -> str:
    """Return a position as a text, which `place_at` reads."""
    return f"{place.band}.{place.due_at}.{place.id}"


def place_at(cursor: str) -> QueuePlace | None:
    """Return the position that a text stands for, or None if it is not one."""
    match = _PLACE.fullmatch(cursor)
    return None if match is None else QueuePlace(int(match[1]), Millis(int(match[2])), match[3])


class Ring(StrEnum):
    """The kinds of rings. Each has a bound of its own, so that none can silence another."""

    CALL = "call"
    DANGER = "danger"
    WORDS = "words"


def ring_of(report: Report) -> Ring | None:
    """Return the kind of a report's ring; None if it does not ring."""
    if rank_in(report.band) is not Rank.NOW:
        return None
    if report.is_call:
        return Ring.CALL
    is_by_people = report.level is None and report.folds != Folds.WORDS
    return Ring.DANGER if is_by_people else Ring.WORDS
