"""What all staff routes share: sign-ins, known browsers, rate limits, and the answer to a new sign-in."""

from __future__ import annotations

import secrets
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import Person
from chatserver.domain.limits import Limits
from chatserver.domain.people.staff import CONFIRMED_FOR, SECRET_BYTES, hash_secret, in_order
from chatserver.domain.people.tries import TryKind
from chatserver.edge.addresses import Addresses
from chatserver.edge.http import JSON, UNKEPT, RequestReader, decoded
from chatserver.edge.staff_bodies import NewPasswordRequest, ProofRequest, StaffResponse
from chatserver.edge.web_security import Cookies, Origins, Standing
from chatserver.handlers.people.passkeys import Assertion, RelyingParty, VerifiedPasskey
from chatserver.handlers.people.proofs import Proof
from chatserver.handlers.people.staff import NewSignIn, StaffAccounts
from chatserver.handlers.people.tries import Tries
from chatserver.store.records import SignIn

T = TypeVar("T")
CHALLENGE_SECONDS: Final = 300


class StaffCookies:
    """The cookies of the staff's pages. `sign_in` says who is signed in; `device` marks a browser that has signed in
    before; `question` says for five minutes that this browser asked for a passkey."""

    def __init__(self, *, sign_in_seconds: int, device_seconds: int, secure: bool | None) -> None:
        self.sign_in = Cookies("chat_staff", max_age=sign_in_seconds, secure=secure)
        self.device = Cookies("chat_device", max_age=device_seconds, secure=secure)
        self.question = Cookies("chat_passkey", max_age=CHALLENGE_SECONDS, secure=secure)


class StaffRequests:
    """Refuses people without a sign-in with IDENTITY_REQUIRED (401), and people who may not with NOT_ALLOWED (403)."""

    def __init__(
        self,
        accounts: StaffAccounts,
        *,
        origins: Origins,
        cookies: StaffCookies,
        addresses: Addresses,
        tries: Tries,
        limits: Limits,
    ) -> None:
        self._accounts = accounts
        self._origins = origins
        self._cookies = cookies
        self._addresses = addresses
        self._tries = tries
        self._reader = RequestReader(origins, cookies.sign_in, addresses, tries, limits)

    # ------------------------------------------------------------------------------------------------ who asks, what

    async def _asked(self, request: Request, kind: type[T]) -> tuple[str | None, T]:
        token = self._reader.token(request, self._origins.judge(request.scope))
        return token, decoded(await self._reader.read(request), kind)

    async def _signed_in(self, request: Request, kind: type[T]) -> tuple[SignIn, T]:
        """Return who asks, and the decoded body, which is decoded only after the sign-in was checked."""
        token = self._reader.token(request, self._origins.judge(request.scope))
        body = await self._reader.read(request)
        by = await self._known(token)
        return by, decoded(body, kind)

    async def _signed_in_only(self, request: Request) -> SignIn:
        """Return who sends a request whose body holds nothing."""
        token = self._reader.token(request, self._origins.judge(request.scope))
        await self._reader.read(request)
        return await self._known(token)

    async def _reading(self, request: Request) -> SignIn:
        """Return who sends a GET request."""
        return await self._known(self._reader.token(request, self._origins.judge_read(request.scope)))

    async def _known(self, token: str | None) -> SignIn:
        by = await self._accounts.known(token)
        if by is None:
            raise Refusal(Reason.IDENTITY_REQUIRED)
        return by

    async def _end(self, token: str | None) -> None:
        if (earlier := await self._accounts.known(token)) is not None:
            await self._accounts.sign_out(earlier)

    # ------------------------------------------------------------------------------------------------ proofs

    async def _admit_proof(self, by: SignIn) -> None:
        """Count a proof for this sign-in alone, so that no stranger can use up its attempts. Raises RATE_LIMITED."""
        await self._tries.count_for(TryKind.CONFIRM, by.token_hash.hex())

    def _proof(self, request: Request, by: SignIn, asked: ProofRequest | NewPasswordRequest) -> Proof:
        """Return the proof in a request. A passkey must answer a question of this sign-in."""
        password = asked.current if isinstance(asked, NewPasswordRequest) else asked.password
        passkey = None if asked.passkey is None else self._shown(request, by.token_hash, asked.passkey)
        return Proof(password=password, code=asked.code, passkey=passkey)

    def _shown(self, request: Request, holder: bytes, answer: Assertion) -> VerifiedPasskey:
        return VerifiedPasskey(answer, self._place(request), holder)

    def _place(self, request: Request) -> RelyingParty:
        """Return where the page that asks is. Raises NOT_ALLOWED (`why` "place") if it is not a page for which passkeys
        can be made."""
        found = self._origins.place(request.scope)
        if found is None:
            raise Refusal(Reason.NOT_ALLOWED, details={"why": "place"})
        return RelyingParty(*found)

    # ------------------------------------------------------------------------------------------------ browsers

    def _is_page(self, request: Request) -> bool:
        return self._origins.judge(request.scope) is Standing.OURS

    def _device_cookie(self, request: Request) -> str | None:
        """Return this browser's device cookie, a new one if it has none, or None for a client that is not a page."""
        if not self._is_page(request):
            return None
        cookie = self._cookies.device.token(request.scope)
        return cookie if self._accounts.device_of(cookie) is not None else self._accounts.new_device()

    def _known_device(self, request: Request) -> bytes | None:
        """Return the hash of the device cookie that this browser sends, if this server made it."""
        return self._accounts.device_of(self._cookies.device.token(request.scope)) if self._is_page(request) else None

    def _question_holder(self, request: Request) -> bytes | None:
        cookie = self._cookies.question.token(request.scope)
        return None if cookie is None else hash_secret(cookie)

    def _new_question(self) -> tuple[str, bytes]:
        """Return a new cookie that binds a question to this browser, and its hash."""
        drawn = secrets.token_urlsafe(SECRET_BYTES)
        hashed = hash_secret(drawn)
        assert hashed is not None, "a new secret has the shape of one"
        return drawn, hashed

    # ------------------------------------------------------------------------------------------------ answers

    async def _greet(self, request: Request, welcome: NewSignIn, device: str | None, status: int) -> Response:
        """Answer a new sign-in with who is signed in. A page gets the token, and its device cookie, in cookies."""
        answer = await self._introduced(welcome.sign_in)
        if device is None:
            # Not a page: it keeps no cookies.
            return as_json(msgspec.structs.replace(answer, token=welcome.token), status)
        response = as_json(answer, status)
        response.headers.append("set-cookie", self._cookies.sign_in.keep(request.scope, welcome.token))
        response.headers.append("set-cookie", self._cookies.device.keep(request.scope, device))
        return response

    async def _introduced(self, by: SignIn) -> StaffResponse:
        overview = await self._accounts.factors.overview(by)
        return StaffResponse(
            member=Person(by.staff.member, by.staff.name),
            login=by.staff.login,
            roles=in_order(by.staff.roles),
            has_totp=by.staff.has_totp,
            expires_at=by.expires_at,
            confirmed_until=Millis(by.confirmed_at + CONFIRMED_FOR),
            has_passkey=bool(overview.passkeys),
            operator_from=by.staff.operator_from,
            failed_tries=by.tries,
            last_failed_at=by.tried_at,
        )


def as_json(answer: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(answer), status, UNKEPT, JSON)


def done() -> Response:
    return Response(None, 204, UNKEPT)
