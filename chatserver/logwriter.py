"""A log handler that never waits: lines go through a bounded queue to a thread that writes them.

The reader of the log may stop reading. A full pipe would then block the writer, which would be the event loop. Here it
blocks only the thread; lines that do not fit into the queue are dropped and counted, and the next line that gets
through is followed by the count.

The thread writes to the file descriptor itself: a thread that is stuck inside a Python stream holds the stream's lock,
and the interpreter aborts at its end because it cannot flush the stream.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
from typing import Final, Protocol

QUEUE_LINES: Final = 2_000
"""How many lines may wait for the reader."""
FLUSH_SECONDS: Final = 1.0
"""Seconds that the end of the process waits for lines that are not written yet."""


STANDARD_OUTPUT: Final = 1
STANDARD_ERROR: Final = 2


def say(line: str, descriptor: int = STANDARD_OUTPUT) -> None:
    """Write a line for a person. Wait for at most FLUSH_SECONDS, because the reader may be stuck or gone."""

    def write() -> None:
        with contextlib.suppress(OSError):
            _write_all(descriptor, line + "\n")

    writing = threading.Thread(target=write, name="says", daemon=True)
    writing.start()
    writing.join(FLUSH_SECONDS)


def _write_all(descriptor: int, text: str) -> None:
    left = text.encode("utf-8", "backslashreplace")
    while left:
        left = left[os.write(descriptor, left) :]


class SupportsWrite(Protocol):
    """The methods of a text stream that a log needs."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


class QueuedHandler(logging.Handler):
    """Writes formatted records to `stream` (standard error unless given) from a thread of its own.

    `dropped` is how many lines were lost because the queue was full, since the process started.
    """

    def __init__(self, stream: SupportsWrite | None = None, lines: int = QUEUE_LINES) -> None:
        super().__init__()
        self.dropped = 0
        self._stream = stream
        self._untold = 0
        self._queue: queue.Queue[str | threading.Event] = queue.Queue(lines)
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Queue one record. It is formatted here, so that it shows the values at the time of logging."""
        try:
            self._start()
            untold, self._untold = self._untold, 0
            if untold and not self._put(self._lost(untold)):
                self._untold += untold
            if not self._put(self.format(record)):
                self._untold += 1
                self.dropped += 1
        except Exception:  # noqa: BLE001 - logging's own rule: a line that cannot be logged stops nobody
            self.handleError(record)

    def flush(self) -> None:
        """Wait until what is queued is written, at most FLUSH_SECONDS."""
        if self._thread is None or not self._thread.is_alive():
            return
        written = threading.Event()
        with contextlib.suppress(queue.Full):
            self._queue.put(written, timeout=FLUSH_SECONDS)
            written.wait(FLUSH_SECONDS)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Ignore a record that cannot be formatted: logging's own handling would write to standard error here."""
        self.dropped += 1

    def _put(self, line: str) -> bool:
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            return False
        return True

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="log", daemon=True)
            self._thread.start()

    def _write(self) -> None:
        while True:
            line = self._queue.get()
            if isinstance(line, threading.Event):
                line.set()
                continue
            # The reader is gone.
            with contextlib.suppress(OSError, ValueError):
                if self._stream is None:
                    _write_all(STANDARD_ERROR, line + "\n")
                else:
                    self._stream.write(line + "\n")
                    self._stream.flush()

    def _lost(self, count: int) -> str:
        record = logging.LogRecord("chatserver.log", logging.WARNING, __file__, 0, "log_lines_dropped", None, None)
        record.lines = count
        return self.format(record)
