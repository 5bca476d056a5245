"""JSON Schemas of messages, as both documents of this server hold them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, Final

import msgspec

Json = dict[str, Any]

_TEMPLATE: Final = "#/components/schemas/{name}"


def components(kinds: Iterable[Any]) -> Json:
    """The schemas of these types and of all that they hold, by name."""
    _, found = msgspec.json.schema_components(kinds, ref_template=_TEMPLATE, schema_hook=_any_value)
    for schema in found.values():
        _tidy(schema)
    # Defaults that are tuples become arrays.
    plain: Json = msgspec.json.decode(msgspec.json.encode(found))
    return plain


def reference(kind: type[Any]) -> Json:
    """Where a type's schema stands in the document."""
    return {"$ref": _TEMPLATE.format(name=kind.__name__)}


def _tidy(schema: object) -> None:
    """AsyncAPI's `discriminator` is not OpenAPI's, which msgspec writes; the tags' one-value enums say the same."""
    match schema:
        case dict():
            schema.pop("discriminator", None)
            if isinstance(description := schema.get("description"), str):
                schema["description"] = inspect.cleandoc(description)
            for each in schema.values():
                _tidy(each)
        case list():
            for each in schema:
                _tidy(each)


def _any_value(kind: type[Any]) -> Json:
    if kind is object:
        return {"description": "Any value."}
    raise NotImplementedError(kind)
