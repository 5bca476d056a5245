"""Signals to a running server, and workers whose supervisor or neighbour dies while they start."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from redis.asyncio import Redis

from chatserver.config import load
from chatserver.domain.identity import NodeId
from chatserver.protocol.internode import DrainWanted, encode, node_topic
from chatserver.server import Server
from tests.edge.serving import serving
from tests.kit.client import ChatClient
from tests.kit.database import migrated_sqlite
from tests.kit.process import obtain, wait_until
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer
from tests.kit.web import WebClient

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with obtain(RedisServer) as running:
        yield running


@pytest.fixture(autouse=True)
def _heeds_hangups() -> Iterator[None]:
    """A server that is started where hangups are ignored ignores them, as with `nohup`. The tests may be run so."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


async def _is_sent_away_and_back(server: ChatServer, client: ChatClient) -> None:
    """Told to come back, as for a stop; and somebody serves when one does."""
    await client.wait_for(lambda push: push.get("push") == "draining", 30)
    assert await client.wait_closed(30) == 1012
    await asyncio.to_thread(wait_until, server.is_ready, "a new worker")
    async with ChatClient(server.ws_url, token=client.token) as back:
        assert back.member == client.member


async def test_a_server_with_one_worker_drains_and_serves_anew_at_a_hangup() -> None:
    with ChatServer() as server:
        pid = server.process.pid
        for _ in range(2):
            async with ChatClient(server.ws_url) as client:
                server.process.send_signal(signal.SIGHUP)
                await _is_sent_away_and_back(server, client)
        assert server.process.is_running
        assert server.process.pid == pid
        assert [line["event"] for line in server.log() if "worker_" in str(line.get("event"))] == [
            "worker_started", "worker_stopped", "worker_started", "worker_stopped", "worker_started",
        ]  # fmt: skip
        assert server.process.output().count("The chat is open") == 1
        assert server.stop() == 0


async def test_who_comes_while_a_lone_worker_serves_anew_waits_and_while_it_ends_is_refused() -> None:
    with ChatServer() as server:

        async def answer() -> int:
            async with WebClient(timeout=40) as http:
                return (await http.get(server.url + "/healthz")).status_code

        async with ChatClient(server.ws_url) as client:
            server.process.send_signal(signal.SIGHUP)
            assert await client.wait_closed(30) == 1012
            # Nobody serves at this moment.
            assert await answer() == 200
        async with ChatClient(server.ws_url) as client:
            server.process.send_signal(signal.SIGTERM)
            await client.wait_for(lambda push: push.get("push") == "draining", 30)
            with pytest.raises(httpx.ConnectError):
                await answer()
        assert await asyncio.to_thread(server.process.wait) == 0


def test_a_lone_worker_that_cannot_serve_anew_tries_again() -> None:
    """A hangup while the database is away must not end what served."""
    with ChatServer() as server:
        data, away = server.directory / "data", server.directory / "away"

        def failures() -> int:
            return sum(line.get("event") == "server_not_started" for line in server.log())

        away.mkdir()
        for file in data.glob("chat.db*"):
            file.rename(away / file.name)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: failures() >= 2, "two tries")
        opened = psutil.Process(server.process.pid).num_fds()
        wait_until(lambda: failures() >= 3, "one more")
        assert psutil.Process(server.process.pid).num_fds() <= opened
        assert server.process.is_running
        for file in away.iterdir():
            file.rename(data / file.name)
        wait_until(server.is_ready, "the new server")
        assert server.stop() == 0


async def test_a_lone_worker_that_an_operator_drains_serves_again(redis: RedisServer) -> None:
    with ChatServer(redis_url=redis.url) as server:
        (started,) = [line for line in server.log() if line.get("event") == "worker_started"]
        node = NodeId(started["node"])
        async with ChatClient(server.ws_url) as client, Redis.from_url(redis.url) as bus:
            # As another machine's worker passes it on.
            said = encode(NodeId("0" * len(node)), DrainWanted())
            heard = await bus.publish(f"{server.redis_namespace}:0:{node_topic(node)}", said)
            assert heard == 1
            await _is_sent_away_and_back(server, client)
        assert server.process.is_running


async def test_a_hangup_for_the_whole_group_replaces_workers_in_good_order(redis: RedisServer) -> None:
    with ChatServer(workers=2, redis_url=redis.url) as server:
        before = set(server.wait_for_workers())
        async with ChatClient(server.ws_url) as client:
            os.killpg(server.process.pid, signal.SIGHUP)
            await _is_sent_away_and_back(server, client)
        await asyncio.to_thread(wait_until, lambda: not before & set(server.worker_pids()), "new workers")
        assert not [line for line in server.log() if line.get("event") == "worker_ended"]
        server.wait_for_workers()
        assert server.stop() == 0


TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


