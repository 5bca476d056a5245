"""Every HTTP call in one table: where it is, what answers it, and all that the answer can be.

The app is built from it, and so is `docs/openapi.json`.
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
from chatserver.edge.http import (
    EXPOSITION,
    FOREIGN,
    JSON,
    NOT_JSON,
    TOO_SLOW,
    Alive,
    Denial,
    IdentityRoutes,
    MemberAnswer,
    Readiness,
    RestoreAsked,
    StatusRoutes,
    answering,
)
from chatserver.store.contract import Export

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A "yes", or a monitor's "no": its words, the type of its body and what carries it."""

    about: str
    body: type | None = None
    media: str = JSON
    sets_cookie: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One call. `refusals` and `denials` are its other answers; `needs_identity` None means that it asks for none."""

    method: str
    path: str
    run: Callable[[T, Request], Awaitable[Response]]
    answers: Mapping[int, Answer]
    asks: type | None = None
    needs_identity: bool | None = None
    refusals: tuple[Reason, ...] = ()
    denials: tuple[Denial, ...] = ()

    def route(self, owner: T) -> Route:
        """It, answered by this owner."""
        return Route(self.path, answering(partial(self.run, owner)), methods=[self.method])


_ANY: Final = (Reason.STORAGE_UNAVAILABLE, Reason.INTERNAL)
_READING: Final = (FOREIGN, TOO_SLOW, NOT_JSON)
_KNOWN: Final = Answer(about="Who this browser is.", body=MemberAnswer, sets_cookie=True)

IDENTITY: Final[tuple[Call[IdentityRoutes], ...]] = (
    Call(
        method="POST",
        path="/api/identity",
        run=IdentityRoutes.arrive,
        answers={200: _KNOWN, 201: Answer(about="A new guest.", body=MemberAnswer, sets_cookie=True)},
        needs_identity=False,
        refusals=(Reason.TOO_LARGE, Reason.RATE_LIMITED, Reason.BUSY, *_ANY),
        denials=_READING,
    ),
    Call(
        method="POST",
        path="/api/identity/restore",
        run=IdentityRoutes.restore,
        answers={200: _KNOWN},
        asks=RestoreAsked,
        refusals=(Reason.MALFORMED, Reason.CODE_UNKNOWN, Reason.TOO_LARGE, Reason.RATE_LIMITED, *_ANY),
        denials=_READING,
    ),
    Call(
        method="GET",
        path="/api/identity/export",
        run=IdentityRoutes.export,
        answers={200: Answer(about="Everything, as a file.", body=Export)},
        needs_identity=True,
        refusals=(Reason.IDENTITY_REQUIRED, Reason.RATE_LIMITED, *_ANY),
        denials=(FOREIGN,),
    ),
    Call(
        method="POST",
        path="/api/identity/erase",
        run=IdentityRoutes.erase,
        answers={204: Answer(about="This person is no more.", sets_cookie=True)},
        needs_identity=True,
        refusals=(Reason.IDENTITY_REQUIRED, Reason.TOO_LARGE, *_ANY),
        denials=_READING,
    ),
    Call(
        method="POST",
        path="/api/identity/forget",
        run=IdentityRoutes.forget,
        answers={204: Answer(about="The cookie is gone.", sets_cookie=True)},
        refusals=(Reason.TOO_LARGE, *_ANY),
        denials=_READING,
    ),
)
STATUS: Final[tuple[Call[StatusRoutes], ...]] = (
    Call(
        method="GET",
        path="/healthz",
        run=StatusRoutes.alive,
        answers={200: Answer(about="It does.", body=Alive)},
    ),
    Call(
        method="GET",
        path="/readyz",
        run=StatusRoutes.ready,
        answers={
            200: Answer(about="It serves.", body=Readiness),
            503: Answer(about="It does not.", body=Readiness),
        },
        refusals=(Reason.INTERNAL,),
    ),
    Call(
        method="GET",
        path="/metrics",
        run=StatusRoutes.metrics,
        answers={200: Answer(about="Numbers only.", body=str, media=EXPOSITION)},
        refusals=(Reason.INTERNAL,),
    ),
)
