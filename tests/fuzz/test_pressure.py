"""Every attack, small and short: its connections end as they should and in time, and those who talk notice nothing.

`python -m tests.fuzz.pressure` measures the same with the limits that a server has by default.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.fuzz import attacks
from tests.fuzz.attacks import Attack, Target
from tests.fuzz.pressure import CONFIG, ENDS, press
from tests.kit.server import ChatServer

_LIMITS: Final = {"header_seconds": 1.0, "hello_seconds": 1.0, "connections_per_address": 20}
_PEERS: Final = 25
_PATIENCE: Final = 12.0
"""Seconds, on a machine that does other things as well; whoever is let stay is left after a quarter of it."""
_SLOWEST_ACK: Final = 3.0
_MEMORY_MAY_GROW: Final = 24 * 2**20


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with ChatServer(config={**CONFIG, "limits": _LIMITS}) as server:
        yield server


@pytest.mark.parametrize("attack", ENDS, ids=lambda attack: attack.__name__)
async def test_nobody_notices(server: ChatServer, attack: Attack) -> None:
    target = Target(server.port, _PATIENCE / 4 if attack is attacks.slow_frames else _PATIENCE)
    figures = await press(server, attack, _PEERS, target, pace=0.2)
    assert figures.complaints == []
    assert target.ends.keys() == ENDS[attack]
    if attack is attacks.connections:
        assert target.ends == {"101": 20, "503": 5}
    assert figures.people.posts >= 2
    assert figures.people.slowest_ack < _SLOWEST_ACK
    assert figures.grown < _MEMORY_MAY_GROW
