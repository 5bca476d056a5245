"""schemathesis against the real server: every HTTP call, asked as its OpenAPI document allows, and as it forbids."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.fuzz.bystanders import is_complaint
from tests.fuzz.storm import OPEN_GATES
from tests.kit import web
from tests.kit.ports import HOST
from tests.kit.server import ChatServer

_LIMITS: Final = {
    **OPEN_GATES,
    "code_tries_per_address_per_hour": 1e9,
    "exports_per_address_per_hour": 1e9,
    "erasures_per_address_per_hour": 1e9,
}
_EXAMPLES: Final = 15
"""Of each call, beyond those that are tried of everything."""
_SECONDS: Final = 220
"""For both together a minute is usual where nothing else is done; a slow machine is no fault."""
_PASSED: Final = re.compile(r"^  (\d+) generated, (\d+) passed$", re.MULTILINE)


pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with ChatServer(config={"limits": _LIMITS}) as server:
        yield server


def test_nobody_gets_an_answer_that_is_not_in_the_document(server: ChatServer, tmp_path: Path) -> None:
    assert _ask(server, tmp_path) > 8 * _EXAMPLES / 2


def test_somebody_gets_no_answer_that_is_not_in_the_document(server: ChatServer, tmp_path: Path) -> None:
    """`erase` is left out, which would make them nobody; and so is the check that a made-up identity is refused: here
    the good one always stands beside it."""
    cookie = web.post(f"{server.url}/api/identity").headers["set-cookie"]
    token = cookie.partition("=")[2].partition(";")[0]
    options = ["--header", f"Authorization: Bearer {token}", "--exclude-operation-id", "erase"]
    assert _ask(server, tmp_path, *options, "--exclude-checks", "ignored_auth") > 7 * _EXAMPLES / 2


def _ask(server: ChatServer, directory: Path, *options: str) -> int:
    """Ask, the same each time, and find nothing wrong, in the server's log neither. How many requests that were."""
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "run",
        server.url + "/api/openapi.json",
        "--url",
        server.url,
        "--no-color",
    ]
    command += ["--generation-deterministic", "--max-examples", str(_EXAMPLES), "--request-timeout", "10", *options]
    environment = {**os.environ, "NO_PROXY": HOST}
    # It leaves what it knows in the directory it is started in.
    asked = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    assert asked.returncode == 0, f"{asked.stdout}\n{asked.stderr}"
    assert [line for line in server.log() if is_complaint(line)] == []
    found = _PASSED.search(asked.stdout)
    assert found is not None, asked.stdout
    assert found[1] == found[2]
    return int(found[1])
