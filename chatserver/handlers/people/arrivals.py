"""Where members come from, how newcomers are met, and whose credentials are good, on one worker.

The store decides. A raised generation holds on every worker at once while the bus works, and otherwise within half a
second, after which each worker asks again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from chatserver.domain.history import Millis
from chatserver.domain.identity import Member, MemberId
from chatserver.domain.moderation.newcomers import BAN_HOLDS, USUAL, Bar, Welcome, welcome
from chatserver.handlers.connection import Connection
from chatserver.protocol.codes import Close
from chatserver.protocol.internode import CredentialsRaised
from chatserver.store.arrivals_records import SourceSeen

if TYPE_CHECKING:
    from chatserver.handlers.node import Node

NOTED_AGAIN: Final = 10 * 60_000
"""Milliseconds after which it is noted again that somebody is still where they were."""
CLOCKS: Final = 60_000
"""Milliseconds by which two workers' clocks may differ for a raised generation to be found all the same."""


class Arrivals:
    """Where the members of one worker come from, and whose credentials are good. `PeoplePart` calls `tick` twice a
    second."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._unwritten: dict[tuple[MemberId, bytes], SourceSeen] = {}
        self._noted: dict[tuple[MemberId, bytes], Millis] = {}
        self._raised: dict[MemberId, tuple[int, Millis]] = {}
        """Generations that rose lately: somebody may be saying hello with an older one at that moment."""
        self._asked_at = node.now()

    # ------------------------------------------------------------------------------------------ sources

    def note(self, connection: Connection) -> None:
        """Note where the member of a connection is. The note is written with the next `tick` or `flush`."""
        person, now = connection.person, self._node.now()
        if person is None:
            return
        for width, key in enumerate(connection.prefixes.today):
            place = (person.id, key)
            if key and self._noted.get(place, Millis(0)) + NOTED_AGAIN <= now:
                self._noted[place] = now
                self._unwritten[place] = SourceSeen(person.id, key, width, now)

    async def flush(self) -> None:
        """Write what was noted. Raises StoreUnavailable; the next call does it then."""
        if self._unwritten:
            seen, self._unwritten = self._unwritten, {}
            try:
                await self._node.store.note_sources([*seen.values()])
            except BaseException:
                self._unwritten = {**seen, **self._unwritten}
                raise

    def note_present(self) -> None:
        """Note again where all members are who are connected here, and forget what was noted long ago."""
        before = self._node.now() - NOTED_AGAIN
        self._noted = {place: at for place, at in self._noted.items() if at > before}
        for online in self._node.online.values():
            for connection in online.connections:
                self.note(connection)

    def networks(self, connection: Connection, member: Member) -> Collection[bytes]:
        """Return the networks of a connection that decide how its member is met: none unless they became a guest
        lately."""
        if member.created_at + BAN_HOLDS <= self._node.now():
            return ()
        return {key for keys in (connection.prefixes.today, connection.prefixes.yesterday) for key in keys if key}

    def welcome(self, connection: Connection, member: Member, bars: Sequence[Bar]) -> Welcome:
        """Return how to meet a member who says hello. `bars` are the measures that hold for their networks."""
        if not bars:
            return USUAL
        return welcome(bars, connection.prefixes, connection.share, member.created_at, self._node.now())

    # ------------------------------------------------------------------------------------------ credentials

    def is_good(self, member: MemberId, credentials: int) -> bool:
        """Return whether a generation was not raised while somebody said hello with it."""
        return credentials >= self._raised.get(member, (0, 0))[0]

    def raised(self, member: MemberId, credentials: int) -> None:
        """End what stands under an older generation of a member on every worker, because it rose here."""
        self.end_older(member, credentials)
        self._node.tell_nodes(CredentialsRaised(member, credentials))

    def end_older(self, member: MemberId, credentials: int) -> None:
        """Close the connections here that were opened with an older generation than this."""
        self._raised[member] = (max(credentials, self._raised.get(member, (0, 0))[0]), self._node.now())
        for connection in self._node.connections_of(member):
            # Of the staff a sign-in counts, and nothing else.
            if connection.sign_in is None and connection.credentials < credentials:
                connection.outbox.wire.close(Close.SIGNED_OUT)

    async def tick(self) -> None:
        """Write what was noted, and ask whose generation rose. Raises StoreUnavailable; the next call does both
        then."""
        await self.flush()
        now = self._node.now()
        for member, credentials in (await self._node.store.credentials_since(Millis(self._asked_at - CLOCKS))).items():
            self.end_older(member, credentials)
        self._asked_at = now
        self._raised = {who: known for who, known in self._raised.items() if known[1] + CLOCKS > now}
