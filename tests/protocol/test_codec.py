"""What strangers send becomes a Command or a typed refusal; what we send is read back as it was."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any, cast, get_args

import msgpack  # type: ignore[import-untyped]
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.errors import Reason
from chatserver.domain.history import CommandId, Epoch, Offset, StreamPosition
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import Reaction, RoomId
from chatserver.protocol import messages as m
from chatserver.protocol.codec import MAX_NESTING, Encoding, Unreadable, decode_command, encode_frame, encode_payload
from chatserver.protocol.examples import COMMANDS, ERRORS, PUSHES, REPLIES
from chatserver.protocol.rooms.messages import (
    EditCommand,
    JoinRoom,
    LeaveRoom,
    ListRooms,
    MarkRead,
    PageHistory,
    PostCommand,
    ReactCommand,
    RedactCommand,
    Typing,
)
from tests.kit.frames import split

both = pytest.mark.parametrize("encoding", list(Encoding), ids=lambda encoding: encoding.name.lower())


def pack(encoding: Encoding, value: object) -> bytes:
    """Any value as a client of this encoding would send it, by a library that is not ours."""
    return json.dumps(value).encode() if encoding is Encoding.JSON else cast(bytes, msgpack.packb(value))


def unpack(encoding: Encoding, data: bytes) -> Any:
    return json.loads(data) if encoding is Encoding.JSON else msgpack.unpackb(data, strict_map_key=False)


def refusal(encoding: Encoding, data: str | bytes) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        decode_command(encoding, data)
    return caught.value


def command(**fields: object) -> dict[str, object]:
    return {"cmd": "post", "id": "c1", "room": "sleep", "text": "hi", **fields}


# ------------------------------------------------------------------------------------------ round trips

_ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)
_places = st.integers(1, 2**53 - 1).map(Offset)
_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
_common = {"id": _ids.map(CommandId), "room": _ids.map(RoomId)}
_named = {**_common, "epoch": st.none() | st.text("e~", max_size=64).map(Epoch)}
_positions = st.builds(StreamPosition, _texts.map(Epoch), st.integers(-(2**60), 2**60).map(Offset))
_commands: st.SearchStrategy[m.AnyCommand] = st.one_of(
    st.builds(
        m.Hello, id=_common["id"], token=st.none() | _texts, guest=st.booleans(), client=st.text("ab", max_size=64)
    ),
    st.builds(ListRooms, id=_common["id"], watch=st.booleans()),
    st.builds(JoinRoom, **_common, agreement=st.none() | st.integers(0, 2**31 - 1), since=st.none() | _positions),
    st.builds(LeaveRoom, **_common),
    st.builds(PostCommand, **_named, text=_texts, warning=st.none() | _texts, reply_to=st.none() | _places),
    st.builds(EditCommand, **_named, offset=_places, text=_texts, warning=st.none() | _texts),
    st.builds(RedactCommand, **_named, offset=_places),
    st.builds(ReactCommand, **_named, offset=_places, reaction=st.sampled_from(Reaction), on=st.booleans()),
    st.builds(PageHistory, **_named, before=_places, limit=st.integers(1, 100)),
    st.builds(MarkRead, **_named, offset=_places),
    st.builds(Typing, **_common),
    st.builds(m.MuteMember, id=_common["id"], member=_ids.map(MemberId), on=st.booleans()),
    st.builds(m.Rename, id=_common["id"], name=_texts),
    st.builds(m.MakeCode, id=_common["id"]),
    st.builds(m.Ping, id=_common["id"]),
)


@both
@given(sent=_commands)
def test_every_command_is_read_as_it_was_meant(encoding: Encoding, sent: m.AnyCommand) -> None:
    assert decode_command(encoding, pack(encoding, msgspec.to_builtins(sent)), 65_536) == sent


@given(sent=_commands)
def test_both_encodings_agree(sent: m.AnyCommand) -> None:
    by_json = decode_command(Encoding.JSON, msgspec.json.encode(sent), 65_536)
    assert decode_command(Encoding.MSGPACK, msgspec.msgpack.encode(sent), 65_536) == by_json


def test_every_command_has_an_example() -> None:
    assert [type(each) for each in COMMANDS] == list(get_args(m.AnyCommand))


@both
@pytest.mark.parametrize("kind", ["text", "bytes", "memoryview"])
def test_data_may_come_as_text_bytes_or_a_view(encoding: Encoding, kind: str) -> None:
    data = pack(encoding, command(text="größer als 🙂"))
    views: dict[str, str | bytes | memoryview] = {"bytes": data, "memoryview": memoryview(data)}
    if kind == "text":
        if encoding is Encoding.MSGPACK:
            assert refusal(encoding, "text").reason is Reason.MALFORMED
            return
        views["text"] = data.decode()
    read = decode_command(encoding, views[kind])
    assert isinstance(read, PostCommand)
    assert read.text == "größer als 🙂"


@both
@pytest.mark.parametrize("message", [*REPLIES, *ERRORS, *PUSHES], ids=lambda message: type(message).__name__)
def test_what_we_send_is_read_back_by_others(encoding: Encoding, message: m.AnyServerMessage) -> None:
    ((opcode, payload),) = split(encode_frame(encoding, message))
    assert opcode == encoding.opcode
    assert payload == encode_payload(encoding, message)
    assert unpack(encoding, payload) == listed(msgspec.to_builtins(message, str_keys=encoding is Encoding.JSON))


def listed(value: Any) -> Any:
    """Both encodings know one kind of sequence."""
    if isinstance(value, dict):
        return {key: listed(each) for key, each in value.items()}
    return [listed(each) for each in value] if isinstance(value, (list, tuple)) else value


def test_an_encoding_is_found_by_its_subprotocol() -> None:
    assert [Encoding.of("chat.v1.json"), Encoding.of("chat.v1.msgpack")] == list(Encoding)
    assert Encoding.of("chat.v2.json") is None


# ---------------------------------------------------------------------------------------------- refusals


@both
@pytest.mark.parametrize("value", [None, [], "post", 7, True, 1.5])
def test_what_is_no_object_is_invalid(encoding: Encoding, value: object) -> None:
    caught = refusal(encoding, pack(encoding, value))
    assert (caught.reason, caught.re) == (Reason.INVALID, None)
    assert caught.details is not None
    assert caught.details["field"] == "$"


@both
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        (command(text=5), "$.text"),
        (command(text=None), "$.text"),
        ({"cmd": "post", "id": "c1", "room": "sleep"}, "$.text"),
        (command(reply_to=0), "$.reply_to"),
        (command(reply_to=-1), "$.reply_to"),
        (command(reply_to=2**53), "$.reply_to"),
        (command(reply_to=2**63), "$.reply_to"),
        (command(reply_to=1.0), "$.reply_to"),
        (command(reply_to="1"), "$.reply_to"),
        (command(reply_to=[]), "$.reply_to"),
        (command(room="no\x00room"), "$.room"),
        (command(room=""), "$.room"),
        (command(cmd=3), "$.cmd"),
        ({"id": "c1"}, "$.cmd"),
        ({"cmd": "react", "id": "c1", "room": "r", "offset": 1, "reaction": "hate", "on": True}, "$.reaction"),
        ({"cmd": "react", "id": "c1", "room": "r", "offset": 1, "reaction": "hug", "on": 1}, "$.on"),
        ({"cmd": "join", "id": "c1", "room": "r", "since": {"epoch": 3, "offset": 1}}, "$.since.epoch"),
        ({"cmd": "join", "id": "c1", "room": "r", "since": {"epoch": "e"}}, "$.since.offset"),
        ({"cmd": "join", "id": "c1", "room": "r", "agreement": 2**31}, "$.agreement"),
        ({"cmd": "mute", "id": "c1", "member": "m_\x00", "on": True}, "$.member"),
        ({"cmd": "history", "id": "c1", "room": "r", "before": 5, "limit": 101}, "$.limit"),
    ],
)
def test_the_wrong_field_is_named(encoding: Encoding, fields: dict[str, object], field: str) -> None:
    caught = refusal(encoding, pack(encoding, fields))
    assert (caught.reason, caught.re) == (Reason.INVALID, "c1")
    assert caught.details is not None
    assert caught.details["field"] == field


@both
@pytest.mark.parametrize(
    ("kind", "reason"),
    [("private words", Reason.UNKNOWN_COMMAND), ("", Reason.UNKNOWN_COMMAND), ("$.cmd", Reason.UNKNOWN_COMMAND)],
)
def test_an_unknown_command_is_said_to_be_unknown(encoding: Encoding, kind: str, reason: Reason) -> None:
    caught = refusal(encoding, pack(encoding, command(cmd=kind)))
    assert (caught.reason, caught.re) == (reason, "c1")


@both
@pytest.mark.parametrize("given_id", ["", "x" * 65, "with space", "tab\t", "line\n", "nul\x00", "ümlaut", 5, None, []])
def test_an_odd_id_is_invalid_and_not_repeated(encoding: Encoding, given_id: object) -> None:
    caught = refusal(encoding, pack(encoding, {"cmd": "ping", "id": given_id}))
    assert (caught.reason, caught.re) == (Reason.INVALID, None)
    assert caught.details is not None
    assert caught.details["field"] == "$.id"


@both
def test_what_was_sent_is_never_repeated(encoding: Encoding) -> None:
    secret = "a secret` - at `$.cmd`"
    for fields in (
        command(cmd=secret),
        {"cmd": "react", "id": "c1", "room": "r", "offset": 1, "reaction": secret, "on": True},
        {"cmd": "ping", "id": secret},
        command(room=secret),
    ):
        caught = refusal(encoding, pack(encoding, fields))
        assert "secret" not in f"{caught.details} {caught} {caught.re}"
        assert caught.__cause__ is None


@both
def test_unknown_fields_are_passed_over(encoding: Encoding) -> None:
    data = pack(encoding, command(later={"deep": [1, {"x": None}]}, more=1.5))
    assert decode_command(encoding, data) == decode_command(encoding, pack(encoding, command()))


@both
def test_nesting_is_bounded_exactly(encoding: Encoding) -> None:
    def nested(levels: int) -> dict[str, object]:
        value: object = 1
        for _ in range(levels):
            value = [value]
        return command(more=value)

    assert decode_command(encoding, pack(encoding, nested(MAX_NESTING - 1))).id == "c1"
    caught = refusal(encoding, pack(encoding, nested(MAX_NESTING)))
    assert (caught.reason, caught.re) == (Reason.MALFORMED, "c1")


def test_brackets_in_texts_are_no_nesting() -> None:
    text = "[{" * 200 + '"\\"[[['
    read = decode_command(Encoding.JSON, pack(Encoding.JSON, command(text=text)))
    assert isinstance(read, PostCommand)
    assert read.text == text


@both
def test_endless_nesting_is_malformed(encoding: Encoding) -> None:
    bomb = b'{"cmd":' + b"[" * 16_000 if encoding is Encoding.JSON else b"\x81\xa3cmd" + b"\x91" * 16_000
    assert refusal(encoding, bomb).reason is Reason.MALFORMED


def test_a_string_that_never_ends_is_scanned_once() -> None:
    assert refusal(Encoding.JSON, "[" * 20 + '"' + '\\"' * 8_000).reason is Reason.MALFORMED


@both
def test_a_large_frame_is_refused_by_its_bytes_and_named_by_its_id(encoding: Encoding) -> None:
    data = pack(encoding, command(text="x" * 100))
    assert decode_command(encoding, data, len(data)).id == "c1"
    with pytest.raises(Unreadable) as caught:
        decode_command(encoding, data, len(data) - 1)
    assert (caught.value.reason, caught.value.re) == (Reason.TOO_LARGE, "c1")
    assert caught.value.details == {"limit": len(data) - 1}


def test_the_bytes_of_a_text_frame_are_counted_not_its_characters() -> None:
    with pytest.raises(Unreadable) as caught:
        decode_command(Encoding.JSON, json.dumps(command(text="🙂" * 100), ensure_ascii=False), 300)
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   ",
        b"rubbish",
        b'{"cmd":"ping","id":"c1"',
        b'{"cmd":"ping","id":"c1"} {}',
        b'{"cmd":"ping","id":"c1",}',
        b"{'cmd':'ping'}",
        b'{"cmd":"ping","id":"c1","more":NaN}',
        b'{"cmd":"ping","id":"c1","more":Infinity}',
        b'{"cmd":"ping","id":"c1","more":"\xff"}',
        b'{"cmd":"ping","id":"\xff"}',
        b'\xef\xbb\xbf{"cmd":"ping","id":"c1"}',
        b'{"cmd":"post","id":"c1","room":"r","text":"\\ud800"}',
        b'{"cmd":"post","id":"c1","room":"r","text":"\\ud83dabc"}',
        b'{"cmd":"post","id":"c1","room":"r","text":"\\udc00"}',
        b'{"cmd":"post","id":"c1","room":"r","text":"\xed\xa0\x80"}',
        b'{"cmd":"ping","id":"a\nb"}',
    ],
)
def test_what_is_not_json_is_malformed(data: bytes) -> None:
    assert refusal(Encoding.JSON, data).reason is Reason.MALFORMED


def test_half_a_surrogate_pair_in_text_is_malformed() -> None:
    assert refusal(Encoding.JSON, '{"cmd":"ping","id":"c1","more":"\ud800"}').reason is Reason.MALFORMED


_PING = cast(bytes, msgpack.packb({"cmd": "ping", "id": "c1"}))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        _PING[:-1],
        _PING + b"\x00",
        b"\xc1",
        b"\x81\x01\x02",
        b"\x81\x90\x02",
        b"\x81\xa1a\xd6\xff\x00\x00\x00\x00",
        b"\x81\xa1a\xc7\x05\x01hello",
        b"\x81\xa2id\xa3\xed\xa0\x80",
        b"\x81\xa2id\xa1\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
    ],
)
def test_what_is_not_messagepack_is_malformed(data: bytes) -> None:
    assert refusal(Encoding.MSGPACK, data).reason in (Reason.MALFORMED, Reason.TOO_LARGE)


@pytest.mark.parametrize("header", [b"\xdf\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xdc\x04\x01"])
def test_a_container_that_claims_too_much_is_too_large_at_once(header: bytes) -> None:
    assert refusal(Encoding.MSGPACK, header + b"\xc0" * 10_000).reason is Reason.TOO_LARGE


def test_nan_is_invalid_in_a_known_field() -> None:
    assert refusal(Encoding.MSGPACK, pack(Encoding.MSGPACK, command(reply_to=float("nan")))).reason is Reason.INVALID


def test_bin_is_not_text() -> None:
    assert refusal(Encoding.MSGPACK, pack(Encoding.MSGPACK, command(text=b"hi"))).reason is Reason.INVALID


def test_of_a_repeated_key_the_last_one_counts() -> None:
    read = decode_command(Encoding.JSON, b'{"cmd":"ping","id":"a","id":"b"}')
    assert read == decode_command(Encoding.MSGPACK, b"\x83\xa3cmd\xa4ping\xa2id\xa1a\xa2id\xa1b")
    assert read.id == "b"


def test_control_characters_in_a_text_are_read() -> None:
    for encoding in Encoding:
        read = decode_command(encoding, pack(encoding, command(text="a\x00b")))
        assert isinstance(read, PostCommand)
        assert read.text == "a\x00b"


# -------------------------------------------------------------------------------------------------- fuzz


@both
def test_ten_thousand_mutated_frames_are_commands_or_refusals(encoding: Encoding) -> None:
    chance = random.Random(20_261_122)
    seeds = [pack(encoding, msgspec.to_builtins(each)) for each in COMMANDS]
    outcomes = Counter(_outcome(encoding, _mutate(chance, seeds)) for _ in range(10_000))
    assert outcomes.keys() <= {"read", *_UNREADABLE}
    # Were all of one kind, the mutations would prove nothing.
    assert min(outcomes["read"], outcomes[Reason.MALFORMED], outcomes[Reason.INVALID]) > 100


_UNREADABLE = (Reason.MALFORMED, Reason.UNKNOWN_COMMAND, Reason.INVALID, Reason.TOO_LARGE)


def _outcome(encoding: Encoding, data: bytes) -> str:
    try:
        decode_command(encoding, data)
    except Unreadable as caught:
        return caught.reason
    return "read"


def _mutate(chance: random.Random, seeds: list[bytes]) -> bytes:
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0:
                data[at:at] = chance.randbytes(chance.randint(1, 8))
            case 1:
                del data[at : at + chance.randint(1, 8)]
            case 2 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 3:
                other = chance.choice(seeds)
                start = chance.randrange(len(other))
                data[at:at] = other[start : start + chance.randint(1, 40)]
            case 4:
                data[at:at] = chance.choice([b"[", b"{", b"\x91", b"\x81", b"\xdd", b'"', b"\\u", b"\xff"]) * 40
            case _ if at < len(data):
                data[at] = chance.randrange(256)
    return bytes(data)


WITH_TEXT = [
    (sent, name)
    for sent in COMMANDS
    for name in sent.__struct_fields__
    if isinstance(getattr(sent, name), str) and not isinstance(sent, PostCommand | EditCommand)
]


@both
@pytest.mark.parametrize(("sent", "name"), WITH_TEXT, ids=lambda each: each if isinstance(each, str) else each.id)
def test_text_that_no_database_keeps_is_refused_for_good_in_every_field(
    encoding: Encoding, sent: m.AnyCommand, name: str
) -> None:
    """[P-BAD-2]"""
    fields = msgspec.to_builtins(sent)
    fields[name] = "a\0b"
    found = refusal(encoding, pack(encoding, fields))
    if name == "id":
        assert (found.reason, found.re) == (Reason.INVALID, None)
    else:
        assert (found.reason, found.re) == (Reason.INVALID, sent.id)
        assert found.details is not None
        assert found.details["field"] == f"$.{name}"


@both
def test_backslash_that_is_meant_is_no_such_text(encoding: Encoding) -> None:
    fields = {"cmd": "rename", "id": "a", "name": r"\u0000"}
    assert decode_command(encoding, pack(encoding, fields)) == m.Rename(id=CommandId("a"), name=r"\u0000")
