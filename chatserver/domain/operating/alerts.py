"""What needs an operator's attention, and why, in words. Pure: the same numbers give the same reasons.

The page, the metrics (`chat_attention`) and Prometheus' alerts all use it, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import NodeId
from chatserver.domain.operating.load import RoomLoad, Sample
from chatserver.domain.rooms.coverage import Attendance
from chatserver.domain.rooms.rooms import Room, RoomId, RoomStatus


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """The thresholds. Times in milliseconds, shares of 1. `docs/operating.md` has them all."""

    full_share: float = 1.0
    nearly_full_share: float = 0.9
    crowd_share: float = 0.2
    unmoderated: int = 10 * 60_000
    unmoderated_members: int = 3
    posts_a_minute: int = 60
    behind_share: float = 0.1
    delivery_ms: int = 1_000
    wait: int = 10 * 60_000
    idle_ms: int = 1_000
    lag_ms: int = 250
    cpu_share: float = 0.9
    bus_ms: int = 500
    store_ms: int = 500


class AlertKind(StrEnum):
    """The kinds of alerts, in the order in which they are shown."""

    STORE_AWAY = "store_away"
    BUS_AWAY = "bus_away"
    LOG_BROKEN = "log_broken"
    REPORTS_OVERDUE = "reports_overdue"
    ALERT_FLOOD = "alert_flood"
    ESCALATION_OVERDUE = "escalation_overdue"
    PROMISE_BROKEN = "promise_broken"
    IDLE_WHILE_WAITING = "idle_while_waiting"
    LONG_WAIT = "long_wait"
    NOBODY_LISTENS = "nobody_listens"
    UNATTENDED = "unattended"
    CROWDED = "crowded"
    ROOM_FULL = "room_full"
    SLOW_DELIVERY = "slow_delivery"
    WORKER_SLOW = "worker_slow"
    WORKER_BUSY = "worker_busy"
    BUS_SLOW = "bus_slow"
    STORE_SLOW = "store_slow"
    VERSIONS_DIFFER = "versions_differ"
    UNMODERATED = "unmoderated"
    READERS_BEHIND = "readers_behind"
    ROOM_BUSY = "room_busy"
    NEARLY_FULL = "nearly_full"


URGENT: Final = frozenset(
    {
        AlertKind.STORE_AWAY,
        AlertKind.BUS_AWAY,
        AlertKind.ESCALATION_OVERDUE,
        AlertKind.PROMISE_BROKEN,
        AlertKind.IDLE_WHILE_WAITING,
        AlertKind.LONG_WAIT,
        AlertKind.NOBODY_LISTENS,
        AlertKind.UNATTENDED,
        AlertKind.CROWDED,
        AlertKind.ROOM_FULL,
        AlertKind.SLOW_DELIVERY,
        AlertKind.LOG_BROKEN,
        AlertKind.REPORTS_OVERDUE,
        AlertKind.ALERT_FLOOD,
    }
)
"""Alerts of harm that happens now; the others may become so."""


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that needs attention. `words` say why; `room` or `worker` names the one concerned, if any."""

    kind: AlertKind
    words: str
    urgent: bool = False
    room: RoomId | None = None
    worker: NodeId | None = None


class ListeningLoad(msgspec.Struct, frozen=True, kw_only=True):
    """One-to-one in numbers. `estimate` is how many seconds a seeker who asked now would wait, based on the
    `estimate_from` hand-overs of the last hour; None if it cannot be known. `listeners` counts them by state,
    `near_cap` those who may take at most one more today or this week. `idle_ms` and `broken` are broken promises."""

    waiting: int = 0
    oldest_wait_ms: int = 0
    estimate: int | None = None
    estimate_from: int = 0
    proposals: int = 0
    sessions: int = 0
    is_open: bool = True
    listeners: dict[str, int] = {}
    near_cap: int = 0
    idle_ms: int = 0
    broken: dict[str, int] = {}


class ModerationLoad(msgspec.Struct, frozen=True, kw_only=True):
    """Moderation in numbers. `overdue` reports should have been answered by now, the first of them `overdue_ms` ago.
    `is_log_whole` is the result of the last check of the audit log. `floods` open cards hold a flood, `folded` reports
    of new people in all."""

    overdue: int = 0
    overdue_ms: int = 0
    is_log_whole: bool = True
    floods: int = 0
    folded: int = 0


