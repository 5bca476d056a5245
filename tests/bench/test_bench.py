"""The bench tells the truth: it counts what a real server delivers, and no fault in a delivery gets past it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bench.frames import pong, without_pings
from bench.machine import cores
from bench.measure import Stage
from bench.relay import Client, Relay
from bench.stream import Unfaithful
from bench.targets import RAISED, RAISED_FOR_SENDERS, Baselines, Chat, RelayDialect, Target
from tests.kit.ports import free_port
from tests.kit.process import wait_until

Fault = Callable[[list[bytes]], list[bytes]]

_MEMBERS, _SENDERS, _SECONDS = 12, 3, 0.2


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_ours_delivers_every_post_to_every_member(stack: ExitStack) -> None:
    chat = Chat(cores(), rooms=2, raised={**RAISED, **RAISED_FOR_SENDERS})
    stage = Stage(stack.enter_context(chat), 2, _MEMBERS, 4, stack)
    closed = stage.closed(_SECONDS)
    assert closed.posts >= 4
    assert closed.deliveries == closed.posts * _MEMBERS / 2
    timed = stage.open(_SECONDS, 100.0)
    assert timed.posts == 20
    # Four of twelve write: their own deliveries are checked, but not timed.
    assert len(timed.latencies) == 20 * (_MEMBERS - 4) / 2
    assert 0 < timed.latencies[0] <= timed.latencies[-1] < 10


@pytest.mark.parametrize("name", ["limit", "naive"])
def test_baselines_deliver_too(stack: ExitStack, name: str) -> None:
    baselines = Baselines(cores())
    stack.callback(baselines.close)
    stage = Stage(stack.enter_context(getattr(baselines, name)()), 1, _MEMBERS, _SENDERS, stack)
    run = stage.closed(_SECONDS)
    assert run.deliveries == run.posts * _MEMBERS > 0


FAULTS: dict[str, Fault] = {
    "lost": lambda frames: frames[1:],
    "repeated": lambda frames: [*frames, frames[-1]],
    "out of order": lambda frames: frames[::-1],
    "altered": lambda frames: [frames[0].replace(b"awake", b"aware"), *frames[1:]],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_in_one_members_deliveries_fails_the_run(stack: ExitStack, fault: str) -> None:
    stage = Stage(stack.enter_context(_unreliable(FAULTS[fault], all_members=False)), 1, _MEMBERS, _SENDERS, stack)
    with pytest.raises(Unfaithful):
        stage.closed(_SECONDS, timeout=1.0)


# The order of two senders' posts is the server's to choose; with offsets, choosing twice would be seen.
@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - {"out of order"}))
def test_fault_in_all_members_deliveries_fails_the_run(stack: ExitStack, fault: str) -> None:
    stage = Stage(stack.enter_context(_unreliable(FAULTS[fault], all_members=True)), 1, _MEMBERS, _SENDERS, stack)
    with pytest.raises(Unfaithful):
        stage.closed(_SECONDS, timeout=1.0)


def test_faultless_relay_passes(stack: ExitStack) -> None:
    stage = Stage(
        stack.enter_context(_unreliable(lambda frames: frames, all_members=True)), 1, _MEMBERS, _SENDERS, stack
    )
    run = stage.closed(_SECONDS)
    assert run.deliveries == run.posts * _MEMBERS > 0


def test_closed_connection_fails_the_run(stack: ExitStack) -> None:
    stage = Stage(
        stack.enter_context(_unreliable(lambda frames: [], all_members=False, closes=True)),
        1,
        _MEMBERS,
        _SENDERS,
        stack,
    )
    with pytest.raises(Unfaithful, match="closed"):
        stage.closed(_SECONDS, timeout=1.0)


@pytest.mark.parametrize("cut", range(10))
def test_pings_are_found_wherever_the_stream_is_cut(cut: int) -> None:
    stream = b"\x81\x02{}" + b"\x89\x04\x89\x00{}" + b"\x81\x02[]"
    first, payloads, torn = without_pings(stream[:cut])
    second, more, left = without_pings(stream[cut - torn :])
    assert first + second == b"\x81\x02{}\x81\x02[]"
    assert payloads + more == [b"\x89\x00{}"]
    assert left == 0


def test_idle_crowd_answers_pings_while_another_one_is_busy(stack: ExitStack) -> None:
    relay = _Pinging(free_port())
    target = _Unreliable(relay)
    idle = Stage(stack.enter_context(target), 1, _MEMBERS, _SENDERS, stack)
    busy = Stage(stack.enter_context(_unreliable(lambda frames: frames, all_members=True)), 1, 2, 1, stack, idle=[idle])
    relay.ping()
    # Until it has tended the other crowd for the first time.
    busy.open(60.0, 20.0, until=lambda elapsed: relay.pongs > 0)
    wait_until(lambda: relay.pongs == _MEMBERS, "everybody's pong")


class _Unreliable(Target):
    """A relay in a thread."""

    name = "relay"

    def __init__(self, relay: Relay) -> None:
        self.dialect = RelayDialect(relay.listener.getsockname()[1])
        self._relay = relay
        self._thread = threading.Thread(target=self._relay.run)
        self._thread.start()

    @property
    def pids(self) -> list[int]:
        return []

    def close(self) -> None:
        self._relay.stop = True
        self._thread.join(10)


def _unreliable(fault: Fault, *, all_members: bool, closes: bool = False) -> _Unreliable:
    """A relay that does something wrong to its third flush with more than one post."""
    return _Unreliable(_Faulty(free_port(), fault, all_members=all_members, closes=closes))


class _Pinging(Relay):
    """Pings its clients when told, and counts what they answer, who say nothing else after their upgrade."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.pongs = 0

    def ping(self) -> None:
        for member in self._rooms[0]:
            member.sock.send(b"\x89\x00")

    def give(self, members: list[Client], frames: list[bytes]) -> None:
        # What it heard were pongs.
        pass

    def _hear(self, client: Client) -> None:
        if client.room is not None:
            with contextlib.suppress(OSError):
                self.pongs += client.sock.recv(1_024, socket.MSG_PEEK).count(pong(b""))
        super()._hear(client)


class _Faulty(Relay):
    def __init__(self, port: int, fault: Fault, *, all_members: bool, closes: bool) -> None:
        super().__init__(port)
        self._fault = fault
        self._all = all_members
        self._closes = closes
        self._held: list[bytes] = []
        self._flushes = 0

    def give(self, members: list[Client], frames: list[bytes]) -> None:
        # Posts of several senders stand in one flush only by chance: hold them until there are two.
        self._held += frames
        if len(self._held) < 2 and self._flushes < 3:
            return
        frames, self._held = self._held, []
        self._flushes += 1
        if self._flushes != 3:
            super().give(members, frames)
            return
        wrong = b"".join(self._fault(frames))
        right = b"".join(frames)
        for index, member in enumerate(members):
            # The last one to come writes nothing.
            is_victim = self._all or index == len(members) - 1
            if is_victim and self._closes:
                member.sock.shutdown(2)
            else:
                self.write(member, wrong if is_victim else right)
