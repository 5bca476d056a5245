"""The queue flight simulator for operators: what is kept of the last days, replayed under a policy."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.listening.queue_simulator import Policy, Simulation, policy, simulate
from chatserver.domain.listening.state import ListeningRules
from chatserver.store.store import Store

DAY: Final = 24 * 3_600_000
MOST_DAYS: Final = 90
MOST_ASKS: Final = 1_000
"""The newest are replayed. It bounds how long somebody waits, and what a worker spends."""


class SimulationRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far back, and what would be otherwise."""

    days: Annotated[int, msgspec.Meta(ge=1, le=MOST_DAYS)] = 7
    listeners: int = 0
    pause_minutes: int | None = None
    cap: int | None = None
    session_minutes: int | None = None
    proposal_seconds: int | None = None

    def policy(self, rules: ListeningRules) -> Policy:
        """Raises OutOfRange."""
        return policy(
            rules,
            listeners=self.listeners,
            pause_minutes=self.pause_minutes,
            cap=self.cap,
            session_minutes=self.session_minutes,
            proposal_seconds=self.proposal_seconds,
        )


async def simulation(
    store: Store, now: Millis, rules: ListeningRules, wanted: Policy, *, days: int
) -> Simulation | None:
    """None where fewer asked than anything may be said of."""
    recorded = await store.timings(Millis(now - days * DAY), now, MOST_ASKS)
    # In a thread: whoever is connected to this worker goes on talking.
    return await asyncio.to_thread(simulate, recorded, wanted, rules)
