"""The HTTP routes of the real app, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from chatserver.edge.http import answering
from chatserver.edge.static import StaticFiles
from chatserver.server import Server
from tests.edge.chat import chatting
from tests.edge.serving import Served, raw_client, serving
from tests.kit.web import WebClient

COOKIE = re.compile(r"chat_identity=([^;]+); Max-Age=2592000; Path=/; HttpOnly; SameSite=Strict")


@contextlib.asynccontextmanager
async def page(served: Served, *, origin: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """A browser's page, as far as HTTP goes."""
    headers = {"origin": served.http, "sec-fetch-site": "same-origin"} if origin else {}
    async with WebClient(base_url=served.http, headers=headers) as client:
        yield client


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[tuple[Served, Server]]:
    async with chatting(tmp_path) as running:
        yield running


# --------------------------------------------------------------------------------------------------- methods

ROUTES = {
    "/": {"GET", "HEAD"},
    "/index.html": {"GET", "HEAD"},
    "/healthz": {"GET", "HEAD"},
    "/readyz": {"GET", "HEAD"},
    "/statusz": {"GET", "HEAD"},
    "/metrics": {"GET", "HEAD"},
    "/api/openapi.json": {"GET", "HEAD"},
    "/api/asyncapi.json": {"GET", "HEAD"},
    "/api/identity": {"POST"},
    "/api/identity/restore": {"POST"},
    "/api/identity/export": {"GET", "HEAD"},
    "/api/identity/erase": {"POST"},
    "/api/identity/forget": {"POST"},
    "/api/staff/sign-in": {"POST"},
    "/api/staff/sign-out": {"POST"},
    "/api/staff/invitation": {"POST"},
    "/api/staff/confirm": {"POST"},
    "/api/staff/password": {"POST"},
    "/api/staff/totp": {"POST"},
    "/api/staff/totp/on": {"POST"},
    "/api/staff/totp/off": {"POST"},
    "/api/staff/invite": {"POST"},
    "/api/staff/roles": {"POST"},
    "/api/staff/revoke": {"POST"},
    "/api/staff/me": {"GET", "HEAD"},
    "/api/staff/people": {"GET", "HEAD"},
}


async def test_every_route_has_its_methods_and_the_headers(chat: tuple[Served, Server]) -> None:
    served, _ = chat
    async with page(served) as browser:
        for path, allowed in ROUTES.items():
            for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
                answer = await browser.request(method, path)
                assert (answer.status_code != 405) == (method in allowed), f"{method} {path} {answer.status_code}"
                if answer.status_code == 405:
                    assert set(answer.headers["allow"].split(", ")) == allowed
                for name in ("content-security-policy", "permissions-policy", "cross-origin-opener-policy"):
                    assert name in answer.headers, f"{method} {path}"
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["referrer-policy"] == "no-referrer"
                assert answer.headers["cross-origin-resource-policy"] == "same-origin"
                assert "server" not in answer.headers


# ---------------------------------------------------------------------------------------------------- static


async def test_page_and_its_files_are_served_packed_and_validated(chat: tuple[Served, Server]) -> None:
    served, _ = chat
    async with page(served) as browser:
        answer = await browser.get("/")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["vary"] == "accept-encoding"
        assert answer.text == (await browser.get("/index.html", headers={"accept-encoding": "identity"})).text
        tag = answer.headers["etag"]
        for condition in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
            unchanged = await browser.get("/", headers={"if-none-match": condition})
            assert (unchanged.status_code, unchanged.content) == (304, b"")
            assert unchanged.headers["etag"] == tag
        assert (await browser.get("/", headers={"if-none-match": '"other"'})).status_code == 200
        head = await browser.head("/")
        assert head.content == b""
        assert head.headers["content-length"] == answer.headers["content-length"]


