"""When pending frames are written."""

from __future__ import annotations

import asyncio
import time

import pytest

from chatserver.delivery.channel import Channel
from chatserver.delivery.flushes import REST_SECONDS, Flushes
from chatserver.delivery.outbox import Outbox
from chatserver.domain.history import ChannelName
from chatserver.metrics import Metrics
from chatserver.protocol.codec import Encoding
from tests.delivery.hub_kit import MemoryWire
from tests.kit.waiting import eventually

BOUND = 100


class SlowWire(MemoryWire):
    """A socket to which writing takes `seconds`."""

    seconds = 0.0

    def write(self, frames: bytes) -> int:
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            pass
        return super().write(frames)


class Rooms:
    """Two channels with one connection in each."""

    def __init__(self) -> None:
        self.slow: list[Outbox] = []
        self.flushes = Flushes(BOUND, Metrics(), self.slow.append)
        self.wires = SlowWire(), SlowWire()
        self.outboxes = [Outbox(wire, Encoding.JSON) for wire in self.wires]
        self.channels = Channel(ChannelName("one")), Channel(ChannelName("two"))
        for channel, outbox in zip(self.channels, self.outboxes, strict=True):
            channel.let_in(outbox)

    def say(self, at: int, frame: bytes) -> None:
        self.channels[at].pending[Encoding.JSON].append(frame)
        self.flushes.add(self.channels[at])

    def rest(self, at: int) -> None:
        """Let a channel rest, longer than this process is likely to stand still."""
        self.channels[at].rests_until = time.monotonic() + 0.3


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


async def test_idle_channel_is_written_to_in_the_same_turn_of_the_loop(rooms: Rooms) -> None:
    rooms.say(0, b"a")
    rooms.say(0, b"b")
    assert rooms.wires[0].written == []
    await asyncio.sleep(0)
    assert rooms.wires[0].written == [b"ab"]


@pytest.mark.parametrize(("seconds", "rest"), [(0.004, 0.008), (0.05, REST_SECONDS)], ids=["short", "long"])
async def test_channel_rests_twice_as_long_as_its_flush_took_up_to_the_bound(
    rooms: Rooms, seconds: float, rest: float
) -> None:
    rooms.wires[0].seconds = seconds
    began = time.monotonic()
    rooms.say(0, b"a")
    rooms.flushes.flush()
    ended = time.monotonic()
    assert began + seconds + rest <= rooms.channels[0].rests_until <= ended + REST_SECONDS
    assert rooms.channels[1].rests_until == 0.0


async def test_channel_that_rests_joins_what_comes_meanwhile(rooms: Rooms) -> None:
    rooms.rest(0)
    until = rooms.channels[0].rests_until
    rooms.say(0, b"a")
    await asyncio.sleep(0)
    rooms.say(0, b"b")
    await eventually(lambda: rooms.wires[0].written == [b"ab"])
    assert time.monotonic() >= until - 0.002


async def test_other_channels_do_not_wait_for_one_that_rests(rooms: Rooms) -> None:
    rooms.rest(0)
    rooms.say(0, b"a")
    rooms.say(1, b"x")
    await asyncio.sleep(0)
    assert rooms.wires[1].written == [b"x"]
    assert rooms.wires[0].written == []
    await eventually(lambda: rooms.wires[0].written == [b"a"])


async def test_flush_writes_everything_at_once(rooms: Rooms) -> None:
    rooms.rest(0)
    rooms.say(0, b"a")
    rooms.say(1, b"x")
    rooms.flushes.flush()
    assert rooms.wires[0].written == [b"a"]
    assert rooms.wires[1].written == [b"x"]


async def test_who_falls_behind_has_got_what_was_pending_in_channels_that_rest(rooms: Rooms) -> None:
    one = rooms.outboxes[0]
    rooms.channels[1].let_in(one)
    rooms.rest(1)
    rooms.say(1, b"y")
    rooms.wires[0].is_stalled = True
    rooms.say(0, b"a" * (BOUND + 1))
    await asyncio.sleep(0)
    assert rooms.wires[0].written == [b"a" * (BOUND + 1), b"y"]
    assert set(rooms.slow) == {one}


async def test_forgotten_channel_is_not_written_to(rooms: Rooms) -> None:
    rooms.say(0, b"a")
    rooms.flushes.discard(rooms.channels[0])
    await asyncio.sleep(0)
    assert rooms.wires[0].written == []
