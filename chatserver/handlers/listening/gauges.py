"""One-to-one listening in numbers, for Prometheus."""

from __future__ import annotations

from collections import Counter

from chatserver.domain.history import Millis
from chatserver.domain.listening import rest_rules
from chatserver.domain.listening.invariants import PROMISES, check_invariants
from chatserver.domain.listening.state import ListeningRules
from chatserver.handlers.listening.views import Picture
from chatserver.metrics import Metrics


def measure(metrics: Metrics, picture: Picture, now: Millis, rules: ListeningRules) -> None:
    """Set the gauges to how everything stands in a picture."""
    found = check_invariants(picture.state, now, rules)
    metrics.listening_version.set(picture.state.version)
    metrics.floor_waiting.set(len(picture.queue))
    metrics.floor_oldest_wait_seconds.set(
        max((max(0, now - seeker.asked_at) for seeker in picture.queue), default=0) / 1000
    )
    metrics.floor_proposals.set(len(picture.asked))
    metrics.floor_sessions.set(sum(session.is_live for session in picture.state.sessions.values()))
    states = Counter(rest_rules.states(picture.state, now, rules).values())
    for state in rest_rules.ListenerState:
        metrics.floor_listeners.labels(state.value).set(states[state])
    for promise in PROMISES:
        metrics.floor_broken.labels(promise).set(getattr(found, promise))
    metrics.floor_idle_while_waiting_seconds.set(found.idle_ms / 1000)
