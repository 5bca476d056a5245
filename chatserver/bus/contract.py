"""What every bus MUST do. One parametrised suite (`tests/contract/test_bus.py`) proves each implementation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

Topic = str
OnMessage = Callable[[Topic, bytes], None]
"""Called on the event loop, in order of arrival per topic. It MUST NOT block or raise."""
OnAttached = Callable[[bool], None]
"""Called with True each time the bus becomes able to carry messages, with False each time it stops."""


class Bus(Protocol):
    """Carries small payloads from one worker to all workers that subscribed to a topic, including itself.

    A bus MAY lose, repeat or reorder messages. It MUST NOT invent or change one. After any failure of its backend it
    MUST reconnect by itself, with all subscriptions.
    """

    @property
    def is_attached(self) -> bool:
        """Return whether messages are being carried in both directions, as far as is known now."""
        ...

    @property
    def is_alone(self) -> bool:
        """Return whether this worker alone hears now what it publishes. What is for others only need not be published
        then. MUST be False if the bus cannot know."""
        ...

    async def start(self, on_message: OnMessage, on_attached: OnAttached) -> None:
        """Begin. MUST return within 2 s even if nothing is reachable; the bus then attaches when it is."""
        ...

    async def subscribe(self, topics: Collection[Topic]) -> None:
        """Listen to topics. On return, while attached, later messages on them will arrive. While detached it MUST
        return within 1 s, and the topics are subscribed once attached again. Subscribing twice changes nothing."""
        ...

    async def unsubscribe(self, topics: Collection[Topic]) -> None:
        """Stop listening. A message may still arrive shortly afterwards."""
        ...

    def publish(self, messages: Sequence[tuple[Topic, bytes]]) -> None:
        """Send payloads, in this order, together where the backend can. MUST NOT wait, block or raise: what cannot be
        sent (detached, or the bounded buffer is full) is counted in `dropped` and lost."""
        ...

    @property
    def dropped(self) -> int:
        """Return how many outgoing payloads were lost since the start."""
        ...

    async def close(self) -> None:
        """Send what is buffered (at most 1 s), then end every task and connection."""
        ...
