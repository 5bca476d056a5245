"""One Redis server away, frozen, restarted: the bus notices, says so, and finds its way back by itself."""

from __future__ import annotations

import asyncio
import functools
import logging
import re
import shutil
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from chatserver.bus.link import SILENCE_SECONDS
from chatserver.bus.redis import CLOSE_SECONDS, START_SECONDS, SUBSCRIBE_SECONDS, RedisBus
from tests.bus.listening import (
    Listening,
    all_heard,
    attached,
    blocking,
    check_history,
    detached,
    told,
    two_nodes,
    until,
)
from tests.kit.process import PartMissing, obtain
from tests.kit.redis import RedisServer

pytestmark = pytest.mark.faults

SLACK_SECONDS = 3.0
"""By how much what takes a bounded time may be late on a machine that does much else."""


async def test_killed_server_is_noticed_at_once_and_taken_back_when_it_restarts(redis_server: RedisServer) -> None:
    async with two_nodes(redis_server) as (one, two):
        redis_server.kill()
        await until(
            lambda: not one.bus.is_attached and not two.bus.is_attached, "the bus to notice", SILENCE_SECONDS - 0.5
        )
        dropped = one.bus.dropped
        started = time.monotonic()
        one.bus.publish([("room:1", b"lost")] * 3)
        await one.bus.subscribe(["room:new"])
        await one.bus.unsubscribe(["room:new", "room:0"])
        await one.bus.subscribe(["room:0", "room:newer"])
        # Nothing is waited for, three times.
        assert time.monotonic() - started < 2 * SUBSCRIBE_SECONDS
        assert one.bus.dropped == dropped + 3
        await asyncio.sleep(0.3)
        await blocking(redis_server.start)
        await attached(one, two)
        await all_heard(one, two)
        two.bus.publish([("room:new", b"unheard"), ("room:newer", b"heard")])
        await one.hears_on("room:newer", b"heard")
        assert one.payloads("room:new") == []
        check_history(one, two)
        assert one.attached == [True, False, True]


async def test_frozen_server_is_noticed_and_taken_back_when_it_thaws(redis_server: RedisServer) -> None:
    async with two_nodes(redis_server) as (one, two):
        redis_server.freeze()
        started = time.monotonic()
        one.bus.publish([("room:1", b"lost")])
        await one.bus.subscribe(["room:new"])
        assert time.monotonic() - started < SUBSCRIBE_SECONDS + SLACK_SECONDS
        await detached(one, two)
        assert one.bus.dropped >= 1
        redis_server.thaw()
        await attached(one, two)
        await all_heard(one, two)
        two.bus.publish([("room:new", b"heard")])
        await one.hears_on("room:new", b"heard")
        check_history(one, two)


@pytest.mark.parametrize("kind", [("TYPE", "pubsub"), ("SKIPME", "yes")])
async def test_killed_connections_are_made_again(redis_server: RedisServer, kind: tuple[str, str]) -> None:
    async with two_nodes(redis_server) as (one, two):
        for number in range(1, 4):
            killed = await blocking(redis_server.command, "CLIENT", "KILL", *kind)
            assert killed >= 2
            await told(2 * number, one, two)
            await attached(one, two)
            await all_heard(one, two)
        check_history(one, two)


async def test_start_returns_where_nothing_answers_and_the_bus_attaches_when_something_does() -> None:
    server = obtain(RedisServer)
    node = Listening(RedisBus(server.url))
    started = time.monotonic()
    await node.start()
    assert time.monotonic() - started < START_SECONDS + SLACK_SECONDS
    assert node.attached == []
    await node.bus.subscribe(["room:1"])
    with server:
        await attached(node)
        node.bus.publish([("room:1", b"heard")])
        await node.hears_on("room:1", b"heard")
        assert node.attached == [True]
        await node.bus.close()


async def test_start_returns_where_the_server_is_frozen(redis_server: RedisServer) -> None:
    redis_server.freeze()
    node = Listening(RedisBus(redis_server.url))
    started = time.monotonic()
    await node.start()
    assert time.monotonic() - started < START_SECONDS + SLACK_SECONDS
    redis_server.thaw()
    await attached(node)
    redis_server.freeze()
    started = time.monotonic()
    await node.bus.close()
    assert time.monotonic() - started < CLOSE_SECONDS + SLACK_SECONDS


