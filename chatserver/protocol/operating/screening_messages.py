"""The messages by which operators see and set how much the model marks: `docs/protocol.md`, "Screening"."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from chatserver.domain.errors import Reason
from chatserver.domain.history import Millis
from chatserver.domain.moderation.screening_outcomes import OutcomeSum
from chatserver.domain.people.staff import Capability
from chatserver.domain.rooms.rooms import RoomId
from chatserver.protocol.fields import Command, Fields, Text
from chatserver.protocol.operating.messages import Number
from chatserver.protocol.refusals import REASONED

Share = Annotated[int, Meta(ge=1, le=1_000)]
"""Of 1,000 ordinary posts."""
Score = Annotated[float, Meta(ge=-1.0, le=2.0)]


class HandLevels(Struct, frozen=True):
    """Scores from which a post is marked, for the writer (`first`) and for moderators (`second`)."""

    first: Score
    second: Score


class AskScreening(Command, frozen=True, kw_only=True, tag="screening"):
    """Get how much the model marks, what that is expected to find, and what became of what was marked."""

    answer: ClassVar[str] = "screening"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.OPERATE
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.NOT_ALLOWED,)


class SetScreening(Command, frozen=True, kw_only=True, tag="set_screening"):
    """Set of how many of 1,000 ordinary posts `writers` are offered help, and `moderators` are told; the scores follow
    from what is written. Or set the scores `by_hand`: then they stay. `seen` is the `revision` that was seen."""

    answer: ClassVar[str] = "screening"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.OPERATE
    refusals: ClassVar[tuple[Reason, ...]] = (*REASONED, Reason.SCREENING_CHANGED)
    example: ClassVar[Fields] = {
        "writers": 50,
        "moderators": 20,
        "seen": 3,
        "reason": "We have two more moderators at night.",
    }

    writers: Share
    moderators: Share
    by_hand: HandLevels | None = None
    seen: Number
    reason: Text


class ModelState(StrEnum):
    """Whether a model reads along: it does; it is switched off; or its file cannot be used, and the log says why."""

    ON = "on"
    OFF = "off"
    UNUSABLE = "unusable"


class LevelView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One level: the `score` from which it counts, how many of 1,000 of the last weeks' posts reached it (`marked`),
    and how many of 100 test sentences do that need a human (`found`), that are urgent, and that are near them and need
    nobody. What is not known is absent."""

    score: float
    marked: float | None = None
    found: int | None = None
    urgent_found: int | None = None
    near_marked: int | None = None


class LoadChoice(Struct, frozen=True, kw_only=True):
    """What it would find if moderators were told of so many of 1,000 posts: of 100 test sentences that need a human."""

    moderators: int
    found: int


class RoomLevel(Struct, frozen=True):
    """By how much the scores of a room are higher than those of all."""

    room: RoomId
    higher: float


class ScreeningOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="screening", omit_defaults=True):
    """How much is marked. `posts` of the last weeks have a score; with fewer than `fewest` nothing follows from them.
    `week` is the Monday on which the levels last followed, if they have. Outcomes are of escalations that were closed
    from `since` up to before `until`."""

    model: ModelState
    revision: int
    writers: int
    moderators: int
    writers_bounds: tuple[int, int]
    moderators_bounds: tuple[int, int]
    scores: tuple[float, float]
    posts: int
    fewest: int
    is_by_hand: bool = False
    week: Millis | None = None
    first: LevelView | None = None
    second: LevelView | None = None
    choices: tuple[LoadChoice, ...] = ()
    rooms: tuple[RoomLevel, ...] = ()
    since: Millis
    until: Millis
    phrases: tuple[OutcomeSum, ...]
    bands: tuple[OutcomeSum, ...]
    others: OutcomeSum | None = None


ScreeningCommand = AskScreening | SetScreening
