"""Who takes a connection's messages once the app has adopted it."""

from __future__ import annotations

from typing import Protocol


class Receiver(Protocol):
    """The app's side of one adopted connection."""

    async def receive(self, data: str | bytes) -> None:
        """One message: text or binary. The next follows when this returns."""
        ...

    def closed(self) -> None:
        """The connection is over. Called exactly once, after the last `receive` has returned, never from within a
        call to the wire."""
        ...
