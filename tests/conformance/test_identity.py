"""Names, come-back codes, and the HTTP calls of the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie

import httpx
import pytest
from websockets.asyncio.client import connect

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet, Rooms
from tests.conformance.peer import Peer
from tests.conformance.traffic import Traffic
from tests.kit.web import WebClient

JSON_ONLY = pytest.mark.parametrize("encoding", [Encoding.JSON])


@pytest.fixture
async def page(site: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    """A browser's page of the server, with its Origin and its cookies."""
    async with WebClient(base_url=site.http, headers={"origin": site.http}) as client:
        yield client


# ------------------------------------------------------------------------------------------------- credentials


@JSON_ONLY
async def test_signing_out_elsewhere_ends_every_other_browser_and_the_code(
    site: Cluster, meet: Meet, page: httpx.AsyncClient
) -> None:
    """[P-HTTP-7]"""
    await page.post("/api/identity")
    stolen = page.cookies["chat_identity"]
    owner, other = await meet(token=stolen), await meet(token=stolen)
    code = (await owner.ask("code"))["code"]
    answer = await page.post("/api/identity/sign-out-others")
    assert (answer.status_code, answer.json()["has_code"]) == (200, False)
    assert [await peer.ended(1.0) for peer in (owner, other)] == [4403, 4403]
    assert (await (await meet.silent()).refusal("hello", token=stolen))["code"] == "identity_unknown"
    back = await meet(token=page.cookies["chat_identity"])
    assert back.member["id"] == owner.member["id"]
    async with WebClient(base_url=site.http, headers={"origin": site.http}) as thief:
        thief.cookies.set("chat_identity", stolen)
        assert (await thief.get("/api/identity/export")).status_code == 401
        assert (await thief.post("/api/identity/erase")).status_code == 401
        assert (await thief.post("/api/identity/restore", json={"code": code})).json()["error"][
            "code"
        ] == "code_unknown"
    # A code that is used ends what there was before it, too.
    code = (await back.ask("code"))["code"]
    async with WebClient(base_url=site.http, headers={"origin": site.http}) as elsewhere:
        assert (await elsewhere.post("/api/identity/restore", json={"code": code})).status_code == 200
    assert await back.ended(1.0) == 4403


# ------------------------------------------------------------------------------------------------- names


async def test_no_two_members_have_one_name(meet: Meet) -> None:
    """[P-NAME-1]"""
    wren, otter = await meet(), await meet()
    name = f"Tidal{wren.letters}"
    assert (await wren.ask("rename", name=f"  {name} "))["member"] == {"id": wren.member["id"], "name": name}
    for alike in (name, name.upper(), name.replace("l", "I"), f"{name[:5]} {name[5:]}", f"{name}\u00a0"):
        assert (await otter.refusal("rename", name=alike))["code"] == "name_taken"
    await wren.ask("rename", name=name.upper())
    await wren.ask("rename", name=wren.member["name"])
    await otter.ask("rename", name=name)


async def test_names_are_normalised(meet: Meet) -> None:
    """[P-NAME-1]"""
    peer = await meet()
    assert (await peer.ask("rename", name=f"\uff37ren{peer.letters}"))["member"]["name"] == f"Wren{peer.letters}"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * 25,
        "a\u202eb",
        "\u200b",
        "a\x01b",
        "a\nb",
        "N\u0456ght",
        "call 0123456789",
        "Moderator",
        "ADMIN",
        "a" + "\u0301" * 20,
    ],
    ids=ascii,
)
async def test_a_name_that_deceives_is_refused(meet: Meet, name: str) -> None:
    """[P-NAME-2]"""
    peer = await meet()
    assert (await peer.refusal("rename", name=name))["code"] == "name_refused"


