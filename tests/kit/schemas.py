"""Checks of messages against the JSON Schemas of a document."""

from __future__ import annotations

from typing import Any

import jsonschema

Json = dict[str, Any]


def said_needlessly(document: Json, schema: Json, value: object, where: str = "$") -> list[str]:
    """Return the places of fields that have their schema's default, and should have been left out by the rule.

    Measured numbers, and values from other workers, may be present: a field is left out only if its value is the
    default object itself, and these values come from elsewhere.
    """
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        fitting = (
            each
            for each in schema["anyOf"]
            if jsonschema.Draft202012Validator({"components": document["components"], **each}).is_valid(value)
        )
        return said_needlessly(document, next(fitting), value, where)
    found: list[str] = []
    if isinstance(value, dict):
        for name, each in value.items():
            told = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            if not isinstance(told, dict):
                continue
            is_optional = name not in schema.get("required", ()) and "default" in told
            is_of_a_worker = ".workers[" in where or isinstance(each, float)
            if is_optional and told["default"] == each and not is_of_a_worker:
                found.append(f"{where}.{name}")
            found += said_needlessly(document, told, each, f"{where}.{name}")
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for number, each in enumerate(value):
            found += said_needlessly(document, schema["items"], each, f"{where}[{number}]")
    return found
