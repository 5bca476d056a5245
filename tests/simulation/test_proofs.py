"""That the simulation can be believed: it finds what is wrong, and a seed is the same each time."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation.__main__ import digest
from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.simulation import simulate

WITHIN = 150
"""Seeds in which each mutant is found."""
SAME = range(40)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.title)
def test_wrong_server_is_found(mutant: Mutant) -> None:
    with mutant.in_place():
        assert any(simulate(seed).complaints for seed in range(WITHIN))


def test_seed_is_the_same_each_time() -> None:
    assert [simulate(seed).trace for seed in SAME[:10]] == [simulate(seed).trace for seed in SAME[:10]]


def test_seed_is_the_same_in_another_process_that_hashes_otherwise() -> None:
    other = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--seeds", f"{SAME.start}:{SAME.stop}", "--digest"],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=True,
        timeout=55,
    )
    assert other.stdout.strip() == digest(SAME)
