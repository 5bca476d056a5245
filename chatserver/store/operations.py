"""What is the same for every database: the contract's methods as operations, and what a driver must be able to run."""

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
from chatserver.store.arrivals_contract import NameRules
from chatserver.store.arrivals_operations import ArrivalsOperations
from chatserver.store.contract import (
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
from chatserver.store.core.group_commit import GroupCommit
from chatserver.store.core.sealing import Sealer
from chatserver.store.forgetting import forgetting, listening
from chatserver.store.listening_log import FloorOutcome
from chatserver.store.listening_rows import ListeningRows
from chatserver.store.moderation_operations import ModerationOperations
from chatserver.store.room_settings_operations import RoomSettingsOperations
from chatserver.store.staff_operations import StaffOperations
from chatserver.store.tables import SCHEMA_REVISION
from chatserver.store.tries_operations import TriesOperations

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


class Operations(StaffOperations, ModerationOperations, RoomSettingsOperations, TriesOperations, ArrivalsOperations):
    """The contract (`contract.Store`) over four things that a driver can do.

    `timeout` in seconds bounds every call; `backlog` is how many commits on the floor may wait; `sealer` seals what
    only a case may open.
    """

    def __init__(self, timeout: float, backlog: int, sealer: Sealer) -> None:
        ModerationOperations.__init__(self, sealer)
        self._records = ListeningRows()
        self._floor_commits = GroupCommit(self._commit_listening, timeout, backlog)

    @property
    @abstractmethod
    def is_silent(self) -> bool:
        """See `contract.Store`."""

    @abstractmethod
    async def commit(self, change: RoomChange) -> Committed:
        """Run `log.commit_batch` on this change, together with others that wait."""

    @abstractmethod
    async def _scrub(self, what: Scrub) -> None:
        """Make removed text unreadable in the database's files, as far as the database can."""

    async def check_writable(self) -> None:
        await self._write(forgetting.beat)

    # The log

    async def heads(self, channels: Collection[ChannelName]) -> dict[ChannelName, Head]:
        return await self._read(partial(reading.heads, channels))

    async def read(self, channel: ChannelName, after: Offset, limit: int) -> LogSlice:
        return await self._read(partial(reading.read, channel, after, limit))

    async def read_folded(
        self, channel: ChannelName, after: Offset, limit: int, whom: MemberId, reach: int
    ) -> LogSlice:
        return await self._read(partial(reading.read_folded, channel, after, limit, whom, reach))

    async def page(self, channel: ChannelName, before: Offset | None, limit: int, asker: MemberId) -> Page:
        return await self._read(partial(reading.page, channel, before, limit, asker))

    # Rooms

    async def rooms(self) -> list[Room]:
        return await self._read(reading.rooms)

    async def add_rooms(self, rooms: Sequence[Room]) -> int:
        return await self._write(partial(reading.add_rooms, rooms))

    async def renew_epochs(self) -> int:
        """Give every channel a new epoch, for when a backup was restored: what was shown of it since would otherwise
        be taken for what comes now. Returns how many channels there are. Not for use while workers run."""
        return await self._write(reading.renew_epochs)

    async def renew_epoch(self, channel: ChannelName, epoch: Epoch, below: Offset) -> Head:
        return await self._write(partial(reading.renew_epoch, channel, epoch, below))

    async def high_water(self) -> HighWater:
        return await self._read(reading.high_water)

    async def room(self, room: RoomId) -> Room | None:
        return await self._read(partial(reading.room, room))

    # The floor

    async def commit_listening(self, change: ListeningChange) -> ListeningCommitted:
        return await self._floor_commits.run(change)

    async def _commit_listening(self, changes: Sequence[ListeningChange]) -> Sequence[FloorOutcome]:
        return await self._write(partial(listening_log.commit, changes, self._records, self._sealer))

    async def listening_state(self) -> ListeningState:
        return await self._read(partial(listening_log.listening_state, self._records))

    async def timings(self, since: Millis, now: Millis, most: int) -> Recorded:
        return await self._read(partial(queue_history.timings, self._records, since, now, most))

    async def listening_version(self) -> int:
        return await self._read(listening_log.version)

    async def clock(self) -> Millis | None:
        return None

    async def see(self, members: Collection[MemberId], now: Millis) -> None:
        whose = [*members]
        for part in (whose[at : at + _TOUCHED_AT_ONCE] for at in range(0, len(whose), _TOUCHED_AT_ONCE)):
            await self._write(partial(listening_log.see, part, now))

    async def listener_of_words(self, words_hash: bytes, now: Millis) -> MemberId | None:
        return await self._read(partial(listening_log.listener_of_words, words_hash, now))

    async def blocked_with(self, member: MemberId) -> frozenset[MemberId]:
        return await self._read(partial(listening_log.blocked_with, member))

    # Members

    async def add_member(self, member: Member) -> None:
        await self._write(partial(people.add_member, member))

    async def member(self, member: MemberId) -> Member | None:
        return await self._read(partial(people.member, member))

    async def touch(self, members: Collection[MemberId], now: Millis) -> set[MemberId]:
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
        return await self._write(partial(people.rename, member, name, name_key, rooms, rules))

    async def set_code(self, member: MemberId, code_hash: bytes) -> None:
        await self._write(partial(people.set_code, member, code_hash))

    async def member_by_code(self, code_hash: bytes) -> Member | None:
        return await self._read(partial(people.member_by_code, code_hash))

    async def hiding(self, member: MemberId) -> Hiding:
        return await self._read(partial(hiding.hiding, member))

    async def standings(self, members: Collection[MemberId]) -> dict[MemberId, tuple[Persona, Hiding]]:
        return await self._read(partial(hiding.standings, members))

    async def set_mute(self, member: MemberId, other: MemberId, on: bool, limit: int, generation: int = 0) -> None:
        await self._write(partial(hiding.set_mute, member, other, on, limit, generation))

    async def joined_rooms(self, member: MemberId) -> dict[RoomId, JoinedRoom]:
        return await self._read(partial(people.joined_rooms, member))

    async def join(self, member: MemberId, room: RoomId, agreement: int | None) -> JoinedRoom:
        # Coming back is far more frequent than coming, and writes nothing.
        entered = await self._read(partial(people.entered, member, room, agreement))
        return entered if entered is not None else await self._write(partial(people.join, member, room, agreement))

    async def leave(self, member: MemberId, room: RoomId) -> None:
        await self._write(partial(people.leave, member, room))

    async def left_rooms(self, members: Collection[MemberId]) -> set[tuple[MemberId, RoomId]]:
        return await self._read(partial(people.left_rooms, members))

    async def mark_read(self, member: MemberId, room: RoomId, offset: Offset, epoch: Epoch | None = None) -> None:
        await self._write(partial(people.mark_read, member, room, offset, epoch))

    async def export(self, member: MemberId, now: Millis) -> Export | None:
        return await self._read(partial(people.export, member, now, self._sealer))

    async def erase(self, member: MemberId, now: Millis) -> list[Publication]:
        publications = await self._write(partial(forgetting.erase, member, now, self._sealer))
        # Also where nothing was found: an earlier attempt may have been interrupted here.
        await self._scrub(Scrub.LOG)
        return publications

    # Time

    async def expire(self, now: Millis, retention: Retention) -> dict[ChannelName, Head]:
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
