"""Every HTTP call in one table: its path, its handler, and every answer that it can give.

The app and the OpenAPI document are built from it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatserver.domain.errors import Reason
from chatserver.domain.people.staff import Capability
from chatserver.edge.documents import DocumentRoutes
from chatserver.edge.http import (
    CSV,
    EXPOSITION,
    FOREIGN,
    JSON,
    NOT_JSON,
    TOO_SLOW,
    Alive,
    AppealRequest,
    HttpError,
    IdentityRoutes,
    MemberResponse,
    Readiness,
    RestoreRequest,
    Status,
    StatusRoutes,
    answering,
)
from chatserver.edge.staff import StaffRoutes
from chatserver.edge.staff_bodies import (
    AcceptRequest,
    CodesResponse,
    FactorRequest,
    FactorResponse,
    FactorsResponse,
    LinkResponse,
    MemberRequest,
    MemberRolesRequest,
    NewPasswordRequest,
    PasskeyRemovalRequest,
    PasskeyRequest,
    PasskeyRow,
    PasskeySignInRequest,
    PeopleResponse,
    ProofRequest,
    QuestionResponse,
    ResetRequest,
    RolesRequest,
    SignInRequest,
    SimulationResponse,
    StaffResponse,
)
from chatserver.protocol.moderation.views import ModerationNoticesPush
from chatserver.store.records import Export

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSpec:
    """A response that is no refusal: its description, the type of its body, its media type and its cookie."""

    about: str
    body: type | None = None
    media: str = JSON
    sets_cookie: bool = False
    is_for_pages: bool = False
    """Whether only pages get the cookie; other clients get `token` in the body instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSpec(Generic[T]):
    """One route. It answers with one of `answers`, `refusals` or `http_errors`. `needs_identity` is True if an identity
    is required, False if it is optional, and None if it is not read; `is_staff` means that it is a staff sign-in. The
    caller must have the capability `needs`, and if `is_dangerous`, must have proved who they are within the last ten
    minutes."""

    method: str
    path: str
    run: Callable[[T, Request], Awaitable[Response]]
    answers: Mapping[int, ResponseSpec]
    asks: type | None = None
    needs_identity: bool | None = None
    is_staff: bool = False
    needs: Capability | None = None
    is_dangerous: bool = False
    refusals: tuple[Reason, ...] = ()
    http_errors: tuple[HttpError, ...] = ()

    def route(self, owner: T) -> Route:
        """Return the Starlette route, answered by this owner's method."""
        return Route(self.path, answering(partial(self.run, owner)), methods=[self.method])


_ANY: Final = (Reason.RATE_LIMITED, Reason.STORAGE_UNAVAILABLE, Reason.INTERNAL)
_READING: Final = (FOREIGN, TOO_SLOW, NOT_JSON)
_KNOWN: Final = ResponseSpec(about="Who this browser is.", body=MemberResponse, sets_cookie=True)

