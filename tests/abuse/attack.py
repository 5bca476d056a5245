"""What an attack is, and what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.abuse.scene import Scene


@dataclass(slots=True)
class Outcome:
    """What one attack came to.

    `cost` says what the attackers spent, `noticed` what others noticed, both in a few words for the table. `faults` are
    the bounds that did not hold; an attack that is held has none. `figures` are times by what they
    are of, for whoever repeats an attack.
    """

    cost: str = ""
    noticed: str = ""
    faults: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)

    def expect(self, holds: bool, what: str) -> None:
        """Note a bound that does not hold."""
        if not holds:
            self.faults.append(what)


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack of `docs/abuse.md`. `bound` says in words what `run` checks; `workers` is how many it needs.

    With `is_alone` it has a server of its own, because of what it leaves behind or because it must meet nobody else.
    """

    name: str
    bound: str
    run: Callable[[Scene], Awaitable[Outcome]]
    workers: int = 1
    is_alone: bool = False
