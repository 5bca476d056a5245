"""Whose page may open a socket or change anything: every kind of Origin against every address that acts for somebody.

Asked over plain sockets, so that each header is sent just as it stands here.
"""

from __future__ import annotations

import json
from enum import Enum, auto
from typing import NamedTuple

import pytest

from chatserver.config import load
from chatserver.server import Server
from tests.edge.serving import client_frame, raw_client
from tests.kit.server import ChatServer
from tests.kit.web import WebClient
from tests.security.conftest import CONFIGURED

ROUTES = (
    "/api/identity",
    "/api/identity/restore",
    "/api/identity/appeal",
    "/api/identity/erase",
    "/api/identity/forget",
    "/api/identity/sign-out-others",
)
BEFORE_SIGN_IN = (
    "/api/staff/sign-in",
    "/api/staff/passkey/sign-in",
    "/api/staff/invitation",
    "/api/staff/reset/use",
)
"""Routes that anybody may ask, and that read a body."""
SIGNED_IN = (
    "/api/staff/confirm",
    "/api/staff/password",
    "/api/staff/totp/on",
    "/api/staff/totp/off",
    "/api/staff/recovery",
    "/api/staff/passkeys",
    "/api/staff/passkeys/remove",
    "/api/staff/erase",
    "/api/staff/invite",
    "/api/staff/roles",
    "/api/staff/revoke",
    "/api/staff/agree",
    "/api/staff/reset",
)
"""Routes of whoever is signed in, which read a body."""
BODILESS = (
    "/api/staff/sign-out",
    "/api/staff/sign-out/elsewhere",
    "/api/staff/totp",
    "/api/staff/prove",
    "/api/staff/passkeys/begin",
    "/api/staff/passkey",
)
"""Routes that act without a body; all but the first are asked one by one."""
STAFF_ROUTES = (*BEFORE_SIGN_IN, *SIGNED_IN, *BODILESS)


class Verdict(Enum):
    OURS = auto()
    """Let in, and the cookie says who it is."""
    TOKEN = auto()
    """Let in as a client that is no browser: the cookie says nothing."""
    FOREIGN = auto()
    """Turned away with 403."""


OURS, TOKEN, FOREIGN = Verdict
HERE = "here"
"""Stands for the server's own host and port."""


class Case(NamedTuple):
    what: str
    origins: tuple[str, ...]
    verdict: Verdict
    host: str = HERE


CASES = (
    Case("its own page", (f"http://{HERE}",), OURS),
    Case("its own page over TLS, which a proxy took off", (f"https://{HERE}",), OURS),
    Case("the scheme in capitals", (f"HTTP://{HERE}",), OURS),
    Case("a host in capitals", ("http://CHAT.example.org",), OURS, "chat.EXAMPLE.org"),
    Case("the default port left out", ("http://chat.example.org",), OURS, "chat.example.org:80"),
    Case("the default port written", ("https://chat.example.org:443",), OURS, "chat.example.org"),
    Case("an IPv6 host", ("http://[::1]:8000",), OURS, "[::1]:8000"),
    Case("another page's host with a trailing dot is that page's", ("http://a.example.",), OURS, "a.example."),
    Case("configured", (CONFIGURED[0],), OURS),
    Case("configured, in capitals, with its port", ("HTTPS://Members.Example.Net:443",), OURS),
    Case("configured with a port", (CONFIGURED[1],), OURS),
    Case("configured, an international name as browsers send it", (CONFIGURED[2],), OURS),
    Case("none: no browser", (), TOKEN),
    Case("configured, but over plain HTTP", ("http://members.example.net",), FOREIGN),
    Case("configured, but another port", ("https://members.example.net:444",), FOREIGN),
    Case("below a configured one", ("https://sub.members.example.net",), FOREIGN),
    Case("above a configured one", ("https://example.net",), FOREIGN),
    Case("a configured one as another's beginning", ("https://members.example.net.evil.example",), FOREIGN),
    Case("a configured one as another's end", ("https://evilmembers.example.net",), FOREIGN),
    Case("a dot as any character", ("https://membersxexample.net",), FOREIGN),
    Case("a trailing dot", ("https://members.example.net.",), FOREIGN),
    Case("a configured one as a user name", ("https://members.example.net@evil.example",), FOREIGN),
    Case("a configured one after a user name", ("https://evil@members.example.net",), FOREIGN),
    Case("a configured one in a fragment", ("https://evil.example#members.example.net",), FOREIGN),
    Case("a configured one in a path", ("https://evil.example/members.example.net",), FOREIGN),
    Case("a configured one behind a backslash", ("https://evil.example\\members.example.net",), FOREIGN),
    Case("with a path, which no origin has", (f"http://{HERE}/",), FOREIGN),
    Case("an international name unencoded", ("https://b\u00fccher.example",), FOREIGN),
    Case("another encoded name", ("https://xn--bcher-kvb.example",), FOREIGN),
    Case("somebody else", ("https://evil.example",), FOREIGN),
    Case("the same host, another port", ("http://127.0.0.1:1",), FOREIGN),
    Case("the same host, no port", ("http://127.0.0.1",), FOREIGN),
    Case("localhost for 127.0.0.1", ("http://localhost:8000",), FOREIGN, "127.0.0.1:8000"),
    Case("127.0.0.1 for localhost", ("http://127.0.0.1:8000",), FOREIGN, "localhost:8000"),
    Case("another writing of the address", ("http://2130706433:8000",), FOREIGN, "127.0.0.1:8000"),
    Case("IPv6 for IPv4", ("http://[::1]:8000",), FOREIGN, "127.0.0.1:8000"),
    Case("IPv4 inside IPv6", ("http://[::ffff:127.0.0.1]:8000",), FOREIGN, "127.0.0.1:8000"),
    Case("null, as from a sandbox", ("null",), FOREIGN),
    Case("Null", ("Null",), FOREIGN),
    Case("an empty one", ("",), FOREIGN),
    Case("a star", ("*",), FOREIGN),
    Case("no host", ("https://",), FOREIGN),
    Case("no scheme", (HERE,), FOREIGN),
    Case("a file", ("file://",), FOREIGN),
    Case("an extension", ("chrome-extension://abcdefghijklmnop",), FOREIGN),
    Case("an app", ("capacitor://localhost",), FOREIGN),
    Case("a socket's scheme", (f"ws://{HERE}",), FOREIGN),
    Case("two in one", (f"http://{HERE}, https://evil.example",), FOREIGN),
    Case("two in one, with a space", (f"http://{HERE} https://evil.example",), FOREIGN),
    Case("two headers", (f"http://{HERE}", "https://evil.example"), FOREIGN),
    Case("two headers, the other first", ("https://evil.example", f"http://{HERE}"), FOREIGN),
    Case("the same twice", (f"http://{HERE}", f"http://{HERE}"), FOREIGN),
    Case("a port that is none", ("http://a.example:0x50",), FOREIGN, "a.example"),
    Case("a port too large to be the same again", ("http://a.example:65616",), FOREIGN, "a.example:80"),
    Case("a very long one", (f"https://{'a' * 8_000}.example",), FOREIGN),
)


