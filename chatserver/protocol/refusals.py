"""Groups of reasons with which commands are refused, for the messages that share them."""

from __future__ import annotations

from typing import Final

from chatserver.domain.errors import Reason

ANY: Final = (
    Reason.MALFORMED,
    Reason.INVALID,
    Reason.TOO_LARGE,
    Reason.HELLO_REQUIRED,
    Reason.RATE_LIMITED,
    Reason.STORAGE_UNAVAILABLE,
    Reason.BUSY,
    Reason.INTERNAL,
)
"""The reasons of any command, and of frames that could not be read as one."""
FACT: Final = (Reason.DUPLICATE_ID, Reason.ROOM_UNKNOWN)
VOICE: Final = (
    Reason.ROOM_CLOSED,
    Reason.UNATTENDED,
    Reason.READ_ONLY,
    Reason.AGREEMENT_REQUIRED,
    Reason.MUTED,
    Reason.REMOVED,
    Reason.BANNED,
)
IN_ROOM: Final = (Reason.NOT_IN_ROOM, Reason.ONLY_READING)
WORDS: Final = (Reason.TEXT_EMPTY, Reason.TEXT_TOO_LONG, Reason.SLOW_MODE, Reason.CONTACT_DETAILS, Reason.NOT_YOUR_TURN)
LISTENER: Final = (Reason.NOT_ALLOWED, Reason.NOT_LISTENER)
SESSION: Final = (Reason.SESSION_UNKNOWN, Reason.SESSION_OVER)
REASONED: Final = (Reason.NOT_ALLOWED, Reason.TEXT_EMPTY, Reason.TEXT_TOO_LONG, Reason.DUPLICATE_ID)
CHANGED: Final = (*REASONED, Reason.ROOM_UNKNOWN, Reason.ROOM_CLOSED, Reason.ROOM_CHANGED)
CASE: Final = (Reason.NOT_ALLOWED, Reason.REPORT_UNKNOWN)
