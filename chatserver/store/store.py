"""The store: what it promises, how each promise is kept for every database, and what a driver must be able to run.

One suite proves each driver (`tests/contract`).

Everything here raises `StoreUnavailable` when the database cannot be reached, is locked, full or read-only, or does not
answer within the timeout. Calls wait for the timeout only once: after that everything is refused at once until the
database answers again, so that waits do not add up. After a refusal the outcome of a `commit` is unknown: sending the
same command id again tells, and never writes twice.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Collection, Sequence
from enum import Enum, auto
from functools import partial
from typing import Final, TypeVar

from chatserver.domain.history import ChannelName, Epoch, Head, HighWater, Millis, Offset
from chatserver.domain.identity import Member, MemberId, Persona
from chatserver.domain.listening.queue_history import Recorded
from chatserver.domain.listening.state import ListeningState
from chatserver.domain.rooms.hiding import Hiding
from chatserver.domain.rooms.rooms import Publication, Room, RoomId, room_channel
from chatserver.store import hiding, listening_log, moderation_changes, people, queue_history, reading
from chatserver.store.arrivals_records import NameRules
from chatserver.store.arrivals_store import ArrivalsStore
from chatserver.store.closed_cases_store import ClosedCasesStore
from chatserver.store.core.compiler import MakeOp
from chatserver.store.core.group_commit import GroupCommit
from chatserver.store.core.schema import SCHEMA_REVISION
from chatserver.store.core.sealing import Sealer
from chatserver.store.exchange_store import ExchangeStore
from chatserver.store.forgetting import forgetting, listening
from chatserver.store.listening_log import ListeningOutcome
from chatserver.store.listening_rows import ListeningRows
from chatserver.store.meeting_store import MeetingStore
from chatserver.store.moderation_store import ModerationStore
from chatserver.store.records import (
    Committed,
    Export,
    JoinedRoom,
    ListeningChange,
    ListeningCommitted,
    LogSlice,
    Page,
    Retention,
    RoomChange,
    StoreUnavailable,
)
from chatserver.store.room_settings_store import RoomSettingsStore
from chatserver.store.screening_store import ScreeningStore
from chatserver.store.second_looks_store import SecondLooksStore
from chatserver.store.staff_store import StaffStore
from chatserver.store.tries_store import TriesStore

T = TypeVar("T")

SEEN_PRECISION: Final = 5 * 60 * 1000
"""Milliseconds by which the noted time of a visit may be behind the last visit. Shorter than any retention."""
_TOUCHED_AT_ONCE: Final = 100
_REST: Final = 3.0
"""Pause after a part of what is removed because it is old, as a multiple of the time that the part took."""
_LONGEST_REST: Final = 0.5
DEFAULT_TIMEOUT: Final = 5.0
"""Seconds after which a call that the database has not answered raises StoreUnavailable."""


class Scrub(Enum):
    """How thoroughly removed text is made unreadable."""

    LOG = auto()
    """In the write-ahead log, and where the text was stored."""
    EVERYTHING = auto()
    """Also wherever the database has copied it, if that stops nobody for longer than about a second."""


class SchemaMismatch(Exception):
    """The database has another schema than this version. The message says what to do about it."""


class Unfit(Exception):
    """The database cannot be used as it is, or cannot be reached. The message is one line for the operator."""


def check_revision(found: str | None) -> None:
    """Raise SchemaMismatch unless the database has this version's schema."""
    if found is None:
        raise SchemaMismatch("the database has no tables yet: run `chatserver migrate`")
    if found != SCHEMA_REVISION:
        raise SchemaMismatch(
            f"the database is at schema {found}, this version needs {SCHEMA_REVISION}: "
            "run `chatserver migrate`, or start the version that wrote it"
        )


