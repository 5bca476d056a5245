"""The real app, with a store and a bus of its own, inside the test's event loop."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chatserver.config import load
from chatserver.edge import static
from chatserver.handlers.people import password_hashing
from chatserver.server import Server
from tests.edge.serving import Served, serving
from tests.kit.database import migrated_sqlite

_read_once = functools.cache(static._read)


@contextlib.asynccontextmanager
async def chatting(
    directory: Path, *, limits: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[tuple[Served, Server]]:
    """Serve the whole chat from a new data directory.

    The files of the page are packed once in a process, and hashing a password takes a millisecond, as in
    `tests/kit/forks.py`; the server's own hashing is tested in `tests/handlers/test_staff.py`.
    """
    data = directory / "data"
    data.mkdir()
    migrated_sqlite(data / "chat.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(password_hashing, "TIME_COST", 1)
        patch.setattr(password_hashing, "MEMORY_KIB", 64)
        patch.setattr(static, "_read", _read_once)
        server = Server(load(overrides={"data_dir": data, "limits": limits or {}, **settings}))
    options = {"server_header": False}
    async with serving(server.app, has_own_lifespan=True, options=options) as served:  # type: ignore[arg-type]
        yield served, server
