"""How often a secret may be guessed, over all workers and restarts: the store counts, and this module says by what.

While the store is away everything here raises StoreUnavailable: nobody may guess uncounted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.limits import Limits
from chatserver.domain.people.staff import fold_login
from chatserver.domain.people.tries import SECOND_FACTOR, TryCount, TryKind
from chatserver.domain.sources import WIDENING, Source
from chatserver.store.tries_store import TriesStore

HOUR: Final = 3_600_000
_DAY: Final = 86_400_000
_KEY_BYTES: Final = 16
_REMEMBERED: Final = 10_000
"""Refusals that are known here, so that whoever goes on trying costs no transaction each time."""


class Tries:
    """Counts tries for one worker. `key` is a secret that all workers have, and only they; `now` the wall clock."""

    def __init__(self, store: TriesStore, key: bytes, limits: Limits, now: Callable[[], Millis]) -> None:
        self._store = store
        self._key = key[:64]
        self._now = now
        of_login = limits.sign_ins_per_login_per_hour
        self._an_hour: Final[dict[TryKind, float]] = {
            TryKind.SIGN_IN: limits.sign_ins_per_address_per_hour,
            TryKind.INVITATION: limits.sign_ins_per_address_per_hour,
            TryKind.CODE: limits.code_tries_per_address_per_hour,
            TryKind.NEW_CODE: limits.new_codes_per_address_per_hour,
            TryKind.LOGIN: of_login,
            TryKind.LOGIN_FROM: of_login / 3,
            TryKind.KNOWN_BROWSER: of_login,
            TryKind.CONFIRM: of_login,
        }
        self._refused: dict[tuple[TryKind, bytes], Millis] = {}

    async def count_from(self, kind: TryKind, source: Source) -> None:
        """Count a try for the address that it comes from and the wider networks around it. Raises RATE_LIMITED."""
        now = self._now()
        prefixes = [source.prefixes.today]
        if now % _DAY < HOUR:
            # Midnight gives every address another key; what it used up before must count for its hour.
            prefixes.append(source.prefixes.yesterday)
        allowance = self._an_hour[kind] * source.share
        counted = [
            TryCount(key, max(1, round(allowance * factor)))
            for keys in prefixes
            for key, factor in zip(keys, WIDENING, strict=False)
        ]
        await self._count(kind, counted, now)

    async def count_for(self, kind: TryKind, *whose: str) -> None:
        """Count a try for somebody (a login, a member), from wherever it comes; of several names together, such as a
        login and a browser, for exactly that pair. Raises RATE_LIMITED."""
        await self._count(kind, [TryCount(self._hashed(kind, *whose), max(1, round(self._an_hour[kind])))], self._now())

    async def count_for_login(self, login: str) -> None:
        """Count a try for a login, whether it is anybody's or not. Raises RATE_LIMITED."""
        await self.count_for(TryKind.LOGIN, fold_login(login))

    async def begin_second_factor(self, member: MemberId, *where: str) -> None:
        """Count a code of a second factor as wrong, before it is looked at. `where` names a sign-in or a browser that
        is known, which strangers' wrong codes must not lock. Raises RATE_LIMITED (`why` "code") while the second factor
        is locked there for its wrong codes; `failures` says how many there were in a row."""
        key = self._hashed(TryKind.SECOND_FACTOR, member, *where)
        begun = await self._store.begin_try(TryKind.SECOND_FACTOR, key, SECOND_FACTOR, self._now())
        if begun.wait > 0:
            details = {"why": "code", "failures": begun.failures}
            raise Refusal(Reason.RATE_LIMITED, retry_after=begun.wait, details=details)

    async def end_second_factor(self, member: MemberId, *where: str) -> int:
        """Forget the wrong codes of a second factor there after a right one. Returns how many there were in a row
        before it."""
        return await self._store.end_tries(TryKind.SECOND_FACTOR, self._hashed(TryKind.SECOND_FACTOR, member, *where))

    async def _count(self, kind: TryKind, counted: Sequence[TryCount], now: Millis) -> None:
        known = (kind, counted[0].key)
        wait = (self._refused.get(known, now) - now) / 1000
        if wait <= 0:
            self._refused.pop(known, None)
            wait = await self._store.count_tries(kind, counted, HOUR, now)
            if wait > 0:
                while len(self._refused) >= _REMEMBERED:
                    del self._refused[next(iter(self._refused))]
                self._refused[known] = Millis(now + round(wait * 1000))
        if wait > 0:
            raise Refusal(Reason.RATE_LIMITED, retry_after=wait)

    def _hashed(self, kind: TryKind, *whose: str) -> bytes:
        named = "\0".join(whose).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(named, key=self._key, digest_size=_KEY_BYTES, person=kind.value.encode()).digest()
