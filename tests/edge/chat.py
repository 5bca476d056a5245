"""The real app, with a store and a bus of its own, inside the test's event loop."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from chatserver.config import load
from chatserver.server import Server
from chatserver.store.migrate import migrate
from tests.edge.serving import OURS, Served, serving


@cache
def _migrated() -> Path:
    """An empty database, made once."""
    file = Path(mkdtemp(prefix="chat-edge-")) / "chat.db"
    migrate(f"sqlite:///{file}")
    return file


@contextlib.asynccontextmanager
async def chatting(
    directory: Path, *, ws: str = OURS, limits: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[tuple[Served, Server]]:
    """Serve the whole chat from a new data directory."""
    data = directory / "data"
    data.mkdir()
    shutil.copy(_migrated(), data / "chat.db")
    server = Server(load(overrides={"data_dir": data, "limits": limits or {}, **settings}))
    options = {"server_header": False}
    async with serving(server.app, ws=ws, has_own_lifespan=True, options=options) as served:  # type: ignore[arg-type]
        yield served, server
