"""What every store MUST do. One parametrised suite (`tests/contract/test_store.py`) proves each implementation.

Everything here raises `StoreUnavailable` when the database cannot be reached, is locked, full, read-only, or does not
answer within the configured time. That time is waited for once: then everybody is refused at once until the database
answers again, so that calls made one after another do not add up. After a refusal the outcome of a `commit` is
unknown: sending the same command id again tells, and never writes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from chatserver.domain.history import ChannelName, CommandId, Epoch, Head, HighWater, Millis, Offset
from chatserver.domain.identity import Member, MemberId, Persona
from chatserver.domain.listening.commands import Decided
from chatserver.domain.listening.queue_history import Recorded
from chatserver.domain.listening.state import Listener, ListeningState, SessionId, Wish
from chatserver.domain.moderation.alert_floods import Origin
from chatserver.domain.moderation.crisis_phrases import Signal
from chatserver.domain.moderation.evidence import Ended
from chatserver.domain.moderation.measures import MeasureKind
from chatserver.domain.people.staff import Staff
from chatserver.domain.rooms.hiding import Hiding
from chatserver.domain.rooms.rooms import (
    Membership,
    Post,
    Publication,
    Reaction,
    Room,
    RoomEvent,
    RoomId,
    RoomState,
)
from chatserver.store.arrivals_contract import ArrivalsStore, NameRules
from chatserver.store.moderation_contract import ModerationStore
from chatserver.store.room_settings_contract import RoomSettingsStore
from chatserver.store.staff_contract import Invitation, Passkey, SignIn, StaffSecrets, StaffStore
from chatserver.store.tries_contract import TriesStore


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
    """The epoch in which the asker read `target`, if they said so."""
    signals: tuple[Signal, ...] = ()
    """What in its words a human should see. Saved with its events as escalations, or not at all."""
    origin: Origin | None = None
    """Where it comes from. Without it, what it raises counts towards no flood."""


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit wrote. `repeated` means that it was written before, and `publications` is what was written then
    as it stands now. No publications: there was nothing to do."""

    publications: tuple[Publication, ...]
    repeated: bool = False


class ListeningChange(msgspec.Struct, frozen=True, kw_only=True):
    """One command on the floor, to be decided inside the transaction that saves what follows. `decide` settles
    the floor too, may read a clock, may be called again, and MUST NOT block. `now` is the time of what it publishes."""

    decide: Callable[[ListeningState], Decided]
    now: Millis


