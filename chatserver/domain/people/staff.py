"""Staff: listeners, facilitators, moderators and operators, and what each may do.

Pure. A staff account stands behind an ordinary member, so that what its owner writes has an author like everybody's.
The rules for passwords are in `domain/people/passwords.py`; recovery codes are in `domain/people/recovery_codes.py`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final

import msgspec
import pyotp

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.names import CleanName, clean_name, name_key


class Role(StrEnum):
    LISTENER = "listener"
    FACILITATOR = "facilitator"
    MODERATOR = "moderator"
    OPERATOR = "operator"


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """A staff account as stored, without its secrets. `login` is what its owner types to sign in; `name` is what others
    see. `revoked_at` is None while it is active. `operator_from` is when the operator's role begins to count
    (`Authority`); None if it always did, or if the account has another role."""

    member: MemberId
    login: str
    name: str
    roles: frozenset[Role]
    created_at: Millis
    has_totp: bool = False
    revoked_at: Millis | None = None
    operator_from: Millis | None = None


PRECEDENCE: Final = (Role.OPERATOR, Role.MODERATOR, Role.FACILITATOR, Role.LISTENER)
"""The order in which somebody's roles are named."""


def in_order(roles: Collection[Role]) -> list[Role]:
    """Return roles always in the same order."""
    return [role for role in PRECEDENCE if role in roles]


# ------------------------------------------------------------------------------------------------ who may do what


class Capability(StrEnum):
    """What somebody may do beyond what every member may."""

    LISTEN = "listen"
    """Take one-to-one sessions, and use all of the listener's console."""
    KEEP_COMPANY = "keep_company"
    """Keep company with people who wait for a listener."""
    FACILITATE = "facilitate"
    """Hold groups."""
    RUN_GROUPS = "run_groups"
    """Change, call off and end groups: one's own, or as an operator everybody's."""
    MODERATE = "moderate"
    """See reports, and act on them."""
    SUPERVISE = "supervise"
    """Read listeners' debrief notes, and clear a listener for going live."""
    OPERATE = "operate"
    """See hours, the numbers of listening, and why two people were matched."""
    SEE_LOAD = "see_load"
    """See how full and how busy rooms and workers are."""
    SEE_STAFF = "see_staff"
    """See the list of staff."""
    MANAGE_STAFF = "manage_staff"
    """Invite, give roles, and revoke."""


ALLOWED: Final[dict[Capability, frozenset[Role]]] = {
    Capability.LISTEN: frozenset({Role.LISTENER}),
    Capability.KEEP_COMPANY: frozenset({Role.LISTENER, Role.FACILITATOR, Role.MODERATOR}),
    Capability.FACILITATE: frozenset({Role.FACILITATOR}),
    Capability.RUN_GROUPS: frozenset({Role.FACILITATOR, Role.OPERATOR}),
    Capability.MODERATE: frozenset({Role.MODERATOR, Role.OPERATOR}),
    Capability.SUPERVISE: frozenset({Role.MODERATOR, Role.OPERATOR}),
    Capability.OPERATE: frozenset({Role.OPERATOR}),
    Capability.SEE_LOAD: frozenset({Role.MODERATOR, Role.OPERATOR}),
    Capability.SEE_STAFF: frozenset({Role.MODERATOR, Role.OPERATOR}),
    Capability.MANAGE_STAFF: frozenset({Role.OPERATOR}),
}
"""Listening is not part of another role: an operator who listens has that role as well."""


def may(roles: Collection[Role], capability: Capability) -> bool:
    """Return whether somebody with these roles may do this."""
    return not ALLOWED[capability].isdisjoint(roles)


def require(roles: Collection[Role], capability: Capability) -> None:
    """Raise NOT_ALLOWED if these roles may not do this."""
    if not may(roles, capability):
        raise Refusal(Reason.NOT_ALLOWED)


def keep_an_operator(everybody: Iterable[Staff], member: MemberId, roles: Collection[Role], now: Millis) -> None:
    """Raise NOT_ALLOWED if the last operator whose role counts at `now` would lose it: `member` gets only `roles`
    (none: is revoked). An operator who still waits prevents nobody from losing the role, and is no replacement."""
    if Role.OPERATOR in roles:
        return
    counting = [staff.member for staff in everybody if authority(staff, now) is Authority.COUNTS]
    if counting == [member]:
        raise Refusal(Reason.NOT_ALLOWED, details={"why": "last_operator"})


def spare_oneself(by: MemberId, member: MemberId, roles: Collection[Role]) -> None:
    """Raise NOT_ALLOWED ("self") if an operator would remove that role from themselves (`roles` none: would be
    revoked). Another operator can, and an operator who wants to leave erases their account."""
    if by == member and Role.OPERATOR not in roles:
        raise Refusal(Reason.NOT_ALLOWED, details={"why": "self"})


# ------------------------------------------------------------------------------------- when an operator's role counts

OPERATOR_WAIT: Final = 24 * 3_600_000
"""Milliseconds until a new operator's role counts without anybody's agreement: long enough for the others to see it."""


class Authority(StrEnum):
    """The state of an account on its way to the operator's role.

    `NONE` --granted, while nobody else's role counts--> `COUNTS` (the first operator)

    `NONE` --granted--> `WAITING` --another operator agrees, or OPERATOR_WAIT is over--> `COUNTS`

    `COUNTS` --another operator resets the account--> `WAITING`: the user of the link need not be its owner

    `WAITING`, `COUNTS` --the role or the account is taken away--> `NONE`
    """

    NONE = "none"
    WAITING = "waiting"
    COUNTS = "counts"


