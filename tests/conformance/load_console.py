"""A place for whoever watches the load, and workers to watch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from tests.conformance.clusters import Cluster, Meet
from tests.conformance.peer import Peer
from tests.kit.load_picture import LoadPicture
from tests.kit.redis import RedisServer

Json = dict[str, Any]


class StaffConsole:
    """A connection of the staff that watches the load, and the picture that it makes of it."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.picture: LoadPicture
        self._told = 0

    async def watch(self) -> Json:
        self._told = len(self.peer.pushes("load"))
        ok = await self.peer.ask("load")
        self.picture = LoadPicture(ok)
        return ok

    async def until(self, is_so: Callable[[LoadPicture], object]) -> LoadPicture:
        """Lay pushes over the picture until it is so."""

        def look() -> LoadPicture | None:
            pushes = self.peer.pushes("load")
            for push in pushes[self._told :]:
                self._told += 1
                self.picture.take(push)
                if is_so(self.picture):
                    return self.picture
            return self.picture if is_so(self.picture) else None

        return await self.peer.until(look)


async def at_console(meet: Meet, token: str) -> StaffConsole:
    peer = await meet.silent()
    await peer.hello(token=token, staff=True)
    return StaffConsole(peer)


@contextlib.contextmanager
def clusters_over(redis: RedisServer, count: int, settings: Json | None = None) -> Iterator[list[Cluster]]:
    """Workers over one Redis, started apart so that one can be killed without another taking its place."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(Cluster(redis_url=redis.url, config=settings))
        secret = (first.server.directory / "data" / "secret.key").read_text().strip()
        config = {**(settings or {}), "secret_key": secret, "database_url": f"sqlite:///{first.database}"}
        others = [
            stack.enter_context(Cluster(redis_url=redis.url, rooms=first.rooms, config=config))
            for _ in range(count - 1)
        ]
        yield [first, *others]
