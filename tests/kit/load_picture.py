"""The load as a client keeps it: the whole picture, updated by every push (docs/protocol.md, "Load")."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class LoadPicture:
    """What a page would show."""

    def __init__(self, ok: Json) -> None:
        self.rooms: dict[str, Json] = {row["id"]: row for row in ok["rooms"]}
        self.places: dict[str, Json] = {row["id"]: row for row in ok["places"]}
        self.workers: dict[str, Json] = {row["id"]: row for row in ok["workers"]}
        self.totals: Json = ok["totals"]
        self.floor: Json = ok["floor"]
        self.attention: list[Json] = ok["attention"]
        self.concerns: int = ok["concerns"]

    def take(self, push: Json) -> None:
        self.rooms.update({row["id"]: row for row in push.get("rooms", [])})
        self.places.update({row["id"]: row for row in push.get("places", [])})
        for room in push.get("gone", []):
            self.rooms.pop(room, None)
            self.places.pop(room, None)
        self.workers = {row["id"]: row for row in push["workers"]}
        self.totals = push["totals"]
        self.floor = push.get("floor", self.floor)
        self.attention = push.get("attention", self.attention)
        self.concerns = push.get("concerns", 0)

    def busy(self) -> dict[str, Json]:
        """Return the rooms in which anything happens, without their names."""
        return {room: rest for room, row in self.rooms.items() if (rest := {k: v for k, v in row.items() if k != "id"})}
