"""The staff's part of the contract as operations, for every database."""

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
from chatserver.store.staff_contract import Device, Invitation, Passkey, SignIn, StaffSecrets, Waiting

T = TypeVar("T")


class StaffOperations(ABC):
    """`contract.StaffStore` over the two things that a driver must be able to do."""

    @abstractmethod
    async def _read(self, op: MakeOp[T]) -> T:
        """Run an operation that writes nothing, in one snapshot where the database has them."""

    @abstractmethod
    async def _write(self, op: MakeOp[T]) -> T:
        """Run an operation in one transaction, durable on return."""

    # Accounts

    async def add_staff(self, secrets: StaffSecrets, name_key: str, invitation: bytes | None) -> None:
        await self._write(partial(staff.add_staff, secrets, name_key, invitation))

    async def staff_by_login(self, login: str) -> StaffSecrets | None:
        return await self._read(partial(staff.staff_by_login, login))

    async def staff(self, member: MemberId) -> StaffSecrets | None:
        return await self._read(partial(staff.staff, member))

    async def all_staff(self) -> list[Staff]:
        return await self._read(staff.all_staff)

    async def good_staff(self, members: Collection[MemberId]) -> dict[MemberId, Staff]:
        return await self._read(partial(staff.good_staff, members))

    async def set_staff(
        self, member: MemberId, roles: frozenset[Role], *, now: Millis, by: MemberId | None = None
    ) -> None:
        await self._write(partial(staff.set_staff, member, roles, by, now))

    async def agree_operator(self, member: MemberId, by: MemberId, now: Millis) -> None:
        await self._write(partial(staff.agree_operator, member, by, now))

    async def waiting_operators(self, now: Millis) -> list[Waiting]:
        return await self._read(partial(staff.waiting_operators, now))

    async def revoke_staff(self, member: MemberId, now: Millis, *, by: MemberId | None = None) -> None:
        await self._write(partial(staff.revoke_staff, member, now, by))

    async def add_invitation(self, invitation: Invitation, now: Millis) -> None:
        await self._write(partial(staff.add_invitation, invitation, now))

    async def invitation(self, link_hash: bytes, now: Millis) -> Invitation | None:
        return await self._read(partial(staff.invitation, link_hash, now))

    async def make_reset(
        self, link_hash: bytes, member: MemberId, now: Millis, expires_at: Millis, *, by: MemberId | None = None
    ) -> None:
        await self._write(partial(staff.make_reset, link_hash, member, now, expires_at, by))

    async def reset(self, link_hash: bytes, now: Millis) -> StaffSecrets | None:
        return await self._read(partial(staff.reset, link_hash, now))

    async def was_reset(self, member: MemberId, since: Millis) -> bool:
        return await self._read(partial(accounts.was_reset, member, since))

    async def use_reset(self, link_hash: bytes, password_hash: str, now: Millis) -> StaffSecrets:
        return await self._write(partial(staff.use_reset, link_hash, password_hash, now))

    # Signing in

    async def sign_in(
        self, token_hash: bytes, member: MemberId, now: Millis, expires_at: Millis, device: Device | None = None
    ) -> None:
        await self._write(partial(staff.sign_in, token_hash, member, now, expires_at, device))

    async def sign_ins(self, token_hashes: Collection[bytes], now: Millis) -> dict[bytes, SignIn]:
        return await self._read(partial(staff.sign_ins, token_hashes, now))

    async def confirm_sign_in(self, token_hash: bytes, now: Millis) -> None:
        await self._write(partial(staff.confirm_sign_in, token_hash, now))

    async def sign_out(self, token_hash: bytes, now: Millis) -> None:
        await self._write(partial(staff.sign_out, token_hash, now))

    async def knows_device(self, device_hash: bytes, member: MemberId, now: Millis) -> bool:
        return await self._read(partial(accounts.knows_device, device_hash, member, now))

    async def forget_devices(self, member: MemberId, now: Millis, *, keep: bytes, device: bytes | None) -> None:
        await self._write(partial(accounts.forget_devices, member, now, keep, device))

    async def note_failed_try(self, member: MemberId | None, now: Millis) -> None:
        await self._write(partial(accounts.note_failed_try, member, now))

    # Passwords and factors

    async def set_password(
        self, member: MemberId, password_hash: str, now: Millis, *, device: bytes | None = None
    ) -> None:
        await self._write(partial(factors.set_password, member, password_hash, now, device))

    async def set_totp(
        self, member: MemberId, secret: str | None, now: Millis, *, keep: bytes, codes: Collection[bytes] = ()
    ) -> None:
        await self._write(partial(factors.set_totp, member, secret, now, keep, codes))

    async def use_totp(self, member: MemberId, step: int) -> bool:
        return await self._write(partial(factors.use_totp, member, step))

    async def set_recovery(self, member: MemberId, codes: Collection[bytes], now: Millis) -> None:
        await self._write(partial(factors.set_recovery, member, codes, now))

    async def recovery_left(self, member: MemberId) -> int:
        return await self._read(partial(factors.recovery_left, member))

    async def use_recovery(self, member: MemberId, code_hash: bytes, now: Millis) -> bool:
        return await self._write(partial(factors.use_recovery, member, code_hash, now))

    # Passkeys

    async def passkeys(self, member: MemberId) -> list[Passkey]:
        return await self._read(partial(factors.passkeys, member))

    async def passkey(self, credential: bytes) -> Passkey | None:
        return await self._read(partial(factors.passkey, credential))

    async def add_passkey(self, passkey: Passkey, *, most: int, keep: bytes) -> None:
        await self._write(partial(factors.add_passkey, passkey, most, keep))

    async def remove_passkey(self, member: MemberId, credential: bytes, now: Millis, *, keep: bytes) -> bool:
        return await self._write(partial(factors.remove_passkey, member, credential, now, keep))

    async def use_passkey(self, credential: bytes, sign_count: int, now: Millis) -> bool:
        return await self._write(partial(factors.use_passkey, credential, sign_count, now))

    async def add_challenge(self, challenge: bytes, purpose: str, holder: bytes, expires_at: Millis) -> None:
        await self._write(partial(factors.add_challenge, challenge, purpose, holder, expires_at))

    async def take_challenge(self, challenge: bytes, purpose: str, holder: bytes, now: Millis) -> bool:
        return await self._write(partial(factors.take_challenge, challenge, purpose, holder, now))

    # What was done

    async def account_acts(self, limit: int) -> list[Entry]:
        return await self._read(partial(accounts.account_acts, limit))
