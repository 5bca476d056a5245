"""A supervisor's rounds, with workers that only answer it: what fails again and again, and what hangs when it goes."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatserver import supervisor
from chatserver.config import load
from chatserver.supervisor import Supervisor
from tests.kit import short_workers
from tests.kit.process import wait_until
from tests.kit.short_workers import PLACES_VARIABLE

Make = Callable[[int], Supervisor]


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The places of workers that may serve."""
    directory = tmp_path / "places"
    directory.mkdir()
    monkeypatch.setenv(PLACES_VARIABLE, str(directory))
    return directory


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes a supervisor whose rounds the test runs itself."""
    made: list[Supervisor] = []
    with socket.socket() as sock:

        def make_one(workers: int) -> Supervisor:
            settings = load(overrides={"data_dir": tmp_path, "workers": workers, "redis_url": "redis://127.0.0.1:1"})
            made.append(Supervisor(settings, sock, lambda: None))
            return made[-1]

        yield make_one
        for each in made:
            for worker in (*each._workers, *each._retiring):
                worker.process.kill()
                worker.forget()


def _round(running: Supervisor) -> bool:
    return running._look_after()


def _all_serve(running: Supervisor) -> bool:
    _round(running)
    return len(running._workers) == running._wanted and all(worker.is_ready for worker in running._workers)


@pytest.mark.parametrize("is_reload", [False, True], ids=["one is missing", "one is to be replaced"])
def test_what_fails_to_start_is_tried_less_and_less_often_while_others_serve(
    is_reload: bool, make: Make, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_work", short_workers.serves_or_fails)
    running = make(1 if is_reload else 2)
    (places / "one").touch()
    for _ in range(running._wanted):
        running._start_one()
    wait_until(lambda: _round(running) and running._has_served, "the one that serves")
    running._hangups = int(is_reload)
    starts: list[float] = []
    start_one = running._start_one

    def started() -> None:
        starts.append(time.monotonic())
        start_one()

    monkeypatch.setattr(running, "_start_one", started)
    wait_until(lambda: _round(running) and running._failures == 3 and len(starts) >= 2, "the third failure")
    assert starts[-1] - starts[-2] >= 1.0
    # As soon as one starts there is no reason to wait any more.
    (places / "two").touch()
    wait_until(lambda: _round(running) and running._failures == 0, "a successor that serves")


def test_one_that_hangs_when_it_is_to_go_is_ended(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_work", short_workers.ignores_its_end)
    running = make(1)
    running._drain_seconds = 0.5
    running._start_one()
    wait_until(lambda: _all_serve(running), "the first one")
    old = running._workers[0].process
    running._hangups = 1
    wait_until(lambda: _round(running) and bool(running._retiring), "its successor")
    wait_until(lambda: _round(running) and not old.is_alive(), "its end", 5)
    assert running._retiring == []
    assert _all_serve(running)


def test_a_machine_that_gives_no_process_is_asked_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_work", short_workers.ignores_its_end)
    running = make(2)
    running._start_one()
    wait_until(lambda: _round(running) and running._has_served, "the first one")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    running._next_start = float("-inf")
    try:
        # What is open stays open; nothing more can be opened.
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        assert _round(running)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    wait_until(lambda: _all_serve(running), "the second one")


def test_a_round_that_fails_ends_no_supervision(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    running = make(1)

    def fails() -> bool:
        raise RuntimeError

    monkeypatch.setattr(running, "_look_after", fails)
    with pytest.raises(RuntimeError):
        running._look_after_or_go_on()
    running._has_served = True
    assert running._look_after_or_go_on()
