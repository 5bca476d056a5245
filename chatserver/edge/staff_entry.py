"""The staff's routes that begin and end a sign-in: a password, a passkey, an invitation, a reset."""

from __future__ import annotations

from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response

from chatserver.domain.people.staff import fold_login
from chatserver.domain.people.tries import TryKind
from chatserver.edge.staff_bodies import (
    AcceptRequest,
    PasskeySignInRequest,
    QuestionResponse,
    ResetRequest,
    SignInRequest,
)
from chatserver.edge.staff_requests import StaffRequests, as_json, done
from chatserver.handlers.people.passkeys import Purpose, wrong_passkey


class EntryRoutes(StaffRequests):
    """The routes that begin and end a sign-in."""

    async def sign_in(self, request: Request) -> Response:
        """`POST /api/staff/sign-in`. A sign-in that this browser had before ends."""
        token, asked = await self._asked(request, SignInRequest)
        known = await self._admit_sign_in(request, asked.login)
        device = self._device_cookie(request)
        welcome = await self._accounts.sign_in(
            asked.login, asked.password, asked.code, device=self._accounts.device_of(device), known_device=known
        )
        await self._end(token)
        return await self._greet(request, welcome, device, 200)

    async def ask_passkey(self, request: Request) -> Response:
        """`POST /api/staff/passkey`: return what a browser asks a device with which somebody wants to sign in."""
        self._reader.token(request, self._origins.judge(request.scope))
        await self._reader.read(request)
        place = self._place(request)
        await self._admit_passkey(request)
        cookie, holder = self._new_question()
        options = await self._accounts.passkeys.ask(Purpose.SIGN_IN, holder, place)
        response = as_json(QuestionResponse(options=Raw(options)))
        response.headers.append("set-cookie", self._cookies.question.keep(request.scope, cookie))
        return response

    async def sign_in_with_passkey(self, request: Request) -> Response:
        """`POST /api/staff/passkey/sign-in`: sign in by a device's answer, which says whose passkey it is."""
        token, asked = await self._asked(request, PasskeySignInRequest)
        self._place(request)
        await self._admit_passkey(request)
        holder = self._question_holder(request)
        if holder is None:
            raise wrong_passkey()
        device = self._device_cookie(request)
        welcome = await self._accounts.sign_in_with_passkey(
            self._shown(request, holder, asked.passkey), device=self._accounts.device_of(device)
        )
        await self._end(token)
        response = await self._greet(request, welcome, device, 200)
        response.headers.append("set-cookie", self._cookies.question.drop(request.scope))
        return response

    async def accept(self, request: Request) -> Response:
        """`POST /api/staff/invitation`: make the account that an invitation link is for, and sign in."""
        token, asked = await self._asked(request, AcceptRequest)
        await self._reader.count_try(TryKind.INVITATION, request)
        device = self._device_cookie(request)
        welcome = await self._accounts.accept_invitation(
            asked.link, asked.login, asked.name, asked.password, device=self._accounts.device_of(device)
        )
        await self._end(token)
        return await self._greet(request, welcome, device, 201)

    async def use_reset(self, request: Request) -> Response:
        """`POST /api/staff/reset/use`: set a new password for the account that a reset link is for, and sign in."""
        token, asked = await self._asked(request, ResetRequest)
        await self._reader.count_try(TryKind.INVITATION, request)
        device = self._device_cookie(request)
        welcome = await self._accounts.use_reset(asked.link, asked.password, device=self._accounts.device_of(device))
        await self._end(token)
        return await self._greet(request, welcome, device, 200)

    async def sign_out(self, request: Request) -> Response:
        """`POST /api/staff/sign-out`: end the sign-in, if there is one. The browser stays known."""
        token = self._reader.token(request, self._origins.judge(request.scope))
        await self._reader.read(request)
        await self._end(token)
        response = done()
        response.headers.append("set-cookie", self._cookies.sign_in.drop(request.scope))
        return response

    # ------------------------------------------------------------------------------------------------ how often

    async def _admit_passkey(self, request: Request) -> None:
        """Count a question for a passkey, or its answer, for a known browser alone, or else for the address. Nothing
        can be guessed here. Raises RATE_LIMITED."""
        device = self._known_device(request)
        if device is not None:
            await self._tries.count_for(TryKind.KNOWN_BROWSER, "passkey", device.hex())
        else:
            await self._reader.count_try(TryKind.SIGN_IN, request)

    async def _admit_sign_in(self, request: Request, login: str) -> bytes | None:
        """Count an attempt at a password. From a browser that has signed in to this login before, count it for that
        browser and login alone, so that no stranger can use up its attempts, and return the hash of its cookie.
        Otherwise count it for the address, then for the login from this address, and last for the login from anywhere,
        and return None. Raises RATE_LIMITED."""
        device = self._known_device(request)
        if device is not None and await self._accounts.is_known_there(login, device):
            await self._tries.count_for(TryKind.KNOWN_BROWSER, fold_login(login), device.hex())
            return device
        await self._reader.count_try(TryKind.SIGN_IN, request)
        source = self._addresses.source(request.scope.get("client"))
        await self._tries.count_for(TryKind.LOGIN_FROM, fold_login(login), source.key.hex())
        await self._tries.count_for_login(login)
        return None
