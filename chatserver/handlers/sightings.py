"""Who is connected here for certain: a phone that falls asleep leaves its connection open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from chatserver.domain.identity import MemberId
from chatserver.handlers.node import Node

SEEN_SECONDS: Final = 5.0
"""Seconds after which the store is told again who is connected here. Well within `ListeningRules.reachable`, and three
times within the reach of a meeting."""
ANSWER_SECONDS: Final = 2.0
"""How long a peer on a bad network may take to answer a ping and counts as here all the same."""


def sightings(node: Node, members: Iterable[MemberId]) -> dict[int, list[MemberId]]:
    """Return those of these people who are connected here, by how many milliseconds ago they were last certain to be:
    0 for those who owe no answer."""
    found: dict[int, list[MemberId]] = {}
    for member in members:
        connections = node.connections_of(member)
        if not connections:
            continue
        owes = min(each.outbox.wire.unanswered() for each in connections)
        if owes < SEEN_SECONDS + ANSWER_SECONDS:
            # What has been owed for longer was noted before.
            found.setdefault(0 if owes < ANSWER_SECONDS else round(owes * 1000), []).append(member)
    return found
