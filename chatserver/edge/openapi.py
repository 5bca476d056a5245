"""The OpenAPI 3.1 document of the HTTP calls, generated from their table."""

from __future__ import annotations

import inspect
from typing import Any, Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.edge.http import JSON
from chatserver.edge.refusals import ErrorResponse, status_of
from chatserver.edge.routes import DOCUMENTS, IDENTITY, STAFF, STATUS, ResponseSpec, RouteSpec
from chatserver.protocol.codes import error_body
from chatserver.protocol.schemas import Json, components, reference

_ABOUT: Final = """\
The HTTP calls about identities, staff accounts and monitoring. Everything else happens on the WebSocket: see
`/api/asyncapi.json` and `docs/protocol.md`. The page's own files are not listed here."""
_WAITING: Final = frozenset({Reason.RATE_LIMITED, Reason.STORAGE_UNAVAILABLE, Reason.BUSY})
"""Refusals whose answer always has `Retry-After`."""
_PLAIN: Final[dict[type | None, Json]] = {None: {}, str: {"type": "string"}, dict: {"type": "object"}}
"""Bodies that are not of a message type, with their schemas."""
_IDENTITIES: Final[list[dict[str, list[str]]]] = [{"cookie": []}, {"bearer": []}]
_SIGN_INS: Final[list[dict[str, list[str]]]] = [{"staff_cookie": []}, {"staff_bearer": []}]


def document(version: str) -> Json:
    """Return the whole document as JSON values. `version` is the server's version."""
    calls: tuple[RouteSpec[Any], ...] = (*IDENTITY, *STAFF, *STATUS, *DOCUMENTS)
    paths: Json = {}
    for call in calls:
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call)
    asked = [call.asks for call in calls if call.asks is not None]
    answered = [answer.body for call in calls for answer in call.answers.values() if answer.body not in _PLAIN]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Peer-support chat", "version": version, "description": _ABOUT},
        "servers": [{"url": "http://{host}", "variables": {"host": {"default": "localhost:8000"}}}],
        "paths": paths,
        "components": {
            "schemas": components(asked, [*answered, ErrorResponse]),
            "securitySchemes": {
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "chat_identity",
                    "description": "For the server's own page. Over TLS its name is `__Host-chat_identity`.",
                },
                "bearer": {"type": "http", "scheme": "bearer", "description": "For clients that are not browsers."},
                "staff_cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "chat_staff",
                    "description": "For the staff's pages. Over TLS its name is `__Host-chat_staff`.",
                },
                "staff_bearer": {"type": "http", "scheme": "bearer", "description": "A sign-in's token, likewise."},
            },
        },
    }


def _operation(call: RouteSpec[Any]) -> Json:
    operation: Json = {
        "operationId": ("staff_" if call.path.startswith("/api/staff/") else "") + call.run.__name__,
        "summary": " ".join(inspect.cleandoc(call.run.__doc__ or "").split()),
        "responses": _responses(call),
    }
    if call.http_errors:
        operation["parameters"] = [
            {
                "name": "Origin",
                "in": "header",
                "required": False,
                "description": "Sent by pages. It must be the server's own, or one that the operator allows.",
                "schema": {"type": "string"},
            }
        ]
    if call.asks is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": reference(call.asks)}}}
    if call.needs_identity is not None:
        known = _SIGN_INS if call.is_staff else _IDENTITIES
        operation["security"] = [*known] if call.needs_identity else [{}, *known]
    return operation


def _responses(call: RouteSpec[Any]) -> Json:
    noes: dict[int, list[tuple[str, str]]] = {}
    for error in call.http_errors:
        noes.setdefault(error.status, []).append((error.code, error.message))
    for reason in dict.fromkeys(call.refusals):
        body = error_body(Refusal(reason))
        noes.setdefault(status_of(reason), []).append((body.code, body.message))
    found = {status: _no(codes) for status, codes in noes.items()}
    for reason in dict.fromkeys(call.refusals):
        if reason in _WAITING:
            found[status_of(reason)]["headers"] = {
                "Retry-After": {"required": True, "description": "In seconds.", "schema": {"type": "integer"}}
            }
    found |= {status: _yes(answer) for status, answer in call.answers.items()}
    return {str(status): found[status] for status in sorted(found)}


def _yes(answer: ResponseSpec) -> Json:
    response: Json = {"description": answer.about}
    if answer.body is not None:
        schema = _PLAIN[answer.body] if answer.body in _PLAIN else reference(answer.body)
        response["content"] = {answer.media: {"schema": schema}}
    if answer.sets_cookie:
        header: Json = {"required": not answer.is_for_pages, "schema": {"type": "string"}}
        if answer.is_for_pages:
            header["description"] = "For a page. A client that sends no Origin gets `token` in the body instead."
        response["headers"] = {"Set-Cookie": header}
    return response


def _no(codes: list[tuple[str, str]]) -> Json:
    told = {"properties": {"error": {"properties": {"code": {"enum": [code for code, _ in codes]}}}}}
    return {
        "description": " ".join(f"`{code}`: {words}" for code, words in codes),
        "content": {JSON: {"schema": {"allOf": [reference(ErrorResponse), told]}}},
    }