class Store(
    StaffStore,
    ModerationStore,
    ClosedCasesStore,
    RoomSettingsStore,
    SecondLooksStore,
    ScreeningStore,
    TriesStore,
    ArrivalsStore,
    MeetingStore,
    ExchangeStore,
):
    """Keeps the logs of channels, and everything about members.

    Offsets of a channel are consecutive, in commit order, and visible in that order: a reader that sees offset n sees
    every retained offset below n.
    """

    def __init__(self, timeout: float, backlog: int, sealer: Sealer) -> None:
        """`timeout` in seconds bounds every call; `backlog` is how many commits of one-to-one listening may wait, and
        how many of meetings; `sealer` seals what only a case may open."""
        ModerationStore.__init__(self, sealer)
        MeetingStore.__init__(self, timeout, backlog, sealer)
        ExchangeStore.__init__(self, sealer)
        self._records = ListeningRows()
        self._listening_commits = GroupCommit(self._commit_listening, timeout, backlog)

    @abstractmethod
    async def open(self) -> None:
        """Connect. MUST raise StoreUnavailable, or SchemaMismatch for an unmigrated database, rather than wait."""

    @abstractmethod
    async def close(self) -> None:
        """Finish what was accepted, then release the database."""

    @property
    @abstractmethod
    def is_silent(self) -> bool:
        """Return whether the database, in reading or in writing, left a caller without an answer and has given none
        since."""

    @abstractmethod
    async def commit(self, change: RoomChange) -> Committed:
        """Load, decide and save. On return it is durable. Raises the Refusal of `decide`, ROOM_UNKNOWN for a channel
        that does not exist, DUPLICATE_ID, or EPOCH_STALE if it names a post of another epoch (`history.require_epoch`)
        and was not committed before. A post that does not exist is for `decide` to refuse.

        A driver runs `rooms_log.commit_batch` on this change together with others that wait."""

    async def _write(self, op: MakeOp[T]) -> T:
        result, has_changed = await self._run_in_transaction(partial(moderation_changes.watched, op))
        note = moderation_changes.current_note()
        if has_changed and note is not None:
            note.has_changed = True
        return result

    @abstractmethod
    async def _run_in_transaction(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    @abstractmethod
    async def _scrub(self, what: Scrub) -> None:
        """Make removed text unreadable in the database's files, as far as the database can."""

    async def check_writable(self) -> None:
        """Prove that a write would be durable now, by making one."""
        await self._write(forgetting.beat)

    # The log

    async def heads(self, channels: Collection[ChannelName]) -> dict[ChannelName, Head]:
        """Return the heads of those channels that exist, in one cheap read."""
        return await self._read(partial(reading.heads, channels))

    async def read(self, channel: ChannelName, after: Offset, limit: int) -> LogSlice:
        """Return up to `limit` publications with offsets above `after`, in their present state: a redacted post has no
        text, an edited one its newest. Raises ROOM_UNKNOWN."""
        return await self._read(partial(reading.read, channel, after, limit))

    async def read_folded(
        self, channel: ChannelName, after: Offset, limit: int, whom: MemberId, reach: int
    ) -> LogSlice:
        """Like `read`, but of the reactions on a post, only the last one and the last of each kind by `whom` are
        included. Looks only at the first `reach` publications after `after`."""
        return await self._read(partial(reading.read_folded, channel, after, limit, whom, reach))

    async def page(self, channel: ChannelName, before: Offset | None, limit: int, asker: MemberId) -> Page:
        """Return the newest `limit` posts before an offset (None: the newest of all). Redacted posts are included.
        What was written in a closed room before it was opened for the asker is not shown to them. Raises
        ROOM_UNKNOWN."""
        return await self._read(partial(reading.page, channel, before, limit, asker))

    # Rooms

    async def rooms(self) -> list[Room]:
        """Return every themed room, in lobby order."""
        return await self._read(reading.rooms)

    async def add_rooms(self, rooms: Sequence[Room]) -> int:
        """Add the rooms whose ids do not exist yet, each with its channel. Return how many were new."""
        return await self._write(partial(reading.add_rooms, rooms))

    async def renew_epochs(self) -> int:
        """Give every channel a new epoch, after a backup was restored: otherwise clients would take new facts for those
        that they have seen since the backup. Return how many channels there are. Not for use while workers run."""
        return await self._write(reading.renew_epochs)

    async def renew_epoch(self, channel: ChannelName, epoch: Epoch, below: Offset) -> Head:
        """Begin one channel anew, because facts of `epoch` up to `below` were seen that the log does not have. No-op if
        the channel is in another epoch, or ends at `below` or later. Return its head afterwards. Raises Refusal
        ROOM_UNKNOWN."""
        return await self._write(partial(reading.renew_epoch, channel, epoch, below))

    async def high_water(self) -> HighWater:
        """Return how far this database has come."""
        return await self._read(reading.high_water)

    async def room(self, room: RoomId) -> Room | None:
        """Return one room of any kind. `rooms` returns only the themed ones."""
        return await self._read(partial(reading.room, room))

    # Listening

    async def commit_listening(self, change: ListeningChange) -> ListeningCommitted:
        """Lock the listening state, load it (without `waits`), decide, evolve, save, and carry out the effects, in one
        transaction. Commands that wait together are decided together, each on the state that the one before left, so
        two commands never see the same state. Raises the Refusal of `decide`, which writes nothing. Without an event
        the version does not rise.

        An effect on somebody or something that is gone does nothing.

        On return it is durable."""
        return await self._listening_commits.run(change)

    async def _commit_listening(self, changes: Sequence[ListeningChange]) -> Sequence[ListeningOutcome]:
        # Started by one command for all that wait: what it changes is nobody's own change.
        return await self._run_in_transaction(partial(listening_log.commit, changes, self._records, self._sealer))

    async def listening_state(self) -> ListeningState:
        """Return the listening state in one snapshot, with the newest hand-overs (`waits`, oldest first): none that
        came more than the default `ListeningRules.waits_kept` before the last one. The caller checks how old the last
        one is."""
        return await self._read(partial(listening_log.listening_state, self._records))

    async def timings(self, since: Millis, now: Millis, most: int) -> Recorded:
        """Return the waits that began since `since` and are over (at most the newest `most`), and when listeners were
        there during them, both in order; spans that reach back further, or go on, are cut. A wait is written with the
        commit that ends it, so the waits of those who talk now come when their sessions end."""
        return await self._read(partial(queue_history.timings, self._records, since, now, most))

    async def listening_version(self) -> int:
        """Return the version of the listening state, in one cheap read."""
        return await self._read(listening_log.version)

    async def clock(self) -> Millis | None:
        """Return the time by the database's clock, which all workers share, or None if that is this machine's clock
        anyway."""
        return None

    async def see(self, members: Collection[MemberId], now: Millis) -> None:
        """Note that these people have a connection at `now`: it becomes the `seen_at` of those who are seekers or
        listeners, unless theirs is later. No version rises."""
        whose = [*members]
        for part in (whose[at : at + _TOUCHED_AT_ONCE] for at in range(0, len(whose), _TOUCHED_AT_ONCE)):
            await self._write(partial(listening_log.see, part, now))

    async def listener_of_words(self, words_hash: bytes, now: Millis) -> MemberId | None:
        """Return the listener to whom come-back words lead, or None, also if the words have expired."""
        return await self._read(partial(listening_log.listener_of_words, words_hash, now))

    async def blocked_with(self, member: MemberId) -> frozenset[MemberId]:
        """Return those who hide this member, and those whom this member hides."""
        return await self._read(partial(listening_log.blocked_with, member))

    async def urgent_among(self, members: Collection[MemberId]) -> frozenset[MemberId]:
        """Return those of these people whose own words raised something urgent that no moderator has closed."""
        return await self._read(partial(listening_log.urgent_among, members))

    # Members

    async def add_member(self, member: Member) -> None:
        """Add a member. Raises NAME_TAKEN if another member has the same `name_key`."""
        await self._write(partial(people.add_member, member))

    async def member(self, member: MemberId) -> Member | None:
        return await self._read(partial(people.member, member))

    async def touch(self, members: Collection[MemberId], now: Millis) -> set[MemberId]:
        """Note that these people were here at `now`, to within minutes. Return those who are no longer members."""
        whose, gone = [*members], set[MemberId]()
        # In parts, so that a member who writes a post meanwhile waits for one part at most.
        for part in (whose[at : at + _TOUCHED_AT_ONCE] for at in range(0, len(whose), _TOUCHED_AT_ONCE)):
            seen = await self._read(partial(people.seen, part))
            gone.update(part)
            gone.difference_update(seen)
            stale = [who for who, at in seen.items() if at <= now - SEEN_PRECISION]
            if stale:
                await self._write(partial(people.touch, stale, now))
        return gone

    async def rename(
        self,
        member: MemberId,
        name: str,
        name_key: str,
        rooms: Collection[RoomId] = (),
        rules: NameRules | None = None,
    ) -> int:
        """Give a member a new name. Raises NAME_TAKEN or MEMBER_UNKNOWN. Posts keep the name they were written under.
        Return the generation of the name, which is a new one unless the name is the same. In `rooms`, where they are
        now, a member who is hidden stays hidden."""
        return await self._write(partial(people.rename, member, name, name_key, rooms, rules))

    async def set_code(self, member: MemberId, code_hash: bytes) -> None:
        """Set a member's come-back code. Raises MEMBER_UNKNOWN."""
        await self._write(partial(people.set_code, member, code_hash))

    async def member_by_code(self, code_hash: bytes) -> Member | None:
        return await self._read(partial(people.member_by_code, code_hash))

    async def hiding(self, member: MemberId) -> Hiding:
        """Return whom a member hides, and who hides them."""
        return await self._read(partial(hiding.hiding, member))

    async def standings(self, members: Collection[MemberId]) -> dict[MemberId, tuple[Persona, Hiding]]:
        """Return, for each of these people who is still a member, their name, and what `hiding` returns."""
        return await self._read(partial(hiding.standings, members))

    async def set_mute(self, member: MemberId, other: MemberId, on: bool, limit: int, generation: int = 0) -> None:
        """Hide somebody under their name of one generation, or stop hiding them. Raises TOO_MANY_MUTES beyond
        `limit`."""
        await self._write(partial(hiding.set_mute, member, other, on, limit, generation))

    async def joined_rooms(self, member: MemberId) -> dict[RoomId, JoinedRoom]:
        """Return every room that the member has joined and not left."""
        return await self._read(partial(people.joined_rooms, member))

    async def join(self, member: MemberId, room: RoomId, agreement: int | None) -> JoinedRoom:
        """Enter a room, and record the accepted agreement version if one is given.

        A session's room can be entered only by its members, also to read when it is closed; for all others it raises
        ROOM_UNKNOWN. Raises ROOM_UNKNOWN, ROOM_CLOSED, or AGREEMENT_REQUIRED if neither `agreement` nor an earlier
        acceptance reaches the room's current version; its details are `agreement`, the text, and `agreement_version`.
        After a first join nothing is unread."""
        # Coming back is far more frequent than a first join, and writes nothing.
        entered = await self._read(partial(people.entered, member, room, agreement))
        return entered if entered is not None else await self._write(partial(people.join, member, room, agreement))

    async def join_with_page(
        self, member: MemberId, room: RoomId, agreement: int | None, limit: int
    ) -> tuple[JoinedRoom, Page]:
        """As `join`, with the newest `limit` posts of the room; in one read, where nothing is written."""
        entered = await self._read(partial(people.entered_with_page, member, room, agreement, limit))
        if entered is not None:
            return entered
        joined = await self._write(partial(people.join, member, room, agreement))
        return joined, await self.page(room_channel(room), None, limit, member)

    async def leave(self, member: MemberId, room: RoomId) -> None:
        """Leave a room. The membership is kept for its slow mode and accepted agreement, but the room is no longer
        joined."""
        await self._write(partial(people.leave, member, room))

    async def left_rooms(self, members: Collection[MemberId]) -> set[tuple[MemberId, RoomId]]:
        """Return the rooms that these members have left and not joined again, as pairs of member and room."""
        return await self._read(partial(people.left_rooms, members))

    async def mark_read(self, member: MemberId, room: RoomId, offset: Offset, epoch: Epoch | None = None) -> None:
        """Move a read position forward, never back or beyond the room's last offset. Raises EPOCH_STALE for an offset
        of another epoch."""
        await self._write(partial(people.mark_read, member, room, offset, epoch))

    async def export(self, member: MemberId, now: Millis) -> Export | None:
        """Return everything that is kept about one person, or None if they are no member. It says nothing of an open
        report about them or about a session of theirs. That staff read it is told, by the day and with one fixed
        reason, from `domain.moderation.report_access.VIEWS_AFTER` after the report's end."""
        return await self._read(partial(people.export, member, now, self._sealer))

    async def erase(self, member: MemberId, now: Millis) -> list[Publication]:
        """Remove a person: name, code, memberships, mutes, reactions and the text of every post; their place in the
        listening state, words that lead to them, and their staff account. Their live sessions end, and are forgotten at
        once. Reports by them stay without their name; their words stay only in reports about them.

        What a case about them holds stays sealed in it, and measures that forbid them something stay, both under an
        alias (`domain.moderation.evidence`). The words of their posts stay as sealed copies as long as the posts would
        have.

        Return the committed publications that say so (redactions and changed reactions). On return the text is gone
        from every table and from SQLite's write-ahead log; bytes of it may remain in unused parts of the database's
        files until `rewrite`, which is owed from the same transaction on. MUST NOT rewrite the file itself. Raises
        NOT_ALLOWED if no operator would be left."""
        publications = await self._write(partial(forgetting.erase, member, now, self._sealer))
        # Even if nothing was found: an earlier attempt may have been interrupted here.
        await self._scrub(Scrub.LOG)
        return publications

    # Time

    async def expire(self, now: Millis, retention: Retention) -> dict[ChannelName, Head]:
        """Forget what is older than `retention` allows. Return the new heads of the channels that lost something. The
        work of a call is bounded; call it again while it returns anything.

        Reports, debriefs and feedback have ages of their own. Members who are staff or in the listening state stay.
        Listening drops the rooms of its sessions; here only a room whose session does not exist is dropped, after a
        day."""
        await self._forget_tries(now)
        if await self._read(partial(listening.orphans, now)):
            await self._write(partial(listening.drop_orphans, now))
        heads = await self._expire_rooms(now, retention)
        has_members = await self._forget_unseen_members(now, retention)
        pruned = await self._write(partial(forgetting.prune, now, retention))
        if heads or has_members or pruned.removed_anything:
            await self._scrub(Scrub.LOG)
        if pruned.has_dropped:
            # Only now, so that after a scrub that fails it is still owed.
            await self._write(partial(forgetting.note_scrubbed, pruned.dropped))
        return heads

    async def _expire_rooms(self, now: Millis, retention: Retention) -> dict[ChannelName, Head]:
        heads: dict[ChannelName, Head] = {}
        left = forgetting.PUBLICATIONS_AT_ONCE
        for name in await self._read(partial(forgetting.rooms_to_expire, now, retention)):
            while left > 0:
                width = min(left, forgetting.PUBLICATIONS_IN_ONE_TRANSACTION)
                cut = await self._write_gently(partial(forgetting.expire_room, name, now, retention, width))
                if cut is None:
                    break
                heads[name], left = cut.head, left - cut.removed
                if cut.removed < width:
                    break
        return heads

    async def _forget_unseen_members(self, now: Millis, retention: Retention) -> bool:
        """Return whether there were any."""
        width, gone = forgetting.MEMBERS_IN_ONE_TRANSACTION, 0
        while gone < forgetting.MEMBERS_AT_ONCE:
            part = await self._write_gently(partial(forgetting.forget_unseen_members, now, retention, width))
            gone += part
            if part < width:
                break
        return gone > 0

    async def _write_gently(self, op: MakeOp[T]) -> T:
        """Write, and leave the writer to others for a few times as long as that took."""
        clock = asyncio.get_running_loop().time
        began = clock()
        done = await self._write(op)
        await asyncio.sleep(min((clock() - began) * _REST, _LONGEST_REST))
        return done

    async def rewrite(self, now: Millis) -> bool:
        """Overwrite what was removed wherever the database may have left copies of it, for all erasures and expiries
        since the last time: at most once an hour over all workers, and only what is small enough that nobody waits
        longer than about a second. Cheap if nothing is owed. Return whether it was done."""
        if (await self._read(partial(forgetting.owed, now))) is None:
            return False
        asked = await self._write(partial(forgetting.begin_rewrite, now))
        if asked is None:
            return False
        try:
            await self._scrub(Scrub.EVERYTHING)
        except StoreUnavailable:
            await self._write(partial(forgetting.put_off_rewrite, now))
            raise
        await self._write(partial(forgetting.note_rewritten, asked))
        return True
