"""What went over the wire in these tests, held against the AsyncAPI document's schemas."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema

from chatserver import __version__
from chatserver.protocol.asyncapi import document
from tests.kit.schemas import said_needlessly

Json = dict[str, Any]


class Traffic:
    """Validates one message of each shape; the same shape again is not looked at twice."""

    def __init__(self) -> None:
        self._seen: set[object] = set()
        self.names: set[str] = set()
        """Every kind of message that was seen, such as `command.post`."""

    def saw_sent(self, command: Json) -> None:
        """A command that the server accepted."""
        self._check(f"command.{command['cmd']}", command)

    def saw_refused(self, command: Json, code: str) -> None:
        """Whether this is among what the document says of that command. Raises where it is not."""
        operation = _document()["operations"].get(command["cmd"])
        assert operation is None or code in operation["x-errors"], (command["cmd"], code)

    def saw_received(self, message: Json) -> None:
        """Anything that the server said. Raises where it is not in the document, or not as the document says."""
        if "push" in message:
            self._check(f"push.{message['push']}", message)
        elif "error" in message:
            self._check("reply.error", message)
        else:
            self._check(f"reply.{message['ok']['ok']}", message)

    def _check(self, name: str, message: Json) -> None:
        shape = (name, _shape(message))
        if shape in self._seen:
            return
        self._seen.add(shape)
        validator = _validator(name)
        validator.validate(message)
        if not name.startswith("command."):
            whole = _document()
            payload = whole["components"]["messages"][name]["payload"]
            assert said_needlessly(whole, payload, message) == [], message
        self.names.add(name)


@cache
def _document() -> Json:
    return document(__version__)


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    whole = _document()
    payload: Json = whole["components"]["messages"][name]["payload"]
    return jsonschema.Draft202012Validator({"components": whole["components"], **payload})


def _shape(value: object) -> object:
    match value:
        case dict():
            return frozenset((key, _shape(each)) for key, each in value.items())
        case list():
            return ("list", frozenset(_shape(each) for each in value))
        case _:
            return type(value).__name__
