"""What may be said in a log about a bug: its kind and its places, never its words, which may be somebody's."""

from __future__ import annotations

import traceback
from pathlib import PurePath


def traceback_places(failure: BaseException) -> str:
    """`KeyError at rooms.py:12 join < desk.py:41 receive`: its type, and where it passed, innermost first."""
    frames = traceback.extract_tb(failure.__traceback__)
    steps = " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return f"{type(failure).__name__} at {steps}" if steps else type(failure).__name__
