"""How busy the machine was during a measurement, with the bench's work and with other work."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Final

import msgspec

from bench.machine import family

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_NOTICEABLE: Final = 0.1
"""Cores' worth of other work from which on a machine is called busy."""


class Ticks(msgspec.Struct, frozen=True):
    """The line `cpu` of `/proc/stat`: hundredths of a second since the start of the machine, over all cores."""

    busy: int
    """In programs and in the kernel for them, without what was stolen."""
    stolen: int
    """Taken by other machines on the same hardware."""

    @classmethod
    def parse(cls, text: str) -> Ticks:
        """Raises ValueError where the first line is not that of all cores."""
        name, *fields = text.partition("\n")[0].split()
        if name != "cpu" or len(fields) < 8:
            raise ValueError(f"not /proc/stat: {text[:60]!r}")
        user, nice, system, _idle, _iowait, irq, softirq, stolen = map(int, fields[:8])
        return cls(user + nice + system + irq + softirq, stolen)


class Busy(msgspec.Struct, frozen=True, kw_only=True):
    """The other work of the machine. `others` and `stolen` are in cores: 0.5 is half of one core all the time."""

    seconds: float
    own: float
    """Seconds of CPU of the bench and all that it started."""
    cores: int
    load_average: float
    """Of the last minute, the bench included."""
    others: float
    stolen: float

    @property
    def is_busy(self) -> bool:
        return self.others + self.stolen > _NOTICEABLE

    def __str__(self) -> str:
        what = "BUSY with other work" if self.is_busy else "quiet"
        return (
            f"machine {what}: of {self.seconds:.0f} s, the bench used {self.own:.0f} s CPU; "
            f"others used {self.others:.2f} of {self.cores} cores, {self.stolen:.2f} stolen, "
            f"load average {self.load_average:.1f}"
        )


class Watch:
    """Watches the machine from its creation until `seen`. The work of this process and its descendants is not other
    work, except that of processes that ended without a parent waiting for them."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._ticks = Ticks.parse(Path("/proc/stat").read_text())
        self._own = tree_seconds()

    def seen(self) -> Busy:
        ticks = Ticks.parse(Path("/proc/stat").read_text())
        return busy_between(self._ticks, ticks, tree_seconds() - self._own, time.monotonic() - self._at)


def busy_between(first: Ticks, last: Ticks, own: float, seconds: float) -> Busy:
    """Return the difference of two readings, `seconds` apart, in which the bench used `own` seconds of CPU."""
    return Busy(
        seconds=round(seconds, 1),
        own=round(own, 1),
        cores=os.cpu_count() or 1,
        load_average=os.getloadavg()[0],
        others=max(0.0, (last.busy - first.busy) / _TICKS - own) / seconds,
        stolen=(last.stolen - first.stolen) / _TICKS / seconds,
    )


def tree_seconds() -> float:
    """Return the seconds of CPU of this process, its descendants, and the ended children that they waited for."""
    total = 0
    for pid in family(os.getpid()):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            # utime, stime, cutime, cstime: proc(5)
            total += sum(map(int, fields[11:15]))
    return total / _TICKS