IDENTITY: Final[tuple[RouteSpec[IdentityRoutes], ...]] = (
    RouteSpec(
        method="POST",
        path="/api/identity",
        run=IdentityRoutes.arrive,
        answers={200: _KNOWN, 201: ResponseSpec(about="A new guest.", body=MemberResponse, sets_cookie=True)},
        needs_identity=False,
        refusals=(Reason.TOO_LARGE, Reason.RATE_LIMITED, Reason.BUSY, *_ANY),
        http_errors=_READING,
    ),
    RouteSpec(
        method="POST",
        path="/api/identity/restore",
        run=IdentityRoutes.restore,
        answers={200: _KNOWN},
        asks=RestoreRequest,
        refusals=(Reason.MALFORMED, Reason.CODE_UNKNOWN, Reason.TOO_LARGE, Reason.RATE_LIMITED, Reason.BUSY, *_ANY),
        http_errors=_READING,
    ),
    RouteSpec(
        method="POST",
        path="/api/identity/sign-out-others",
        run=IdentityRoutes.sign_out_others,
        answers={200: _KNOWN},
        needs_identity=True,
        refusals=(Reason.IDENTITY_REQUIRED, Reason.TOO_LARGE, Reason.RATE_LIMITED, *_ANY),
        http_errors=_READING,
    ),
    RouteSpec(
        method="GET",
        path="/api/identity/export",
        run=IdentityRoutes.export,
        answers={200: ResponseSpec(about="Everything, as a file.", body=Export)},
        needs_identity=True,
        refusals=(Reason.IDENTITY_REQUIRED, Reason.RATE_LIMITED, *_ANY),
        http_errors=(FOREIGN,),
    ),
    RouteSpec(
        method="GET",
        path="/api/identity/matters",
        run=IdentityRoutes.moderation_notices,
        answers={200: ResponseSpec(about="What moderators decided, and answered.", body=ModerationNoticesPush)},
        needs_identity=True,
        refusals=(Reason.IDENTITY_REQUIRED, *_ANY),
        http_errors=(FOREIGN,),
    ),
    RouteSpec(
        method="POST",
        path="/api/identity/appeal",
        run=IdentityRoutes.appeal,
        answers={204: ResponseSpec(about="Moderators can read it.")},
        asks=AppealRequest,
        needs_identity=True,
        refusals=(
            Reason.MALFORMED,
            Reason.IDENTITY_REQUIRED,
            Reason.MEASURE_UNKNOWN,
            Reason.APPEALED,
            Reason.TEXT_EMPTY,
            Reason.TEXT_TOO_LONG,
            Reason.TOO_LARGE,
            Reason.RATE_LIMITED,
            *_ANY,
        ),
        http_errors=_READING,
    ),
    RouteSpec(
        method="POST",
        path="/api/identity/erase",
        run=IdentityRoutes.erase,
        answers={204: ResponseSpec(about="This person is no more.", sets_cookie=True)},
        needs_identity=True,
        refusals=(Reason.IDENTITY_REQUIRED, Reason.TOO_LARGE, Reason.RATE_LIMITED, *_ANY),
        http_errors=_READING,
    ),
    RouteSpec(
        method="POST",
        path="/api/identity/forget",
        run=IdentityRoutes.forget,
        answers={204: ResponseSpec(about="The cookie is gone.", sets_cookie=True)},
        refusals=(Reason.TOO_LARGE, *_ANY),
        http_errors=_READING,
    ),
)
STATUS: Final[tuple[RouteSpec[StatusRoutes], ...]] = (
    RouteSpec(
        method="GET",
        path="/healthz",
        run=StatusRoutes.alive,
        answers={200: ResponseSpec(about="The process answers.", body=Alive)},
    ),
    RouteSpec(
        method="GET",
        path="/readyz",
        run=StatusRoutes.ready,
        answers={
            200: ResponseSpec(about="This worker accepts people.", body=Readiness),
            503: ResponseSpec(about="This worker is stopping.", body=Readiness),
        },
        refusals=(Reason.INTERNAL,),
    ),
    RouteSpec(
        method="GET",
        path="/statusz",
        run=StatusRoutes.status,
        answers={
            200: ResponseSpec(about='Every check says "ok".', body=Status),
            503: ResponseSpec(about="A check fails.", body=Status),
        },
        refusals=(Reason.INTERNAL,),
    ),
    RouteSpec(
        method="GET",
        path="/metrics",
        run=StatusRoutes.metrics,
        answers={200: ResponseSpec(about="The metrics.", body=str, media=EXPOSITION)},
        refusals=(Reason.RATE_LIMITED, Reason.INTERNAL),
    ),
)

DOCUMENTS: Final[tuple[RouteSpec[DocumentRoutes], ...]] = (
    RouteSpec(
        method="GET",
        path="/api/openapi.json",
        run=DocumentRoutes.openapi,
        answers={200: ResponseSpec(about="OpenAPI 3.1.", body=dict), 304: ResponseSpec(about="It has not changed.")},
        refusals=(Reason.RATE_LIMITED, Reason.INTERNAL),
    ),
    RouteSpec(
        method="GET",
        path="/api/asyncapi.json",
        run=DocumentRoutes.asyncapi,
        answers={200: ResponseSpec(about="AsyncAPI 3.0.", body=dict), 304: ResponseSpec(about="It has not changed.")},
        refusals=(Reason.RATE_LIMITED, Reason.INTERNAL),
    ),
)


