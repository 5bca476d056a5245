"""Passwords and their hashes: one at a time, because each takes a core and 64 MiB for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.people.passwords import LONGEST, check_password, clean_password

_T = TypeVar("_T")

TIME_COST: Final = 3
MEMORY_KIB: Final = 64 * 1024
PARALLELISM: Final = 1
"""argon2id as RFC 9106, section 4, recommends where memory is dear (its second choice), in one lane instead of four: as
much work for whoever guesses, and the other cores stay with the rooms. 127 ms and 64 MiB on 2 shared vCPUs."""
WAITING: Final = 16
"""Who may wait for a password to be hashed, one after another. The last of them waits some two seconds."""
_FORM: Final = "$argon2"
_NOBODYS: Final = "$argon2id$v=19$m={m},t={t},p={p}$bm9ib2R5J3Mgc2FsdCBpcw$r3k5Wc2bJmMTf1lZ3yq0s1oE3T3uBOYyqkq9ZkTQm2U"
"""What the password of a login is held against that there is not: the answer takes as long, and is no."""


class Hashing:
    """Hashes and compares the passwords of one worker."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher = hasher or PasswordHasher(TIME_COST, MEMORY_KIB, PARALLELISM)
        self._nobodys = _NOBODYS.format(m=hasher.memory_cost, t=hasher.time_cost, p=hasher.parallelism)
        self._one = asyncio.Lock()
        self._waiting = 0

    async def hash(self, password: str, login: str) -> str:
        """Return what a new password is kept as. Raises PASSWORD_WEAK or BUSY."""
        cleaned = clean_password(password[: LONGEST + 1])
        check_password(cleaned, login)
        return await self._one_at_a_time(self._hasher.hash, cleaned)

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Return whether it is the password; None is the hash of a login that nobody has. It takes as long whatever is
        wrong, also where no password opens an account until its owner has set a new one. Raises BUSY."""
        held = password_hash if password_hash is not None and password_hash.startswith(_FORM) else self._nobodys
        return await self._one_at_a_time(self._verify, held, clean_password(password[: LONGEST + 1]))

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _one_at_a_time(self, work: Callable[..., _T], *arguments: str) -> _T:
        """Hash one password at a time: a crowd that signs in waits for one another, and the rooms wait for nobody."""
        if self._waiting >= WAITING:
            raise Refusal(Reason.BUSY, retry_after=2.0)
        self._waiting += 1
        try:
            async with self._one:
                return await asyncio.to_thread(work, *arguments)
        finally:
            self._waiting -= 1
