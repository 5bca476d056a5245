"""Worker processes for tests of their supervisor: they answer it as workers do, but serve nobody."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

PLACES_VARIABLE: Final = "TEST_WORKERS_THAT_MAY_SERVE"
"""A directory with one file for each worker that may serve; the others end at once."""


def serves_or_fails(socks: Sequence[socket.socket], line: Connection[Any, Any]) -> None:
    """Serve if there is a place left, else end like a worker that cannot start."""
    for place in Path(os.environ[PLACES_VARIABLE]).iterdir():
        with contextlib.suppress(FileNotFoundError):
            place.unlink()
            _answer(line)
            return


def ignores_its_end(socks: Sequence[socket.socket], line: Connection[Any, Any]) -> None:
    """Serve, and never drain."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _answer(line)


def _answer(line: Connection[Any, Any]) -> None:
    with contextlib.suppress(OSError, EOFError):
        while True:
            line.recv()
            line.send((True, 0.0, time.process_time()))
