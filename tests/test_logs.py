"""The log tells where something failed and of what kind, and never in words that may be somebody's."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from chatserver.logwriter import QueuedHandler
from tests.kit.client import ChatClient
from tests.kit.process import obtain, wait_until
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer

SAID = "what somebody wrote"
FAILING = f"""
import asyncio, gc, logging, sys
from logging.config import dictConfig
from chatserver.delivery.tasks import Tasks
from chatserver.logs import log_config

dictConfig(log_config("info", sys.argv[1]))

async def fail():
    try:
        raise ValueError({SAID!r})
    except ValueError as cause:
        raise KeyError({SAID!r}) from cause

async def main():
    Tasks().start(fail(), "watched")
    nobody_asks = asyncio.create_task(fail())
    await asyncio.wait([nobody_asks])
    del nobody_asks
    gc.collect()
    try:
        open("/nowhere/at/all")
    except OSError:
        logging.getLogger("chatserver.test").exception("no_file")

asyncio.run(main())
"""


async def test_no_frame_is_ever_logged_also_after_the_server_has_begun_anew(tmp_path: Path) -> None:
    """At DEBUG websockets would write whole frames. A second configuration must not bring that back."""
    with ChatServer(config={"log_level": "debug"}) as server:
        for turn in range(2):
            async with ChatClient(server.ws_url) as client:
                await client.ask("join", room="sleep", agreement=1)
                await client.ask("post", room="sleep", text=f"{SAID} {turn}")
            if turn == 0:
                server.process.send_signal(signal.SIGHUP)
                await asyncio.to_thread(
                    wait_until, lambda: any(line.get("event") == "serving_anew" for line in server.log()), "a new start"
                )
                await asyncio.to_thread(wait_until, server.is_ready, "an answer")
        assert server.stop() == 0
        log = server.process.output()
    # What uvicorn says of itself is logged at this level only.
    assert log.count("Started server process") == 2
    assert SAID not in log


@pytest.mark.parametrize("kind", ["json", "text"])
def test_a_failure_is_logged_with_its_places_and_kinds_and_without_its_words(kind: str) -> None:
    log = subprocess.run(
        [sys.executable, "-c", FAILING, kind], capture_output=True, text=True, timeout=30, check=True
    ).stderr
    assert SAID not in log
    for told in ("task_failed", "Task exception was never retrieved", "KeyError", "ValueError", "in fail"):
        assert told in log
    # The system's own words are nobody's.
    assert "/nowhere/at/all" in log


class Unread(io.TextIOBase):
    """A stream that nobody reads: each write waits until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.lines: list[str] = []

    def write(self, text: str) -> int:
        assert self.let_go.wait(30)
        self.lines.append(text)
        return len(text)


def test_a_log_that_nobody_reads_holds_nobody_up_and_says_later_what_it_lost() -> None:
    stream = Unread()
    handler = QueuedHandler(stream, lines=10)
    for number in range(100):
        handler.emit(logging.makeLogRecord({"msg": f"line {number}", "name": "test"}))
    assert 85 <= handler.dropped <= 90
    stream.let_go.set()
    handler.flush()
    handler.emit(logging.makeLogRecord({"msg": "the next one", "name": "test"}))
    handler.flush()
    assert [line.strip() for line in stream.lines[-2:]] == ["log_lines_dropped", "the next one"]


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """The end for writing of a pipe that is full, and that nobody reads."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4_096)
    os.set_blocking(writer, True)
    yield writer
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_whose_output_nobody_reads_starts_serves_and_stops(workers: int, full_pipe: int) -> None:
    """Log, warnings and what it says on standard output go into a full pipe."""
    with obtain(RedisServer) as redis:
        server = ChatServer(workers=workers, redis_url=redis.url, config={"trusted_proxies": ["*"]})
        running = subprocess.Popen(
            server.process.command, env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=full_pipe, stderr=full_pipe, cwd=Path(__file__).parents[1],
        )  # fmt: skip
        try:
            wait_until(server.is_ready, "the start")
            # A stranger who speaks TLS to the plain port makes uvicorn log a line.
            for _ in range(3):
                with socket.create_connection(("127.0.0.1", server.port), timeout=5) as stranger:
                    stranger.sendall(b"\x16\x03\x01\x02\x00\r\n\r\n")
                    stranger.recv(1_024)
            assert server.get("/healthz") == 200
            if workers > 1:
                # The supervisor has something to say then.
                killed = min(_workers_of(running.pid))
                os.kill(killed, signal.SIGKILL)
                wait_until(lambda: len(_workers_of(running.pid) - {killed}) == workers, "another worker")
                wait_until(server.is_ready, "an answer")
            running.terminate()
            assert running.wait(40) == 0
        finally:
            running.kill()
            running.wait()
            server.close()


def _workers_of(pid: int) -> set[int]:
    found = set()
    for each in psutil.Process(pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "resource_tracker" not in " ".join(each.cmdline()):
                found.add(each.pid)
    return found


def test_a_mistake_is_not_waited_for_where_nobody_reads_it(full_pipe: int) -> None:
    command = [sys.executable, "-m", "chatserver", "check-config"]
    done = subprocess.run(
        command, env={**os.environ, "CHATSERVER_PROT": "1"}, stderr=full_pipe, timeout=30, check=False
    )
    assert done.returncode == 2


def test_a_server_whose_standard_output_is_gone_starts() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    server = ChatServer()
    running = subprocess.Popen(server.process.command, stdout=writer, stderr=writer, cwd=Path(__file__).parents[1])
    os.close(writer)
    try:
        wait_until(server.is_ready, "the start")
        running.terminate()
        assert running.wait(40) == 0
    finally:
        running.kill()
        running.wait()
        server.close()
