"""How reports are stored as rows, whatever made them. Sans-I/O, like `rooms_log`."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.measures import Outcome, Report, ReportStatus, due_at
from chatserver.domain.moderation.report_queue import Rank, band_of, rank_in, rank_of
from chatserver.domain.rooms.rooms import Post, RoomId
from chatserver.store.core.compiler import Params, Row
from chatserver.store.moderation_tables import reports

SNAPSHOT: Final = 50
"""The most posts that go with a report."""

encode_posts: Final = msgspec.json.Encoder().encode
decode_posts: Final = msgspec.json.Decoder(list[Post]).decode


def report_row(
    *,
    id_: str,
    at: Millis,
    by: MemberId | None,
    about: MemberId | None,
    room: RoomId,
    reason: str,
    note: str,
    is_call: bool,
    posts: Sequence[Post],
    offset: Offset | None,
    version: int,
    level: int | None = None,
    is_about_staff: bool = False,
    is_new: bool = False,
    address: bytes | None = None,
    urgent_before: int = 0,
    sealed: bytes | None = None,
    erased_at: Millis | None = None,
    score: float | None = None,
    is_pressing: bool = False,
) -> Params:
    """Return the columns of a new report, in the table's order.

    `is_new` says whether the reporter was new here; `address` is the key of where the report came from, if it counts
    towards a flood; `urgent_before` is how many open urgent reports the same person has. `sealed` is its encrypted
    content; `erased_at` is set if that has words of an erased person. `score` and `is_pressing` are the model's.
    """
    rank = rank_of(reason=reason, is_call=is_call, level=level, urgent_before=urgent_before)
    values: dict[str, object] = {
        "id": id_,
        "at": at,
        "by": by,
        "about": about,
        "room": room,
        "reason": reason,
        "note": note,
        "is_call": is_call,
        "snapshot": encode_posts(posts).decode(),
        "status": ReportStatus.OPEN,
        "offset": offset,
        "due_at": due_at(at, reason, is_call, level, is_pressing=is_pressing),
        "claimed_by": None,
        "closed_at": None,
        "outcome": None,
        "reply": "",
        "is_seen": False,
        "version": version,
        "level": level,
        "sealed": sealed,
        "erased_at": erased_at,
        "is_about_staff": is_about_staff,
        "taken_from": None,
        "taken_reason": None,
        "band": band_of(rank, is_new=is_new),
        "is_new": is_new,
        "address_key": address,
        "card": None,
        "fold": None,
        "folds": None,
        "newest_at": None,
        "rings_at": at if rank is Rank.NOW else None,
        "score": None if score is None else round(100 * score),
        "is_pressing": is_pressing,
    }
    return tuple(values[column.name] for column in reports.c)


def urgent_among(before: Iterable[Row]) -> int:
    """Return how many of somebody's reports (`REPORTS_OF`) are open and urgent. Calls for a moderator are not
    counted."""
    return sum(row[2] != ReportStatus.CLOSED and rank_in(row[6]) is Rank.NOW and not row[7] for row in before)


def new_id() -> str:
    """Return a new random id for a record of moderation."""
    return secrets.token_urlsafe(12)


def report_of(row: Row) -> Report:
    """Return the report in the columns of `moderation_statements.REPORT`, without its note and its snapshot."""
    names = (
        "id", "at", "due_at", "by", "about", "room", "offset", "reason", "is_call", "status", "claimed_by",
        "closed_at", "outcome", "reply", "level", "is_about_staff", "taken_from", "taken_reason",
        "band", "is_new", "card", "fold", "folds", "newest_at",
        "is_pressing", "epoch",
    )  # fmt: skip
    told = dict(zip(names, row, strict=True))
    told |= {
        "is_call": bool(told["is_call"]),
        "is_about_staff": bool(told["is_about_staff"]),
        "is_new": bool(told["is_new"]),
        "is_pressing": bool(told["is_pressing"]),
        "status": ReportStatus(told["status"]),
        "outcome": None if told["outcome"] is None else Outcome(told["outcome"]),
        "reply": told["reply"] or "",
        "taken_reason": told["taken_reason"] or "",
    }
    return Report(**told)