def _run_in(terminal: int, server: ChatServer) -> subprocess.Popen[bytes]:
    """The server's command as a shell would run it in a terminal."""
    command = [sys.executable, "-c", TAKE_TERMINAL, *server.process.command]
    with (server.directory / "log").open("wb") as log:
        return subprocess.Popen(command, stdin=terminal, stdout=log, stderr=log, cwd=ROOT, start_new_session=True)


@pytest.mark.parametrize("workers", [1, 2])
async def test_closing_the_terminal_ends_a_server_in_good_order(workers: int, redis: RedisServer) -> None:
    server = ChatServer(workers=workers, redis_url=redis.url)
    ours, theirs = pty.openpty()
    running = _run_in(theirs, server)
    os.close(theirs)
    try:
        await asyncio.to_thread(wait_until, server.is_ready, "the start")
        async with ChatClient(server.ws_url) as client:
            os.close(ours)
            assert await client.wait_closed(30) == 1012
        assert await asyncio.to_thread(running.wait, 40) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        server.close()


# ------------------------------------------------------------------------------------------------ starting


def _start_and_wait_for_processes(server: ChatServer) -> list[int]:
    """Start it; the workers' ids, of which none is ready yet."""
    server.process.start(lambda: len(server.worker_pids()) == server.workers)
    return server.worker_pids()


def test_workers_that_start_end_when_their_supervisor_is_killed(redis: RedisServer) -> None:
    server = ChatServer(workers=2, redis_url=redis.url)
    try:
        workers = [psutil.Process(pid) for pid in _start_and_wait_for_processes(server)]
        assert server.get("/healthz") is None or not server.is_ready()
        os.kill(server.process.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(workers, timeout=40)
        assert alive == []
        # The port is free, and the data can be served.
        server.process.wait()
        server.start()
        assert server.stop() == 0
    finally:
        server.close()


def test_a_worker_that_dies_while_all_start_is_replaced_and_stops_nobody(redis: RedisServer) -> None:
    server = ChatServer(workers=2, redis_url=redis.url)
    try:
        killed, other = _start_and_wait_for_processes(server)
        os.kill(killed, signal.SIGKILL)
        pids = server.wait_for_workers(60)
        assert other in pids
        assert killed not in pids
        assert "The chat is open" in server.process.output()
        assert server.stop() == 0
    finally:
        server.close()


def test_one_that_is_told_to_stop_while_it_starts_stops(redis: RedisServer) -> None:
    """At any moment of its start: what comes before uvicorn listens for signals counts, too."""
    server = ChatServer(workers=2, redis_url=redis.url)
    try:
        _start_and_wait_for_processes(server)
        assert server.stop(timeout=25) in (0, -signal.SIGTERM)
    finally:
        server.close()


def test_a_supervisor_does_not_wait_for_workers_that_cannot_start() -> None:
    """All have failed: there is nothing to wait for."""
    server = ChatServer(workers=2, redis_url="redis://127.0.0.1:1/0")
    # The database vanishes between the migration and the workers' start.
    program = (
        "import sys, chatserver.cli as cli\n"
        "migrate = cli._migrate\n"
        "def then_remove(settings, *more):\n"
        "    migrate(settings, *more)\n"
        "    (settings.data_dir / 'chat.db').unlink()\n"
        "cli._migrate = then_remove\n"
        "if __name__ == '__main__': cli.main()\n"
    )
    file = server.directory / "start.py"
    file.write_text(program)
    ended = subprocess.run(
        [sys.executable, file, *server.process.command[3:]],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    server.close()
    assert ended.returncode == 1, ended.stderr
    assert "the workers could not start" in ended.stderr


# ------------------------------------------------------------------------------------------------ what must go on


@pytest.mark.parametrize("fails", [False, True], ids=["returns", "fails"])
async def test_a_worker_whose_clock_ends_goes_and_is_replaced(
    fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ends() -> None:
        if fails:
            raise MemoryError

    migrated_sqlite(tmp_path / "chat.db")
    server = Server(load(overrides={"data_dir": tmp_path}))
    stopped = asyncio.Event()
    monkeypatch.setattr(server.worker.node, "stop", stopped.set)
    monkeypatch.setattr(server.worker.node.hub, "run", ends)
    async with serving(server.app, has_own_lifespan=True), asyncio.timeout(10):  # type: ignore[arg-type]
        await stopped.wait()


async def test_clocks_that_end_with_their_worker_stop_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrated_sqlite(tmp_path / "chat.db")
    server = Server(load(overrides={"data_dir": tmp_path}))
    stops: list[None] = []
    monkeypatch.setattr(server.worker.node, "stop", lambda: stops.append(None))
    async with serving(server.app, has_own_lifespan=True):  # type: ignore[arg-type]
        pass
    assert stops == []
