"""Plans of splits that operators were shown: what is done is what was shown, or it is said that things have changed."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Final, NamedTuple

from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import RoomId

KEPT_SECONDS: Final = 15 * 60.0
MOST_PLANS: Final = 64
"""Plans that one worker keeps; the oldest goes first."""
_MOST_CHANGED: Final = 0.25
"""Which part of the people in a room may have come since a plan was made before it is another room."""

Groups = tuple[tuple[MemberId, ...], ...]


class _Plan(NamedTuple):
    room: RoomId
    groups: Groups
    made_at: float


class SplitPlans:
    """The plans that one worker has shown. `now` is a monotonic clock in seconds."""

    def __init__(self) -> None:
        self._plans: dict[str, _Plan] = {}

    def keep(self, room: RoomId, groups: Groups, now: float) -> str:
        """Keep a plan. Return the name under which `take` finds it."""
        self._plans = {name: plan for name, plan in self._plans.items() if now - plan.made_at < KEPT_SECONDS}
        while len(self._plans) >= MOST_PLANS:
            del self._plans[next(iter(self._plans))]
        name = secrets.token_urlsafe(12)
        self._plans[name] = _Plan(room, groups, now)
        return name

    def groups(self, name: str, room: RoomId, here: Collection[MemberId], now: float) -> Groups:
        """Return the groups of a plan without those who have left since; a member who came since stays in the room.

        Empty where the plan is too old or another worker's, where a group of it has left, or where more people have
        come since than a quarter of those who are here.
        """
        plan = self._plans.get(name)
        if plan is None or plan.room != room or now - plan.made_at >= KEPT_SECONDS:
            return ()
        present = frozenset(here)
        groups = tuple(tuple(who for who in group if who in present) for group in plan.groups)
        planned = sum(map(len, groups))
        if not all(groups) or len(present) - planned > _MOST_CHANGED * len(present):
            return ()
        return groups
