"""A crowd that guesses and pushes at three workers at once: what one worker allows, all of them allow together."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import signal
from collections.abc import Iterator, Sequence

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from chatserver.domain.shared_limits import TELL_SECONDS
from tests.kit.process import wait_until
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer
from tests.kit.web import WebClient

ROOM = "company"
CODE = {"code": "lamp river boots sky oak"}
LIMITS = {
    "code_tries_per_address_per_hour": 6,
    "sign_ins_per_login_per_hour": 3,
    "guests_per_address_per_hour": 12,
    "guest_burst_per_address": 12,
    "connections_per_address": 24,
    "posts_per_second": 0.1,
    "post_burst": 12,
}
"""Small ones, so that the crowd can be small."""
LUMPS = 1 + 2 / 6
"""What three workers may allow at once before they have told each other: a sixth more for each other worker."""


@pytest.fixture
def three(redis_server: RedisServer) -> Iterator[ChatServer]:
    config = {"trusted_proxies": ["127.0.0.1"], "limits": LIMITS}
    server = ChatServer(3, redis_server.url, config=config)
    try:
        yield server.start()
    finally:
        server.close()


async def statuses(server: ChatServer, path: str, bodies: Sequence[object], addresses: list[str]) -> dict[int, int]:
    """How often each status was answered, each call on a connection of its own so that all workers get some."""
    found: collections.Counter[int] = collections.Counter()
    turn = asyncio.Semaphore(12)

    async def call(body: object, address: str) -> None:
        async with turn, WebClient(base_url=server.url, timeout=60) as client:
            found[(await client.post(path, json=body, headers={"x-forwarded-for": address})).status_code] += 1

    await asyncio.gather(*(call(body, addresses[n % len(addresses)]) for n, body in enumerate(bodies)))
    return dict(found)


async def opened(server: ChatServer, address: str, count: int) -> list[ClientConnection]:
    """As many sockets of one address as are let in, of so many that come one with each telling between the workers."""
    sockets = []
    for _ in range(count):
        await asyncio.sleep(TELL_SECONDS)
        try:
            sockets.append(
                await connect(
                    server.ws_url,
                    subprotocols=[Subprotocol("chat.v1.json")],
                    additional_headers={"x-forwarded-for": address},
                    proxy=None,
                )
            )
        except InvalidStatus as refused:
            if refused.response.status_code != 503:
                raise
    return sockets


async def ask(socket: ClientConnection, cmd: str, number: int = 0, **fields: object) -> dict[str, object]:
    await socket.send(json.dumps({"cmd": cmd, "id": f"{cmd}{number}-{id(socket)}", **fields}))
    while "re" not in (answer := json.loads(await socket.recv())):
        pass
    found: dict[str, object] = answer
    return found


@pytest.mark.timeout(240)
async def test_what_one_worker_allows_three_allow_together_and_a_restart_gives_nothing_back(three: ChatServer) -> None:
    found = await statuses(three, "/api/identity/restore", [CODE] * 18, ["203.0.113.1"])
    assert found == {404: 6, 429: 12}

    # One login, guessed from many addresses.
    sign_ins = [{"login": "Anna" if n % 2 else "anna ", "password": "wrong horse"} for n in range(9)]
    found = await statuses(three, "/api/staff/sign-in", sign_ins, [f"198.51.100.{n}" for n in range(9)])
    assert found == {401: 3, 429: 6}

    # Ninety networks of one provider's customer are four addresses.
    found = await statuses(three, "/api/identity", [{}] * 90, [f"2001:db8:1:{n * 256:x}::1" for n in range(90)])
    assert 48 <= found[201] <= 48 * LUMPS + 3

    async with contextlib.AsyncExitStack() as stack:
        await _sockets(three, stack)

    # A restart gives nobody who guesses new tries.
    before = set(three.worker_pids())
    three.process.send_signal(signal.SIGHUP)
    await asyncio.to_thread(wait_until, lambda: not before & set(three.worker_pids()), "three new workers", 60)
    await asyncio.to_thread(wait_until, three.is_ready, "readiness", 60)
    assert await statuses(three, "/api/identity/restore", [CODE] * 8, ["203.0.113.1"]) == {429: 8}


async def _sockets(three: ChatServer, stack: contextlib.AsyncExitStack) -> None:
    sockets = await opened(three, "203.0.113.3", 50)
    for socket in sockets:
        stack.push_async_callback(socket.close)
    # Two lumps of four, and who came within a telling on a busy machine; each worker by itself would let all in.
    assert 24 <= len(sockets) <= 24 + 2 * 4 + 8
    guest = await ask(sockets[0], "hello", guest=True)
    token = guest["ok"]["token"]  # type: ignore[index]
    inside = [sockets[0]]
    for socket in sockets[1:]:
        await asyncio.sleep(TELL_SECONDS)
        if "ok" in await ask(socket, "hello", token=token):
            inside.append(socket)
    # Likewise: two lumps of two, and who came within a telling. By themselves three workers would let in 24.
    assert 8 <= len(inside) <= 8 + 2 * 2 + 6
    for socket in inside:
        assert "ok" in await ask(socket, "join", room=ROOM, agreement=1)
    written = [await ask(socket, "post", n, room=ROOM, text=f"{n}") for n in range(4) for socket in inside]
    assert 12 <= sum("ok" in answer for answer in written) <= 12 * LUMPS + 8
