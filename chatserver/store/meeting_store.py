"""What a store promises about meetings and groups, and how it is done for every database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TypeVar

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings.commands import Decided
from chatserver.domain.meetings.groups import Group, GroupId
from chatserver.domain.meetings.state import Meeting, MeetingId
from chatserver.store import meeting_groups, meeting_log
from chatserver.store.core.compiler import MakeOp
from chatserver.store.core.group_commit import GroupCommit
from chatserver.store.core.sealing import Sealer
from chatserver.store.meeting_log import MeetingOutcome
from chatserver.store.meeting_records import GroupWithMeetings, MeetingChange, MeetingCommitted

T = TypeVar("T")


class MeetingStore(ABC):
    """Keeps meetings, each as one state, and the groups that they belong to."""

    def __init__(self, timeout: float, backlog: int, sealer: Sealer) -> None:
        self._meeting_sealer = sealer
        self._meeting_commits = GroupCommit(self._commit_meetings, timeout, backlog)

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    @abstractmethod
    async def _run_in_transaction(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    # Meetings

    async def commit_meeting(self, change: MeetingChange) -> MeetingCommitted:
        """Lock a meeting, load it, decide, save, and carry out the effects, in one transaction. Commands that wait
        together are decided together, each on the meeting that the one before left. Raises MEETING_UNKNOWN, and the
        Refusal of `decide`, which writes nothing.

        On return it is durable."""
        return await self._meeting_commits.run(change)

    async def _commit_meetings(self, changes: Sequence[MeetingChange]) -> Sequence[MeetingOutcome]:
        return await self._run_in_transaction(partial(meeting_log.commit, changes, self._meeting_sealer))

    async def meeting(self, meeting: MeetingId) -> Meeting | None:
        return await self._read(partial(meeting_log.meeting, meeting))

    async def meetings(self, meetings: Collection[MeetingId]) -> dict[MeetingId, Meeting]:
        """Return those of these meetings that exist, in one snapshot."""
        return await self._read(partial(meeting_log.meetings, meetings))

    async def meeting_versions(self, meetings: Collection[MeetingId]) -> dict[MeetingId, int]:
        """Return the versions of those of these meetings that exist, in one cheap read."""
        return await self._read(partial(meeting_log.versions, meetings))

    async def due_meetings(self, now: Millis, limit: int) -> list[MeetingId]:
        """Return at most `limit` meetings of which something is due, the one that waits longest first. A meeting whose
        clock stands still is none of them."""
        return await self._read(partial(meeting_log.due, now, limit))

    async def count_meetings(self) -> dict[tuple[str, str], int]:
        """Return how many meetings are kept, by form and stage."""
        return await self._read(meeting_log.counts)

    async def meetings_of(self, member: MemberId) -> list[MeetingId]:
        """Return the meetings that somebody signed up for, hosts, or is in."""
        return await self._read(partial(meeting_log.meetings_of, member))

    async def see_in_meetings(self, members: Collection[MemberId], now: Millis) -> None:
        """Note that these people have a connection at `now`, in the meetings that they are in. If nobody of a meeting
        was seen for longer than `REACH`, its clock stood still meanwhile, and what is due is due later. No version
        rises."""
        if members:
            await self._write(partial(meeting_log.see, members, now))

    # Groups

    async def add_group(self, group: Group) -> Group:
        """Add a group. If there is one with its id, return that one: the same command came again."""
        return await self._write(partial(meeting_groups.add_group, group))

    async def change_group(self, group: GroupId, change: Callable[[Group], Group], now: Millis) -> Group:
        """Change a group, and those of its meetings that are only announced. Raises GROUP_UNKNOWN and the Refusal of
        `change`, which MUST be pure."""
        return await self._write(partial(meeting_groups.change_group, group, change, now))

    async def end_group(self, group: GroupId, why: str, may: Callable[[Group], None], now: Millis) -> Group:
        """End a group, and call off its meetings that are ahead. Raises GROUP_UNKNOWN and the Refusal of `may`."""
        return await self._write(partial(meeting_groups.end_group, group, why, may, now, self._meeting_sealer))

    async def plan_meetings(
        self,
        group: GroupId,
        may: Callable[[Group], None],
        dates: Sequence[Millis],
        ids: Sequence[MeetingId],
        seeds: Sequence[str],
        now: Millis,
    ) -> list[Meeting]:
        """Plan meetings of a group. Raises GROUP_UNKNOWN, the Refusal of `may`, and those of
        `domain.meetings.groups.plan`, and TOO_MANY_MEETINGS where as many are planned for one time already as one
        installation may have. If meetings with these ids exist, they are returned as they are."""
        return await self._write(partial(meeting_groups.plan, group, may, dates, ids, seeds, now))

    async def sign_up(
        self, member: MemberId, meetings: Sequence[MeetingId], change: Callable[[Meeting], Decided], now: Millis
    ) -> list[MeetingCommitted]:
        """Sign a member up for meetings, all or none. Raises MEMBER_UNKNOWN, TOO_MANY_SIGN_UPS, MEETING_UNKNOWN, and
        the Refusal of `change`."""
        return await self._write(partial(meeting_groups.sign_up, member, meetings, change, now, self._meeting_sealer))

    async def group(self, group: GroupId) -> GroupWithMeetings | None:
        """Return a group with its meetings that are ahead or live, or None if there is none."""
        return await self._read(partial(meeting_groups.group, group))

    async def groups(self) -> list[GroupWithMeetings]:
        """Return every group that goes on, with its meetings that are ahead or live."""
        return await self._read(meeting_groups.groups)
