"""What is the same for every database: the contract's methods as operations, and what a driver must be able to run."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from enum import Enum, auto
from functools import partial
from typing import Final, TypeVar

from chatserver.domain.floor import Floor
from chatserver.domain.history import ChannelName, Head, Millis, Offset
from chatserver.domain.identity import Member, MemberId
from chatserver.domain.rooms import Publication, Room, RoomId
from chatserver.domain.staff import Role, Staff
from chatserver.domain.timings import Recorded
from chatserver.store import floor_forgetting, floor_log, forgetting, people, reading, staff, timings
from chatserver.store.contract import (
    Committed,
    Export,
    FloorChange,
    FloorCommitted,
    Invitation,
    JoinedRoom,
    LogSlice,
    Page,
    Retention,
    RoomChange,
    SignIn,
    StaffSecrets,
)
from chatserver.store.floor_log import FloorOutcome
from chatserver.store.floor_records import Records
from chatserver.store.gathering import Gathering
from chatserver.store.house_operations import HouseOperations
from chatserver.store.moderation_operations import ModerationOperations
from chatserver.store.tables import SCHEMA_REVISION

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
    EVERYTHING_IF_QUICK = auto()
    """Also wherever the database copied it to, if that stops nobody for longer than they would notice."""
    EVERYTHING = auto()
    """Wherever it is."""


class SchemaMismatch(Exception):
    """The database is not at this version's schema. The message says what to do about it."""


def check_revision(found: str | None) -> None:
    """Raise SchemaMismatch unless the database stands at this version's schema."""
    if found is None:
        raise SchemaMismatch("the database has no tables yet: run `chatserver migrate`")
    if found != SCHEMA_REVISION:
        raise SchemaMismatch(
            f"the database is at schema {found}, this version needs {SCHEMA_REVISION}: "
            "run `chatserver migrate`, or start the version that wrote it"
        )


