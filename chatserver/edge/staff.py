"""The staff's routes: signing in and out, one's own account, and those of others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import Person
from chatserver.domain.limits import Limits
from chatserver.domain.listening.queue_simulator import OutOfRange, Simulation
from chatserver.domain.people.staff import INVITATION_PATH, RESET_PATH, Capability, Staff, in_order, require
from chatserver.edge.addresses import Addresses
from chatserver.edge.http import CSV, UNKEPT
from chatserver.edge.staff_account import AccountRoutes
from chatserver.edge.staff_bodies import (
    AccountResponse,
    LinkResponse,
    MemberRequest,
    MemberRolesRequest,
    PeopleResponse,
    RolesRequest,
    SimulationResponse,
)
from chatserver.edge.staff_entry import EntryRoutes
from chatserver.edge.staff_requests import StaffCookies, as_json, done
from chatserver.edge.web_security import Origins
from chatserver.handlers.listening.queue_simulator import SimulationRequest
from chatserver.handlers.people.identity import Identities
from chatserver.handlers.people.staff import StaffAccounts
from chatserver.handlers.people.tries import Tries


class StaffRoutes(EntryRoutes, AccountRoutes):
    """All staff routes. Those in this class are about others' accounts and about the whole installation."""

    def __init__(
        self,
        accounts: StaffAccounts,
        identities: Identities,
        statistics: Callable[[], Awaitable[str]],
        simulation: Callable[[SimulationRequest], Awaitable[Simulation | None]],
        *,
        origins: Origins,
        cookies: StaffCookies,
        addresses: Addresses,
        tries: Tries,
        limits: Limits,
    ) -> None:
        super().__init__(accounts, origins=origins, cookies=cookies, addresses=addresses, tries=tries, limits=limits)
        self._identities = identities
        self._statistics = statistics
        self._simulation = simulation
        self._exporting = asyncio.Lock()

    # -------------------------------------------------------------------------------------------- others' accounts

    async def people(self, request: Request) -> Response:
        """`GET /api/staff/people`: all accounts, including revoked ones, oldest first."""
        by = await self._reading(request)
        return as_json(PeopleResponse([_row(staff) for staff in await self._accounts.everybody(by)]))

    async def statistics(self, request: Request) -> Response:
        """`GET /api/staff/statistics`: weekly statistics as CSV, with small numbers left out."""
        by = await self._reading(request)
        require(by.staff.roles, Capability.OPERATE)
        self._reader.admit(self._addresses.admit_export, request)
        async with self._exporting:
            lines = await self._statistics()
        headers = {**UNKEPT, "content-disposition": 'attachment; filename="statistics.csv"', "content-type": CSV}
        return Response(lines, 200, headers)

    async def simulation(self, request: Request) -> Response:
        """`GET /api/staff/simulation`: the queue of the last `days` (7): as it was, replayed, and replayed with
        `listeners` more or fewer and other `pause_minutes`, `cap`, `session_minutes` and `proposal_seconds`. All are
        whole numbers in the query; one that is left out is not changed."""
        by = await self._reading(request)
        require(by.staff.roles, Capability.OPERATE)
        self._reader.admit(self._addresses.admit_export, request)
        try:
            asked = msgspec.convert(dict(request.query_params), SimulationRequest, strict=False)
            # One at a time: each takes a core for a moment.
            async with self._exporting:
                return as_json(SimulationResponse(await self._simulation(asked)))
        except (msgspec.ValidationError, OutOfRange):
            raise Refusal(Reason.INVALID) from None

    async def invite(self, request: Request) -> Response:
        """`POST /api/staff/invite`: a link for one new account with these roles."""
        by, asked = await self._signed_in(request, RolesRequest)
        link = await self._accounts.invite(by, asked.roles)
        return as_json(LinkResponse(path=INVITATION_PATH + link.secret, expires_at=link.expires_at), 201)

    async def set_roles(self, request: Request) -> Response:
        """`POST /api/staff/roles`: give an account these roles and no others."""
        by, asked = await self._signed_in(request, MemberRolesRequest)
        await self._accounts.set_roles(by, asked.member, asked.roles)
        return done()

    async def revoke(self, request: Request) -> Response:
        """`POST /api/staff/revoke`: revoke an account; its connections end on every worker."""
        by, asked = await self._signed_in(request, MemberRequest)
        await self._accounts.revoke(by, asked.member)
        return done()

    async def agree(self, request: Request) -> Response:
        """`POST /api/staff/agree`: let an operator role that another operator gave count at once."""
        by, asked = await self._signed_in(request, MemberRequest)
        await self._accounts.agree(by, asked.member)
        return done()

    async def reset(self, request: Request) -> Response:
        """`POST /api/staff/reset`: make a link that gives somebody their account back. Until it is used, nothing else
        opens the account."""
        by, asked = await self._signed_in(request, MemberRequest)
        link = await self._accounts.reset(by, asked.member)
        return as_json(LinkResponse(path=RESET_PATH + link.secret, expires_at=link.expires_at), 201)


def _row(staff: Staff) -> AccountResponse:
    return AccountResponse(
        member=Person(staff.member, staff.name),
        login=staff.login,
        roles=in_order(staff.roles),
        has_totp=staff.has_totp,
        created_at=staff.created_at,
        revoked_at=staff.revoked_at,
        operator_from=staff.operator_from,
    )
