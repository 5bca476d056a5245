"""A worker that is busy is not one that hangs."""

from __future__ import annotations

import threading
import time
from multiprocessing.connection import Connection
from typing import Any, cast

import pytest

from chatserver import pulse
from chatserver.pulse import BUSY_SECONDS, HUNG_SECONDS, START_SECONDS, Pulse
from chatserver.serving import WorkerServer
from chatserver.supervisor import Supervisor, _answer, _Worker


def seen(seconds: int, *, answers: bool, turns: bool, works: float) -> float | None:
    """When a worker that was well for five seconds counts as hung, if it does within so many."""
    found = Pulse(0.0)
    for now in range(seconds):
        well = now < 5
        if not found.is_asked:
            found.asked(float(now))
        if well or answers:
            found.answered(float(now), 0.0 if well or turns else now - 4.0)
        found.used(float(now), min(now, 5) * 0.01 + max(0, now - 5) * works)
        if found.is_hung(float(now)):
            return float(now)
    return None


@pytest.mark.parametrize("answers", [True, False])
def test_who_neither_turns_nor_works_is_hung_soon(answers: bool) -> None:
    at = seen(60, answers=answers, turns=False, works=0.001)
    assert at is not None
    assert HUNG_SECONDS < at <= 5 + HUNG_SECONDS + 3


@pytest.mark.parametrize("answers", [True, False])
def test_who_works_is_given_long(answers: bool) -> None:
    at = seen(300, answers=answers, turns=False, works=0.3)
    assert at is not None
    assert BUSY_SECONDS < at <= BUSY_SECONDS + 10


def test_who_turns_is_never_hung_however_little_it_works() -> None:
    assert seen(1_000, answers=True, turns=True, works=0.0) is None


def test_a_loop_that_is_held_in_bursts_is_not_hung() -> None:
    found, cpu, turned = Pulse(0.0), 0.0, 0.0
    for now in range(600):
        cpu += 0.9
        if now % 30 == 0:
            turned = float(now)
        if now % 15 == 0:
            found.asked(float(now))
        if now % 15 == 14:
            found.answered(float(now), now - turned)
        found.used(float(now), cpu)
        assert not found.is_hung(float(now))


def test_a_worker_that_starts_is_given_a_minute() -> None:
    found = Pulse(0.0)
    found.asked(0.0)
    assert not found.is_hung(START_SECONDS)
    assert found.is_hung(START_SECONDS + 1)


def _stuck(line: Connection[Any, Any], burn: bool) -> None:
    """A worker whose loop never turns again: it works, or it waits."""
    server = WorkerServer.__new__(WorkerServer)
    server.started, server.turned_at = True, time.monotonic()
    threading.Thread(target=_answer, args=(server, line, 0.0), daemon=True).start()
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if not burn:
            time.sleep(1)


def works(_socks: object, line: Connection[Any, Any]) -> None:
    _stuck(line, burn=True)


def waits(_socks: object, line: Connection[Any, Any]) -> None:
    _stuck(line, burn=False)


def test_of_two_real_processes_whose_loops_stand_still_the_one_that_works_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pulse, "HUNG_SECONDS", 5.0)
    busy, idle = _Worker([], works), _Worker([], waits)
    try:
        until = time.monotonic() + 40
        while not idle.is_hung(time.monotonic()):
            assert time.monotonic() < until
            for worker in (busy, idle):
                worker.listen(time.monotonic())
            time.sleep(0.2)
        assert busy.is_ready
        assert not busy.is_hung(time.monotonic())
    finally:
        for worker in (busy, idle):
            worker.process.kill()
            worker.forget()


class _Seen:
    """A worker as the supervisor sees it."""

    def __init__(self, *, hangs: bool, is_ready: bool = True) -> None:
        self.is_ready = is_ready
        self._hangs = hangs

    def is_hung(self, _now: float) -> bool:
        return self._hangs


def test_of_several_that_hang_one_is_ended_at_a_time() -> None:
    supervisor = Supervisor.__new__(Supervisor)
    supervisor._wanted = 3
    well, hung, another = _Seen(hangs=False), _Seen(hangs=True), _Seen(hangs=True)

    def first(*workers: _Seen) -> object:
        supervisor._workers = cast("list[_Worker]", [*workers])
        return supervisor._first_hung(0.0)

    assert first(well, hung, another) is hung
    assert first(well, another) is None, "the place of the first is empty"
    assert first(well, another, _Seen(hangs=False, is_ready=False)) is None, "its successor starts"
    assert first(well, another, _Seen(hangs=True, is_ready=False)) is another, "its successor hangs as well"
    assert first(well, another, _Seen(hangs=False)) is another
    assert first(well, well, well) is None
