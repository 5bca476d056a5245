"""What a store promises about closed cases, from which the second look learns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeVar

from chatserver.domain.moderation.local_training import ClosedCase
from chatserver.store import closed_cases
from chatserver.store.core.compiler import MakeOp

T = TypeVar("T")


class ClosedCasesStore(ABC):
    """Reads what moderators have judged. Raises `StoreUnavailable` like every part of the store."""

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    async def closed_cases(self) -> tuple[ClosedCase, ...]:
        """Return the newest escalations that a moderator closed singly, with the words of the post that raised each.
        None is of an erased person, of a session or meeting, or about staff."""
        return await self._read(closed_cases.closed_cases)
