"""Runs `chatserver` without expiry until a file exists: `python -m bench.expiring FILE serve ...`.

So a scenario chooses when expiry begins; otherwise it begins a minute after the start.
"""

from __future__ import annotations

import sys
from pathlib import Path

from chatserver.cli import main as serve
from chatserver.handlers import periodic

_LOOK_SECONDS = 0.5


def main() -> None:
    is_told = Path(sys.argv.pop(1)).exists
    expire = periodic.PeriodicJobs._expire

    async def expire_when_told(jobs: periodic.PeriodicJobs) -> None:
        if is_told():
            await expire(jobs)

    periodic.PeriodicJobs._expire = expire_when_told  # type: ignore[assignment, method-assign]
    periodic.EXPIRE_SECONDS = _LOOK_SECONDS  # type: ignore[misc]
    serve()


if __name__ == "__main__":
    main()
