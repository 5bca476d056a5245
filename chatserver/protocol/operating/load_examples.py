"""One real example of every message about the load."""

from __future__ import annotations

from typing import Any, Final

from chatserver.domain.history import CommandId, Millis
from chatserver.domain.identity import NodeId
from chatserver.domain.operating.alerts import Alert, AlertKind, ListeningLoad
from chatserver.domain.operating.load import RoomLoad, Totals
from chatserver.domain.rooms.rooms import RoomId
from chatserver.protocol import messages as m
from chatserver.protocol.operating import load_messages as lo

_NOW: Final = Millis(1_767_225_600_000)
_NODE: Final = NodeId("9f2c51d0a7be")
_SLEEP: Final = RoomId("sleep")
_LOAD: Final = RoomLoad(id=_SLEEP, members=12, writers=4, posts=9, reactions=3, moderators=1, p50=3, p99=21)
_TOTALS: Final = Totals(members=12, connections=14, posts=9, reactions=3, occupied=1, workers=1, p50=3, p99=21)
_WORKER: Final = lo.WorkerView(
    id=_NODE, name="lamp:4711", version="0.1.0", started_at=Millis(_NOW - 86_400_000), age_ms=8, connections=14,
    cpu=0.07, rss=92_274_688, lag_ms=4, bus_ms=0.6, store_ms=1.8, members=12,
)  # fmt: skip
_FLOOR: Final = ListeningLoad(
    waiting=1, oldest_wait_ms=720_000, estimate=240, estimate_from=5, sessions=2, listeners={"busy": 2, "away": 3}
)
_CONCERN: Final = Alert(kind=AlertKind.LONG_WAIT, words="Somebody has waited 12 minutes for a listener.", urgent=True)
_WHOLE: Final[dict[str, Any]] = {
    "at": _NOW,
    "totals": _TOTALS,
    "workers": [_WORKER],
    "rooms": [_LOAD],
    "places": [lo.PlaceView(id=_SLEEP, name="Can't sleep", capacity=200)],
    "floor": _FLOOR,
    "attention": [_CONCERN],
    "concerns": 1,
}

REPLIES: Final[tuple[m.Reply, ...]] = (
    m.Reply(
        re=CommandId("o1-2"),
        ok=lo.LoadOk(**_WHOLE, here=_NODE, history={_SLEEP: [9, 11, 12]}, history_seconds=30),
    ),
)
PUSHES: Final[tuple[m.AnyPush, ...]] = (
    lo.LoadPush(at=Millis(_NOW + 1_000), totals=_TOTALS, workers=[_WORKER], rooms=[_LOAD]),
)
