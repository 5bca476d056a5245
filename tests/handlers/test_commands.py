"""Who may give which command: one check, before anything is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.people.staff import Capability, Role, may
from chatserver.handlers import dispatcher
from chatserver.handlers.answer import Answer
from chatserver.handlers.commands import Handler
from chatserver.handlers.dispatcher import CommandDispatcher
from chatserver.handlers.part import Part
from chatserver.protocol.examples import COMMANDS
from chatserver.protocol.fields import Command, DoneOk
from chatserver.protocol.messages import Hello
from chatserver.protocol.moderation.messages import TakeMeasureCommand
from tests.handlers.workers import PLAIN, Guest, Worker, open_cluster
from tests.kit.commands import COMMANDS as HANDLERS


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    async with open_cluster(tmp_path) as site:
        yield await site.worker()


@pytest.fixture
async def guest(worker: Worker) -> Guest:
    return await worker.guest()


def answer_with(worker: Worker, specs: Mapping[type[Command], Handler]) -> CommandDispatcher:
    """Return a dispatcher that knows only these commands, with the contexts of the worker's own parts."""
    found = CommandDispatcher(worker.node, worker.people.context)
    for part in worker.parts:
        only = Part()
        only.context = part.context
        only.commands = {kind: spec for kind, spec in specs.items() if kind in part.commands}  # type: ignore[misc]
        found.register([only])
    return found


ROLES = [frozenset[Role](), *(frozenset({role}) for role in Role)]


@pytest.mark.parametrize("roles", ROLES, ids=lambda roles: next(iter(roles), "member"))
async def test_every_command_runs_for_those_who_may_and_for_nobody_else(
    worker: Worker, guest: Guest, roles: frozenset[Role], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[type[Command]] = []

    async def note(node: object, connection: object, person: object, command: Any) -> Answer:
        ran.append(type(command))
        return Answer(DoneOk())

    guest.connection.roles = roles
    # Whether the password was given lately is another question, and asked in tests of its own.
    answering = answer_with(worker, dict.fromkeys(HANDLERS, note))
    monkeypatch.setattr(Command, "requires_confirmation", lambda command: False)
    monkeypatch.setattr(TakeMeasureCommand, "requires_confirmation", lambda command: False)
    monkeypatch.setattr(dispatcher, "pay", lambda connection, cost, now: None)
    given = {type(command): command for command in COMMANDS if not isinstance(command, Hello)}
    assert given.keys() == HANDLERS.keys()
    for kind, command in given.items():
        needs = kind.capability
        if needs is None or may(roles, needs):
            await answering.dispatch(guest.connection, command)
            assert ran.pop() is kind
        else:
            with pytest.raises(Refusal) as caught:
                await answering.dispatch(guest.connection, command)
            assert caught.value.reason is Reason.NOT_ALLOWED
    assert ran == []


@pytest.mark.parametrize("capability", list(Capability))
@pytest.mark.parametrize("roles", ROLES, ids=lambda roles: next(iter(roles), "member"))
async def test_a_row_that_needs_something_is_refused_on_the_wire(
    worker: Worker, guest: Guest, roles: frozenset[Role], capability: Capability, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = next(kind for kind in HANDLERS if kind.__struct_config__.tag == "ping")
    monkeypatch.setattr(kind, "capability", capability)
    guest.connection.roles = roles
    reply = await guest.ask("ping")
    assert ("ok" in reply) == may(roles, capability)
    if not may(roles, capability):
        assert reply["error"]["code"] == "not_allowed"


async def test_a_page_of_long_posts_costs_more_than_one_of_short_posts(worker: Worker) -> None:
    """[P-LIMIT-4]"""

    async def pages(text: str) -> int:
        """How many pages of posts like this one somebody gets at once."""
        writer, reader = await worker.guest(), await worker.guest()
        for each in (writer, reader):
            assert "ok" in await each.ask("join", room=PLAIN, agreement=1)
        for _ in range(30):
            assert "ok" in await writer.ask("post", room=PLAIN, text=text)
        for number in range(60):
            answer = await reader.ask("history", room=PLAIN, before=1 << 40, limit=100)
            if "error" in answer:
                assert (answer["error"]["code"], answer["error"]["retry_after"] <= 3.0) == ("rate_limited", True)
                return number
        raise AssertionError("nothing was refused")

    assert await pages("good night") >= 15
    assert await pages("\U0001f600" * 1_900) <= 9


async def test_what_one_may_not_do_costs_all_the_same(worker: Worker, guest: Guest) -> None:
    """Whoever asks for what is not theirs again and again is slowed down like everybody."""
    kind = type(COMMANDS[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "capability", Capability.OPERATE)
        patch.setattr(kind, "cost", 30.0)
        codes = [(await guest.ask("rooms"))["error"]["code"] for _ in range(2)]
    assert codes == ["not_allowed", "rate_limited"]
