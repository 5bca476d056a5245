"""One channel's publications as a worker has received them: in order, early, or missed.

Sans-I/O. It never releases a later publication before an earlier one, drops repeats, and keeps the recent ones so that
most reconnections need no read of the store.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final

import msgspec

from chatserver.domain.history import Head, Millis, Offset, StreamPosition
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import Edited, Posted, Publication, Reacted, Redacted

EARLY_LIMIT: Final = 1_024
"""Early publications kept while there is a hole; further ones are dropped and read from the store with the hole."""


class ChannelStream:
    """Everything up to `position` was released, in order, exactly once."""

    __slots__ = ("_early", "_keepers", "_limit", "_ring", "epoch", "first", "last", "target")

    def __init__(self, head: Head, limit: int) -> None:
        self.epoch = head.epoch
        self.first = head.first
        """The oldest offset that the store still keeps."""
        self.last = head.last
        self.target = head.last
        """The newest offset known to exist. Above `last` there is a hole, or something still on its way."""
        self._ring: deque[Publication] = deque()
        self._limit = limit
        self._keepers = 0
        self._early: dict[Offset, Publication] = {}

    @property
    def position(self) -> StreamPosition:
        return StreamPosition(self.epoch, self.last)

    @property
    def head(self) -> Head:
        return Head(self.epoch, self.first, self.last)

    @property
    def has_hole(self) -> bool:
        return self.target > self.last

    @property
    def ring_start(self) -> Offset:
        """Return the oldest offset that can be replayed from memory; one past the last if there is none."""
        return self._ring[0].offset if self._ring else Offset(self.last + 1)

    def accept(self, publications: Iterable[Publication]) -> list[Publication]:
        """Take publications in any order and return those that may now be shown, in order. Repeats return nothing.

        All must belong to this stream's epoch.
        """
        ready: list[Publication] = []
        for publication in publications:
            offset = publication.offset
            if offset > self.target:
                self.target = offset
            if offset == self.last + 1:
                self._let_out(publication, ready)
                while self._early and (following := self._early.pop(Offset(self.last + 1), None)) is not None:
                    self._let_out(following, ready)
            elif offset > self.last and len(self._early) < EARLY_LIMIT:
                self._early[offset] = publication
        return ready

    def contradicts(self, publication: Publication) -> bool:
        """Return whether another publication was released at this one's offset. A log never takes back what it has
        given, so the store is then an older one that has continued differently."""
        at = publication.offset - self.ring_start
        return 0 <= at < len(self._ring) and self._ring[at].at != publication.at

    def since(self, offset: Offset) -> list[Publication] | None:
        """Return the publications released after `offset`, oldest first, or None if memory does not reach back that
        far."""
        if offset >= self.last:
            return []
        if offset + 1 < self.ring_start:
            return None
        skip = offset + 1 - self.ring_start
        return [publication for at, publication in enumerate(self._ring) if at >= skip]

    def newest(self, most: int) -> Iterator[Publication]:
        """Yield the last released publications, newest first."""
        return islice(reversed(self._ring), most)

    def extend_back(self, older: Sequence[Publication]) -> None:
        """Put publications that were read from the store before the ring. Ignore them if they do not join up with
        it."""
        for publication in reversed(older):
            if publication.offset == self.ring_start - 1:
                self._ring.appendleft(publication)
        # These posts were edited or removed after the store was read.
        for publication in [*self._ring]:
            self._restate(publication)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """While this is entered, drop from the ring only what expires, so that what is read from the store joins up
        with it."""
        self._keepers += 1
        try:
            yield
        finally:
            self._keepers -= 1
            self._trim()

    def expire(self, first: Offset) -> None:
        """Drop what is below `first`: the store no longer keeps it."""
        self.first = max(self.first, first)
        while self._ring and self._ring[0].offset < first:
            self._ring.popleft()

    def forget(self, member: MemberId) -> None:
        """Drop everything that names this member, and what came before it. Clients that reconnect are then served from
        the store, which no longer names them."""
        named = [at for at, held in enumerate(self._ring) if _names(held, member)]
        for _ in range(named[-1] + 1 if named else 0):
            self._ring.popleft()
        self._early = {offset: early for offset, early in self._early.items() if not _names(early, member)}

    def _let_out(self, publication: Publication, ready: list[Publication]) -> None:
        self.last = publication.offset
        self._restate(publication)
        self._ring.append(publication)
        self._trim()
        ready.append(publication)

    def _trim(self) -> None:
        while len(self._ring) > self._limit and not self._keepers:
            self._ring.popleft()

    def _restate(self, publication: Publication) -> None:
        """Update replayed posts to their present state: a removed text is not kept for clients that reconnect later."""
        event = publication.event
        if not isinstance(event, Edited | Redacted):
            return
        for at, held in enumerate(self._ring):
            told = held.event
            if isinstance(told, Posted) and held.offset == event.target:
                post = (
                    msgspec.structs.replace(
                        told.post, text=event.text, warning=event.warning, edited_at=event.edited_at
                    )
                    if isinstance(event, Edited)
                    else msgspec.structs.replace(told.post, text="", warning=None, redacted=True, reactions={})
                )
                self._ring[at] = msgspec.structs.replace(held, event=Posted(post))
            elif isinstance(told, Edited) and told.target == event.target:
                text, warning = (event.text, event.warning) if isinstance(event, Edited) else ("", None)
                self._ring[at] = msgspec.structs.replace(
                    held, event=msgspec.structs.replace(told, text=text, warning=warning)
                )

    def last_text_of(self, member: MemberId, since: Millis, most: int, chars: int, before: Offset | None) -> str:
        """Return the end of a member's last post in its present state, as `Hub.last_text_of` says."""
        changed: dict[Offset, str] = {}
        for publication in self.newest(most):
            event = publication.event
            if publication.at < since:
                break
            if isinstance(event, Edited):
                changed.setdefault(event.target, event.text)
            if before is not None and publication.offset >= before:
                continue
            if isinstance(event, Posted) and event.post.author == member:
                return changed.get(publication.offset, event.post.text)[-chars:]
        return ""


def _names(publication: Publication, member: MemberId) -> bool:
    match publication.event:
        case Posted(post=post):
            return post.author == member
        case Reacted(by=by):
            return by == member
        case _:
            return False
