"""Nobody is taken for another: hundreds of imitations of staff and of those who are here, and hundreds of honest names,
asked for over the wire as anybody would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from chatserver.domain.people.names import name_key
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer
from tests.security.honest import HONEST
from tests.security.spoofs import MEMBERS, Spoof, member_spoofs, staff_spoofs

AT_ONCE = 100


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    quick = {f"{whose}_{what}": 1e6 for whose in ("commands", "member_commands") for what in ("per_second",)}
    # Three new names an hour are enough for anybody else. Here one person asks for hundreds.
    limits = {**quick, "command_burst": 1e6, "member_command_burst": 1e6, "names_per_hour": 1e6}
    with ChatServer(config={"limits": limits}) as running:
        yield running


async def ask_for(client: ChatClient, names: list[str]) -> list[dict[str, Any]]:
    """Rename to each in turn; the answers."""
    answers: list[dict[str, Any]] = []
    for start in range(0, len(names), AT_ONCE):
        part = names[start : start + AT_ONCE]
        answers += await asyncio.gather(*(client.exchange("rename", name=name) for name in part))
    return answers


def got_through(spoofs: list[Spoof], answers: list[dict[str, Any]], *codes: str) -> list[tuple[Spoof, object]]:
    return [
        (spoof, answer)
        for spoof, answer in zip(spoofs, answers, strict=True)
        # A command that holds U+0000 is refused as a whole.
        if answer.get("error", {}).get("code") not in (("invalid",) if "\0" in spoof.written else codes)
    ]


async def test_no_imitation_of_staff_gets_through(server: ChatServer) -> None:
    spoofs = staff_spoofs()
    assert len({spoof.written for spoof in spoofs}) > 400
    assert len({spoof.written for spoof in spoofs + member_spoofs()}) > 750
    assert len({spoof.way for spoof in spoofs}) > 100
    async with ChatClient(server.ws_url) as eve:
        answers = await ask_for(eve, [spoof.written for spoof in spoofs])
    assert got_through(spoofs, answers, "name_refused") == []
    # Nothing of what was asked for comes back in the refusal.
    assert all(set(answer["error"]["details"]) == {"why"} for answer in answers if answer["error"]["code"] != "invalid")


async def test_no_imitation_of_somebody_who_is_here_gets_through(server: ChatServer) -> None:
    spoofs = member_spoofs()
    assert len({spoof.written for spoof in spoofs}) > 300
    async with ChatClient(server.ws_url) as eve:
        here = [ChatClient(server.ws_url) for _ in MEMBERS]
        try:
            for client, name in zip(here, MEMBERS, strict=True):
                await client.open()
                assert (await client.ask("rename", name=name))["member"]["name"] == name
            answers = await ask_for(eve, [spoof.written for spoof in spoofs])
        finally:
            for client in here:
                await client.close()
    assert got_through(spoofs, answers, "name_refused", "name_taken") == []
    # Both walls stand: what is a name at all is refused for whose it is.
    codes = [answer["error"]["code"] for answer in answers]
    assert min(codes.count("name_refused"), codes.count("name_taken")) > 100


async def test_honest_names_of_many_languages_are_welcome(server: ChatServer) -> None:
    names = [name for _, name in HONEST]
    assert len(set(names)) > 400
    assert len({language for language, _ in HONEST}) > 80
    async with ChatClient(server.ws_url) as sam:
        answers = await ask_for(sam, names)
    refused = [
        (language, name, answer)
        for (language, name), answer in zip(HONEST, answers, strict=True)
        if answer.get("ok", {}).get("ok") != "rename"
    ]
    assert refused == []


def test_nearly_all_honest_names_are_each_others_neighbours_not_each_other() -> None:
    keys = [name_key(name) for _, name in HONEST]
    assert len(keys) - len(set(keys)) <= 2, "Björn and Bjørn are one name, and few others may be"
