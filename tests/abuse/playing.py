"""How an attack is played: against a server of its own, or one that others share."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Self

from websockets.exceptions import ConnectionClosed

from tests.abuse.attack import Attack, Outcome
from tests.abuse.scene import Place, Scene
from tests.kit.client import Refused


class Stage:
    """Where attacks are played one after the other. Those that are not alone share one server, started for the first.

    `redis_url` is for those that need several workers; with `is_timed` attacks
    measure what is usual before they begin.
    """

    def __init__(self, redis_url: str | None = None, *, is_timed: bool = False) -> None:
        self._is_timed = is_timed
        self._redis_url = redis_url
        self._numbers = itertools.count()
        self._shared: Place | None = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextlib.contextmanager
    def place(self, attack: Attack) -> Iterator[Place]:
        """Give the server that an attack is played against."""
        if attack.is_alone or attack.workers > 1:
            redis_url = self._redis_url if attack.workers > 1 else None
            with Place(attack.workers, redis_url, hashes_quickly=not self._is_timed) as place:
                yield place
            return
        if self._shared is None:
            self._shared = self._stack.enter_context(Place(hashes_quickly=not self._is_timed))
        yield self._shared

    async def play(self, attack: Attack) -> Outcome:
        """Play an attack and return what came of it."""
        with self.place(attack) as place:
            async with Scene(place, next(self._numbers) % 256, is_timed=self._is_timed) as scene:
                try:
                    return await attack.run(scene)
                except (Refused, TimeoutError, ConnectionClosed) as error:
                    return Outcome(faults=[f"the attack could not be played to its end: {error!r}"])
