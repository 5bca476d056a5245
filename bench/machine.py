"""What the operating system reports of processes: CPU, memory, cores, open files."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

_KB: Final = 1_024
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_CPUCLOCK_SCHED: Final = 2


class Cores(msgspec.Struct, frozen=True):
    """The cores that the servers and the load run on: the same if there is only one."""

    servers: frozenset[int]
    load: frozenset[int]
    others: frozenset[int]
    """All but the load's, for scenarios with several workers."""

    @property
    def are_apart(self) -> bool:
        return not self.servers & self.load


def cores() -> Cores:
    """Return the first core that this process may use for the servers, and the last one for the load."""
    usable = sorted(os.sched_getaffinity(0))
    first, last = frozenset(usable[:1]), frozenset(usable[-1:])
    return Cores(servers=first, load=last, others=frozenset(usable[:-1]) or first)


@contextlib.contextmanager
def on_cores(wanted: Iterable[int]) -> Iterator[None]:
    """Run this process, and what it starts meanwhile, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, wanted)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def bind(pids: Iterable[int], wanted: Iterable[int]) -> None:
    """Let processes and all their threads run on these cores."""
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(int(task.name), wanted)


def family(pid: int) -> list[int]:
    """Return a process and all its living descendants."""
    found = [pid]
    for one in found:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return the user and system time of processes and all their threads, as exactly as the scheduler counts it."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            # What clock_getcpuclockid(3) returns, which Python has for threads only.
            total += time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)
    return total


def own_seconds() -> float:
    """Return the seconds during which the main thread ran, or waited while others had its core."""
    waited = int(Path("/proc/self/schedstat").read_text().split()[1])
    return time.process_time() + waited / 1e9


def resident(pids: Sequence[int]) -> int:
    """Return the bytes of memory of processes, with shared memory divided among them (PSS)."""
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * _KB
    return total


def resident_quickly(pids: Sequence[int]) -> int:
    """Return the bytes of memory of processes, with shared memory counted in each (RSS). Does not disturb them."""
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return total


def queued(port: int) -> list[int]:
    """Return the bytes that the kernel holds for the peer of each connection to a local TCP port (IPv4): not sent yet,
    or not acknowledged. They are not in the memory of any process."""
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].partition(":")[2], 16) == port:
            found.append(int(fields[4].partition(":")[0], 16))
    return found


def open_files(pids: Sequence[int]) -> int:
    """Return how many file descriptors processes have open."""
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)


def allow_files(wanted: int) -> bool:
    """Raise the limit of open files for this process and its children, as far as allowed. Return whether it
    suffices."""
    return allowed_files(wanted) >= wanted


def allowed_files(wanted: int) -> int:
    """Raise the limit of open files as `allow_files` does. Return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        best = wanted if hard == resource.RLIM_INFINITY else min(max(wanted, soft), hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (best, hard))
        soft = best
    return soft


def description() -> str:
    """Return one line about this machine, without its name."""
    model = next(
        (line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    kernel = platform.release().partition("-")[0]
    return f"Linux {kernel}, {os.cpu_count()} x {model}, Python {platform.python_version()}"
