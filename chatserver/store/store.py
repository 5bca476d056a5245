"""The store: what it promises, how each promise is kept for every database, and what a driver must be able to run.

One suite proves each driver (`tests/contract`).

Everything here raises `StoreUnavailable` when the database cannot be reached, is locked, full, read-only, or does not
answer within the configured time. That time is waited for once: then everybody is refused at once until the database
answers again, so that calls made one after another do not add up. After a refusal the outcome of a `commit` is
unknown: sending the same command id again tells, and never writes twice.
"""

from __future__ import annotations

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
from chatserver.domain.rooms.rooms import Publication, Room, RoomId
from chatserver.store import hiding, listening_log, people, queue_history, reading
from chatserver.store.arrivals_records import NameRules
from chatserver.store.arrivals_store import ArrivalsStore
from chatserver.store.core.group_commit import GroupCommit
from chatserver.store.core.schema import SCHEMA_REVISION
from chatserver.store.core.sealing import Sealer
from chatserver.store.forgetting import forgetting, listening
from chatserver.store.listening_log import ListeningOutcome
from chatserver.store.listening_rows import ListeningRows
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
from chatserver.store.staff_store import StaffStore
from chatserver.store.tries_store import TriesStore

T = TypeVar("T")

SEEN_PRECISION: Final = 5 * 60 * 1000
"""Milliseconds by which a noted visit may lie behind the last one. Shorter than anybody is kept for."""
_TOUCHED_AT_ONCE: Final = 500
DEFAULT_TIMEOUT: Final = 5.0
"""Seconds after which a call that the database has not answered raises StoreUnavailable."""


class Scrub(Enum):
    """How thoroughly removed text is made unreadable."""

    LOG = auto()
    """In the write-ahead log, and where it stood."""
    EVERYTHING = auto()
    """Also wherever the database copied it to, if that stops nobody for longer than about a second."""


class SchemaMismatch(Exception):
    """The database is not at this version's schema. The message says what to do about it."""


class Unfit(Exception):
    """The database cannot be used as it is, or cannot be reached. The message is one line for the operator."""


def check_revision(found: str | None) -> None:
    """Raise SchemaMismatch unless the database stands at this version's schema."""
    if found is None:
        raise SchemaMismatch("the database has no tables yet: run `chatserver migrate`")
    if found != SCHEMA_REVISION:
        raise SchemaMismatch(
            f"the database is at schema {found}, this version needs {SCHEMA_REVISION}: "
            "run `chatserver migrate`, or start the version that wrote it"
        )


