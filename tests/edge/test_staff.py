"""The staff's routes of the real app, over real sockets: who may call which, and what ends whose connection."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import httpx
import pyotp
import pytest

from chatserver.domain.people.staff import Role
from chatserver.server import Server
from tests.edge.chat import chatting
from tests.edge.staff_office import PASSWORD, Json, Office, ask, code_of, end_of
from tests.kit.web import WebClient

COOKIE = re.compile(r"chat_staff=([A-Za-z0-9_-]{43}); Max-Age=43200; Path=/; HttpOnly; SameSite=Strict")
OTHER = "nine green bottles fall"


# ---------------------------------------------------------------------------------------------- who may call which

PASSKEY: Json = {
    "id": "AAAA",
    "rawId": "AAAA",
    "type": "public-key",
    "response": {"clientDataJSON": "AAAA", "authenticatorData": "AAAA", "signature": "AAAA"},
}
MADE: Json = {**PASSKEY, "response": {"clientDataJSON": "AAAA", "attestationObject": "AAAA"}}
BODIES: dict[str, Json] = {
    "/api/staff/sign-in": {"login": "nobody", "password": "x"},
    "/api/staff/sign-out": {},
    "/api/staff/invitation": {"link": "x", "login": "x", "name": "x", "password": "x"},
    "/api/staff/confirm": {"password": "x"},
    "/api/staff/password": {"current": "x", "new": "x"},
    "/api/staff/totp": {},
    "/api/staff/totp/on": {"secret": "A" * 32, "code": "1", "proof": {"password": "x"}},
    "/api/staff/totp/off": {"password": "x"},
    "/api/staff/passkey": {},
    "/api/staff/passkey/sign-in": {"passkey": PASSKEY},
    "/api/staff/reset/use": {"link": "x", "password": "x"},
    "/api/staff/prove": {},
    "/api/staff/sign-out/elsewhere": {},
    "/api/staff/recovery": {"password": "x"},
    "/api/staff/passkeys/begin": {},
    "/api/staff/passkeys": {"name": "x", "made": MADE, "proof": {"password": "x"}},
    "/api/staff/passkeys/remove": {"id": "AAAA", "proof": {"password": "x"}},
    "/api/staff/agree": {"member": "m_nobody"},
    "/api/staff/reset": {"member": "m_nobody"},
    "/api/staff/erase": {"password": "x"},
    "/api/staff/invite": {"roles": ["listener"]},
    "/api/staff/roles": {"member": "m_nobody", "roles": ["listener"]},
    "/api/staff/revoke": {"member": "m_nobody"},
}
READS = (
    *("/api/staff/me", "/api/staff/factors", "/api/staff/export"),
    *("/api/staff/people", "/api/staff/statistics", "/api/staff/simulation"),
)
FOR_ALL = {
    *("/api/staff/sign-in", "/api/staff/sign-out", "/api/staff/invitation"),
    *("/api/staff/passkey", "/api/staff/passkey/sign-in", "/api/staff/reset/use"),
}
FOR_SOME = {
    "/api/staff/people": {Role.MODERATOR, Role.OPERATOR},
    "/api/staff/statistics": {Role.OPERATOR},
    "/api/staff/simulation": {Role.OPERATOR},
    "/api/staff/invite": {Role.OPERATOR},
    "/api/staff/roles": {Role.OPERATOR},
    "/api/staff/revoke": {Role.OPERATOR},
    "/api/staff/agree": {Role.OPERATOR},
    "/api/staff/reset": {Role.OPERATOR},
}


async def call(browser: httpx.AsyncClient, path: str) -> httpx.Response:
    return await (browser.get(path) if path in READS else browser.post(path, json=BODIES[path]))


def test_no_route_is_forgotten() -> None:
    from chatserver.config import load

    app = Server(load(overrides={"secret_key": "x" * 48})).app
    there = {getattr(route, "path", "") for route in app.routes}
    assert {path for path in there if path.startswith("/api/staff/")} == {*BODIES, *READS}


async def test_who_is_not_signed_in_gets_401_everywhere(office: Office) -> None:
    for browser in (await office.browser(), await office.browser(authorization="Bearer " + "x" * 43)):
        for path in {*BODIES, *READS} - FOR_ALL:
            answer = await call(browser, path)
            assert (answer.status_code, code_of(answer)) == (401, "identity_required"), path


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_may_call_what_is_its_own(office: Office, role: Role) -> None:
    browser = await office.colleague("ben", role)
    await office.agree("ben")
    for path in [*BODIES, *READS]:
        if path in FOR_ALL:
            continue
        answer = await call(browser, path)
        if role in FOR_SOME.get(path, set(Role)):
            assert answer.status_code in (200, 201, 204, 400, 401, 403, 404), path
            said = answer.json()["error"] if answer.status_code >= 400 else {"code": ""}
            # Not allowed for another reason than who one is: there is no passkey to show.
            is_refused = said["code"] == "not_allowed" and said.get("details") == {"why": "no_passkey"}
            known = ("", "sign_in_refused", "member_unknown", "invalid")
            assert said["code"] in known or is_refused, (path, answer.text)
        else:
            assert (answer.status_code, code_of(answer)) == (403, "not_allowed"), path


async def test_a_member_is_no_staff(office: Office) -> None:
    browser = await office.browser()
    await browser.post("/api/identity")
    for path in {*BODIES, *READS} - FOR_ALL:
        assert (await call(browser, path)).status_code == 401
    socket = await office.socket(browser)
    assert (await ask(socket, "hello", staff=True))["error"]["code"] == "identity_required"
    assert "ok" in await ask(socket, "hello")


async def test_the_identity_token_opens_nothing_of_the_staffs_and_the_other_way_round(office: Office) -> None:
    browser = await office.signed_in()
    token = browser.cookies["chat_staff"]
    socket = await office.socket(await office.browser())
    assert (await ask(socket, "hello", token=token))["error"]["code"] == "identity_unknown"
    member = office.server.worker.people.identities.token_for(
        (await browser.get("/api/staff/me")).json()["member"]["id"]
    )
    assert (await ask(socket, "hello", token=member, staff=True))["error"]["code"] == "identity_unknown"
    assert "ok" in await ask(socket, "hello", token=token, staff=True)


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b"{}", b'{"login":1,"password":"x"}', b'{"login":"\\ud800"}', b"\xff"]
)
async def test_a_body_that_cannot_be_read(office: Office, body: bytes) -> None:
    browser = await office.signed_in()
    for path in ("/api/staff/sign-in", "/api/staff/invite", "/api/staff/invitation"):
        answer = await browser.post(path, content=body, headers={"content-type": "application/json"})
        assert (answer.status_code, code_of(answer)) == (400, "malformed")
    answer = await browser.post("/api/staff/invite", json={"roles": ["emperor"]})
    assert (answer.status_code, code_of(answer)) == (400, "malformed")
    assert "emperor" not in answer.text
    assert (await browser.post("/api/staff/sign-in", content=b"x" * 5_000)).status_code == 413
    assert (await browser.post("/api/staff/sign-in", content=b"login=anna")).status_code in (400, 415)


# ------------------------------------------------------------------------------------------------ coming and going


async def test_a_page_gets_a_cookie_and_another_client_a_token(office: Office) -> None:
    body = {"login": "anna", "password": PASSWORD}
    page = await office.browser()
    answer = await page.post("/api/staff/sign-in", json=body)
    cookie = COOKIE.fullmatch(answer.headers.get_list("set-cookie")[0])
    assert cookie is not None
    assert cookie[1] not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert (told["login"], told["member"]["name"], told["roles"]) == ("anna", "Anna Berg", ["operator"])
    me = (await page.get("/api/staff/me")).json()
    assert me == told
    async with WebClient(base_url=office.served.http) as client:
        answer = await client.post("/api/staff/sign-in", json=body)
        assert "set-cookie" not in answer.headers
        token = answer.json()["token"]
        me = await client.get("/api/staff/me", headers={"authorization": f"Bearer {token}"})
        assert me.json()["login"] == "anna"
        # A cookie without an Origin is nobody's.
        assert (await client.post("/api/staff/totp", headers={"cookie": f"chat_staff={token}"})).status_code == 401


async def test_with_tls_the_cookie_promises_its_host(office: Office, tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    async with chatting(tmp_path / "tls", secure_cookies="always") as (served, server):
        await server.worker.people.accounts.add_operator("anna", "Anna", PASSWORD)
        async with WebClient(base_url=served.http, headers={"origin": served.http}) as browser:
            answer = await browser.post("/api/staff/sign-in", json={"login": "anna", "password": PASSWORD})
    header, device = answer.headers.get_list("set-cookie")
    assert header.startswith("__Host-chat_staff=")
    assert header.endswith("; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict; Secure")
    assert device.startswith("__Host-chat_device=")
    assert device.endswith("; Max-Age=7776000; Path=/; HttpOnly; SameSite=Strict; Secure")


async def test_signing_in_again_ends_what_was_there(office: Office) -> None:
    browser = await office.signed_in()
    before = browser.cookies["chat_staff"]
    socket = await office.console(browser)
    answer = await browser.post("/api/staff/sign-in", json={"login": "anna", "password": PASSWORD})
    assert answer.status_code == 200
    assert browser.cookies["chat_staff"] != before
    assert await end_of(socket) == 4401
    again = await office.browser(authorization=f"Bearer {before}")
    assert (await again.get("/api/staff/me")).status_code == 401
    assert (await browser.get("/api/staff/me")).status_code == 200


async def test_signing_out_twice_is_fine(office: Office) -> None:
    browser = await office.signed_in()
    for _ in range(2):
        answer = await browser.post("/api/staff/sign-out")
        assert answer.status_code == 204
        assert answer.headers["set-cookie"].startswith("chat_staff=; Max-Age=0; Path=/; ")
    assert (await browser.get("/api/staff/me")).status_code == 401


async def test_strangers_use_up_what_a_login_has_and_nothing_of_whoever_is_known(tmp_path: Path) -> None:
    """[P-STAFF-10] [P-STAFF-17] Whoever knows a login must not disarm its owner: not where they are signed in, and not
    where they were before."""
    limits = {"sign_ins_per_login_per_hour": 6, "sign_ins_per_address_per_hour": 100}
    async with chatting(tmp_path, limits=limits, trusted_proxies=["127.0.0.1"]) as (served, server):
        await server.worker.people.accounts.add_operator("anna", "Anna", PASSWORD)
        page = {"origin": served.http}
        async with WebClient(base_url=served.http) as client:
            hers = WebClient(base_url=served.http, headers=page)

            async def answer(by: httpx.AsyncClient, login: str, password: str, address: str) -> httpx.Response:
                body = {"login": login, "password": password}
                return await by.post("/api/staff/sign-in", json=body, headers={"x-forwarded-for": address})

            async with hers:
                assert (await answer(hers, "anna", PASSWORD, "192.0.2.1")).status_code == 200
                # One address has a third of what the login has; three of them use it up.
                codes = [
                    (await answer(client, written, OTHER, f"198.51.100.{address}")).status_code
                    for address in range(4)
                    for written in ("anna", " ANNA ", "anna")
                ]
                assert codes == [401, 401, 429] * 2 + [401, 429, 429] + [429] * 3
                late = await answer(client, "anna", PASSWORD, "203.0.113.9")
                assert (late.status_code, code_of(late)) == (429, "rate_limited")
                assert int(late.headers["retry-after"]) > 60
                # Where she is signed in she confirms, and where she was before she signs in.
                assert (await hers.post("/api/staff/confirm", json={"password": PASSWORD})).status_code == 204
                await hers.post("/api/staff/sign-out")
                again = await answer(hers, "anna", PASSWORD, "198.51.100.1")
                assert again.status_code == 200
                assert again.json()["failed_tries"] == 5
                # What is known is this browser for this login: its cookie helps nobody with another one.
                assert (await answer(hers, "ben", OTHER, "198.51.100.9")).status_code == 401


async def test_a_sign_in_alone_bounds_what_its_holder_may_try(tmp_path: Path) -> None:
    async with chatting(tmp_path, limits={"sign_ins_per_login_per_hour": 4}) as (served, server):
        await server.worker.people.accounts.add_operator("anna", "Anna", PASSWORD)
        async with WebClient(base_url=served.http, headers={"origin": served.http}) as browser:
            body = {"login": "anna", "password": PASSWORD}
            assert (await browser.post("/api/staff/sign-in", json=body)).status_code == 200
            for path in ("/api/staff/confirm", "/api/staff/password", "/api/staff/erase", "/api/staff/totp/on"):
                assert (await call(browser, path)).status_code == 401
            for path in ("/api/staff/confirm", "/api/staff/totp/off", "/api/staff/recovery", "/api/staff/passkeys"):
                assert (await call(browser, path)).status_code == 429
            # Who is signed in stays so.
            assert (await browser.get("/api/staff/me")).status_code == 200


async def test_links_are_guessed_on_an_account_of_their_own(tmp_path: Path) -> None:
    statuses = (404,) * 4 + (429,) * 2
    async with contextlib.AsyncExitStack() as stack:
        limits = {"sign_ins_per_address_per_hour": 4}
        served, _ = await stack.enter_async_context(chatting(tmp_path, limits=limits))
        page = WebClient(base_url=served.http, headers={"origin": served.http})
        browser = await stack.enter_async_context(page)
        for path, status in zip(("/api/staff/invitation", "/api/staff/reset/use") * 3, statuses, strict=True):
            assert (await call(browser, path)).status_code == status
        assert (await call(browser, "/api/staff/sign-in")).status_code == 401


async def test_a_browsers_cookie_is_signed_and_forgotten_with_the_password(office: Office) -> None:
    browser = await office.signed_in()
    accounts = office.server.worker.people.accounts
    mine = browser.cookies["chat_device"]
    assert await accounts.is_known_there("anna", accounts.device_of(mine))
    assert not await accounts.is_known_there("ben", accounts.device_of(mine))
    for forged in ("", "x", mine[:-1] + ("0" if mine[-1] != "0" else "1"), "A" * 43 + "." + "0" * 32):
        assert accounts.device_of(forged) is None
    other = await office.signed_in()
    theirs = other.cookies["chat_device"]
    assert theirs != mine
    await browser.post("/api/staff/sign-out/elsewhere")
    assert not await accounts.is_known_there("anna", accounts.device_of(theirs))
    assert (await other.get("/api/staff/me")).status_code == 401
    changed = await browser.post("/api/staff/password", json={"current": PASSWORD, "new": OTHER})
    assert changed.status_code == 200
    assert browser.cookies["chat_device"] == mine
    assert await accounts.is_known_there("anna", accounts.device_of(mine))


async def test_nobody_is_let_in_while_the_store_is_away(office: Office) -> None:
    browser = await office.signed_in()
    fresh = await office.browser()
    socket = await office.socket(browser)
    await office.server.worker.node.store.close()
    for asked in (
        fresh.post("/api/staff/sign-in", json={"login": "anna", "password": PASSWORD}),
        browser.get("/api/staff/me"),
        browser.post("/api/staff/invite", json={"roles": ["operator"]}),
    ):
        answer = await asked
        assert (answer.status_code, code_of(answer)) == (503, "storage_unavailable")
        assert "set-cookie" not in answer.headers
    assert (await ask(socket, "hello", staff=True))["error"]["code"] == "storage_unavailable"
    assert (await ask(socket, "ping"))["error"]["code"] == "hello_required"


async def test_a_second_factor_from_the_page(office: Office) -> None:
    browser = await office.signed_in()
    told = (await browser.post("/api/staff/totp")).json()
    app = pyotp.TOTP(told["secret"])
    assert told["uri"].startswith("otpauth://totp/")
    assert {*"".join(told["qr"])} == {"0", "1"}
    now = office.server.worker.node.now
    body = {"secret": told["secret"], "code": app.at(now() // 1000), "proof": {"password": PASSWORD}}
    on = await browser.post("/api/staff/totp/on", json=body)
    assert len({*on.json()["codes"]}) == 10
    assert (await browser.get("/api/staff/me")).json()["has_totp"] is True
    fresh = await office.browser()
    answer = await fresh.post("/api/staff/sign-in", json={"login": "anna", "password": PASSWORD})
    assert (answer.status_code, answer.json()["error"]["details"]) == (401, {"why": "code"})
    later = app.at(now() // 1000 + 30)
    factors = (await browser.get("/api/staff/factors")).json()
    assert factors == {"has_totp": True, "recovery_left": 10, "passkeys": []}
    body = {"login": "anna", "password": PASSWORD, "code": later}
    assert (await fresh.post("/api/staff/sign-in", json=body)).status_code == 200


# ------------------------------------------------------------------------------------------------ their connections


# ------------------------------------------------------------------------------------------- taking along, and going
