"""Proves the simulation itself: it finds every bug of the mutants, and a seed does the same each time."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from typing import Final

import pytest

from tests.simulation.__main__ import digest
from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.simulation import simulate
from tests.simulation.test_seeds import SEEDS

WITHIN: Final = SEEDS
"""Seeds in which the mutants are found. The server without a bug does nothing wrong in them."""
SAME: Final = range(40)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.title)
def test_wrong_server_is_found_for_what_is_wrong_with_it(mutant: Mutant) -> None:
    with mutant.in_place():
        seeds = dict.fromkeys((mutant.seed, *range(WITHIN)))
        assert any(mutant.shows in complaint for seed in seeds for complaint in simulate(seed).complaints)


@cache
def traces() -> tuple[str, ...]:
    return tuple(simulate(seed).trace for seed in SAME)


def test_seed_is_the_same_each_time() -> None:
    assert tuple(simulate(seed).trace for seed in SAME) == traces()


def test_seeds_are_not_the_same_as_each_other() -> None:
    assert len({*traces()}) == len(SAME)


def test_seed_is_the_same_in_another_process_that_hashes_otherwise() -> None:
    other = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--seeds", str(len(SAME)), "--from", str(SAME.start), "--digest"],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=True,
        timeout=55,
    )
    assert other.stdout.strip() == digest(traces())
