"""The cookie with its flags wherever one is set, whatever stands in front; and the token nowhere else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx
import pytest

from tests.kit.client import ChatClient
from tests.kit.server import ChatServer
from tests.kit.web import WebClient
from tests.security.conftest import CONFIGURED, PASSWORD, PROXY

STRANGER: Final = "127.0.0.1"
MONTH: Final = 30 * 24 * 3600
QUARTER: Final = 90 * 24 * 3600

FRONTS: Final = [
    # From where, X-Forwarded-Proto, whether the cookie is for TLS
    pytest.param(STRANGER, None, False, id="nobody in front"),
    pytest.param(STRANGER, "https", False, id="a stranger claims TLS"),
    pytest.param(PROXY, None, False, id="a proxy without TLS says nothing"),
    pytest.param(PROXY, "http", False, id="a proxy without TLS says so"),
    pytest.param(PROXY, "https", True, id="a proxy with TLS"),
    pytest.param(PROXY, "https, http", False, id="a proxy that says two things"),
    pytest.param(PROXY, "HTTPS", False, id="a proxy that shouts"),
]


@asynccontextmanager
async def page(server: ChatServer, source: str, proto: str | None) -> AsyncIterator[httpx.AsyncClient]:
    """A page behind something; it keeps no cookies by itself."""
    secure = source == PROXY and proto == "https"
    headers = {"origin": server.url.replace("http:", "https:") if secure else server.url}
    if proto is not None:
        headers["x-forwarded-proto"] = proto
    transport = httpx.AsyncHTTPTransport(local_address=source)
    async with WebClient(base_url=server.url, headers=headers, transport=transport) as web:
        yield web


def check(header: str, *, is_secure: bool, age: int, of: str = "chat_identity") -> str:
    """Every flag in its place and no other; the value."""
    name, _, rest = header.partition("=")
    value, *flags = rest.split("; ")
    assert name == (f"__Host-{of}" if is_secure else of)
    assert flags == [
        f"Max-Age={age}",
        "Path=/",
        "HttpOnly",
        "SameSite=Strict",
        *(["Secure"] if is_secure else []),
    ]
    return value


@pytest.mark.parametrize(("source", "proto", "is_secure"), FRONTS)
async def test_every_route_that_sets_the_cookie_sets_every_flag(
    server: ChatServer, source: str, proto: str | None, is_secure: bool
) -> None:
    async with page(server, source, proto) as web:
        name = "__Host-chat_identity" if is_secure else "chat_identity"

        async def call(path: str, token: str = "", **options: object) -> httpx.Response:
            web.cookies.clear()
            cookie = {"cookie": f"{name}={token}"} if token else {}
            return await web.post("/api/identity" + path, headers=cookie, **options)  # type: ignore[arg-type]

        answers = [first := await call("")]
        assert first.status_code == 201
        token = check(first.headers["set-cookie"], is_secure=is_secure, age=MONTH)
        async with ChatClient(server.ws_url, token=token) as client:
            code = (await client.ask("code"))["code"]
        answers += [again := await call("", token), restored := await call("/restore", json={"code": code})]
        for answer in (again, restored):
            assert answer.status_code == 200
            check(answer.headers["set-cookie"], is_secure=is_secure, age=MONTH)
        # Coming back by the code has ended what came before.
        newest = check(restored.headers["set-cookie"], is_secure=is_secure, age=MONTH)
        answers += [alone := await call("/sign-out-others", newest)]
        assert alone.status_code == 200
        last = check(alone.headers["set-cookie"], is_secure=is_secure, age=MONTH)
        answers += [forgot := await call("/forget", last), erased := await call("/erase", last)]
        for answer in (forgot, erased):
            assert answer.status_code == 204
            assert check(answer.headers["set-cookie"], is_secure=is_secure, age=0) == ""
        # A "no" sets none.
        for refused in (await call("/restore", json={"code": "no"}), await call("/erase"), await call("/restore")):
            assert refused.status_code in {400, 401, 404}
            assert "set-cookie" not in refused.headers
            answers.append(refused)
        for answer in answers:
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "location" not in answer.headers
            assert token not in answer.text
            assert code not in answer.text
            assert len(answer.headers.get_list("set-cookie")) <= 1
            others = {key: value for key, value in answer.headers.items() if key != "set-cookie"}
            assert token not in str(others)
            assert ("strict-transport-security" in answer.headers) == is_secure


async def test_no_other_answer_sets_a_cookie_or_may_be_kept_with_somebody_in_it(server: ChatServer) -> None:
    async with page(server, STRANGER, None) as web:
        token = check((await web.post("/api/identity")).headers["set-cookie"], is_secure=False, age=MONTH)
        status = ("/healthz", "/readyz", "/statusz", "/metrics")
        for path in ("/", "/js/rooms/main.js", *status, "/api/identity/export", "/no", "/api/no"):
            answer = await web.get(path, params={"token": token})
            assert "set-cookie" not in answer.headers, path
            assert token not in answer.text, path
            assert token not in str(answer.headers), path
            assert answer.headers["referrer-policy"] == "no-referrer", path
            if path.startswith(("/api/identity", "/metrics", "/readyz", "/statusz")):
                assert answer.headers["cache-control"] == "no-store", path
    assert token not in server.process.output()


async def test_a_cookie_of_the_other_kind_does_not_count(server: ChatServer) -> None:
    """Whoever can write a page over plain HTTP cannot plant an identity on the one over TLS."""
    async with page(server, STRANGER, None) as web:
        token = check((await web.post("/api/identity")).headers["set-cookie"], is_secure=False, age=MONTH)
    async with page(server, PROXY, "https") as web:
        planted = await web.post("/api/identity", headers={"cookie": f"chat_identity={token}"})
        assert planted.status_code == 201
        own = await web.post("/api/identity", headers={"cookie": f"__Host-chat_identity={token}"})
        assert own.status_code == 200


async def test_a_token_is_taken_from_no_address_and_no_body(server: ChatServer) -> None:
    async with page(server, STRANGER, None) as web:
        token = check((await web.post("/api/identity")).headers["set-cookie"], is_secure=False, age=MONTH)
        web.cookies.clear()
        for name in ("token", "chat_identity", "__Host-chat_identity", "access_token", "authorization"):
            assert (await web.get("/api/identity/export", params={name: token})).status_code == 401
            assert (await web.post("/api/identity/erase", params={name: token})).status_code == 401
            assert (await web.post("/api/identity/erase", json={name: token})).status_code == 401
    async with ChatClient(f"{server.ws_url}?token={token}", hello=False) as client:
        assert (await client.exchange("hello"))["error"]["code"] == "identity_required"


async def test_only_a_page_of_ours_may_read_its_data(server: ChatServer) -> None:
    async with page(server, STRANGER, None) as web:
        await web.post("/api/identity")
        del web.headers["origin"]
        for site, status in (("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403)):
            answer = await web.get("/api/identity/export", headers={"sec-fetch-site": site})
            assert answer.status_code == status, site
        foreign = await web.get("/api/identity/export", headers={"origin": "https://evil.example"})
        assert foreign.status_code == 403
        assert not any(re.match("access-control-", name, re.IGNORECASE) for name in foreign.headers)


@pytest.mark.parametrize(("source", "proto", "is_secure"), FRONTS)
async def test_the_staffs_cookie_has_every_flag_too(
    server: ChatServer, operator: str, source: str, proto: str | None, is_secure: bool
) -> None:
    name = "__Host-chat_staff" if is_secure else "chat_staff"
    async with page(server, source, proto) as web:
        body = {"login": "anna", "password": PASSWORD}
        signed_in, known = (await web.post("/api/staff/sign-in", json=body)).headers.get_list("set-cookie")
        token = check(signed_in, is_secure=is_secure, age=12 * 3600, of="chat_staff")
        assert len(token) == 43
        device = check(known, is_secure=is_secure, age=QUARTER, of="chat_device")
        assert device not in {"", token}
        web.cookies.clear()
        # The name of the other kind says nothing.
        other = "chat_staff" if is_secure else "__Host-chat_staff"
        for sent, status in ((name, 200), (other, 401)):
            answer = await web.get("/api/staff/me", headers={"cookie": f"{sent}={token}"})
            assert answer.status_code == status
            assert token not in answer.text
            assert "set-cookie" not in answer.headers
        # What a browser is known by opens nothing, under whichever name it is sent.
        for sent in (name, name.replace("staff", "device")):
            answer = await web.get("/api/staff/me", headers={"cookie": f"{sent}={device}"})
            assert answer.status_code == 401
        # The browser stays known when somebody signs out, and is known again when they come back.
        answer = await web.post("/api/staff/sign-out", headers={"cookie": f"{name}={token}"})
        assert len(answer.headers.get_list("set-cookie")) == 1
        assert check(answer.headers["set-cookie"], is_secure=is_secure, age=0, of="chat_staff") == ""
        web.cookies.clear()
        sent = name.replace("staff", "device")
        again = await web.post("/api/staff/sign-in", json=body, headers={"cookie": f"{sent}={device}"})
        _, known = again.headers.get_list("set-cookie")
        assert check(known, is_secure=is_secure, age=QUARTER, of="chat_device") == device
        # One that we did not sign is not taken over.
        web.cookies.clear()
        forged = await web.post("/api/staff/sign-in", json=body, headers={"cookie": f"{sent}={'A' * 43}.{'B' * 43}"})
        _, known = forged.headers.get_list("set-cookie")
        assert "AAAA" not in check(known, is_secure=is_secure, age=QUARTER, of="chat_device")


@pytest.mark.parametrize(("proto", "is_secure"), [(None, False), ("https", True)])
async def test_the_cookie_that_holds_a_question_for_a_passkey_has_every_flag(
    server: ChatServer, proto: str | None, is_secure: bool
) -> None:
    async with page(server, PROXY, proto) as web:
        web.headers["origin"] = CONFIGURED[0]
        asked = await web.post("/api/staff/passkey")
        assert asked.status_code == 200
        value = check(asked.headers["set-cookie"], is_secure=is_secure, age=300, of="chat_passkey")
        assert value not in asked.text
