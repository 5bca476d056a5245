"""`docs/abuse.md` names every attack that is played, and none that is not."""

from __future__ import annotations

import re
from pathlib import Path

from tests.abuse.catalogue import ATTACKS

_ROOT = Path(__file__).resolve().parents[2]


def test_every_attack_has_its_row() -> None:
    text = (_ROOT / "docs" / "abuse.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("|")]
    named = {name for row in rows for name in re.findall(r"`python -m tests\.abuse ([a-z0-9-]+)`", row)}
    assert named == {attack.name for attack in ATTACKS}


def test_every_test_that_a_row_names_is_there() -> None:
    text = (_ROOT / "docs" / "abuse.md").read_text()
    missing = [path for path in re.findall(r"`(tests/[\w/.]+\.py)`", text) if not (_ROOT / path).is_file()]
    assert not missing


def test_names_of_attacks_are_theirs_alone() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len({*names}) == len(names)
