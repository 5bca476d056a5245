"""Where a reader stands, and whether a return is exact or a gap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.history import Epoch, Head, Offset, Return, StreamPosition, assess_return

EPOCH = Epoch("now")


def head(first: int, last: int) -> Head:
    return Head(EPOCH, Offset(first), Offset(last))


@pytest.mark.parametrize(
    ("offset", "first", "last", "expected"),
    [
        (0, 1, 0, Return.EXACT),  # nothing was ever written
        (0, 1, 9, Return.EXACT),  # from the very beginning
        (5, 1, 9, Return.EXACT),
        (9, 1, 9, Return.EXACT),  # nothing was missed
        (4, 5, 9, Return.EXACT),  # the first that was missed is the oldest that is kept
        (3, 5, 9, Return.EXPIRED),  # one too few
        (0, 5, 9, Return.EXPIRED),
        (9, 10, 9, Return.EXACT),  # all has expired, and nothing was missed
        (8, 10, 9, Return.EXPIRED),  # all has expired, and one was missed
        (10, 1, 9, Return.FOREIGN),  # ahead of the log
        (1, 1, 0, Return.FOREIGN),
        (10, 10, 9, Return.FOREIGN),
        (-1, 1, 9, Return.FOREIGN),
        (-1, 5, 9, Return.FOREIGN),
    ],
)
def test_a_return_is_exact_expired_or_foreign(offset: int, first: int, last: int, expected: Return) -> None:
    assert assess_return(StreamPosition(EPOCH, Offset(offset)), head(first, last)) is expected


@pytest.mark.parametrize("offset", [-1, 0, 5, 9, 10])
def test_a_position_of_another_epoch_is_foreign_wherever_it_stands(offset: int) -> None:
    assert assess_return(StreamPosition(Epoch("then"), Offset(offset)), head(5, 9)) is Return.FOREIGN


def test_a_heads_position_is_that_of_its_last() -> None:
    assert head(5, 9).position == StreamPosition(EPOCH, Offset(9))


@given(st.integers(-3, 30), st.integers(1, 20), st.integers(0, 20))
def test_exact_means_that_every_missed_offset_is_kept(offset: int, first: int, kept: int) -> None:
    last = first + kept - 1
    answer = assess_return(StreamPosition(EPOCH, Offset(offset)), head(first, last))
    if not 0 <= offset <= last:
        assert answer is Return.FOREIGN
    else:
        missed, retained = set(range(offset + 1, last + 1)), set(range(first, last + 1))
        assert (answer is Return.EXACT) == (missed <= retained)
        assert (answer is Return.EXPIRED) == bool(missed - retained)
