"""`chatserver` on a machine whose clock is wrong: `python -m tests.kit.skewed SECONDS serve ...`.

The wall clock of Python is shifted before anything of the server is imported; intervals stay right. It is here and not
in the server, because no operator needs it.
"""

from __future__ import annotations

import datetime as dt
import sys
import time

_true_time, _true_time_ns = time.time, time.time_ns


def shift(seconds: float) -> None:
    """Make this process believe that it is so many seconds later."""
    time.time = lambda: _true_time() + seconds
    time.time_ns = lambda: _true_time_ns() + round(seconds * 1_000_000_000)

    class Shifted(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Shifted:
            return cls.fromtimestamp(time.time(), tz)

    dt.datetime = Shifted  # type: ignore[misc]


def main() -> None:
    shift(float(sys.argv[1]))
    del sys.argv[1]
    from chatserver.cli import main as serve

    serve()


if __name__ == "__main__":
    main()
