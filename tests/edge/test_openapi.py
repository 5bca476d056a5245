"""`docs/openapi.json` says what the HTTP routes are. What they answer is held against it in `tests/fuzz`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
from starlette.routing import Route

from chatserver.edge.openapi import document
from chatserver.edge.routes import IDENTITY
from tests.edge.chat import chatting

ROOT = Path(__file__).parents[2]
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
DOCUMENT = document(VERSION)


def _resolve(reference: str) -> Any:
    at: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        at = at[part]
    return at


def _operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, each) for path, calls in DOCUMENT["paths"].items() for method, each in calls.items()]


def test_the_committed_document_is_fresh() -> None:
    """`chatserver openapi > docs/openapi.json` makes it so."""
    assert json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8")) == DOCUMENT


async def test_the_app_has_these_routes_and_no_others(tmp_path: Path) -> None:
    async with chatting(tmp_path) as (_, server):
        routes = [route for route in server.app.routes if isinstance(route, Route)]
    served = {(route.path, method.lower()) for route in routes for method in (route.methods or ()) if method != "HEAD"}
    assert served == {(path, method) for path, method, _ in _operations()}


def test_every_reference_leads_to_a_schema() -> None:
    text = json.dumps(DOCUMENT)
    references = {each.split('"')[0] for each in text.split('"$ref": "')[1:]}
    assert references
    for reference in references:
        jsonschema.Draft202012Validator.check_schema(_resolve(reference))


def test_every_call_has_a_name_of_its_own_words_and_a_yes() -> None:
    names = [operation["operationId"] for _, _, operation in _operations()]
    assert len(names) == len(set(names))
    for path, _, operation in _operations():
        assert operation["summary"].endswith("."), path
        assert any(status.startswith("2") for status in operation["responses"]), path
        assert all(response["description"] for response in operation["responses"].values()), path


def test_the_calls_of_protocol_md_are_these() -> None:
    section = (ROOT / "docs/protocol.md").read_text(encoding="utf-8").split("\n## HTTP\n")[1].split("\n## ")[0]
    told = [line.split("|")[1].strip(" `") for line in section.splitlines() if line.startswith("| `")]
    assert told == [f"{call.method} {call.path}" for call in IDENTITY]
