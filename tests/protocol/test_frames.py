"""Frames that we build by hand are frames to everybody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from chatserver.protocol.frames import BINARY, TEXT, frame
from tests.kit.frames import split

EDGES = [0, 1, 124, 125, 126, 127, 128, 65_534, 65_535, 65_536, 65_537, 200_000]


@pytest.mark.parametrize("size", EDGES)
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_client_reads_what_was_built(opcode: int, size: int) -> None:
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
    payload = b"x" * size
    client.receive_data(frame(opcode, payload) + frame(opcode, b"next"))
    events = client.events_received()
    assert client.parser_exc is None
    assert [(event.opcode, bytes(event.data), event.fin) for event in events if isinstance(event, Frame)] == [
        (Opcode(opcode), payload, True),
        (Opcode(opcode), b"next", True),
    ]


@pytest.mark.parametrize("size", EDGES)
def test_frames_are_as_short_as_the_standard_wants(size: int) -> None:
    """RFC 6455, section 5.2: the minimal number of bytes must be used to encode the length."""
    assert frame(BINARY, b"x" * size) == Frame(Opcode.BINARY, b"x" * size).serialize(mask=False)


@given(st.lists(st.tuples(st.sampled_from([TEXT, BINARY]), st.binary(max_size=300))))
def test_split_gives_back_what_was_joined(frames: list[tuple[int, bytes]]) -> None:
    assert list(split(b"".join(frame(opcode, payload) for opcode, payload in frames))) == frames


@pytest.mark.parametrize("size", EDGES)
def test_split_at_every_length(size: int) -> None:
    assert list(split(frame(TEXT, b"a" * size) + frame(BINARY, b""))) == [(TEXT, b"a" * size), (BINARY, b"")]