def _staff(
    path: str,
    run: Callable[[StaffRoutes, Request], Awaitable[Response]],
    answers: Mapping[int, ResponseSpec],
    *refusals: Reason,
    asks: type | None = None,
    method: str = "POST",
    needs: Capability | None = None,
    is_dangerous: bool = False,
) -> RouteSpec[StaffRoutes]:
    """Return the route of a call that needs a staff sign-in."""
    reads = method == "POST"
    return RouteSpec(
        method=method,
        path=f"/api/staff/{path}",
        run=run,
        answers=answers,
        asks=asks,
        needs_identity=True,
        is_staff=True,
        needs=needs,
        is_dangerous=is_dangerous,
        refusals=(
            *((Reason.MALFORMED,) if asks is not None else ()),
            Reason.IDENTITY_REQUIRED,
            *((Reason.NOT_ALLOWED,) if needs is not None else ()),
            *((Reason.CONFIRMATION_REQUIRED,) if is_dangerous else ()),
            *refusals,
            *((Reason.TOO_LARGE,) if reads else ()),
            *_ANY,
        ),
        http_errors=_READING if reads else (FOREIGN,),
    )


_SIGNED_IN: Final = ResponseSpec(about="Who is signed in.", body=StaffResponse, sets_cookie=True, is_for_pages=True)
_DONE: Final = {204: ResponseSpec(about="Done.")}
_TRIED: Final = (Reason.SIGN_IN_REFUSED, Reason.NOT_ALLOWED, Reason.RATE_LIMITED, Reason.BUSY)
_QUESTION: Final = {200: ResponseSpec(about="What to ask a device.", body=QuestionResponse)}

