"""Signing in, being invited, and who of the staff may do what to whose account.

Knows nothing of connections: `handlers/sign_ins.py` brings what is decided here to those who are connected. How often
somebody may try is for the edge to count, by address and by login, before it asks here.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection
from typing import Final, NamedTuple, TypeVar

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.names import name_key
from chatserver.domain.passwords import LONGEST, check_password, clean_password
from chatserver.domain.staff import (
    SECRET_BYTES,
    Capability,
    Role,
    Staff,
    clean_login,
    clean_staff_name,
    fold_login,
    hash_secret,
    is_totp_secret,
    keep_an_operator,
    require,
    require_confirmed,
    spare_oneself,
    totp_step,
    totp_uri,
)
from chatserver.store.contract import Invitation, SignIn, StaffSecrets, Store

_T = TypeVar("_T")

TIME_COST: Final = 3
MEMORY_KIB: Final = 64 * 1024
PARALLELISM: Final = 1
"""argon2id as RFC 9106, section 4, recommends where memory is dear (its second choice), in one lane instead of four: as
much work for whoever guesses, and the other cores stay with the rooms. 127 ms and 64 MiB on 2 shared vCPUs."""
WAITING: Final = 16
"""Who may wait for a password to be hashed, one after another. The last of them waits some two seconds."""
_NOBODYS: Final = "$argon2id$v=19$m={m},t={t},p={p}$bm9ib2R5J3Mgc2FsdCBpcw$r3k5Wc2bJmMTf1lZ3yq0s1oE3T3uBOYyqkq9ZkTQm2U"
"""What the password of a login is held against that there is not: the answer takes as long, and is no."""


class Welcome(NamedTuple):
    """Somebody has signed in. The token is known to them alone from here on."""

    sign_in: SignIn
    token: str


class Link(NamedTuple):
    """An invitation: its secret, shown once, and until when it can be used."""

    secret: str
    expires_at: Millis


class StaffAccounts:
    """The accounts of those who work here. `sign_in_age` and `invitation_age` are in milliseconds; `issuer` is what
    authenticator apps call this place.

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
        issuer: str = "Peer support",
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._store = store
        self._new_id = new_id
        self._now = now
        self._name_length = name_length
        self._sign_in_age = sign_in_age
        self._invitation_age = invitation_age
        self._issuer = issuer
        self._hasher = hasher = hasher or PasswordHasher(TIME_COST, MEMORY_KIB, PARALLELISM)
        self._nobodys = _NOBODYS.format(m=hasher.memory_cost, t=hasher.time_cost, p=hasher.parallelism)
        self._hashing = asyncio.Lock()
        self._waiting = 0
        self.on_changed: Callable[[MemberId], None] = lambda member: None

    # -------------------------------------------------------------------------------------------- signing in and out

    async def sign_in(self, login: str, password: str, code: str | None = None) -> Welcome:
        """Raises SIGN_IN_REFUSED; with `why` "code" where the password was right, and the second factor is missing or
        wrong."""
        found = await self._store.staff_by_login(fold_login(login))
        is_right = await self._matches(self._nobodys if found is None else found.password_hash, password)
        if found is None or not is_right or found.staff.revoked_at is not None:
            raise Refusal(Reason.SIGN_IN_REFUSED)
        await self._check_code(found, code)
        return await self._welcome(found)

    async def known(self, token: str | None) -> SignIn | None:
        """The sign-in behind a token, while it and the account are good."""
        hashed = hash_secret(token) if token else None
        if hashed is None:
            return None
        return (await self._store.sign_ins([hashed], self._now())).get(hashed)

    async def sign_out(self, by: SignIn) -> None:
        await self._store.sign_out(by.token_hash)
        self.on_changed(by.staff.member)

    async def confirm(self, by: SignIn, password: str, code: str | None = None) -> None:
        """They show again who they are, because of what they want to do. Raises as `sign_in`."""
        found = await self._require_password(by.staff.member, password)
        await self._check_code(found, code)
        await self._store.confirm_sign_in(by.token_hash, self._now())

    # ------------------------------------------------------------------------------------------------ becoming staff

    async def accept_invitation(self, link: str, login: str, name: str, password: str) -> Welcome:
        """Make the account that a link invites to, and sign in.

        Raises INVITATION_UNKNOWN, NAME_REFUSED, NAME_TAKEN, or PASSWORD_WEAK; then the link is as good as before."""
        hashed = hash_secret(link)
        invitation = None if hashed is None else await self._store.invitation(hashed, self._now())
        if invitation is None:
            raise Refusal(Reason.INVITATION_UNKNOWN)
        return await self._welcome(await self._add(login, name, password, invitation.roles, hashed))

    async def add_operator(self, login: str, name: str, password: str) -> Staff:
        """For whoever has the machine. Raises as `accept_invitation`."""
        return (await self._add(login, name, password, frozenset({Role.OPERATOR}), None)).staff

    async def make_invitation(self, roles: Collection[Role], by: MemberId | None) -> Link:
        """A link for one person. Raises INVALID where it gives no role."""
        link, expires_at = secrets.token_urlsafe(SECRET_BYTES), Millis(self._now() + self._invitation_age)
        await self._store.add_invitation(
            Invitation(link_hash=_hash(link), roles=_some(roles), made_by=by, expires_at=expires_at)
        )
        return Link(link, expires_at)

    # ----------------------------------------------------------------------------------------------- one's own account

    async def change_password(self, by: SignIn, current: str, new: str) -> Welcome:
        """Ends every sign-in of theirs, this one too, and begins a new one. Raises SIGN_IN_REFUSED or PASSWORD_WEAK."""
        member = by.staff.member
        await self._require_password(member, current)
        password_hash = await self._hash_password(new, by.staff.login)
        await self._store.set_password(member, password_hash)
        self.on_changed(member)
        return await self._welcome(await self._secrets(member))

    def begin_totp(self, by: SignIn) -> tuple[str, str]:
        """A new secret for an authenticator app, and its URI. Nothing is kept: `set_totp` makes it count."""
        self._require_confirmed(by)
        secret = pyotp.random_base32()
        return secret, totp_uri(secret, by.staff.login, self._issuer)

    async def set_totp(self, by: SignIn, secret: str, code: str) -> None:
        """From now on this second factor is asked for. Raises INVALID for what is no secret, SIGN_IN_REFUSED ("code")
        where the app's code shows that it has another."""
        self._require_confirmed(by)
        if not is_totp_secret(secret):
            raise Refusal(Reason.INVALID)
        step = totp_step(secret, code, self._now(), 0)
        if step is None:
            raise _wrong_code()
        await self._store.set_totp(by.staff.member, secret)
        # The code that was just typed must not open anything any more.
        await self._store.use_totp(by.staff.member, step)

    async def remove_totp(self, by: SignIn, code: str) -> None:
        """Do without it again. Raises SIGN_IN_REFUSED ("code"). It is done already where there is none."""
        self._require_confirmed(by)
        await self._check_code(await self._secrets(by.staff.member), code)
        await self._store.set_totp(by.staff.member, None)

    async def may_go(self, by: SignIn, password: str) -> MemberId:
        """Whether somebody can be erased, who says so with their password: who they are. Raises SIGN_IN_REFUSED, or
        NOT_ALLOWED (`why` "last_operator") where nobody would be left."""
        member = by.staff.member
        await self._require_password(member, password)
        # The store decides again when it writes; here the reason is known.
        keep_an_operator(await self._store.all_staff(), member, ())
        return member

    # ------------------------------------------------------------------------------------------------ others' accounts

    async def invite(self, by: SignIn, roles: Collection[Role]) -> Link:
        """Raises NOT_ALLOWED, CONFIRMATION_REQUIRED, or INVALID."""
        self._require(by, Capability.MANAGE_STAFF)
        return await self.make_invitation(roles, by.staff.member)

    async def everybody(self, by: SignIn) -> list[Staff]:
        """All accounts, the revoked too, oldest first. Raises NOT_ALLOWED."""
        require(by.staff.roles, Capability.SEE_STAFF)
        return await self._store.all_staff()

    async def set_roles(self, by: SignIn, member: MemberId, roles: Collection[Role]) -> None:
        """Raises NOT_ALLOWED (`why` "last_operator" where nobody would be left, "self" for one's own operator's role),
        CONFIRMATION_REQUIRED, MEMBER_UNKNOWN, or INVALID where no role is left: that is what revoking is for."""
        self._require(by, Capability.MANAGE_STAFF)
        chosen = _some(roles)
        keep_an_operator(await self._store.all_staff(), member, chosen)
        spare_oneself(by.staff.member, member, chosen)
        await self._store.set_staff(member, chosen, by=by.staff.member)
        self.on_changed(member)

    async def revoke(self, by: SignIn, member: MemberId) -> None:
        """Raises NOT_ALLOWED (`why` "last_operator" where nobody would be left, "self" about oneself),
        CONFIRMATION_REQUIRED or MEMBER_UNKNOWN."""
        self._require(by, Capability.MANAGE_STAFF)
        await self.end(member, by.staff.member)

    async def end(self, member: MemberId, by: MemberId | None = None) -> None:
        """Revoke an account; without `by`, for whoever has the machine. Raises as `revoke`."""
        # The store decides again when it writes; here the reason is known.
        keep_an_operator(await self._store.all_staff(), member, ())
        if by is not None:
            spare_oneself(by, member, ())
        await self._store.revoke_staff(member, self._now(), by=by)
        self.on_changed(member)

    # ----------------------------------------------------------------------------------------------------- inner parts

    def _require(self, by: SignIn, capability: Capability) -> None:
        require(by.staff.roles, capability)
        self._require_confirmed(by)

    def _require_confirmed(self, by: SignIn) -> None:
        require_confirmed(by.confirmed_at, self._now())

    async def _secrets(self, member: MemberId) -> StaffSecrets:
        found = await self._store.staff(member)
        if found is None or found.staff.revoked_at is not None:
            raise Refusal(Reason.IDENTITY_REQUIRED)
        return found

    async def _require_password(self, member: MemberId, password: str) -> StaffSecrets:
        found = await self._secrets(member)
        if not await self._matches(found.password_hash, password):
            raise Refusal(Reason.SIGN_IN_REFUSED)
        return found

    async def _check_code(self, found: StaffSecrets, code: str | None) -> None:
        if found.totp_secret is None:
            return
        step = totp_step(found.totp_secret, code or "", self._now(), found.totp_step)
        # Of two who type the same code at once, the store lets one in.
        if step is None or not await self._store.use_totp(found.staff.member, step):
            raise _wrong_code()

    async def _welcome(self, found: StaffSecrets) -> Welcome:
        """A new sign-in for somebody who has shown who they are."""
        token, now, member = secrets.token_urlsafe(SECRET_BYTES), self._now(), found.staff.member
        hashed, expires_at = _hash(token), Millis(now + self._sign_in_age)
        try:
            await self._store.sign_in(hashed, member, now, expires_at)
        except Refusal:
            # Revoked at this moment.
            raise Refusal(Reason.SIGN_IN_REFUSED) from None
        # The password may have been changed, because it was stolen, while this one was being checked.
        after = await self._store.staff(member)
        if after is None or after.password_hash != found.password_hash or after.staff.revoked_at is not None:
            await self._store.sign_out(hashed)
            raise Refusal(Reason.SIGN_IN_REFUSED)
        signed_in = SignIn(token_hash=hashed, staff=after.staff, confirmed_at=now, expires_at=expires_at)
        return Welcome(signed_in, token)

    async def _add(
        self, login: str, name: str, password: str, roles: frozenset[Role], invitation: bytes | None
    ) -> StaffSecrets:
        cleaned = clean_login(login)
        everybody = await self._store.all_staff()
        if any(staff.login == cleaned for staff in everybody):
            raise Refusal(Reason.NAME_TAKEN, details={"field": "login"})
        shown = clean_staff_name(name, max_length=self._name_length, others=everybody)
        staff = Staff(member=self._new_id(), login=cleaned, name=shown.name, roles=roles, created_at=self._now())
        password_hash = await self._hash_password(password, cleaned)
        added = StaffSecrets(staff=staff, password_hash=password_hash, totp_secret=None, totp_step=0)
        await self._store.add_staff(added, name_key(shown.name), invitation)
        return added

    async def _hash_password(self, password: str, login: str) -> str:
        """Raises PASSWORD_WEAK or BUSY."""
        cleaned = clean_password(password[: LONGEST + 1])
        check_password(cleaned, login)
        return await self._one_at_a_time(self._hasher.hash, cleaned)

    async def _matches(self, password_hash: str, password: str) -> bool:
        """Takes as long whatever is wrong. Raises BUSY."""
        return await self._one_at_a_time(self._verify, password_hash, clean_password(password[: LONGEST + 1]))

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _one_at_a_time(self, work: Callable[..., _T], *arguments: str) -> _T:
        """Each takes a core and 64 MiB for a moment: a crowd that signs in waits for one another, and the rooms for
        nobody."""
        if self._waiting >= WAITING:
            raise Refusal(Reason.BUSY, retry_after=2.0)
        self._waiting += 1
        try:
            async with self._hashing:
                return await asyncio.to_thread(work, *arguments)
        finally:
            self._waiting -= 1


def _hash(secret: str) -> bytes:
    """What one of our own secrets is kept under."""
    hashed = hash_secret(secret)
    assert hashed is not None, "it was drawn in the shape of one"
    return hashed


def _some(roles: Collection[Role]) -> frozenset[Role]:
    if not roles:
        raise Refusal(Reason.INVALID, details={"field": "$.roles", "problem": "no role"})
    return frozenset(roles)


def _wrong_code() -> Refusal:
    return Refusal(Reason.SIGN_IN_REFUSED, details={"why": "code"})
