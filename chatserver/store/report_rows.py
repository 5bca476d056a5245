"""How a report is kept, from wherever it comes. Sans-I/O, like `log`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

import msgspec

from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation import ReportStatus, due_at
from chatserver.domain.rooms import Post, RoomId
from chatserver.store.compiler import Params

SNAPSHOT: Final = 50
"""Posts that go with a report."""

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
) -> Params:
    """The columns of a new report."""
    snapshot = encode_posts(posts).decode()
    due = due_at(at, reason, is_call, level)
    new = (ReportStatus.OPEN, offset, due, None, None, None, "", False)
    return (id_, at, by, about, room, reason, note, is_call, snapshot, *new, version, level)


def new_id() -> str:
    """An id for what moderation keeps."""
    return secrets.token_urlsafe(12)
