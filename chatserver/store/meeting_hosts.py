"""Who hosts a meeting, for those who need no more of it. Sans-I/O, like `rooms_log`."""

from __future__ import annotations

from typing import Final

import msgspec

from chatserver.domain.identity import MemberId
from chatserver.domain.meetings.state import Meeting, MeetingId
from chatserver.store import meeting_statements as sql
from chatserver.store.core.compiler import Call, Op

_meeting: Final = msgspec.msgpack.Decoder(Meeting).decode


def hosts_of(meeting: MeetingId) -> Op[frozenset[MemberId]]:
    """Return the hosts of a meeting; nobody if it is forgotten."""
    return frozenset(host for row in (yield Call(sql.MEETING, [(meeting,)])) for host in _meeting(bytes(row[-1])).hosts)
