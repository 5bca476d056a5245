"""What a store promises about second looks at posts, and how it is done for every database.

Nothing is written for a post that is looked at and raises nothing: each worker says now and then up to which time it
has looked at everything that it committed. What a dead worker left is everything since then.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from chatserver.domain.history import ChannelName, Millis, Offset
from chatserver.domain.identity import NodeId
from chatserver.store import second_looks
from chatserver.store.core.compiler import MakeOp
from chatserver.store.core.sealing import Sealer
from chatserver.store.second_looks_records import LateSignal, Left, Texts

T = TypeVar("T")


class SecondLooksStore(ABC):
    """Keeps what second looks find. Raises `StoreUnavailable` like every part of the store."""

    _sealer: Sealer

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    async def note_looked(self, worker: NodeId, until: Millis) -> None:
        """Note that a worker has looked at everything that it committed before a time."""
        await self._write(partial(second_looks.note, worker, until))

    async def left_unlooked(self, before: Millis) -> list[Left]:
        """Return the workers that have looked at nothing since a time, those that are furthest behind first."""
        return await self._read(partial(second_looks.left, before))

    async def end_looking(self, worker: NodeId, until: Millis) -> None:
        """Forget a worker, unless it has looked at more than this meanwhile."""
        await self._write(partial(second_looks.end, worker, until))

    async def channels_since(self, since: Millis) -> list[ChannelName]:
        """Return the channels in which anything was published since a time."""
        return await self._read(partial(second_looks.channels_since, since))

    async def texts_since(self, channel: ChannelName, before: Offset, since: Millis, limit: int) -> Texts:
        """Return what was written or changed since a time, with offsets below `before`."""
        return await self._read(partial(second_looks.texts, channel, before, since, limit))

    async def escalate_late(self, found: Sequence[LateSignal]) -> int:
        """Save escalations of posts that are there already, each in their present words, and never twice. Return how
        many were made or added to another one."""
        return await self._write(partial(second_looks.escalate_late, found, self._sealer))
