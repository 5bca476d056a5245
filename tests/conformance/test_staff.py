"""Staff: their accounts, their sign-ins, and what the end of either ends."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Final

import httpx
import pyotp
import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet
from tests.conformance.peer import Refused
from tests.conformance.personnel import PASSWORD, add_operator
from tests.conformance.staff_office import Office
from tests.conformance.traffic import Traffic
from tests.kit.redis import RedisServer
from tests.kit.web import WebClient

Json = dict[str, Any]
OTHER: Final = "nine green bottles fall"


@pytest.fixture
def encoding() -> Encoding:
    return Encoding.JSON


@pytest.fixture
async def office(site: Cluster, traffic: Traffic) -> AsyncIterator[Office]:
    async with contextlib.AsyncExitStack() as stack:
        yield Office(site, stack, traffic)


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_hello_as_staff(office: Office, meet: Meet, site: Cluster, traffic: Traffic, room: str) -> None:
    """[P-STAFF-1]"""
    page, me = await office.operator()
    console = await office.console(page)
    assert console.member == me["member"]
    token = page.cookies["chat_staff"]
    by_token = await meet.silent()
    hello = await by_token.hello(staff=True, token=token)
    assert (hello["member"], hello["roles"]) == (me["member"], ["operator"])
    guest = await meet()
    for peer in (guest, by_token):
        await peer.join(room)
    await by_token.post(room, "from staff")
    assert (await guest.push("posted"))["post"]["author"] == by_token.id_in(room)

    silent = await meet.silent()
    assert (await silent.refusal("hello", staff=True))["code"] == "identity_required"
    assert (await silent.refusal("hello", staff=True, token="x" * 43))["code"] == "identity_unknown"
    assert (await silent.refusal("hello", staff=True, token=guest.token))["code"] == "identity_unknown"
    assert (await silent.refusal("hello", token=token))["code"] == "identity_unknown"
    cookies = {"cookie": f"chat_staff={token}"}
    nobody = await meet.silent(additional_headers=cookies)
    assert (await nobody.refusal("hello", staff=True))["code"] == "identity_required"
    plain = await meet.silent(additional_headers=cookies, origin=site.http)
    assert (await plain.refusal("hello"))["code"] == "identity_required"


async def test_a_wrong_sign_in_tells_nothing(office: Office) -> None:
    """[P-STAFF-2]"""
    operator, _ = await office.operator()
    page, me = await office.colleague(operator, "listener")
    _, him = await office.colleague(operator, "listener")
    await operator.post("/api/staff/revoke", json={"member": him["member"]["id"]})
    fresh = await office.page()
    answers = [
        await fresh.post("/api/staff/sign-in", json={"login": login, "password": password})
        for login, password in ((me["login"], OTHER), ("nobody", PASSWORD), (him["login"], PASSWORD), ("", ""))
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    assert error_of(answers[0]) == (401, "sign_in_refused")

    factor = (await page.post("/api/staff/totp")).json()
    app = pyotp.TOTP(factor["secret"])
    moment = time.time()
    on = {"secret": factor["secret"], "code": app.at(moment), "proof": {"password": PASSWORD}}
    assert (await page.post("/api/staff/totp/on", json=on)).status_code == 200
    right = {"login": me["login"], "password": PASSWORD}
    for typed in ({}, {"code": on["code"]}, {"code": "x"}):
        refused = await fresh.post("/api/staff/sign-in", json={**right, **typed})
        assert error_of(refused) == (401, "sign_in_refused")
        assert refused.json()["error"]["details"] == {"why": "code"}
    silent = await fresh.post("/api/staff/sign-in", json={**right, "password": OTHER, "code": app.at(moment + 30)})
    assert "details" not in silent.json()["error"]
    assert (await fresh.post("/api/staff/sign-in", json={**right, "code": app.at(moment + 30)})).status_code == 200


async def test_a_page_never_sees_its_token(office: Office, site: Cluster) -> None:
    """[P-STAFF-3]"""
    page, me = await office.operator()
    sign_in = {"login": me["login"], "password": PASSWORD}
    answer = await page.post("/api/staff/sign-in", json=sign_in)
    cookie = SimpleCookie(answer.headers.get_list("set-cookie")[0])["chat_staff"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    assert int(cookie["max-age"]) == 12 * 3600
    assert cookie.value not in answer.text
    assert cookie.value not in (await page.get("/api/staff/me")).text
    async with WebClient(base_url=site.http, timeout=20) as client:
        answer = await client.post("/api/staff/sign-in", json=sign_in)
        assert "set-cookie" not in answer.headers
        bearer = {"authorization": f"Bearer {answer.json()['token']}"}
        assert (await client.get("/api/staff/me", headers=bearer)).json()["member"] == me["member"]
        assert (await client.post("/api/staff/sign-out", headers=bearer)).status_code == 204
        assert error_of(await client.get("/api/staff/me", headers=bearer)) == (401, "identity_required")


async def test_an_invitation_makes_one_account(office: Office) -> None:
    """[P-STAFF-4]"""
    operator, me = await office.operator()
    link = await office.link(operator, "listener", "facilitator")
    page = await office.page()
    for changed, code, why in (
        ({"login": me["login"]}, "name_taken", None),
        ({"login": "no login"}, "name_refused", "login"),
        ({"name": me["member"]["name"]}, "name_taken", None),
        ({"password": "short"}, "password_weak", "short"),
        ({"password": "x7#k" * 100}, "password_weak", "long"),
        ({"password": "abababababab"}, "password_weak", "repeated"),
        ({"login": "gustav.gans", "password": "gustav.gans.1"}, "password_weak", "login"),
        ({"password": "password2026"}, "password_weak", "common"),
    ):
        answer = await page.post("/api/staff/invitation", json=office.account(link, **changed))
        assert error_of(answer)[1] == code
        assert why is None or answer.json()["error"]["details"]["why"] == why
    answer = await page.post("/api/staff/invitation", json=office.account(link))
    assert (answer.status_code, answer.json()["roles"]) == (201, ["facilitator", "listener"])
    assert (await page.get("/api/staff/me")).json() == answer.json()
    for used in (link, "x", "x" * 43):
        answer = await page.post("/api/staff/invitation", json=office.account(used))
        assert error_of(answer) == (404, "invitation_unknown")


async def test_each_role_may_call_what_is_its_own(office: Office) -> None:
    """[P-STAFF-5]"""
    operator, _ = await office.operator()
    nobody = await office.page()
    posts: dict[str, Json] = {
        "/api/staff/confirm": {"password": PASSWORD},
        "/api/staff/password": {"current": "x", "new": "x"},
        "/api/staff/totp": {},
        "/api/staff/totp/on": {"secret": "x", "code": "x"},
        "/api/staff/totp/off": {"password": "x"},
        "/api/staff/invite": {"roles": ["listener"]},
        "/api/staff/roles": {"member": "m_nobody", "roles": ["listener"]},
        "/api/staff/revoke": {"member": "m_nobody"},
    }
    for path, body in posts.items():
        assert error_of(await nobody.post(path, json=body)) == (401, "identity_required")
    for path in ("/api/staff/me", "/api/staff/people"):
        assert error_of(await nobody.get(path)) == (401, "identity_required")
    assert (await nobody.post("/api/staff/sign-out")).status_code == 204
    for role in ("listener", "facilitator", "moderator", "operator"):
        page, _ = await office.colleague(operator, role)
        statuses = {path: (await page.post(path, json=posts[path])).status_code for path in [*posts][-3:]}
        expected = (201, 404, 404) if role == "operator" else (403, 403, 403)
        assert tuple(statuses.values()) == expected
        people = await page.get("/api/staff/people")
        assert people.status_code == (200 if role in ("moderator", "operator") else 403)


@pytest.fixture
def later(site: Cluster) -> Iterator[Cluster]:
    """Another worker of the same place, whose clock is eleven minutes ahead."""
    secret = (site.server.directory / "data" / "secret.key").read_text().strip()
    with Cluster(config={"secret_key": secret, "database_url": f"sqlite:///{site.database}"}, clock=660) as later:
        yield later


async def test_what_is_dangerous_needs_the_password_again(office: Office, later: Cluster) -> None:
    """[P-STAFF-6]"""
    operator, _ = await office.operator()
    _, him = await office.colleague(operator, "listener")
    page = await office.page(later)
    page.cookies.set("chat_staff", operator.cookies["chat_staff"])
    member = him["member"]["id"]
    dangerous: tuple[tuple[str, Json], ...] = (
        ("/api/staff/invite", {"roles": ["listener"]}),
        ("/api/staff/roles", {"member": member, "roles": ["moderator"]}),
        ("/api/staff/reset", {"member": member}),
        ("/api/staff/agree", {"member": member}),
        ("/api/staff/revoke", {"member": member}),
    )
    for path, body in dangerous:
        assert error_of(await page.post(path, json=body)) == (403, "confirmation_required")
    assert (await page.get("/api/staff/people")).status_code == 200
    assert error_of(await page.post("/api/staff/confirm", json={"password": OTHER})) == (401, "sign_in_refused")
    assert error_of(await page.post("/api/staff/revoke", json={"member": member})) == (403, "confirmation_required")
    assert (await page.post("/api/staff/confirm", json={"password": PASSWORD})).status_code == 204
    statuses = [(await page.post(path, json=body)).status_code for path, body in dangerous]
    assert statuses == [201, 204, 201, 403, 204], "of these only what waits for nobody's agreement is refused"


async def test_who_has_a_second_factor_confirms_with_it(office: Office, later: Cluster) -> None:
    """[P-STAFF-6]"""
    operator, _ = await office.operator()
    factor = (await operator.post("/api/staff/totp")).json()
    app, moment = pyotp.TOTP(factor["secret"]), time.time() + 660
    page = await office.page(later)
    page.cookies.set("chat_staff", operator.cookies["chat_staff"])
    on = {"secret": factor["secret"], "code": app.at(moment), "proof": {"password": PASSWORD}}
    assert (await page.post("/api/staff/totp/on", json=on)).status_code == 200
    for typed in ({}, {"code": "x"}, {"code": on["code"]}):
        refused = await page.post("/api/staff/confirm", json={"password": PASSWORD, **typed})
        assert error_of(refused) == (401, "sign_in_refused")
        assert refused.json()["error"]["details"] == {"why": "code"}
    right = {"password": PASSWORD, "code": app.at(moment + 30)}
    assert (await page.post("/api/staff/confirm", json=right)).status_code == 204
    assert error_of(await page.post("/api/staff/confirm", json=right)) == (401, "sign_in_refused")


@pytest.mark.parametrize("has_redis", [True, False], ids=["with Redis", "without Redis"])
async def test_what_ends_is_ended_on_every_worker_within_a_second(
    two_clusters: tuple[Cluster, Cluster], redis_server: RedisServer, traffic: Traffic, has_redis: bool
) -> None:
    """[P-STAFF-7]"""
    here, there = two_clusters
    async with contextlib.AsyncExitStack() as stack:
        office = Office(here, stack, traffic)
        operator, _ = await office.operator()
        pages = [await office.colleague(operator, "listener") for _ in range(4)]
        consoles = [[await office.console(page, site) for site in two_clusters] for page, _ in pages]
        mine = await office.console(operator, there)
        if not has_redis:
            await asyncio.to_thread(redis_server.kill)
        (_, revoked), (leaver, _), (changer, _), (_, promoted) = pages
        ends: tuple[tuple[httpx.AsyncClient, str, Json], ...] = (
            (operator, "revoke", {"member": revoked["member"]["id"]}),
            (leaver, "sign-out", {}),
            (changer, "password", {"current": PASSWORD, "new": OTHER}),
        )
        for (page, call, body), peers in zip(ends, consoles, strict=False):
            assert (await page.post(f"/api/staff/{call}", json=body)).status_code in (200, 204)
            started = time.monotonic()
            assert [await peer.ended() for peer in peers] == [4401, 4401]
            assert time.monotonic() - started < 1.0
        body = {"member": promoted["member"]["id"], "roles": ["listener", "moderator"]}
        assert (await operator.post("/api/staff/roles", json=body)).status_code == 204
        started = time.monotonic()
        for peer in consoles[3]:
            assert (await peer.push("self"))["roles"] == ["moderator", "listener"]
        assert time.monotonic() - started < 1.0
        assert await mine.ask("ping")


async def test_a_sign_in_that_is_over_closes_its_connections(traffic: Traffic) -> None:
    """[P-STAFF-7]"""
    with Cluster(config={"staff": {"sign_in_hours": 3 / 3600}}) as site:
        async with contextlib.AsyncExitStack() as stack:
            office = Office(site, stack, traffic)
            page, _ = await office.operator()
            console = await office.console(page)
            assert await console.ended() == 4401
            assert error_of(await page.get("/api/staff/me")) == (401, "identity_required")


async def test_there_is_always_an_operator(traffic: Traffic) -> None:
    """[P-STAFF-8]"""
    with Cluster() as site:
        async with contextlib.AsyncExitStack() as stack:
            office = Office(site, stack, traffic)
            page, me = await office.operator()
            member = me["member"]["id"]
            for call, body in (("revoke", {"member": member}), ("roles", {"member": member, "roles": ["listener"]})):
                answer = await page.post(f"/api/staff/{call}", json=body)
                assert error_of(answer) == (403, "not_allowed")
                assert answer.json()["error"]["details"] == {"why": "last_operator"}
            answer = await page.post("/api/staff/erase", json={"password": PASSWORD})
            assert error_of(answer) == (403, "not_allowed")
            assert answer.json()["error"]["details"] == {"why": "last_operator"}
            other, them = await office.colleague(page, "operator")
            for call, body in (("revoke", {"member": member}), ("roles", {"member": member, "roles": ["listener"]})):
                answer = await page.post(f"/api/staff/{call}", json=body)
                assert error_of(answer) == (403, "not_allowed")
                assert answer.json()["error"]["details"] == {"why": "self"}
            more = {"member": member, "roles": ["operator", "listener"]}
            assert (await page.post("/api/staff/roles", json=more)).status_code == 204
            assert (await other.post("/api/staff/revoke", json={"member": member})).status_code == 204
            answer = await other.post("/api/staff/revoke", json={"member": them["member"]["id"]})
            assert error_of(answer) == (403, "not_allowed")


async def test_statistics_are_whole_weeks_without_small_numbers(office: Office, site: Cluster) -> None:
    """[P-STAFF-12]"""
    operator, _ = await office.operator()
    monday = (int(time.time() // 86_400) - 4) // 7 * 7 + 4 - 14
    rows = [(2, 3, 1)] * 12 + [(0, 3, 5)]
    with contextlib.closing(sqlite3.connect(site.database)) as database, database:
        for day in range(7):
            # On the first day one person did not feel heard; on the others a dozen.
            given = rows if day == 0 else [*rows, *[(0, 3, 5)] * (11 + day)]
            at = (monday + day) * 86_400_000 + 1
            database.executemany("INSERT INTO feedback VALUES (?, ?, ?, ?)", [(*each, at) for each in given])
        database.execute("INSERT INTO feedback VALUES (1, 1, 1, ?)", (int(time.time() * 1000),))
    answer = await operator.get("/api/staff/statistics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    told = list(csv.DictReader(answer.text.splitlines()))
    heard = {(each["day"], each["kind"]): each["count"] for each in told if each["table"] == "heard" and each["count"]}
    assert heard["total", "total"] == str(7 * 13 + sum(11 + day for day in range(1, 7)))
    assert all(int(count) >= 11 for count in heard.values())
    assert ("total", "partly") not in heard
    left_out = [each for each in told if each["table"] == "heard" and not each["count"] and each["kind"] != "withheld"]
    assert len(left_out) == 4
    assert (await operator.get("/api/staff/statistics")).text == answer.text


async def test_a_policy_is_simulated_from_enough_asks_and_nothing_from_fewer(office: Office, site: Cluster) -> None:
    """[P-STAFF-13]"""
    operator, _ = await office.operator()
    path = "/api/staff/simulation"
    assert (await operator.get(path)).json() == {"simulation": None}
    for query in ("cap=9", "days=0", "days=x", "listeners=51", "pause=5", "proposal_seconds=9"):
        assert error_of(await operator.get(f"{path}?{query}")) == (400, "invalid"), query
    start = (int(time.time()) - 86_400) * 1000 // 10_000 * 10_000
    with contextlib.closing(sqlite3.connect(site.database)) as database, database:
        asks = [(start + each * 120_000, start + each * 120_000 + 30_000, "met", 1_800_000) for each in range(40)]
        database.executemany("INSERT INTO asks (asked_at, ended_at, outcome, length) VALUES (?, ?, ?, ?)", asks)
        shifts = [(start, start + 14_400_000, 2)] * 2
        database.executemany("INSERT INTO shifts (started_at, ended_at, cap) VALUES (?, ?, ?)", shifts)
    answer = await operator.get(f"{path}?days=2&listeners=10&pause_minutes=0")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    found = answer.json()["simulation"]
    assert [found[column]["asks"] for column in ("recorded", "replayed", "imagined")] == [40, 40, 40]
    assert (found["recorded"]["half"], found["imagined"]["half"]) == (30, 10)
    assert found["imagined"]["soon"] == {"bound": "over", "percent": 72}
    assert found["recorded"]["left"] is None


async def test_of_two_operators_who_demote_one_another_on_two_workers_one_does(
    two_clusters: tuple[Cluster, Cluster], traffic: Traffic
) -> None:
    """[P-STAFF-8]"""
    here, there = two_clusters
    async with contextlib.AsyncExitStack() as stack:
        office = Office(here, stack, traffic)
        first, _ = await office.operator()
        pages = [await office.colleague(first, "operator") for _ in range(2)]
        (ada, ada_is), (bea, bea_is) = pages
        elsewhere = await office.page(there)
        elsewhere.cookies.set("chat_staff", bea.cookies["chat_staff"])
        answers = await asyncio.gather(
            ada.post("/api/staff/roles", json={"member": bea_is["member"]["id"], "roles": ["listener"]}),
            elsewhere.post("/api/staff/roles", json={"member": ada_is["member"]["id"], "roles": ["listener"]}),
        )
        assert sorted(answer.status_code for answer in answers) == [204, 403]
        accounts = (await first.get("/api/staff/people")).json()["people"]
        people = {each["member"]["id"]: each["roles"] for each in accounts}
        left = [people[who["member"]["id"]] for who in (ada_is, bea_is)]
        assert sorted(left) == [["listener"], ["operator"]]


async def test_the_names_of_staff_are_their_own(office: Office, meet: Meet) -> None:
    """[P-STAFF-9]"""
    page, me = await office.operator()
    console = await office.console(page)
    assert (await console.refusal("rename", name="Somebody else"))["code"] == "not_allowed"
    assert (await console.refusal("code"))["code"] == "not_allowed"
    guest = await meet()
    name = me["member"]["name"]
    assert (await guest.refusal("rename", name=name))["code"] == "name_taken"

    async def is_refused() -> bool:
        try:
            await guest.ask("rename", name=f"{name} 7")
        except Refused as refused:
            return refused.code == "name_taken"
        return False

    async with asyncio.timeout(10):
        while not await is_refused():  # noqa: ASYNC110 - a worker reads the staff's names every few seconds
            await asyncio.sleep(0.1)


async def test_who_works_here_can_take_their_data_along_and_go(office: Office, meet: Meet, room: str) -> None:
    """[P-STAFF-11]"""
    operator, _ = await office.operator()
    page, me = await office.colleague(operator, "listener")
    console = await office.console(page)
    for peer in (guest := await meet(), console):
        await peer.join(room)
    offset = await console.post(room, "from somebody who goes")
    await guest.heard_offset(room, offset)
    export = await page.get("/api/staff/export")
    assert (export.status_code, export.json()["member"]["id"]) == (200, me["member"]["id"])
    assert export.json()["staff"]["login"] == me["login"]
    assert "from somebody who goes" in export.text
    wrong = await page.post("/api/staff/erase", json={"password": OTHER})
    assert error_of(wrong) == (401, "sign_in_refused")
    assert (await page.post("/api/staff/erase", json={"password": PASSWORD})).status_code == 204
    assert await console.ended() == 4401
    await guest.push("redacted")
    page.cookies.clear()
    again = await page.post("/api/staff/sign-in", json={"login": me["login"], "password": PASSWORD})
    assert error_of(again) == (401, "sign_in_refused")
    for answer in (
        await page.get("/api/staff/export"),
        await page.post("/api/staff/erase", json={"password": PASSWORD}),
    ):
        assert error_of(answer) == (401, "identity_required")
    people = (await operator.get("/api/staff/people")).json()["people"]
    assert me["member"]["id"] not in [each["member"]["id"] for each in people]


async def test_nobody_guesses_for_long(traffic: Traffic) -> None:
    """[P-STAFF-10]"""
    # From one address a login has a third of what it has from everywhere.
    limits = {"sign_ins_per_login_per_hour": 9, "sign_ins_per_address_per_hour": 7}
    with Cluster(limits=limits, config={"shared_networks": []}) as site:
        async with contextlib.AsyncExitStack() as stack:
            office = Office(site, stack, traffic)
            await asyncio.to_thread(add_operator, site, "anna")
            page = await office.page()

            async def attempt(login: str, password: str) -> httpx.Response:
                return await page.post("/api/staff/sign-in", json={"login": login, "password": password})

            for login in ("anna", "ANNA", " anna"):
                assert error_of(await attempt(login, OTHER)) == (401, "sign_in_refused")
            answer = await attempt("anna", PASSWORD)
            assert error_of(answer) == (429, "rate_limited")
            assert answer.json()["error"]["retry_after"] > 60
            for login in ("b", "c", "d"):
                assert error_of(await attempt(login, OTHER)) == (401, "sign_in_refused")
            assert error_of(await attempt("e", OTHER)) == (429, "rate_limited")


async def test_nobody_is_let_in_while_the_store_is_away(traffic: Traffic) -> None:
    """[P-STAFF-10]"""
    with Cluster() as site:
        async with contextlib.AsyncExitStack() as stack:
            office = Office(site, stack, traffic)
            _, me = await office.operator()
            fresh = await office.page()
            with _unwritable(site.database):
                answer = await fresh.post(
                    "/api/staff/sign-in", json={"login": me["login"], "password": PASSWORD}, timeout=15
                )
            assert error_of(answer) == (503, "storage_unavailable")
            assert "set-cookie" not in answer.headers


@contextlib.contextmanager
def _unwritable(database: Path) -> Iterator[None]:
    """Somebody else holds the database's lock for writing."""
    holder = sqlite3.connect(database, isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        yield
    finally:
        holder.rollback()
        holder.close()
