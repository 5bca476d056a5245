"""Numbers of this worker's process: how long its event loop kept others waiting, its share of a core, its memory."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import time
from pathlib import Path
from typing import Final

from chatserver.metrics import Metrics

PULSE_SECONDS: Final = 0.05
_STATM: Final = Path("/proc/self/statm")


class ProcessStats:
    """`run` never ends by itself; the server owns and cancels it."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._worst = 0.0
        self._cpu_at = time.process_time()
        self._wall_at = time.monotonic()

    async def run(self) -> None:
        """Measure again and again how much later than asked for the event loop comes back."""
        while True:
            asked = time.monotonic()
            await asyncio.sleep(PULSE_SECONDS)
            self._worst = max(self._worst, time.monotonic() - asked - PULSE_SECONDS)

    def lag(self) -> float:
        """Return the longest time in seconds for which the loop kept anybody waiting since the last call."""
        worst, self._worst = self._worst, 0.0
        self._metrics.loop_lag_seconds.set(worst)
        return worst

    def cpu(self) -> float:
        """Return the share of one core that was used since the last call."""
        cpu, wall = time.process_time(), time.monotonic()
        used, passed = cpu - self._cpu_at, wall - self._wall_at
        self._cpu_at, self._wall_at = cpu, wall
        self._metrics.cpu_seconds.inc(max(0.0, used))
        return used / passed if passed > 0 else 0.0

    def memory(self) -> int:
        """Return the resident bytes; where the system does not tell, the most that there ever were."""
        try:
            resident = int(_STATM.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1_024)
        self._metrics.resident_bytes.set(resident)
        return resident
