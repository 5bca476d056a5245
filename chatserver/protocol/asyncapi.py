"""The AsyncAPI 3.0 document of wire protocol v1, generated from the messages themselves.

The document describes the server: it receives Commands, and sends Replies and Pushes.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, Final, get_args

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.protocol import examples
from chatserver.protocol import messages as m
from chatserver.protocol.codes import Close, advice, error_body
from chatserver.protocol.refusals import ANY
from chatserver.protocol.schemas import Json, components, reference, referring_to

CHANNEL: Final = "chat"
_ABOUT: Final = """\
Wire protocol v1 of a real-time peer-support chat server. `docs/protocol.md` says in words what this says in schemas,
and what a client may rely on. A client sends Commands; each is answered by exactly one Reply or error that repeats its
`id` as `re`; Pushes come unasked. With the subprotocol `chat.v1.json` a message is one text frame of JSON, with
`chat.v1.msgpack` one binary frame of MessagePack with the same fields."""
_ERROR: Final = "reply.error"


def document(version: str) -> Json:
    """Return the whole document, JSON-shaped. `version` is the server's own."""
    schemas = _schemas()
    messages = _messages()
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Peer-support chat", "version": version, "description": _ABOUT},
        "defaultContentType": "application/json",
        "servers": {
            "here": {
                "host": "{host}",
                "protocol": "wss",
                "description": "Wherever it is run. Without TLS, on one's own machine, the protocol is `ws`.",
                "variables": {"host": {"default": "localhost:8000", "description": "Name and port of the server."}},
            }
        },
        "channels": {
            CHANNEL: {
                "address": "/ws",
                "title": "One WebSocket",
                "description": "Everything travels on one connection; `hello` comes first.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"ws": {"method": "GET", "headers": _handshake(), "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {**_receiving(), **_sending()},
        "components": {"messages": messages, "schemas": schemas},
        "x-error-codes": {reason.value: _error(reason) for reason in Reason},
        "x-close-codes": {str(code.value): {"name": code.name, "advice": advice(code).value} for code in Close},
    }


def tag_of(kind: type[Any]) -> str:
    """Return a message's tag on the wire: its `cmd`, `ok` or `push`."""
    return str(kind.__struct_config__.tag)


def _messages() -> dict[str, Json]:
    """Return every message by its name in the document, such as `command.post`, `reply.fact` and `push.posted`."""
    found: dict[str, Json] = {}
    for kind in get_args(m.AnyCommand):
        found[f"command.{tag_of(kind)}"] = _message(
            kind, "id", reference(kind), (each for each in examples.COMMANDS if type(each) is kind)
        )
    for kind in get_args(m.AnyOk):
        found[f"reply.{tag_of(kind)}"] = _message(
            kind,
            "re",
            referring_to(_reply_name(kind)),
            (each for each in examples.REPLIES if type(each.ok) is kind),
        )
    found[_ERROR] = _message(m.ErrorReply, "re", reference(m.ErrorReply), examples.ERRORS)
    for kind in get_args(m.AnyPush):
        found[f"push.{tag_of(kind)}"] = _message(
            kind, None, reference(kind), (each for each in examples.PUSHES if type(each) is kind)
        )
    return found


def _message(kind: type[Any], correlation: str | None, payload: Json, shown: Iterable[object]) -> Json:
    text = inspect.cleandoc(kind.__doc__ or "")
    message: Json = {
        "name": kind.__name__,
        "summary": " ".join(text.split("\n\n")[0].split()),
        "description": text,
        "payload": payload,
        "examples": [{"payload": msgspec.json.decode(msgspec.json.encode(each))} for each in shown],
    }
    if correlation is not None:
        message["correlationId"] = {"location": f"$message.payload#/{correlation}"}
    return message


def _receiving() -> dict[str, Json]:
    return {
        tag_of(kind): {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{CHANNEL}"},
            "summary": inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " "),
            "messages": [_on_channel(f"command.{tag_of(kind)}")],
            "x-cost": kind.cost,
            "x-errors": sorted({*ANY, *kind.refusals}),
            "reply": {
                "channel": {"$ref": f"#/channels/{CHANNEL}"},
                "messages": [_on_channel(f"reply.{kind.answer}"), _on_channel(_ERROR)],
            },
        }
        for kind in get_args(m.AnyCommand)
    }


def _sending() -> dict[str, Json]:
    return {
        "push": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{CHANNEL}"},
            "summary": "What a connection is told unasked.",
            "messages": [_on_channel(f"push.{tag_of(kind)}") for kind in get_args(m.AnyPush)],
        },
        "refuse": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{CHANNEL}"},
            "summary": "The answer to a frame whose command or id could not be read.",
            "messages": [_on_channel(_ERROR)],
        },
    }


def _schemas() -> Json:
    found = components(get_args(m.AnyCommand), [*get_args(m.AnyOk), m.ErrorReply, *get_args(m.AnyPush)])
    for kind in get_args(m.AnyOk):
        name = _reply_name(kind)
        found[name] = {
            "title": name,
            "type": "object",
            "properties": {"re": {"type": "string"}, "ok": reference(kind)},
            "required": ["re", "ok"],
        }
    return found


def _reply_name(kind: type[Any]) -> str:
    """Return the name of the whole reply that holds an `ok` of this kind."""
    return f"{kind.__name__.removesuffix('Ok')}Reply"


def _on_channel(name: str) -> Json:
    return {"$ref": f"#/channels/{CHANNEL}/messages/{name}"}


def _handshake() -> Json:
    return {
        "type": "object",
        "properties": {
            "Sec-WebSocket-Protocol": {"type": "string", "enum": [m.SUBPROTOCOL_JSON, m.SUBPROTOCOL_MSGPACK]}
        },
        "required": ["Sec-WebSocket-Protocol"],
    }


def _error(reason: Reason) -> Json:
    body = error_body(Refusal(reason))
    return {"message": body.message, "temporary": body.temporary}
