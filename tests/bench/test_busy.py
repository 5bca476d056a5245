"""What the bench says of the machine it ran on."""

from __future__ import annotations

import pytest

from bench.busy import Ticks, Watch, busy_between

_STAT = "cpu  140126 5 24482 57534 655 3 1111 1087 9 9\ncpu0 66220 0 11544 33579 45 0 613 509 0 0\n"


def test_ticks_are_read_from_the_line_of_all_cores() -> None:
    # Time of guests is in that of users already.
    assert Ticks.parse(_STAT) == Ticks(busy=140126 + 5 + 24482 + 3 + 1111, stolen=1087)


@pytest.mark.parametrize("text", ["", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Ticks.parse(text)


def test_own_work_is_not_that_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.busy._TICKS", 100)
    busy = busy_between(Ticks(1_000, 50), Ticks(2_500, 150), own=5.0, seconds=10.0)
    assert (busy.others, busy.stolen) == (1.0, 0.1)
    assert busy.is_busy
    quiet = busy_between(Ticks(1_000, 50), Ticks(1_500, 50), own=5.2, seconds=10.0)
    assert (quiet.others, quiet.stolen) == (0.0, 0.0)
    assert not quiet.is_busy


def test_this_machine_can_be_watched() -> None:
    busy = Watch().seen()
    assert busy.cores >= 1
    assert busy.others >= 0
