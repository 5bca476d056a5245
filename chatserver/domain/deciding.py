"""The floor's one road: a command or the passing of time becomes events and effects; events become the next floor.

Pure: time and ids arrive as arguments.
"""

from __future__ import annotations

from collections.abc import Iterable

from chatserver.domain.floor import Floor, FloorRules
from chatserver.domain.floor_commands import Decided, FloorCommand, FloorEvent
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId


def decide(floor: Floor, command: FloorCommand, who: MemberId, now: Millis, rules: FloorRules) -> Decided:
    """Answer a command. Raises Refusal. No events means that it was already so."""
    raise NotImplementedError


def settle(floor: Floor, now: Millis, rules: FloorRules) -> Decided:
    """What time and fairness demand. Settling again at the same moment changes nothing."""
    raise NotImplementedError


def decide_and_settle(floor: Floor, command: FloorCommand, who: MemberId, now: Millis, rules: FloorRules) -> Decided:
    """Both, as one commit. Raises Refusal of the command; then nothing is settled either."""
    raise NotImplementedError


def evolve(floor: Floor, event: FloorEvent) -> Floor:
    """The floor after an event. Never refuses; the same event twice changes nothing. The version is the store's."""
    return evolve_all(floor, (event,))


def evolve_all(floor: Floor, events: Iterable[FloorEvent]) -> Floor:
    """The floor after many events, with one copy of what they change."""
    raise NotImplementedError


def due_at(floor: Floor, now: Millis, rules: FloorRules) -> Millis | None:
    """When `settle` would next change anything, as far as the floor says now; None for never. At `now` or before it
    where it would change something already."""
    raise NotImplementedError
