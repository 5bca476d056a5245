"""What a store is told and tells of staff accounts, sign-ins and factors."""

from __future__ import annotations

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.staff import Role, Staff


class StaffSecrets(msgspec.Struct, frozen=True, kw_only=True):
    """What signing in needs to know of an account. `password_hash` is argon2's own form; `totp_secret` base32;
    `totp_step` the newest time step that was used, so that no code counts twice."""

    staff: Staff
    password_hash: str
    totp_secret: str | None
    totp_step: int


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody of the staff who is signed in somewhere. `staff.roles` are those that count now. `confirmed_at` is when
    they last showed who they are; `tries` how many tries had failed before this sign-in since the one before it, and
    `tried_at` when the last of them was."""

    token_hash: bytes
    staff: Staff
    confirmed_at: Millis
    expires_at: Millis
    tries: int = 0
    tried_at: Millis | None = None


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A link that makes an account, once. Only its hash is kept."""

    link_hash: bytes
    roles: frozenset[Role]
    made_by: MemberId | None
    expires_at: Millis


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A browser where somebody signs in, by the hash of its cookie, and until when it is known there."""

    device_hash: bytes
    expires_at: Millis


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey (a WebAuthn credential) of one of the staff. `place` is the host that it was made for; `sign_count`
    is the newest count that its device has told, 0 where it counts nothing."""

    credential: bytes
    member: MemberId
    name: str
    public_key: bytes
    sign_count: int
    place: str
    created_at: Millis
    used_at: Millis | None = None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose operator's role begins to count at `operator_from`. `granted_by` is None where a command line gave
    it, and once who did was erased."""

    member: MemberId
    operator_from: Millis
    granted_by: MemberId | None
