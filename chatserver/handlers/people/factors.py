"""What opens an account besides the password: an authenticator app, recovery codes, passkeys.

A change to any of it needs a proof of identity in the same request (`handlers/people/proofs.py`): a sign-in that was
stolen is not enough. The store ends the account's other sign-ins, and enters the change in the audit log.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import NamedTuple

import pyotp

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.recovery_codes import CODES, hash_recovery_code, make_recovery_code
from chatserver.domain.people.staff import is_totp_secret, totp_step, totp_uri
from chatserver.handlers.people.passkeys import MOST_PASSKEYS, Attestation, Passkeys, Purpose, RelyingParty
from chatserver.handlers.people.proofs import Proof, Proofs, wrong_code
from chatserver.store.records import Passkey, SignIn
from chatserver.store.store import Store


class Factor(NamedTuple):
    """A second factor that does not count yet: its secret to type, its URI, and the URI as a QR code in rows of 0 and
    1."""

    secret: str
    uri: str
    qr: list[str]


class Overview(NamedTuple):
    """What opens an account besides its password."""

    passkeys: list[Passkey]
    recovery_left: int


class Factors:
    """The factors of staff who are signed in. `issuer` is the name of this service in authenticator apps; `on_changed`
    is called after the commit with the member whose sign-ins have ended."""

    def __init__(
        self, store: Store, proofs: Proofs, passkeys: Passkeys, *, now: Callable[[], Millis], issuer: str
    ) -> None:
        self._store = store
        self._proofs = proofs
        self._passkeys = passkeys
        self._now = now
        self._issuer = issuer
        self.on_changed: Callable[[MemberId], None] = lambda member: None

    async def overview(self, by: SignIn) -> Overview:
        """Return what there is, without any secret."""
        member = by.staff.member
        return Overview(await self._store.passkeys(member), await self._store.recovery_left(member))

    # ------------------------------------------------------------------------------------------ authenticator apps

    async def begin_totp(self, by: SignIn) -> Factor:
        """Return a new secret for an authenticator app. Nothing is kept: `set_totp` makes it count."""
        secret = pyotp.random_base32()
        uri = totp_uri(secret, by.staff.login, self._issuer)
        return Factor(secret, uri, await asyncio.to_thread(_qr, uri))

    async def set_totp(self, by: SignIn, secret: str, code: str, proof: Proof) -> list[str]:
        """Require this second factor from now on, in place of the one before. Returns new recovery codes. Raises
        INVALID for what is no secret, and SIGN_IN_REFUSED as `Proofs.require`, or with `why` "new_code" where the app's
        code shows that it has another secret."""
        if not is_totp_secret(secret):
            raise Refusal(Reason.INVALID)
        step = totp_step(secret, code, self._now(), 0)
        if step is None:
            raise Refusal(Reason.SIGN_IN_REFUSED, details={"why": "new_code"})
        member = by.staff.member
        await self._proofs.require(by, proof)
        codes = _codes()
        hashes = _hashes(member, codes)
        await self._store.set_totp(member, secret, self._now(), keep=by.token_hash, codes=hashes)
        # The code that was just typed must not open anything any more.
        await self._store.use_totp(member, step)
        self.on_changed(member)
        return codes

    async def remove_totp(self, by: SignIn, proof: Proof) -> None:
        """Remove the second factor and its recovery codes. Does nothing where there is none. Raises SIGN_IN_REFUSED."""
        member = by.staff.member
        await self._proofs.require(by, proof)
        await self._store.set_totp(member, None, self._now(), keep=by.token_hash)
        self.on_changed(member)

    async def renew_codes(self, by: SignIn, proof: Proof) -> list[str]:
        """Return new recovery codes; the old ones are good for nothing. Raises SIGN_IN_REFUSED, with `why` "code" also
        where there is no second factor that they could stand for."""
        found = await self._proofs.require(by, proof)
        if found.totp_secret is None:
            raise wrong_code()
        codes = _codes()
        member = by.staff.member
        await self._store.set_recovery(member, _hashes(member, codes), self._now())
        return codes

    # ------------------------------------------------------------------------------------------ passkeys

    async def ask_to_add_passkey(self, by: SignIn, place: RelyingParty) -> bytes:
        """Return what a device is asked that is to make a passkey, as JSON."""
        return await self._passkeys.ask_to_add(by.staff, by.token_hash, place)

    async def ask_for_passkey(self, by: SignIn, place: RelyingParty) -> bytes:
        """Return what a device is asked that is to show one of their passkeys, as JSON. Raises NOT_ALLOWED
        ("no_passkey")."""
        return await self._passkeys.ask(Purpose.PROVE, by.token_hash, place, by.staff.member)

    async def add_passkey(
        self, by: SignIn, name: str, answer: Attestation, place: RelyingParty, proof: Proof
    ) -> Passkey:
        """Keep a passkey that a device has made. Raises as `Passkeys.made` and `Proofs.require`, and BUSY where there
        are as many as there may be."""
        await self._proofs.require(by, proof)
        made = await self._passkeys.made(by.staff.member, name, answer, by.token_hash, place)
        await self._store.add_passkey(made, most=MOST_PASSKEYS, keep=by.token_hash)
        self.on_changed(by.staff.member)
        return made

    async def remove_passkey(self, by: SignIn, credential: bytes, proof: Proof) -> None:
        """Forget a passkey of the account. Does nothing where there is no such passkey."""
        await self._proofs.require(by, proof)
        if await self._store.remove_passkey(by.staff.member, credential, self._now(), keep=by.token_hash):
            self.on_changed(by.staff.member)


def _codes() -> list[str]:
    return [make_recovery_code(secrets.randbelow) for _ in range(CODES)]


def _hashes(member: MemberId, codes: list[str]) -> list[bytes]:
    hashes = [hash_recovery_code(member, code) for code in codes]
    return [each for each in hashes if each is not None]


def _qr(uri: str) -> list[str]:
    import segno  # noqa: PLC0415 - its tables take a while, and few workers need them

    return ["".join(str(int(bit)) for bit in row) for row in segno.make_qr(uri, error="m").matrix]
