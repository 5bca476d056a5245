"""Each message once over a real socket in both encodings. What a frame holds is tested in `tests/protocol`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from chatserver import __version__
from chatserver.delivery.outbox import Outbox
from chatserver.protocol.asyncapi import document, tag_of
from chatserver.protocol.codec import Encoding
from chatserver.protocol.examples import COMMANDS, ERRORS, PUSHES, REPLIES
from chatserver.protocol.messages import AnyCommand
from tests.conformance.clusters import GENEROUS
from tests.conformance.peer import Peer, Refused
from tests.conformance.traffic import Traffic
from tests.edge.chat import chatting

Json = dict[str, Any]
MESSAGES: Final = frozenset(document(__version__)["components"]["messages"])
"""The names of all messages, such as `command.post`, `push.posted` and `reply.error`."""
UNREAD: Final = {"malformed", "invalid", "unknown_command"}


async def test_every_command_is_read_alike_in_both_encodings(tmp_path: Path) -> None:
    """[P-ENC-1] A guest says each example to a new server. What is for staff is refused after it was read."""
    sent = {f"command.{tag_of(type(command))}" for command in COMMANDS}
    assert sent == {name for name in MESSAGES if name.startswith("command.")}
    answers = []
    for encoding in Encoding:
        folder = tmp_path / encoding.name
        folder.mkdir()
        async with chatting(folder, limits=GENEROUS) as (served, _):
            answers.append([await _answer(served.url, encoding, command) for command in COMMANDS])
    assert answers[0] == answers[1]
    assert UNREAD.isdisjoint(answers[0])


async def _answer(url: str, encoding: Encoding, command: AnyCommand) -> str:
    """What a command is answered by on a connection of its own: the name of the reply, or the refusal's code."""
    fields: Json = json.loads(msgspec.json.encode(command))
    name, _ = fields.pop("cmd"), fields.pop("id")
    async with await Peer.connect(url, Traffic(), encoding) as peer:
        await peer.hello()
        try:
            return str((await peer.ask(name, **fields))["ok"])
        except Refused as refused:
            return refused.code


async def test_every_reply_and_push_is_read_alike_in_both_encodings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """[P-ENC-1]"""
    outboxes: list[Outbox] = []
    create = Outbox.__init__

    def note(outbox: Outbox, *arguments: Any, **fields: Any) -> None:
        create(outbox, *arguments, **fields)
        outboxes.append(outbox)

    monkeypatch.setattr(Outbox, "__init__", note)
    messages = [*REPLIES, *ERRORS, *PUSHES]
    traffic = Traffic()
    async with chatting(tmp_path) as (served, _):
        heard = []
        for encoding in Encoding:
            async with await Peer.connect(served.url, traffic, encoding) as peer:
                outboxes[-1].send_all(messages)
                await peer.until(lambda: len(peer.heard) == len(messages))
                heard.append(peer.heard)
    assert heard[0] == heard[1]
    assert traffic.names == {name for name in MESSAGES if not name.startswith("command.")}