async def test_log_says_each_change_once_and_holds_no_payload(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with two_nodes(redis_server) as (one, two):
            redis_server.kill()
            await detached(one, two)
            one.bus.publish([("room:1", b"a secret")])
            await asyncio.sleep(0.3)
            await blocking(redis_server.start)
            await attached(one, two)
    lines = [record.getMessage() for record in caplog.records if record.name == "chatserver.bus"]
    assert [re.sub(r":.*", "", line) for line in sorted(lines)] == ["bus attached"] * 4 + ["bus detached"] * 2
    assert not any(record.exc_info for record in caplog.records)
    assert "secret" not in caplog.text


async def test_wrong_password_is_said_and_nothing_else_happens(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    await blocking(redis_server.command, "ACL", "SETUSER", "bus", "on", ">hunter2", "&*", "+@all")
    for password, expected in (("hunter3", []), ("hunter2", [True])):
        url = redis_server.url.replace("redis://", f"redis://bus:{password}@")
        node = await Listening(RedisBus(url)).start()
        assert node.attached == expected
        await node.bus.close()
    assert "WRONGPASS" in caplog.text
    assert "hunter" not in caplog.text
    assert not any(record.exc_info for record in caplog.records)


async def test_socket_and_databases() -> None:
    with obtain(RedisServer) as first:
        path = first.directory / "redis.sock"
        with obtain(lambda: RedisServer(options=["--unixsocket", str(path)])):
            nodes = [await Listening(RedisBus(f"unix://{path}?db={db}")).start() for db in (0, 0, 1)]
            for node in nodes:
                await node.bus.subscribe(["room:1"])
            nodes[0].bus.publish([("room:1", b"heard")])
            await nodes[1].hears_on("room:1", b"heard")
            nodes[2].bus.publish([("room:1", b"apart")])
            await nodes[2].hears_on("room:1", b"apart")
            assert nodes[2].heard == [("room:1", b"apart")]
            for node in nodes:
                await node.bus.close()


def _openssl() -> str:
    path = shutil.which("openssl")
    if path is None:
        raise PartMissing("no openssl to make a certificate with")
    return path


async def test_tls_is_spoken_and_a_stranger_is_not_trusted(redis_server: RedisServer, tmp_path: Path) -> None:
    openssl = obtain(_openssl)
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    wish = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    files = ["-keyout", key, "-out", certificate, "-addext", "subjectAltName=DNS:localhost"]
    await blocking(functools.partial(subprocess.run, [openssl, *wish.split(), *files], check=True, capture_output=True))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(redis_server.host, redis_server.port)

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                target.write(data)
            target.close()

        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer), return_exceptions=True)

    async with await asyncio.start_server(forward, "127.0.0.1", 0, ssl=tls) as proxy:
        url = f"rediss://localhost:{proxy.sockets[0].getsockname()[1]}"
        node = await Listening(RedisBus(f"{url}?ssl_ca_certs={certificate}")).start()
        await node.bus.subscribe(["room:1"])
        node.bus.publish([("room:1", bytes(100_000))])
        await node.hears_on("room:1", bytes(100_000))
        await node.bus.close()
        stranger = await Listening(RedisBus(url)).start()
        assert stranger.attached == []
        await stranger.bus.close()


async def test_something_that_is_no_redis_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def check(answer: bytes) -> None:
        async def respond(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            writer.close()

        async with await asyncio.start_server(respond, "127.0.0.1", 0) as server:
            node = await Listening(RedisBus(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")).start()
            assert not node.bus.is_attached
            await node.bus.close()

    answers = [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-ERR unknown command 'HELLO'\r\n", b""]
    await asyncio.gather(*map(check, answers))
    assert [record.getMessage()[:24] for record in caplog.records] == ["bus not attached yet: si"] * len(answers)


async def test_round_trip_is_measured_while_attached(redis_server: RedisServer) -> None:
    bus = RedisBus(redis_server.url)
    assert bus.round_trip_seconds is None
    node = await Listening(bus).start()
    assert bus.round_trip_seconds is not None
    assert 0 < bus.round_trip_seconds < 1.0
    redis_server.kill()
    await detached(node)
    assert bus.round_trip_seconds is None
    await bus.close()


async def test_loop_that_stood_still_does_not_lose_the_bus(redis_server: RedisServer) -> None:
    async with two_nodes(redis_server) as (one, two):
        # Longer than the silence that ends a connection.
        time.sleep(3.0)  # noqa: ASYNC251
        await all_heard(one, two)
        assert one.attached == [True]
