"""What `chatserver/bus/contract.py` demands, proven for every bus: in memory, over one Redis, Sentinel, and a
Cluster."""

from __future__ import annotations

import asyncio
import functools
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from chatserver.bus.contract import Bus
from chatserver.bus.memory import Exchange, MemoryBus
from chatserver.bus.redis import RedisBus
from tests.bus.listening import Listening, until, url_of
from tests.kit.process import obtain
from tests.kit.redis import RedisServer, redis_binaries

MakeBus = Callable[[], Bus]

NASTY = [
    b"",
    b"\x00",
    bytes(range(256)),
    b"\r\n$-1\r\n*0\r\n>3\r\n",
    "Grüße 🌙".encode(),
    random.Random(1).randbytes(64 * 1024),
]
NASTY_TOPICS = [
    "room:sleep",
    "room:with space",
    "room:{tag}:x",
    "room:{}",
    "room:ünïcødé 🌙",
    "room:\r\n",
    "nodes",
    "a*?[b]",
]


BINARIES: Mapping[str, Path | None] = {path.name: path for path in redis_binaries()} or {"redis-server": None}


@pytest.fixture(scope="module")
def standalone() -> Iterator[Callable[[str], RedisServer]]:
    """Return a function that starts each server binary once."""
    with ExitStack() as running:
        yield functools.cache(lambda name: running.enter_context(obtain(lambda: RedisServer(BINARIES[name]))))


@pytest.fixture(params=["memory", *BINARIES, "sentinel_setup", "cluster_setup"])
def make_bus(request: pytest.FixtureRequest) -> MakeBus:
    """Return a function that makes nodes connected with each other, and with those of no other test."""
    if request.param == "memory":
        exchange = Exchange()
        return lambda: MemoryBus(exchange)
    if request.param in BINARIES:
        behind = request.getfixturevalue("standalone")(request.param)
    else:
        behind = request.getfixturevalue(request.param)
    prefix = f"test-{random.randrange(2**64):x}"
    return lambda: RedisBus(url_of(behind), prefix=prefix)


@pytest.fixture
async def nodes(make_bus: MakeBus) -> AsyncIterator[list[Listening]]:
    """Yield two attached nodes."""
    started = [await Listening(make_bus()).start() for _ in range(2)]
    assert [node.attached for node in started] == [[True], [True]]
    yield started
    for node in started:
        await node.bus.close()


@pytest.fixture
def one(nodes: list[Listening]) -> Listening:
    return nodes[0]


@pytest.fixture
def two(nodes: list[Listening]) -> Listening:
    return nodes[1]


async def test_payloads_arrive_exactly_as_they_were(one: Listening, two: Listening) -> None:
    await two.bus.subscribe(["room:sleep"])
    one.bus.publish([("room:sleep", payload) for payload in NASTY])
    await two.hears(len(NASTY))
    assert two.payloads("room:sleep") == NASTY


async def test_topics_may_hold_any_characters(one: Listening, two: Listening) -> None:
    await two.bus.subscribe(NASTY_TOPICS)
    one.bus.publish([(topic, topic.encode()) for topic in NASTY_TOPICS])
    await two.hears(len(NASTY_TOPICS))
    assert sorted(two.heard) == sorted((topic, topic.encode()) for topic in NASTY_TOPICS)


async def test_publisher_hears_itself_and_only_later(one: Listening) -> None:
    await one.bus.subscribe(["room:sleep"])
    one.bus.publish([("room:sleep", b"hello")])
    assert one.heard == []
    await one.hears(1)
    assert one.heard == [("room:sleep", b"hello")]


async def test_node_with_another_one_is_not_alone(one: Listening, two: Listening) -> None:
    assert not one.bus.is_alone
    assert not two.bus.is_alone


async def test_nobody_hears_what_they_did_not_subscribe_to(one: Listening, two: Listening) -> None:
    await one.bus.subscribe(["room:sleep"])
    await two.bus.subscribe(["room:sleepless", "room:s*"])
    one.bus.publish([("room:sleep", b"hello")])
    await one.hears(1)
    two.bus.publish([("room:sleepless", b"after")])
    await two.hears_on("room:sleepless", b"after")
    assert two.heard == [("room:sleepless", b"after")]


async def test_order_is_kept_on_each_topic(one: Listening, two: Listening) -> None:
    topics = ["room:sleep", "room:grief", "room:panic"]
    await two.bus.subscribe(topics)
    sent: dict[str, list[bytes]] = {topic: [] for topic in topics}
    chance = random.Random(2)
    for _ in range(60):
        batch = [(chance.choice(topics), b"%d" % number) for number in range(chance.randrange(1, 60))]
        one.bus.publish(batch)
        for topic, payload in batch:
            sent[topic].append(payload)
        if chance.random() < 0.5:
            await asyncio.sleep(0)
    await two.hears(sum(map(len, sent.values())))
    assert {topic: two.payloads(topic) for topic in topics} == sent


async def test_what_is_published_after_subscribe_returned_is_heard(one: Listening, two: Listening) -> None:
    for number in range(50):
        await two.bus.subscribe([f"room:{number}"])
        one.bus.publish([(f"room:{number}", b"hello")])
    await two.hears(50)


