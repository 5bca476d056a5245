"""The state of one connection: who it belongs to, which rooms it is in, and how fast it may ask."""

from __future__ import annotations

from typing import Final, Protocol

from chatserver.delivery.outbox import Outbox
from chatserver.domain.history import Millis
from chatserver.domain.identity import Persona
from chatserver.domain.limits import Bucket
from chatserver.domain.moderation.newcomers import USUAL
from chatserver.domain.people.staff import Capability, Role, may
from chatserver.domain.rooms.rooms import RoomId
from chatserver.domain.sources import UNKNOWN_SOURCE, Source

NEVER: Final = float("-inf")
_NO_ROLES: Final[frozenset[Role]] = frozenset()


class AddressLimits(Protocol):
    """What is allowed to the address that a connection comes from."""

    def admit_guest(self) -> float:
        """Return the seconds until this address may become another guest; 0.0 means now, and counts."""
        ...

    async def admit_words(self) -> None:
        """Count a try of come-back words. Raises RATE_LIMITED."""
        ...

    async def admit_code(self) -> None:
        """Count a come-back code that is made. Raises RATE_LIMITED."""
        ...


class Connection:
    """Lives from the accepted handshake to the end of the socket. `person` is None until hello."""

    __slots__ = (
        "address", "address_limits", "bad_frames", "bucket", "created_at", "credentials", "member_bucket", "outbox",
        "patience", "person", "prefixes", "reading", "roles", "rooms", "share", "sign_in", "staff_token", "token",
        "welcome",
    )  # fmt: skip

    def __init__(
        self,
        outbox: Outbox,
        *,
        token: str | None,
        staff_token: str | None,
        bucket: Bucket,
        address_limits: AddressLimits,
        source: Source = UNKNOWN_SOURCE,
    ) -> None:
        self.outbox = outbox
        self.token = token
        """What the cookie said, until hello has read it."""
        self.staff_token = staff_token
        """What the other cookie said, which stands for a sign-in of the staff."""
        self.roles: frozenset[Role] = _NO_ROLES
        """Of whoever said hello as staff; nobody else has any."""
        self.sign_in: bytes | None = None
        """The hash of the token that hello was said with, where it was said as staff."""
        self.address = source.key
        """The keyed hash of where it comes from (of an IPv6 address, its /64), whose key is another tomorrow."""
        self.prefixes = source.prefixes
        """The keyed hashes of that and of the wider networks around it, of today and of yesterday."""
        self.share = source.share
        """How many people are expected behind that address: a factor of what is allowed to an address."""
        self.address_limits = address_limits
        self.person: Persona | None = None
        self.bucket = bucket
        self.patience: Bucket | None = None
        """Runs out where commands are refused for their pace again and again. None until one was refused."""
        self.member_bucket: Bucket | None = None
        self.credentials = 0
        """The generation of the token that hello was said with."""
        self.welcome = USUAL
        """How its member is met, where they are a newcomer from where a measure was taken."""
        self.created_at = Millis(0)
        """When its member became a guest; 0 where that is long ago, or before hello."""
        self.rooms: dict[RoomId, float] = {}
        """The rooms that it is in, each with when its member last did something there, by the node's monotonic clock;
        `NEVER` where that is not noted."""
        self.reading: tuple[RoomId, ...] = ()
        """Of those, the rooms where its member has no seat any more and only reads."""
        self.bad_frames = 0

    def enter(self, room: RoomId) -> None:
        """Note that it is in a room."""
        self.rooms.setdefault(room, NEVER)

    def leave(self, room: RoomId) -> None:
        """Note that it is in a room no more."""
        self.rooms.pop(room, None)
        self.take_seat(room)

    def give_seat(self, room: RoomId) -> None:
        """Note that its member only reads in a room."""
        self.reading = (*self.reading, room)

    def take_seat(self, room: RoomId) -> None:
        """Note that its member does not only read in a room."""
        if room in self.reading:
            self.reading = tuple(each for each in self.reading if each != room)

    @property
    def is_moderator(self) -> bool:
        """Return whether this connection said hello as staff who may moderate, as far as is known now."""
        return may(self.roles, Capability.MODERATE)

    @property
    def networks(self) -> tuple[bytes, ...]:
        """Return the keyed hashes of the connection's address and of the wider networks around it, narrowest first."""
        return self.prefixes.today
