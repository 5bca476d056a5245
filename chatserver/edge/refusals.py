"""A Refusal as an HTTP answer: its status, its headers and its body."""

from __future__ import annotations

import math
from typing import Final

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.protocol.codes import error_body
from chatserver.protocol.messages import ErrorBody

_STATUS: Final[dict[Reason, int]] = {
    Reason.TOO_LARGE: 413,
    Reason.IDENTITY_REQUIRED: 401,
    Reason.IDENTITY_UNKNOWN: 401,
    Reason.SIGN_IN_REFUSED: 401,
    Reason.NOT_ALLOWED: 403,
    Reason.BANNED: 403,
    Reason.MEASURE_UNKNOWN: 404,
    Reason.APPEALED: 409,
    Reason.CONFIRMATION_REQUIRED: 403,
    Reason.INVITATION_UNKNOWN: 404,
    Reason.CODE_UNKNOWN: 404,
    Reason.MEMBER_UNKNOWN: 404,
    Reason.ROOM_UNKNOWN: 404,
    Reason.NAME_TAKEN: 409,
    Reason.DUPLICATE_ID: 409,
    Reason.RATE_LIMITED: 429,
    Reason.STORAGE_UNAVAILABLE: 503,
    Reason.BUSY: 503,
    Reason.DRAINING: 503,
    Reason.INTERNAL: 500,
}

PLAIN_HEADERS: Final = (("content-type", "application/json"), ("cache-control", "no-store"))
"""Headers of every error response: JSON, and not to be cached."""


class ErrorResponse(msgspec.Struct, frozen=True):
    """The body of every error response."""

    error: ErrorBody


def status_of(reason: Reason) -> int:
    """Return the HTTP status of a refusal; 400 if no other fits."""
    return _STATUS.get(reason, 400)


def body_of(refusal: Refusal) -> bytes:
    """Return the JSON body, `{"error": {…}}`."""
    return msgspec.json.encode(ErrorResponse(error_body(refusal)))


def headers_of(refusal: Refusal) -> list[tuple[str, str]]:
    """Return the headers, with `Retry-After` (whole seconds, rounded up) if the refusal says when to come back."""
    headers = [*PLAIN_HEADERS]
    if refusal.retry_after is not None:
        headers.append(("retry-after", str(math.ceil(refusal.retry_after))))
    return headers


def plain_error(code: str, message: str) -> bytes:
    """Return the JSON body of an error that is not a Refusal, such as a foreign origin."""
    return msgspec.json.encode(ErrorResponse(ErrorBody(code=code, message=message, temporary=False)))
