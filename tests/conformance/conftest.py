"""One generous and one strict server for all conformance tests, and what each test takes from them."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator

import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet, Rooms
from tests.conformance.listeners import FLOOR, HASTY, Listeners
from tests.conformance.load_console import clusters_over
from tests.conformance.personnel import Personnel
from tests.conformance.traffic import Traffic
from tests.kit.redis import RedisServer

STRICT = {
    "text_length": 40,
    "warning_length": 5,
    "frame_bytes": 2_048,
    "outbox_bytes": 65_536,
    "bad_frames": 5,
    "rooms_per_connection": 3,
    "mutes_per_member": 2,
    "edit_seconds": 1,
    "hello_seconds": 1,
    "connections_per_member": 3,
    "recovery_publications": 20,
    "ring_publications": 8,
    "people_listed": 3,
    "http_body_bytes": 256,
}
"""Limits that a test can exceed."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Most tests run in one encoding, always the same, half of them in each. `tests/protocol` proves that a frame says
    the same in either, and `test_encodings.py` that every message is read alike over a socket. What is about frames,
    and a tour of every message, is marked to run in both.
    """
    marked = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "encoding" not in metafunc.fixturenames or "encoding" in marked or hasattr(metafunc.module, "encoding"):
        return
    both = list(Encoding)
    which = zlib.crc32(metafunc.function.__qualname__.encode()) % len(both)
    chosen = both if metafunc.definition.get_closest_marker("both_encodings") else [both[which]]
    metafunc.parametrize("encoding", chosen, indirect=True, ids=lambda encoding: encoding.name.lower())


@pytest.fixture
def encoding(request: pytest.FixtureRequest) -> Encoding:
    """The encoding of the test, see `pytest_generate_tests`."""
    chosen: Encoding = request.param
    return chosen


@pytest.fixture(scope="session")
def traffic() -> Traffic:
    return Traffic()


@pytest.fixture(scope="session")
def site() -> Iterator[Cluster]:
    """A server whose limits are out of the way."""
    with Cluster() as site:
        yield site
        assert site.complaints() == []


@pytest.fixture(scope="session")
def strict_site() -> Iterator[Cluster]:
    """A server whose limits are small."""
    with Cluster(limits=STRICT) as site:
        yield site
        assert site.complaints() == []


@pytest.fixture
async def meet(site: Cluster, traffic: Traffic, encoding: Encoding) -> AsyncIterator[Meet]:
    meet = Meet(site, traffic, encoding)
    yield meet
    await meet.see_off()


@pytest.fixture
async def strict_meet(strict_site: Cluster, traffic: Traffic, encoding: Encoding) -> AsyncIterator[Meet]:
    meet = Meet(strict_site, traffic, encoding)
    yield meet
    await meet.see_off()


@pytest.fixture
def rooms(site: Cluster) -> Rooms:
    return site.rooms


@pytest.fixture
def strict_rooms(strict_site: Cluster) -> Rooms:
    return strict_site.rooms


@pytest.fixture
def room(rooms: Rooms) -> str:
    """A room that nobody else is in."""
    return rooms.plain()


@pytest.fixture
def strict_room(strict_rooms: Rooms) -> str:
    return strict_rooms.plain()


@pytest.fixture(scope="session")
def listening_site() -> Iterator[Cluster]:
    """A server whose listeners need no rest."""
    with Cluster(config={"listening": FLOOR}) as site:
        yield site
        assert site.complaints() == []


@pytest.fixture(scope="session")
def listening_personnel(listening_site: Cluster) -> Personnel:
    return Personnel(listening_site)


@pytest.fixture
async def listening(
    listening_site: Cluster, listening_personnel: Personnel, traffic: Traffic, encoding: Encoding
) -> AsyncIterator[Listeners]:
    listening = Listeners(listening_site, listening_personnel, traffic, encoding)
    yield listening
    await listening.see_off()


@pytest.fixture(scope="session")
def hasty_site() -> Iterator[Cluster]:
    """A server whose sessions and proposals a test can wait for."""
    with Cluster(config={"listening": HASTY}) as site:
        yield site
        assert site.complaints() == []


@pytest.fixture(scope="session")
def hasty_personnel(hasty_site: Cluster) -> Personnel:
    return Personnel(hasty_site)


@pytest.fixture
async def hasty_listeners(
    hasty_site: Cluster, hasty_personnel: Personnel, traffic: Traffic
) -> AsyncIterator[Listeners]:
    """In one encoding: what takes time takes it once."""
    listening = Listeners(hasty_site, hasty_personnel, traffic, Encoding.JSON)
    yield listening
    await listening.see_off()


@pytest.fixture
def two_clusters(redis_server: RedisServer) -> Iterator[tuple[Cluster, Cluster]]:
    """Two workers over one Redis, started apart."""
    with clusters_over(redis_server, 2) as (first, second):
        yield first, second
