"""The bus inside one process.

It behaves like Redis: bytes are carried, with a delay, and a publisher hears itself only through the bus. Several
`MemoryBus` on one `Exchange` are several nodes in one process. An exchange may be told to fail as a real bus may
(`Faults`), from a seed, so that a failing run can be repeated.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from chatserver.bus.contract import OnAttached, OnMessage, Topic

logger = logging.getLogger("chatserver.bus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How an exchange fails: each rate is the chance, 0.0 to 1.0, for each message on its way to each node."""

    lose: float = 0.0
    repeat: float = 0.0
    delay: float = 0.0
    """The chance that a message is held back and arrives after later ones."""


class Exchange:
    """The part that several MemoryBus share: it hands each message to every node that listens.

    The same seed and the same calls give the same losses, repeats and orders.
    """

    def __init__(self, *, seed: int = 0, faults: Faults | None = None) -> None:
        self.faults = faults
        self._random = Random(seed)
        self._nodes: list[MemoryBus] = []
        self._is_up = True

    @property
    def is_up(self) -> bool:
        """Return whether the exchange carries messages now."""
        return self._is_up

    @property
    def nodes(self) -> int:
        """Return how many nodes there are."""
        return len(self._nodes)

    def interrupt(self) -> None:
        """Stop carrying, like a Redis that is gone: every node is told that it is detached."""
        self._set_up(False)

    def resume(self) -> None:
        """Carry messages again."""
        self._set_up(True)

    def add(self, node: MemoryBus) -> None:
        self._nodes.append(node)

    def remove(self, node: MemoryBus) -> None:
        if node in self._nodes:
            self._nodes.remove(node)

    def carry(self, messages: Iterable[tuple[Topic, bytes]]) -> None:
        """Give messages to every node that listens to their topics."""
        if self.faults is None:
            for topic, payload in messages:
                for node in tuple(self._nodes):
                    node.receive(topic, payload)
            return
        for topic, payload in messages:
            for node in tuple(self._nodes):
                self._misdeliver(self.faults, node, topic, payload)

    def _misdeliver(self, faults: Faults, node: MemoryBus, topic: Topic, payload: bytes) -> None:
        if self._random.random() < faults.lose:
            return
        for _ in range(2 if self._random.random() < faults.repeat else 1):
            if self._random.random() < faults.delay:
                delay = self._random.uniform(0.001, 0.02)
                asyncio.get_running_loop().call_later(delay, node.receive, topic, payload)
            else:
                node.receive(topic, payload)

    def _set_up(self, is_up: bool) -> None:
        if is_up is not self._is_up:
            self._is_up = is_up
            for node in tuple(self._nodes):
                node.attachment_changed(is_up)


class MemoryBus:
    """The in-process implementation of `chatserver.bus.contract.Bus`."""

    def __init__(
        self, exchange: Exchange | None = None, *, buffer_messages: int = 20_000, buffer_bytes: int = 32 * 1024 * 1024
    ) -> None:
        self._exchange = exchange if exchange is not None else Exchange()
        self._buffer: deque[tuple[Topic, bytes]] = deque()
        self._buffered_bytes = 0
        self._buffer_messages = buffer_messages
        self._buffer_bytes = buffer_bytes
        self._topics: set[Topic] = set()
        self._dropped = 0
        self._is_open = False
        self._on_message: OnMessage | None = None
        self._on_attached: OnAttached | None = None

    @property
    def is_attached(self) -> bool:
        """See the contract."""
        return self._is_open and self._exchange.is_up

    @property
    def dropped(self) -> int:
        """See the contract."""
        return self._dropped

    @property
    def is_alone(self) -> bool:
        """See the contract."""
        return self._is_open and self._exchange.nodes == 1

    async def start(self, on_message: OnMessage, on_attached: OnAttached) -> None:
        """See the contract. `on_attached(True)` is called before this returns."""
        self._on_message, self._on_attached = on_message, on_attached
        self._is_open = True
        self._exchange.add(self)
        if self._exchange.is_up:
            on_attached(True)

    async def subscribe(self, topics: Collection[Topic]) -> None:
        """See the contract."""
        self._topics.update(topics)

    async def unsubscribe(self, topics: Collection[Topic]) -> None:
        """See the contract."""
        self._topics.difference_update(topics)

    def publish(self, messages: Sequence[tuple[Topic, bytes]]) -> None:
        """See the contract. Messages arrive on a later turn of the loop."""
        if not self.is_attached:
            self._dropped += len(messages)
            return
        was_empty = not self._buffer
        for topic, payload in messages:
            size = len(payload)
            if len(self._buffer) >= self._buffer_messages or self._buffered_bytes + size > self._buffer_bytes:
                self._dropped += 1
                continue
            self._buffer.append((topic, bytes(payload)))
            self._buffered_bytes += size
        if was_empty and self._buffer:
            asyncio.get_running_loop().call_soon(self._flush)

    async def close(self) -> None:
        """See the contract."""
        self._flush()
        self._is_open = False
        self._exchange.remove(self)

    def receive(self, topic: Topic, payload: bytes) -> None:
        """Called by the exchange with each message on its way to this node."""
        if topic not in self._topics or not self.is_attached or self._on_message is None:
            return
        try:
            self._on_message(topic, payload)
        except Exception:
            logger.exception("a bus message could not be handled")

    def attachment_changed(self, is_attached: bool) -> None:
        """Called by the exchange when it stops or starts carrying."""
        if not is_attached:
            self._dropped += len(self._buffer)
            self._buffer.clear()
            self._buffered_bytes = 0
        if self._on_attached is not None:
            self._on_attached(is_attached)

    def _flush(self) -> None:
        if not self.is_attached:
            return
        messages = tuple(self._buffer)
        self._buffer.clear()
        self._buffered_bytes = 0
        self._exchange.carry(messages)
