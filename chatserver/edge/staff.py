"""The staff's routes: signing in and out, an invitation, one's own account, and those of others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.limits import Limits
from chatserver.domain.replay import OutOfRange, Simulation
from chatserver.domain.staff import CONFIRMED_FOR, INVITATION_PATH, Capability, Role, Staff, in_order, require
from chatserver.edge.addresses import Addresses
from chatserver.edge.guard import Cookies, Origins, Standing
from chatserver.edge.http import CSV, JSON, UNKEPT, Asking, as_file, decoded
from chatserver.handlers.identity import Identities
from chatserver.handlers.simulation import SimulationAsked
from chatserver.handlers.staff import StaffAccounts, Welcome
from chatserver.store.contract import SignIn

T = TypeVar("T")


class SignInAsked(msgspec.Struct, frozen=True):
    """`code` is the second factor's, where there is one."""

    login: str
    password: str
    code: str | None = None


class AcceptAsked(msgspec.Struct, frozen=True):
    """`link` is the secret behind `#invite=`."""

    link: str
    login: str
    name: str
    password: str


class SimulationAnswer(msgspec.Struct, frozen=True):
    """Null where fewer than 20 asked: nothing can be said from so few."""

    simulation: Simulation | None


class RolesAsked(msgspec.Struct, frozen=True):
    roles: list[Role]


class MemberRolesAsked(msgspec.Struct, frozen=True):
    member: MemberId
    roles: list[Role]


class MemberAsked(msgspec.Struct, frozen=True):
    member: MemberId


class PasswordAsked(msgspec.Struct, frozen=True):
    password: str


class ConfirmAsked(msgspec.Struct, frozen=True):
    """`code` is the second factor's, where there is one."""

    password: str
    code: str | None = None


class NewPasswordAsked(msgspec.Struct, frozen=True):
    current: str
    new: str


class CodeAsked(msgspec.Struct, frozen=True):
    code: str


class FactorAsked(msgspec.Struct, frozen=True):
    secret: str
    code: str


class StaffAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who is signed in, until when, and until when what is dangerous needs no password. `token` is given to clients
    that are no browser page."""

    member: Person
    login: str
    roles: list[Role]
    has_totp: bool
    expires_at: Millis
    confirmed_until: Millis
    token: str | None = None


class AccountAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of the list of those who work here."""

    member: Person
    login: str
    roles: list[Role]
    has_totp: bool
    created_at: Millis
    revoked_at: Millis | None = None


class PeopleAnswer(msgspec.Struct, frozen=True):
    """Everybody, oldest first."""

    people: list[AccountAnswer]


class LinkAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation's path on this server, with its secret in the fragment. It is shown once."""

    path: str
    expires_at: Millis


class FactorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A new second factor, shown once: as text to type, and as the URI of a QR code."""

    secret: str
    uri: str


class StaffRoutes:
    """Whoever has no sign-in is refused with IDENTITY_REQUIRED (401), whoever may not with NOT_ALLOWED (403).

    Each password that is tried counts, for the address that it comes from and for the login that it is for.
    """

    def __init__(
        self,
        accounts: StaffAccounts,
        identities: Identities,
        statistics: Callable[[], Awaitable[str]],
        simulation: Callable[[SimulationAsked], Awaitable[Simulation | None]],
        *,
        origins: Origins,
        cookies: Cookies,
        addresses: Addresses,
        limits: Limits,
    ) -> None:
        self._accounts = accounts
        self._identities = identities
        self._statistics = statistics
        self._simulation = simulation
        self._origins = origins
        self._cookies = cookies
        self._addresses = addresses
        self._asking = Asking(origins, cookies, addresses, limits)
        self._exporting = asyncio.Lock()

    # -------------------------------------------------------------------------------------------- coming and going

    async def sign_in(self, request: Request) -> Response:
        """`POST /api/staff/sign-in`. A sign-in that this browser had before ends."""
        token, asked = await self._asked(request, SignInAsked)
        self._admit_try(request, asked.login)
        welcome = await self._accounts.sign_in(asked.login, asked.password, asked.code)
        await self._end(token)
        return self._greet(request, welcome, 200)

    async def accept(self, request: Request) -> Response:
        """`POST /api/staff/invitation`: make the account that a link invites to, and sign in."""
        token, asked = await self._asked(request, AcceptAsked)
        self._asking.admit(self._addresses.admit_sign_in, request)
        welcome = await self._accounts.accept_invitation(asked.link, asked.login, asked.name, asked.password)
        await self._end(token)
        return self._greet(request, welcome, 201)

    async def sign_out(self, request: Request) -> Response:
        """`POST /api/staff/sign-out`. It is done already where nobody is signed in."""
        token = self._asking.token(request, self._origins.judge(request.scope))
        await self._asking.read(request)
        await self._end(token)
        return Response(None, 204, {**UNKEPT, "set-cookie": self._cookies.drop(request.scope)})

    # ------------------------------------------------------------------------------------------ one's own account

    async def me(self, request: Request) -> Response:
        """`GET /api/staff/me`: who is signed in here."""
        by = await self._known(self._asking.token(request, self._origins.judge_read(request.scope)))
        return _json(_introduced(by))

    async def confirm(self, request: Request) -> Response:
        """`POST /api/staff/confirm`: the password again, and the second factor's code, for what needs it."""
        by, asked = await self._signed_in(request, ConfirmAsked)
        self._admit_try(request, by.staff.login)
        await self._accounts.confirm(by, asked.password, asked.code)
        return _done()

    async def change_password(self, request: Request) -> Response:
        """`POST /api/staff/password`: ends every sign-in of theirs, and begins a new one here."""
        by, asked = await self._signed_in(request, NewPasswordAsked)
        self._admit_try(request, by.staff.login)
        return self._greet(request, await self._accounts.change_password(by, asked.current, asked.new), 200)

    async def begin_totp(self, request: Request) -> Response:
        """`POST /api/staff/totp`: a secret for an authenticator app. It does not count yet."""
        token = self._asking.token(request, self._origins.judge(request.scope))
        await self._asking.read(request)
        by = await self._known(token)
        secret, uri = self._accounts.begin_totp(by)
        return _json(FactorAnswer(secret=secret, uri=uri))

    async def set_totp(self, request: Request) -> Response:
        """`POST /api/staff/totp/on`: it counts from now on, because the app shows the right code."""
        by, asked = await self._signed_in(request, FactorAsked)
        await self._accounts.set_totp(by, asked.secret, asked.code)
        return _done()

    async def remove_totp(self, request: Request) -> Response:
        """`POST /api/staff/totp/off`."""
        by, asked = await self._signed_in(request, CodeAsked)
        self._admit_try(request, by.staff.login)
        await self._accounts.remove_totp(by, asked.code)
        return _done()

    async def export(self, request: Request) -> Response:
        """`GET /api/staff/export`: everything that is kept about whoever is signed in, as a file."""
        by = await self._known(self._asking.token(request, self._origins.judge_read(request.scope)))
        self._asking.admit(self._addresses.admit_export, request)
        async with self._exporting:
            return as_file(await self._identities.export_of(by.staff.member))

    async def erase(self, request: Request) -> Response:
        """`POST /api/staff/erase`: remove whoever is signed in, their account and what they wrote."""
        by, asked = await self._signed_in(request, PasswordAsked)
        self._admit_try(request, by.staff.login)
        await self._identities.erase_member(await self._accounts.may_go(by, asked.password))
        self._accounts.on_changed(by.staff.member)
        return Response(None, 204, {**UNKEPT, "set-cookie": self._cookies.drop(request.scope)})

    # -------------------------------------------------------------------------------------------- others' accounts

    async def people(self, request: Request) -> Response:
        """`GET /api/staff/people`: all accounts, the revoked too, oldest first."""
        by = await self._known(self._asking.token(request, self._origins.judge_read(request.scope)))
        return _json(PeopleAnswer([_row(staff) for staff in await self._accounts.everybody(by)]))

    async def statistics(self, request: Request) -> Response:
        """`GET /api/staff/statistics`: what may be told of small numbers, week by week, as CSV."""
        by = await self._known(self._asking.token(request, self._origins.judge_read(request.scope)))
        require(by.staff.roles, Capability.OPERATE)
        self._asking.admit(self._addresses.admit_export, request)
        async with self._exporting:
            lines = await self._statistics()
        headers = {**UNKEPT, "content-disposition": 'attachment; filename="statistics.csv"', "content-type": CSV}
        return Response(lines, 200, headers)

    async def simulation(self, request: Request) -> Response:
        """`GET /api/staff/simulation`: the queue of the last `days` (7) as it was, replayed, and replayed with
        `listeners` more or fewer, and other `pause_minutes`, `cap`, `session_minutes` and `proposal_seconds`: whole
        numbers in the query, each as it is where it is left out."""
        by = await self._known(self._asking.token(request, self._origins.judge_read(request.scope)))
        require(by.staff.roles, Capability.OPERATE)
        self._asking.admit(self._addresses.admit_export, request)
        try:
            asked = msgspec.convert(dict(request.query_params), SimulationAsked, strict=False)
            # One at a time: each takes a core for a moment.
            async with self._exporting:
                return _json(SimulationAnswer(await self._simulation(asked)))
        except (msgspec.ValidationError, OutOfRange):
            raise Refusal(Reason.INVALID) from None

    async def invite(self, request: Request) -> Response:
        """`POST /api/staff/invite`: a link for one new account with these roles."""
        by, asked = await self._signed_in(request, RolesAsked)
        link = await self._accounts.invite(by, asked.roles)
        return _json(LinkAnswer(path=INVITATION_PATH + link.secret, expires_at=link.expires_at), 201)

    async def set_roles(self, request: Request) -> Response:
        """`POST /api/staff/roles`: these and no others."""
        by, asked = await self._signed_in(request, MemberRolesAsked)
        await self._accounts.set_roles(by, asked.member, asked.roles)
        return _done()

    async def revoke(self, request: Request) -> Response:
        """`POST /api/staff/revoke`: the account is good no more; its connections end everywhere."""
        by, asked = await self._signed_in(request, MemberAsked)
        await self._accounts.revoke(by, asked.member)
        return _done()

    # -------------------------------------------------------------------------------------------------- inner parts

    async def _asked(self, request: Request, kind: type[T]) -> tuple[str | None, T]:
        token = self._asking.token(request, self._origins.judge(request.scope))
        return token, decoded(await self._asking.read(request), kind)

    async def _signed_in(self, request: Request, kind: type[T]) -> tuple[SignIn, T]:
        """Who asks, and what. Nobody's body is looked into before it is known whose it is."""
        token = self._asking.token(request, self._origins.judge(request.scope))
        body = await self._asking.read(request)
        by = await self._known(token)
        return by, decoded(body, kind)

    async def _known(self, token: str | None) -> SignIn:
        by = await self._accounts.known(token)
        if by is None:
            raise Refusal(Reason.IDENTITY_REQUIRED)
        return by

    async def _end(self, token: str | None) -> None:
        if (earlier := await self._accounts.known(token)) is not None:
            await self._accounts.sign_out(earlier)

    def _admit_try(self, request: Request, login: str) -> None:
        self._asking.admit(self._addresses.admit_sign_in, request)
        if (wait := self._addresses.admit_login(login)) > 0:
            raise Refusal(Reason.RATE_LIMITED, retry_after=wait)

    def _greet(self, request: Request, welcome: Welcome, status: int) -> Response:
        answer = _introduced(welcome.sign_in)
        if self._origins.judge(request.scope) is not Standing.OURS:
            # No page: there is nobody who would keep a cookie.
            return _json(msgspec.structs.replace(answer, token=welcome.token), status)
        headers = {**UNKEPT, "set-cookie": self._cookies.keep(request.scope, welcome.token)}
        return Response(msgspec.json.encode(answer), status, headers, JSON)


def _introduced(by: SignIn) -> StaffAnswer:
    return StaffAnswer(
        member=Person(by.staff.member, by.staff.name),
        login=by.staff.login,
        roles=in_order(by.staff.roles),
        has_totp=by.staff.has_totp,
        expires_at=by.expires_at,
        confirmed_until=Millis(by.confirmed_at + CONFIRMED_FOR),
    )


def _row(staff: Staff) -> AccountAnswer:
    return AccountAnswer(
        member=Person(staff.member, staff.name),
        login=staff.login,
        roles=in_order(staff.roles),
        has_totp=staff.has_totp,
        created_at=staff.created_at,
        revoked_at=staff.revoked_at,
    )


def _json(answer: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(answer), status, UNKEPT, JSON)


def _done() -> Response:
    return Response(None, 204, UNKEPT)
