"""Bytes to Commands, and messages to frames, in the two encodings a client may choose.

Pure. Bytes from clients are checked against strict bounds first: JSON is read by msgspec straight into Commands;
MessagePack is unpacked by msgpack within bounds and then validated. Every refusal is an `Unreadable`.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, Final, NoReturn, get_args

import msgpack  # type: ignore[import-untyped]
import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import CommandId
from chatserver.protocol.fields import Id, place_of_nul
from chatserver.protocol.frames import BINARY, TEXT, frame
from chatserver.protocol.messages import SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK, AnyCommand, AnyServerMessage
from chatserver.protocol.rooms.messages import EditCommand, PostCommand

FRAME_BYTES: Final = 16_384
"""The most bytes of a command unless the server is configured otherwise."""
MAX_NESTING: Final = 16
"""How deep arrays and objects may be nested. No command needs more than two levels."""
_MAX_ITEMS: Final = 1_024
"""The most elements of one MessagePack array, and entries of one map."""


class Encoding(Enum):
    """The encoding of messages on one connection, agreed on as its subprotocol."""

    JSON = (SUBPROTOCOL_JSON, TEXT)
    MSGPACK = (SUBPROTOCOL_MSGPACK, BINARY)

    def __init__(self, subprotocol: str, opcode: int) -> None:
        self.subprotocol = subprotocol
        self.opcode = opcode

    @classmethod
    def of(cls, subprotocol: str) -> Encoding | None:
        """Return the encoding of a subprotocol's name."""
        return next((encoding for encoding in cls if encoding.subprotocol == subprotocol), None)


class Unreadable(Refusal):
    """A frame that holds no valid command: MALFORMED, UNKNOWN_COMMAND, INVALID or TOO_LARGE.

    `re` is the command's id if it could be read all the same. `details` tell what is wrong, and never repeat what was
    sent.
    """

    def __init__(self, reason: Reason, command: CommandId | None, details: dict[str, object] | None = None) -> None:
        super().__init__(reason, details=details)
        self.re = command


class _Named(msgspec.Struct):
    """As much of a command as an error reply needs."""

    id: Id


_json_decoder: Final[msgspec.json.Decoder[AnyCommand]] = msgspec.json.Decoder(AnyCommand)
_json_id_decoder = msgspec.json.Decoder(_Named)
_json_encoder = msgspec.json.Encoder()
_msgpack_encoder = msgspec.msgpack.Encoder()
_commands: Final[dict[object, Any]] = {kind.__struct_config__.tag: kind for kind in get_args(AnyCommand)}


def decode_command(encoding: Encoding, data: str | bytes | memoryview, max_bytes: int = FRAME_BYTES) -> AnyCommand:
    """Return the command in one frame's payload. Raises Unreadable, and nothing else. Unknown fields are ignored."""
    command = _decode_json(data, max_bytes) if encoding is Encoding.JSON else _decode_msgpack(data, max_bytes)
    # Posts are cleaned of it instead: they are not refused for a character that nobody can see.
    if _may_hold_nul(encoding, data) and not isinstance(command, PostCommand | EditCommand):
        place = place_of_nul(command)
        if place is not None:
            raise Unreadable(Reason.INVALID, command.id, {"field": place, "problem": "a text cannot hold U+0000"})
    return command


def _may_hold_nul(encoding: Encoding, data: str | bytes | memoryview) -> bool:
    if isinstance(data, str):
        return "\\u0000" in data
    return (b"\\u0000" if encoding is Encoding.JSON else b"\0") in bytes(data)


def encode_payload(encoding: Encoding, message: AnyServerMessage) -> bytes:
    """Return `message` as the payload of a frame."""
    return (_json_encoder if encoding is Encoding.JSON else _msgpack_encoder).encode(message)


def encode_frame(encoding: Encoding, message: AnyServerMessage) -> bytes:
    """Return `message` as one whole WebSocket frame, which any number of connections of this encoding may share."""
    return frame(encoding.opcode, encode_payload(encoding, message))


# ------------------------------------------------------------------------------------------------------- JSON


def _decode_json(data: str | bytes | memoryview, max_bytes: int) -> AnyCommand:
    text = ""
    try:
        # msgspec skips the strings of unknown fields unread; their UTF-8 is checked here.
        text = data if isinstance(data, str) else str(data, "utf-8")
        if len(text) > max_bytes or (not text.isascii() and len(text.encode()) > max_bytes):
            raise Unreadable(Reason.TOO_LARGE, _id_in_json(text), {"limit": max_bytes})
        if _is_json_too_deep(text):
            raise Unreadable(Reason.MALFORMED, _id_in_json(text), {"problem": "nested too deeply"})
        return _json_decoder.decode(text)
    except msgspec.ValidationError as error:
        _refuse_invalid(error, _id_in_json(text))
    except msgspec.DecodeError as error:
        raise Unreadable(Reason.MALFORMED, None, {"problem": str(error)}) from None
    except UnicodeError:
        raise Unreadable(Reason.MALFORMED, None, {"problem": "not UTF-8"}) from None
    except RecursionError:
        raise Unreadable(Reason.MALFORMED, None, {"problem": "nested too deeply"}) from None