async def test_other_devices_are_told_and_posts_keep_their_name(meet: Meet, room: str) -> None:
    """[P-NAME-3] [P-NAME-5]"""
    peer, thief = await meet(), await meet()
    device = await meet(token=peer.token)
    await peer.join(room)
    old = peer.member["name"]
    await peer.post(room, "under the old name")
    name = f"New {peer.letters}"
    await peer.ask("rename", name=name)
    assert (await device.push("self"))["member"] == {"id": peer.member["id"], "name": name}
    await peer.post(room, "under the new name")
    posts = (await peer.join(room))["posts"]
    assert [post["name"] for post in posts] == [old, name]
    for taken in (old, f"The {old}", f"{name}s"):
        assert (await thief.refusal("rename", name=taken))["code"] == "name_taken"


# ------------------------------------------------------------------------------------------------- codes


@JSON_ONLY
async def test_a_code_brings_the_member_back(meet: Meet, page: httpx.AsyncClient) -> None:
    """[P-CODE-1] [P-CODE-2]"""
    peer = await meet()
    first = (await peer.ask("code"))["code"]
    code = (await peer.ask("code"))["code"]
    assert first != code
    again = await meet.silent()
    assert (await again.hello(token=peer.token))["has_code"] is True
    answer = await page.post("/api/identity/restore", json={"code": first})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "code_unknown")
    for written in (code, code.upper(), f"  {' '.join(code.replace('-', ' ').split())} "):
        answer = await page.post("/api/identity/restore", json={"code": written})
        assert answer.status_code == 200
        assert answer.json()["member"] == peer.member
        assert answer.json()["created"] is False
    assert (await page.post("/api/identity")).json()["member"] == peer.member


@pytest.mark.parametrize("body", [b"", b"rubbish", b"[]", b'{"code":5}', b"{}", b"\xff", b'{"code":"\\ud800"}'])
async def test_a_code_that_cannot_be_read(page: httpx.AsyncClient, body: bytes) -> None:
    """[P-ERROR-1]"""
    answer = await page.post("/api/identity/restore", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"].keys() >= {"code", "message", "temporary"}


@pytest.mark.parametrize("code", ["", " ", "x", "\x01", "🙂 🙂 🙂 🙂", "a-b-c-d-e-f", "'; drop table members; --"])
async def test_a_wrong_code_is_unknown(page: httpx.AsyncClient, code: str) -> None:
    """[P-CODE-1]"""
    answer = await page.post("/api/identity/restore", json={"code": code})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "code_unknown")


# -------------------------------------------------------------------------------------------------- HTTP


async def test_a_page_is_known_by_its_cookie(page: httpx.AsyncClient) -> None:
    """[P-HTTP-1] [P-HTTP-2]"""
    first = await page.post("/api/identity")
    assert (first.status_code, first.json()["created"]) == (201, True)
    cookie = next(iter(SimpleCookie(first.headers["set-cookie"]).values()))
    assert cookie["httponly"] is True
    assert cookie["samesite"].lower() in ("strict", "lax")
    assert cookie.value not in first.text
    again = await page.post("/api/identity")
    assert (again.status_code, again.json()["created"]) == (200, False)
    assert again.json()["member"] == first.json()["member"]


@JSON_ONLY
async def test_a_client_that_is_no_browser_gets_its_token_in_the_body(
    meet: Meet, site: Cluster, page: httpx.AsyncClient
) -> None:
    """[P-HTTP-8] [P-HTTP-2]"""
    async with WebClient(base_url=site.http) as client:
        made = (await client.post("/api/identity")).json()
        peer = await meet(token=made["token"])
        assert peer.member == made["member"]
        code = (await peer.ask("code"))["code"]
        restored = (await client.post("/api/identity/restore", json={"code": code})).json()
        again = await meet(token=restored["token"])
        assert (again.member, restored["member"]) == (made["member"], made["member"])
        told = {"authorization": f"Bearer {restored['token']}"}
        alone = (await client.post("/api/identity/sign-out-others", headers=told)).json()
        assert (await meet(token=alone["token"])).member == made["member"]
    code = (await (await meet(token=alone["token"])).ask("code"))["code"]
    shown = await page.post("/api/identity/restore", json={"code": code})
    assert (shown.status_code, "token" in shown.json()) == (200, False)


