"""One socket's standing: who is behind it, which rooms it is in, and how fast it asks."""

from __future__ import annotations

from collections.abc import Callable

from chatserver.delivery.outbox import Outbox
from chatserver.domain.identity import Person
from chatserver.domain.limits import Bucket
from chatserver.domain.rooms import RoomId
from chatserver.domain.staff import Role


class Connection:
    """Lives from the accepted handshake to the end of the socket. `person` is None until hello."""

    __slots__ = (
        "address", "admit_guest", "admit_words", "bad_frames", "bucket", "member_bucket", "outbox", "patience",
        "person", "roles", "rooms", "sign_in", "staff_token", "token",
    )  # fmt: skip

    def __init__(
        self,
        outbox: Outbox,
        *,
        token: str | None,
        staff_token: str | None,
        bucket: Bucket,
        patience: Bucket,
        admit_guest: Callable[[], float],
        admit_words: Callable[[], float],
        address: bytes = b"",
    ) -> None:
        self.outbox = outbox
        self.token = token
        """What the cookie said, until hello has read it."""
        self.staff_token = staff_token
        """What the other cookie said, which stands for a sign-in of the staff."""
        self.roles: frozenset[Role] = frozenset()
        """Of whoever said hello as staff; nobody else has any."""
        self.sign_in: bytes | None = None
        """The hash of the token that hello was said with, where it was said as staff."""
        self.address = address
        """The keyed hash of where it comes from, whose key is another tomorrow."""
        self.admit_guest = admit_guest
        """Seconds until this address may become another guest; 0.0 means now, and counts."""
        self.admit_words = admit_words
        """Seconds until this address may try come-back words; 0.0 means now, and counts."""
        self.person: Person | None = None
        self.bucket = bucket
        self.patience = patience
        """Runs out where commands are refused for their pace again and again."""
        self.member_bucket: Bucket | None = None
        self.rooms: set[RoomId] = set()
        self.bad_frames = 0