async def test_a_fragment_that_a_mail_program_encoded_leads_to_the_page(chat: tuple[Served, Server]) -> None:
    served, _ = chat
    async with page(served) as browser:
        for behind, fragment in (
            ("invite=aB3_-x", "invite=aB3_-x"),
            ("invite%3DaB3", "invite=aB3"),
            ("reset=a%0d%0aSet-Cookie:%20x=1", "reset=a%0D%0ASet-Cookie%3A%20x=1"),
        ):
            answer = await browser.get(f"/listen.html%23{behind}", follow_redirects=False)
            assert answer.status_code == 302, behind
            assert answer.headers["location"] == f"/listen.html#{fragment}"
            assert answer.headers["cache-control"] == "no-store"
            assert "set-cookie" not in answer.headers
        for nowhere in ("/nothing.html%23invite=x", "/..%23x", "/https://elsewhere%23x"):
            assert (await browser.get(nowhere, follow_redirects=False)).status_code == 404, nowhere


async def test_nothing_outside_the_web_root_can_be_reached(tmp_path: Path) -> None:
    root = tmp_path / "web"
    (root / "js").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html>" + "welcome " * 200)
    (root / "js" / "main.js").write_text("export const x = 1;")
    (root / "app.webmanifest").write_text("{}")
    (root / ".hidden").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    files = StaticFiles(root)
    assert files.paths == {"/index.html", "/js/main.js", "/app.webmanifest"}
    async with serving(files) as served, page(served) as browser:  # type: ignore[arg-type]
        assert (await browser.get("/js/main.js")).headers["content-type"] == "text/javascript; charset=utf-8"
        assert (await browser.get("/app.webmanifest")).headers["content-type"] == "application/manifest+json"
        plain = await browser.get("/", headers={"accept-encoding": "gzip;q=0"})
        assert "content-encoding" not in plain.headers
        async with raw_client(served.port) as raw:
            await raw.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br, gzip\r\nConnection: close\r\n\r\n")
            packed = (await raw.read_all()).partition(b"\r\n\r\n")[2]
            assert gzip.decompress(packed).decode() == plain.text
        for path in (
            "/../outside.txt", "/js/../../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt", "/link.txt",
            "/.hidden", "//etc/passwd", "/js", "/js/", "/index.html/", "/index.html%00", "/INDEX.HTML", "/\\..\\x",
        ):  # fmt: skip
            async with raw_client(served.port) as raw:
                await raw.send(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
                answer = await raw.read_all()
                assert answer.startswith(b"HTTP/1.1 404 "), path
                assert b"secret" not in answer


# ---------------------------------------------------------------------------------------------------- status


async def test_health_readiness_and_metrics(chat: tuple[Served, Server]) -> None:
    served, _ = chat
    async with page(served) as browser:
        assert (await browser.get("/healthz")).json() == {"alive": True}
        async with asyncio.timeout(5):
            while (status := await browser.get("/statusz")).status_code != 200:
                assert status.status_code == 503
                assert status.json()["ok"] is False
                await asyncio.sleep(0.05)
        assert status.json()["ok"] is True
        assert set(status.json()["checks"].values()) == {"ok"}
        assert (await browser.get("/readyz")).json() == {"ready": True}
        metrics = await browser.get("/metrics")
        assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "# TYPE chat_connections gauge" in metrics.text


# -------------------------------------------------------------------------------------------------- identity


async def test_browser_arrives_once_and_keeps_a_cookie(chat: tuple[Served, Server]) -> None:
    served, _ = chat
    async with page(served) as browser:
        first = await browser.post("/api/identity")
        assert first.status_code == 201
        assert first.headers["cache-control"] == "no-store"
        cookie = COOKIE.fullmatch(first.headers["set-cookie"])
        assert cookie is not None
        assert cookie[1] not in first.text
        assert first.json()["created"] is True
        second = await browser.post("/api/identity", json={})
        assert second.status_code == 200
        assert second.json() == {**first.json(), "created": False}
        assert COOKIE.fullmatch(second.headers["set-cookie"])


async def test_cookie_counts_for_our_page_only(chat: tuple[Served, Server]) -> None:
    served, _ = chat
    async with page(served) as browser:
        member = (await browser.post("/api/identity")).json()["member"]
        cookies = browser.cookies
    async with WebClient(base_url=served.http, cookies=cookies) as nobody:
        assert (await nobody.post("/api/identity")).json()["member"] != member
        assert (await nobody.post("/api/identity/erase")).status_code == 401
        foreign = {"origin": "https://evil.example"}
        for path in ("", "/restore", "/erase", "/forget"):
            answer = await nobody.post(f"/api/identity{path}", headers=foreign)
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == "origin_refused"
            assert "set-cookie" not in answer.headers
        assert (await nobody.get("/api/identity/export", headers={"sec-fetch-site": "cross-site"})).status_code == 403


async def test_client_without_a_browser_shows_its_token(chat: tuple[Served, Server]) -> None:
    served, server = chat
    member, token, _ = await server.worker.people.identities.arrive(None)
    async with page(served, origin=False) as client:
        client.headers["authorization"] = f"Bearer {token}"
        assert (await client.post("/api/identity")).json()["member"]["id"] == member.id
        assert (await client.get("/api/identity/export")).json()["member"]["id"] == member.id
        assert (await client.post("/api/identity/erase")).status_code == 204
        assert (await client.get("/api/identity/export")).status_code == 401
        # Never in an address: there it would end up in logs and histories.
        del client.headers["authorization"]
        for name in ("token", "chat_identity", "access_token"):
            assert (await client.get("/api/identity/export", params={name: token})).status_code == 401


async def test_export_is_a_file_that_nobody_keeps(chat: tuple[Served, Server]) -> None:
    served, _ = chat
    async with page(served) as browser:
        assert (await browser.get("/api/identity/export")).status_code == 401
        member = (await browser.post("/api/identity")).json()["member"]
        answer = await browser.get("/api/identity/export")
        assert answer.headers["content-disposition"] == 'attachment; filename="my-chat-data.json"'
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["member"]["id"] == member["id"]


async def test_code_brings_a_member_into_another_browser(chat: tuple[Served, Server]) -> None:
    served, server = chat
    member, _, _ = await server.worker.people.identities.arrive(None)
    code = await server.worker.people.identities.make_code(member.id)
    async with page(served) as browser:
        answer = await browser.post("/api/identity/restore", json={"code": code})
        assert answer.status_code == 200
        assert answer.json() == {
            "member": {"id": member.id, "name": member.name}, "has_code": True, "created": False,
        }  # fmt: skip
        assert (await browser.post("/api/identity")).json()["member"]["id"] == member.id


async def test_forgetting_drops_the_cookie_and_erasing_the_person(chat: tuple[Served, Server]) -> None:
    served, server = chat
    async with page(served) as browser:
        first = (await browser.post("/api/identity")).json()["member"]
        gone = await browser.post("/api/identity/forget")
        assert gone.status_code == 204
        assert "Max-Age=0" in gone.headers["set-cookie"]
        second = (await browser.post("/api/identity")).json()["member"]
        assert second != first
        assert await server.worker.node.store.member(first["id"]) is not None
        assert (await browser.post("/api/identity/erase")).status_code == 204
        assert await server.worker.node.store.member(second["id"]) is None
        assert (await browser.post("/api/identity/erase")).status_code == 401


async def test_copies_are_counted_by_address(tmp_path: Path) -> None:
    async with chatting(tmp_path, limits={"exports_per_address_per_hour": 2}) as (served, _), page(served) as browser:
        assert (await browser.get("/api/identity/export")).status_code == 401
        await browser.post("/api/identity")
        assert [(await browser.get("/api/identity/export")).status_code for _ in range(3)] == [200, 200, 429]


async def test_erasures_are_counted_by_address(tmp_path: Path) -> None:
    async with chatting(tmp_path, limits={"erasures_per_address_per_hour": 2}) as (served, _):
        answers: list[int] = []
        for _ in range(3):
            async with page(served) as browser:
                await browser.post("/api/identity")
                answers.append((await browser.post("/api/identity/erase")).status_code)
        assert answers == [204, 204, 429]


async def test_why_the_store_takes_no_writes_is_not_for_strangers(chat: tuple[Served, Server], tmp_path: Path) -> None:
    served, _ = chat
    async with page(served) as browser:
        await asyncio.to_thread((tmp_path / "data" / "chat.db").unlink)
        async with asyncio.timeout(5):
            while (checks := (await browser.get("/statusz")).json()["checks"])["store"] == "ok":  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert checks["store"] == "takes no writes"


async def test_guests_and_codes_are_counted_by_address(tmp_path: Path) -> None:
    limits = {"guest_burst_per_address": 2, "guests_per_address_per_hour": 60, "code_tries_per_address_per_hour": 2}
    async with chatting(tmp_path, limits=limits) as (served, _):
        for _ in range(2):
            async with page(served) as browser:
                assert (await browser.post("/api/identity")).status_code == 201
                assert (await browser.post("/api/identity")).status_code == 200
        async with page(served) as browser:
            refused = await browser.post("/api/identity")
            assert refused.status_code == 429
            assert refused.json()["error"]["code"] == "rate_limited"
            assert 50 <= int(refused.headers["retry-after"]) <= 60
            statuses = [
                (await browser.post("/api/identity/restore", json={"code": "amber-amber-amber"})).status_code
                for _ in range(3)
            ]
            assert 429 not in statuses[:2]
            assert statuses[2] == 429


# ----------------------------------------------------------------------------------------------------- bodies


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"content-type": "application/json"}, b"x" * 5_000, 413, "too_large"),
        ({"content-type": "text/plain"}, b"{}", 415, "unsupported_media_type"),
        ({"content-type": "application/x-www-form-urlencoded"}, b"code=x", 415, "unsupported_media_type"),
        ({"content-type": "application/json"}, b"{", 400, "malformed"),
        ({"content-type": "application/json"}, b'{"code":1}', 400, "malformed"),
        ({"content-type": "application/json"}, b"\xff\xfe", 400, "malformed"),
        ({"content-type": "application/json"}, b"[" * 4_000, 400, "malformed"),
        ({"content-type": "application/json; charset=utf-8"}, b'{"code":"no"}', 404, "code_unknown"),
    ],
)
async def test_body_is_bounded_and_typed(
    chat: tuple[Served, Server], headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    served, _ = chat
    async with page(served) as browser:
        answer = await browser.post("/api/identity/restore", content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/json"


async def test_body_without_an_end_is_cut_off(tmp_path: Path) -> None:
    async with chatting(tmp_path, limits={"header_seconds": 0.3}) as (served, _):
        head = b"POST /api/identity HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        async with raw_client(served.port) as raw:
            await raw.send(head + b"Content-Length: 100\r\n\r\n{")
            answer = await raw.read_all()
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b"connection: close\r\n" in answer
            assert answer.endswith(b"}")
        async with raw_client(served.port) as raw:
            await raw.send(
                head + b"Transfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"x" * 4_096 + b"\r\n1\r\nx\r\n"
            )
            assert (await raw.read_until(b"\r\n")).startswith(b"HTTP/1.1 413 ")
        async with raw_client(served.port) as raw:
            await raw.send(head + b"Content-Length: -1\r\n\r\n")
            assert (await raw.read_until(b"\r\n")).startswith(b"HTTP/1.1 400 ")


# ---------------------------------------------------------------------------------------------------- trouble


async def test_store_that_is_away_is_told_as_such(chat: tuple[Served, Server]) -> None:
    served, server = chat
    async with page(served) as browser:
        await browser.post("/api/identity")
        await server.worker.node.store.close()
        answer = await browser.post("/api/identity")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"
        assert answer.json()["error"]["code"] == "storage_unavailable"
        assert answer.json()["error"]["temporary"] is True
        assert (await browser.get("/healthz")).status_code == 200


async def test_bug_reveals_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(request: Request) -> Response:
        raise KeyError("what somebody wrote")

    answer = await answering(broken)(
        Request({"type": "http", "method": "GET", "path": "/x", "headers": [], "query_string": b"", "server": ("a", 1)})
    )
    assert answer.status_code == 500
    assert json.loads(bytes(answer.body))["error"]["code"] == "internal"
    assert "KeyError at test_http.py" in caplog.text
    assert "what somebody wrote" not in caplog.text


async def test_text_that_no_database_keeps_is_refused_in_every_body(chat: tuple[Served, Server]) -> None:
    served, _ = chat
    bodies = {
        "/api/identity/restore": {"code": "a\0b"},
        "/api/staff/sign-in": {"login": "a\0b", "password": "lamp river boots sky"},
        "/api/staff/reset/use": {"link": "a\0b", "password": "lamp river boots sky"},
    }
    async with page(served) as client:
        for path, body in bodies.items():
            answer = await client.post(path, json=body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed"), path
            kept = await client.post(path, json={name: text.replace("\0", "") for name, text in body.items()})
            assert kept.status_code != 400 or kept.json()["error"]["code"] != "malformed", path