def _id_in_json(text: str) -> CommandId | None:
    try:
        return _json_id_decoder.decode(text).id
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


# A string that never ends is taken to the end of the text, so that the scan is linear whatever is sent.
_JSON_TOKENS: Final = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


def _is_json_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_NESTING:
        return False
    depth = 0
    for token in _JSON_TOKENS.finditer(text):
        match token[0]:
            case "[" | "{":
                depth += 1
                if depth > MAX_NESTING:
                    return True
            case "]" | "}":
                depth -= 1
    return False


# ------------------------------------------------------------------------------------------------ MessagePack


def _decode_msgpack(data: str | bytes | memoryview, max_bytes: int) -> AnyCommand:
    if isinstance(data, str):
        raise Unreadable(Reason.MALFORMED, None, {"problem": "MessagePack travels in binary frames"})
    if len(data) > max_bytes:
        raise Unreadable(Reason.TOO_LARGE, _id_in_msgpack(data), {"limit": max_bytes})
    fields = _unpack(data)
    if not isinstance(fields, dict):
        raise Unreadable(Reason.INVALID, None, {"field": "$", "problem": "expected a map"})
    if _is_too_deep(fields, MAX_NESTING):
        raise Unreadable(Reason.MALFORMED, _id_in(fields), {"problem": "nested too deeply"})
    tag = fields.get("cmd")
    if not isinstance(tag, str):
        problem = "missing" if tag is None else "expected `str`"
        raise Unreadable(Reason.INVALID, _id_in(fields), {"field": "$.cmd", "problem": problem})
    kind = _commands.get(tag)
    if kind is None:
        raise Unreadable(Reason.UNKNOWN_COMMAND, _id_in(fields))
    try:
        command: AnyCommand = msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        _refuse_invalid(error, _id_in(fields))
    return command


def _unpack(data: bytes | memoryview) -> object:
    try:
        return msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            max_str_len=len(data),
            max_bin_len=len(data),
            max_array_len=_MAX_ITEMS,
            max_map_len=_MAX_ITEMS,
            max_ext_len=0,
        )
    except (ValueError, msgpack.UnpackException) as error:
        words = str(error)
        if "exceeds max_" in words and "max_ext_len" not in words:
            raise Unreadable(Reason.TOO_LARGE, None, {"limit": _MAX_ITEMS}) from None
        raise Unreadable(Reason.MALFORMED, None, {"problem": "not MessagePack that is read here"}) from None


def _id_in_msgpack(data: bytes | memoryview) -> CommandId | None:
    try:
        fields = _unpack(data)
    except Unreadable:
        return None
    return _id_in(fields) if isinstance(fields, dict) else None


def _id_in(fields: dict[str, object]) -> CommandId | None:
    try:
        return msgspec.convert(fields, _Named).id
    except msgspec.ValidationError:
        return None


def _is_too_deep(value: object, levels: int) -> bool:
    """Return whether containers are nested more than `levels` deep."""
    if isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, list):
        inner = value  # type: ignore[assignment]
    else:
        return False
    return levels == 0 or any(_is_too_deep(each, levels - 1) for each in inner)


# ------------------------------------------------------------------------------------------------------- both

_PLACED: Final = re.compile(r"(?P<problem>.*) - at `(?P<field>\$[^`]*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(?P<name>\w+)`")


def _refuse_invalid(error: msgspec.ValidationError, command: CommandId | None) -> NoReturn:
    """Raise the refusal, with the wrong field and the reason. msgspec repeats a wrong enum value or tag; we do not."""
    problem, field = str(error), "$"
    if (placed := _PLACED.fullmatch(problem)) is not None:
        problem, field = placed["problem"], placed["field"]
    if problem.startswith("Invalid value") and field == "$.cmd":
        raise Unreadable(Reason.UNKNOWN_COMMAND, command) from None
    if problem.startswith("Invalid "):
        problem = "not one of the known values"
    elif (missing := _MISSING.fullmatch(problem)) is not None:
        problem, field = "missing", f"{field}.{missing['name']}"
    else:
        problem = problem[:1].lower() + problem[1:]
    raise Unreadable(Reason.INVALID, command, {"field": field, "problem": problem}) from None
