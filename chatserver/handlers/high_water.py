"""How far this machine has seen its database come, which is kept in a file beside it.

Where the database is behind that at a start, a backup was restored. What was shown since the backup would be taken for
what comes now, so every channel begins anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
from pathlib import Path
from typing import Final

import msgspec

from chatserver.domain.history import HighWater
from chatserver.store.store import Store

FILE: Final = "high-water"
KEEP_SECONDS: Final = 5.0
"""How often a worker notes it: what came in the last seconds before a crash is not known of afterwards."""

log = logging.getLogger("chatserver.server")


def recall(data_dir: Path) -> HighWater | None:
    """Return what was noted last; None where nothing was noted, or nothing that can be read."""
    try:
        return msgspec.json.decode((data_dir / FILE).read_bytes(), type=HighWater)
    except (OSError, msgspec.MsgspecError):
        return None


def note(data_dir: Path, reached: HighWater) -> None:
    """Replace what was noted before. Raises OSError."""
    draft = data_dir / f".{FILE}.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        draft.write_bytes(msgspec.json.encode(reached) + b"\n")
        draft.replace(data_dir / FILE)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


class HighWaterKeeper:
    """Notes how far the database has come, for one worker of several that share a data directory."""

    def __init__(self, store: Store, data_dir: Path) -> None:
        self._store = store
        self._data_dir = data_dir
        self._has_failed = False

    async def keep(self) -> None:
        """Note how far the database has come. A disk that takes nothing is logged once, and harms nobody. Raises
        Refusal or StoreUnavailable."""
        reached = await self._store.high_water()
        # A disk that hangs must hold nobody up who talks.
        await asyncio.to_thread(self._note, reached)

    def _note(self, reached: HighWater) -> None:
        noted = recall(self._data_dir)
        if noted is not None and not noted.is_behind(reached):
            return
        try:
            note(self._data_dir, reached)
            self._has_failed = False
        except OSError as error:
            if not self._has_failed:
                log.warning("high_water_not_noted", extra={"cause": error.strerror})
            self._has_failed = True


async def renew_if_behind(store: Store, data_dir: Path) -> int | None:
    """Begin all channels anew where the database is behind what was noted. Returns how many channels there are; None
    where it is not behind."""
    noted, reached = recall(data_dir), await store.high_water()
    if noted is None or not reached.is_behind(noted):
        return None
    count = await store.renew_epochs()
    # Otherwise every start would find it behind again.
    with contextlib.suppress(OSError):
        note(data_dir, reached)
    return count
