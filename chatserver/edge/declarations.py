"""The TypeScript declarations of everything on the wire: the messages, and the bodies of the HTTP calls."""

from __future__ import annotations

from typing import Any, Final, get_args

from chatserver.edge.refusals import ErrorResponse
from chatserver.edge.routes import IDENTITY, STAFF, STATUS, RouteSpec
from chatserver.protocol import messages as m
from chatserver.protocol.asyncapi import tag_of
from chatserver.protocol.rooms.messages import FactPush
from chatserver.protocol.typescript import declarations, interface

_UNIONS: Final = {
    "AnyCommand": m.AnyCommand,
    "AnyOk": m.AnyOk,
    "AnyPush": m.AnyPush,
    "FactPush": FactPush,
}


def document() -> str:
    """Return the whole module. `Answers` has the type of the `ok` of each command by its `cmd`."""
    calls: tuple[RouteSpec[Any], ...] = (*IDENTITY, *STAFF, *STATUS)
    bodies = [answer.body for call in calls for answer in call.answers.values()]
    asked = [*get_args(m.AnyCommand), *(call.asks for call in calls if call.asks is not None)]
    answered = [*get_args(m.AnyOk), m.ErrorReply, *get_args(m.AnyPush), *bodies, ErrorResponse]
    oks = {tag_of(kind): kind.__name__ for kind in get_args(m.AnyOk)}
    answers = {tag_of(kind): oks[kind.answer] for kind in get_args(m.AnyCommand)}
    return declarations(asked, answered, _UNIONS) + "\n" + interface("Answers", answers) + "\n"
