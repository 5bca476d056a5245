"""Which seekers and listeners are connected here, and since when a connection that looks open gives no sign: a phone
that falls asleep leaves its connection open."""

from __future__ import annotations

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.handlers.connection import Connection
from chatserver.handlers.listening.views import Picture
from chatserver.handlers.node import Node
from chatserver.handlers.sightings import sightings


class Heartbeat:
    """Tells the store which seekers and listeners this worker has, and pings those more often whom somebody waits
    for."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._watched: set[Connection] = set()

    async def tell(self, picture: Picture, now: Millis) -> None:
        """Tell the store when the members who are connected here were last certain to be present. Raises
        StoreUnavailable."""
        watched: set[Connection] = set()
        for member in picture.people:
            if _is_needed(picture, member):
                watched.update(self._node.connections_of(member))
        for each in self._watched - watched:
            each.outbox.wire.watch_closely(False)
        for each in watched:
            each.outbox.wire.watch_closely(True)
        self._watched = watched
        for ago, members in sightings(self._node, picture.people).items():
            await self._node.store.see(members, Millis(now - ago))

    def closed(self, connection: Connection) -> None:
        """Forget a connection whose socket is gone."""
        self._watched.discard(connection)


def _is_needed(picture: Picture, member: MemberId) -> bool:
    """Return whether a member is in a session or a company, is available as a listener, or has a proposal."""
    listener, seeker = picture.state.listeners.get(member), picture.state.seekers.get(member)
    return (
        member in picture.sessions
        or member in picture.companies
        or (listener is not None and listener.wants)
        or (seeker is not None and seeker.proposal is not None)
    )
