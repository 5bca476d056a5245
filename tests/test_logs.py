"""The log tells where something failed and of what kind, and never in words that may be somebody's."""

from __future__ import annotations

import subprocess
import sys

import pytest

SAID = "what somebody wrote"
FAILING = f"""
import asyncio, gc, logging, sys
from logging.config import dictConfig
from chatserver.delivery.tasks import Tasks
from chatserver.logs import log_config

dictConfig(log_config("info", sys.argv[1]))

async def fail():
    try:
        raise ValueError({SAID!r})
    except ValueError as cause:
        raise KeyError({SAID!r}) from cause

async def main():
    Tasks().start(fail(), "watched")
    nobody_asks = asyncio.create_task(fail())
    await asyncio.wait([nobody_asks])
    del nobody_asks
    gc.collect()
    try:
        open("/nowhere/at/all")
    except OSError:
        logging.getLogger("chatserver.test").exception("no_file")

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["json", "text"])
def test_a_failure_is_logged_with_its_places_and_kinds_and_without_its_words(kind: str) -> None:
    log = subprocess.run(
        [sys.executable, "-c", FAILING, kind], capture_output=True, text=True, timeout=30, check=True
    ).stderr
    assert SAID not in log
    for told in ("task_failed", "Task exception was never retrieved", "KeyError", "ValueError", "in fail"):
        assert told in log
    # The system's own words are nobody's.
    assert "/nowhere/at/all" in log