class ListeningCommitted(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit did: the version after it, the session that the command speaks of, and what has to be announced
    (rooms that closed).

    `state` is how everything stands after this commit and those that were saved with it, so that nobody has to read it
    again; its `waits` are only the hand-overs that came with them."""

    version: int
    state: ListeningState
    session: SessionId | None = None
    publications: tuple[Publication, ...] = ()
    is_changed: bool = False
    has_content_gone: bool = False
    """Sessions' rooms were dropped. The next `expire`, on any worker, makes their bytes unreadable."""


class LogSlice(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive publications and the head of the log in the same snapshot."""

    head: Head
    publications: tuple[Publication, ...]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Posts, oldest first; `mine` the asker's own reactions on them; `more` whether older ones are kept; `head` the
    head of the log in the same snapshot."""

    head: Head
    posts: tuple[Post, ...]
    mine: Mapping[Offset, Sequence[Reaction]]
    more: bool


class JoinedRoom(msgspec.Struct, frozen=True, kw_only=True):
    """A membership with how many posts by others stand after its read position (counted up to 100)."""

    membership: Membership
    unread: int


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long things are kept. Ages in milliseconds. `posts_per_room` counts publications, and never cuts into the
    last `dedupe_window`."""

    room_age: int = 24 * 3600 * 1000
    posts_per_room: int = 50_000
    member_age: int = 30 * 24 * 3600 * 1000
    report_age: int = 180 * 24 * 3600 * 1000
    evidence_age: int = 30 * 24 * 3600 * 1000
    """For how long after a case was closed it holds the words of people who erased themselves."""
    debrief_age: int = 90 * 24 * 3600 * 1000
    feedback_age: int = 365 * 24 * 3600 * 1000
    timings_age: int = 14 * 24 * 3600 * 1000
    dedupe_window: int = 10 * 60 * 1000


class LogPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A seeker's place in the queue, as they may see it: not whom they must not meet, nor who let them pass."""

    asked_at: Millis
    wish: Wish
    seen_at: Millis
    lapsed_at: Millis | None


class KeptSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is still kept, with what this side said of it. `left_at` is when a listener left it before its
    end."""

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
    """A report that this person made, and what moderators answered."""

    at: Millis
    reason: str
    note: str
    outcome: str | None = None
    reply: str = ""


class KeptMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """What a moderator did about this person."""

    at: Millis
    kind: MeasureKind
    room: RoomId | None
    reason: str
    expires_at: Millis
    lifted_at: Millis | None
    appeal: str | None


class KeptView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody of the staff read posts of this person that were kept with a report, or a report by or about them."""

    at: Millis
    reason: str


class KeptNote(msgspec.Struct, frozen=True, kw_only=True):
    """A listener's note about themselves."""

    at: Millis
    note: str


class KeptCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed copy, in its author's own export: a post as it stood before it was changed or taken back, and by when
    that goes. `until` is None where it goes with a session that is not over, an hour after its end."""

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
    """Everything that is kept about one person. `muted` are the names that those whom they hide had then."""

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
    """When the sessions began that they asked for in the last day."""
    staff: Staff | None = None
    measures: tuple[KeptMeasure, ...] = ()
    views: tuple[KeptView, ...] = ()
    sealed: tuple[KeptCopy, ...] = ()


class Store(StaffStore, ModerationStore, RoomSettingsStore, TriesStore, ArrivalsStore, Protocol):
    """Keeps channels' logs and what belongs to members.

    Offsets of a channel are consecutive, in commit order, and visible in that order: a reader that sees offset n sees
    every retained offset below n.
    """

    async def open(self) -> None:
        """Connect. MUST raise StoreUnavailable (or a clear error about an unmigrated schema) rather than wait."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, then let go."""
        ...

    @property
    def is_silent(self) -> bool:
        """Whether the database, in reading or in writing, left somebody without an answer and has given none since."""
        ...

    async def check_writable(self) -> None:
        """Prove that a write would be durable now, by making one."""
        ...

    # The log

    async def commit(self, change: RoomChange) -> Committed:
        """Load, decide, save. On return it is durable. Raises the Refusal of `decide`, ROOM_UNKNOWN for a channel that
        is not there, POST_UNKNOWN never (that is for `decide`), DUPLICATE_ID, or EPOCH_STALE where it names a
        post of another numbering (`history.require_epoch`) and was not committed before."""
        ...

    async def heads(self, channels: Collection[ChannelName]) -> dict[ChannelName, Head]:
        """The heads of those channels that exist, in one cheap read."""
        ...

    async def read(self, channel: ChannelName, after: Offset, limit: int) -> LogSlice:
        """Up to `limit` publications with offsets above `after`, as they stand now: a redacted post has no text, an
        edited one its last. Raises ROOM_UNKNOWN."""
        ...

    async def read_folded(
        self, channel: ChannelName, after: Offset, limit: int, whom: MemberId, reach: int
    ) -> LogSlice:
        """As `read`, without reactions that a later one on the same post replaces, or of `whom` one of that kind.
        Only the `reach` publications after that offset are looked at."""
        ...

    async def page(self, channel: ChannelName, before: Offset | None, limit: int, asker: MemberId) -> Page:
        """The newest `limit` posts before an offset (None: the newest of all). Redacted posts keep their place. Raises
        ROOM_UNKNOWN."""
        ...

    # Rooms

    async def rooms(self) -> list[Room]:
        """Every room, in lobby order."""
        ...

    async def add_rooms(self, rooms: Sequence[Room]) -> int:
        """Add those whose id is not there yet, each with its channel; say how many were new."""
        ...

    async def renew_epochs(self) -> int:
        """Begin every channel's numbering anew, because a backup was restored: positions from before it are then
        foreign, and told as a gap. Returns how many channels there are. Not for use while workers run."""
        ...

    async def renew_epoch(self, channel: ChannelName, epoch: Epoch, below: Offset) -> Head:
        """Begin one channel anew, because facts of `epoch` up to `below` were seen that the log does not hold. Changes
        nothing where the channel stands in another epoch, or ends at `below` or after it. Returns the head as it is
        then. Raises Refusal ROOM_UNKNOWN."""
        ...

    async def high_water(self) -> HighWater:
        """How far this database has come."""
        ...

    async def room(self, room: RoomId) -> Room | None:
        """One room of any kind. `rooms` knows the themed ones only."""
        ...

    # The floor

    async def commit_listening(self, change: ListeningChange) -> ListeningCommitted:
        """Lock the floor, load it (without `waits`), decide, evolve, save, and carry out the effects, in one
        transaction; what waits together is decided together, each on the floor that the one before left. Raises the
        Refusal of `decide`, which writes nothing. Where no event happened the version stays.

        An effect on somebody or something that is no more does nothing.

        Two commands never see the same floor. On return it is durable."""
        ...

    async def listening_state(self) -> ListeningState:
        """The floor as it stands, in one snapshot, with the newest hand-overs (`waits`, oldest first): none that came
        more than the default `ListeningRules.waits_kept` before the last. How old that one is, is for the asker to
        see."""
        ...

    async def listening_version(self) -> int:
        """One cheap read."""
        ...

    async def clock(self) -> Millis | None:
        """What time it is by the database's clock, which all workers share; None where it is on this machine anyway."""
        ...

    async def timings(self, since: Millis, now: Millis, most: int) -> Recorded:
        """The waits that began since then and are over, at most so many of the newest, and when somebody listened
        during them; spans that reach back further, or go on, are cut. Each came with the commit that ended it; the
        waits of those who talk at this moment come when they are done. In order."""
        ...

    async def see(self, members: Collection[MemberId], now: Millis) -> None:
        """These have a connection at `now`: seekers and listeners among them get it as their `seen_at`, unless they
        have a later one. Changes no version."""
        ...

    async def listener_of_words(self, words_hash: bytes, now: Millis) -> MemberId | None:
        """Whom come-back words lead to, unless they have expired."""
        ...

    async def blocked_with(self, member: MemberId) -> frozenset[MemberId]:
        """Those who mute this member, and those whom they mute."""
        ...

    # Members

    async def add_member(self, member: Member) -> None:
        """Raises NAME_TAKEN where a live member has the same `name_key`."""
        ...

    async def member(self, member: MemberId) -> Member | None: ...

    async def touch(self, members: Collection[MemberId], now: Millis) -> set[MemberId]:
        """They were here at `now`, which is noted to within minutes. Returns those among them who are no more."""
        ...

    async def rename(
        self,
        member: MemberId,
        name: str,
        name_key: str,
        rooms: Collection[RoomId] = (),
        rules: NameRules | None = None,
    ) -> int:
        """Raises NAME_TAKEN or MEMBER_UNKNOWN. Posts keep the name they were written under. Returns the generation of
        the name, which is a new one unless the name is the same. In `rooms`, where they are now, whoever is hidden
        stays hidden."""
        ...

    async def set_code(self, member: MemberId, code_hash: bytes) -> None:
        """Raises MEMBER_UNKNOWN."""
        ...

    async def member_by_code(self, code_hash: bytes) -> Member | None: ...

    async def hiding(self, member: MemberId) -> Hiding:
        """Whom a member hides, and who hides them."""
        ...

    async def standings(self, members: Collection[MemberId]) -> dict[MemberId, tuple[Persona, Hiding]]:
        """Return for many members at once what they are called, and what `hiding` says; nothing for those who are no
        more."""
        ...

    async def set_mute(self, member: MemberId, other: MemberId, on: bool, limit: int, generation: int = 0) -> None:
        """Hide somebody under the name of one generation, or no longer. Raises TOO_MANY_MUTES beyond `limit`."""
        ...

    async def joined_rooms(self, member: MemberId) -> dict[RoomId, JoinedRoom]:
        """Every room the member joined and has not left."""
        ...

    async def join(self, member: MemberId, room: RoomId, agreement: int | None) -> JoinedRoom:
        """Enter, recording the accepted agreement version where given.

        A session's room is entered only by those whom the session made its members, also to read when it is closed; it
        is ROOM_UNKNOWN to all others. Raises ROOM_UNKNOWN, ROOM_CLOSED, or AGREEMENT_REQUIRED where neither `agreement`
        nor an earlier acceptance reaches the room's current version; its details are `agreement`, the text, and
        `agreement_version`. A first join reads from the present: nothing is unread."""
        ...

    async def leave(self, member: MemberId, room: RoomId) -> None:
        """The membership stays for its slow mode and acceptance; the room is no longer joined."""
        ...

    async def left_rooms(self, members: Collection[MemberId]) -> set[tuple[MemberId, RoomId]]:
        """Return the rooms that these members have left and not joined again, each with who left it."""
        ...

    async def mark_read(self, member: MemberId, room: RoomId, offset: Offset, epoch: Epoch | None = None) -> None:
        """Never moves backwards, nor beyond the room's last offset. Raises EPOCH_STALE for an offset of another
        numbering."""
        ...

    async def export(self, member: MemberId, now: Millis) -> Export | None:
        """Everything that is kept about one person, None for somebody who is no member. It holds nothing of an open
        report about them or of a session of theirs: that staff read it is told by the day, for one fixed reason, from
        `domain.report_access.VIEWS_AFTER` after the report's end."""
        ...

    async def erase(self, member: MemberId, now: Millis) -> list[Publication]:
        """Remove the person: name, code, memberships, mutes, reactions and the text of every post; their place on the
        floor, words that lead to them, and their staff account. Live sessions of theirs end, to be forgotten at once.
        Reports by them stay without their name; what they wrote stays only in reports about them.

        What a case about them holds stays sealed in it, and measures that forbid them something stay, both under an
        alias (`domain.evidence`). The words of their posts stay as sealed copies as long as the posts would have.

        Returns the publications that say so (redactions and changed reactions), committed. Once this returns the text
        stands nowhere, and nowhere in SQLite's write-ahead log; bytes of it may be left in unused parts of the
        database's files until `rewrite`, which is owed from the same transaction on. MUST NOT rewrite the file itself.
        Raises NOT_ALLOWED where nobody would be operator any more."""
        ...

    # Time

    async def expire(self, now: Millis, retention: Retention) -> dict[ChannelName, Head]:
        """Forget what is older than `retention` allows; the new heads of the channels that lost something. Bounded
        work per call; call it again while it returns anything.

        Reports, debriefs and feedback have ages of their own. Members who are staff or stand on the floor stay.
        Sessions' rooms are the floor's to drop; only one whose session is nowhere goes after a day."""
        ...

    async def rewrite(self, now: Millis) -> bool:
        """Overwrite what was removed wherever the database may have left copies of it, for all erasures and expiries
        that are owed it: at most once an hour over all workers, and only what is small enough that nobody waits longer
        than about a second. Cheap where nothing is owed. Returns whether it was done."""
        ...


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
    "Store",
    "StoreUnavailable",
]
