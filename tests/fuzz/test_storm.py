"""Ten thousand mutated frames and ten thousand mutated commands, and nobody notices.

`python -m tests.fuzz.storm --frames 1000000 --envelopes 1000000` goes on for longer.
"""

from __future__ import annotations

import pytest

from chatserver.protocol.codes import Close
from tests.fuzz.storm import OPEN_GATES, Outcome, storm
from tests.kit.server import ChatServer

_MEMORY_MAY_GROW = 12 * 2**20
"""Bytes; less than 3 MiB are usual, and 4 after ten times as much. To keep 700 bytes of each would be more."""
_SLOWEST_ACK = 20.0
"""Seconds. A slow machine is no fault, and a tenth of a second is usual: what is held here is that nobody waits for an
answer until their client gives up."""


@pytest.mark.slow
async def test_ten_thousand_mutated_frames_and_commands_are_answered_or_end_their_connection() -> None:
    with ChatServer(config={"limits": OPEN_GATES}) as server:
        outcome = await storm(server, 10_000, 10_000, seed=1)
    _nobody_noticed(outcome)
    assert outcome.frames >= 10_000
    assert outcome.envelopes == 10_000
    # Every kind of answer and of end was seen that rubbish can bring about, and many commands were still good ones.
    assert {
        "malformed",
        "invalid",
        "too_large",
        "unknown_command",
        "not_in_room",
    } <= outcome.answers.keys()
    # Of posts that are not there, or not theirs.
    assert outcome.answers.keys() & {"post_unknown", "epoch_stale", "not_yours", "edit_too_late"}
    assert outcome.answers["ok"] > 500
    assert {1002, 1003, 1007, 1009} <= outcome.closes.keys()
    assert outcome.closes.keys().isdisjoint({Close.TOO_FAST, Close.TOO_MANY_BAD_FRAMES})


async def test_with_the_default_limits_most_of_it_is_refused_for_its_pace() -> None:
    with ChatServer() as server:
        # What is loaded when it is first needed (tables of words, statements) is there afterwards, once.
        await storm(server, 500, 1_500, seed=2, pace=0.5)
        outcome = await storm(server, 500, 1_500, seed=3, pace=0.5)
    _nobody_noticed(outcome)
    assert outcome.closes[Close.TOO_MANY_BAD_FRAMES] > 10


def _nobody_noticed(outcome: Outcome) -> None:
    assert outcome.complaints == []
    assert outcome.people.posts >= 2
    assert outcome.people.slowest_ack < _SLOWEST_ACK
    assert outcome.grown < _MEMORY_MAY_GROW
