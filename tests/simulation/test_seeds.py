"""Hundreds of small worlds in which everything goes wrong, but every guarantee holds."""

from __future__ import annotations

from typing import Final

import pytest

from tests.kit.nightly import drawn
from tests.simulation.simulation import simulate

SEEDS: Final = drawn(600)
"""Always the same seeds. To run others: python -m tests.simulation --seeds N --from K."""
AT_ONCE: Final = 50

REGRESSIONS: Final = {
    10390: "the judge counted the time in which a repeat is known from the restoring of a backup",
    11119: "a worker was started after everybody had gone home",
    14848: "a message of a dead worker, held back by the bus, is a sign of life",
    18909: "what came while somebody waited for a slow store stayed in a channel's ring, beyond its bound",
}
"""Seeds that failed once, and the cause: all but the last were mistakes of the simulation. A seed stands for the same
world only as long as `plan.draw` draws the same random values in the same order, so add new ones at its end."""


def judge(seeds: range) -> None:
    failed = [
        f".venv/bin/python -m tests.simulation {seed} --trace\n  " + "\n  ".join(complaints[:5])
        for seed in seeds
        if (complaints := simulate(seed).complaints)
    ]
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize(("seed", "shown"), REGRESSIONS.items())
def test_what_failed_once_holds(seed: int, shown: str) -> None:
    judge(range(seed, seed + 1))


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_nothing_is_lost_doubled_reordered_or_told_falsely(first: int) -> None:
    judge(range(first, first + AT_ONCE))