def head(server: ChatServer, case: Case, method: str, path: str, cookie: str, *more: str) -> bytes:
    here = f"127.0.0.1:{server.port}"
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {case.host.replace(HERE, here)}",
        *(f"Origin: {origin.replace(HERE, here)}" for origin in case.origins),
        f"Cookie: {cookie}",
        *more,
    ]
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n"


async def call(server: ChatServer, case: Case, path: str, cookie: str) -> tuple[int, str, bytes]:
    """Status, head in small letters, body."""
    said = {
        "/api/identity/restore": b'{"code":"amber amber amber amber amber amber"}',
        "/api/identity/appeal": b'{"measure":"none","text":"x"}',
        # Some staff routes read nothing that has to be there, so what they must not take is no object.
        **dict.fromkeys(STAFF_ROUTES, b"[]"),
    }
    body = said.get(path, b"{}")
    asked = head(
        server,
        case,
        "POST",
        path,
        cookie,
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    async with raw_client(server.port) as raw:
        await raw.send(asked + body)
        answer = await raw.read_all()
    first, _, rest = answer.partition(b"\r\n\r\n")
    return int(first.split()[1]), first.decode("latin-1").lower(), rest


async def upgrade(server: ChatServer, case: Case, cookie: str) -> tuple[int, str, bytes]:
    """Status and head of the upgrade, and the answer to a hello where it was taken."""
    async with raw_client(server.port) as raw:
        await raw.send(
            head(
                server,
                case,
                "GET",
                "/ws",
                cookie,
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                "Sec-WebSocket-Protocol: chat.v1.json",
            )
        )
        first = (await raw.read_until(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(first.split()[1])
        if status != 101:
            return status, first, await raw.read_all()
        await raw.send(client_frame(1, b'{"cmd":"hello","id":"1"}'))
        return status, first, (await raw.frame())[1]


async def arrive(server: ChatServer) -> tuple[str, str]:
    """A new guest's cookie and id."""
    async with WebClient(base_url=server.url) as web:
        answer = await web.post("/api/identity", headers={"origin": server.url})
    return answer.headers["set-cookie"].partition(";")[0], answer.json()["member"]["id"]


def is_configured(case: Case) -> bool:
    """Whether passkeys are for this page: a page at the server's own address is one of ours, but no configured one."""
    return case.verdict is OURS and case.what.startswith("configured")


def test_there_are_enough_kinds_and_no_route_is_forgotten() -> None:
    assert len({case.what for case in CASES}) == len(CASES) >= 50
    acting = {
        route.path  # type: ignore[attr-defined]
        for route in Server(load(overrides={"secret_key": "x" * 48})).app.routes
        if not {"GET", "HEAD"}.issuperset(getattr(route, "methods", None) or {"GET"})
    }
    assert acting == {*ROUTES, *STAFF_ROUTES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
async def test_the_staffs_cookie_counts_for_our_own_page_only(server: ChatServer, operator: str, case: Case) -> None:
    cookie = f"chat_staff={operator}"
    for path in (*BEFORE_SIGN_IN, *SIGNED_IN):
        status, first, body = await call(server, case, path, cookie)
        assert "cache-control: no-store" in first
        assert "set-cookie" not in first
        code = json.loads(body)["error"]["code"]
        if case.verdict is FOREIGN:
            assert (status, code) == (403, "origin_refused"), path
        elif case.verdict is TOKEN and path in SIGNED_IN:
            assert (status, code) == (401, "identity_required"), path
        else:
            # Let in as far as the body, in which nothing is.
            assert (status, code) == (400, "malformed"), path
    status, _, body = await call(server, case, "/api/staff/totp", cookie)
    assert status == {OURS: 200, TOKEN: 401, FOREIGN: 403}[case.verdict]
    assert (b"otpauth" in body) == (case.verdict is OURS)
    # It keeps the sign-in that asks, so the cases that follow have theirs.
    status, first, _ = await call(server, case, "/api/staff/sign-out/elsewhere", cookie)
    assert status == {OURS: 204, TOKEN: 401, FOREIGN: 403}[case.verdict]
    assert "set-cookie" not in first


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
async def test_passkeys_are_for_pages_at_a_configured_origin_only(
    server: ChatServer, operator: str, case: Case
) -> None:
    cookie = f"chat_staff={operator}"
    for path in ("/api/staff/passkey", "/api/staff/passkeys/begin", "/api/staff/prove"):
        status, first, body = await call(server, case, path, cookie)
        assert "cache-control: no-store" in first
        # Only the question of somebody who is not signed in is bound to their browser by a cookie.
        asks_browser = path == "/api/staff/passkey" and is_configured(case)
        assert first.count("set-cookie: chat_passkey=") == first.count("set-cookie") == int(asks_browser)
        answer = json.loads(body)
        if case.verdict is FOREIGN:
            assert (status, answer["error"]["code"]) == (403, "origin_refused"), path
        elif case.verdict is TOKEN and path != "/api/staff/passkey":
            assert (status, answer["error"]["code"]) == (401, "identity_required"), path
        elif not is_configured(case):
            assert (status, answer["error"]["code"], answer["error"]["details"]) == (
                403,
                "not_allowed",
                {"why": "place"},
            ), path
        elif path == "/api/staff/prove":
            # Anna has no passkey.
            assert (status, answer["error"]["details"]) == (403, {"why": "no_passkey"})
        else:
            assert status == 200, path
            assert answer["options"]["challenge"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
async def test_a_page_gets_what_its_origin_allows(server: ChatServer, case: Case) -> None:
    cookie, member = await arrive(server)
    status, first, body = await upgrade(server, case, cookie)
    token = cookie.partition("=")[2].encode()
    assert token not in body
    if len(case.origins) > 1:
        # The handshake itself is wrong (RFC 6455, section 4.1): it is turned away before anybody is asked.
        assert (case.verdict, status) == (FOREIGN, 400)
    elif case.verdict is FOREIGN:
        assert status == 403
        assert json.loads(body)["error"]["code"] == "origin_refused"
        for line in ("cache-control: no-store", "referrer-policy: no-referrer", "x-content-type-options: nosniff"):
            assert line in first
    elif case.verdict is OURS:
        assert status == 101
        assert json.loads(body)["ok"]["member"]["id"] == member
    else:
        assert status == 101
        assert json.loads(body)["error"]["code"] == "identity_required"
    # Erasing comes last: nobody is there afterwards.
    for path in sorted(ROUTES, key=lambda path: path.endswith("erase")):
        # Signing out everywhere else ends this cookie, too: somebody else does it.
        own_cookie = (await arrive(server))[0] if path.endswith("others") else cookie
        status, first, body = await call(server, case, path, own_cookie)
        assert "cache-control: no-store" in first
        assert token not in body
        if case.verdict is FOREIGN:
            assert (status, json.loads(body)["error"]["code"]) == (403, "origin_refused"), path
            assert "set-cookie" not in first
            continue
        as_ours, as_nobody = {
            "/api/identity": (200, 201),
            "/api/identity/restore": (404, 404),
            "/api/identity/appeal": (404, 401),
            "/api/identity/erase": (204, 401),
            "/api/identity/sign-out-others": (200, 401),
        }.get(path, (204, 204))
        assert status == (as_ours if case.verdict is OURS else as_nobody), path
    # Whoever was turned away changed nothing: only our own page could erase.
    own = Case("own page", (f"http://{HERE}",), OURS)
    _, _, told = await upgrade(server, own, cookie)
    assert ("ok" in json.loads(told)) == (case.verdict is not OURS)
