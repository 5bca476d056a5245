"""Autobahn's fuzzing client against our WebSocket protocol, as the chat uses it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.autobahn.suite import CASES, COUNT, NoPython2, Suite, echoing, install
from tests.kit.process import obtain

# Its installation, the first time, takes longer than a test may.
pytestmark = pytest.mark.timeout(300)

_SLICES: Final = 6
_SECONDS: Final = 60.0
_LATE: Final = {"6.4.1", "6.4.2", "6.4.3", "6.4.4"}
"""Text that is not UTF-8 is refused with the end of its message, not at the first wrong byte: a message is small."""
_SOONER: Final = {"3.2", "3.3", "3.4", "4.1.3", "4.1.4", "4.1.5", "4.2.3", "4.2.4", "4.2.5", "5.15"}
"""A wrong frame right behind a good message: the connection may be failed before the good one was answered."""


@pytest.fixture(scope="module")
def suite() -> Suite:
    try:
        return obtain(install)
    except NoPython2 as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def echo(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with echoing(tmp_path_factory.mktemp("echo")) as url:
        yield url


def test_every_case_of_the_fuzzing_client_is_answered_as_the_standard_says(
    suite: Suite, echo: str, tmp_path: Path
) -> None:
    verdicts = suite.run(echo, CASES, tmp_path, slices=_SLICES, timeout=_SECONDS)
    assert len(verdicts) == COUNT
    assert {name: verdict for name, verdict in verdicts.items() if not verdict.is_good} == {}
    loose = {name for name, verdict in verdicts.items() if verdict.behavior == "NON-STRICT"}
    assert loose <= _LATE | _SOONER, Counter(verdict.behavior for verdict in verdicts.values())


def test_the_fuzzing_client_finds_what_stock_uvicorn_does(suite: Suite, tmp_path: Path) -> None:
    """7.1.5: a close frame in the middle of a fragmented message. The day this passes there, our part of it can go."""
    with echoing(tmp_path, "stock") as url:
        verdicts = suite.run(url, ["7.1.*"], tmp_path, slices=1, timeout=_SECONDS)
    assert [name for name, verdict in verdicts.items() if not verdict.is_good] == ["7.1.5"]
