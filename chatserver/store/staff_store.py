"""What a store promises about staff accounts, and how it is done for every database.

Every method here that changes an account MUST enter the act in the audit log in the same transaction
(`domain/people/account_acts.py`): no change without its entry, and no entry without its change.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from functools import partial
from typing import TypeVar

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.audit_log import Entry
from chatserver.domain.people.staff import Role, Staff
from chatserver.store import accounts, factors, staff
from chatserver.store.core.compiler import MakeOp
from chatserver.store.staff_records import Device, Invitation, Passkey, SignIn, StaffSecrets, Waiting

T = TypeVar("T")


class StaffStore(ABC):
    """Keeps the accounts of staff."""

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    # Accounts

    async def add_staff(self, secrets: StaffSecrets, name_key: str, invitation: bytes | None) -> None:
        """Add an account and its member. If `invitation` is given, that link is used up in the same transaction.

        An operator with `operator_from` waits until then, unless nobody else's operator role counts at
        `staff.created_at`: then theirs counts at once. Raises NAME_TAKEN (`login` or name) or INVITATION_UNKNOWN
        (unknown, used or expired at `staff.created_at`)."""
        await self._write(partial(staff.add_staff, secrets, name_key, invitation))

    async def staff_by_login(self, login: str) -> StaffSecrets | None:
        return await self._read(partial(staff.staff_by_login, login))

    async def staff(self, member: MemberId) -> StaffSecrets | None:
        return await self._read(partial(staff.staff, member))

    async def all_staff(self) -> list[Staff]:
        """Return all accounts, including revoked ones, oldest first, with the roles that they were given."""
        return await self._read(staff.all_staff)

    async def good_staff(self, members: Collection[MemberId]) -> dict[MemberId, Staff]:
        """Return the accounts of those of these members who have a valid one, in one cheap read."""
        return await self._read(partial(staff.good_staff, members))

    async def set_staff(
        self, member: MemberId, roles: frozenset[Role], *, now: Millis, by: MemberId | None = None
    ) -> None:
        """Give an account these roles and no others. A new operator role waits, unless nobody else's counts.

        Raises MEMBER_UNKNOWN, and NOT_ALLOWED if the last operator whose role counts would lose it, or if `by` may not
        manage staff now: of two who end one another's accounts at once, one succeeds."""
        await self._write(partial(staff.set_staff, member, roles, by, now))

    async def agree_operator(self, member: MemberId, by: MemberId, now: Millis) -> None:
        """Let a waiting operator role count at once. Raises as `set_staff`, and as `domain.people.staff.agree`."""
        await self._write(partial(staff.agree_operator, member, by, now))

    async def waiting_operators(self, now: Millis) -> list[Waiting]:
        """Return the valid accounts whose operator role does not count at `now`, the next to count first."""
        return await self._read(partial(staff.waiting_operators, now))

    async def revoke_staff(self, member: MemberId, now: Millis, *, by: MemberId | None = None) -> None:
        """Revoke an account and end its sign-ins. Raises as `set_staff`. Doing it again changes nothing."""
        await self._write(partial(staff.revoke_staff, member, now, by))

    async def add_invitation(self, invitation: Invitation, now: Millis) -> None:
        """Keep an invitation. Raises NOT_ALLOWED if `made_by` may not manage staff now."""
        await self._write(partial(staff.add_invitation, invitation, now))

    async def invitation(self, link_hash: bytes, now: Millis) -> Invitation | None:
        """Return an invitation that can still be used, or None."""
        return await self._read(partial(staff.invitation, link_hash, now))

    async def make_reset(
        self, link_hash: bytes, member: MemberId, now: Millis, expires_at: Millis, *, by: MemberId | None = None
    ) -> None:
        """Take away everything that opens an account (password, factor, recovery codes, passkeys, sign-ins, known
        browsers, earlier links), and keep a link that gives it a new password. Reports that the account had claimed are
        open again. The account itself stays as it is, except that an operator role waits like a new one if `by` is
        given.

        Raises MEMBER_UNKNOWN, also for a revoked account, and NOT_ALLOWED as `set_staff`."""
        await self._write(partial(staff.make_reset, link_hash, member, now, expires_at, by))

    async def reset(self, link_hash: bytes, now: Millis) -> StaffSecrets | None:
        """Return the account for which a reset link can still be used, or None."""
        return await self._read(partial(staff.reset, link_hash, now))

    async def was_reset(self, member: MemberId, since: Millis) -> bool:
        """Return whether another operator has reset an account after `since`."""
        return await self._read(partial(accounts.was_reset, member, since))

    async def use_reset(self, link_hash: bytes, password_hash: str, now: Millis) -> StaffSecrets:
        """Use a reset link up, and set the password. Raises INVITATION_UNKNOWN if the link is no longer valid."""
        return await self._write(partial(staff.use_reset, link_hash, password_hash, now))

    # Signing in

    async def sign_in(
        self, token_hash: bytes, member: MemberId, now: Millis, expires_at: Millis, device: Device | None = None
    ) -> None:
        """Remember a sign-in by the hash of its token, confirmed at `now`, and the browser, if it is one. Store with it
        how many tries had failed, and reset that count. Raises MEMBER_UNKNOWN if the account is not valid, or was reset
        and its link is not used yet."""
        await self._write(partial(staff.sign_in, token_hash, member, now, expires_at, device))

    async def sign_ins(self, token_hashes: Collection[bytes], now: Millis) -> dict[bytes, SignIn]:
        """Return those sign-ins that are valid, with their accounts as they are at `now`, in one cheap read: every
        worker asks twice a second about all staff who are connected to it."""
        return await self._read(partial(staff.sign_ins, token_hashes, now))

    async def confirm_sign_in(self, token_hash: bytes, now: Millis) -> None:
        """Note that the person proved again who they are. No-op if the sign-in has ended."""
        await self._write(partial(staff.confirm_sign_in, token_hash, now))

    async def sign_out(self, token_hash: bytes, now: Millis) -> None:
        await self._write(partial(staff.sign_out, token_hash, now))

    async def knows_device(self, device_hash: bytes, member: MemberId, now: Millis) -> bool:
        """Return whether this member has signed in from this browser before."""
        return await self._read(partial(accounts.knows_device, device_hash, member, now))

    async def forget_devices(self, member: MemberId, now: Millis, *, keep: bytes, device: bytes | None) -> None:
        """End all sign-ins of a member but `keep`, and forget all browsers but `device`."""
        await self._write(partial(accounts.forget_devices, member, now, keep, device))

    async def note_failed_try(self, member: MemberId | None, now: Millis) -> None:
        """Count a wrong password or code, or (None) one for a login that does not exist. The audit log gets at most one
        entry an hour for each member, and one for all logins that do not exist."""
        await self._write(partial(accounts.note_failed_try, member, now))

    # Passwords and factors

    async def set_password(
        self, member: MemberId, password_hash: str, now: Millis, *, device: bytes | None = None
    ) -> None:
        """Set a password, end every sign-in of the member, and forget every known browser but `device`."""
        await self._write(partial(factors.set_password, member, password_hash, now, device))

    async def set_totp(
        self, member: MemberId, secret: str | None, now: Millis, *, keep: bytes, codes: Collection[bytes] = ()
    ) -> None:
        """Set, replace or (None) remove the second factor, with the hashes of its recovery codes. Ends every sign-in
        but `keep`. Raises MEMBER_UNKNOWN."""
        await self._write(partial(factors.set_totp, member, secret, now, keep, codes))

    async def use_totp(self, member: MemberId, step: int) -> bool:
        """Return whether this time step is later than every one used before; if so, note that it is used."""
        return await self._write(partial(factors.use_totp, member, step))

    async def set_recovery(self, member: MemberId, codes: Collection[bytes], now: Millis) -> None:
        """Replace the recovery codes by these hashes."""
        await self._write(partial(factors.set_recovery, member, codes, now))

    async def recovery_left(self, member: MemberId) -> int:
        return await self._read(partial(factors.recovery_left, member))

    async def use_recovery(self, member: MemberId, code_hash: bytes, now: Millis) -> bool:
        """Return whether this is one of the member's recovery codes; if so, use it up."""
        return await self._write(partial(factors.use_recovery, member, code_hash, now))

    # Passkeys

    async def passkeys(self, member: MemberId) -> list[Passkey]:
        """Return a member's passkeys, oldest first."""
        return await self._read(partial(factors.passkeys, member))

    async def passkey(self, credential: bytes) -> Passkey | None:
        return await self._read(partial(factors.passkey, credential))

    async def add_passkey(self, passkey: Passkey, *, most: int, keep: bytes) -> None:
        """Add a passkey, at its `created_at`, and end every sign-in but `keep`. Raises NAME_TAKEN if the credential is
        known already, and BUSY beyond `most` of one member."""
        await self._write(partial(factors.add_passkey, passkey, most, keep))

    async def remove_passkey(self, member: MemberId, credential: bytes, now: Millis, *, keep: bytes) -> bool:
        """Remove a passkey and end every sign-in but `keep`. Return False, and change nothing, if it is not the
        member's."""
        return await self._write(partial(factors.remove_passkey, member, credential, now, keep))

    async def use_passkey(self, credential: bytes, sign_count: int, now: Millis) -> bool:
        """Note that a passkey was used. Return False, and change nothing, if its count did not rise: then one of two
        devices is a copy. A device that does not count says 0 each time."""
        return await self._write(partial(factors.use_passkey, credential, sign_count, now))

    async def add_challenge(self, challenge: bytes, purpose: str, holder: bytes, expires_at: Millis) -> None:
        await self._write(partial(factors.add_challenge, challenge, purpose, holder, expires_at))

    async def take_challenge(self, challenge: bytes, purpose: str, holder: bytes, now: Millis) -> bool:
        """Return whether this challenge was made for this purpose and holder and has not expired; if so, use it up."""
        return await self._write(partial(factors.take_challenge, challenge, purpose, holder, now))

    # What was done

    async def account_acts(self, limit: int) -> list[Entry]:
        """Return the newest entries of the audit log about accounts, newest first: `limit` acts that change something,
        and a third as many routine ones (`account_acts.ROUTINE`), the latter from the last 5,000 entries only."""
        return await self._read(partial(accounts.account_acts, limit))