class Store(StaffStore, ModerationStore, RoomSettingsStore, TriesStore, ArrivalsStore):
    """Keeps channels' logs and what belongs to members.

    Offsets of a channel are consecutive, in commit order, and visible in that order: a reader that sees offset n sees
    every retained offset below n.
    """

    def __init__(self, timeout: float, backlog: int, sealer: Sealer) -> None:
        """`timeout` in seconds bounds every call; `backlog` is how many commits of one-to-one listening may wait;
        `sealer` seals what only a case may open."""
        ModerationStore.__init__(self, sealer)
        self._records = ListeningRows()
        self._listening_commits = GroupCommit(self._commit_listening, timeout, backlog)

    @abstractmethod
    async def open(self) -> None:
        """Connect. MUST raise StoreUnavailable (or a clear error about an unmigrated schema) rather than wait."""

    @abstractmethod
    async def close(self) -> None:
        """Finish what was accepted, then let go."""

    @property
    @abstractmethod
    def is_silent(self) -> bool:
        """Whether the database, in reading or in writing, left somebody without an answer and has given none since."""

    @abstractmethod
    async def commit(self, change: RoomChange) -> Committed:
        """Load, decide, save. On return it is durable. Raises the Refusal of `decide`, ROOM_UNKNOWN for a channel that
        is not there, POST_UNKNOWN never (that is for `decide`), DUPLICATE_ID, or EPOCH_STALE where it names a post of
        another numbering (`history.require_epoch`) and was not committed before.

        A driver runs `rooms_log.commit_batch` on this change, together with others that wait."""

    @abstractmethod
    async def _scrub(self, what: Scrub) -> None:
        """Make removed text unreadable in the database's files, as far as the database can."""

    async def check_writable(self) -> None:
        """Prove that a write would be durable now, by making one."""
        await self._write(forgetting.beat)

    # The log

    async def heads(self, channels: Collection[ChannelName]) -> dict[ChannelName, Head]:
        """The heads of those channels that exist, in one cheap read."""
        return await self._read(partial(reading.heads, channels))

    async def read(self, channel: ChannelName, after: Offset, limit: int) -> LogSlice:
        """Up to `limit` publications with offsets above `after`, as they stand now: a redacted post has no text, an
        edited one its last. Raises ROOM_UNKNOWN."""
        return await self._read(partial(reading.read, channel, after, limit))

    async def read_folded(
        self, channel: ChannelName, after: Offset, limit: int, whom: MemberId, reach: int
    ) -> LogSlice:
        """As `read`, without reactions that a later one on the same post replaces, or of `whom` one of that kind.
        Only the `reach` publications after that offset are looked at."""
        return await self._read(partial(reading.read_folded, channel, after, limit, whom, reach))

    async def page(self, channel: ChannelName, before: Offset | None, limit: int, asker: MemberId) -> Page:
        """The newest `limit` posts before an offset (None: the newest of all). Redacted posts keep their place. Raises
        ROOM_UNKNOWN."""
        return await self._read(partial(reading.page, channel, before, limit, asker))

    # Rooms

    async def rooms(self) -> list[Room]:
        """Every room, in lobby order."""
        return await self._read(reading.rooms)

    async def add_rooms(self, rooms: Sequence[Room]) -> int:
        """Add those whose id is not there yet, each with its channel; say how many were new."""
        return await self._write(partial(reading.add_rooms, rooms))

    async def renew_epochs(self) -> int:
        """Give every channel a new epoch, for when a backup was restored: what was shown of it since would otherwise
        be taken for what comes now. Returns how many channels there are. Not for use while workers run."""
        return await self._write(reading.renew_epochs)

    async def renew_epoch(self, channel: ChannelName, epoch: Epoch, below: Offset) -> Head:
        """Begin one channel anew, because facts of `epoch` up to `below` were seen that the log does not hold. Changes
        nothing where the channel stands in another epoch, or ends at `below` or after it. Returns the head as it is
        then. Raises Refusal ROOM_UNKNOWN."""
        return await self._write(partial(reading.renew_epoch, channel, epoch, below))

    async def high_water(self) -> HighWater:
        """How far this database has come."""
        return await self._read(reading.high_water)

    async def room(self, room: RoomId) -> Room | None:
        """One room of any kind. `rooms` knows the themed ones only."""
        return await self._read(partial(reading.room, room))

    # The floor

    async def commit_listening(self, change: ListeningChange) -> ListeningCommitted:
        """Lock the floor, load it (without `waits`), decide, evolve, save, and carry out the effects, in one
        transaction; what waits together is decided together, each on the floor that the one before left. Raises the
        Refusal of `decide`, which writes nothing. Where no event happened the version stays.

        An effect on somebody or something that is no more does nothing.

        Two commands never see the same floor. On return it is durable."""
        return await self._listening_commits.run(change)

    async def _commit_listening(self, changes: Sequence[ListeningChange]) -> Sequence[ListeningOutcome]:
        return await self._write(partial(listening_log.commit, changes, self._records, self._sealer))

    async def listening_state(self) -> ListeningState:
        """The floor as it stands, in one snapshot, with the newest hand-overs (`waits`, oldest first): none that came
        more than the default `ListeningRules.waits_kept` before the last. How old that one is, is for the asker to
        see."""
        return await self._read(partial(listening_log.listening_state, self._records))

    async def timings(self, since: Millis, now: Millis, most: int) -> Recorded:
        """The waits that began since then and are over, at most so many of the newest, and when somebody listened
        during them; spans that reach back further, or go on, are cut. Each came with the commit that ended it; the
        waits of those who talk at this moment come when they are done. In order."""
        return await self._read(partial(queue_history.timings, self._records, since, now, most))

    async def listening_version(self) -> int:
        """One cheap read."""
        return await self._read(listening_log.version)

    async def clock(self) -> Millis | None:
        """What time it is by the database's clock, which all workers share; None where it is on this machine anyway."""
        return None

    async def see(self, members: Collection[MemberId], now: Millis) -> None:
        """These have a connection at `now`: seekers and listeners among them get it as their `seen_at`, unless they
        have a later one. Changes no version."""
        whose = [*members]
        for part in (whose[at : at + _TOUCHED_AT_ONCE] for at in range(0, len(whose), _TOUCHED_AT_ONCE)):
            await self._write(partial(listening_log.see, part, now))

    async def listener_of_words(self, words_hash: bytes, now: Millis) -> MemberId | None:
        """Whom come-back words lead to, unless they have expired."""
        return await self._read(partial(listening_log.listener_of_words, words_hash, now))

    async def blocked_with(self, member: MemberId) -> frozenset[MemberId]:
        """Those who mute this member, and those whom they mute."""
        return await self._read(partial(listening_log.blocked_with, member))

    # Members

    async def add_member(self, member: Member) -> None:
        """Raises NAME_TAKEN where a live member has the same `name_key`."""
        await self._write(partial(people.add_member, member))

    async def member(self, member: MemberId) -> Member | None:
        return await self._read(partial(people.member, member))

    async def touch(self, members: Collection[MemberId], now: Millis) -> set[MemberId]:
        """They were here at `now`, which is noted to within minutes. Returns those among them who are no more."""
        whose, gone = [*members], set[MemberId]()
        # In parts: who writes a post meanwhile waits for one part at most.
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
        """Raises NAME_TAKEN or MEMBER_UNKNOWN. Posts keep the name they were written under. Returns the generation of
        the name, which is a new one unless the name is the same. In `rooms`, where they are now, whoever is hidden
        stays hidden."""
        return await self._write(partial(people.rename, member, name, name_key, rooms, rules))

    async def set_code(self, member: MemberId, code_hash: bytes) -> None:
        """Raises MEMBER_UNKNOWN."""
        await self._write(partial(people.set_code, member, code_hash))

    async def member_by_code(self, code_hash: bytes) -> Member | None:
        return await self._read(partial(people.member_by_code, code_hash))

    async def hiding(self, member: MemberId) -> Hiding:
        """Whom a member hides, and who hides them."""
        return await self._read(partial(hiding.hiding, member))

    async def standings(self, members: Collection[MemberId]) -> dict[MemberId, tuple[Persona, Hiding]]:
        """Return for many members at once what they are called, and what `hiding` says; nothing for those who are no
        more."""
        return await self._read(partial(hiding.standings, members))

    async def set_mute(self, member: MemberId, other: MemberId, on: bool, limit: int, generation: int = 0) -> None:
        """Hide somebody under the name of one generation, or no longer. Raises TOO_MANY_MUTES beyond `limit`."""
        await self._write(partial(hiding.set_mute, member, other, on, limit, generation))

    async def joined_rooms(self, member: MemberId) -> dict[RoomId, JoinedRoom]:
        """Every room the member joined and has not left."""
        return await self._read(partial(people.joined_rooms, member))

    async def join(self, member: MemberId, room: RoomId, agreement: int | None) -> JoinedRoom:
        """Enter, recording the accepted agreement version where given.

        A session's room is entered only by those whom the session made its members, also to read when it is closed; it
        is ROOM_UNKNOWN to all others. Raises ROOM_UNKNOWN, ROOM_CLOSED, or AGREEMENT_REQUIRED where neither `agreement`
        nor an earlier acceptance reaches the room's current version; its details are `agreement`, the text, and
        `agreement_version`. A first join reads from the present: nothing is unread."""
        # Coming back is far more frequent than coming, and writes nothing.
        entered = await self._read(partial(people.entered, member, room, agreement))
        return entered if entered is not None else await self._write(partial(people.join, member, room, agreement))

    async def leave(self, member: MemberId, room: RoomId) -> None:
        """The membership stays for its slow mode and acceptance; the room is no longer joined."""
        await self._write(partial(people.leave, member, room))

    async def left_rooms(self, members: Collection[MemberId]) -> set[tuple[MemberId, RoomId]]:
        """Return the rooms that these members have left and not joined again, each with who left it."""
        return await self._read(partial(people.left_rooms, members))

    async def mark_read(self, member: MemberId, room: RoomId, offset: Offset, epoch: Epoch | None = None) -> None:
        """Never moves backwards, nor beyond the room's last offset. Raises EPOCH_STALE for an offset of another
        numbering."""
        await self._write(partial(people.mark_read, member, room, offset, epoch))

    async def export(self, member: MemberId, now: Millis) -> Export | None:
        """Everything that is kept about one person, None for somebody who is no member. It holds nothing of an open
        report about them or of a session of theirs: that staff read it is told by the day, for one fixed reason, from
        `domain.report_access.VIEWS_AFTER` after the report's end."""
        return await self._read(partial(people.export, member, now, self._sealer))

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
        publications = await self._write(partial(forgetting.erase, member, now, self._sealer))
        # Also where nothing was found: an earlier attempt may have been interrupted here.
        await self._scrub(Scrub.LOG)
        return publications

    # Time

    async def expire(self, now: Millis, retention: Retention) -> dict[ChannelName, Head]:
        """Forget what is older than `retention` allows; the new heads of the channels that lost something. Bounded
        work per call; call it again while it returns anything.

        Reports, debriefs and feedback have ages of their own. Members who are staff or stand on the floor stay.
        Sessions' rooms are the floor's to drop; only one whose session is nowhere goes after a day."""
        await self._forget_tries(now)
        if await self._read(partial(listening.orphans, now)):
            await self._write(partial(listening.drop_orphans, now))
        expired = await self._write(partial(forgetting.expire, now, retention))
        if expired.removed_anything:
            await self._scrub(Scrub.LOG)
        if expired.has_dropped:
            # Only now, so that a scrub that fails is owed still.
            await self._write(partial(forgetting.note_scrubbed, expired.dropped))
        return expired.heads

    async def rewrite(self, now: Millis) -> bool:
        """Overwrite what was removed wherever the database may have left copies of it, for all erasures and expiries
        that are owed it: at most once an hour over all workers, and only what is small enough that nobody waits longer
        than about a second. Cheap where nothing is owed. Returns whether it was done."""
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
