"""The HTTP routes of identities (who this browser is) and of monitoring (how the worker is)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import Member, Person
from chatserver.domain.limits import Limits
from chatserver.domain.people.tries import TryKind
from chatserver.domain.sources import Source
from chatserver.edge.addresses import Addresses
from chatserver.edge.refusals import body_of, headers_of, plain_error, status_of
from chatserver.edge.tracebacks import traceback_places
from chatserver.edge.web_security import Cookies, Origins, Standing
from chatserver.handlers.moderation.enforcement import Enforcement
from chatserver.handlers.operating.health import OK, Health
from chatserver.handlers.people.identity import Identities
from chatserver.handlers.people.tries import Tries
from chatserver.protocol.fields import place_of_nul
from chatserver.store.records import Export, StoreUnavailable

_log = logging.getLogger("chatserver.edge")

JSON: Final = "application/json"
CSV: Final = "text/csv; charset=utf-8"
UNKEPT: Final = {"cache-control": "no-store"}
EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"
NUMBERS_SECONDS: Final = 1.0
"""Seconds for which the metrics are reused: with several workers they take tens of milliseconds to put together."""
_STORE_RETRY_SECONDS: Final = 2.0
_BEARER: Final = "bearer "
_LONGEST_TOKEN: Final = 1_024

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]


class MemberResponse(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who this browser is. A page gets its token in the cookie only; a client that sends no `Origin` is not a page and
    gets it as `token`."""

    member: Person
    has_code: bool
    created: bool
    token: str | None = None


class RestoreRequest(msgspec.Struct, frozen=True):
    """The body of `POST /api/identity/restore`."""

    code: str


class AppealRequest(msgspec.Struct, frozen=True):
    """The body of `POST /api/identity/appeal`: a member's answer to a measure about them."""

    measure: str
    text: str


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    alive: bool


class Readiness(msgspec.Struct, frozen=True):
    """Whether this worker accepts people."""

    ready: bool


class Status(msgspec.Struct, frozen=True):
    """Whether this worker is healthy: the name of each check, with "ok" or what is wrong."""

    ok: bool
    checks: dict[str, str]


class HttpError(NamedTuple):
    """An error of HTTP itself rather than of the chat: its status, and the code and message of its body."""

    status: int
    code: str
    message: str


FOREIGN: Final = HttpError(403, "origin_refused", "Pages of this origin may not call this server.")
TOO_SLOW: Final = HttpError(408, "too_slow", "The rest of the request did not arrive in time.")
NOT_JSON: Final = HttpError(415, "unsupported_media_type", "The body must be JSON.")


class RequestDenied(Exception):
    """Raised to answer the request with `error`."""

    def __init__(self, error: HttpError) -> None:
        super().__init__(error.code)
        self.error = error


