"""Metrics of several workers: one answers for all, and where there is no room for them nobody dies of it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatserver import shared_numbers
from chatserver.shared_numbers import DIRECTORY_VARIABLE, find_place
from tests.faults.outliving import disks_can_be_made
from tests.kit import web
from tests.kit.client import ChatClient
from tests.kit.process import obtain, wait_until
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer

COUNTING = """
import os, resource, sys
from chatserver.logs import log_config
from logging.config import dictConfig
dictConfig(log_config("info", "json"))
from chatserver.metrics import Metrics

def numbers(room):
    for number in range(2_000):
        metrics.capacity.labels(f"{room}-{number:>80}").set(number)

size = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
metrics = Metrics()
metrics.posts.inc(3)
numbers("a")
metrics.posts.inc(4)
print(metrics.posts._value.get(), metrics.capacity.labels(f"a-{1_999:>80}")._value.get())
print(sum(os.stat(os.path.join(os.environ["PROMETHEUS_MULTIPROC_DIR"], name)).st_blocks
          for name in os.listdir(os.environ["PROMETHEUS_MULTIPROC_DIR"])) * 512)
print(sum(os.path.getsize(os.path.join(os.environ["PROMETHEUS_MULTIPROC_DIR"], name))
          for name in os.listdir(os.environ["PROMETHEUS_MULTIPROC_DIR"])))
"""


def _count(directory: Path, most_bytes: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", COUNTING, str(most_bytes)],
        env={DIRECTORY_VARIABLE: str(directory), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=55, check=False, cwd=Path(__file__).parents[1],
    )  # fmt: skip


def test_every_byte_of_a_file_of_numbers_has_its_room(tmp_path: Path) -> None:
    """A page without room is what ends a process when the disk is full."""
    done = _count(tmp_path, 1 << 30)
    assert done.returncode == 0, done.stderr
    counted, taken, size = done.stdout.splitlines()
    assert counted == "7.0 1999.0"
    assert int(taken) >= int(size) > 64 * 1024


@pytest.mark.parametrize("most_bytes", [0, 64 * 1024], ids=["no room at all", "none to grow"])
def test_who_has_no_room_goes_on_counting_and_says_so_once_for_each_file(tmp_path: Path, most_bytes: int) -> None:
    for name in ("plenty", "little"):
        (tmp_path / name).mkdir()
    assert _count(tmp_path / "plenty", 1 << 30).returncode == 0
    files = len(list((tmp_path / "plenty").rglob("*.db")))
    assert files > 3
    done = _count(tmp_path / "little", most_bytes)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "7.0 1999.0"
    said = [line for line in done.stderr.splitlines() if "metrics_not_shared" in line]
    assert len(said) == len(done.stderr.splitlines()) == (files if most_bytes == 0 else 1)


def test_places_of_dead_servers_are_removed_and_of_living_ones_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_numbers, "MEMORY", tmp_path / "none")
    (tmp_path / "chatserver-metrics-dead").mkdir()
    first = find_place(2, tmp_path)
    second = find_place(2, tmp_path)
    assert first is not None
    assert second is not None
    assert sorted(tmp_path.iterdir()) == sorted([first.directory, second.directory])
    first.close()
    second.close()
    assert list(tmp_path.iterdir()) == []


def test_without_any_place_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_numbers, "MEMORY", tmp_path / "none")
    assert find_place(2, tmp_path / "gone") is None


# ------------------------------------------------------------------------------------------------ real servers


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with obtain(RedisServer) as running:
        yield running


def _posts(server: ChatServer) -> float:
    text = web.get(server.url + "/metrics", timeout=10).text
    return float(re.findall(r"^chat_posts_total (\S+)$", text, re.MULTILINE)[0])


def test_what_a_worker_counted_that_was_killed_stays_counted(redis: RedisServer) -> None:
    async def write() -> None:
        async with ChatClient(server.ws_url) as client:
            await client.ask("join", room="sleep", agreement=1)
            for number in range(3):
                await client.ask("post", id=str(number), room="sleep", text="here")

    with ChatServer(workers=2, redis_url=redis.url) as server:
        asyncio.run(write())
        place = server.place_of_numbers()
        for pid in server.worker_pids():
            server.kill_worker(pid)
            server.wait_for_workers()
        wait_until(lambda: _posts(server) == 3, "the sum over all that ever were", 10)
        pids = {int(name.stem.rsplit("_", 1)[1]) for name in place.iterdir() if not name.stem.endswith("ended")}
        assert pids == set(server.worker_pids())
        assert server.stop() == 0
    assert not place.exists()


COMMANDS = (
    "rooms", "join", "leave", "post", "edit", "redact", "react", "rooms", "history", "typing", "read", "mute", "unmute",
    "rooms", "standing", "house", "reports", "load", "console",
)  # fmt: skip
"""With some between that can be read: ten that cannot in a row would end the connection."""


def _full_disks(server: ChatServer, memory: str) -> None:
    """Its data, and what it has of memory as a disk, are small disks of its own."""
    (server.directory / "data").mkdir(mode=0o700)
    script = (
        f'mount -t tmpfs -o size=8m,mode=700 chat "$0" && mount -t tmpfs -o size={memory} chat /dev/shm && exec "$@"'
    )
    data = str(server.directory / "data")
    server.process.command = ["unshare", "-rm", "sh", "-c", script, data, *server.process.command]


def _fill(disk: Path) -> None:
    with (disk / "rubbish").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 4_096):
            pass


@pytest.mark.skipif(not disks_can_be_made(), reason="no disk can be made here: that takes root, or user namespaces")
@pytest.mark.parametrize("memory", ["8m", "64k"], ids=["numbers in memory", "numbers on the disk of the data"])
async def test_several_workers_outlive_full_disks(redis: RedisServer, memory: str) -> None:
    server = ChatServer(workers=2, redis_url=redis.url)
    _full_disks(server, memory)
    try:
        with server:
            pids = set(server.wait_for_workers())
            root = Path(f"/proc/{server.process.pid}/root")
            async with ChatClient(server.ws_url) as client:
                _fill(root / str(server.directory / "data").lstrip("/"))
                _fill(root / "dev/shm")
                # Each command makes numbers of its own, in pages that were not written to before.
                for command in COMMANDS:
                    await client.exchange(command)
            for _ in range(20):
                assert server.get("/") == 200
                assert server.get("/metrics") == 200
            killed = pids.pop()
            server.kill_worker(killed)
            await _two_workers(server)
            assert pids <= set(server.worker_pids())
            codes = [line["code"] for line in server.log() if line.get("event") == "worker_ended"]
            assert codes == [-9]
    finally:
        server.close()


async def _two_workers(server: ChatServer) -> None:
    def are_there() -> bool:
        return len(server.worker_pids()) == 2 and server.get("/readyz") == 200

    wait_until(are_there, "two workers", 60)


@pytest.mark.parametrize("left", [b"", b"\xff" * 4_096], ids=["nothing", "rubbish"])
def test_what_a_killed_worker_left_half_made_stops_nobody(
    left: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its supervisor adds it up, and must not end of it."""
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    for kind in ("counter", "histogram"):
        (tmp_path / f"{kind}_77.db").write_bytes(left)
    shared_numbers.forget_worker(77)
    assert not [*tmp_path.glob("*_77.db")]
