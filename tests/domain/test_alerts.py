"""What needs somebody, and why, in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chatserver.domain.history import Millis
from chatserver.domain.identity import NodeId
from chatserver.domain.operating.alerts import (
    URGENT,
    Alert,
    AlertKind,
    AlertTracker,
    ListeningLoad,
    ModerationLoad,
    Thresholds,
    concerns,
)
from chatserver.domain.operating.load import RoomLoad
from chatserver.domain.rooms.rooms import Room, RoomId, RoomStatus
from tests.domain.test_load import sample

GRIEF = RoomId("grief")
ROOM = Room(id=GRIEF, name="Grief", about="", capacity=20)
WORKER = NodeId("a" * 12)
MINUTE = 60_000


def found(
    load: RoomLoad | None = None, room: Room = ROOM, *, worker: dict[str, Any] | None = None, **given: Any
) -> list[Alert]:
    usual: dict[str, Any] = {
        "loads": {GRIEF: load or RoomLoad(id=GRIEF)},
        "rooms": {GRIEF: room},
        "samples": {WORKER: sample(**(worker or {}))},
        "floor": ListeningLoad(),
        "moderation": ModerationLoad(),
        "alone_since": {},
        "now": Millis(100 * MINUTE),
        "limits": Thresholds(),
    }
    return concerns(**{**usual, **given})


def test_where_all_is_well_nothing_needs_anybody() -> None:
    assert found(RoomLoad(id=GRIEF, members=17, posts=10, p99=30)) == []


@pytest.mark.parametrize(
    ("load", "kind", "words"),
    [
        (RoomLoad(id=GRIEF, members=20), AlertKind.ROOM_FULL, "Grief is full: 20 of 20 are here."),
        (RoomLoad(id=GRIEF, members=18), AlertKind.NEARLY_FULL, "Grief is nearly full: 18 of 20 are here."),
        (RoomLoad(id=GRIEF, members=10, behind=1), AlertKind.READERS_BEHIND, "One reader of Grief cannot keep up."),
        (RoomLoad(id=GRIEF, p99=1_500), AlertKind.SLOW_DELIVERY, "Posts in Grief take up to 1.5 s to arrive."),
        (RoomLoad(id=GRIEF, posts=60), AlertKind.ROOM_BUSY, "Grief has 60 posts a minute: more than anybody can read."),
    ],
)
def test_room_says_why_it_needs_somebody(load: RoomLoad, kind: AlertKind, words: str) -> None:
    assert found(load) == [Alert(kind=kind, words=words, urgent=kind in URGENT, room=GRIEF)]


def test_closed_room_is_never_full() -> None:
    assert found(RoomLoad(id=GRIEF, members=20), msgspec.structs.replace(ROOM, status=RoomStatus.CLOSED)) == []


def test_room_needs_a_moderator_once_people_have_been_alone_for_long_enough() -> None:
    three = RoomLoad(id=GRIEF, members=3)
    since = {GRIEF: Millis(90 * MINUTE)}
    assert [each.words for each in found(three, alone_since=since)] == ["Nobody has moderated Grief for 10 minutes."]
    assert found(three, alone_since={GRIEF: Millis(90 * MINUTE + 1)}) == []
    assert found(RoomLoad(id=GRIEF, members=2), alone_since=since) == []


def test_moderator_who_comes_and_a_room_that_empties_begin_it_anew() -> None:
    watch = AlertTracker()
    watch.look([RoomLoad(id=GRIEF, members=3)], Millis(1))
    watch.look([RoomLoad(id=GRIEF, members=2)], Millis(5))
    assert watch.alone_since == {GRIEF: 1}
    watch.look([RoomLoad(id=GRIEF, members=3, moderators=1)], Millis(6))
    assert watch.alone_since == {}
    watch.look([RoomLoad(id=GRIEF, members=3)], Millis(7))
    watch.look([RoomLoad(id=GRIEF)], Millis(8))
    watch.look([RoomLoad(id=GRIEF, members=1)], Millis(9))
    assert watch.alone_since == {GRIEF: 9}


@pytest.mark.parametrize(
    ("floor", "kind", "words"),
    [
        (
            ListeningLoad(waiting=1, oldest_wait_ms=12 * MINUTE, listeners={"busy": 1}),
            AlertKind.LONG_WAIT,
            "Somebody has waited 12 minutes for a listener.",
        ),
        (
            ListeningLoad(waiting=2, listeners={"away": 4}),
            AlertKind.NOBODY_LISTENS,
            "2 people wait and nobody listens.",
        ),
        (
            ListeningLoad(idle_ms=1_200),
            AlertKind.IDLE_WHILE_WAITING,
            "A listener has been free for 1.2 s while somebody waits whom they could take.",
        ),
        (
            ListeningLoad(broken={"double_seekers": 1}),
            AlertKind.PROMISE_BROKEN,
            "A promise of one-to-one does not hold: double seekers (1).",
        ),
    ],
)
def test_queue_says_why_it_needs_somebody(floor: ListeningLoad, kind: AlertKind, words: str) -> None:
    assert found(floor=floor) == [Alert(kind=kind, words=words, urgent=True)]


@pytest.mark.parametrize(
    ("worker", "kind", "words"),
    [
        ({"store": "takes no writes"}, AlertKind.STORE_AWAY, "cannot write to the store: posts are refused there."),
        ({"store_ms": 700.0}, AlertKind.STORE_SLOW, "needs 700 ms for a write to the store."),
        (
            {"bus_ms": None},
            AlertKind.BUS_AWAY,
            "hears nothing through Redis: what it knows of the others is old or missing.",
        ),
        (
            {"is_attached": False},
            AlertKind.BUS_AWAY,
            "hears nothing through Redis: what it knows of the others is old or missing.",
        ),
        ({"bus_ms": 800.0}, AlertKind.BUS_SLOW, "hears itself through Redis only after 800 ms."),
        ({"lag_ms": 300}, AlertKind.WORKER_SLOW, "kept everybody on it waiting for 300 ms."),
        ({"cpu": 0.97}, AlertKind.WORKER_BUSY, "uses 97% of a core."),
    ],
)
def test_worker_says_why_it_needs_somebody(worker: dict[str, Any], kind: AlertKind, words: str) -> None:
    [concern] = found(worker=worker)
    assert concern == Alert(kind=kind, words=f"lamp:1 {words}", urgent=kind in URGENT, worker=WORKER)


@pytest.mark.parametrize(
    ("moderation", "kind", "words"),
    [
        (ModerationLoad(overdue=1, overdue_ms=MINUTE), AlertKind.REPORTS_OVERDUE, "One report is late by one minute."),
        (
            ModerationLoad(overdue=3, overdue_ms=12 * MINUTE),
            AlertKind.REPORTS_OVERDUE,
            "3 reports are late, the first by 12 minutes.",
        ),
        (
            ModerationLoad(is_log_whole=False),
            AlertKind.LOG_BROKEN,
            "The audit log is not what it was: an entry was changed, or taken out.",
        ),
    ],
)
def test_moderation_says_why_it_needs_somebody(moderation: ModerationLoad, kind: AlertKind, words: str) -> None:
    assert found(moderation=moderation) == [Alert(kind=kind, words=words, urgent=True)]


def test_workers_of_different_versions_are_told() -> None:
    samples = {WORKER: sample(), NodeId("b" * 12): sample(version="0.2.0")}
    assert [each.kind for each in found(samples=samples)] == [AlertKind.VERSIONS_DIFFER]


def test_what_harms_somebody_now_comes_first() -> None:
    told = found(
        RoomLoad(id=GRIEF, members=19, posts=70),
        floor=ListeningLoad(waiting=1, oldest_wait_ms=20 * MINUTE, listeners={"free": 1}),
        worker={"cpu": 1.0, "store": "takes no writes"},
    )
    assert [each.kind for each in told] == [
        AlertKind.STORE_AWAY, AlertKind.LONG_WAIT, AlertKind.WORKER_BUSY, AlertKind.ROOM_BUSY, AlertKind.NEARLY_FULL,
    ]  # fmt: skip


def test_thresholds_are_the_operators() -> None:
    busy = RoomLoad(id=GRIEF, posts=12)
    assert found(busy) == []
    assert [each.kind for each in found(busy, limits=Thresholds(posts_a_minute=12))] == [AlertKind.ROOM_BUSY]
