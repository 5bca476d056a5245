"""Measures the cost of the operators' page: `python -m bench.operators` prints a table.

It runs a real server and a real Redis, with twenty simulated workers, a thousand rooms and one operator on a WebSocket;
and measures in this process what it costs a worker to sample itself.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import statistics
import tempfile
import time
from pathlib import Path

import msgpack  # type: ignore[import-untyped]
import psutil
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms.rooms import Room, RoomId, room_channel
from chatserver.protocol.codec import Encoding
from chatserver.protocol.internode import LoadTold, encode
from chatserver.store.drivers.migrate import migrate
from tests.browser.site import open_site, room
from tests.conformance.personnel import PASSWORD, add_operator
from tests.handlers.workers import Cluster, LateStore
from tests.kit import web
from tests.kit.crowd_of_workers import CrowdOfWorkers, crowd_of_workers, room_ids
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer

ROOMS = 1_000
WORKERS = 20
SECONDS = 20


def _sign_in(server: ChatServer) -> str:
    login = "bench" + "".join(secrets.choice("abcdef") for _ in range(6))
    add_operator(_As(server), login)  # type: ignore[arg-type]
    answer = web.post(server.url + "/api/staff/sign-in", json={"login": login, "password": PASSWORD}, timeout=20)
    return str(answer.raise_for_status().json()["token"])


class _As:
    def __init__(self, server: ChatServer) -> None:
        self.server = server


async def _watch(server: ChatServer, token: str, encoding: Encoding) -> tuple[int, float, list[float]]:
    """Return the bytes of the first picture, the bytes per second after it, and the age of each worker's numbers on
    arrival."""
    ages: list[float] = []
    url, subprotocols, first = server.ws_url, [Subprotocol(encoding.subprotocol)], b""
    async with connect(url, subprotocols=subprotocols, compression=None, max_size=None) as socket:
        for command in ({"cmd": "hello", "id": "1", "staff": True, "token": token}, {"cmd": "load", "id": "2"}):
            await socket.send(json.dumps(command) if encoding is Encoding.JSON else msgpack.packb(command))
            first = await socket.recv(decode=False)
        total, pushes = 0, 0
        while pushes < SECONDS:
            frame = await socket.recv()
            arrived = time.time() * 1000
            push = json.loads(frame) if isinstance(frame, str) else msgpack.unpackb(frame)
            if push.get("push") != "load":
                continue
            pushes += 1
            total += len(frame)
            ages += [arrived - push["at"] + worker["age_ms"] for worker in push["workers"]]
        return len(first), total / pushes, ages


async def _over_the_wire() -> None:
    rooms = room_ids(ROOMS)
    with (
        RedisServer() as redis,
        open_site([room(each, each, capacity=1_000) for each in rooms], redis_url=redis.url) as server,
    ):
        token = await asyncio.to_thread(_sign_in, server)
        process = psutil.Process(server.worker_pids()[0])

        async def share(seconds: float = SECONDS) -> float:
            before = sum(process.cpu_times()[:2])
            await asyncio.sleep(seconds)
            return (sum(process.cpu_times()[:2]) - before) / seconds

        print(f"a worker alone, nobody in the rooms: {await share():.1%} of a core")
        async with crowd_of_workers(redis.url, server.redis_namespace, WORKERS, rooms) as crowd:
            await asyncio.sleep(3)
            used, size = await share(), crowd.payload_bytes
            print(f"it hears {WORKERS} others, each with {ROOMS} rooms ({size:,} bytes a sample): {used:.1%}")
            for busy in (1.0, 0.1):
                await _with_operator(server, token, crowd, busy, process)


async def _with_operator(
    server: ChatServer, token: str, crowd: CrowdOfWorkers, busy: float, process: psutil.Process
) -> None:
    for encoding in Encoding:
        # Twenty workers change different rooms, so each changes only its part of the wanted share.
        crowd.busy = busy if busy == 1.0 else busy / WORKERS
        await asyncio.sleep(2)
        before, started = sum(process.cpu_times()[:2]), time.monotonic()
        first, a_second, ages = await _watch(server, token, encoding)
        used = (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - started)
        ages.sort()
        print(
            f"one operator, {encoding.name}, {busy:.0%} of the rooms change a second: {first:,} bytes at first, "
            f"{a_second:,.0f} a second; worker {used:.1%} of a core; numbers on arrival are p50 "
            f"{statistics.median(ages):.0f} ms, p99 {ages[int(len(ages) * 0.99)]:.0f} ms old"
        )


async def _sampling() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "chat.db"
        migrate(f"sqlite:///{path}")
        store = LateStore(path)
        await store.open()
        await store.add_rooms([Room(id=RoomId(f"r{n}"), name=f"Room {n}", about="") for n in range(ROOMS)])
        site = Cluster(store)
        worker = await site.worker()
        node = worker.node
        keeper = worker.load.monitor
        for rooms, members in ((0, 0), (50, 1_000), (ROOMS, 5_000)):
            for number in range(members):
                name = RoomId(f"r{number % rooms}")
                member = MemberId(f"m{number}")
                node.presence.enter(room_channel(name), Persona(member, "x"), number)
                node.hub.meter.posted(name, member, node.monotonic())
                node.hub.meter.delivered(name, number % 40, node.monotonic())
            took, payload = [], b""
            for _ in range(30):
                started = time.process_time()
                payload = encode(node.id, LoadTold(await keeper.sample()))
                took.append(time.process_time() - started)
            print(
                f"a sample of oneself, {members:,} members in {rooms:,} rooms: {statistics.median(took) * 1000:.2f} ms "
                f"of CPU a second, {len(payload):,} bytes"
            )
        await site.close()
        await store.close()


if __name__ == "__main__":
    asyncio.run(_sampling())
    asyncio.run(_over_the_wire())
