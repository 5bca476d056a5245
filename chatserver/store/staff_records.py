"""What callers and the store pass each other about staff accounts, sign-ins and factors."""

from __future__ import annotations

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.staff import Role, Staff


class StaffSecrets(msgspec.Struct, frozen=True, kw_only=True):
    """The secrets of an account that signing in needs. `password_hash` is in argon2's own format; `totp_secret` is
    base32; `totp_step` is the newest time step that was used, so that no code counts twice."""

    staff: Staff
    password_hash: str
    totp_secret: str | None
    totp_step: int


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """One of the staff who is signed in somewhere. `staff.roles` are the roles that count now. `confirmed_at` is when
    they last proved who they are; `tries` is how many tries failed between the sign-in before and this one, the latest
    at `tried_at`."""

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
    """A browser in which somebody has signed in, by the hash of its cookie, and until when it is known."""

    device_hash: bytes
    expires_at: Millis


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey (a WebAuthn credential) of one of the staff. `place` is the host that it was made for; `sign_count` is
    the newest count from its device, 0 if it does not count."""

    credential: bytes
    member: MemberId
    name: str
    public_key: bytes
    sign_count: int
    place: str
    created_at: Millis
    used_at: Millis | None = None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose operator role begins to count at `operator_from`. `granted_by` is None if the command line gave
    it, or the person who gave it was erased."""

    member: MemberId
    operator_from: Millis
    granted_by: MemberId | None
