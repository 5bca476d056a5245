"""Meetings on workers that die, with a store that hangs: what the log says at the end is what people were allowed."""

from __future__ import annotations

from tests.kit.nightly import drawn
from tests.simulation.meetings import simulate

SEEDS = drawn(8)
"""Always the same. To run others: python -m tests.simulation.meetings --seeds N --from K."""


def test_a_meeting_outlives_everything_and_nobody_speaks_out_of_turn() -> None:
    posts = killed = closing = 0
    for seed in range(SEEDS):
        outcome = simulate(seed)
        assert outcome.complaints == [], f"python -m tests.simulation.meetings {seed}"
        posts += outcome.counts["posts"]
        killed += outcome.counts["killed"]
        closing += outcome.counts["reached closing"]
    assert posts >= 10 * SEEDS
    assert killed >= SEEDS
    assert closing > 0
