"""Counts of the model's scores, and the levels that follow them. Sans-I/O, like `rooms_log`.

The one lock of moderation is held wherever counts are raised or levels change, so that workers take turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.audit_log import Act
from chatserver.domain.moderation.measures import REASON_LENGTH, Outcome
from chatserver.domain.moderation.score_counts import Counts, counts_of, monday_of
from chatserver.domain.moderation.screening_levels import (
    KEPT,
    Levels,
    Model,
    Moved,
    ScreeningLevels,
    levels_in_use,
    moved,
    since,
)
from chatserver.domain.moderation.screening_outcomes import MOST, ClosedEscalation
from chatserver.domain.rooms.settings import SERVICE
from chatserver.domain.text.cleaning import required
from chatserver.store import room_settings_statements as settings_sql
from chatserver.store import screening_statements as sql
from chatserver.store.core.compiler import Call, Op
from chatserver.store.moderation_lock import hold_moderation
from chatserver.store.room_settings_records import StaffAction
from chatserver.store.screening_records import LevelsWanted, Scored, ScreeningSeen

_SETTING: Final = "screening"
_replace = msgspec.structs.replace


def add_scores(model: str, some: Sequence[Scored]) -> Op[None]:
    yield from hold_moderation()
    for each in some:
        known = yield Call(sql.RAISE_COUNT, [(each.posts, model, each.week, each.place, each.step)])
        if not known:
            yield Call(sql.ADD_COUNT, [(model, each.week, each.place, each.step, each.posts)])


def levels() -> Op[ScreeningLevels]:
    rows = yield Call(settings_sql.SETTING, [(_SETTING,)])
    return msgspec.json.decode(rows[0][0], type=ScreeningLevels) if rows else ScreeningLevels()


def seen(model: str, now: Millis) -> Op[ScreeningSeen]:
    return ScreeningSeen((yield from levels()), (yield from _counts(model, now)))


def follow(model: Model, now: Millis) -> Op[ScreeningLevels]:
    state = yield from levels()
    if state.week >= monday_of(now):
        return state
    mine = yield from hold_moderation()
    # Another worker may have been first.
    state = yield from levels()
    if state.week >= monday_of(now):
        return state
    after = moved(state, model, (yield from _counts(model.name, now)), now)
    yield from _save(after.after)
    if after.said:
        yield from mine.enter(_act(SERVICE, now, f"the week's posts ({_told(after)})"))
    return after.after


def set_levels(wanted: LevelsWanted, model: Model, deed: StaffAction) -> Op[ScreeningLevels]:
    reason = required(deed.reason, REASON_LENGTH)
    mine = yield from hold_moderation()
    before = yield from levels()
    state = _replace(
        before,
        loads=wanted.loads,
        is_by_hand=wanted.levels is not None,
        levels=wanted.levels or before.levels,
        model=model.name if wanted.levels is not None else before.model,
    )
    if state == before:
        return before
    if wanted.seen != before.revision:
        raise Refusal(Reason.SCREENING_CHANGED, details={"revision": before.revision})
    if wanted.levels is None:
        if before.is_by_hand:
            # What a person set says nothing of where the posts would lead from here.
            state = _replace(state, levels=None, rooms={})
        counts = yield from _counts(model.name, deed.now)
        state = moved(state, model, counts, deed.now, at_once=True).after
    else:
        state = _replace(state, rooms={})
    state = _replace(state, revision=before.revision + 1)
    yield from _save(state)
    yield from mine.enter(_act(deed.by, deed.now, f"{reason} ({_words(state, levels_in_use(state, model))})"))
    return state


def closed(since: Millis, until: Millis) -> Op[list[ClosedEscalation]]:
    rows = yield Call(sql.CLOSED, [(since, until, MOST)])
    return [
        ClosedEscalation(note=note, score=score, outcome=Outcome(outcome), about=about)
        for note, score, outcome, about in rows
        if outcome is not None
    ]


def prune(now: Millis) -> Op[None]:
    """Remove the counts of weeks that are over for long."""
    yield Call(sql.DROP_COUNTS, [(now - KEPT,)])


def _counts(model: str, now: Millis) -> Op[dict[str, Counts]]:
    places: dict[str, list[tuple[int, int]]] = {}
    for place, step, posts in (yield Call(sql.COUNTS, [(model, since(now))])):
        places.setdefault(place, []).append((step, int(posts)))
    return {place: counts_of(found) for place, found in places.items()}


def _save(state: ScreeningLevels) -> Op[None]:
    value = msgspec.json.encode(state).decode()
    rows = yield Call(settings_sql.SETTING, [(_SETTING,)])
    yield (
        Call(settings_sql.SET_SETTING, [(value, _SETTING)])
        if rows
        else Call(settings_sql.ADD_SETTING, [(_SETTING, value)])
    )


def _act(by: MemberId, now: Millis, reason: str) -> Act:
    return Act(at=now, by=by, action="screening_set", about=(), subject=_SETTING, reason=reason)


def _told(after: Moved) -> str:
    """Return what has changed, as far as there is room for it."""
    told = "; ".join(after.said)
    room = REASON_LENGTH - 60
    return told if len(told) <= room else f"{told[:room]}…; {len(after.said)} changes"


def _words(state: ScreeningLevels, now: Levels) -> str:
    if state.is_by_hand:
        return f"by hand: level 1 from {now.first:.2f}, level 2 from {now.second:.2f}"
    assert state.loads is not None
    return (
        f"{state.loads.first} and {state.loads.second} of 1,000 posts: "
        f"level 1 from {now.first:.2f}, level 2 from {now.second:.2f}"
    )
