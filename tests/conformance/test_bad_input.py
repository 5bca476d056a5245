"""Rubbish in, a typed refusal out; and nobody else notices."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import AsyncIterator
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from websockets.exceptions import ConnectionClosed

from chatserver.protocol.codec import MAX_NESTING, Encoding
from tests.conformance.clusters import Cluster, Meet
from tests.conformance.peer import Json, Peer

pytestmark = pytest.mark.both_encodings

JSON_ONLY = pytest.mark.parametrize("encoding", [Encoding.JSON])


@pytest.fixture(autouse=True)
async def _others_are_unharmed(site: Cluster, meet: Meet, room: str) -> AsyncIterator[None]:
    """[P-LIMIT-3] Two bystanders talk before and after, and the log has nothing to complain of."""
    wren, otter = await meet(), await meet()
    for peer in (wren, otter):
        await peer.join(room)
    await wren.post(room, "before")
    yield
    offset = await wren.post(room, "after")
    await otter.heard_offset(room, offset)
    assert [fact["offset"] for fact in otter.facts(room)] == list(range(1, offset + 1))
    assert site.complaints() == []


async def _is_alive(peer: Peer) -> None:
    await peer.ask("ping")


NOT_JSON = [
    ("", "malformed"),
    (" ", "malformed"),
    ("rubbish", "malformed"),
    ("{", "malformed"),
    ('{"cmd":"ping","id":"x1"', "malformed"),
    ('{"cmd":"ping","id":"x1"}}', "malformed"),
    ('{"cmd":"ping","id":"x1"}{"cmd":"ping","id":"x2"}', "malformed"),
    ('{"cmd":"ping","id":"x1","more":NaN}', "malformed"),
    ('{"cmd":"post","id":"x1","room":"r","text":"\\ud800"}', "malformed"),
    ("[" * 8_000, "malformed"),
    ('{"a":' * 3_000, "malformed"),
    ("\x00", "malformed"),
    ("\ufeff{}", "malformed"),
    ("[]", "invalid"),
    ("null", "invalid"),
]
NOT_MESSAGEPACK = [
    (b"", "malformed"),
    (b"\xc1", "malformed"),
    (b"\x82\xa3cmd", "malformed"),
    (msgpack.packb({"cmd": "ping", "id": "x1"}) + b"\x00", "malformed"),
    (b"\x81\x01\x02", "malformed"),
    (b"\x91" * 8_000, "malformed"),
    (b"\x81\xa1a\xd6\xff\x00\x00\x00\x00", "malformed"),
    (b"\x81\xa2id\xa1\xff", "malformed"),
    (b"\xdf\xff\xff\xff\xff", "too_large"),
    (b"\xdd\xff\xff\xff\xff", "too_large"),
    (b"\xc0", "invalid"),
]
WRONG_FIELDS: list[tuple[Json, str]] = [
    ({"cmd": "post", "room": "r"}, "$.text"),
    ({"cmd": "post", "room": "r", "text": 5}, "$.text"),
    ({"cmd": "post", "room": "r", "text": None}, "$.text"),
    ({"cmd": "post", "room": "r", "text": ["secret words"]}, "$.text"),
    ({"cmd": "post", "room": ["r"], "text": "x"}, "$.room"),
    ({"cmd": "post", "room": "a\x00b", "text": "x"}, "$.room"),
    ({"cmd": "post", "room": "", "text": "x"}, "$.room"),
    ({"cmd": "post", "room": "x" * 65, "text": "x"}, "$.room"),
    ({"cmd": "post", "room": "r", "text": "x", "reply_to": 0}, "$.reply_to"),
    ({"cmd": "post", "room": "r", "text": "x", "reply_to": 2**60}, "$.reply_to"),
    ({"cmd": "post", "room": "r", "text": "x", "reply_to": 1.5}, "$.reply_to"),
    ({"cmd": "react", "room": "r", "offset": 1, "reaction": "secret words", "on": True}, "$.reaction"),
    ({"cmd": "react", "room": "r", "offset": 1, "reaction": "hug", "on": "yes"}, "$.on"),
    ({"cmd": "join", "room": "r", "since": "secret words"}, "$.since"),
    ({"cmd": "join", "room": "r", "since": {"epoch": 1, "offset": 1}}, "$.since.epoch"),
    ({"cmd": "join", "room": "r", "agreement": 2**40}, "$.agreement"),
    ({"cmd": "history", "room": "r", "before": 1, "limit": 0}, "$.limit"),
    ({"cmd": "history", "room": "r", "before": 1, "limit": 101}, "$.limit"),
    ({"cmd": "mute", "member": "two words", "on": True}, "$.member"),
    ({"cmd": "rename", "name": 7}, "$.name"),
    ({"cmd": "rename", "name": "x" * 300}, "$.name"),
    ({"cmd": ["ping"]}, "$.cmd"),
    ({}, "$.cmd"),
]
ODD_IDS = ["", "x" * 65, "two words", "nul\x00", "ümlaut", 5, None, ["x"]]
UNKNOWN_COMMANDS = ["", "zork", "PING", "__class__", "ping\x00", "hello "]


async def test_what_cannot_be_read_is_malformed(meet: Meet, encoding: Encoding) -> None:
    """[P-BAD-1] [P-BAD-4]"""
    peer = await meet()
    cases: list[tuple[str | bytes, str]] = [*(NOT_JSON if encoding is Encoding.JSON else NOT_MESSAGEPACK)]
    for number, (data, code) in enumerate(cases):
        await peer.send_raw(data)
        error = await peer.error(None, skip=number)
        assert (error["code"], error["temporary"]) == (code, False), data[:30]
        await _is_alive(peer)


async def test_deep_nesting_is_malformed_and_its_id_is_told(meet: Meet) -> None:
    """[P-BAD-1] [P-BAD-4]"""
    peer = await meet()
    deep: object = 1
    for _ in range(MAX_NESTING + 5):
        deep = [deep]
    await peer.send_raw(peer.pack({"cmd": "ping", "id": "deep-1", "more": deep}))
    assert (await peer.error("deep-1"))["code"] == "malformed"
    await _is_alive(peer)


async def test_a_wrong_field_is_named_and_not_repeated(meet: Meet) -> None:
    """[P-BAD-2] [P-BAD-4]"""
    peer = await meet()
    for number, (fields, field) in enumerate(WRONG_FIELDS):
        await peer.send_raw(peer.pack({"id": f"bad-{number}", **fields}))
        error = await peer.error(f"bad-{number}")
        assert (error["code"], error["details"]["field"]) == ("invalid", field)
        assert "secret" not in str(error)
        await _is_alive(peer)


async def test_an_odd_id_is_refused_without_one(meet: Meet) -> None:
    """[P-BAD-2] [P-BAD-4]"""
    peer = await meet()
    for number, given_id in enumerate(ODD_IDS):
        await peer.send_raw(peer.pack({"cmd": "ping", "id": given_id}))
        error = await peer.error(None, skip=number)
        assert (error["code"], error["details"]["field"]) == ("invalid", "$.id")
        await _is_alive(peer)


async def test_an_unknown_command(meet: Meet) -> None:
    """[P-BAD-3]"""
    peer = await meet()
    for number, name in enumerate(UNKNOWN_COMMANDS):
        await peer.send_raw(peer.pack({"cmd": name, "id": f"bad-{number}"}))
        assert (await peer.error(f"bad-{number}"))["code"] == "unknown_command"
        await _is_alive(peer)


async def test_bad_frames_before_hello_are_refused_the_same_way(meet: Meet) -> None:
    """[P-BAD-3] [P-HELLO-1]"""
    peer = await meet.silent()
    await peer.send_raw(peer.pack({"cmd": "zork", "id": "bad-1"}))
    assert (await peer.error("bad-1"))["code"] == "unknown_command"
    await peer.hello()


async def test_ten_bad_frames_in_a_row_close_the_connection(meet: Meet) -> None:
    """[P-BAD-5]"""
    peer = await meet()
    for _ in range(3):
        for _ in range(9):
            await peer.send_raw(peer.pack([]))
        await _is_alive(peer)  # A good one between them begins the count anew.
    for _ in range(10):
        await peer.send_raw(peer.pack([]))
    assert await peer.ended() == 4400


@JSON_ONLY
async def test_text_that_is_not_utf8_closes_the_connection(meet: Meet) -> None:
    """[P-BAD-6]"""
    peer = await meet()
    await _send_bytes(peer, _masked(0x81, b'{"cmd":"ping","id":"\xff"}'))
    assert await peer.ended() == 1007


async def test_a_message_above_the_limit_closes_the_connection(meet: Meet) -> None:
    """[P-BAD-6]"""
    peer = await meet()
    await peer.send_raw(peer.pack({"cmd": "post", "id": "big", "room": "r", "text": "x" * 17_000}))
    assert await peer.ended() == 1009


async def test_a_message_above_the_limit_in_fragments_closes_the_connection(meet: Meet, encoding: Encoding) -> None:
    """[P-BAD-6]"""
    peer = await meet()
    piece = "x" * 5_000 if encoding is Encoding.JSON else b"x" * 5_000
    await peer.socket.send([piece] * 5)
    assert await peer.ended() == 1009


@JSON_ONLY
@pytest.mark.parametrize(
    "data",
    [
        bytes((0x81, 0x02)) + b"{}",  # not masked
        bytes((0xC1, 0x80, 0, 0, 0, 0)),  # a reserved bit
        bytes((0x83, 0x80, 0, 0, 0, 0)),  # a reserved opcode
        bytes((0x80, 0x80, 0, 0, 0, 0)),  # a continuation of nothing
        bytes((0x09, 0x80, 0, 0, 0, 0)),  # a fragmented ping
    ],
    ids=["unmasked", "reserved-bit", "reserved-opcode", "continuation", "fragmented-ping"],
)
async def test_what_breaks_the_websocket_protocol_closes_the_connection(meet: Meet, data: bytes) -> None:
    """[P-BAD-6]"""
    peer = await meet()
    await _send_bytes(peer, data)
    assert await peer.ended() == 1002


@JSON_ONLY
async def test_a_frame_that_claims_more_than_any_limit(meet: Meet) -> None:
    """[P-BAD-6]"""
    peer = await meet()
    await _send_bytes(peer, bytes((0x81, 0xFF)) + (2**62).to_bytes(8, "big") + b"\x00" * 4)
    assert await peer.ended() == 1009


async def test_a_fragmented_command_is_a_command(meet: Meet) -> None:
    """[P-ENC-1]"""
    peer = await meet()
    whole: Any = peer.pack({"cmd": "ping", "id": "pieces-1"})
    await peer.socket.send([whole[:5], whole[5:9], whole[9:]])
    assert await peer.answer_to("pieces-1") == {"ok": "done"}


async def test_fuzzed_frames_get_an_answer_or_an_end(meet: Meet) -> None:
    """[P-REPLY-1] [P-BAD-1] Rubbish made of real commands; each frame is answered while the connection stands."""
    chance = random.Random(7)
    for _ in range(3):
        peer = await meet()
        for sent in range(1, 151):
            if peer.close_code is not None:
                break
            with contextlib.suppress(ConnectionClosed):
                await peer.send_raw(_garbled(chance, peer))
            await _answered(peer, sent)
        with contextlib.suppress(ConnectionClosed):
            await _is_alive(peer)


async def _answered(peer: Peer, sent: int) -> None:
    """Wait until hello and `sent` further frames were answered, or the connection ended for bad frames."""

    def count() -> bool | None:
        answers = sum("re" in each for each in peer.heard)
        return True if answers >= sent + 1 or peer.close_code is not None else None

    await peer.until(count)
    if peer.close_code is not None:
        assert peer.close_code == 4400


def _garbled(chance: random.Random, peer: Peer) -> str | bytes:
    command = chance.choice(
        [
            {"cmd": "post", "id": "f1", "room": "plain-0", "text": "x" * chance.randint(0, 50)},
            {"cmd": "join", "id": "f2", "room": "plain-0", "since": {"epoch": "e", "offset": chance.randint(-5, 5)}},
            {"cmd": "react", "id": "f3", "room": "plain-0", "offset": 1, "reaction": "hug", "on": True},
            {"cmd": "ping", "id": "f4"},
        ]
    )
    data = peer.pack(command)
    at = chance.randrange(len(data))
    if isinstance(data, bytes):
        return data[:at] + os.urandom(chance.randint(0, 3)) + data[at + chance.randint(0, 3) :]
    return data[:at] + "".join(chance.choices('{}[]",:\\u0e1n', k=chance.randint(0, 3))) + data[at + 1 :]


def _masked(first: int, payload: bytes) -> bytes:
    """A small frame from a client (RFC 6455, section 5.2) with a mask of zeros."""
    assert len(payload) < 126
    return bytes((first, 0x80 | len(payload))) + b"\x00" * 4 + payload


async def _send_bytes(peer: Peer, data: bytes) -> None:
    peer.socket.transport.write(data)
