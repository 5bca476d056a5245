"""How often moderators are rung: each kind has a bound of its own, and rings beyond it are summed up, never dropped.

Pure: the clock arrives as an argument, in seconds.
"""

from __future__ import annotations

from typing import Final, Generic, NamedTuple, TypeVar

from chatserver.domain.limits import Bucket
from chatserver.domain.moderation.report_queue import Ring

T = TypeVar("T")
_MINUTE: Final = 60.0


class Rung(NamedTuple, Generic[T]):
    """One ring: for what, of which kind, and for how many others it stands."""

    kind: Ring
    what: T
    more: int


class Bell(Generic[T]):
    """Holds rings until the bound, `per_minute` of each kind, allows them."""

    def __init__(self, per_minute: int, now: float) -> None:
        self._budgets = {kind: Bucket(per_minute / _MINUTE, per_minute, now) for kind in Ring}
        self._held: dict[Ring, list[T]] = {kind: [] for kind in Ring}

    def hold(self, kind: Ring, what: T) -> None:
        """Add one more to ring for, behind those of its kind."""
        self._held[kind].append(what)

    def forget(self) -> None:
        """Drop all that is held: nobody is there to hear it."""
        for held in self._held.values():
            held.clear()

    def due(self, now: float) -> list[Rung[T]]:
        """Return the rings that may be sent now, and hold them no longer.

        Calls and danger ring one by one; the last for which there is room stands for all that are left. Words come in
        bursts: what is held of them is one ring.
        """
        found: list[Rung[T]] = []
        for kind, held in self._held.items():
            budget = self._budgets[kind]
            while held and budget.take(1.0, now) == 0.0:
                what = held.pop(0)
                is_last = kind is Ring.WORDS or budget.level < 1.0
                found.append(Rung(kind, what, len(held) if is_last else 0))
                if is_last:
                    held.clear()
        return found