STAFF: Final[tuple[RouteSpec[StaffRoutes], ...]] = (
    RouteSpec(
        method="POST",
        path="/api/staff/sign-in",
        run=StaffRoutes.sign_in,
        answers={200: _SIGNED_IN},
        asks=SignInRequest,
        refusals=(Reason.MALFORMED, *_TRIED, Reason.TOO_LARGE, *_ANY),
        http_errors=_READING,
    ),
    RouteSpec(
        method="POST",
        path="/api/staff/passkey",
        run=StaffRoutes.ask_passkey,
        answers={200: ResponseSpec(about="What to ask a device.", body=QuestionResponse, sets_cookie=True)},
        refusals=(Reason.NOT_ALLOWED, Reason.RATE_LIMITED, Reason.TOO_LARGE, *_ANY),
        http_errors=_READING,
    ),
    RouteSpec(
        method="POST",
        path="/api/staff/passkey/sign-in",
        run=StaffRoutes.sign_in_with_passkey,
        answers={200: _SIGNED_IN},
        asks=PasskeySignInRequest,
        refusals=(Reason.MALFORMED, *_TRIED, Reason.TOO_LARGE, *_ANY),
        http_errors=_READING,
    ),
    RouteSpec(
        method="POST",
        path="/api/staff/reset/use",
        run=StaffRoutes.use_reset,
        answers={200: _SIGNED_IN},
        asks=ResetRequest,
        refusals=(
            Reason.MALFORMED,
            Reason.INVITATION_UNKNOWN,
            Reason.PASSWORD_WEAK,
            Reason.SIGN_IN_REFUSED,
            Reason.RATE_LIMITED,
            Reason.BUSY,
            Reason.TOO_LARGE,
            *_ANY,
        ),
        http_errors=_READING,
    ),
    RouteSpec(
        method="POST",
        path="/api/staff/sign-out",
        run=StaffRoutes.sign_out,
        answers={204: ResponseSpec(about="The cookie is gone.", sets_cookie=True)},
        refusals=(Reason.TOO_LARGE, *_ANY),
        http_errors=_READING,
    ),
    RouteSpec(
        method="POST",
        path="/api/staff/invitation",
        run=StaffRoutes.accept,
        answers={201: _SIGNED_IN},
        asks=AcceptRequest,
        refusals=(
            Reason.MALFORMED,
            Reason.INVITATION_UNKNOWN,
            Reason.INVALID,
            Reason.NAME_TAKEN,
            Reason.NAME_REFUSED,
            Reason.PASSWORD_WEAK,
            Reason.RATE_LIMITED,
            Reason.BUSY,
            Reason.TOO_LARGE,
            *_ANY,
        ),
        http_errors=_READING,
    ),
    _staff("me", StaffRoutes.me, {200: ResponseSpec(about="Who is signed in.", body=StaffResponse)}, method="GET"),
    _staff("confirm", StaffRoutes.confirm, _DONE, *_TRIED, asks=ProofRequest),
    _staff("prove", StaffRoutes.ask_for_proof, _QUESTION, Reason.NOT_ALLOWED, Reason.RATE_LIMITED),
    _staff(
        "password",
        StaffRoutes.change_password,
        {200: _SIGNED_IN},
        *_TRIED,
        Reason.PASSWORD_WEAK,
        asks=NewPasswordRequest,
    ),
    _staff("sign-out/elsewhere", StaffRoutes.sign_out_elsewhere, _DONE),
    _staff(
        "factors",
        StaffRoutes.factors,
        {200: ResponseSpec(about="The factors, without their secrets.", body=FactorsResponse)},
        method="GET",
    ),
    _staff(
        "totp",
        StaffRoutes.begin_totp,
        {200: ResponseSpec(about="A secret, shown once.", body=FactorResponse)},
    ),
    _staff(
        "totp/on",
        StaffRoutes.set_totp,
        {200: ResponseSpec(about="Recovery codes, shown once.", body=CodesResponse)},
        *_TRIED,
        Reason.INVALID,
        asks=FactorRequest,
    ),
    _staff("totp/off", StaffRoutes.remove_totp, _DONE, *_TRIED, asks=ProofRequest),
    _staff(
        "recovery",
        StaffRoutes.renew_codes,
        {200: ResponseSpec(about="Recovery codes, shown once.", body=CodesResponse)},
        *_TRIED,
        asks=ProofRequest,
    ),
    _staff("passkeys/begin", StaffRoutes.ask_to_add_passkey, _QUESTION, Reason.NOT_ALLOWED, Reason.RATE_LIMITED),
    _staff(
        "passkeys",
        StaffRoutes.add_passkey,
        {201: ResponseSpec(about="The passkey, which may be used from now on.", body=PasskeyRow)},
        *_TRIED,
        Reason.INVALID,
        Reason.NAME_TAKEN,
        asks=PasskeyRequest,
    ),
    _staff(
        "passkeys/remove",
        StaffRoutes.remove_passkey,
        _DONE,
        *_TRIED,
        Reason.INVALID,
        asks=PasskeyRemovalRequest,
    ),
    _staff(
        "export",
        StaffRoutes.export,
        {200: ResponseSpec(about="Everything, as a file.", body=Export)},
        Reason.RATE_LIMITED,
        method="GET",
    ),
    _staff(
        "erase",
        StaffRoutes.erase,
        {204: ResponseSpec(about="This person is no more.", sets_cookie=True)},
        *_TRIED,
        asks=ProofRequest,
    ),
    _staff(
        "people",
        StaffRoutes.people,
        {200: ResponseSpec(about="All accounts, including revoked ones.", body=PeopleResponse)},
        method="GET",
        needs=Capability.SEE_STAFF,
    ),
    _staff(
        "statistics",
        StaffRoutes.statistics,
        {200: ResponseSpec(about="Whole weeks, small numbers left out.", body=str, media=CSV)},
        Reason.RATE_LIMITED,
        method="GET",
        needs=Capability.OPERATE,
    ),
    _staff(
        "simulation",
        StaffRoutes.simulation,
        {200: ResponseSpec(about="Three columns, small numbers left out.", body=SimulationResponse)},
        Reason.INVALID,
        Reason.RATE_LIMITED,
        method="GET",
        needs=Capability.OPERATE,
    ),
    _staff(
        "invite",
        StaffRoutes.invite,
        {201: ResponseSpec(about="The link, shown once.", body=LinkResponse)},
        Reason.INVALID,
        asks=RolesRequest,
        needs=Capability.MANAGE_STAFF,
        is_dangerous=True,
    ),
    _staff(
        "roles",
        StaffRoutes.set_roles,
        _DONE,
        Reason.MEMBER_UNKNOWN,
        Reason.INVALID,
        asks=MemberRolesRequest,
        needs=Capability.MANAGE_STAFF,
        is_dangerous=True,
    ),
    _staff(
        "revoke",
        StaffRoutes.revoke,
        _DONE,
        Reason.MEMBER_UNKNOWN,
        asks=MemberRequest,
        needs=Capability.MANAGE_STAFF,
        is_dangerous=True,
    ),
    _staff(
        "agree",
        StaffRoutes.agree,
        _DONE,
        Reason.MEMBER_UNKNOWN,
        asks=MemberRequest,
        needs=Capability.MANAGE_STAFF,
        is_dangerous=True,
    ),
    _staff(
        "reset",
        StaffRoutes.reset,
        {201: ResponseSpec(about="The link, shown once.", body=LinkResponse)},
        Reason.MEMBER_UNKNOWN,
        asks=MemberRequest,
        needs=Capability.MANAGE_STAFF,
        is_dangerous=True,
    ),
)
