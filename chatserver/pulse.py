"""Tells a busy worker from one that hangs: whether it still makes progress.

Pure: the clock and the observations of the worker arrive as arguments, in seconds.
"""

from __future__ import annotations

from typing import Final

HUNG_SECONDS: Final = 10.0
"""Seconds for which a worker may neither turn its loop nor work, before it counts as hung."""
BUSY_SECONDS: Final = 120.0
"""Seconds for which it may work without turning its loop. After that it is in a calculation that does not end."""
START_SECONDS: Final = 60.0
"""Seconds that a new worker may take until its first answer, on a machine that is busy starting all of them."""
_WINDOW_SECONDS: Final = 2.0
_WORKING_SHARE: Final = 0.05
"""The share of a processor above which a process counts as working. A process that waits for a lock, or is stopped,
uses none; the thread that answers here uses a thousandth."""


class Pulse:
    """What a supervisor knows of one worker.

    A worker is asked once a second, and a thread of its own answers how long ago its loop last turned. An overloaded
    loop turns late, and that thread may not run at all, but the process uses the processor. Only a worker that does
    neither is replaced soon: ending a busy worker would move all its people to the others, which would then be busy
    too.
    """

    def __init__(self, now: float) -> None:
        self._asked_at: float | None = None
        self._answered_at = now
        self._has_answered = False
        self._turned_at: float | None = None
        self._window_at = now
        self._window_cpu: float | None = None
        self._worked_at = now

    @property
    def is_asked(self) -> bool:
        """Return whether an answer is still to come."""
        return self._asked_at is not None

    @property
    def answered_at(self) -> float:
        """Return when the last answer came, or when the worker was started."""
        return self._answered_at

    def asked(self, now: float) -> None:
        """Note that the worker was asked."""
        self._asked_at = now

    def answered(self, now: float, turned_ago: float | None) -> None:
        """Note its answer: how long ago its loop last turned; None if it does not serve yet."""
        self._asked_at = None
        self._answered_at = now
        self._has_answered = True
        self._turned_at = None if turned_ago is None else now - turned_ago

    def used(self, now: float, cpu: float | None) -> None:
        """Note how many seconds of the processor it has used since it started; None if that is not known."""
        if cpu is None or now - self._window_at < _WINDOW_SECONDS:
            return
        if self._window_cpu is not None and cpu - self._window_cpu >= _WORKING_SHARE * (now - self._window_at):
            self._worked_at = now
        self._window_at, self._window_cpu = now, cpu

    def is_hung(self, now: float) -> bool:
        """Return whether it no longer makes progress."""
        stuck = 0.0 if self._asked_at is None else now - self._asked_at
        if not self._has_answered:
            return stuck > START_SECONDS
        if self._turned_at is not None:
            stuck = max(stuck, now - self._turned_at)
        is_working = now - self._worked_at <= HUNG_SECONDS
        return stuck > (BUSY_SECONDS if is_working else HUNG_SECONDS)
