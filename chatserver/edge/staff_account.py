"""The staff's routes about one's own account. A request that changes it also proves who sends it (`ProofRequest`)."""

from __future__ import annotations

import asyncio
import base64

from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response

from chatserver.domain.errors import Reason, Refusal
from chatserver.edge.http import as_file
from chatserver.edge.staff_bodies import (
    CodesResponse,
    FactorRequest,
    FactorResponse,
    FactorsResponse,
    NewPasswordRequest,
    PasskeyRemovalRequest,
    PasskeyRequest,
    PasskeyRow,
    ProofRequest,
    QuestionResponse,
)
from chatserver.edge.staff_requests import StaffRequests, as_json, done
from chatserver.handlers.people.identity import Identities
from chatserver.store.records import Passkey


class AccountRoutes(StaffRequests):
    """The routes about one's own account."""

    _identities: Identities
    _exporting: asyncio.Lock

    async def me(self, request: Request) -> Response:
        """`GET /api/staff/me`: who is signed in here."""
        return as_json(await self._introduced(await self._reading(request)))

    async def confirm(self, request: Request) -> Response:
        """`POST /api/staff/confirm`: prove again who one is, for actions that need a recent proof."""
        by, asked = await self._signed_in(request, ProofRequest)
        await self._admit_proof(by)
        await self._accounts.confirm(by, self._proof(request, by, asked))
        return done()

    async def ask_for_proof(self, request: Request) -> Response:
        """`POST /api/staff/prove`: return what a browser asks a device that is to show one of one's passkeys."""
        by = await self._signed_in_only(request)
        await self._admit_proof(by)
        options = await self._accounts.factors.ask_for_passkey(by, self._place(request))
        return as_json(QuestionResponse(options=Raw(options)))

    async def change_password(self, request: Request) -> Response:
        """`POST /api/staff/password`: change the password, end every sign-in of the account, and begin a new one
        here."""
        by, asked = await self._signed_in(request, NewPasswordRequest)
        await self._admit_proof(by)
        device = self._device_cookie(request)
        welcome = await self._accounts.change_password(
            by, self._proof(request, by, asked), asked.new, device=self._accounts.device_of(device)
        )
        return await self._greet(request, welcome, device, 200)

    async def sign_out_elsewhere(self, request: Request) -> Response:
        """`POST /api/staff/sign-out/elsewhere`: end every other sign-in, and forget every other known browser."""
        by = await self._signed_in_only(request)
        await self._accounts.sign_out_elsewhere(by, self._known_device(request))
        return done()

    # ------------------------------------------------------------------------------------------------ factors

    async def factors(self, request: Request) -> Response:
        """`GET /api/staff/factors`: what opens this account besides its password."""
        by = await self._reading(request)
        found = await self._accounts.factors.overview(by)
        place = self._origins.place(request.scope, reads=True)
        host = None if place is None else place[1]
        rows = [_row(each, host) for each in found.passkeys]
        return as_json(FactorsResponse(has_totp=by.staff.has_totp, recovery_left=found.recovery_left, passkeys=rows))

    async def begin_totp(self, request: Request) -> Response:
        """`POST /api/staff/totp`: make a secret for an authenticator app. It does not count yet."""
        factor = await self._accounts.factors.begin_totp(await self._signed_in_only(request))
        return as_json(FactorResponse(secret=factor.secret, uri=factor.uri, qr=factor.qr))

    async def set_totp(self, request: Request) -> Response:
        """`POST /api/staff/totp/on`: let the new secret count, if the app shows the right code."""
        by, asked = await self._signed_in(request, FactorRequest)
        await self._admit_proof(by)
        proof = self._proof(request, by, asked.proof)
        return as_json(CodesResponse(codes=await self._accounts.factors.set_totp(by, asked.secret, asked.code, proof)))

    async def remove_totp(self, request: Request) -> Response:
        """`POST /api/staff/totp/off`: remove the authenticator app."""
        by, asked = await self._signed_in(request, ProofRequest)
        await self._admit_proof(by)
        await self._accounts.factors.remove_totp(by, self._proof(request, by, asked))
        return done()

    async def renew_codes(self, request: Request) -> Response:
        """`POST /api/staff/recovery`: replace the recovery codes by new ones."""
        by, asked = await self._signed_in(request, ProofRequest)
        await self._admit_proof(by)
        codes = await self._accounts.factors.renew_codes(by, self._proof(request, by, asked))
        return as_json(CodesResponse(codes=codes))

    async def ask_to_add_passkey(self, request: Request) -> Response:
        """`POST /api/staff/passkeys/begin`: return what a browser asks a device that is to make a passkey."""
        by = await self._signed_in_only(request)
        await self._admit_proof(by)
        options = await self._accounts.factors.ask_to_add_passkey(by, self._place(request))
        return as_json(QuestionResponse(options=Raw(options)))

    async def add_passkey(self, request: Request) -> Response:
        """`POST /api/staff/passkeys`: keep a passkey that a device has made."""
        by, asked = await self._signed_in(request, PasskeyRequest)
        await self._admit_proof(by)
        place, proof = self._place(request), self._proof(request, by, asked.proof)
        made = await self._accounts.factors.add_passkey(by, asked.name, asked.made, place, proof)
        return as_json(_row(made, place.host), 201)

    async def remove_passkey(self, request: Request) -> Response:
        """`POST /api/staff/passkeys/remove`: remove a passkey. If there is no such passkey, nothing happens."""
        by, asked = await self._signed_in(request, PasskeyRemovalRequest)
        await self._admit_proof(by)
        try:
            credential = base64.b64decode(asked.id + "=" * (-len(asked.id) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raise Refusal(Reason.INVALID, details={"field": "$.id"}) from None
        await self._accounts.factors.remove_passkey(by, credential, self._proof(request, by, asked.proof))
        return done()

    # ------------------------------------------------------------------------------------------------ one's data

    async def export(self, request: Request) -> Response:
        """`GET /api/staff/export`: everything that is kept about the person who is signed in, as a file."""
        by = await self._reading(request)
        self._reader.admit(self._addresses.admit_export, request)
        async with self._exporting:
            return as_file(await self._identities.export_of(await self._accounts.may_export(by)))

    async def erase(self, request: Request) -> Response:
        """`POST /api/staff/erase`: remove the person who is signed in, their account and what they wrote."""
        by, asked = await self._signed_in(request, ProofRequest)
        await self._admit_proof(by)
        self._reader.admit(self._addresses.admit_erasure, request)
        await self._identities.erase_member(await self._accounts.may_go(by, self._proof(request, by, asked)))
        self._accounts.on_changed(by.staff.member)
        response = done()
        for cookie in (self._cookies.sign_in, self._cookies.device):
            response.headers.append("set-cookie", cookie.drop(request.scope))
        return response


def _row(passkey: Passkey, host: str | None) -> PasskeyRow:
    return PasskeyRow(
        id=base64.urlsafe_b64encode(passkey.credential).rstrip(b"=").decode("ascii"),
        name=passkey.name,
        created_at=passkey.created_at,
        here=passkey.place == host,
        used_at=passkey.used_at,
    )
