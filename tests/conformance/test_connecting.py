"""Connecting, encodings and hello, as `docs/protocol.md` promises them."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet


async def _status(site: Cluster, **options: object) -> int:
    """The HTTP status of a handshake that must fail."""
    with pytest.raises(InvalidStatus) as caught:
        async with connect(site.ws, **options):  # type: ignore[arg-type]
            pass
    return caught.value.response.status_code


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (["chat.v1.json"], "chat.v1.json"),
        (["chat.v1.msgpack"], "chat.v1.msgpack"),
        (["chat.v1.msgpack", "chat.v1.json"], "chat.v1.msgpack"),
        (["chat.v9.json", "chat.v1.json"], "chat.v1.json"),
    ],
)
async def test_the_first_known_subprotocol_is_taken(site: Cluster, offered: list[str], taken: str) -> None:
    """[P-CONNECT-1]"""
    async with connect(site.ws, subprotocols=offered) as socket:  # type: ignore[arg-type]
        assert socket.subprotocol == taken


@pytest.mark.parametrize("offered", [None, ["chat.v9.json"], ["CHAT.V1.JSON"]])
async def test_without_a_known_subprotocol_there_is_no_handshake(site: Cluster, offered: list[str] | None) -> None:
    """[P-CONNECT-2]"""
    assert await _status(site, subprotocols=offered) == 400


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://127.0.0.1:1"])
async def test_a_foreign_page_may_not_connect(site: Cluster, origin: str) -> None:
    """[P-CONNECT-3]"""
    assert await _status(site, subprotocols=["chat.v1.json"], origin=origin) == 403


async def test_the_own_page_and_clients_without_origin_may_connect(site: Cluster) -> None:
    """[P-CONNECT-3]"""
    for origin in (site.http, None):
        async with connect(site.ws, subprotocols=["chat.v1.json"], origin=origin):  # type: ignore[arg-type,list-item]
            pass


@pytest.mark.both_encodings
async def test_clients_of_both_encodings_meet_in_one_room(meet: Meet, room: str) -> None:
    """[P-ENC-1]"""
    wren, otter = await meet(encoding=Encoding.JSON), await meet(encoding=Encoding.MSGPACK)
    for peer in (wren, otter):
        await peer.join(room)
    text = 'größer 🙂 "quoted" \\ \u2019 [{'
    await wren.post(room, text)
    await otter.post(room, text)
    for peer in (wren, otter):
        await peer.heard_offset(room, 2)
    assert wren.facts(room) == otter.facts(room)
    assert [fact["post"]["text"] for fact in wren.facts(room)] == [text, text]


@pytest.mark.both_encodings
async def test_a_frame_of_the_other_kind_closes(meet: Meet, encoding: Encoding) -> None:
    """[P-ENC-2]"""
    peer = await meet()
    await peer.send_raw(b"{}" if encoding is Encoding.JSON else "{}")
    assert await peer.ended() == 1003


@pytest.mark.both_encodings
async def test_unknown_fields_are_passed_over(meet: Meet, room: str) -> None:
    """[P-ENC-3]"""
    peer = await meet()
    await peer.join(room, later=[{"x": 1}])
    assert await peer.post(room, "hello", mood={"is": "good"}) == 1


# ------------------------------------------------------------------------------------------------- hello


async def test_everything_else_waits_for_hello(meet: Meet, room: str) -> None:
    """[P-HELLO-1]"""
    peer = await meet.silent()
    commands: list[tuple[str, dict[str, object]]] = [
        ("rooms", {}),
        ("join", {"room": room}),
        ("post", {"room": room, "text": "hi"}),
        ("ping", {}),
        ("code", {}),
        ("mute", {"member": "m_x", "on": True}),
    ]
    for cmd, fields in commands:
        assert (await peer.refusal(cmd, **fields))["code"] == "hello_required"
    await peer.hello()
    await peer.ask("ping")


async def test_hello_is_said_once(meet: Meet) -> None:
    """[P-HELLO-3]"""
    peer = await meet()
    assert (await peer.refusal("hello", guest=True))["code"] == "already_said_hello"
    assert (await peer.ask("rename", name=peer.member["name"]))["member"] == peer.member


async def test_a_token_names_the_same_member_again(meet: Meet) -> None:
    """[P-HELLO-4]"""
    first = await meet()
    assert first.token
    assert first.member["name"].strip()
    again = await meet(token=first.token)
    assert again.member == first.member
    other = await meet()
    assert other.member["id"] != first.member["id"]
    assert other.member["name"] != first.member["name"]


async def test_no_identity_and_an_unknown_one_are_told_apart(meet: Meet) -> None:
    """[P-HELLO-5]"""
    peer = await meet.silent()
    assert (await peer.refusal("hello"))["code"] == "identity_required"
    for token in ("rubbish", "a.b.c", "\x01", "🙂", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtX3gifQ."):
        assert (await peer.refusal("hello", token=token))["code"] == "identity_unknown"
    await peer.hello()


async def test_hello_tells_what_a_client_must_know(meet: Meet) -> None:
    """[P-HELLO-6]"""
    peer = await meet.silent()
    ok = await peer.hello()
    assert ok["version"] == 1
    assert (ok["muted"], ok["has_code"]) == ([], False)
    assert ok["limits"].keys() == {
        "frame_bytes", "text_length", "warning_length", "rooms_per_connection", "edit_seconds", "ping_seconds",
        "commands_per_second", "command_burst", "member_commands_per_second", "member_command_burst",
        "posts_per_second", "post_burst", "reactions_per_second", "reaction_burst",
    }  # fmt: skip
    assert (ok["limits"]["commands_per_second"], ok["limits"]["post_burst"]) == (10_000, 10_000)
    assert ok["now"] > 1_700_000_000_000


async def test_one_member_may_have_two_connections(meet: Meet, room: str) -> None:
    """[P-ENC-1] Both hear everything, each in its own encoding."""
    first = await meet(encoding=Encoding.JSON)
    second = await meet(encoding=Encoding.MSGPACK, token=first.token)
    for peer in (first, second):
        await peer.join(room)
    await first.post(room, "one")
    await second.post(room, "two")
    await asyncio.gather(*(peer.heard_offset(room, 2) for peer in (first, second)))
    assert first.facts(room) == second.facts(room)
    assert {fact["post"]["author"] for fact in first.facts(room)} == {first.id_in(room)}


async def test_a_dropped_connection_harms_nobody(meet: Meet, room: str) -> None:
    """[P-ORDER-2]"""
    wren, otter = await meet(), await meet()
    for peer in (wren, otter):
        await peer.join(room)
    otter.drop()
    await otter.ended()
    await wren.post(room, "still here")
    await wren.heard_offset(room, 1)
