"""Signing in, being invited, and which staff may do what to which account.

This module knows nothing of connections: `handlers/people/sign_ins.py` applies what is decided here to the staff who
are connected. The edge counts attempts at passwords before it asks here; wrong codes are counted in
`handlers/people/proofs.py`. What opens an account is in `handlers/people/factors.py`.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Collection
from typing import Final, NamedTuple

from argon2 import PasswordHasher

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.limits import Limits
from chatserver.domain.people.devices import hash_device, sign_device
from chatserver.domain.people.names import name_key
from chatserver.domain.people.staff import (
    OPERATOR_WAIT,
    SECRET_BYTES,
    Capability,
    Role,
    Staff,
    clean_login,
    clean_staff_name,
    fold_login,
    hash_secret,
    keep_an_operator,
    require,
    require_confirmed,
    spare_oneself,
)
from chatserver.handlers.people.factors import Factors
from chatserver.handlers.people.passkeys import Passkeys, Purpose, VerifiedPasskey
from chatserver.handlers.people.password_hashing import Hashing
from chatserver.handlers.people.proofs import Proof, Proofs
from chatserver.handlers.people.tries import Tries
from chatserver.store.records import Invitation, SignIn, StaffSecrets
from chatserver.store.staff_records import Device
from chatserver.store.store import Store


class NewSignIn(NamedTuple):
    """A sign-in that has just begun. From here on only its owner knows the token."""

    sign_in: SignIn
    token: str


class AccountLink(NamedTuple):
    """An invitation or a reset: its secret, which is shown once, and until when it can be used."""

    secret: str
    expires_at: Millis


RESET_HOLDS: Final = 24 * 3_600_000
"""Milliseconds after another operator's reset for which an account gives nothing out: its owner sees it by then."""
DEVICE_AGE: Final = 90 * 24 * 3_600_000
"""Milliseconds for which a browser is known after the last sign-in there."""


