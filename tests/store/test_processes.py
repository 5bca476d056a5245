"""Several processes on one database, and what is left of one that is killed while it writes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chatserver.domain.rooms.rooms import Posted
from chatserver.store.store import Store
from tests.kit.process import wait_until
from tests.store.kit import SLEEP, Database, newcomer, postgres_database, replay, seeded, sqlite_database


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return sqlite_database(tmp_path)
    return postgres_database(request.getfixturevalue("postgres_server"))


@contextmanager
def writer(database: Database, author: str, output: Path, posts: int) -> Iterator[subprocess.Popen[bytes]]:
    with output.open("wb") as acks:
        command = [sys.executable, "-m", "tests.store.writer", database.url, author, str(posts)]
        with subprocess.Popen(command, stdout=acks) as process:
            try:
                yield process
            finally:
                process.kill()


async def acknowledged_and_kept(store: Store, *outputs: Path) -> tuple[dict[int, str], dict[int, str]]:
    acked: dict[int, str] = {}
    for output in outputs:
        for line in output.read_text().splitlines():
            offset, _, name = line.partition(" ")
            assert int(offset) not in acked
            acked[int(offset)] = name
    publications = await replay(store, SLEEP)
    assert [publication.offset for publication in publications] == list(range(1, len(publications) + 1))
    kept = {int(p.offset): p.event.post.text for p in publications if isinstance(p.event, Posted)}
    return acked, kept


async def test_two_processes_write_one_gapless_log(database: Database, tmp_path: Path) -> None:
    store = await seeded(database.store())
    people = [await newcomer(store, name) for name in ("Ada", "Bea")]
    outputs = [tmp_path / person.name for person in people]
    with (
        writer(database, people[0].id, outputs[0], 25) as one,
        writer(database, people[1].id, outputs[1], 25) as two,
    ):
        assert (one.wait(40), two.wait(40)) == (0, 0)
    acked, kept = await acknowledged_and_kept(store, *outputs)
    assert acked == kept
    assert len(kept) == 400
    await store.close()


@pytest.mark.faults
async def test_a_killed_process_leaves_every_post_that_it_acknowledged(database: Database, tmp_path: Path) -> None:
    store = await seeded(database.store())
    ada = await newcomer(store, "Ada")
    output = tmp_path / "acks"
    with writer(database, ada.id, output, 1_000_000) as process:
        wait_until(lambda: output.read_bytes().count(b"\n") > 300, "three hundred acknowledgements")
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    acked, kept = await acknowledged_and_kept(store, output)
    assert len(acked) > 300
    assert acked.items() <= kept.items()
    # At most what it was just writing is there beyond that: one for each that waited.
    assert len(kept) - len(acked) <= 8
    await store.close()
