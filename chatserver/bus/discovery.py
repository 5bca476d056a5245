"""Which servers carry which topics now: all sentinels or cluster nodes are asked at once.

The majority's answer wins, so that a server that is cut off from the others does not mislead.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import RedisError

from chatserver.bus.address import Address, AddressKind, Credentials, Endpoint

ASK_SECONDS: Final = 0.5

Slots = tuple[tuple[int, int], ...]
"""First and last slot of each range, in order."""
Topology = tuple[tuple[Endpoint, Slots], ...]
"""Every server that carries topics, with its slots; no slots means that it carries all topics."""
Question = Callable[["Redis", Endpoint], Awaitable[Topology]]


class NotFound(Exception):
    """No server that was asked could say where topics are carried."""


async def discover(address: Address, known: Collection[Endpoint]) -> Topology:
    """Find the servers that carry topics. `known` are cluster nodes seen earlier, which are asked along with the seeds.

    Takes at most about `ASK_SECONDS`. Raises NotFound.
    """
    match address.kind:
        case AddressKind.SINGLE:
            return ((address.seeds[0], ()),)
        case AddressKind.SENTINEL:

            async def find_master(sentinel: Redis, asked: Endpoint) -> Topology:
                found = await sentinel.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", address.service)  # type: ignore[no-untyped-call]
                if not found:
                    raise NotFound
                host, port = found
                return ((Endpoint(host, int(port)), ()),)

            return await _ask_all(address, address.sentinel_credentials, address.seeds, find_master)
        case AddressKind.CLUSTER:
            return await _ask_all(address, address.credentials, {*address.seeds, *known}, _find_shards)


def slot_of(topic: bytes) -> int:
    """Return the cluster slot that carries a topic."""
    return key_slot(topic)


def is_covered(topology: Topology) -> bool:
    """Return whether every slot of a cluster has a server."""
    return sum(last - first + 1 for _, slots in topology for first, last in slots) == REDIS_CLUSTER_HASH_SLOTS


async def _find_shards(node: Redis, asked: Endpoint) -> Topology:
    reply: Iterable[Any] = await node.execute_command("CLUSTER SHARDS")  # type: ignore[no-untyped-call]
    return _shards(reply, asked)


def _shards(reply: Iterable[Any], asked: Endpoint) -> Topology:
    """Read the reply of CLUSTER SHARDS: per shard a flat list of `slots` and `nodes`, each node a flat list of its
    fields."""
    topology: list[tuple[Endpoint, Slots]] = []
    for shard in map(_fields, reply):
        bounds = [int(slot) for slot in shard["slots"]]
        slots = tuple(zip(bounds[::2], bounds[1::2], strict=True))
        for node in map(_fields, shard["nodes"]):
            if slots and node["role"] == "master" and node["health"] == "online":
                host = node.get("endpoint") or node.get("ip") or asked.host
                topology.append((Endpoint(asked.host if host == "?" else host, _port(node)), slots))
    if not topology:
        raise NotFound
    return tuple(sorted(topology, key=lambda shard: shard[1]))


def _fields(reply: Any) -> dict[str, Any]:
    return reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))


def _port(node: dict[str, Any]) -> int:
    return int(node["port"] if "port" in node else node["tls-port"])


async def _ask_all(
    address: Address, credentials: Credentials, endpoints: Collection[Endpoint], question: Question
) -> Topology:
    tasks = [asyncio.create_task(_ask(address, credentials, endpoint, question)) for endpoint in endpoints]
    try:
        done, _ = await asyncio.wait(tasks, timeout=ASK_SECONDS)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    answers = Counter(answer for task in done if (answer := task.result()) is not None)
    if not answers:
        raise NotFound(f"none of {len(endpoints)} servers answered")
    return answers.most_common(1)[0][0]


async def _ask(address: Address, credentials: Credentials, endpoint: Endpoint, question: Question) -> Topology | None:
    """Return one server's answer, or None. Failures are normal here: others are asked at the same time."""
    client = Redis(
        host=endpoint.host,
        port=endpoint.port,
        username=credentials.username if credentials.password is not None else None,
        password=credentials.password,
        ssl=address.tls is not None,
        **(address.tls or {}),
        socket_connect_timeout=ASK_SECONDS,
        socket_timeout=ASK_SECONDS,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        protocol=2,
        single_connection_client=True,
    )
    try:
        return await question(client, endpoint)
    except (OSError, TimeoutError, RedisError, NotFound):
        return None
    finally:
        await client.aclose()