async def test_subscribing_twice_changes_nothing(one: Listening) -> None:
    await one.bus.subscribe(["room:sleep", "room:grief"])
    await one.bus.subscribe(["room:sleep"])
    one.bus.publish([("room:sleep", b"once"), ("room:grief", b"last")])
    await one.hears_on("room:grief", b"last")
    await asyncio.gather(one.bus.subscribe(["room:x"]), one.bus.subscribe(["room:x"]))
    one.bus.publish([("room:sleep", b"again"), ("room:x", b"x")])
    await one.hears(4)
    assert sorted(one.heard) == [
        ("room:grief", b"last"),
        ("room:sleep", b"again"),
        ("room:sleep", b"once"),
        ("room:x", b"x"),
    ]


async def test_unsubscribed_topic_falls_silent_and_may_be_subscribed_again(one: Listening, two: Listening) -> None:
    await two.bus.subscribe(["room:sleep", "room:grief"])
    await two.bus.unsubscribe(["room:sleep", "room:never"])
    # The server handles requests in order, so what is requested after it is done after it.
    await two.bus.subscribe(["room:later"])
    one.bus.publish([("room:sleep", b"unheard"), ("room:grief", b"heard")])
    await two.hears_on("room:grief", b"heard")
    assert two.payloads("room:sleep") == []
    for _ in range(20):
        await two.bus.unsubscribe(["room:grief"])
        await two.bus.subscribe(["room:grief"])
    one.bus.publish([("room:grief", b"again")])
    await two.hears_on("room:grief", b"again")
    assert two.attached == [True]


async def test_a_thousand_topics(one: Listening, two: Listening) -> None:
    topics = [f"room:{number}" for number in range(1000)]
    started = time.monotonic()
    await two.bus.subscribe(topics)
    assert time.monotonic() - started < 3.0
    one.bus.publish([(topic, b"x") for topic in topics])
    await two.hears(1000)
    assert {topic for topic, _ in two.heard} == set(topics)
    await two.bus.unsubscribe(topics)
    assert two.attached == [True]


async def test_several_nodes_speak_at_once(one: Listening, two: Listening) -> None:
    for node in (one, two):
        await node.bus.subscribe(["room:sleep"])
    for number in range(200):
        one.bus.publish([("room:sleep", b"one %d" % number)])
        two.bus.publish([("room:sleep", b"two %d" % number)])
        await asyncio.sleep(0)
    for node in (one, two):
        await node.hears(400)
        for name in (b"one", b"two"):
            heard = [payload for payload in node.payloads("room:sleep") if payload.startswith(name)]
            assert heard == [b"%s %d" % (name, number) for number in range(200)]


async def test_publish_never_waits_and_counts_what_does_not_fit(one: Listening, two: Listening) -> None:
    await two.bus.subscribe(["room:sleep"])
    payload = b"x" * 1024
    one.bus.publish([("room:sleep", payload)] * 100_000)
    dropped = one.bus.dropped
    assert 0 < dropped < 100_000
    await two.hears(100_000 - dropped)
    one.bus.publish([("room:sleep", b"room again")])
    await two.hears_on("room:sleep", b"room again")
    assert one.bus.dropped == dropped
    assert len(two.heard) == 100_000 - dropped + 1


async def test_publish_before_the_start_and_after_the_end_is_counted_and_lost(make_bus: MakeBus) -> None:
    bus = make_bus()
    bus.publish([("room:sleep", b"early"), ("room:sleep", b"early")])
    assert (bus.is_attached, bus.dropped) == (False, 2)
    await Listening(bus).start()
    assert bus.is_attached
    await bus.close()
    assert not bus.is_attached
    bus.publish([("room:sleep", b"late")])
    assert bus.dropped == 3


async def test_subscribing_before_the_start_is_remembered(make_bus: MakeBus) -> None:
    node = Listening(make_bus())
    await node.bus.subscribe(["room:sleep", "room:grief"])
    await node.bus.unsubscribe(["room:grief"])
    await node.start()
    node.bus.publish([("room:grief", b"unheard"), ("room:sleep", b"heard")])
    await node.hears_on("room:sleep", b"heard")
    assert len(node.heard) == 1
    await node.bus.close()


async def test_start_is_quick_where_all_is_well(make_bus: MakeBus) -> None:
    started = time.monotonic()
    node = await Listening(make_bus()).start()
    assert time.monotonic() - started < 1.0
    assert node.attached == [True]
    await node.bus.close()


async def test_close_sends_what_was_published_and_leaves_no_task(
    make_bus: MakeBus, one: Listening, two: Listening
) -> None:
    await two.bus.subscribe(["room:sleep"])
    before = asyncio.all_tasks()
    node = await Listening(make_bus()).start()
    node.bus.publish([("room:sleep", b"%d" % number) for number in range(1000)])
    await node.bus.close()
    assert asyncio.all_tasks() == before
    await two.hears(1000)
    assert node.bus.dropped == 0


async def test_listener_that_fails_is_logged_and_does_not_stop_the_bus(
    make_bus: MakeBus, caplog: pytest.LogCaptureFixture
) -> None:
    bus = make_bus()
    heard: list[bytes] = []

    def listen(_topic: str, payload: bytes) -> None:
        heard.append(payload)
        if payload == b"poison":
            raise RuntimeError("a bug")

    await bus.start(listen, lambda _: None)
    await bus.subscribe(["room:sleep"])
    with caplog.at_level(logging.ERROR, "chatserver.bus"):
        bus.publish([("room:sleep", b"poison"), ("room:sleep", b"next")])
        await until(lambda: heard == [b"poison", b"next"], "the message after the poisoned one")
    assert len(caplog.records) == 1
    assert bus.is_attached
    await bus.close()
