"""How operators see and set what the model marks: the commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import Person
from chatserver.domain.moderation.score_counts import Counts, load_at, score_at, summed
from chatserver.domain.moderation.screening_curve import Curve
from chatserver.domain.moderation.screening_levels import (
    FEWEST,
    LOADS,
    SCORES,
    Levels,
    Loads,
    Model,
    ScreeningLevels,
    levels_in_use,
    require_levels,
    require_loads,
)
from chatserver.domain.moderation.screening_outcomes import outcomes, span
from chatserver.domain.rooms.rooms import RoomId
from chatserver.handlers.answer import Answer
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.operating.commands import action_of
from chatserver.handlers.operating.context import Operations
from chatserver.protocol.fields import Command
from chatserver.protocol.operating.screening_messages import (
    AskScreening,
    LevelView,
    LoadChoice,
    ModelState,
    RoomLevel,
    ScreeningOk,
    SetScreening,
)
from chatserver.store.screening_records import LevelsWanted

CHOICES: Final = (5, 10, 15, 20, 30, 50)
"""Of 1,000 posts: for how many it is told what they would find."""
_NO_MODEL: Final = Model(name="", levels=Levels(0.0, 0.0))


async def ask(operations: Operations, connection: Connection, person: Person, command: AskScreening) -> Answer:
    return Answer(await _view(operations))


async def set_levels(operations: Operations, connection: Connection, person: Person, command: SetScreening) -> Answer:
    """Set how much is marked. Raises NOT_ALLOWED (`why` "no_model") where no model reads along."""
    levels = operations.levels
    if levels is None:
        raise Refusal(Reason.NOT_ALLOWED, details={"why": "no_model"})
    loads = Loads(command.writers, command.moderators)
    require_loads(loads)
    by_hand = None if command.by_hand is None else Levels(command.by_hand.first, command.by_hand.second)
    if by_hand is not None:
        require_levels(by_hand)
    wanted = LevelsWanted(seen=command.seen, loads=loads, levels=by_hand)
    levels.take(await operations.node.store.set_screening(wanted, levels.model, action_of(operations, person, command)))
    return Answer(await _view(operations))


async def _view(operations: Operations) -> ScreeningOk:
    node, levels = operations.node, operations.levels
    model = _NO_MODEL if levels is None else levels.model
    now = node.now()
    since, until = span(now)
    seen = await node.store.screening(model.name, now)
    told = outcomes(await node.store.closed_escalations(since, until))
    state, total = seen.state, summed(seen.counts.values())
    loads = state.loads or model.loads
    off = ModelState.UNUSABLE if operations.is_second_look_wanted else ModelState.OFF
    use = None if levels is None else levels_in_use(state, model)
    return ScreeningOk(
        model=off if levels is None else ModelState.ON,
        revision=state.revision,
        writers=loads.first,
        moderators=loads.second,
        writers_bounds=LOADS[0],
        moderators_bounds=LOADS[1],
        scores=SCORES,
        posts=sum(total),
        fewest=FEWEST,
        is_by_hand=state.is_by_hand,
        week=state.week or None,
        first=None if use is None else _level(use.first, total, operations.curve),
        second=None if use is None else _level(use.second, total, operations.curve),
        choices=_choices(total, operations.curve),
        rooms=_rooms(state, model),
        since=since,
        until=until,
        phrases=told.phrases,
        bands=told.bands,
        others=told.others,
    )


def _level(score: float, counts: Counts, curve: Curve | None) -> LevelView:
    marked = load_at(counts, score)
    return LevelView(
        score=round(score, 2),
        marked=None if marked is None or sum(counts) < FEWEST else round(marked, 1),
        found=None if curve is None else curve.found(score),
        urgent_found=None if curve is None else curve.urgent_found(score),
        near_marked=None if curve is None else curve.near_marked(score),
    )


def _choices(counts: Counts, curve: Curve | None) -> tuple[LoadChoice, ...]:
    if curve is None or sum(counts) < FEWEST:
        return ()
    return tuple(LoadChoice(moderators=load, found=curve.found(score_at(counts, load))) for load in CHOICES)


def _rooms(state: ScreeningLevels, model: Model) -> tuple[RoomLevel, ...]:
    if state.is_by_hand or state.model != model.name:
        return ()
    return tuple(RoomLevel(RoomId(room), higher) for room, higher in sorted(state.rooms.items()))


COMMANDS: Final[Mapping[type[Command], Handler]] = {AskScreening: ask, SetScreening: set_levels}
"""The commands about screening. Their context is an `Operations`."""
