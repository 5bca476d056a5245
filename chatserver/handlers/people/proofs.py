"""Proving who one is: a password with the second factor's code where there is one, a recovery code instead of that
code, or a passkey instead of both. All places that need a proof ask here, so that none asks for less."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.recovery_codes import hash_recovery_code
from chatserver.domain.people.staff import fold_login, totp_step
from chatserver.handlers.people.passkeys import Passkeys, Purpose, VerifiedPasskey, wrong_passkey
from chatserver.handlers.people.password_hashing import Hashing
from chatserver.handlers.people.tries import Tries
from chatserver.store.records import SignIn, StaffSecrets
from chatserver.store.store import Store


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What a member who is signed in proves their identity with again. A `passkey` is enough by itself; otherwise it
    takes the password, and where there is a second factor its code or a recovery code."""

    password: str | None = None
    code: str | None = None
    passkey: VerifiedPasskey | None = None


class Proofs:
    """Checks proofs. A wrong one is counted in the store as a failed try of the account."""

    def __init__(
        self, store: Store, hashing: Hashing, passkeys: Passkeys, tries: Tries, *, now: Callable[[], Millis]
    ) -> None:
        self._store = store
        self._tries = tries
        self._hashing = hashing
        self._passkeys = passkeys
        self._now = now

    async def of_login(
        self, login: str, password: str, code: str | None, known_device: bytes | None = None
    ) -> StaffSecrets:
        """Return the account that a login, a password and a code open; `known_device` is the hash of the cookie of a
        browser that signed in to it before. Raises SIGN_IN_REFUSED; with `why` "code" where the password was right, and
        the second factor is missing or wrong; and RATE_LIMITED while it is locked for its wrong codes."""
        found = await self._store.staff_by_login(fold_login(login))
        is_right = await self._hashing.matches(None if found is None else found.password_hash, password)
        if found is None or not is_right or found.staff.revoked_at is not None:
            await self._failed(None if found is None else found.staff.member)
            raise Refusal(Reason.SIGN_IN_REFUSED)
        await self._require_code(found, code, *([] if known_device is None else [known_device.hex()]))
        return found

    async def require(self, by: SignIn, proof: Proof) -> StaffSecrets:
        """Return the account of somebody who is signed in and has shown again that it is them. Raises SIGN_IN_REFUSED
        (`why` "code" or "passkey" where that is what is wrong)."""
        member = by.staff.member
        found = await self.account(member)
        if proof.passkey is not None:
            try:
                shown = await self._passkeys.check(Purpose.PROVE, proof.passkey)
                if shown.member != member:
                    raise wrong_passkey()
            except Refusal:
                await self._failed(member)
                raise
            return found
        if not await self._hashing.matches(found.password_hash, proof.password or ""):
            await self._failed(member)
            raise Refusal(Reason.SIGN_IN_REFUSED)
        await self._require_code(found, proof.code, by.token_hash.hex())
        return found

    async def account(self, member: MemberId) -> StaffSecrets:
        """Return somebody's account. Raises IDENTITY_REQUIRED where it is not good any more."""
        found = await self._store.staff(member)
        if found is None or found.staff.revoked_at is not None:
            raise Refusal(Reason.IDENTITY_REQUIRED)
        return found

    async def _require_code(self, found: StaffSecrets, code: str | None, *where: str) -> None:
        if found.totp_secret is None:
            return
        if not code:
            # Nothing was tried: this is how a page learns that there is a second factor to ask for.
            raise wrong_code()
        member, now = found.staff.member, self._now()
        hashed = hash_recovery_code(member, code)
        if hashed is not None:
            # Nobody guesses 80 bits: it opens the account also while others' wrong codes have locked the factor.
            if not await self._store.use_recovery(member, hashed, now):
                await self._failed(member)
                raise wrong_code()
            return
        await self._tries.begin_second_factor(member, *where)
        step = totp_step(found.totp_secret, code, now, found.totp_step)
        # Of two who type the same code at once, the store lets one in.
        if step is None or not await self._store.use_totp(member, step):
            await self._failed(member)
            raise wrong_code()
        await self._tries.end_second_factor(member, *where)

    async def _failed(self, member: MemberId | None) -> None:
        await self._store.note_failed_try(member, self._now())


def wrong_code() -> Refusal:
    """Return the refusal of a second factor's code that is missing or wrong."""
    return Refusal(Reason.SIGN_IN_REFUSED, details={"why": "code"})
