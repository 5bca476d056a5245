"""`docs/protocol.md` and the AsyncAPI document say what the code does."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.moderation.measures import REASONS, counted_reason
from chatserver.edge.openapi import document as openapi_document
from chatserver.protocol import messages as m
from chatserver.protocol.asyncapi import document, tag_of
from chatserver.protocol.codec import Encoding, decode_command
from chatserver.protocol.codes import Close, advice, error_body
from chatserver.protocol.examples import ERRORS, PUSHES, REPLIES
from chatserver.protocol.refusals import ANY
from chatserver.protocol.rooms.messages import FactPush
from chatserver.protocol.schemas import structs_in
from tests.kit.commands import COMMANDS as TABLE
from tests.kit.schemas import said_needlessly

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
KINDS = get_args(m.AnyCommand)
DOCUMENT = document(VERSION)
ANCHOR = re.compile(r"\[(P-[A-Z]+-\d+)\]")


def _rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


# ------------------------------------------------------------------------------------------- protocol.md


def test_every_error_is_in_the_table_with_its_words() -> None:
    told = [tuple(row[:3]) for row in _rows("Errors")]
    bodies = [error_body(Refusal(reason)) for reason in Reason]
    assert told == [(f"`{body.code}`", "yes" if body.temporary else "no", body.message) for body in bodies]


def test_every_close_code_is_in_the_table_with_what_to_do() -> None:
    told = [tuple(row[:3]) for row in _rows("Close codes")]
    assert told == [(str(code.value), f"`{code.name}`", advice(code).value) for code in Close]


def test_every_command_is_in_the_table_with_its_fields_and_its_reply() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    expected = []
    for kind in KINDS:
        schema = schemas[kind.__name__]
        fields = [name for name in schema["properties"] if name not in ("cmd", "id")]
        told = ", ".join(f"`{name}`" if name in schema["required"] else f"`{name}?`" for name in fields)
        expected.append((f"`{tag_of(kind)}`", told, f"`{kind.answer}`"))
    assert [tuple(row[:3]) for row in _rows("Commands and replies")] == expected


def test_the_costs_of_all_commands_are_told_as_they_are_charged() -> None:
    lines = [line for line in TEXT.split("\n### What commands cost\n")[1].split("\n## ")[0].splitlines() if "`" in line]
    told = {
        command: float(cells[1])
        for cells in (line.split("|") for line in lines if line.startswith("|"))
        for command in re.findall(r"`(\w+)`", cells[2])
    }
    charged = {tag_of(kind): kind.cost for kind in KINDS}
    assert told == {command: cost for command, cost in charged.items() if cost != 1.0}
    operations = DOCUMENT["operations"]
    assert {name: operations[name]["x-cost"] for name in charged} == charged
    assert {m.Hello, *TABLE} == {*KINDS}, "what is charged is what stands in the table of commands"


def test_what_each_command_can_be_refused_with_is_told() -> None:
    """[P-ERROR-3] Every refusal that these tests hear is held against it (`tests/conformance/traffic.py`)."""
    section = TEXT.split("\n## What a command can be refused with\n")[1].split("\n## ")[0]
    any_command = section.split("Any command: ")[1].split(" (")[0]
    assert re.findall(r"`(\w+)`", any_command) == [reason.value for reason in ANY]
    rows = [line.split("|")[1:3] for line in section.splitlines() if line.startswith("| `")]
    told = {command.strip(" `"): re.findall(r"`(\w+)`", codes) for command, codes in rows}
    listed = {tag_of(kind): [reason.value for reason in kind.refusals] for kind in KINDS}
    assert told == {command: codes for command, codes in listed.items() if codes}
    assert all(len(codes) == len(set(codes)) for codes in listed.values())


def test_the_reasons_of_reports_are_told() -> None:
    """[P-MOD-22]"""
    told = TEXT.split("**[P-MOD-22]**")[1].split("Another word")[0]
    assert tuple(re.findall(r"`(\w+)`", told.split(" is one of ")[1])) == REASONS
    for kind in ("ReportPost", "ReportPerson"):
        assert DOCUMENT["components"]["schemas"][kind]["properties"]["reason"]["examples"] == [*REASONS]
    frame = {"cmd": "report_post", "id": "1", "room": "sleep", "offset": 1, "reason": "a word of one's own"}
    assert decode_command(Encoding.JSON, json.dumps(frame)).reason == frame["reason"]  # type: ignore[union-attr]
    assert counted_reason("a word of one's own") == "other"


def test_every_fact_is_in_the_table() -> None:
    assert [row[0] for row in _rows("Facts and positions")] == [f"`{tag_of(kind)}`" for kind in get_args(FactPush)]


def test_every_promise_is_stated_once() -> None:
    stated = re.findall(r"\*\*\[(P-[A-Z]+-\d+)\]\*\*", TEXT)
    assert len(stated) == len(set(stated))


def test_every_promise_is_quoted_by_a_test_and_every_quote_is_of_a_promise() -> None:
    stated = set(re.findall(r"\*\*\[(P-[A-Z]+-\d+)\]\*\*", TEXT))
    quoted = {
        anchor
        for path in (ROOT / "tests").rglob("test_*.py")
        for anchor in ANCHOR.findall(path.read_text(encoding="utf-8"))
    }
    assert quoted - stated == set()
    assert stated - quoted == set()


def test_links_within_the_document_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in TEXT.splitlines()
        if line.startswith("#")
    }
    assert set(re.findall(r"\]\(#([a-z0-9-]+)\)", TEXT)) <= headings


# ------------------------------------------------------------------------------------------ the document


def _references(value: object) -> Iterator[str]:
    match value:
        case dict():
            if isinstance(reference := value.get("$ref"), str):
                yield reference
            for each in value.values():
                yield from _references(each)
        case list():
            for each in value:
                yield from _references(each)


def test_every_reference_leads_somewhere() -> None:
    for reference in set(_references(DOCUMENT)):
        at: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]
        assert isinstance(at, dict)


def test_every_message_has_words_and_an_example_that_is_valid() -> None:
    for name, message in DOCUMENT["components"]["messages"].items():
        assert message["summary"].endswith((".", "?")), name
        assert message["examples"], name
        for example in message["examples"]:
            validator(message["payload"]).validate(example["payload"])


def test_a_field_is_always_there_or_is_left_out_where_it_has_its_default() -> None:
    """[P-FIELDS-1]"""
    schemas = DOCUMENT["components"]["schemas"]
    for kind in structs_in([*get_args(m.AnyOk), m.ErrorReply, *get_args(m.AnyPush)]):
        schema = schemas[kind.__name__]
        optional = schema["properties"].keys() - set(schema["required"])
        assert all("default" in schema["properties"][name] for name in optional), kind
        assert not optional or kind.__struct_config__.omit_defaults, kind
    for message in (*REPLIES, *ERRORS, *PUSHES):
        plain = json.loads(msgspec.json.encode(message))
        kinds = [
            each for each in DOCUMENT["components"]["messages"].values() if validator(each["payload"]).is_valid(plain)
        ]
        assert len(kinds) == 1, plain
        assert said_needlessly(DOCUMENT, kinds[0]["payload"], plain) == []


@pytest.mark.parametrize("whole", [DOCUMENT, openapi_document(VERSION)], ids=["asyncapi", "openapi"])
def test_every_model_of_generated_code_has_a_name_of_its_own(whole: dict[str, Any]) -> None:
    titles: list[str] = []

    def look(schema: dict[str, Any], where: str) -> None:
        makes_a_model = {"enum", "anyOf", "properties", "additionalProperties", "items"} & schema.keys()
        assert "title" in schema or not makes_a_model, where
        titles.extend([schema["title"]] if "title" in schema else [])
        parts = [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *schema.get("prefixItems", ())]
        parts += [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
        for part in parts:
            look(part, where)

    for name, schema in whole["components"]["schemas"].items():
        look(schema, name)
        assert schema["title"] == name
    assert len(titles) == len(set(titles))
    for name, message in whole["components"].get("messages", {}).items():
        assert [*message["payload"]] == ["$ref"], name


def test_a_message_is_valid_as_itself_only() -> None:
    """AsyncAPI 3.0: every message of an operation must be valid against one, and only one, of its messages."""
    messages = DOCUMENT["components"]["messages"]
    for name, message in messages.items():
        payload = message["examples"][0]["payload"]
        assert [other for other in messages if validator(messages[other]["payload"]).is_valid(payload)] == [name]


def test_operations_are_told_from_the_servers_side() -> None:
    operations = DOCUMENT["operations"]
    receiving = {name for name, operation in operations.items() if operation["action"] == "receive"}
    assert receiving == {tag_of(kind) for kind in get_args(m.AnyCommand)}
    assert {kind.answer for kind in KINDS} <= {tag_of(ok) for ok in get_args(m.AnyOk)}
    mentioned = set(_references(operations)) - {"#/channels/chat"}
    assert mentioned == {f"#/channels/chat/messages/{name}" for name in DOCUMENT["components"]["messages"]}


def test_errors_and_close_codes_stand_in_the_document() -> None:
    assert DOCUMENT["x-error-codes"].keys() == {reason.value for reason in Reason}
    assert DOCUMENT["x-close-codes"].keys() == {str(code.value) for code in Close}


def test_the_shape_is_asyncapi_3() -> None:
    """The required fields and the patterns of AsyncAPI 3.0.0, in short."""
    jsonschema.Draft7Validator(_SHAPE).validate(DOCUMENT)


def validator(payload: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """Validates a message's payload against the document."""
    return jsonschema.Draft202012Validator({"components": DOCUMENT["components"], **payload})


