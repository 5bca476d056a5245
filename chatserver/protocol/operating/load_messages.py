"""The messages about the load of rooms and workers, for staff: `docs/protocol.md`, "Load"."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from chatserver.domain.errors import Reason
from chatserver.domain.history import Millis
from chatserver.domain.identity import NodeId
from chatserver.domain.operating.alerts import Alert, ListeningLoad
from chatserver.domain.operating.load import RoomLoad, Totals
from chatserver.domain.people.staff import Capability
from chatserver.domain.rooms.rooms import RoomId, RoomStatus
from chatserver.protocol.fields import Command


class AskLoad(Command, frozen=True, kw_only=True, tag="load"):
    """Get the load of rooms and workers. With `watch`, `load` pushes follow until it is sent again without."""

    answer: ClassVar[str] = "load"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.SEE_LOAD
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.NOT_ALLOWED,)

    watch: bool = True


class PlaceView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A room's settings, apart from its activity. `slow_mode` is in seconds."""

    id: RoomId
    name: str
    capacity: int
    slow_mode: int = 0
    status: RoomStatus = RoomStatus.OPEN


class WorkerView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One worker. `age_ms` is how old its numbers are; `bus_ms` is absent if it hears nothing through the bus."""

    id: NodeId
    name: str
    version: str
    started_at: Millis
    age_ms: int
    connections: int
    cpu: float
    rss: int
    lag_ms: int
    bus_ms: float | None = None
    is_attached: bool = True
    dropped: int = 0
    healed: int = 0
    evictions: int = 0
    store: str = "ok"
    store_ms: float | None = None
    store_failures: int = 0
    is_draining: bool = False
    members: int = 0


class LoadOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="load", omit_defaults=True):
    """The whole picture. `history` is how many were in each room, every `history_seconds` seconds, oldest first, up to
    `at`; the next number is due when `at` next passes a multiple of that. `attention` holds at most some dozens, the
    worst first; `concerns` is how many there are."""

    at: Millis
    here: NodeId
    places: list[PlaceView]
    rooms: list[RoomLoad]
    totals: Totals
    workers: list[WorkerView]
    floor: ListeningLoad
    attention: list[Alert]
    concerns: int
    history: dict[RoomId, list[int]]
    history_seconds: int


class LoadPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="load", omit_defaults=True):
    """The changes since the last one, once a second. Not a fact: what is here replaces what was there. `rooms` and
    `places` hold those that changed, `gone` those that were removed; `floor` and `attention` are absent if
    unchanged."""

    at: Millis
    totals: Totals
    workers: list[WorkerView]
    rooms: list[RoomLoad] = []
    places: list[PlaceView] = []
    gone: list[RoomId] = []
    floor: ListeningLoad | None = None
    attention: list[Alert] | None = None
    concerns: int = 0


LoadCommand = AskLoad
