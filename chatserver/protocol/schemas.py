"""JSON Schemas of messages, for both documents of this server.

Code that is generated from them gets a name for every model: each schema that would become one has a `title`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, Final

import msgspec

Json = dict[str, Any]

_TEMPLATE: Final = "#/components/schemas/{name}"
_MODELS: Final = ("enum", "anyOf", "allOf", "properties", "additionalProperties", "items", "prefixItems")
"""What makes a schema more than a plain value."""


def components(asked: Iterable[Any], answered: Iterable[Any]) -> Json:
    """Return the schemas of these types and of all types in them, by name.

    For types that the server sends (`answered`), `required` lists exactly the fields that are always there: any other
    field is left out if it has the default that its schema gives.
    """
    asked, answered = [*asked], [*answered]
    _, found = msgspec.json.schema_components([*asked, *answered], ref_template=_TEMPLATE, schema_hook=_any_value)
    for kind in structs_in(answered):
        if not kind.__struct_config__.omit_defaults:
            schema = found[kind.__name__]
            schema["required"] = [*schema["properties"]]
    for name, schema in found.items():
        _tidy(schema)
        _entitle(schema, name)
    # Defaults that are tuples become arrays.
    plain: Json = msgspec.json.decode(msgspec.json.encode(found))
    return plain


def reference(kind: type[Any]) -> Json:
    """Return the reference to a type's schema in the document."""
    return referring_to(kind.__name__)


def referring_to(name: str) -> Json:
    """Return the reference to the schema with a name in the document."""
    return {"$ref": _TEMPLATE.format(name=name)}


def structs_in(kinds: Iterable[Any]) -> list[type[msgspec.Struct]]:
    """Return every struct among these types and in their fields."""
    found: dict[type[msgspec.Struct], None] = {}
    waiting: list[Any] = [msgspec.inspect.type_info(kind) for kind in kinds]
    while waiting:
        info = waiting.pop()
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls in found:
                continue
            found[info.cls] = None
            waiting += [field.type for field in info.fields]
        elif isinstance(info, msgspec.inspect.UnionType):
            waiting += info.types
        elif isinstance(info, msgspec.inspect.DictType):
            waiting += [info.key_type, info.value_type]
        elif isinstance(info, msgspec.inspect.TupleType):
            waiting += info.item_types
        elif isinstance(info, msgspec.inspect.CollectionType):
            waiting.append(info.item_type)
        elif isinstance(info, msgspec.inspect.Metadata):
            waiting.append(info.type)
    return [*found]


def _tidy(schema: object) -> None:
    """Remove the `discriminator` that msgspec writes, which is OpenAPI's and not AsyncAPI's; the tags' constants say
    the same."""
    match schema:
        case dict():
            schema.pop("discriminator", None)
            if isinstance(description := schema.get("description"), str):
                schema["description"] = inspect.cleandoc(description)
            match schema.get("enum"):
                case [str() as only]:
                    del schema["enum"]
                    schema["const"] = only
            for each in schema.values():
                _tidy(each)
        case list():
            for each in schema:
                _tidy(each)


def _entitle(schema: Json, name: str) -> None:
    """Give a schema, and each model in it, a name made of its place."""
    schema.setdefault("title", name)
    parts = {name + _pascal(field): each for field, each in schema.get("properties", {}).items()}
    for place, key in (("Item", "items"), ("Value", "additionalProperties")):
        if isinstance(schema.get(key), dict):
            parts[name + place] = schema[key]
    for key in ("anyOf", "prefixItems"):
        parts |= {f"{name}{number}": each for number, each in enumerate(schema.get(key, ()), 1)}
    for place, part in parts.items():
        if any(key in part for key in _MODELS):
            _entitle(part, place)


def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _any_value(kind: type[Any]) -> Json:
    if kind is object:
        return {"description": "Any value."}
    raise NotImplementedError(kind)
