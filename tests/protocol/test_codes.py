"""Every refusal has words, and every close code stands in the range that says what to do."""

from __future__ import annotations

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.protocol.codes import Advice, Close, advice, error_body


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(reason: Reason) -> None:
    body = error_body(Refusal(reason))
    assert body.code == reason.value
    assert body.message.endswith(".")
    assert msgspec.to_builtins(body).keys() == {"code", "message", "temporary"}


def test_what_a_refusal_knows_is_told() -> None:
    body = error_body(Refusal(Reason.SLOW_MODE, retry_after=2.5, details={"limit": 3}))
    assert (body.temporary, body.retry_after, body.details) == (True, 2.5, {"limit": 3})


@pytest.mark.parametrize(
    ("wait", "told"), [(0.0001, 0.001), (0.0004999, 0.001), (0.0101, 0.011), (1.2, 1.2), (0.007, 0.007), (2.0, 2.0)]
)
def test_a_wait_is_told_in_whole_milliseconds_that_are_long_enough(wait: float, told: float) -> None:
    assert error_body(Refusal(Reason.RATE_LIMITED, retry_after=wait)).retry_after == told


TEMPORARY = {
    Reason.RATE_LIMITED, Reason.ROOM_FULL, Reason.SLOW_MODE, Reason.STORAGE_UNAVAILABLE, Reason.BUSY, Reason.DRAINING,
    Reason.INTERNAL, Reason.LISTENER_BUSY, Reason.JOINS_SLOWED, Reason.PLACES_USED,
    Reason.NO_SEAT, Reason.OFFERED_ALREADY,
}  # fmt: skip


def test_only_what_time_can_heal_is_temporary() -> None:
    assert {reason for reason in Reason if error_body(Refusal(reason)).temporary} == TEMPORARY


@pytest.mark.parametrize("code", list(Close))
def test_our_codes_stand_in_their_ranges(code: Close) -> None:
    """[P-CLOSE-1]"""
    if code < 4000:
        return
    expected = {0: Advice.COME_BACK_NOW, 1: Advice.BACK_OFF, 2: Advice.STAY_AWAY}[(code - 4000) // 200]
    assert advice(code) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (1000, Advice.COME_BACK_NOW),
        (1001, Advice.COME_BACK_NOW),
        (1002, Advice.STAY_AWAY),
        (1003, Advice.STAY_AWAY),
        (1005, Advice.COME_BACK_NOW),
        (1006, Advice.COME_BACK_NOW),
        (1007, Advice.STAY_AWAY),
        (1009, Advice.STAY_AWAY),
        (1011, Advice.COME_BACK_NOW),
        (1012, Advice.COME_BACK_NOW),
        (3000, Advice.COME_BACK_NOW),
        (4199, Advice.COME_BACK_NOW),
        (4200, Advice.BACK_OFF),
        (4399, Advice.BACK_OFF),
        (4400, Advice.STAY_AWAY),
        (4599, Advice.STAY_AWAY),
        (4600, Advice.COME_BACK_NOW),
    ],
)
def test_unlisted_codes_mean_a_lost_network(code: int, expected: Advice) -> None:
    assert advice(code) is expected
