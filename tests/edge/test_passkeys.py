"""Passkeys over the staff's routes, with a device that signs as a real one does."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chatserver.domain.people.staff import CONFIRMED_FOR, hash_secret
from chatserver.server import Server
from tests.edge.chat import chatting
from tests.edge.serving import Served
from tests.kit.authenticator import Authenticator, encoded
from tests.kit.web import WebClient

PASSWORD = "lamp river boots sky"
Json = dict[str, Any]


class Office:
    """A server with an operator called anna, whose page is at `localhost`: addresses have no passkeys."""

    def __init__(self, served: Served, server: Server, stack: contextlib.AsyncExitStack) -> None:
        self.origin = served.http.replace("127.0.0.1", "localhost")
        self.server = server
        self._base = served.http
        self._stack = stack

    async def browser(self, origin: str | None = None) -> httpx.AsyncClient:
        origin = self.origin if origin is None else origin
        headers = {"origin": origin, "host": origin.partition("://")[2], "sec-fetch-site": "same-origin"}
        return await self._stack.enter_async_context(WebClient(base_url=self._base, headers=headers))

    async def signed_in(self) -> httpx.AsyncClient:
        browser = await self.browser()
        answer = await browser.post("/api/staff/sign-in", json={"login": "anna", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return browser

    async def with_passkey(self, **of: Any) -> tuple[httpx.AsyncClient, Authenticator]:
        browser, device = await self.signed_in(), Authenticator(self.origin, **of)
        answer = await add(browser, device)
        assert answer.status_code == 201, answer.text
        return browser, device


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with chatting(tmp_path) as (served, server), contextlib.AsyncExitStack() as stack:
        await server.worker.people.accounts.add_operator("anna", "Anna Berg", PASSWORD)
        yield Office(served, server, stack)


async def add(browser: httpx.AsyncClient, device: Authenticator, **body: Any) -> httpx.Response:
    asked = await browser.post("/api/staff/passkeys/begin")
    assert asked.status_code == 200, asked.text
    made = device.make(asked.json()["options"])
    return await browser.post(
        "/api/staff/passkeys", json={"name": "Phone", "made": made, "proof": {"password": PASSWORD}, **body}
    )


async def shown(browser: httpx.AsyncClient, device: Authenticator, path: str = "/api/staff/prove") -> Json:
    asked = await browser.post(path)
    assert asked.status_code == 200, asked.text
    return device.show(asked.json()["options"])


async def sign_in(browser: httpx.AsyncClient, device: Authenticator) -> httpx.Response:
    answer = await shown(browser, device, "/api/staff/passkey")
    return await browser.post("/api/staff/passkey/sign-in", json={"passkey": answer})


def why(answer: httpx.Response) -> tuple[int, str, str | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("details", {}).get("why")


WRONG = (401, "sign_in_refused", "passkey")


async def test_a_passkey_signs_in_confirms_and_is_removed(office: Office) -> None:
    browser, device = await office.with_passkey(counts=True)
    (row,) = (await browser.get("/api/staff/factors")).json()["passkeys"]
    assert (row["name"], row["here"], row["id"]) == ("Phone", True, encoded(device.credential))
    fresh = await office.browser()
    answer = await sign_in(fresh, device)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["login"], answer.json()["has_passkey"]) == ("anna", True)
    assert "chat_passkey" not in fresh.cookies
    # What is dangerous: the password was given long ago, and the passkey stands for it.
    node = office.server.worker.node
    hashed = hash_secret(fresh.cookies["chat_staff"])
    assert hashed is not None
    await node.store.confirm_sign_in(hashed, type(node.now())(node.now() - CONFIRMED_FOR - 1))
    assert (await fresh.post("/api/staff/invite", json={"roles": ["listener"]})).status_code == 403
    confirmed = await fresh.post("/api/staff/confirm", json={"passkey": await shown(fresh, device)})
    assert confirmed.status_code == 204
    assert (await fresh.post("/api/staff/invite", json={"roles": ["listener"]})).status_code == 201
    removed = await fresh.post(
        "/api/staff/passkeys/remove", json={"id": row["id"], "proof": {"passkey": await shown(fresh, device)}}
    )
    assert removed.status_code == 204
    assert why(await sign_in(await office.browser(), device)) == WRONG
    assert (await browser.get("/api/staff/me")).status_code == 401, "other sign-ins ended"


async def test_an_answer_counts_once_for_one_purpose_and_one_browser(office: Office) -> None:
    """[P-STAFF-16]"""
    browser, device = await office.with_passkey()
    asked = await browser.post("/api/staff/prove")
    answer = device.show(asked.json()["options"])
    assert (await browser.post("/api/staff/confirm", json={"passkey": answer})).status_code == 204
    assert why(await browser.post("/api/staff/confirm", json={"passkey": answer})) == WRONG
    # Asked to confirm, it does not sign in; asked by one browser, it is none of another's.
    fresh = await office.browser()
    await fresh.post("/api/staff/passkey")
    proof = await shown(browser, device)
    assert why(await fresh.post("/api/staff/passkey/sign-in", json={"passkey": proof})) == WRONG
    for_another = await shown(fresh, device, "/api/staff/passkey")
    stranger = await office.browser()
    assert why(await stranger.post("/api/staff/passkey/sign-in", json={"passkey": for_another})) == WRONG
    await stranger.post("/api/staff/passkey")
    assert why(await stranger.post("/api/staff/passkey/sign-in", json={"passkey": for_another})) == WRONG
    # The browser that asked still may: the others' tries took nothing from it.
    assert (await fresh.post("/api/staff/passkey/sign-in", json={"passkey": for_another})).status_code == 200


async def test_what_is_not_signed_here_by_this_key_of_a_verified_user_is_refused(office: Office) -> None:
    browser, device = await office.with_passkey(counts=True)
    fresh = await office.browser()
    other = Authenticator(office.origin)
    other.credential = device.credential
    phishing = await shown(fresh, device, "/api/staff/passkey")
    device.origin = "https://chat.example.evil"
    cases = {"another key": other, "another origin": device}
    for name, each in cases.items():
        assert why(await sign_in(fresh, each)) == WRONG, name
    device.origin = office.origin
    device.verifies = False
    assert why(await sign_in(fresh, device)) == WRONG, "its user was not verified"
    device.verifies = True
    body = json.loads(json.dumps(phishing))
    body["response"]["signature"] = encoded(base64.urlsafe_b64decode(body["response"]["signature"] + "==")[::-1])
    assert why(await fresh.post("/api/staff/passkey/sign-in", json={"passkey": body})) == WRONG
    for field in ("clientDataJSON", "authenticatorData", "signature"):
        body = await shown(fresh, device, "/api/staff/passkey")
        body["response"][field] = "AAAA"
        assert why(await fresh.post("/api/staff/passkey/sign-in", json={"passkey": body})) == WRONG, field
    # A count that did not rise is a copy's.
    assert (await sign_in(fresh, device)).status_code == 200
    device.count -= 2
    assert why(await sign_in(fresh, device)) == WRONG
    failed = await office.browser()
    await failed.post("/api/staff/passkey")
    assert (await browser.get("/api/staff/me")).status_code == 200


async def test_a_passkey_is_made_with_proof_by_a_verified_user_and_for_a_host(office: Office) -> None:
    browser = await office.signed_in()
    device = Authenticator(office.origin)
    assert why(await add(browser, device, proof={})) == (401, "sign_in_refused", None)
    assert (await add(browser, device, name=" ")).status_code == 400
    assert why(await add(browser, Authenticator("https://chat.example.evil"))) == WRONG
    assert why(await add(browser, Authenticator(office.origin, verifies=False))) == WRONG
    assert (await add(browser, device)).status_code == 201
    assert (await add(browser, device)).status_code == 409, "once"
    # A program that is no page has no place where a passkey could be.
    token = {"authorization": f"Bearer {browser.cookies['chat_staff']}"}
    async with WebClient(base_url=str(browser.base_url), headers=token) as client:
        assert why(await client.post("/api/staff/passkeys/begin")) == (403, "not_allowed", "place")
        assert why(await client.post("/api/staff/passkey")) == (403, "not_allowed", "place")


async def test_only_configured_origins_have_passkeys(tmp_path: Path) -> None:
    ours = "https://chat.example.org"
    async with chatting(tmp_path, public_origins=[ours]) as (served, server), contextlib.AsyncExitStack() as stack:
        await server.worker.people.accounts.add_operator("anna", "Anna Berg", PASSWORD)
        office = Office(served, server, stack)
        here = await office.browser()
        assert why(await here.post("/api/staff/passkey")) == (403, "not_allowed", "place")
        there = await office.browser(ours)
        options = (await there.post("/api/staff/passkey")).json()["options"]
        assert (options["rpId"], options["userVerification"], options["allowCredentials"]) == (
            "chat.example.org",
            "required",
            [],
        )
