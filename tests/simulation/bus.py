"""The in-process bus with the delays of a real one: every message takes its own time to each worker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from random import Random

from chatserver.bus.contract import Topic
from chatserver.bus.memory import Exchange, Faults, MemoryBus


class SimulatedBus(MemoryBus):
    """One worker's end. `is_cut`: it has lost its connection and knows it. `is_deaf`: it has, and does not know yet."""

    def __init__(self, exchange: SimulatedExchange) -> None:
        super().__init__(exchange)
        self.is_cut = False
        self.is_deaf = False

    @property
    def is_attached(self) -> bool:
        return not self.is_cut and super().is_attached

    def cut(self, is_cut: bool) -> None:
        if is_cut is not self.is_cut:
            self.is_cut = is_cut
            if self._is_open:
                self.attachment_changed(self.is_attached)

    def listens_to(self, topic: Topic) -> bool:
        return topic in self._topics

    def receive(self, topic: Topic, payload: bytes) -> None:
        if not self.is_deaf:
            super().receive(topic, payload)


class SimulatedExchange(Exchange):
    """Loses, repeats and delays messages as its `faults` say."""

    def __init__(self, random: Random, faults: Faults, seconds: float) -> None:
        super().__init__(faults=faults)
        self._chance = random
        self._seconds = seconds
        self.last_due = 0.0
        """When the last message that was sent so far arrives."""

    def calm(self) -> None:
        """Stop all faults, except for messages that are under way."""
        self.faults = Faults()
        self.resume()
        for node in self._nodes:
            if isinstance(node, SimulatedBus):
                node.is_deaf = False
                node.cut(False)

    def carry(self, messages: Iterable[tuple[Topic, bytes]]) -> None:
        chance, loop = self._chance, asyncio.get_running_loop()
        faults = self.faults or Faults()
        for topic, payload in messages:
            for node in self._nodes:
                if not isinstance(node, SimulatedBus) or not node.listens_to(topic) or chance.random() < faults.lose:
                    continue
                for _ in range(2 if chance.random() < faults.repeat else 1):
                    is_held = chance.random() < faults.delay
                    delay = chance.uniform(0.0002, self._seconds if is_held else 0.002)
                    self.last_due = max(self.last_due, loop.time() + delay)
                    loop.call_later(delay, node.receive, topic, payload)
