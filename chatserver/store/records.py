"""What callers and the store pass each other about rooms, members and one-to-one listening."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from chatserver.domain.history import ChannelName, CommandId, Epoch, Head, Millis, Offset
from chatserver.domain.identity import Member, MemberId
from chatserver.domain.listening.commands import Decided
from chatserver.domain.listening.state import Listener, ListeningState, SessionId, Wish
from chatserver.domain.moderation.alert_floods import Origin
from chatserver.domain.moderation.crisis_phrases import Signal
from chatserver.domain.moderation.evidence import Ended
from chatserver.domain.moderation.measures import MeasureKind
from chatserver.domain.people.staff import Staff
from chatserver.domain.rooms.rooms import (
    Membership,
    Post,
    Publication,
    Reaction,
    RoomEvent,
    RoomId,
    RoomState,
)
from chatserver.store.exchange_records import KeptOfExchange
from chatserver.store.meeting_records import KeptMeeting
from chatserver.store.staff_records import Invitation, Passkey, SignIn, StaffSecrets


class StoreUnavailable(Exception):
    """The store cannot answer now. Temporary. The message names the cause for the log and holds no user text."""


class RoomChange(msgspec.Struct, frozen=True, kw_only=True):
    """One command on one room, to be decided inside the transaction that saves its events.

    `digest` stands for the command's content: the same `(author, command_id)` with another digest is refused
    (DUPLICATE_ID). `target` names the post to load. `decide` is pure, may be called again, and MUST NOT block.
    """

    channel: ChannelName
    author: MemberId
    command_id: CommandId
    digest: bytes
    now: Millis
    target: Offset | None
    decide: Callable[[RoomState], Sequence[RoomEvent]]
    epoch: Epoch | None = None
    """The epoch in which the client read `target`, if it said so."""
    signals: tuple[Signal, ...] = ()
    """What a human should look at in the words. Saved as escalations together with the events, or not at all."""
    origin: Origin | None = None
    """Where the command comes from. Without it, what its words raise counts towards no flood."""


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit wrote. If `repeated`, it was written before, and `publications` is what was written then, in its
    present state. Without publications there was nothing to do."""

    publications: tuple[Publication, ...]
    repeated: bool = False


class ListeningChange(msgspec.Struct, frozen=True, kw_only=True):
    """One command on the listening state, to be decided inside the transaction that saves the result. `decide` also
    carries out what is due, may read a clock, may be called again, and MUST NOT block. `now` is the time of what it
    publishes."""

    decide: Callable[[ListeningState], Decided]
    now: Millis


class ListeningCommitted(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit did: the version after it, the session that the command concerns, and what has to be announced
    (rooms that closed).

    `state` is the state after this commit and those that were saved with it, so that nobody has to read it again; its
    `waits` are only the hand-overs of those commits."""

    version: int
    state: ListeningState
    session: SessionId | None = None
    publications: tuple[Publication, ...] = ()
    is_changed: bool = False
    has_content_gone: bool = False
    """Whether rooms of sessions were dropped. The next `expire`, on any worker, makes their bytes unreadable."""


class LogSlice(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive publications and the head of the log in the same snapshot."""

    head: Head
    publications: tuple[Publication, ...]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Posts, oldest first. `mine` has the asker's own reactions on them; `more` says whether older ones are kept;
    `head` is the head of the log in the same snapshot."""

    head: Head
    posts: tuple[Post, ...]
    mine: Mapping[Offset, Sequence[Reaction]]
    more: bool


class JoinedRoom(msgspec.Struct, frozen=True, kw_only=True):
    """A membership, and how many posts by others are after its read position (counted up to 100)."""

    membership: Membership
    unread: int


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long things are kept. Ages are in milliseconds. `posts_per_room` counts publications; the last
    `dedupe_window` is kept even beyond it."""

    room_age: int = 24 * 3600 * 1000
    posts_per_room: int = 50_000
    member_age: int = 30 * 24 * 3600 * 1000
    report_age: int = 180 * 24 * 3600 * 1000
    evidence_age: int = 30 * 24 * 3600 * 1000
    """How long after a case was closed it keeps the words of people who erased themselves."""
    debrief_age: int = 90 * 24 * 3600 * 1000
    feedback_age: int = 365 * 24 * 3600 * 1000
    timings_age: int = 14 * 24 * 3600 * 1000
    dedupe_window: int = 10 * 60 * 1000


class LogPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A seeker's place in the queue as they may see it: without whom they must not meet or which listeners declined
    them."""

    asked_at: Millis
    wish: Wish
    seen_at: Millis
    lapsed_at: Millis | None
    sits_since: Millis | None = None
    """Since when they sit in company while they wait."""


class KeptSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is still kept, with what this person said about it. `left_at` is when a listener left it before
    its end."""

    id: SessionId
    is_seeker: bool
    started_at: Millis
    ended_at: Millis | None
    forget_at: Millis | None
    wish: Wish | None
    heard: int | None
    heavy_after: int | None
    flagged: bool | None
    would_talk_again: bool
    left_at: Millis | None = None


class KeptReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report that this person made, and the moderators' answer."""

    at: Millis
    reason: str
    note: str
    outcome: str | None = None
    reply: str = ""


class KeptMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """A measure about this person."""

    at: Millis
    kind: MeasureKind
    room: RoomId | None
    reason: str
    expires_at: Millis
    lifted_at: Millis | None
    appeal: str | None


class KeptView(msgspec.Struct, frozen=True, kw_only=True):
    """One of the staff read posts of this person that were kept with a report, or a report by or about them."""

    at: Millis
    reason: str


class KeptNote(msgspec.Struct, frozen=True, kw_only=True):
    """A listener's note about themselves."""

    at: Millis
    note: str


class KeptCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed copy, in its author's export: a post as it was before it was changed or removed, and when the copy is
    dropped. `until` is None if that is an hour after the end of a session that is not over."""

    room: RoomId
    offset: Offset
    name: str
    text: str
    warning: str | None
    at: Millis
    ended_at: Millis
    ended: Ended
    is_in_session: bool
    post_at: Millis
    until: Millis | None = None


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is kept about one person. `muted` has the names that the people whom they hide had then."""

    member: Member
    memberships: tuple[Membership, ...]
    posts: tuple[tuple[RoomId, Post], ...]
    reactions: tuple[tuple[RoomId, Offset, Reaction], ...]
    muted: tuple[str, ...]
    place: LogPlace | None = None
    listener: Listener | None = None
    sessions: tuple[KeptSession, ...] = ()
    reports: tuple[KeptReport, ...] = ()
    debriefs: tuple[KeptNote, ...] = ()
    begun: tuple[Millis, ...] = ()
    """When the sessions that they asked for in the last day began."""
    hosted: tuple[Millis, ...] = ()
    """When they began to keep company with people who wait, in the last day."""
    staff: Staff | None = None
    measures: tuple[KeptMeasure, ...] = ()
    views: tuple[KeptView, ...] = ()
    sealed: tuple[KeptCopy, ...] = ()
    meetings: tuple[KeptMeeting, ...] = ()
    exchange: KeptOfExchange | None = None


__all__ = [
    "Committed",
    "Export",
    "Invitation",
    "JoinedRoom",
    "KeptCopy",
    "KeptMeasure",
    "KeptNote",
    "KeptReport",
    "KeptSession",
    "KeptView",
    "ListeningChange",
    "ListeningCommitted",
    "LogPlace",
    "LogSlice",
    "Page",
    "Passkey",
    "Retention",
    "RoomChange",
    "SignIn",
    "StaffSecrets",
    "StoreUnavailable",
]
