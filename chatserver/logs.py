"""The format of the log: one JSON object a line, or text for a person at a terminal. Never an address, never a text of
a member.

Everything is logged through `logging`; structlog renders it.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

from chatserver.logwriter import QueuedHandler


def log_config(level: str, kind: str) -> dict[str, Any]:
    """Return a configuration for `logging`. `kind` is `json`, `text`, or `auto`: text if standard error is a
    terminal."""
    is_text = kind == "text" or (kind == "auto" and sys.stderr.isatty())
    renderer: list[Any] = (
        [structlog.dev.ConsoleRenderer()] if is_text else [structlog.processors.JSONRenderer(default=str)]
    )
    shared: list[Any] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _drop_colors,
        _tell_failure,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"no_addresses": {"()": NoAddresses}, "no_words": {"()": NoWords}},
        "formatters": {
            "default": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
            }
        },
        "handlers": {
            "default": {
                "()": QueuedHandler,
                "formatter": "default",
                "filters": ["no_addresses", "no_words"],
            },
        },
        "root": {"handlers": ["default"], "level": "WARNING"},
        "loggers": {
            "chatserver": {"level": level.upper()},
            # websockets writes whole frames at DEBUG: what people wrote. At INFO it says when each connection closes.
            # It stands here because a configuration takes the level from every child of a logger that it names.
            "chatserver.edge.frames": {"level": "WARNING"},
            # What uvicorn logs at INFO is logged by the server itself, or is an address.
            "uvicorn": {"level": {"debug": "INFO", "error": "ERROR"}.get(level, "WARNING")},
            "uvicorn.access": {"handlers": [], "propagate": False},
        },
    }


class NoAddresses(logging.Filter):
    """Drops uvicorn's lines that name a client's address: those that say how a request or a handshake ended."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith('%s - "')


class NoWords(logging.Filter):
    """Keeps the first line of what asyncio logs of a task that failed: the others quote the failure."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "asyncio":
            record.msg, record.args = record.getMessage().partition("\n")[0], None
        return True


def told(failure: BaseException) -> str:
    """Return a failure with its places and its causes, and without its message unless that is ours or the system's: a
    library's message may quote what somebody wrote."""
    cause = failure.__cause__ or (None if failure.__suppress_context__ else failure.__context__)
    before = "" if cause is None else f"{told(cause)}\n\nand then:\n\n"
    places = "".join(traceback.format_tb(failure.__traceback__))
    kind = type(failure)
    words = f": {failure}" if isinstance(failure, OSError) or kind.__module__.startswith("chatserver.") else ""
    head = "Traceback (most recent call last):\n" if places else ""
    return f"{before}{head}{places}{kind.__module__}.{kind.__qualname__}{words}"


def _tell_failure(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    info = event.pop("exc_info", None)
    if isinstance(info, tuple) and info[1] is not None:
        event["exception"] = told(info[1])
    return event


def _drop_colors(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.pop("color_message", None)
    return event
