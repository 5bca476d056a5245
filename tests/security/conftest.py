"""One real server for each process of the tests: strangers come from 127.0.0.1, and a proxy that is trusted from
127.0.0.2."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Final

import httpx
import pytest

from tests.kit.server import ChatServer

PROXY: Final = "127.0.0.2"
CONFIGURED: Final = ("https://members.example.net", "http://intranet.example:8080", "https://xn--bcher-kva.example")
WIDE: Final = {
    "commands_per_second": 1e6,
    "command_burst": 1e6,
    "member_commands_per_second": 1e6,
    "member_command_burst": 1e6,
    "posts_per_second": 1e6,
    "post_burst": 1e6,
    "connections_per_address": 1_000,
    "guests_per_address_per_hour": 1e6,
    "guest_burst_per_address": 1e6,
    "code_tries_per_address_per_hour": 1e6,
    "exports_per_address_per_hour": 1e6,
    "sign_ins_per_address_per_hour": 1e6,
    "sign_ins_per_login_per_hour": 1e6,
}


@pytest.fixture(scope="session")
def server() -> Iterator[ChatServer]:
    with ChatServer(config={"trusted_proxies": [PROXY], "public_origins": list(CONFIGURED), "limits": WIDE}) as running:
        yield running


PASSWORD: Final = "lamp river boots sky"


@pytest.fixture(scope="session")
def operator(server: ChatServer) -> str:
    """The token of an operator called anna, who has just signed in."""
    command = [sys.executable, "-m", "chatserver", "add-operator", "anna", "--config"]
    file = server.directory / "chatserver.toml"
    subprocess.run([*command, file], input=PASSWORD + "\n", text=True, capture_output=True, timeout=30, check=True)
    body = {"login": "anna", "password": PASSWORD}
    answer = httpx.post(f"{server.url}/api/staff/sign-in", json=body, trust_env=False)
    return str(answer.json()["token"])
