"""A pytest plugin that ends a test which hangs, whichever event loop it runs on.

pytest-timeout raises an exception wherever SIGALRM finds the main thread. uvloop loses that exception, so the test
hangs on. Here the alarm cancels the task of the test or fixture: the traceback shows what it waited for, and the loop
is usable for the next test. Teardown after a failed test gets the same time again; pytest-timeout would leave it
without a limit.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Generator
from types import FrameType
from typing import Any, Final, NoReturn, Protocol

import pytest
from pytest_timeout import is_debugging

GRACE_SECONDS: Final = 5.0
"""Seconds that each step of ending a test may take before the next step is tried."""


class Settings(Protocol):
    """The settings of pytest-timeout that this plugin reads."""

    timeout: float
    disable_debugger_detection: bool


MOST_RINGS: Final = 6
"""The number of alarms after which the process is ended."""
_SET_ALARM: Final = pytest.StashKey[Callable[[], None]]()
_SAID: Final = pytest.StashKey[str]()
"""The message for a test that ran out of time."""


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Settings) -> bool:
    """Set the alarm of a test. Take the place of pytest-timeout's own."""
    rings = 0
    loop: asyncio.AbstractEventLoop | None = None

    def ring(number: int, frame: FrameType | None) -> None:
        nonlocal rings, loop
        if is_debugging() and not settings.disable_debugger_detection:
            return
        rings += 1
        said = item.stash[_SAID] = f"Timeout (>{settings.timeout:g} s)"
        task = _main_task(frame)
        if rings == 1 and task is not None:
            loop = task.get_loop()
            sys.stderr.write(_stacks(loop))
            loop.call_soon_threadsafe(task.cancel, said)
        elif rings <= MOST_RINGS:
            pytest.fail(said)
        else:
            # The test caught the cancellation and the exception, so another process must run the other tests.
            _exit(item, said, loop)

    def set_alarm() -> None:
        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, settings.timeout, GRACE_SECONDS)

    item.stash[_SET_ALARM] = set_alarm
    set_alarm()
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_cancel_timer(item: pytest.Item) -> bool:
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Set the alarm again after a failure, because pytest-timeout stops it then in case a debugger is started."""
    if _SET_ALARM in item.stash and signal.getitimer(signal.ITIMER_REAL)[0] == 0:
        item.stash[_SET_ALARM]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that exceeded its time even if it swallowed the cancellation and then passed.

    The alarm is silent meanwhile: an exception in pytest's own code would end the whole run.
    """
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    report = yield
    if _SAID in item.stash:
        said = item.stash[_SAID]
        del item.stash[_SAID]
        if report.passed:
            report.outcome = "failed"
            report.longrepr = said
    if left and report.passed:
        signal.setitimer(signal.ITIMER_REAL, left, GRACE_SECONDS)
    return report


def _main_task(frame: FrameType | None) -> asyncio.Task[Any] | None:
    """Return the task that `asyncio.Runner.run` waits for in the thread of this frame, if there is one."""
    while frame is not None:
        if frame.f_code is asyncio.Runner.run.__code__:
            task: object = frame.f_locals.get("task")
            return task if isinstance(task, asyncio.Task) and not task.done() else None
        frame = frame.f_back
    return None


def _stacks(loop: asyncio.AbstractEventLoop | None) -> str:
    """Return the stack of each thread of this process and of each task of the loop."""
    lines = []
    for frame in sys._current_frames().values():
        lines += ["\nThread\n", *traceback.format_stack(frame)]
    said = io.StringIO("".join(lines))
    said.seek(0, io.SEEK_END)
    for task in asyncio.all_tasks(loop) if loop is not None else ():
        task.print_stack(file=said)
    return said.getvalue()


def _exit(item: pytest.Item, said: str, loop: asyncio.AbstractEventLoop | None) -> NoReturn:
    """End this process in any case, and write the reason to its original standard error."""
    try:
        capture = item.config.pluginmanager.getplugin("capturemanager")
        if capture is not None:
            capture.suspend_global_capture()
        os.write(2, f"\n{item.nodeid}: {said}\n{_stacks(loop)}".encode())
    finally:
        os._exit(1)
