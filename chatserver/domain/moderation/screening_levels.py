"""From which score on the model's opinion counts: the two levels, how they follow what is written here, and how far.

Pure: the clock and the counts arrive as arguments. Operators say how many of 1,000 ordinary posts may be marked.
Nearly all posts are ordinary, so the levels are the scores that so many of the last weeks' posts reached. They move
once a week, in small steps and within hard bounds, so that no flood of posts can make the model deaf. Levels that a
person set are not moved. The reasons are in `docs/decisions/0212`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.moderation.score_counts import STEP, WEEK, Counts, monday_of, score_at, summed

LOADS: Final = ((5, 150), (2, 50))
"""The least and the most of 1,000 posts that operators may let be marked, of level 1 and of level 2."""
FEWEST: Final = 2_000
"""Posts below which nothing follows from their scores."""
FEWEST_OF_ROOM: Final = 500
"""The same for what a room's own posts say of it."""
WEEKS: Final = 4
"""Weeks whose posts count, besides the one that has just begun."""
KEPT: Final = 8 * WEEK
"""Milliseconds for which counts are kept, from the beginning of their week."""
AT_ONCE: Final = 0.10
"""How far a level moves in one week at most."""
DOWN: Final = 0.24
UP: Final = 0.60
"""How far a level may be below, and above, the one that the model's file gives."""
APART: Final = 0.04
"""By how much level 2 is above level 1 at least."""
OF_ROOM: Final = 0.10
"""How far a room's levels may be from those of all rooms."""
_SLOW: Final = 2_000
"""With so many posts a room's own talk counts half as much as it would with very many."""
_HALF: Final = 0.5
"""A room's levels go only half of the way to its own: what is said there may be meant."""
SCORES: Final = (-0.5, 1.3)
"""The lowest and the highest score that a person may set."""


class Loads(msgspec.Struct, frozen=True):
    """How many of 1,000 ordinary posts may be marked: of level 1 (the writer is offered help), and of level 2 (a
    moderator is told)."""

    first: int = 50
    second: int = 15


class Levels(msgspec.Struct, frozen=True):
    """The scores from which a text is of level 1 and of level 2."""

    first: float
    second: float


class ScreeningLevels(msgspec.Struct, frozen=True, kw_only=True):
    """What is set and what has followed from it. `loads` is None while those of the configuration hold, `levels` while
    those of the model's file hold. `rooms` is by how much a room's levels are higher (or lower) than these. `model`
    names the model that they belong to, `week` is the Monday to which they have followed, and `posts` from how many
    scores they were made. `revision` rises with every change."""

    revision: int = 0
    loads: Loads | None = None
    is_by_hand: bool = False
    levels: Levels | None = None
    rooms: dict[str, float] = {}
    model: str = ""
    week: Millis = Millis(0)
    posts: int = 0


class Moved(msgspec.Struct, frozen=True):
    """Levels after a move, and what has changed, one sentence each; nothing where nothing has."""

    after: ScreeningLevels
    said: tuple[str, ...]


def require_loads(loads: Loads) -> None:
    """Raise INVALID where operators may not set these loads."""
    for name, load, (least, most) in zip(("first", "second"), (loads.first, loads.second), LOADS, strict=True):
        if not least <= load <= most:
            raise Refusal(Reason.INVALID, details={"field": f"$.{name}", "problem": f"{least} to {most}"})
    if loads.second > loads.first:
        raise Refusal(Reason.INVALID, details={"field": "$.second", "problem": "no more than for level 1"})


def require_levels(levels: Levels) -> None:
    """Raise INVALID where these cannot be levels."""
    least, most = SCORES
    if not (least <= levels.first <= most and levels.first + APART <= levels.second + 1e-9 and levels.second <= most):
        raise Refusal(
            Reason.INVALID, details={"field": "$.levels", "problem": f"{least} to {most}, one above the other"}
        )


def since(now: Millis) -> Millis:
    """Return from which Monday on posts count at a time."""
    return Millis(monday_of(now) - WEEKS * WEEK)


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the model in use before anything is written here: its name, the levels of its file, and the
    loads of the configuration."""

    name: str
    levels: Levels
    loads: Loads = Loads()


def levels_in_use(state: ScreeningLevels, model: Model) -> Levels:
    """Return the levels that hold. Those that followed another model's scores say nothing of this one's."""
    if state.levels is None or (state.model != model.name and not state.is_by_hand):
        return model.levels
    return state.levels


def in_room(state: ScreeningLevels, model: Model, room: str) -> Levels:
    """Return the levels that hold in a room."""
    levels = levels_in_use(state, model)
    shift = 0.0 if state.is_by_hand or state.model != model.name else state.rooms.get(room, 0.0)
    return Levels(round(levels.first + shift, 4), round(levels.second + shift, 4)) if shift else levels


def moved(
    state: ScreeningLevels, model: Model, counts: Mapping[str, Counts], now: Millis, *, at_once: bool = False
) -> Moved:
    """Return the levels as they follow the posts of the last weeks; `counts` is by room. `at_once` lets them go all of
    the way within their bounds, because a person has just set the loads."""
    state = msgspec.structs.replace(state, week=Millis(monday_of(now)))
    loads, file = state.loads or model.loads, model.levels
    total = summed(counts.values())
    posts = sum(total)
    if state.is_by_hand or posts < FEWEST:
        return Moved(state, ())
    before = levels_in_use(state, model)
    step = UP + DOWN if at_once else AT_ONCE
    second = _level(score_at(total, loads.second), before.second, file.second, step)
    first = _level(score_at(total, loads.first), before.first, file.first, step)
    levels = Levels(min(first, round(second - APART, 2)), second)
    rooms = {room: shift for room, each in sorted(counts.items()) if (shift := _shift(total, each, loads))}
    known = state.rooms if state.model == model.name else {}
    after = msgspec.structs.replace(state, levels=levels, rooms=rooms, model=model.name, posts=posts)
    said = [*_said("level 1", before.first, levels.first), *_said("level 2", before.second, levels.second)]
    for room in sorted({*known, *rooms}):
        said += _said(f"in {room}", known.get(room, 0.0), rooms.get(room, 0.0))
    return Moved(msgspec.structs.replace(after, revision=state.revision + 1) if said else after, tuple(said))


def _level(wanted: float, before: float, file: float, step: float) -> float:
    """Return a level that is wanted, as far as it may go in one step and at all. One that would move by less than a
    step of the counts stays."""
    if abs(wanted - before) < STEP:
        wanted = before
    wanted = min(max(wanted, before - step), before + step)
    return round(min(max(wanted, file - DOWN), file + UP), 4)


def _shift(total: Counts, own: Counts, loads: Loads) -> float:
    """Return by how much the levels of a room are higher than those of all: half of the way to where its own posts
    would put them, less with few posts, and never far. In whole steps of the counts."""
    posts = sum(own)
    if posts < FEWEST_OF_ROOM:
        return 0.0
    away = score_at(own, loads.second) - score_at(total, loads.second)
    shift = min(max(away * _HALF * posts / (posts + _SLOW), -OF_ROOM), OF_ROOM)
    return round(round(shift / STEP) * STEP, 2)


def _said(what: str, before: float, after: float) -> list[str]:
    return [] if abs(after - before) < STEP / 2 else [f"{what}: {before:.2f} to {after:.2f}"]