def authority(staff: Staff, now: Millis) -> Authority:
    """Return the state of an account at `now`."""
    if staff.revoked_at is not None or Role.OPERATOR not in staff.roles:
        return Authority.NONE
    if staff.operator_from is not None and staff.operator_from > now:
        return Authority.WAITING
    return Authority.COUNTS


def roles_at(staff: Staff, now: Millis) -> frozenset[Role]:
    """Return the roles that count at `now`: all that the account has, except an operator's that still waits."""
    if authority(staff, now) is Authority.WAITING:
        return staff.roles - {Role.OPERATOR}
    return staff.roles


def counts_from(others: Iterable[Staff], now: Millis) -> Millis | None:
    """Return when an operator's role that is granted at `now` begins to count: None (at once) if the role counts for
    none of `others`, because then nobody could agree."""
    if any(authority(other, now) is Authority.COUNTS for other in others):
        return Millis(now + OPERATOR_WAIT)
    return None


def agree(staff: Staff, granted_by: MemberId | None, by: MemberId, now: Millis) -> Staff:
    """Return the account with its operator's role counting at once, because `by`, an operator, agrees.

    Raises NOT_ALLOWED with `why` "not_waiting" if there is nothing to agree to, and "self" if `by` granted the role (or
    is the account's owner): it takes a second person.
    """
    if authority(staff, now) is not Authority.WAITING:
        raise Refusal(Reason.NOT_ALLOWED, details={"why": "not_waiting"})
    if by in (granted_by, staff.member):
        raise Refusal(Reason.NOT_ALLOWED, details={"why": "self"})
    return msgspec.structs.replace(staff, operator_from=None)


# ----------------------------------------------------------------------------------------------- logins and names

_LOGIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?")


def fold_login(typed: str) -> str:
    """Return a login as it is compared: capitals, and spaces around it, do not matter."""
    return unicodedata.normalize("NFKC", typed[:256]).strip().lower()


def clean_login(typed: str) -> str:
    """Return a login that an account may have: 1 to 40 of a-z, 0-9, dot, hyphen and underscore, the latter three inside
    only.

    Raises NAME_REFUSED with `why` "login".
    """
    login = fold_login(typed)
    if _LOGIN.fullmatch(login) is None:
        raise Refusal(Reason.NAME_REFUSED, details={"why": "login"})
    return login


def clean_staff_name(typed: str, *, max_length: int, others: Iterable[Staff]) -> CleanName:
    """Return a name for a staff member: valid like a member's, and unlike those of all active accounts (`others`). A
    role is shown beside it, so it need not, and may not, say one. Raises NAME_REFUSED."""
    return clean_name(typed, max_length=max_length, staff_keys=staff_keys(others))


def staff_keys(everybody: Iterable[Staff]) -> frozenset[str]:
    """Return the keys that nobody else's name may resemble (`clean_name`)."""
    return frozenset(name_key(staff.name) for staff in everybody if staff.revoked_at is None)


# ------------------------------------------------------------------------------------------- tokens and invitations

SECRET_BYTES: Final = 32
"""Random bytes of a sign-in's token and of an invitation's link, which are written in base64url without padding."""
INVITATION_PATH: Final = "/listen.html#invite="
RESET_PATH: Final = "/listen.html#reset="
"""The secret follows each, in a fragment, which browsers send to nobody."""
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def hash_secret(secret: str) -> bytes | None:
    """Return the 32 bytes under which a token or a link is stored; None for input that can be neither.

    Plain SHA-256: nobody can search 256 random bits, so there is nothing to slow down.
    """
    return hashlib.sha256(secret.encode("ascii")).digest() if _SECRET.fullmatch(secret) else None


CONFIRMED_FOR: Final = 10 * 60 * 1000
"""Milliseconds for which a password counts as recently given."""


def require_confirmed(confirmed_at: Millis, now: Millis) -> None:
    """Raise CONFIRMATION_REQUIRED if the password was given too long ago for the command."""
    if now - confirmed_at > CONFIRMED_FOR:
        raise Refusal(Reason.CONFIRMATION_REQUIRED)


# ------------------------------------------------------------------------------------------------ the second factor

TOTP_STEP_SECONDS: Final = 30
_TOTP_SECRET: Final = re.compile(r"[A-Z2-7]{32}")
"""160 bits in base32, as RFC 4226, section 4, recommends."""
_TOTP_CODE: Final = re.compile(r"[0-9]{6}")
_TOTP_DRIFT: Final = 1
"""Steps before and after the present one whose code is accepted: clocks differ, and typing takes a while (RFC 6238,
5.2)."""


def is_totp_secret(secret: str) -> bool:
    return _TOTP_SECRET.fullmatch(secret) is not None


def totp_uri(secret: str, login: str, issuer: str) -> str:
    """Return what authenticator apps read from a QR code: `otpauth://totp/…`."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def totp_step(secret: str, typed: str, now: Millis, used: int) -> int | None:
    """Return the time step (RFC 6238, section 4) whose code was typed, if it is near enough and later than the step
    that was `used` last; else None. Spaces in the code do not matter."""
    code = "".join(typed.split())
    if _TOTP_CODE.fullmatch(code) is None:
        return None
    totp, present, found = pyotp.TOTP(secret), now // (TOTP_STEP_SECONDS * 1000), None
    for step in range(present - _TOTP_DRIFT, present + _TOTP_DRIFT + 1):
        # All are compared in any case, so that the time this takes reveals nothing.
        if hmac.compare_digest(totp.generate_otp(max(step, 0)), code) and step > used:
            found = step
    return found