class Operations(ModerationOperations, HouseOperations):
    """The contract (`contract.Store`) over four things that a driver can do.

    `timeout` in seconds bounds every call; `backlog` is how many commits on the floor may wait.
    """

    def __init__(self, timeout: float, backlog: int) -> None:
        self._records = Records()
        self._floor_commits = Gathering(self._commit_floor, timeout, backlog)

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

    async def room(self, room: RoomId) -> Room | None:
        return await self._read(partial(reading.room, room))

    # The floor

    async def commit_floor(self, change: FloorChange) -> FloorCommitted:
        return await self._floor_commits.run(change)

    async def _commit_floor(self, changes: Sequence[FloorChange]) -> Sequence[FloorOutcome]:
        return await self._write(partial(floor_log.commit, changes, self._records))

    async def floor(self) -> Floor:
        return await self._read(partial(floor_log.floor, self._records))

    async def timings(self, since: Millis, now: Millis, most: int) -> Recorded:
        return await self._read(partial(timings.timings, self._records, since, now, most))

    async def floor_version(self) -> int:
        return await self._read(floor_log.version)

    async def clock(self) -> Millis | None:
        return None

    async def see(self, members: Collection[MemberId], now: Millis) -> None:
        whose = [*members]
        for part in (whose[at : at + _TOUCHED_AT_ONCE] for at in range(0, len(whose), _TOUCHED_AT_ONCE)):
            await self._write(partial(floor_log.see, part, now))

    async def listener_of_words(self, words_hash: bytes, now: Millis) -> MemberId | None:
        return await self._read(partial(floor_log.listener_of_words, words_hash, now))

    async def blocked_with(self, member: MemberId) -> frozenset[MemberId]:
        return await self._read(partial(floor_log.blocked_with, member))

    # Staff

    async def add_staff(self, secrets: StaffSecrets, name_key: str, invitation: bytes | None) -> None:
        await self._write(partial(staff.add_staff, secrets, name_key, invitation))

    async def staff_by_login(self, login: str) -> StaffSecrets | None:
        return await self._read(partial(staff.staff_by_login, login))

    async def staff(self, member: MemberId) -> StaffSecrets | None:
        return await self._read(partial(staff.staff, member))

    async def all_staff(self) -> list[Staff]:
        return await self._read(staff.all_staff)

    async def set_staff(self, member: MemberId, roles: frozenset[Role], *, by: MemberId | None = None) -> None:
        await self._write(partial(staff.set_staff, member, roles, by))

    async def revoke_staff(self, member: MemberId, now: Millis, *, by: MemberId | None = None) -> None:
        await self._write(partial(staff.revoke_staff, member, now, by))

    async def set_password(self, member: MemberId, password_hash: str) -> None:
        await self._write(partial(staff.set_password, member, password_hash))

    async def set_totp(self, member: MemberId, secret: str | None) -> None:
        await self._write(partial(staff.set_totp, member, secret))

    async def use_totp(self, member: MemberId, step: int) -> bool:
        return await self._write(partial(staff.use_totp, member, step))

    async def add_invitation(self, invitation: Invitation) -> None:
        await self._write(partial(staff.add_invitation, invitation))

    async def invitation(self, link_hash: bytes, now: Millis) -> Invitation | None:
        return await self._read(partial(staff.invitation, link_hash, now))

    async def sign_in(self, token_hash: bytes, member: MemberId, now: Millis, expires_at: Millis) -> None:
        await self._write(partial(staff.sign_in, token_hash, member, now, expires_at))

    async def sign_ins(self, token_hashes: Collection[bytes], now: Millis) -> dict[bytes, SignIn]:
        return await self._read(partial(staff.sign_ins, token_hashes, now))

    async def confirm_sign_in(self, token_hash: bytes, now: Millis) -> None:
        await self._write(partial(staff.confirm_sign_in, token_hash, now))

    async def sign_out(self, token_hash: bytes) -> None:
        await self._write(partial(staff.sign_out, token_hash))

    async def good_staff(self, members: Collection[MemberId]) -> dict[MemberId, Staff]:
        return await self._read(partial(staff.good_staff, members))

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

    async def rename(self, member: MemberId, name: str, name_key: str) -> None:
        await self._write(partial(people.rename, member, name, name_key))

    async def set_code(self, member: MemberId, code_hash: bytes) -> None:
        await self._write(partial(people.set_code, member, code_hash))

    async def member_by_code(self, code_hash: bytes) -> Member | None:
        return await self._read(partial(people.member_by_code, code_hash))

    async def muted(self, member: MemberId) -> list[MemberId]:
        return await self._read(partial(people.muted, member))

    async def set_mute(self, member: MemberId, other: MemberId, on: bool, limit: int) -> None:
        await self._write(partial(people.set_mute, member, other, on, limit))

    async def joined_rooms(self, member: MemberId) -> dict[RoomId, JoinedRoom]:
        return await self._read(partial(people.joined_rooms, member))

    async def join(self, member: MemberId, room: RoomId, agreement: int | None) -> JoinedRoom:
        # Coming back is far more frequent than coming, and writes nothing.
        entered = await self._read(partial(people.entered, member, room, agreement))
        return entered if entered is not None else await self._write(partial(people.join, member, room, agreement))

    async def leave(self, member: MemberId, room: RoomId) -> None:
        await self._write(partial(people.leave, member, room))

    async def mark_read(self, member: MemberId, room: RoomId, offset: Offset) -> None:
        await self._write(partial(people.mark_read, member, room, offset))

    async def export(self, member: MemberId) -> Export | None:
        return await self._read(partial(people.export, member))

    async def erase(self, member: MemberId, now: Millis) -> list[Publication]:
        erased = await self._write(partial(forgetting.erase, member, now))
        # Also where nothing was found: an earlier attempt may have been interrupted here.
        await self._scrub(Scrub.EVERYTHING if erased.had_text else Scrub.LOG)
        return erased.publications

    # Time

    async def expire(self, now: Millis, retention: Retention) -> dict[ChannelName, Head]:
        if await self._read(partial(floor_forgetting.orphans, now)):
            await self._write(partial(floor_forgetting.drop_orphans, now))
        expired = await self._write(partial(forgetting.expire, now, retention))
        if expired.removed_anything:
            await self._scrub(Scrub.EVERYTHING_IF_QUICK if expired.may_vacuum else Scrub.LOG)
        if expired.has_dropped:
            # Only now, so that a scrub that fails is owed still.
            await self._write(partial(forgetting.note_scrubbed, expired.dropped))
        return expired.heads
