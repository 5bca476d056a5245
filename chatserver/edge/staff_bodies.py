"""What the staff's calls ask and answer."""

from __future__ import annotations

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.listening.queue_simulator import Simulation
from chatserver.domain.people.staff import Role
from chatserver.handlers.people.passkeys import Assertion, Attestation


class SignInRequest(msgspec.Struct, frozen=True):
    """`code` is the second factor's, where there is one."""

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
    """Null where fewer than 20 asked: nothing can be said from so few."""

    simulation: Simulation | None


class RolesRequest(msgspec.Struct, frozen=True):
    roles: list[Role]


class MemberRolesRequest(msgspec.Struct, frozen=True):
    member: MemberId
    roles: list[Role]


class MemberRequest(msgspec.Struct, frozen=True):
    member: MemberId


class ProofRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Who one is, shown again: a `passkey`'s answer to `POST /api/staff/prove`, or the `password`, and where there is a
    second factor its `code` or a recovery code."""

    password: str | None = None
    code: str | None = None
    passkey: Assertion | None = None


class NewPasswordRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`current` is the password until now, which `code` or `passkey` complete as in `ProofRequest`."""

    new: str
    current: str | None = None
    code: str | None = None
    passkey: Assertion | None = None


class FactorRequest(msgspec.Struct, frozen=True):
    """`code` is what the app shows that holds the new `secret`; `proof` is of what was there before."""

    secret: str
    code: str
    proof: ProofRequest


class PasskeySignInRequest(msgspec.Struct, frozen=True):
    """A passkey's answer to `POST /api/staff/passkey`."""

    passkey: Assertion


class PasskeyRequest(msgspec.Struct, frozen=True):
    """A new passkey, as its device made it for `POST /api/staff/passkeys/begin`, and what its owner calls it."""

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
    """Who is signed in, until when, and until when what is dangerous needs no password. `roles` are those that count
    now; an operator's that waits counts from `operator_from` on. `failed_tries` is how often somebody gave a wrong
    password or code for this account before this sign-in and since the one before it, the last time at
    `last_failed_at`. `token` is given to clients that are no browser page."""

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
    """One row of the list of those who work here."""

    member: Person
    login: str
    roles: list[Role]
    has_totp: bool
    created_at: Millis
    revoked_at: Millis | None = None
    operator_from: Millis | None = None


class PeopleResponse(msgspec.Struct, frozen=True):
    """Everybody, oldest first."""

    people: list[AccountResponse]


class LinkResponse(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation's path on this server, with its secret in the fragment. It is shown once."""

    path: str
    expires_at: Millis


class FactorResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A new second factor, shown once: as text to type, as a URI, and that as a QR code: its rows of 0 (light) and 1
    (dark), without a margin."""

    secret: str
    uri: str
    qr: list[str]


class CodesResponse(msgspec.Struct, frozen=True, kw_only=True):
    """New recovery codes, shown once. Each counts once."""

    codes: list[str]


class QuestionResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser asks a device: options for `navigator.credentials.create()` or `.get()`, in their JSON form."""

    options: msgspec.Raw


class PasskeyRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A passkey. `here` says whether it is good at this address; each is bound to the host that it was made for."""

    id: str
    name: str
    created_at: Millis
    here: bool
    used_at: Millis | None = None


class FactorsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What opens one's own account beside the password."""

    has_totp: bool
    recovery_left: int
    passkeys: list[PasskeyRow]
