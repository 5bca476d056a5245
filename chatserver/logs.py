"""What the log looks like: one JSON object a line, or text for a person at a terminal. Never an address, never a text.

Everything is logged through `logging`; structlog renders it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog


def log_config(level: str, kind: str) -> dict[str, Any]:
    """A configuration for `logging`. `kind` is `json`, `text`, or `auto`: text where standard error is a terminal."""
    is_text = kind == "text" or (kind == "auto" and sys.stderr.isatty())
    renderer: list[Any] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if is_text
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    )
    shared: list[Any] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _drop_colors,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"no_addresses": {"()": NoAddresses}},
        "formatters": {
            "default": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
            }
        },
        "handlers": {
            "default": {"class": "logging.StreamHandler", "formatter": "default", "filters": ["no_addresses"]},
        },
        "root": {"handlers": ["default"], "level": "WARNING"},
        "loggers": {
            "chatserver": {"level": level.upper()},
            # What uvicorn says at INFO is said by the server itself, or is an address.
            "uvicorn": {"level": {"debug": "INFO", "error": "ERROR"}.get(level, "WARNING")},
            "uvicorn.access": {"handlers": [], "propagate": False},
        },
    }


class NoAddresses(logging.Filter):
    """Drops uvicorn's lines that name a client's address: those that say how a request or a handshake ended."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith('%s - "')


def _drop_colors(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.pop("color_message", None)
    return event
