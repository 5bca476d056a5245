"""What one worker keeps of a member who is connected, or was lately."""

from __future__ import annotations

from typing import Final

from chatserver.domain.history import Millis
from chatserver.domain.limits import Limits
from chatserver.domain.moderation.pace import Paces
from chatserver.domain.rooms.rooms import RoomId
from chatserver.domain.shared_limits import Shared, SharedBucket, Sharing
from chatserver.handlers.connection import Connection

RATES_OF_MEMBERS: Final = (Shared.COMMANDS, Shared.POSTS, Shared.REACTIONS, Shared.NAMES, Shared.CODES)


class MemberRates:
    """How fast every member may do what is counted for a member."""

    __slots__ = ("_rates", "_sharing")

    def __init__(self, sharing: Sharing, limits: Limits) -> None:
        self._sharing = sharing
        self._rates = {
            Shared.COMMANDS: (limits.member_commands_per_second, limits.member_command_burst),
            Shared.POSTS: (limits.posts_per_second, limits.post_burst),
            Shared.REACTIONS: (limits.reactions_per_second, limits.reaction_burst),
            Shared.NAMES: (limits.names_per_hour / 3_600, limits.names_per_hour),
            Shared.CODES: (limits.codes_per_minute / 60, limits.codes_per_minute),
        }

    def bucket(self, kind: Shared, key: bytes, now: float) -> SharedBucket:
        """Return a full bucket of one of `RATES_OF_MEMBERS` for the member with this key."""
        rate, burst = self._rates[kind]
        return SharedBucket(self._sharing, kind, key, rate, burst, now)


class Online:
    """A member's connections on this worker, and the rate limits that they share on all workers.

    Most members who are here only read. So everything but their connections is made when it is first needed. `key`
    names the member in what workers tell each other of limits.
    """

    __slots__ = ("_buckets", "_paces", "_rates", "_wrote_at", "connections", "is_renaming", "key")

    def __init__(self, key: bytes, rates: MemberRates) -> None:
        self.key = key
        self.connections: tuple[Connection, ...] = ()
        self.is_renaming = False
        self._rates = rates
        self._buckets: tuple[SharedBucket, ...] = ()
        self._paces: Paces | None = None
        self._wrote_at: dict[RoomId, Millis] | None = None

    def bucket(self, kind: Shared, now: float) -> SharedBucket:
        """Return the member's bucket of one of `RATES_OF_MEMBERS`. `now` is in seconds."""
        for bucket in self._buckets:
            if bucket.kind is kind:
                return bucket
        made = self._rates.bucket(kind, self.key, now)
        self._buckets = (*self._buckets, made)
        return made

    def is_full(self, now: float) -> bool:
        """Return whether all buckets are full, so that forgetting them changes nothing."""
        return all(bucket.is_full(now) for bucket in self._buckets)

    @property
    def paces(self) -> Paces:
        """Return what the member did lately."""
        if self._paces is None:
            self._paces = Paces()
        return self._paces

    def wrote_at(self, room: RoomId) -> Millis | None:
        """Return when the member last wrote in a room that has a pace, or None if that is not known."""
        return None if self._wrote_at is None else self._wrote_at.get(room)

    def note_post(self, room: RoomId, at: Millis) -> None:
        """Note that the member wrote in a room that has a pace."""
        if self._wrote_at is None:
            self._wrote_at = {}
        self._wrote_at[room] = at

    def add(self, connection: Connection) -> None:
        """Note a connection of the member."""
        self.connections = (*self.connections, connection)

    def remove(self, connection: Connection) -> None:
        """Forget a connection of the member."""
        self.connections = tuple(each for each in self.connections if each is not connection)
