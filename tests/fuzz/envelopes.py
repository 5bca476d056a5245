"""Commands as no client should write them, drawn from a seed: whole frames' payloads, in JSON or MessagePack.

Each starts as one of the protocol's own examples, and is then changed in its fields, its shape or its bytes.
"""

from __future__ import annotations

import json
import math
import random
import re
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]
import msgspec

from chatserver.protocol import examples
from chatserver.protocol.codec import Encoding

Fields = dict[Any, Any]

EXAMPLES: Final[list[Fields]] = [msgspec.to_builtins(each, str_keys=True) for each in examples.COMMANDS]
_NAMES: Final = sorted({name for each in EXAMPLES for name in each})
_NUMBERS: Final = (
    0, -1, 1, 2**31 - 1, 2**31, 2**32, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64 - 1, 2**64, -(2**63) - 1,
    10**400, 0.5, -0.0, 5e-324, 1.7e308, math.nan, math.inf, -math.inf,
)  # fmt: skip
_TEXTS: Final = (
    "", " ", "\0", "\x7f", "\ud800", "a\udfffb", "\u202e\u2066", "e" + "\u0301" * 200, "\U0001f469\u200d" * 50,
    "x" * 64, "x" * 65, "x" * 2_001, "\u00e9" * 5_000, "a\nb", "__proto__", "'; DROP TABLE log; --", "%s%n{0}",
    "<script>", "true", "0", "room:sleep", "sleep\0", "\ufeff", "NaN",
)  # fmt: skip


def envelopes(count: int, seed: int, encoding: Encoding) -> list[str | bytes]:
    """So many mutated commands."""
    chance = random.Random(f"{seed} {encoding.name}")
    return [envelope(chance, encoding) for _ in range(count)]


def envelope(chance: random.Random, encoding: Encoding) -> str | bytes:
    """One mutated command, written as `encoding` would write it, or nearly so."""
    fields: Fields = json.loads(json.dumps(chance.choice(EXAMPLES)))
    fields["id"] = f"z{chance.randrange(10**9)}"
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        _mutate(chance, fields)
    value: Any = fields if chance.random() < 0.97 else chance.choice(([fields], [], None, 5, "x", [[]]))
    data = _as_json(chance, value) if encoding is Encoding.JSON else _as_msgpack(chance, value)
    return _garble(chance, data) if chance.random() < 0.15 else data


def _mutate(chance: random.Random, fields: Fields) -> None:
    name = chance.choice([*fields]) if fields else "id"
    match chance.randrange(8):
        case 0:
            fields.pop(name, None)
        case 1:
            fields[name] = _value(chance)
        case 2:
            fields[chance.choice(_NAMES)] = _value(chance)
        case 3:
            fields[chance.choice((name.upper(), name + "\0", "", "__class__", "x" * 300))] = _value(chance)
        case 4:
            fields[name] = {name: fields.get(name)}
        case 5:
            fields["cmd"] = chance.choice(EXAMPLES)["cmd"]
        case 6:
            fields["more"] = _nested(chance)
        case _:
            value = fields.get(name)
            fields[name] = [value] * chance.choice((1, 2, 1_025) if not isinstance(value, (dict, list)) else (1, 2))


def _value(chance: random.Random) -> Any:
    match chance.randrange(5):
        case 0:
            return chance.choice((None, True, False))
        case 1:
            return chance.choice(_NUMBERS)
        case 2:
            return chance.choice(_TEXTS)
        case 3:
            return chance.choice(({}, [], {"epoch": "e", "offset": chance.choice(_NUMBERS)}, [[], {}]))
        case _:
            return _nested(chance)


def _nested(chance: random.Random) -> Any:
    value: Any = chance.choice((1, "x", [], {}))
    is_map = chance.random() < 0.5
    for _ in range(chance.choice((2, 14, 15, 16, 17, 100, 400))):
        value = {"a": value} if is_map else [value]
    return value


def _as_json(chance: random.Random, value: Any) -> str:
    # Half of the time what is not ASCII stands there as it is, where UTF-8 has a way to write it.
    text = json.dumps(value)
    if chance.random() < 0.5:
        plain = json.dumps(value, ensure_ascii=False)
        text = plain if re.search("[\ud800-\udfff]", plain) is None else text
    if chance.random() < 0.1 and text.endswith("}") and len(text) > 2:
        name = json.dumps(chance.choice(_NAMES))
        text = f"{text[:-1]},{name}:{json.dumps(chance.choice(_NUMBERS))}}}"
    if chance.random() < 0.05:
        text = text.replace(":", chance.choice((": 1e999,", ":-", ":0x1", ":+1,", ":01,", ": /* */")), 1)
    return text


def _as_msgpack(chance: random.Random, value: Any) -> bytes:
    if isinstance(value, dict) and chance.random() < 0.1:
        odd = chance.choice((7, None, b"id", True, 1.5))
        value = {**value, odd: chance.choice((msgpack.ExtType(5, b"x" * 16), msgpack.Timestamp(1, 2), b"\xff" * 8))}
    data: bytes = msgpack.packb(value, default=repr, unicode_errors="surrogatepass")
    if chance.random() < 0.1 and data[:1] >= b"\x80" and data[:1] < b"\x8f":
        # The same key again.
        data = (
            bytes([data[0] + 1])
            + data[1:]
            + msgpack.packb(chance.choice(_NAMES))
            + msgpack.packb(chance.choice((1, "x", None)))
        )
    return data


def _garble(chance: random.Random, data: str | bytes) -> str | bytes:
    """Cut out, put in, or turn round a few characters or bytes."""
    at, gone = chance.randrange(len(data) + 1), chance.randrange(4)
    if isinstance(data, str):
        return data[:at] + "".join(chance.choices('{}[]",:\\u0e1n\u20ac', k=chance.randrange(4))) + data[at + gone :]
    return data[:at] + chance.randbytes(chance.randrange(4)) + data[at + gone :]
