"""How often one address may ask over HTTP, how many connections it may hold, and where the numbers are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatserver.edge import http as edge_http
from chatserver.edge.addresses import AddressKeys, trusting
from chatserver.edge.pace import InnerPort
from tests.edge.chat import chatting
from tests.edge.serving import until
from tests.kit.web import WebClient

PROXY: dict[str, Any] = {"trusted_proxies": ["127.0.0.1"]}


def of(address: str) -> dict[str, str]:
    return {"x-forwarded-for": address}


async def test_calls_of_an_address_have_a_pace_and_probes_and_others_have_not(tmp_path: Path) -> None:
    limits = {"calls_per_address_per_second": 0.01, "call_burst_per_address": 5, "file_burst_per_address": 8}
    async with (
        chatting(tmp_path, limits=limits | {"files_per_address_per_second": 0.01}, **PROXY) as (served, _),
        WebClient(base_url=served.http) as http,
    ):
        paths = ("/api/identity/matters", "/metrics", "/api/nowhere")
        answers = [await http.get(paths[n % 3], headers=of("203.0.113.1")) for n in range(8)]
        assert [answer.status_code == 429 for answer in answers] == [False] * 5 + [True] * 3
        assert answers[-1].json()["error"]["code"] == "rate_limited"
        assert int(answers[-1].headers["retry-after"]) > 0
        assert "content-security-policy" in answers[-1].headers
        files = [await http.get("/", headers=of("203.0.113.1")) for _ in range(10)]
        assert [answer.status_code for answer in files] == [200] * 8 + [429] * 2
        for path in ("/healthz", "/readyz", "/statusz") * 10:
            assert (await http.get(path, headers=of("203.0.113.1"))).status_code in (200, 503)
        assert (await http.get("/metrics", headers=of("203.0.113.2"))).status_code == 200


async def test_numbers_are_put_together_once_a_second_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_http, "NUMBERS_SECONDS", 3_600.0)
    async with (
        chatting(tmp_path) as (served, server),
        WebClient(base_url=served.http) as http,
    ):
        first = await http.get("/metrics")
        server.worker.node.metrics.posts.inc(1_000)
        assert (await http.get("/metrics")).content == first.content
        monkeypatch.setattr(edge_http, "NUMBERS_SECONDS", 0.0)
        assert b"chat_posts_total 1000.0" in (await http.get("/metrics")).content


async def test_connections_of_an_address_are_bounded_before_they_say_anything(tmp_path: Path) -> None:
    async with chatting(tmp_path, limits={"tcp_per_address": 4}) as (served, _):
        held = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(4)]
        await until(lambda: served.admission.tcp == 4)
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        held[0][1].close()
        await until(lambda: served.admission.tcp == 3)
        async with WebClient(base_url=served.http) as http:
            assert (await http.get("/healthz")).status_code == 200
        for _, one in (*held[1:], (reader, writer)):
            one.close()


async def test_connections_of_a_trusted_proxy_are_not_counted(tmp_path: Path) -> None:
    async with chatting(tmp_path, limits={"tcp_per_address": 2}, **PROXY) as (served, _):
        held = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(8)]
        await until(lambda: served.admission.tcp == 8)
        for _, writer in held:
            writer.close()


@pytest.mark.parametrize(
    ("proxies", "trusted"),
    [
        (["10.0.0.0/8", "::1"], ["10.1.2.3", "::1", "::ffff:10.1.2.3"]),
        (["*"], ["10.1.2.3", "::1", "::ffff:10.1.2.3", "203.0.113.1", "::2"]),
        ([], []),
    ],
)
def test_proxies_are_known_by_address_and_network(proxies: list[str], trusted: list[str]) -> None:
    is_trusted = trusting(proxies)
    asked = ["10.1.2.3", "::1", "::ffff:10.1.2.3", "203.0.113.1", "::2"]
    assert [each for each in asked if is_trusted(each)] == [each for each in asked if each in trusted]


async def test_numbers_are_on_the_inner_port_alone_where_there_is_one() -> None:
    async def answer(request: Request) -> Response:
        return Response("here")

    paths = ("/metrics", "/readyz", "/statusz", "/healthz", "/", "/api/identity")
    app = Starlette(routes=[Route(path, answer) for path in paths], middleware=[Middleware(InnerPort, port=9100)])
    found = {}
    for port in (8000, 9100):
        transport = httpx.ASGITransport(app)
        async with WebClient(transport=transport, base_url=f"http://chat:{port}") as http:
            found[port] = [(await http.get(path)).status_code for path in paths]
    assert found == {8000: [404, 200, 200, 200, 200, 200], 9100: [200, 200, 200, 200, 404, 404]}


def test_keys_of_the_gate_are_no_addresses() -> None:
    source = AddressKeys(b"s" * 32, lambda: 0.0).source("203.0.113.1")
    assert b"203.0.113.1" not in source.key
    assert len(source.key) == 12
