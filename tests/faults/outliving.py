"""What must hold while a server's store takes no writes, whatever the reason, and once it does again."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Final

import pytest

from tests.kit.client import ChatClient, Message, Refused
from tests.kit.server import ChatServer
from tests.kit.web import WebClient

ROOM: Final = "sleep"
CONFIG: Final = {
    "limits": {
        "member_commands_per_second": 1_000,
        "posts_per_second": 1_000,
        "post_burst": 1_000,
        "names_per_hour": 1_000,
    }
}
_IN_LINE: Final = 5
_ANSWER_SECONDS: Final = 6.5
"""P-ERROR-2: five seconds for the store, once for all that wait in line, and what a busy machine takes."""


async def outlives(
    server: ChatServer,
    fault: Callable[[ChatServer], AbstractContextManager[None]],
    *,
    text: str = "meanwhile",
    stops_small_writes: bool = True,
    hangs: bool = False,
) -> None:
    """Typed, temporary refusals in time and no acknowledgement; reading goes on, and people are sent here;
    `/statusz` says so; and afterwards all is well without a restart, with nothing lost or doubled.

    `text` is what cannot be saved, and `stops_small_writes` whether a short one cannot either. `hangs` says that the
    store does not even say no.
    """
    async with ChatClient(server.ws_url) as one, ChatClient(server.ws_url) as other:
        for client in (one, other):
            await client.ask("join", room=ROOM, agreement=1)
        before = await one.ask("post", id="before", room=ROOM, text="before")
        offset = before["offset"]
        with fault(server):
            began = time.monotonic()
            said = asyncio.create_task(_until_status(server, 503)) if stops_small_writes else None
            # One after the other down one connection, each with what is left to it of the time of the first.
            refusals = await asyncio.gather(*(_refused(_post(one, number, text)) for number in range(_IN_LINE)))
            assert time.monotonic() - began < _ANSWER_SECONDS
            assert {(refused.code, refused.error["temporary"]) for refused in refusals} == {
                ("storage_unavailable", True)
            }
            if said is not None:
                await said
                assert (await _refused(ChatClient(server.ws_url).open())).code == "storage_unavailable"
            if hangs:
                await _until_told(server, "chat_store_silent 1.0")
            await _reads(server, one, other, before)
            assert (server.get("/healthz"), server.get("/readyz")) == (200, 200)
        await _until_status(server, 200)
        if hangs:
            await _until_told(server, "chat_store_silent 0.0")
        # Whatever became of the first time: the same ids tell, and are saved once.
        for _ in range(2):
            for number in range(_IN_LINE):
                answer = await _answered(one, number, text)
                assert answer["offset"] == offset + 1 + number
        after = (await one.ask("post", id="after", room=ROOM, text="after"))["offset"]
        await other.wait_for(lambda push: push.get("offset") == after)
        heard = [(fact["offset"], fact["post"]["text"]) for fact in other.facts(f"room:{ROOM}")]
        texts = ["before", *(f"{text}{number}" for number in range(_IN_LINE)), "after"]
        assert heard == [*enumerate(texts, offset)]
    assert not [line for line in server.log() if "Traceback" in str(line)]


async def _reads(server: ChatServer, one: ChatClient, other: ChatClient, before: Message) -> None:
    """What was there is there to read: for those who are here, and for somebody who comes back, missing a post."""
    page = await other.ask("history", room=ROOM, before=before["offset"] + 1)
    assert page["posts"][-1]["text"] == "before"
    await other.ask("join", room=ROOM, agreement=1)
    async with ChatClient(server.ws_url, token=one.token) as back:
        since = {"epoch": before["epoch"], "offset": before["offset"] - 1}
        joined = await back.ask("join", room=ROOM, since=since)
        assert joined["history"] == "exact"
        assert joined["missed"][0]["post"]["text"] == "before"


def _post(client: ChatClient, number: int, text: str) -> asyncio.Task[Message]:
    return asyncio.create_task(
        client.ask("post", id=f"meanwhile{number}", room=ROOM, text=f"{text}{number}", timeout=60)
    )


async def _refused(attempt: Awaitable[object]) -> Refused:
    with pytest.raises(Refused) as refused:
        await attempt
    return refused.value


async def _answered(client: ChatClient, number: int, text: str) -> Message:
    """Send the same again until it is answered, as a client does: who is ready may still be without a part of it."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await _post(client, number, text)
            except Refused as refused:
                if not refused.error["temporary"]:
                    raise
                await asyncio.sleep(0.1)


async def _until_status(server: ChatServer, status: int) -> None:
    async with asyncio.timeout(20):
        while await asyncio.to_thread(server.get, "/statusz") != status:  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(0.05)


async def _until_told(server: ChatServer, line: str) -> None:
    """Until `/metrics` says so: the sweep looks once a second."""
    async with asyncio.timeout(10), WebClient() as http:
        while line not in (await http.get(f"{server.url}/metrics")).text.splitlines():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)


def disks_can_be_made() -> bool:
    """Whether a process may have a file system of its own here."""
    mount = ["unshare", "-rm", "mount", "-t", "tmpfs", "chat", "/mnt"]
    return (
        shutil.which("unshare") is not None and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    )
