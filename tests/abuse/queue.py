"""The moderators' queue as it is shown to one of them, and what rang there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from tests.abuse.scene import Scene
from tests.kit.client import ChatClient

Json = dict[str, Any]


@dataclass(slots=True)
class StaffConsole:
    """Somebody of the staff who looks at reports. `known` are the cards that stood there before."""

    client: ChatClient
    known: frozenset[str] = frozenset()

    @classmethod
    async def of(cls, scene: Scene, *roles: str) -> Self:
        """Return the desk of somebody new with these roles, who looks at the queue from now on."""
        return await cls.at(await scene.staff(*roles))

    @classmethod
    async def at(cls, client: ChatClient) -> Self:
        """Return the desk of somebody who is connected already, who looks at the queue from now on."""
        desk = cls(client)
        desk.known = frozenset(each["id"] for each in await desk.cards())
        return desk

    async def cards(self) -> list[Json]:
        """Return the open cards that were not there before, from the first page to the last, in their order."""
        view = await self.client.ask("reports")
        found, after = [*view["open"]], view["next"]
        while after is not None:
            view = await self.client.ask("report_page", after=after)
            found, after = [*found, *view["reports"]], view["next"]
        return [each for each in found if each["id"] not in self.known]

    async def until(self, count: int = 1) -> list[Json]:
        """Return the new cards as soon as there are at least `count`."""
        while len(found := await self.cards()) < count:
            seen = len(self.client.pushes)
            await self.client.until(
                lambda seen=seen: any(  # type: ignore[misc]
                    each.get("push") == "reports" for each in self.client.pushes[seen:]
                )
            )
        return found

    def rings(self) -> int:
        """Return how often the page rang."""
        return sum(each.get("push") == "ring" for each in self.client.pushes)