_REF = {"required": ["$ref"], "properties": {"$ref": {"type": "string"}}, "additionalProperties": False}
_NAMED = {"type": "object", "propertyNames": {"pattern": r"^[\w\d.\-_]+$"}}
_SHAPE = {
    "type": "object",
    "required": ["asyncapi", "info"],
    "properties": {
        "asyncapi": {"const": "3.0.0"},
        "info": {"type": "object", "required": ["title", "version"]},
        "servers": {"additionalProperties": {"type": "object", "required": ["host", "protocol"]}},
        "channels": {
            "additionalProperties": {
                "type": "object",
                "properties": {"messages": {"additionalProperties": _REF}},
                "required": ["address", "messages"],
            }
        },
        "operations": {
            "additionalProperties": {
                "type": "object",
                "required": ["action", "channel"],
                "properties": {
                    "action": {"enum": ["send", "receive"]},
                    "channel": _REF,
                    "messages": {"type": "array", "items": _REF},
                    "reply": {
                        "type": "object",
                        "properties": {"channel": _REF, "messages": {"type": "array", "items": _REF}},
                        "additionalProperties": False,
                    },
                },
            }
        },
        "components": {
            "properties": {"messages": _NAMED, "schemas": _NAMED},
        },
    },
    "patternProperties": {"^x-[\\w\\d.\\-_]+$": {}},
    "propertyNames": {"pattern": "^(asyncapi|id|info|servers|defaultContentType|channels|operations|components|x-.*)$"},
}


@pytest.mark.parametrize("field", ["cmd", "push", "re"])
def test_kinds_of_messages_are_told_apart_by_their_first_field(field: str) -> None:
    prefix = {"cmd": "command.", "push": "push.", "re": "reply."}[field]
    for name, message in DOCUMENT["components"]["messages"].items():
        assert (field in message["examples"][0]["payload"]) == name.startswith(prefix)
