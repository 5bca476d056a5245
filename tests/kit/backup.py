"""A backup of a server's data directory, restored as docs/recovery.md tells operators to do it."""

from __future__ import annotations

import asyncio
import shutil

from tests.kit.server import ChatServer


async def back_up(server: ChatServer) -> None:
    """Stop a server, copy its data, and start it again."""
    await asyncio.to_thread(server.stop)
    shutil.copytree(server.directory / "data", server.directory / "backup")
    await asyncio.to_thread(server.start)


async def restore(server: ChatServer) -> None:
    """Stop a server, restore the copied data, renew every epoch, and start it again."""
    await asyncio.to_thread(server.stop)
    shutil.rmtree(server.directory / "data")
    shutil.copytree(server.directory / "backup", server.directory / "data")
    await asyncio.to_thread(server.run, "renew-epochs")
    await asyncio.to_thread(server.start)
