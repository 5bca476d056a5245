"""What a store promises about the model's scores and levels, and how it is done for every database.

Counts hold no text and no id. Every change of the levels is entered in the audit log in the same transaction.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from chatserver.domain.history import Millis
from chatserver.domain.moderation.screening_levels import Model, ScreeningLevels
from chatserver.domain.moderation.screening_outcomes import ClosedEscalation
from chatserver.store import screening
from chatserver.store.core.compiler import MakeOp
from chatserver.store.room_settings_records import StaffAction
from chatserver.store.screening_records import LevelsWanted, Scored, ScreeningSeen

T = TypeVar("T")


class ScreeningStore(ABC):
    """Keeps counts of scores, and the levels. Raises `StoreUnavailable` like every part of the store."""

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    async def add_scores(self, model: str, some: Sequence[Scored]) -> None:
        """Add what one worker has counted."""
        await self._write(partial(screening.add_scores, model, some))

    async def screening(self, model: str, now: Millis) -> ScreeningSeen:
        """Return what is set, and the scores of the last weeks."""
        return await self._read(partial(screening.seen, model, now))

    async def screening_levels(self) -> ScreeningLevels:
        """Return what is set."""
        return await self._read(screening.levels)

    async def follow_scores(self, model: Model, now: Millis) -> ScreeningLevels:
        """Move the levels once in a week (`domain.moderation.screening_levels.moved`), whichever worker is first.
        Return what holds."""
        return await self._write(partial(screening.follow, model, now))

    async def set_screening(self, wanted: LevelsWanted, model: Model, deed: StaffAction) -> ScreeningLevels:
        """Set what an operator wants. Raises SCREENING_CHANGED, and TEXT_EMPTY or TEXT_TOO_LONG for the reason."""
        return await self._write(partial(screening.set_levels, wanted, model, deed))

    async def closed_escalations(self, since: Millis, until: Millis) -> list[ClosedEscalation]:
        """Return escalations that were closed from a time up to before another, the newest ones first and at most
        `screening_outcomes.MOST`. Those about staff are not among them, nor those of a flood."""
        return await self._read(partial(screening.closed, since, until))
