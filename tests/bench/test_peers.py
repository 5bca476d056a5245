"""How the load speaks to peers, and what is said where one cannot be had."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import peers
from bench.frames import LINE_PONG, server_frame
from bench.load import Crowd, Member, Visit
from bench.machine import cores
from bench.markers import marker_of, sender_of
from bench.peers import CentrifugoDialect, Locked, Unavailable, centrifugo_words, obtain
from bench.stream import Stream, Unfaithful
from bench.targets import length_of_a_push


def _publication(marker: str, offset: int, words: str = "words") -> bytes:
    data = {"text": f"{marker} {words}"}
    info = {"user": "", "client": "00000000-0000-0000-0000-000000000000"}
    return json.dumps(
        {"push": {"channel": "bench-0", "pub": {"data": data, "info": info, "offset": offset}}}, separators=(",", ":")
    ).encode()


def test_publication_is_as_long_as_a_push_of_ours() -> None:
    assert abs(len(_publication(marker_of(sender_of(0), 0), 1234, centrifugo_words())) - length_of_a_push()) <= 2


def test_reply_belongs_to_the_post_with_its_number() -> None:
    dialect = CentrifugoDialect(1, "words")
    assert b'"id":15,' in dialect.post(0, marker_of(sender_of(3), 12))
    assert dialect.answers(b'{"id":15,"publish":{}}', marker_of(sender_of(3), 12))
    assert not dialect.answers(b'{"id":15,"publish":{}}', marker_of(sender_of(3), 13))
    assert not dialect.answers(b'{"id":15,"publish":{}}', "")


def test_publications_are_checked_as_pushes_of_ours_are() -> None:
    dialect = CentrifugoDialect(1, "words")
    stream = Stream("room", "words", dialect.read_push, has_offsets=True, has_told=False)
    for number in range(3):
        stream.sent[marker_of(sender_of(0), number)] = 0.0
        stream.data += server_frame(_publication(marker_of(sender_of(0), number), number + 1))
    stream.parse()
    stream.check_end()
    assert [one.offset for one in stream.shown] == [1, 2, 3]
    stream.sent[marker_of(sender_of(0), 3)] = 0.0
    stream.data += server_frame(_publication(marker_of(sender_of(0), 3), 5))
    with pytest.raises(Unfaithful, match="offset 5 follows 3"):
        stream.parse()


def test_other_pushes_are_not_expected() -> None:
    with pytest.raises(Unfaithful, match="unexpected"):
        CentrifugoDialect(1, "words").read_push(b'{"push":{"channel":"bench-0","join":{}}}')


def test_every_peer_that_cannot_be_had_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peers, "CACHE", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = obtain(cores())
    assert found.makers == {}
    assert found.missing == {
        "bun": "there is no npm on PATH",
        "ws": "there is no npm on PATH",
        "centrifugo": "there is no go on PATH",
    }


def test_program_that_fails_is_the_reason(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="sh -c failed: no luck"):
        peers._run(["/bin/sh", "-c", "echo no luck >&2; exit 3"], tmp_path)


def test_versions_are_locked() -> None:
    locked = Locked.read()
    assert locked.version.startswith("v")
    assert locked.sum.startswith("h1:")
    wanted = json.loads((peers.SOURCES / "package.json").read_text())["dependencies"]
    packages = json.loads((peers.SOURCES / "package-lock.json").read_text())["packages"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert all("integrity" in one for path, one in packages.items() if path)


class _Seats:
    """A crowd of two in one room whose server is the test: the first writes, the second only reads."""

    def __init__(self) -> None:
        self.crowd = Crowd(CentrifugoDialect(1, "words"), 1)
        self.servers: list[socket.socket] = []
        for _ in range(2):
            server, client = socket.socketpair()
            client.setblocking(False)
            self.servers.append(server)
            self.crowd.take_in(Member(client, Visit(room=0), ()))
        self.writer = self.crowd.make_senders(self.crowd.members[:1])[0]
        self.crowd.settle()

    def close(self) -> None:
        self.crowd.close()
        for server in self.servers:
            server.close()


@pytest.fixture
def seats() -> Iterator[_Seats]:
    held = _Seats()
    yield held
    held.close()


_FIRST, _SECOND = (_publication(marker_of(sender_of(0), number), number + 1) for number in range(2))
_REPLIES = (b'{"id":3,"publish":{}}', b'{"id":4,"publish":{}}')


def test_messages_are_compared_however_they_are_joined(seats: _Seats) -> None:
    for _ in range(2):
        seats.crowd.post(seats.writer)
    answered: list[Member] = []
    seats.crowd.on_answered = answered.append
    replies = b"\n".join(_REPLIES)
    seats.servers[0].sendall(server_frame(_FIRST) + server_frame(replies + b"\n" + _SECOND))
    seats.servers[1].sendall(server_frame(_FIRST + b"\n" + _SECOND) + server_frame(b"{}"))
    assert seats.crowd.drain(5.0) == 4
    assert answered == [seats.writer]
    assert seats.servers[1].recv(100) == LINE_PONG


@pytest.mark.parametrize(
    "shown", [_FIRST, _SECOND + b"\n" + _FIRST, _FIRST + b"\n" + _FIRST, _FIRST + b"\n" + _SECOND + b"\n" + _SECOND]
)
def test_fault_in_joined_messages_fails_the_run(seats: _Seats, shown: bytes) -> None:
    for _ in range(2):
        seats.crowd.post(seats.writer)
    seats.servers[0].sendall(server_frame(_FIRST + b"\n" + _SECOND + b"\n" + b"\n".join(_REPLIES)))
    seats.servers[1].sendall(server_frame(shown))
    with pytest.raises(Unfaithful):
        seats.crowd.drain(0.3)


def test_refused_post_fails_the_run(seats: _Seats) -> None:
    seats.crowd.post(seats.writer)
    seats.servers[0].sendall(server_frame(b'{"id":3,"error":{"code":103,"message":"permission denied"}}'))
    with pytest.raises(Unfaithful, match="refused"):
        seats.crowd.drain(5.0)