class StaffAccounts:
    """The accounts of those who work here. `sign_in_age`, `device_age` and `invitation_age` are in milliseconds;
    `device_key` signs the cookies of known browsers; `issuer` is what authenticator apps and passkeys call this place.

    Where the store is away everything here raises StoreUnavailable: nobody is let in on a guess. `on_changed` is told
    after the commit of everybody whose account, roles or sign-ins are others now.
    """

    def __init__(
        self,
        store: Store,
        *,
        new_id: Callable[[], MemberId],
        now: Callable[[], Millis],
        name_length: int,
        sign_in_age: int,
        invitation_age: int,
        device_age: int = DEVICE_AGE,
        issuer: str = "Peer support",
        hasher: PasswordHasher | None = None,
        tries: Tries | None = None,
        device_key: bytes | None = None,
    ) -> None:
        self._store = store
        self._new_id = new_id
        self._now = now
        self._name_length = name_length
        self._sign_in_age = sign_in_age
        self._invitation_age = invitation_age
        self._device_key = device_key or secrets.token_bytes(SECRET_BYTES)
        self._device_age = device_age
        self.hashing = Hashing(hasher)
        self.passkeys = Passkeys(store, now=now, name=issuer)
        # Without others' tries to agree with, such as for whoever has the machine, any key will do.
        counting = tries or Tries(store, secrets.token_bytes(SECRET_BYTES), Limits(), now)
        self._proofs = Proofs(store, self.hashing, self.passkeys, counting, now=now)
        self.factors = Factors(store, self._proofs, self.passkeys, now=now, issuer=issuer)
        self.factors.on_changed = self._changed
        self.on_changed: Callable[[MemberId], None] = lambda member: None
        self.on_reset: Callable[[MemberId], Awaitable[None]] = _nothing
        """Awaited before anybody has the link that gives an account back: whoever holds it need not be its owner."""

    # -------------------------------------------------------------------------------------------- signing in and out

    async def sign_in(
        self,
        login: str,
        password: str,
        code: str | None = None,
        *,
        device: bytes | None = None,
        known_device: bytes | None = None,
    ) -> NewSignIn:
        """Sign in with a password; `device` is the hash of the browser's cookie, where it is one, and `known_device`
        the same where it signed in to this login before. Raises as `Proofs.of_login`."""
        return await self._welcome(await self._proofs.of_login(login, password, code, known_device), device)

    async def sign_in_with_passkey(self, shown: VerifiedPasskey, *, device: bytes | None = None) -> NewSignIn:
        """Sign in with a passkey, which says itself whose it is. Raises SIGN_IN_REFUSED ("passkey")."""
        passkey = await self.passkeys.check(Purpose.SIGN_IN, shown)
        found = await self._store.staff(passkey.member)
        if found is None:
            raise Refusal(Reason.SIGN_IN_REFUSED, details={"why": "passkey"})
        return await self._welcome(found, device)

    async def known(self, token: str | None) -> SignIn | None:
        """Return the sign-in behind a token; None once the sign-in or its account has ended."""
        hashed = hash_secret(token) if token else None
        if hashed is None:
            return None
        return (await self._store.sign_ins([hashed], self._now())).get(hashed)

    async def sign_out(self, by: SignIn) -> None:
        await self._store.sign_out(by.token_hash, self._now())
        self.on_changed(by.staff.member)

    async def sign_out_elsewhere(self, by: SignIn, device: bytes | None) -> None:
        """End every other sign-in of the account, and forget every other browser."""
        await self._store.forget_devices(by.staff.member, self._now(), keep=by.token_hash, device=device)
        self.on_changed(by.staff.member)

    async def confirm(self, by: SignIn, proof: Proof) -> None:
        """Check a proof of identity before something dangerous is done, and note it for this sign-in. Raises as
        `Proofs.require`."""
        await self._proofs.require(by, proof)
        await self._store.confirm_sign_in(by.token_hash, self._now())

    # ------------------------------------------------------------------------------------------------ known browsers

    def new_device(self) -> str:
        """Return a cookie for a browser that has none."""
        return sign_device(secrets.token_urlsafe(SECRET_BYTES), self._device_key)

    def device_of(self, cookie: str | None) -> bytes | None:
        """Return the hash of a browser's cookie; None for a cookie that we did not make."""
        return None if cookie is None else hash_device(cookie, self._device_key)

    async def is_known_there(self, login: str, device: bytes | None) -> bool:
        """Return whether this login was signed in to from this browser before."""
        found = None if device is None else await self._store.staff_by_login(fold_login(login))
        if found is None or device is None:
            return False
        return await self._store.knows_device(device, found.staff.member, self._now())

    # ------------------------------------------------------------------------------------------------ becoming staff

    async def accept_invitation(
        self, link: str, login: str, name: str, password: str, *, device: bytes | None = None
    ) -> NewSignIn:
        """Make the account that a link invites to, and sign in. Raises INVITATION_UNKNOWN, NAME_REFUSED, NAME_TAKEN, or
        PASSWORD_WEAK; the link can still be used then."""
        hashed = hash_secret(link)
        invitation = None if hashed is None else await self._store.invitation(hashed, self._now())
        if invitation is None:
            raise Refusal(Reason.INVITATION_UNKNOWN)
        return await self._welcome(await self._add(login, name, password, invitation.roles, hashed), device)

    async def add_operator(self, login: str, name: str, password: str) -> Staff:
        """Make an operator's account, for the owner of the machine. Raises as `accept_invitation`."""
        added = await self._add(login, name, password, frozenset({Role.OPERATOR}), None)
        # As it was kept: whether the role waits is decided where it is written.
        return (await self._proofs.account(added.staff.member)).staff

    async def make_invitation(self, roles: Collection[Role], by: MemberId | None) -> AccountLink:
        """Make a link that invites one person. Raises INVALID where it gives no role."""
        now = self._now()
        link, expires_at = secrets.token_urlsafe(SECRET_BYTES), Millis(now + self._invitation_age)
        await self._store.add_invitation(
            Invitation(link_hash=_hash(link), roles=_some(roles), made_by=by, expires_at=expires_at), now
        )
        return AccountLink(link, expires_at)

    # ----------------------------------------------------------------------------------------------- one's own account

    async def change_password(self, by: SignIn, proof: Proof, new: str, *, device: bytes | None = None) -> NewSignIn:
        """Set a new password. This ends every sign-in of the account, this one too, begins a new one, and forgets every
        browser but this one. Raises as `Proofs.require`, or PASSWORD_WEAK."""
        member = by.staff.member
        await self._proofs.require(by, proof)
        password_hash = await self.hashing.hash(new, by.staff.login)
        await self._store.set_password(member, password_hash, self._now(), device=device)
        self.on_changed(member)
        return await self._welcome(await self._proofs.account(member), device)

    async def may_export(self, by: SignIn) -> MemberId:
        """Return the member whose data the owner of a sign-in may export, who is themselves. Raises NOT_ALLOWED (`why`
        "reset") for a day after another operator reset the account: a reset must not let anybody read what its owner
        wrote in sessions, or reported."""
        member = by.staff.member
        if await self._store.was_reset(member, Millis(self._now() - RESET_HOLDS)):
            raise Refusal(Reason.NOT_ALLOWED, details={"why": "reset"})
        return member

    async def may_go(self, by: SignIn, proof: Proof) -> MemberId:
        """Return the member who may be erased, once they have proved that it is their account. Raises as
        `Proofs.require`, or NOT_ALLOWED (`why` "last_operator") where no operator would be left."""
        member = by.staff.member
        await self._proofs.require(by, proof)
        # The store decides again when it writes; here the reason is known.
        keep_an_operator(await self._store.all_staff(), member, (), self._now())
        return member

    # ------------------------------------------------------------------------------------------------ resets

    async def make_reset(self, member: MemberId, by: MemberId | None = None) -> AccountLink:
        """Make a link that gives an account back to its owner. Nothing opens the account until it is used. Without `by`
        the owner of the machine asks. Raises MEMBER_UNKNOWN or NOT_ALLOWED."""
        now = self._now()
        link, expires_at = secrets.token_urlsafe(SECRET_BYTES), Millis(now + self._invitation_age)
        await self._store.make_reset(_hash(link), member, now, expires_at, by=by)
        self.on_changed(member)
        await self.on_reset(member)
        return AccountLink(link, expires_at)

    async def reset(self, by: SignIn, member: MemberId) -> AccountLink:
        """Make a link as `make_reset` does, for an operator. Raises NOT_ALLOWED (`why` "self" for the operator's own
        account), CONFIRMATION_REQUIRED, or MEMBER_UNKNOWN."""
        self._require(by, Capability.MANAGE_STAFF)
        spare_oneself(by.staff.member, member, ())
        return await self.make_reset(member, by.staff.member)

    async def use_reset(self, link: str, password: str, *, device: bytes | None = None) -> NewSignIn:
        """Set the password of the account that a link gives back, and sign in. Raises INVITATION_UNKNOWN, or
        PASSWORD_WEAK; the link can still be used then."""
        hashed = hash_secret(link)
        found = None if hashed is None else await self._store.reset(hashed, self._now())
        if found is None or hashed is None:
            raise Refusal(Reason.INVITATION_UNKNOWN)
        password_hash = await self.hashing.hash(password, found.staff.login)
        return await self._welcome(await self._store.use_reset(hashed, password_hash, self._now()), device)

    # ------------------------------------------------------------------------------------------------ others' accounts

    async def invite(self, by: SignIn, roles: Collection[Role]) -> AccountLink:
        """Make a link that invites one person, for an operator. Raises NOT_ALLOWED, CONFIRMATION_REQUIRED, or
        INVALID."""
        self._require(by, Capability.MANAGE_STAFF)
        return await self.make_invitation(roles, by.staff.member)

    async def everybody(self, by: SignIn) -> list[Staff]:
        """Return all accounts, the revoked ones too, oldest first. Raises NOT_ALLOWED."""
        require(by.staff.roles, Capability.SEE_STAFF)
        return await self._store.all_staff()

    async def set_roles(self, by: SignIn, member: MemberId, roles: Collection[Role]) -> None:
        """Give an account these roles. Raises NOT_ALLOWED (`why` "last_operator" where no operator would be left,
        "self" for one's own role of operator), CONFIRMATION_REQUIRED, MEMBER_UNKNOWN, or INVALID where no role is left:
        an account is revoked for that."""
        self._require(by, Capability.MANAGE_STAFF)
        chosen = _some(roles)
        now = self._now()
        keep_an_operator(await self._store.all_staff(), member, chosen, now)
        spare_oneself(by.staff.member, member, chosen)
        await self._store.set_staff(member, chosen, by=by.staff.member, now=now)
        self.on_changed(member)

    async def agree(self, by: SignIn, member: MemberId) -> None:
        """Agree, as a second operator, to a new one. Raises NOT_ALLOWED (`why` "self" for the operator who gave the
        role, "not_waiting"), CONFIRMATION_REQUIRED or MEMBER_UNKNOWN."""
        self._require(by, Capability.MANAGE_STAFF)
        await self._store.agree_operator(member, by.staff.member, self._now())
        self.on_changed(member)

    async def revoke(self, by: SignIn, member: MemberId) -> None:
        """Revoke an account, for an operator. Raises NOT_ALLOWED (`why` "last_operator" where no operator would be
        left, "self" for one's own account), CONFIRMATION_REQUIRED or MEMBER_UNKNOWN."""
        self._require(by, Capability.MANAGE_STAFF)
        await self.end(member, by.staff.member)

    async def end(self, member: MemberId, by: MemberId | None = None) -> None:
        """Revoke an account. Without `by` the owner of the machine asks. Raises as `revoke`."""
        # The store decides again when it writes; here the reason is known.
        now = self._now()
        keep_an_operator(await self._store.all_staff(), member, (), now)
        if by is not None:
            spare_oneself(by, member, ())
        await self._store.revoke_staff(member, now, by=by)
        self.on_changed(member)

    # ----------------------------------------------------------------------------------------------------- inner parts

    def _require(self, by: SignIn, capability: Capability) -> None:
        require(by.staff.roles, capability)
        require_confirmed(by.confirmed_at, self._now())

    def _changed(self, member: MemberId) -> None:
        self.on_changed(member)

    async def _welcome(self, found: StaffSecrets, device: bytes | None) -> NewSignIn:
        """Begin a sign-in for a member who has proved who they are."""
        token, now, member = secrets.token_urlsafe(SECRET_BYTES), self._now(), found.staff.member
        hashed, expires_at = _hash(token), Millis(now + self._sign_in_age)
        known = None if device is None else Device(device_hash=device, expires_at=Millis(now + self._device_age))
        try:
            await self._store.sign_in(hashed, member, now, expires_at, known)
        except Refusal:
            # Revoked at this moment.
            raise Refusal(Reason.SIGN_IN_REFUSED) from None
        # The password may have been changed, because it was stolen, while this one was being checked.
        after = await self._store.staff(member)
        kept = (await self._store.sign_ins([hashed], now)).get(hashed)
        if after is None or after.password_hash != found.password_hash or kept is None:
            await self._store.sign_out(hashed, now)
            raise Refusal(Reason.SIGN_IN_REFUSED)
        return NewSignIn(kept, token)

    async def _add(
        self, login: str, name: str, password: str, roles: frozenset[Role], invitation: bytes | None
    ) -> StaffSecrets:
        cleaned = clean_login(login)
        everybody = await self._store.all_staff()
        if any(staff.login == cleaned for staff in everybody):
            raise Refusal(Reason.NAME_TAKEN, details={"field": "login"})
        shown = clean_staff_name(name, max_length=self._name_length, others=everybody)
        password_hash = await self.hashing.hash(password, cleaned)
        now = self._now()
        staff = Staff(
            member=self._new_id(),
            login=cleaned,
            name=shown.name,
            roles=roles,
            created_at=now,
            # The store lets it count at once where nobody else's does.
            operator_from=Millis(now + OPERATOR_WAIT) if Role.OPERATOR in roles else None,
        )
        added = StaffSecrets(staff=staff, password_hash=password_hash, totp_secret=None, totp_step=0)
        await self._store.add_staff(added, name_key(shown.name), invitation)
        return added


async def _nothing(member: MemberId) -> None:
    """Do nothing, where nobody else has to know."""


def _hash(secret: str) -> bytes:
    """Return the hash under which one of our own secrets is kept."""
    hashed = hash_secret(secret)
    assert hashed is not None, "it was drawn in the shape of one"
    return hashed


def _some(roles: Collection[Role]) -> frozenset[Role]:
    if not roles:
        raise Refusal(Reason.INVALID, details={"field": "$.roles", "problem": "no role"})
    return frozenset(roles)
