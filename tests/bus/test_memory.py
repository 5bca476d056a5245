"""What an exchange does to messages when it is told to misbehave."""

from __future__ import annotations

import asyncio

from chatserver.bus.memory import Exchange, Faults, MemoryBus
from tests.bus.listening import Listening, until


async def carried(seed: int, faults: Faults) -> list[bytes]:
    """What one of two nodes heard of a hundred messages."""
    exchange = Exchange(seed=seed, faults=faults)
    one, two = [await Listening(MemoryBus(exchange)).start() for _ in range(2)]
    await two.bus.subscribe(["room:sleep"])
    for number in range(100):
        one.bus.publish([("room:sleep", b"%d" % number)])
        await asyncio.sleep(0)
    exchange.faults = None
    await asyncio.sleep(0.03)
    one.bus.publish([("room:sleep", b"end")])
    await two.hears_on("room:sleep", b"end")
    for node in (one, two):
        await node.bus.close()
    return two.payloads("room:sleep")[:-1]


SENT = [b"%d" % number for number in range(100)]


async def test_exchange_loses() -> None:
    heard = await carried(1, Faults(lose=0.3))
    assert 50 < len(heard) < 90
    assert heard == [payload for payload in SENT if payload in heard]


async def test_exchange_repeats() -> None:
    heard = await carried(1, Faults(repeat=0.3))
    assert 110 < len(heard) < 150
    assert sorted(set(heard)) == sorted(SENT)


async def test_exchange_reorders() -> None:
    heard = await carried(1, Faults(delay=0.3))
    assert heard != SENT
    assert sorted(heard) == sorted(SENT)


async def test_same_seed_loses_the_same() -> None:
    faults = Faults(lose=0.2, repeat=0.2)
    assert await carried(7, faults) == await carried(7, faults)
    assert await carried(7, faults) != await carried(8, faults)


async def test_node_is_alone_while_no_other_has_started() -> None:
    exchange = Exchange()
    one, two = Listening(MemoryBus(exchange)), Listening(MemoryBus(exchange))
    await one.start()
    assert one.bus.is_alone
    await two.start()
    assert not one.bus.is_alone
    await two.bus.close()
    assert one.bus.is_alone
    await one.bus.close()


async def test_interrupted_exchange_carries_nothing_and_says_so() -> None:
    exchange = Exchange()
    node = await Listening(MemoryBus(exchange)).start()
    await node.bus.subscribe(["room:sleep"])
    node.bus.publish([("room:sleep", b"on its way")])
    exchange.interrupt()
    node.bus.publish([("room:sleep", b"meanwhile")])
    await node.bus.subscribe(["room:grief"])
    assert not node.bus.is_attached
    assert node.bus.dropped == 2
    late = await Listening(MemoryBus(exchange)).start()
    assert late.attached == []
    exchange.resume()
    node.bus.publish([("room:grief", b"again")])
    await until(lambda: node.heard == [("room:grief", b"again")], "only what was sent afterwards")
    assert node.attached == [True, False, True]
    assert late.attached == [True]
