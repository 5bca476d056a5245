"""The format of the log: one JSON object per line, or text for a terminal. It never contains an address or a member's
text.

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
            # At DEBUG websockets logs whole frames, with what people wrote; at INFO it logs when each connection
            # closes.
            # Set on the child, because configuring a logger resets the levels of its children.
            "chatserver.edge.frames": {"level": "WARNING"},
            # What uvicorn logs at INFO is logged by this server itself, or contains an address.
            "uvicorn": {"level": {"debug": "INFO", "error": "ERROR"}.get(level, "WARNING")},
            "uvicorn.access": {"handlers": [], "propagate": False},
        },
    }


class NoAddresses(logging.Filter):
    """Drops uvicorn's lines about the end of a request or a handshake, because they contain the client's address."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith('%s - "')


class NoWords(logging.Filter):
    """Keeps only the first line of what asyncio logs about a failed task: the others quote the exception."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "asyncio":
            record.msg, record.args = record.getMessage().partition("\n")[0], None
        return True


def told(failure: BaseException) -> str:
    """Return a failure with its traceback and its causes. Its message is included only if it is from this project or
    the operating system, because a library's message may quote what somebody wrote."""
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
