"""The reader of frames, without any socket."""

from __future__ import annotations

import gc
import weakref

import pytest

from chatserver.edge.websocket_frames import FrameEvent, FrameParsers, FrameReader
from chatserver.protocol.frames import frame
from tests.edge.serving import client_frame, close_frame

PONG, CLOSE = 0xA, 0x8


def test_messages_come_whole_and_in_order_with_the_control_frames_between() -> None:
    reader = FrameReader(FrameParsers(1_000))
    data = (
        client_frame(1, b"gr", fin=False)
        + client_frame(9, b"?")
        + client_frame(0, "ü".encode()[:1], fin=False)
        + client_frame(0, "ü".encode()[1:])
        + client_frame(2, b"\xff")
        + client_frame(10)
    )
    part, control = FrameEvent.PART, FrameEvent.CONTROL
    assert reader.feed(data) == [part, control, part, "grü", b"\xff", control]
    assert reader.to_send() == frame(PONG, b"?")
    assert reader.to_send() == b""


def test_message_may_arrive_byte_by_byte() -> None:
    reader = FrameReader(FrameParsers(1_000))
    found = [entry for byte in client_frame(1, b"slow") for entry in reader.feed(bytes((byte,)))]
    assert found == ["slow"]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 1_000])
@pytest.mark.parametrize("opcode", [1, 2])
def test_whole_message_is_read_alike_however_it_arrives(opcode: int, size: int) -> None:
    payload = bytes(code % 128 for code in range(size))
    message: str | bytes = payload.decode() if opcode == 1 else payload
    data = client_frame(opcode, payload)
    reader = FrameReader(FrameParsers(1_000))
    assert reader.feed(data) == [message]
    assert reader.feed(data + data) == [message, message]
    assert reader.feed(data) == [message]
    assert reader.feed(data + data[:3]) == [message]
    assert reader.feed(data[3:]) == [message]
    assert reader.feed(data) == [message]
    assert reader.to_send() == b""


def test_size_in_more_bytes_than_necessary_changes_nothing() -> None:
    reader = FrameReader(FrameParsers(1_000))
    short, mask = client_frame(1, b"ha"), bytes(4)
    for long in (b"\x81\xfe\x00\x02" + mask + b"ha", b"\x81\xff" + bytes(7) + b"\x02" + mask + b"ha"):
        assert reader.feed(long) == ["ha"]
        assert reader.feed(short + long) == ["ha", "ha"]
        assert reader.feed(short[:4]) == []
        assert reader.feed(short[4:]) == ["ha"]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (client_frame(1, bytes(1_001)), 1009),
        (b"\x81\x02ha", 1002),
        (b"\xc1" + client_frame(1, b"ha")[1:], 1002),
        (client_frame(1, b"\xff"), 1007),
    ],
    ids=["too large", "without a mask", "a reserved bit", "no text"],
)
def test_bad_whole_message_fails_the_connection(bad: bytes, code: int) -> None:
    reader = FrameReader(FrameParsers(1_000))
    assert reader.feed(client_frame(1, b"good")) == ["good"]
    assert reader.feed(bad) == [FrameEvent.FAILED]
    assert reader.to_send()[2:4] == code.to_bytes(2, "big")
    assert reader.feed(client_frame(1, b"later")) == []


@pytest.mark.parametrize(
    ("left", "answer"),
    [(close_frame(4000, "bye"), b"\x0f\xa0bye"), (client_frame(8), b"")],
    ids=["with a code", "without one"],
)
@pytest.mark.parametrize("before", [b"", client_frame(1, b"ha", fin=False)], ids=["between messages", "within one"])
def test_close_frame_is_answered_with_its_own_code_wherever_it_comes(before: bytes, left: bytes, answer: bytes) -> None:
    reader = FrameReader(FrameParsers(1_000))
    found = reader.feed(client_frame(9, b"p") + before + left)
    assert found[-1] is FrameEvent.CLOSED
    assert FrameEvent.FAILED not in found
    assert reader.to_send() == frame(PONG, b"p") + frame(CLOSE, answer)
    assert reader.feed(client_frame(1, b"late")) == []


