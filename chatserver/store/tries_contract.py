"""What every store MUST do to count the tries of secrets: passwords, codes, words, links, second factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chatserver.domain.history import Millis
from chatserver.domain.people.tries import Backoff, Begun, TryCount, TryKind


class TriesStore(Protocol):
    """Counts tries over all workers and restarts.

    Each call is one transaction: of two tries at once, each sees the other. Keys are keyed hashes. Where the store
    cannot answer these raise StoreUnavailable like everything else, and the caller MUST NOT let anybody try then.
    Rows are forgotten by `expire` once they count no more; of one kind there are never more than
    `domain.tries.MOST_KEYS` and one.
    """

    async def count_tries(self, kind: TryKind, counted: Sequence[TryCount], window: int, now: Millis) -> float:
        """Count one try for each of the keys, each with its allowance in `window` milliseconds.

        Return 0.0; or, where one of them has none left, count nothing for any and return the seconds until each has.
        """
        ...

    async def begin_try(self, kind: TryKind, key: bytes, backoff: Backoff, now: Millis) -> Begun:
        """Count one answer as wrong before it is looked at, so that many at once are not all the first. Where the key
        is locked count nothing; `Begun.wait` says for how long it is."""
        ...

    async def end_tries(self, kind: TryKind, key: bytes) -> int:
        """The answer was right: forget the wrong ones before it, and return how many there were in a row."""
        ...

    async def wrong_tries(self, kind: TryKind, key: bytes, now: Millis) -> Begun:
        """How many wrong answers in a row there are, and for how long the key is locked, counting nothing."""
        ...
