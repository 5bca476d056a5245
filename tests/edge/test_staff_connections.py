"""Connections of staff: what hello tells, what ends them, and how somebody leaves."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from chatserver.domain.people.staff import Role
from tests.edge.chat import chatting
from tests.edge.serving import until
from tests.edge.staff_office import PASSWORD, Office, ask, code_of, end_of
from tests.edge.test_staff import OTHER


async def test_hello_as_staff(office: Office) -> None:
    browser = await office.signed_in()
    member = (await browser.get("/api/staff/me")).json()["member"]
    socket = await office.socket(browser)
    # The staff's cookie says nothing about who the page's member is.
    assert (await ask(socket, "hello"))["error"]["code"] == "identity_required"
    hello = (await ask(socket, "hello", staff=True))["ok"]
    assert (hello["member"], hello["roles"], hello["has_code"]) == (member, ["operator"], False)
    assert hello.get("token") is None
    assert (await ask(socket, "hello", staff=True))["error"]["code"] == "already_said_hello"
    for cmd, fields in (("rename", {"name": "Somebody"}), ("code", {})):
        assert (await ask(socket, cmd, **fields))["error"]["code"] == "not_allowed"
    joined = (await ask(socket, "join", room="sleep", agreement=1))["ok"]
    # Who may moderate is shown with that role.
    assert joined["people"] == [{"id": joined["me"][0], "name": member["name"], "role": "moderator"}]
    assert member["id"] not in str(joined), "whoever works here has another id in a room, too"


async def test_a_guests_hello_tells_no_roles(office: Office) -> None:
    socket = await office.socket(await office.browser())
    assert "roles" not in (await ask(socket, "hello", guest=True))["ok"]


async def test_nobody_may_be_called_like_staff(office: Office) -> None:
    await until(lambda: len(office.server.worker.people.identities.staff_keys) == 1, 10)
    socket = await office.socket(await office.browser())
    await ask(socket, "hello", guest=True)
    for name in ("Anna Berg", "anna berg", "Anna Berg 2", "AnnaBerg"):
        assert (await ask(socket, "rename", name=name))["error"]["code"] in ("name_refused", "name_taken")
    assert "ok" in await ask(socket, "rename", name="Ulla Tal")


async def test_what_ends_a_sign_in_ends_its_connections(office: Office) -> None:
    here, there = await office.signed_in(), await office.signed_in()
    mine, other = await office.console(here), await office.console(there)
    await here.post("/api/staff/sign-out")
    assert await end_of(mine, 1.0) == 4401
    assert "ok" in await ask(other, "ping")
    changed = await there.post("/api/staff/password", json={"current": PASSWORD, "new": OTHER})
    assert changed.status_code == 200
    assert await end_of(other, 1.0) == 4401
    assert "ok" in await ask(await office.console(there), "ping")
    assert len(office.server.worker.node.staffed) == 1


async def test_revoking_ends_all_of_ones_connections_and_nobody_elses(office: Office) -> None:
    operator, ben = await office.signed_in(), await office.colleague("ben", Role.LISTENER)
    mine = await office.console(operator)
    his = [await office.console(ben) for _ in range(3)]
    member = (await ben.get("/api/staff/me")).json()["member"]["id"]
    assert (await operator.post("/api/staff/revoke", json={"member": member})).status_code == 204
    assert [await end_of(socket, 1.0) for socket in his] == [4401] * 3
    assert (await ben.get("/api/staff/me")).status_code == 401
    assert "ok" in await ask(mine, "ping")
    listed = (await operator.get("/api/staff/people")).json()["people"]
    assert [(each["login"], "revoked_at" in each) for each in listed] == [("anna", False), ("ben", True)]


async def test_what_another_process_did_is_seen_within_a_second_without_the_bus(office: Office) -> None:
    """The command line, or a worker while Redis is away: nobody tells, and the store is asked."""
    ben, cleo = await office.colleague("ben", Role.LISTENER), await office.colleague("cleo", Role.LISTENER)
    his, hers = await office.console(ben), await office.console(cleo)
    store, now = office.server.worker.node.store, office.server.worker.node.now
    people = {staff.login: staff.member for staff in await store.all_staff()}
    await store.revoke_staff(people["ben"], now())
    await store.set_staff(
        people["cleo"], frozenset({Role.MODERATOR, Role.LISTENER}), now=office.server.worker.node.now()
    )
    assert await end_of(his, 1.0) == 4401
    push = json.loads(await asyncio.wait_for(hers.recv(), 1))
    assert (push["push"], push["roles"]) == ("self", ["moderator", "listener"])
    (connection,) = office.server.worker.node.connections_of(people["cleo"])
    assert connection.roles == {Role.MODERATOR, Role.LISTENER}


async def test_a_sign_in_that_is_over_ends_its_connections(tmp_path: Path) -> None:
    async with chatting(tmp_path, staff={"sign_in_hours": 2 / 3600}) as (served, server):
        await server.worker.people.accounts.add_operator("anna", "Anna", PASSWORD)
        welcome = await server.worker.people.accounts.sign_in("anna", PASSWORD)
        async with connect(served.url, subprotocols=[Subprotocol("chat.v1.json")]) as socket:
            assert "ok" in await ask(socket, "hello", staff=True, token=welcome.token)
            assert await end_of(socket) == 4401
        assert server.worker.node.now() >= welcome.sign_in.expires_at


async def test_staff_take_along_what_is_kept_about_them(office: Office) -> None:
    browser = await office.colleague("ben", Role.LISTENER)
    answer = await browser.get("/api/staff/export")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    me = (await browser.get("/api/staff/me")).json()
    assert answer.json()["member"]["id"] == me["member"]["id"]
    assert (answer.json()["staff"]["login"], answer.json()["staff"]["roles"]) == ("ben", ["listener"])
    assert "argon2" not in answer.text
    assert "Anna Berg" not in answer.text


async def test_whoever_goes_is_nowhere_and_all_of_their_connections_are_closed(office: Office, tmp_path: Path) -> None:
    browser = await office.colleague("ben", Role.LISTENER)
    console = await office.console(browser)
    assert "ok" in await ask(console, "console")
    assert "ok" in await ask(console, "join", room="sleep", agreement=1)
    assert "ok" in await ask(console, "post", room="sleep", text="words of somebody who goes")
    member = (await browser.get("/api/staff/me")).json()["member"]["id"]
    node = office.server.worker.node
    assert member in office.server.worker.listening.service.state.listeners
    wrong = await browser.post("/api/staff/erase", json={"password": "not the one that it is"})
    assert (wrong.status_code, code_of(wrong)) == (401, "sign_in_refused")
    gone = await browser.post("/api/staff/erase", json={"password": PASSWORD})
    assert (gone.status_code, gone.content) == (204, b"")
    assert "chat_staff" not in browser.cookies
    assert await end_of(console) == 4401
    assert member not in office.server.worker.listening.service.state.listeners
    assert [staff.login for staff in await node.store.all_staff()] == ["anna"]
    assert await node.store.member(member) is None
    for left in (tmp_path / "data").glob("chat.db*"):
        assert b"words of somebody who goes" not in left.read_bytes()


async def test_the_last_operator_stays(office: Office) -> None:
    browser = await office.browser()
    signed_in = await browser.post("/api/staff/sign-in", json={"login": "anna", "password": PASSWORD})
    assert signed_in.status_code == 200
    refused = await browser.post("/api/staff/erase", json={"password": PASSWORD})
    assert (refused.status_code, code_of(refused)) == (403, "not_allowed")
    assert refused.json()["error"]["details"] == {"why": "last_operator"}
    assert (await browser.get("/api/staff/me")).status_code == 200