def concerns(
    *,
    loads: Mapping[RoomId, RoomLoad],
    rooms: Mapping[RoomId, Room],
    samples: Mapping[NodeId, Sample],
    floor: ListeningLoad,
    moderation: ModerationLoad,
    alone_since: Mapping[RoomId, Millis],
    now: Millis,
    limits: Thresholds,
    overdue: int = 0,
    crowds: Mapping[RoomId, int] | None = None,
) -> list[Alert]:
    """Return everything that needs attention, the worst first. `alone_since` says since when people have been in a room
    without a moderator, `crowds` how many in a room are newcomers of the one network that most of them come from."""
    found = [
        *_of_moderation(moderation, overdue),
        *_of_escalations(overdue),
        *_of_workers(samples, limits),
        *_of_listening(floor, limits),
        *_of_crowds(loads, rooms, crowds or {}, limits),
        *_of_rooms(loads, rooms, alone_since, now, limits),
    ]
    order = {kind: place for place, kind in enumerate(AlertKind)}
    return sorted(found, key=lambda each: (not each.urgent, order[each.kind]))


def _concern(kind: AlertKind, words: str, *, room: RoomId | None = None, worker: NodeId | None = None) -> Alert:
    return Alert(kind=kind, words=words, urgent=kind in URGENT, room=room, worker=worker)


def _of_escalations(overdue: int) -> Iterator[Alert]:
    if overdue:
        who = "One escalation has" if overdue == 1 else f"{overdue} escalations have"
        yield _concern(AlertKind.ESCALATION_OVERDUE, f"{who} waited too long for a moderator.")


def _of_crowds(
    loads: Mapping[RoomId, RoomLoad], rooms: Mapping[RoomId, Room], crowds: Mapping[RoomId, int], limits: Thresholds
) -> Iterator[Alert]:
    for id_, count in crowds.items():
        room, load = rooms.get(id_), loads.get(id_)
        if room is None or load is None or load.members < room.capacity * limits.nearly_full_share:
            continue
        if count >= room.capacity * limits.crowd_share:
            words = f"{room.name} is full of newcomers from one place: {count} of {load.members}."
            yield _concern(AlertKind.CROWDED, words, room=id_)


def _of_rooms(
    loads: Mapping[RoomId, RoomLoad],
    rooms: Mapping[RoomId, Room],
    alone_since: Mapping[RoomId, Millis],
    now: Millis,
    limits: Thresholds,
) -> Iterator[Alert]:
    for load in loads.values():
        room = rooms[load.id]
        name, here = room.name, load.members
        if room.status is RoomStatus.OPEN and here >= room.capacity * limits.full_share:
            yield _concern(AlertKind.ROOM_FULL, f"{name} is full: {here} of {room.capacity} are here.", room=room.id)
        elif room.status is RoomStatus.OPEN and here >= room.capacity * limits.nearly_full_share:
            yield _concern(
                AlertKind.NEARLY_FULL, f"{name} is nearly full: {here} of {room.capacity} are here.", room=room.id
            )
        since = alone_since.get(room.id)
        if room.status is RoomStatus.OPEN and room.attendance is not Attendance.ATTENDED:
            what = "it has slowed" if room.attendance is Attendance.SLOWED else "it can only be read"
            yield _concern(AlertKind.UNATTENDED, f"{name} needs a moderator and has none: {what}.", room=room.id)
        elif since is not None and here >= limits.unmoderated_members and now - since >= limits.unmoderated:
            minutes = _minutes(now - since)
            yield _concern(AlertKind.UNMODERATED, f"Nobody has moderated {name} for {minutes}.", room=room.id)
        if load.behind > 0 and load.behind >= limits.behind_share * here:
            readers = "One reader" if load.behind == 1 else f"{load.behind} readers"
            words = f"{readers} of {name} cannot keep up."
            yield _concern(AlertKind.READERS_BEHIND, words, room=room.id)
        if load.p99 is not None and load.p99 >= limits.delivery_ms:
            words = f"Posts in {name} take up to {_seconds(load.p99)} to arrive."
            yield _concern(AlertKind.SLOW_DELIVERY, words, room=room.id)
        if load.posts >= limits.posts_a_minute:
            words = f"{name} has {load.posts} posts a minute: more than anybody can read."
            yield _concern(AlertKind.ROOM_BUSY, words, room=room.id)