async def test_hello_by_cookie(site: Cluster, page: httpx.AsyncClient, traffic: Traffic) -> None:
    """[P-HTTP-2] [P-HELLO-6] The page's hello holds nothing secret, and neither does its reply."""
    member = (await page.post("/api/identity")).json()["member"]
    cookies = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
    async with await Peer.connect(site.ws, traffic, origin=site.http, additional_headers={"cookie": cookies}) as peer:
        ok = await peer.ask("hello")
        assert ok["member"] == member
        assert ok.get("token") is None
    async with connect(site.ws, subprotocols=["chat.v1.json"], additional_headers={"cookie": cookies}) as socket:  # type: ignore[list-item]
        await socket.send('{"cmd":"hello","id":"1"}')
        assert "identity_required" in str(await socket.recv())


async def test_forgetting_forgets_here_only(meet: Meet, page: httpx.AsyncClient) -> None:
    """[P-HTTP-1]"""
    first = (await page.post("/api/identity")).json()
    assert (await page.post("/api/identity/forget")).status_code == 204
    assert (await page.post("/api/identity")).json()["member"] != first["member"]


@JSON_ONLY
async def test_export_holds_ones_own_and_nothing_else(meet: Meet, site: Cluster, rooms: Rooms) -> None:
    """[P-HTTP-3]"""
    room = rooms.plain()
    wren, otter = await meet(), await meet()
    for peer in (wren, otter):
        await peer.join(room)
    offset = await wren.post(room, "my own words")
    await otter.post(room, "their own words")
    await wren.ask("react", room=room, offset=offset + 1, reaction="hug", on=True)
    await wren.ask("mute", member=otter.id_in(room), on=True)
    async with WebClient(base_url=site.http, headers={"authorization": f"Bearer {wren.token}"}) as client:
        answer = await client.get("/api/identity/export")
    assert answer.status_code == 200
    for mine in (wren.member["name"], room, "my own words", "hug", otter.member["name"]):
        assert mine in answer.text
    assert "their own words" not in answer.text
    assert otter.member["id"] not in answer.text, "whom they hide is told by the name they had then"


async def test_erasing_erases_everywhere(meet: Meet, site: Cluster, room: str) -> None:
    """[P-HTTP-4]"""
    wren, otter = await meet(), await meet()
    for peer in (wren, otter):
        await peer.join(room)
    code = (await wren.ask("code"))["code"]
    first = await wren.post(room, "erase me", warning="and me")
    theirs = await otter.post(room, "a post of somebody else")
    await wren.ask("react", room=room, offset=theirs, reaction="hug", on=True)
    async with WebClient(base_url=site.http, headers={"authorization": f"Bearer {wren.token}"}) as client:
        assert (await client.post("/api/identity/erase")).status_code == 204
        assert (await client.get("/api/identity/export")).status_code == 401
        assert (await client.post("/api/identity/restore", json={"code": code})).status_code == 404
    assert await wren.ended() == 4401
    await otter.push("redacted", lambda push: push["target"] == first)
    await otter.push("reacted", lambda push: push["target"] == theirs and push["counts"] == {})
    again = await meet.silent()
    assert (await again.refusal("hello", token=wren.token))["code"] == "identity_unknown"
    page = await otter.join(room)
    assert "erase me" not in str(page)
    assert "and me" not in str(page)
    assert page["posts"][0]["redacted"] is True
    assert await otter.post(room, "the room goes on") > theirs


async def test_without_an_identity_there_is_nothing_to_export_or_erase(page: httpx.AsyncClient) -> None:
    """[P-HTTP-5] [P-ERROR-1]"""
    for answer in (await page.get("/api/identity/export"), await page.post("/api/identity/erase")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "identity_required")


async def test_a_foreign_page_may_not_ask(site: Cluster) -> None:
    """[P-CONNECT-3] [P-ERROR-1]"""
    async with WebClient(base_url=site.http, headers={"origin": "https://elsewhere.example"}) as client:
        for call in ("/api/identity", "/api/identity/erase", "/api/identity/forget", "/api/identity/restore"):
            answer = await client.post(call)
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == "origin_refused"
