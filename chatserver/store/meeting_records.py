"""What callers and the store pass each other about meetings and groups."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.meetings.commands import CountMisses, Decided, MeetingOver, TurnOver
from chatserver.domain.meetings.groups import Group
from chatserver.domain.meetings.state import Ending, Meeting, MeetingId, Place
from chatserver.domain.rooms.rooms import Publication


class MeetingChange(msgspec.Struct, frozen=True, kw_only=True):
    """One command on one meeting, to be decided inside the transaction that saves the result. `decide` also carries out
    what is due, may read a clock, may be called again, and MUST NOT block. `now` is the time of what it publishes."""

    meeting: MeetingId
    decide: Callable[[Meeting], Decided]
    now: Millis


class MeetingCommitted(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit did: the meeting after it (None: it is forgotten), and what has to be announced."""

    meeting: Meeting | None
    publications: tuple[Publication, ...] = ()
    is_changed: bool = False
    misses: tuple[CountMisses, ...] = ()
    """What the group's other meetings are to be told. They have locks of their own: the caller tells them."""
    turns: tuple[TurnOver, ...] = ()
    sums: tuple[MeetingOver, ...] = ()
    """What is counted of turns and meetings that ended."""


class GroupWithMeetings(msgspec.Struct, frozen=True, kw_only=True):
    """A group, and its meetings that are ahead or live, the next one first."""

    group: Group
    meetings: tuple[Meeting, ...] = ()


class KeptMeeting(msgspec.Struct, frozen=True, kw_only=True):
    """A meeting that somebody signed up for, or is in."""

    name: str
    starts_at: Millis
    place: Place
    at: Millis
    is_here: bool
    ending: Ending | None = None
