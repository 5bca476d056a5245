"""One socket's standing: who is behind it, which rooms it is in, and how fast it asks."""

from __future__ import annotations

from collections.abc import Callable

from chatserver.delivery.outbox import Outbox
from chatserver.domain.identity import Person
from chatserver.domain.limits import Bucket
from chatserver.domain.rooms import RoomId


class Connection:
    """Lives from the accepted handshake to the end of the socket. `person` is None until hello."""

    __slots__ = (
        "admit_guest", "bad_frames", "bucket", "member_bucket", "outbox", "patience", "person",
        "rooms", "token",
    )  # fmt: skip

    def __init__(
        self, outbox: Outbox, *, token: str | None, bucket: Bucket, patience: Bucket, admit_guest: Callable[[], float]
    ) -> None:
        self.outbox = outbox
        self.token = token
        """What the cookie said, until hello has read it."""
        self.admit_guest = admit_guest
        """Seconds until this address may become another guest; 0.0 means now, and counts."""
        self.person: Person | None = None
        self.bucket = bucket
        self.patience = patience
        """Runs out where commands are refused for their pace again and again."""
        self.member_bucket: Bucket | None = None
        self.rooms: set[RoomId] = set()
        self.bad_frames = 0