def _of_moderation(moderation: ModerationLoad, escalations: int) -> Iterator[Alert]:
    if not moderation.is_log_whole:
        yield _concern(AlertKind.LOG_BROKEN, "The audit log is not what it was: an entry was changed, or taken out.")
    if moderation.floods:
        words = f"A flood of alerts: {moderation.folded} of new people are folded. Protecting the rooms may help."
        yield _concern(AlertKind.ALERT_FLOOD, words)
    # Escalations are reports too, and have an alert of their own.
    late = moderation.overdue - escalations
    if late > 0:
        who = "One report is late" if late == 1 else f"{late} reports are late, the first"
        yield _concern(AlertKind.REPORTS_OVERDUE, f"{who} by {_minutes(moderation.overdue_ms)}.")


def _of_listening(floor: ListeningLoad, limits: Thresholds) -> Iterator[Alert]:
    listening = sum(count for state, count in floor.listeners.items() if state in {"free", "busy", "paused"})
    if floor.waiting and floor.oldest_wait_ms >= limits.wait:
        yield _concern(AlertKind.LONG_WAIT, f"Somebody has waited {_minutes(floor.oldest_wait_ms)} for a listener.")
    if floor.waiting and listening == 0:
        yield _concern(AlertKind.NOBODY_LISTENS, f"{_people(floor.waiting)} and nobody listens.")
    if floor.idle_ms > limits.idle_ms:
        words = f"A listener has been free for {_seconds(floor.idle_ms)} while somebody waits whom they could take."
        yield _concern(AlertKind.IDLE_WHILE_WAITING, words)
    for promise, count in floor.broken.items():
        if count > 0:
            told = promise.replace("_", " ")
            yield _concern(AlertKind.PROMISE_BROKEN, f"A promise of one-to-one does not hold: {told} ({count}).")


def _of_workers(samples: Mapping[NodeId, Sample], limits: Thresholds) -> Iterator[Alert]:
    for node, each in samples.items():
        for kind, words in _of_worker(each, limits):
            yield _concern(kind, f"{each.name} {words}", worker=node)
    versions = sorted({each.version for each in samples.values()})
    if len(versions) > 1:
        yield _concern(AlertKind.VERSIONS_DIFFER, f"Workers of different versions run together: {', '.join(versions)}.")


def _of_worker(each: Sample, limits: Thresholds) -> Iterator[tuple[AlertKind, str]]:
    if each.store != "ok":
        yield AlertKind.STORE_AWAY, "cannot write to the store: posts are refused there."
    elif each.store_ms is not None and each.store_ms >= limits.store_ms:
        yield AlertKind.STORE_SLOW, f"needs {_seconds(each.store_ms)} for a write to the store."
    if not each.is_attached or each.bus_ms is None:
        yield AlertKind.BUS_AWAY, "hears nothing through Redis: what it knows of the others is old or missing."
    elif each.bus_ms >= limits.bus_ms:
        yield AlertKind.BUS_SLOW, f"hears itself through Redis only after {_seconds(each.bus_ms)}."
    if each.lag_ms >= limits.lag_ms:
        yield AlertKind.WORKER_SLOW, f"kept everybody on it waiting for {_seconds(each.lag_ms)}."
    if each.cpu >= limits.cpu_share:
        yield AlertKind.WORKER_BUSY, f"uses {each.cpu:.0%} of a core."


class AlertTracker:
    """Remembers since when people have been in each room without a moderator. Forgets rooms where that is no longer
    so."""

    def __init__(self) -> None:
        self.alone_since: dict[RoomId, Millis] = {}

    def look(self, loads: Iterable[RoomLoad], now: Millis) -> None:
        before, self.alone_since = self.alone_since, {}
        for load in loads:
            if load.members > 0 and load.moderators == 0:
                self.alone_since[load.id] = before.get(load.id, now)


def _minutes(milliseconds: float) -> str:
    minutes = int(milliseconds // 60_000)
    if minutes >= 120:
        return f"{minutes // 60} hours"
    return "one minute" if minutes == 1 else f"{minutes} minutes"


def _seconds(milliseconds: float) -> str:
    return f"{round(milliseconds)} ms" if milliseconds < 1_000 else f"{milliseconds / 1_000:.1f} s"


def _people(count: int) -> str:
    return "Somebody waits" if count == 1 else f"{count} people wait"
