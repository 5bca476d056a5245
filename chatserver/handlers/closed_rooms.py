"""What a feature that opens closed rooms says about them to the commands of rooms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chatserver.domain.history import Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.crisis_phrases import Signal
from chatserver.domain.rooms.rooms import RoomId


class ClosedRooms(Protocol):
    """The closed rooms of one kind, as one worker knows them. The store decides: what is answered here may be a moment
    old."""

    @property
    def keep(self) -> int:
        """Return for how many milliseconds what was written is kept after the end."""
        ...

    def may_stay(self, room: RoomId, member: MemberId) -> bool:
        """Return whether a member may be in a room, as far as is known here. For a room that is not known here yet the
        answer MUST be yes: then the store decides."""
        ...

    def is_live(self, room: RoomId) -> bool:
        """Return whether what the room is for still goes on. For a room that is not known here yet the answer MUST be
        yes."""
        ...

    def spoke(self, who: MemberId, room: RoomId) -> None:
        """Take note that a member wrote there. MUST NOT wait for anything."""
        ...

    def raised(self, who: MemberId, room: RoomId, post: Offset, signals: Sequence[Signal]) -> None:
        """Take note that a member's post there raised something for moderators. MUST NOT wait for anything. It may be
        told of the same post again."""
        ...

    def typed(self, who: MemberId, room: RoomId) -> None:
        """Take note that a member is writing there. MUST NOT wait for anything."""
        ...
