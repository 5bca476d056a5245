"""The interface that receives a connection's messages once the app has adopted it."""

from __future__ import annotations

from typing import Protocol


class Receiver(Protocol):
    """The app's side of one adopted connection."""

    async def receive(self, data: str | bytes) -> None:
        """Handle one message, text or binary. The next follows when this returns."""
        ...

    def closed(self) -> None:
        """Note that the connection is over. Called exactly once, after the last `receive` has returned, and never from
        within a call to the wire."""
        ...
