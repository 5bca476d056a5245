"""Who meets whom: hard limits of both sides, the order of the queue, the order of listeners, and the next proposals.

Pure. Every order is total, so that the same floor always leads to the same proposals.
"""

from __future__ import annotations

from typing import Final

import msgspec

from chatserver.domain.floor import Floor, FloorRules, Listener, Proposal, Seeker
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId

WHY: Final = {
    "came_back": "Their come-back words lead to this listener",
    "rather_with": "This listener is somebody they would rather talk with",
    "lived": "This listener knows a topic of theirs from their own life",
    "lost_listener": "They go first because they lost their listener",
    "waited_longest": "Of those whom this listener could take, they had waited longest",
    "free_longest": "Of those who fit as well, this listener had been free longest",
}
"""The reasons for a pairing, in words for operators."""


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What waits can be expected, from `samples` recent hand-overs. `seconds(place)` is for the one at that place."""

    samples: int
    gap: float | None
    quick: float | None
    free: int

    def seconds(self, place: int) -> int | None:
        raise NotImplementedError


def may_meet(seeker: Seeker, listener: Listener) -> bool:
    raise NotImplementedError


def is_eligible_listener(floor: Floor, listener: Listener, now: Millis, rules: FloorRules) -> bool:
    raise NotImplementedError


def is_waiting(seeker: Seeker) -> bool:
    """Whether they have a place in the queue."""
    return seeker.session is None and seeker.lapsed_at is None


def queue(floor: Floor) -> list[Seeker]:
    raise NotImplementedError


def rank(seeker: Seeker, listener: Listener) -> tuple[object, ...]:
    raise NotImplementedError


def why(seeker: Seeker, listener: Listener) -> tuple[str, ...]:
    raise NotImplementedError


def next_proposals(floor: Floor, now: Millis, rules: FloorRules) -> list[tuple[Seeker, Proposal]]:
    raise NotImplementedError


def place(floor: Floor, member: MemberId) -> int | None:
    """Their place in the queue, from 1; None for somebody who does not wait. For many at once see `places`."""
    raise NotImplementedError


def places(floor: Floor) -> dict[MemberId, int]:
    """The places of all who wait, from 1."""
    raise NotImplementedError


def outlook(floor: Floor, now: Millis, rules: FloorRules) -> Outlook:
    raise NotImplementedError


def estimate(floor: Floor, member: MemberId, now: Millis, rules: FloorRules) -> tuple[int | None, int]:
    """In how many seconds somebody who waits may hope for a listener, and from how many hand-overs that is told."""
    raise NotImplementedError
