"""The OpenAPI document says what the HTTP routes are. What they answer is held against it in `tests/fuzz`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
from starlette.routing import Route

from chatserver.edge.openapi import document
from chatserver.edge.routes import IDENTITY
from chatserver.protocol import asyncapi
from tests.edge.chat import chatting
from tests.kit.web import WebClient

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


async def test_the_server_tells_both_documents_itself(tmp_path: Path) -> None:
    """[P-HTTP-9]"""
    async with chatting(tmp_path) as (served, _), WebClient(base_url=served.http) as http:
        for path, whole in (("/api/openapi.json", DOCUMENT), ("/api/asyncapi.json", asyncapi.document(VERSION))):
            plain = await http.get(path, headers={"accept-encoding": "identity"})
            assert (plain.status_code, plain.headers["content-type"]) == (200, "application/json")
            assert plain.json() == json.loads(json.dumps(whole))
            packed = await http.get(path, headers={"accept-encoding": "gzip"})
            assert packed.headers["content-encoding"] == "gzip"
            assert packed.json() == plain.json()
            again = await http.get(path, headers={"if-none-match": plain.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")


def test_a_cookie_that_only_pages_get_is_not_required() -> None:
    for path, method in (
        ("/api/staff/sign-in", "post"),
        ("/api/staff/invitation", "post"),
        ("/api/staff/reset/use", "post"),
        ("/api/staff/password", "post"),
    ):
        answers = DOCUMENT["paths"][path][method]["responses"]
        (yes,) = [answer for status, answer in answers.items() if status in ("200", "201")]
        assert yes["headers"]["Set-Cookie"]["required"] is False
        properties = _resolve(yes["content"]["application/json"]["schema"]["$ref"])["properties"]
        assert "token" in properties
    answers = DOCUMENT["paths"]["/api/identity"]["post"]["responses"]
    assert answers["201"]["headers"]["Set-Cookie"]["required"] is True