class RequestReader:
    """Reads who sends a request, and its body, for every route.

    A request that changes something needs an Origin of ours, or none. Without an Origin the client is not a browser
    page: its cookie does not count, and it may send a token as `Authorization: Bearer`. Bodies are JSON, bounded in
    size, and must arrive in time.
    """

    def __init__(self, origins: Origins, cookies: Cookies, addresses: Addresses, tries: Tries, limits: Limits) -> None:
        self.origins = origins
        self.cookies = cookies
        self.addresses = addresses
        self.tries = tries
        self._limits = limits

    def token(self, request: Request, standing: Standing) -> str | None:
        """Return the token that a request carries. Raises RequestDenied for a foreign page."""
        if standing is Standing.FOREIGN:
            raise RequestDenied(FOREIGN)
        authorization = request.headers.get("authorization", "")
        if authorization.lower().startswith(_BEARER):
            return authorization[len(_BEARER) :].strip()[:_LONGEST_TOKEN]
        return self.cookies.token(request.scope) if standing is Standing.OURS else None

    def admit(self, take: Callable[[Source], float], request: Request) -> None:
        """Count the request for the address it comes from, with `take`. Raises RATE_LIMITED."""
        if (wait := take(self.addresses.source(request.scope.get("client")))) > 0:
            raise Refusal(Reason.RATE_LIMITED, retry_after=wait)

    async def count_try(self, kind: TryKind, request: Request) -> None:
        """Count an attempt at a secret for the address it comes from, over all workers. Raises RATE_LIMITED."""
        await self.tries.count_from(kind, self.addresses.source(request.scope.get("client")))

    async def read(self, request: Request) -> bytes:
        """Return the body, empty if there is none. Raises TOO_LARGE, or RequestDenied if it is late or not JSON."""
        limit = self._limits.http_body_bytes
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limit:
            raise Refusal(Reason.TOO_LARGE)
        body = b""
        try:
            async with asyncio.timeout(self._limits.header_seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > limit:
                        raise Refusal(Reason.TOO_LARGE)
        except TimeoutError:
            raise RequestDenied(TOO_SLOW) from None
        kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if body and kind != JSON:
            raise RequestDenied(NOT_JSON)
        return body


def decoded(body: bytes, kind: type[T]) -> T:
    """Decode a JSON body. Raises MALFORMED, also for a text with a NUL character, which PostgreSQL cannot store."""
    try:
        value = msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError:
        raise Refusal(Reason.MALFORMED) from None
    if b"\\u0000" in body and place_of_nul(value) is not None:
        raise Refusal(Reason.MALFORMED)
    return value


def as_file(export: Export) -> Response:
    """Return an export as a response that browsers save as a file."""
    body = msgspec.json.format(msgspec.json.encode(export), indent=2)
    return Response(body, 200, {**UNKEPT, "content-disposition": 'attachment; filename="my-chat-data.json"'}, JSON)


class IdentityRoutes:
    """The routes of a member's identity: arriving, coming back, exporting, erasing and signing out."""

    def __init__(
        self,
        identities: Identities,
        enforcement: Enforcement,
        *,
        origins: Origins,
        cookies: Cookies,
        addresses: Addresses,
        tries: Tries,
        limits: Limits,
    ) -> None:
        self._identities = identities
        self._enforcement = enforcement
        self._reader = RequestReader(origins, cookies, addresses, tries, limits)
        self._origins = origins
        self._cookies = cookies
        self._addresses = addresses
        self._exporting = asyncio.Lock()

    async def arrive(self, request: Request) -> Response:
        """`POST /api/identity`: return who this browser is; make a new guest if it is nobody yet."""
        token = self._reader.token(request, self._origins.judge(request.scope))
        await self._reader.read(request)
        if await self._identities.known(token) is None:
            self._reader.admit(self._addresses.admit_guest, request)
        member, token, created = await self._identities.arrive(token)
        return self._introduce(request, member, token, created=created)

    async def restore(self, request: Request) -> Response:
        """`POST /api/identity/restore` with `{"code": "…"}`: become the guest with this come-back code."""
        self._reader.token(request, self._origins.judge(request.scope))
        body = await self._reader.read(request)
        asked = decoded(body, RestoreRequest)
        await self._reader.count_try(TryKind.CODE, request)
        member, token = await self._identities.restore(asked.code)
        return self._introduce(request, member, token, created=False)

    async def sign_out_others(self, request: Request) -> Response:
        """`POST /api/identity/sign-out-others`: end this person's identity in every other browser, and their come-back
        code."""
        token = self._reader.token(request, self._origins.judge(request.scope))
        await self._reader.read(request)
        if token is not None:
            self._reader.admit(self._addresses.admit_erasure, request)
        member, fresh = await self._identities.sign_out_others(token)
        return self._introduce(request, member, fresh, created=False)

    async def moderation_notices(self, request: Request) -> Response:
        """`GET /api/identity/matters`: what moderators decided about this person. It also answers banned people."""
        token = self._reader.token(request, self._origins.judge_read(request.scope))
        matters = await self._identities.moderation_notices(token)
        return Response(msgspec.json.encode(self._enforcement.view_of_notices(matters)), 200, UNKEPT, JSON)

    async def appeal(self, request: Request) -> Response:
        """`POST /api/identity/appeal`: answer a measure, once."""
        token = self._reader.token(request, self._origins.judge(request.scope))
        asked = decoded(await self._reader.read(request), AppealRequest)
        self._reader.admit(self._addresses.admit_appeal, request)
        await self._identities.appeal(token, asked.measure, asked.text)
        return Response(None, 204, UNKEPT)

    async def export(self, request: Request) -> Response:
        """`GET /api/identity/export`: everything that is kept about this person, as a file."""
        token = self._reader.token(request, self._origins.judge_read(request.scope))
        if token is not None:
            self._reader.admit(self._addresses.admit_export, request)
        # An export may take megabytes of memory, so one is made at a time.
        async with self._exporting:
            return as_file(await self._identities.export(token))

    async def erase(self, request: Request) -> Response:
        """`POST /api/identity/erase`: remove this person and what they wrote."""
        token = self._reader.token(request, self._origins.judge(request.scope))
        await self._reader.read(request)
        if token is not None:
            self._reader.admit(self._addresses.admit_erasure, request)
        await self._identities.erase(token)
        return Response(None, 204, {**UNKEPT, "set-cookie": self._cookies.drop(request.scope)})

    async def forget(self, request: Request) -> Response:
        """`POST /api/identity/forget`: remove the identity from this browser. Nothing else changes."""
        self._reader.token(request, self._origins.judge(request.scope))
        await self._reader.read(request)
        return Response(None, 204, {**UNKEPT, "set-cookie": self._cookies.drop(request.scope)})

    def _introduce(self, request: Request, member: Member, token: str, *, created: bool) -> Response:
        answer = MemberResponse(
            member=Person(member.id, member.name),
            has_code=member.has_code,
            created=created,
            token=token if self._origins.judge(request.scope) is Standing.ABSENT else None,
        )
        headers = {**UNKEPT, "set-cookie": self._cookies.keep(request.scope, token)}
        return Response(msgspec.json.encode(answer), 201 if created else 200, headers, JSON)


class StatusRoutes:
    """The routes of monitoring."""

    def __init__(self, health: Health, exposition: Callable[[], bytes]) -> None:
        self._health = health
        self._exposition = exposition
        self._numbers = b""
        self._numbered_at = float("-inf")

    async def alive(self, request: Request) -> Response:
        """`GET /healthz`: the process answers."""
        return Response(msgspec.json.encode(Alive(alive=True)), 200, UNKEPT, JSON)

    async def ready(self, request: Request) -> Response:
        """`GET /readyz`: 200 if people may be sent to this worker, 503 while it stops."""
        is_ready = self._health.takes_people
        return Response(msgspec.json.encode(Readiness(is_ready)), 200 if is_ready else 503, UNKEPT, JSON)

    async def status(self, request: Request) -> Response:
        """`GET /statusz`: 200 if every check says "ok", else 503, with the checks in both cases."""
        checks = await self._health.check()
        is_well = all(outcome == OK for outcome in checks.values())
        return Response(msgspec.json.encode(Status(is_well, checks)), 200 if is_well else 503, UNKEPT, JSON)

    async def metrics(self, request: Request) -> Response:
        """`GET /metrics`, in Prometheus' text format, put together at most once a second."""
        now = time.monotonic()
        if now - self._numbered_at >= NUMBERS_SECONDS:
            self._numbered_at, self._numbers = now, self._exposition()
        return Response(self._numbers, 200, {**UNKEPT, "content-type": EXPOSITION})


def answering(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with every failure turned into an answer that reveals nothing internal."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refusal as refusal:
            return _refuse(refusal)
        except RequestDenied as denied:
            error = denied.error
            # A client that was too slow once must open a new connection (RFC 9110, section 15.5.9).
            headers = {**UNKEPT, "connection": "close"} if error is TOO_SLOW else UNKEPT
            return Response(plain_error(error.code, error.message), error.status, headers, JSON)
        except StoreUnavailable as trouble:
            _log.warning("the store is unavailable: %s", trouble)
            return _refuse(Refusal(Reason.STORAGE_UNAVAILABLE, retry_after=_STORE_RETRY_SECONDS))
        except ClientDisconnect:
            return Response(None, 400)
        except Exception as failure:  # noqa: BLE001 - the boundary of one request
            _log.error("%s failed: %s", request.url.path, traceback_places(failure))
            return _refuse(Refusal(Reason.INTERNAL))

    return answer


def _refuse(refusal: Refusal) -> Response:
    return Response(body_of(refusal), status_of(refusal.reason), dict(headers_of(refusal)))
