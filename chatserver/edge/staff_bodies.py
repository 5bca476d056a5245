"""The bodies of the staff's calls and of their answers."""

from __future__ import annotations

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.listening.queue_simulator import Simulation
from chatserver.domain.people.staff import Role
from chatserver.handlers.people.passkeys import Assertion, Attestation


class SignInRequest(msgspec.Struct, frozen=True):
    """`code` is the second factor's, if there is one."""

    login: str
    password: str
    code: str | None = None


class AcceptRequest(msgspec.Struct, frozen=True):
    """`link` is the secret behind `#invite=`."""

    link: str
    login: str
    name: str
    password: str


class SimulationResponse(msgspec.Struct, frozen=True):
    """`simulation` is null if fewer than 20 seekers asked: so few say nothing."""

    simulation: Simulation | None


class RolesRequest(msgspec.Struct, frozen=True):
    roles: list[Role]


class MemberRolesRequest(msgspec.Struct, frozen=True):
    member: MemberId
    roles: list[Role]


class MemberRequest(msgspec.Struct, frozen=True):
    member: MemberId


class ProofRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A proof of who sends the request: a `passkey`'s answer to `POST /api/staff/prove`, or the `password` and, if
    there is a second factor, its `code` or a recovery code."""

    password: str | None = None
    code: str | None = None
    passkey: Assertion | None = None


class NewPasswordRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`current` is the old password, which `code` or `passkey` complete as in `ProofRequest`."""

    new: str
    current: str | None = None
    code: str | None = None
    passkey: Assertion | None = None


class FactorRequest(msgspec.Struct, frozen=True):
    """`code` is what the app with the new `secret` shows; `proof` uses the factors from before the change."""

    secret: str
    code: str
    proof: ProofRequest


class PasskeySignInRequest(msgspec.Struct, frozen=True):
    """A passkey's answer to `POST /api/staff/passkey`."""

    passkey: Assertion


class PasskeyRequest(msgspec.Struct, frozen=True):
    """A new passkey, as a device made it for `POST /api/staff/passkeys/begin`, and its owner's name for it."""

    name: str
    made: Attestation
    proof: ProofRequest


class PasskeyRemovalRequest(msgspec.Struct, frozen=True):
    id: str
    proof: ProofRequest


class ResetRequest(msgspec.Struct, frozen=True):
    """`link` is the secret behind `#reset=`."""

    link: str
    password: str


class StaffResponse(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who is signed in and until when, and until when dangerous actions need no new proof. `roles` are those that count
    now; a waiting operator role counts from `operator_from`. `failed_tries` counts the wrong passwords and codes for
    this account between the last sign-in and this one, the latest at `last_failed_at`. `token` is given to clients that
    are not browser pages."""

    member: Person
    login: str
    roles: list[Role]
    has_totp: bool
    expires_at: Millis
    confirmed_until: Millis
    has_passkey: bool = False
    operator_from: Millis | None = None
    failed_tries: int = 0
    last_failed_at: Millis | None = None
    token: str | None = None


class AccountResponse(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One staff account in the list."""

    member: Person
    login: str
    roles: list[Role]
    has_totp: bool
    created_at: Millis
    revoked_at: Millis | None = None
    operator_from: Millis | None = None


class PeopleResponse(msgspec.Struct, frozen=True):
    """All staff accounts, oldest first."""

    people: list[AccountResponse]


class LinkResponse(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation's path on this server, with its secret in the fragment. It is shown once."""

    path: str
    expires_at: Millis


class FactorResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A new second factor, shown once: as text to type, as a URI, and as the URI's QR code: rows of 0 (light) and 1
    (dark), without a margin."""

    secret: str
    uri: str
    qr: list[str]


class CodesResponse(msgspec.Struct, frozen=True, kw_only=True):
    """New recovery codes, shown once. Each works once."""

    codes: list[str]


class QuestionResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser asks a device: options for `navigator.credentials.create()` or `.get()`, as JSON."""

    options: msgspec.Raw


class PasskeyRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A passkey. `here` says whether it works at this address: each is bound to the host that it was made for."""

    id: str
    name: str
    created_at: Millis
    here: bool
    used_at: Millis | None = None


class FactorsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What opens one's own account besides the password."""

    has_totp: bool
    recovery_left: int
    passkeys: list[PasskeyRow]
