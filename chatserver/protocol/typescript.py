"""TypeScript declarations of messages, generated from their structs, for clients whose types are checked.

They say what JSON carries: the keys of objects are strings, tuples are arrays, an enumeration is a union of its values.
"""

from __future__ import annotations

import enum
import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import inspect as wire

from chatserver.protocol.schemas import structs_in

_HEAD: Final = "// Generated from the server's messages (`chatserver types`); not to be edited."
_WIDTH: Final = 120
_PLAIN: Final[Mapping[type[wire.Type], str]] = {
    wire.AnyType: "any",
    wire.BoolType: "boolean",
    wire.CustomType: "any",
    wire.FloatType: "number",
    wire.IntType: "number",
    wire.NoneType: "null",
    wire.RawType: "any",
    wire.StrType: "string",
}


def declarations(asked: Iterable[Any], answered: Iterable[Any], unions: Mapping[str, Any]) -> str:
    """Return a module that declares these types and all types in them, each by the name of its class.

    `asked` are sent by clients: a field with a default is optional there, and may be null where the server takes null.
    `answered` are sent by the server: a field is optional where the server leaves out its default, and then it is never
    null where null is that default. `unions` are declared besides, by their names.

    Raises ValueError if two types have one name, or if a type is both asked and answered and its fields are optional in
    one of the two only.
    """
    enums: dict[type[enum.Enum], None] = {}
    found = [(kind.__name__, _interface(kind, False, enums)) for kind in structs_in(asked)]
    found += [(kind.__name__, _interface(kind, True, enums)) for kind in structs_in(answered)]
    found += [(name, _union(name, _parts(wire.type_info(union), enums))) for name, union in unions.items()]
    found += [(kind.__name__, _union(kind.__name__, _values(kind))) for kind in enums]
    text: dict[str, str] = {}
    for name, declaration in found:
        if text.setdefault(name, declaration) != declaration:
            raise ValueError(f"{name} would be declared in two ways")
    return "\n\n".join([_HEAD, *(text[name] for name in sorted(text))]) + "\n"


def interface(name: str, members: Mapping[str, str], about: str = "") -> str:
    """Return the declaration of an interface with these members and their types."""
    return "\n".join(
        [*_comment(about), f"export interface {name} {{", *(f"  {k}: {v};" for k, v in members.items()), "}"]
    )


def _interface(kind: type[msgspec.Struct], is_answer: bool, enums: dict[type[enum.Enum], None]) -> str:
    info = wire.type_info(kind)
    assert isinstance(info, wire.StructType)
    members: dict[str, str] = {}
    if info.tag_field is not None:
        members[info.tag_field] = json.dumps(info.tag)
    for field in info.fields:
        has_default = not field.required
        parts = _parts(field.type, enums)
        if is_answer and has_default and not kind.__struct_config__.omit_defaults:
            has_default = False
        if is_answer and has_default and field.default is None:
            parts = [part for part in parts if part != "null"]
        name = field.encode_name if field.encode_name.isidentifier() else json.dumps(field.encode_name)
        members[name + ("?" if has_default else "")] = " | ".join(parts)
    return interface(kind.__name__, members, inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0])


def _values(kind: type[enum.Enum]) -> list[str]:
    return [json.dumps(each.value) for each in kind]


def _union(name: str, parts: list[str]) -> str:
    line = f"export type {name} = {' | '.join(parts)};"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"export type {name} =", *(f"  | {part}" for part in parts)]) + ";"


def _parts(info: wire.Type, enums: dict[type[enum.Enum], None]) -> list[str]:
    """Return the TypeScript types of which one is a value of this type."""
    match info:
        case wire.Metadata():
            return _parts(info.type, enums)
        case wire.UnionType():
            return [part for each in info.types for part in _parts(each, enums)]
        case wire.LiteralType():
            return [json.dumps(value) for value in info.values]
        case wire.StructType():
            return [info.cls.__name__]
        case wire.EnumType():
            enums[info.cls] = None
            return [info.cls.__name__]
        case wire.TupleType():
            return [f"[{', '.join(_whole(each, enums) for each in info.item_types)}]"]
        case wire.DictType():
            return [_record(info, enums)]
        case wire.CollectionType():
            item = _whole(info.item_type, enums)
            return [f"({item})[]" if " | " in item else f"{item}[]"]
    return [_PLAIN[type(info)]]


def _whole(info: wire.Type, enums: dict[type[enum.Enum], None]) -> str:
    return " | ".join(_parts(info, enums))


def _record(info: wire.DictType, enums: dict[type[enum.Enum], None]) -> str:
    value = _whole(info.value_type, enums)
    key = info.key_type.type if isinstance(info.key_type, wire.Metadata) else info.key_type
    if isinstance(key, wire.EnumType | wire.LiteralType):
        # Not every one of them has to be there.
        return f"Partial<Record<{_whole(key, enums)}, {value}>>"
    return f"Record<string, {value}>"


def _comment(text: str) -> list[str]:
    if not text:
        return []
    lines = text.replace("*/", "* /").splitlines()
    if len(lines) == 1:
        return [f"/** {lines[0]} */"]
    return ["/**", *(f" * {line}".rstrip() for line in lines), " */"]
