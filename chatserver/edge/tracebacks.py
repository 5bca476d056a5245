"""What a log may say about a bug: the type of the exception and its places. Its message may quote a member's words."""

from __future__ import annotations

import traceback
from pathlib import PurePath


def traceback_places(failure: BaseException) -> str:
    """Return the exception's type and the places it passed, innermost first: `KeyError at rooms.py:12 join < hub.py:41
    take`."""
    frames = traceback.extract_tb(failure.__traceback__)
    steps = " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return f"{type(failure).__name__} at {steps}" if steps else type(failure).__name__
