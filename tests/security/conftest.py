"""One real server for each process of the tests: strangers come from 127.0.0.1, and a proxy that is trusted from
127.0.0.2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.kit import web
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
    "reactions_per_second": 1e6,
    "reaction_burst": 1e6,
    "names_per_hour": 1e6,
    "codes_per_minute": 1e6,
    "new_codes_per_address_per_hour": 1e6,
    "connections_per_address": 1_000,
    "guests_per_address_per_hour": 1e6,
    "guest_burst_per_address": 1e6,
    "tcp_per_address": 10_000,
    "calls_per_address_per_second": 10_000,
    "call_burst_per_address": 10_000,
    "files_per_address_per_second": 10_000,
    "file_burst_per_address": 10_000,
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
    server.run("add-operator", "anna", said=PASSWORD + "\n")
    body = {"login": "anna", "password": PASSWORD}
    answer = web.post(f"{server.url}/api/staff/sign-in", json=body)
    return str(answer.json()["token"])
