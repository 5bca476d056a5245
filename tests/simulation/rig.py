"""Replaces what the product takes from its machine for the length of one seed: clocks, random numbers, hashes."""

from __future__ import annotations

import base64
import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from chatserver.delivery import catchup, channel, channel_stream, flushes, gap_repair, hub, presence
from chatserver.delivery.channel import Channel
from chatserver.delivery.outbox import Outbox
from chatserver.handlers import dispatcher, periodic
from chatserver.handlers.connection import Connection
from chatserver.handlers.rooms import commands as rooms
from chatserver.store import reading
from tests.simulation.loop import VirtualLoop
from tests.simulation.plan import Plan


class _Numbered:
    """Hashed by its number in this seed, not by its address in memory."""

    __slots__ = ()
    serials = itertools.count()
    serial: int

    def __hash__(self) -> int:
        return self.serial


class SimulatedOutbox(_Numbered, Outbox):
    __slots__ = ("serial",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.serial = next(_Numbered.serials)


class SimulatedConnection(_Numbered, Connection):
    __slots__ = ("serial",)

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self.serial = next(_Numbered.serials)


class SimulatedChannel(_Numbered, Channel):
    __slots__ = ("serial",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.serial = next(_Numbered.serials)


class _Time:
    """Replaces the clock of the hub and its flushes; writing may take some time."""

    def __init__(self, loop: VirtualLoop, random: Random, busy: float) -> None:
        self._loop = loop
        self._random = random
        self._busy = busy

    def monotonic(self) -> float:
        if self._busy and self._random.random() < self._busy:
            self._loop.work(self._random.uniform(0.0005, 0.004))
        return self._loop.time()


class _Secrets:
    def __init__(self, random: Random) -> None:
        self._random = random

    def token_urlsafe(self, size: int) -> str:
        return base64.urlsafe_b64encode(self._random.randbytes(size)).decode()


class _Ear(logging.Handler):
    """Collects what the product logs as wrong."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._complaints = complaints

    def emit(self, record: logging.LogRecord) -> None:
        cause = record.exc_info[1] if record.exc_info else None
        self._complaints.append(f"logged: {record.getMessage()} {getattr(record, 'task', '')} {cause!r}")


@contextmanager
def rigged(plan: Plan, loop: VirtualLoop) -> Iterator[None]:
    """Put the product into one seed's world."""
    _Numbered.serials = itertools.count()
    knobs = plan.knobs
    time = _Time(loop, Random(f"{plan.seed} time"), knobs.busy)
    wanted: list[tuple[Any, str, object]] = [
        (hub, "time", time),
        (flushes, "time", time),
        (hub, "LINGER_SECONDS", knobs.linger_seconds),
        (hub, "Channel", SimulatedChannel),
        (dispatcher, "Outbox", SimulatedOutbox),
        (dispatcher, "Connection", SimulatedConnection),
        (gap_repair, "READ_LIMIT", knobs.read_limit),
        (catchup, "READ_LIMIT", knobs.read_limit),
        (channel_stream, "EARLY_LIMIT", knobs.early_limit),
        (channel, "EARLY_LIMIT", knobs.early_limit),
        (presence, "PENDING_DELTAS", knobs.pending_deltas),
        (rooms, "_PAGE", knobs.page),
        (periodic, "random", Random(f"{plan.seed} sweep")),
        (periodic, "EXPIRE_SECONDS", plan.expire_seconds),
        (reading, "secrets", _Secrets(Random(f"{plan.seed} secrets"))),
    ]
    before = [(where, name, getattr(where, name)) for where, name, _ in wanted]
    logger, ear = logging.getLogger("chatserver"), _Ear(loop.complaints)
    kept = (logger.level, logger.propagate)
    for where, name, value in wanted:
        setattr(where, name, value)
    logger.addHandler(ear)
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(ear)
        # Not `level`: loggers cache whether they are enabled, and only `setLevel` clears that.
        logger.setLevel(kept[0])
        logger.propagate = kept[1]
        for where, name, value in before:
            setattr(where, name, value)