def test_good_frames_before_a_bad_one_count_and_nothing_after_it() -> None:
    reader = FrameReader(FrameParsers(1_000))
    assert reader.feed(client_frame(1, b"good") + client_frame(3) + client_frame(1, b"late")) == [
        "good",
        FrameEvent.FAILED,
    ]
    assert reader.to_send()[2:4] == (1002).to_bytes(2, "big")
    assert reader.feed(client_frame(1, b"later")) == []
    assert reader.to_send() == b""


def test_text_that_is_none_fails_the_connection_once() -> None:
    reader = FrameReader(FrameParsers(1_000))
    assert reader.feed(client_frame(1, b"\xff") + client_frame(1, b"late")) == [FrameEvent.FAILED]
    assert reader.to_send()[2:4] == (1007).to_bytes(2, "big")
    assert reader.feed(client_frame(1, b"later")) == []


def test_after_an_own_close_only_the_answer_to_it_counts() -> None:
    reader = FrameReader(FrameParsers(1_000))
    assert reader.close(4201, "slow down") == frame(CLOSE, (4201).to_bytes(2, "big") + b"slow down")
    assert reader.feed(client_frame(1, b"\xff") + client_frame(1, b"late")) == [FrameEvent.PART, FrameEvent.PART]
    assert reader.feed(close_frame(4201)) == [FrameEvent.CLOSED]
    assert reader.to_send() == b""


def test_readers_share_a_parser_and_never_each_others_bytes() -> None:
    parsers = FrameParsers(1_000)
    one, other = FrameReader(parsers), FrameReader(parsers)
    ours = client_frame(1, b"ou", fin=False) + client_frame(0, b"rs")
    for at in range(len(ours) + 1):
        found = one.feed(ours[:at])
        assert other.feed(client_frame(1, b"theirs")) == ["theirs"]
        assert [*found, *one.feed(ours[at:])] == [FrameEvent.PART, "ours"]
        assert one._core is other._core is None


def test_pong_goes_to_the_reader_whose_peer_sent_the_ping() -> None:
    parsers = FrameParsers(1_000)
    one, other = FrameReader(parsers), FrameReader(parsers)
    assert one.feed(client_frame(9, b"?")) == [FrameEvent.CONTROL]
    assert other.feed(client_frame(1, b"theirs")) == ["theirs"]
    assert (one.to_send(), other.to_send()) == (frame(PONG, b"?"), b"")


@pytest.mark.parametrize(
    "ending",
    [close_frame(1000), client_frame(3), client_frame(1, b"\xff")],
    ids=["a close", "an unknown frame", "text that is none"],
)
def test_parser_of_a_connection_that_ends_is_not_lent_again(ending: bytes) -> None:
    parsers = FrameParsers(1_000)
    one, other = FrameReader(parsers), FrameReader(parsers)
    assert one.feed(client_frame(1, b"first") + ending)[0] == "first"
    assert other.feed(client_frame(1, b"theirs")) == ["theirs"]
    assert (one.to_send()[:1], other.to_send()) == (b"\x88", b"")


def test_length_written_with_more_bytes_than_necessary_is_read() -> None:
    parsers = FrameParsers(1_000)
    one, other = FrameReader(parsers), FrameReader(parsers)
    long_winded = b"\x81\xfe" + (2).to_bytes(2, "big") + bytes(4) + b"hi"
    following = client_frame(1, b"next")
    assert one.feed(long_winded) == ["hi"]
    assert one.feed(following[:5]) == []
    assert other.feed(client_frame(1, b"theirs")) == ["theirs"]
    assert one.feed(following[5:]) == ["next"]


def test_reader_is_freed_without_the_garbage_collector() -> None:
    gc.disable()
    try:
        reader = FrameReader(FrameParsers(1_000))
        reader.feed(client_frame(1, b"half", fin=False) + b"\x81")
        core = weakref.ref(reader._core)
        reader.release()
        del reader
        assert core() is None
    finally:
        gc.enable()
