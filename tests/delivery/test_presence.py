"""Who is where, on several workers at once, over a bus that loses, repeats and reorders."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from random import Random

import pytest

from chatserver.delivery.presence import DEAD_SECONDS, PAYLOAD_BYTES, Presence, PresenceMessage
from chatserver.domain.history import ChannelName
from chatserver.domain.identity import MemberId, NodeId, Persona
from chatserver.domain.rooms.seats import Newcomer
from chatserver.protocol.internode import TOPIC_NODES, PresenceSnapshot, decode, encode, node_topic

ROOM = ChannelName("room:sleep")
OTHER_ROOM = ChannelName("room:grief")
TICK = 0.1


def member(number: int) -> MemberId:
    return MemberId(f"m_{number:016d}")


def person(number: int, name: str = "") -> Persona:
    return Persona(member(number), name or f"Otter {number}")


class World:
    """Several workers, one clock, and a bus between them that does to each message on its way what `fate` says:
    the delays in seconds after which it arrives, none for a lost one."""

    def __init__(self, nodes: int, fate: Callable[[], list[float]] = lambda: [0.01]) -> None:
        self.now = 100.0
        self.fate = fate
        self.sent: list[PresenceMessage] = []
        self.sizes: list[int] = []
        self._names = (NodeId(f"node{number:08d}") for number in itertools.count())
        self._order = itertools.count()
        self._flying: list[tuple[float, int, Presence, NodeId, bytes]] = []
        self.alive: list[Presence] = []
        for _ in range(nodes):
            self.add()

    def add(self) -> Presence:
        presence = Presence(next(self._names))
        self.alive.append(presence)
        return presence

    def kill(self, presence: Presence) -> None:
        self.alive.remove(presence)

    def stop(self, presence: Presence) -> None:
        self._send(presence, presence.farewell())
        self.kill(presence)

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now += TICK
            while self._flying and self._flying[0][0] <= self.now:
                at, _, to, sender, payload = heapq.heappop(self._flying)
                if to in self.alive:
                    message = decode(payload)
                    assert isinstance(message, PresenceMessage)
                    to.receive(sender, message, at)
            for presence in self.alive:
                self._send(presence, presence.tick(self.now))

    def _send(self, presence: Presence, messages: list[tuple[str, PresenceMessage]]) -> None:
        for topic, message in messages:
            payload = encode(presence.node, message)
            self.sent.append(message)
            self.sizes.append(len(payload))
            for to in self.alive:
                if topic in (TOPIC_NODES, node_topic(to.node)):
                    for delay in self.fate():
                        heapq.heappush(self._flying, (self.now + delay, next(self._order), to, presence.node, payload))


def names(presence: Presence, channel: ChannelName = ROOM) -> dict[MemberId, str]:
    return {one.id: one.name for one in presence.people(channel, 100_000)}


def test_member_is_seen_on_every_worker() -> None:
    world = World(3)
    world.alive[0].enter(ROOM, person(1), "a")
    world.pass_time(0.3)
    assert [presence.here(ROOM) for presence in world.alive] == [1, 1, 1]
    assert world.alive[2].people(ROOM, 10) == [person(1)]
    assert world.alive[2].is_here(ROOM, member(1))
    assert world.alive[2].channels_of(member(1)) == [ROOM]


def test_changes_of_a_channel_that_is_not_wanted_are_kept() -> None:
    presence = Presence(NodeId("node"))
    presence.enter(ROOM, person(1), "a")
    presence.enter(OTHER_ROOM, person(1), "a")
    assert [*presence.drain_changes(lambda channel: channel == ROOM)] == [ROOM]
    presence.enter(OTHER_ROOM, person(2), "a")
    changes = presence.drain_changes()
    assert [*changes] == [OTHER_ROOM]
    assert changes[OTHER_ROOM].came == [person(1), person(2)]


def test_member_with_three_tabs_counts_once_and_leaves_with_the_last() -> None:
    presence = Presence(NodeId("node"))
    for tab in ("a", "b", "c", "c"):
        presence.enter(ROOM, person(1), tab)
    assert presence.here(ROOM) == 1
    for tab in ("a", "b", "b"):
        presence.leave(ROOM, member(1), tab)
    assert presence.here(ROOM) == 1
    presence.leave(ROOM, member(1), "c")
    assert presence.here(ROOM) == 0
    assert presence.channels_of(member(1)) == []


def test_member_on_two_workers_counts_once_and_leaves_with_the_last() -> None:
    world = World(3)
    world.alive[0].enter(ROOM, person(1), "a")
    world.alive[1].enter(ROOM, person(1), "b")
    world.pass_time(0.5)
    assert [presence.here(ROOM) for presence in world.alive] == [1, 1, 1]
    world.alive[0].leave(ROOM, member(1), "a")
    world.pass_time(0.5)
    assert [presence.here(ROOM) for presence in world.alive] == [1, 1, 1]
    world.alive[1].leave(ROOM, member(1), "b")
    world.pass_time(0.5)
    assert [presence.here(ROOM) for presence in world.alive] == [0, 0, 0]


def test_workers_that_differ_on_a_name_all_show_the_same() -> None:
    world = World(3)
    world.alive[2].enter(ROOM, person(1, "Heron"), "a")
    world.pass_time(0.5)
    world.alive[1].enter(ROOM, person(1, "Robin"), "b")
    world.pass_time(0.5)
    assert [names(presence) for presence in world.alive] == [{member(1): "Robin"}] * 3
    world.alive[1].leave(ROOM, member(1), "b")
    world.pass_time(0.5)
    assert [names(presence) for presence in world.alive] == [{member(1): "Heron"}] * 3
    for presence in world.alive:
        assert presence.drain_changes()[ROOM].came == [Persona(member(1), "Heron")]


def test_who_is_new_and_who_is_idle_is_known_on_every_worker_whatever_the_bus_loses() -> None:
    random = Random(7)
    world = World(2, lambda: [] if random.random() < 0.3 else [random.choice((0.01, 0.3))] * random.choice((1, 2)))
    one, other = world.alive
    for number in range(6):
        (one, other)[number % 2].enter(ROOM, person(number), "tab", Newcomer("ab" if number < 4 else "cd", 2_000))
    # Who is on two workers is idle where they are idle on both.
    other.enter(ROOM, person(0), "tab")
    world.pass_time(4)
    for presence, number in ((one, 0), (one, 2), (other, 1)):
        presence.set_idle(ROOM, member(number), True)
    world.pass_time(6)
    late = world.add()
    world.pass_time(6)
    for presence in (one, other, late):
        assert presence.newcomers(ROOM, 1_999) == {"ab": 4, "cd": 2}
        assert presence.newcomers(ROOM, 2_000) == {}
        assert sorted(presence.idle(ROOM)) == [member(1), member(2)]
    other.set_idle(ROOM, member(0), True)
    one.set_idle(ROOM, member(2), False)
    # Who goes and comes back in one moment is awake.
    other.leave(ROOM, member(1), "tab")
    other.enter(ROOM, person(1), "tab")
    world.pass_time(6)
    for presence in (one, other, late):
        assert presence.idle(ROOM) == [member(0)]
        presence.grow_up(2_000)
        assert presence.newcomers(ROOM, 0) == {}


def test_a_crowd_of_newcomers_is_told_in_messages_of_bounded_size() -> None:
    world = World(2)
    one, other = world.alive
    for number in range(2_000):
        one.enter(ROOM, person(number), "tab", Newcomer("0123456789ab", 2_000))
    world.pass_time(0.5)
    for number in range(2_000):
        one.set_idle(ROOM, member(number), True)
    world.pass_time(0.5)
    late = world.add()
    world.pass_time(2)
    assert len(other.idle(ROOM)) == len(late.idle(ROOM)) == 2_000
    assert late.newcomers(ROOM, 0) == {"0123456789ab": 2_000}
    assert max(world.sizes) < 2 * PAYLOAD_BYTES


def test_leaving_without_having_entered_changes_nothing() -> None:
    presence = Presence(NodeId("node"))
    presence.leave(ROOM, member(1), "a")
    presence.enter(ROOM, person(1), "a")
    presence.leave(OTHER_ROOM, member(1), "a")
    presence.leave(ROOM, member(1), "another")
    assert presence.here(ROOM) == 1


def test_new_name_reaches_everybody_as_one_who_goes_and_one_who_comes() -> None:
    world = World(2)
    here, there = world.alive
    here.enter(ROOM, person(1), "a")
    world.pass_time(0.3)
    there.drain_changes()
    here.rename(Persona(member(1), "Heron", 1))
    world.pass_time(0.3)
    change = there.drain_changes()[ROOM]
    assert change.came == [Persona(member(1), "Heron", 1)]
    assert change.went == [person(1)]
    assert not change.is_count_changed


def test_role_beside_a_name_is_not_another_person() -> None:
    presence = Presence(NodeId("node"))
    presence.enter(ROOM, person(1), "a")
    presence.drain_changes()
    presence.rename(Persona(member(1), "Otter 1 · moderator"))
    change = presence.drain_changes()[ROOM]
    assert (change.came, change.went) == ([Persona(member(1), "Otter 1 · moderator")], [])


def test_every_name_that_somebody_had_for_a_moment_is_told_as_gone() -> None:
    presence = Presence(NodeId("node"))
    presence.enter(ROOM, Persona(member(1), "Otter", 3), "a")
    presence.drain_changes()
    for generation in (4, 5, 6):
        presence.rename(Persona(member(1), f"Heron {generation}", generation))
    change = presence.drain_changes()[ROOM]
    assert change.came == [Persona(member(1), "Heron 6", 6)]
    assert {each.generation for each in change.went} == {3, 4, 5}


def test_a_list_of_people_is_another_list_with_the_same_persons_where_somebody_came() -> None:
    presence = World(1).alive[0]
    presence.enter(ROOM, person(1), "tab 1")
    lists = [presence.people(ROOM, 3)]
    for number in (2, 3, 4):
        presence.enter(ROOM, person(number), f"tab {number}")
        lists.append(presence.people(ROOM, 3))
    assert [len(each) for each in lists] == [1, 2, 3, 3]
    assert lists[3] is lists[2]
    assert all(one is other for one, other in zip(lists[0] + lists[1][1:], lists[2], strict=False))
    presence.leave(ROOM, member(2), "tab 2")
    assert presence.people(ROOM, 3) == [person(1), person(3), person(4)]


def test_changes_are_drained_once() -> None:
    presence = Presence(NodeId("node"))
    presence.enter(ROOM, person(1), "a")
    presence.enter(ROOM, person(1), "another tab")
    change = presence.drain_changes()[ROOM]
    assert (change.here, change.came, change.went, change.is_count_changed) == (1, [person(1)], [], True)
    assert presence.drain_changes() == {}
    presence.leave(ROOM, member(1), "a")
    assert presence.drain_changes() == {}
    presence.leave(ROOM, member(1), "another tab")
    change = presence.drain_changes()[ROOM]
    assert (change.here, change.came, change.went, change.is_count_changed) == (0, [], [person(1)], True)


def test_who_was_there_or_away_for_a_moment_is_told_to_those_who_looked_in_that_moment() -> None:
    presence = Presence(NodeId("node"))
    presence.enter(ROOM, person(1), "a")
    presence.drain_changes()
    presence.leave(ROOM, member(1), "a")
    assert presence.people(ROOM, 10) == []
    presence.enter(ROOM, person(1), "a")
    presence.enter(ROOM, person(2), "b")
    assert presence.people(ROOM, 10) == [person(1), person(2)]
    presence.leave(ROOM, member(2), "b")
    change = presence.drain_changes()[ROOM]
    assert (change.here, change.came, change.went, change.is_count_changed) == (1, [person(1)], [person(2)], False)


def test_changes_of_one_moment_travel_together() -> None:
    world = World(2)
    world.pass_time(2.0)
    world.sent.clear()
    for number in range(50):
        world.alive[0].enter(ROOM, person(number), number)
    world.pass_time(0.2)
    assert len([message for message in world.sent if type(message).__name__ == "PresenceDelta"]) == 1


def test_quiet_worker_sends_one_lease_a_second_and_nothing_else() -> None:
    world = World(2)
    world.pass_time(2.0)
    world.sent.clear()
    world.pass_time(10.0)
    assert {type(message).__name__ for message in world.sent} == {"Lease"}
    assert 18 <= len(world.sent) <= 22


def test_worker_that_starts_later_learns_of_everybody_at_once() -> None:
    world = World(2)
    world.alive[0].enter(ROOM, person(1), "a")
    world.pass_time(5.0)
    late = world.add()
    world.pass_time(0.5)
    assert names(late) == {member(1): "Otter 1"}


@pytest.mark.parametrize("what_follows", ["another delta", "nothing but leases"])
def test_lost_delta_is_noticed_and_healed_within_two_seconds(what_follows: str) -> None:
    world = World(2)
    here, there = world.alive
    world.pass_time(2.0)
    world.fate = list
    here.enter(ROOM, person(1), "a")
    world.pass_time(0.3)
    world.fate = lambda: [0.01]
    if what_follows == "another delta":
        here.enter(ROOM, person(2), "b")
    world.pass_time(2.0)
    assert names(there) == names(here)


def test_deltas_out_of_order_need_no_snapshot() -> None:
    delays = itertools.cycle([[0.15], [0.01]])
    world = World(2)
    world.pass_time(2.0)
    world.fate = lambda: next(delays)
    world.sent.clear()
    for number in range(20):
        world.alive[0].enter(ROOM, person(number), number)
        world.pass_time(0.1)
    world.fate = lambda: [0.01]
    world.pass_time(0.4)
    assert names(world.alive[1]) == names(world.alive[0])
    assert not any(isinstance(message, PresenceSnapshot) for message in world.sent)


def test_people_of_a_killed_worker_are_gone_within_five_seconds() -> None:
    world = World(2)
    here, there = world.alive
    here.enter(ROOM, person(1), "a")
    there.enter(ROOM, person(2), "b")
    world.pass_time(2.0)
    there.drain_changes()
    world.kill(here)
    world.pass_time(3.0)
    assert there.here(ROOM) == 2
    world.pass_time(2.0)
    assert names(there) == {member(2): "Otter 2"}
    assert there.drain_changes()[ROOM].went == [person(1)]
    assert there.nodes() == {there.node}


def test_people_of_a_worker_that_says_goodbye_are_gone_at_once_and_late_messages_do_not_bring_them_back() -> None:
    world = World(2)
    here, there = world.alive
    here.enter(ROOM, person(1), "a")
    world.pass_time(2.0)
    late = here.tick(world.now + 1)
    world.stop(here)
    world.pass_time(0.2)
    assert there.here(ROOM) == 0
    for _, message in late:
        there.receive(here.node, message, world.now)
    assert there.nodes() == {there.node}


def test_silence_of_the_bus_is_no_death_until_the_lease_is_over() -> None:
    world = World(2)
    here, there = world.alive
    here.enter(ROOM, person(1), "a")
    world.pass_time(2.0)
    world.fate = list
    world.pass_time(DEAD_SECONDS - 1.2)
    assert there.here(ROOM) == 1
    world.fate = lambda: [0.01]
    world.pass_time(1.5)
    assert there.here(ROOM) == 1


def test_people_come_back_after_a_long_silence_of_the_bus() -> None:
    world = World(3)
    for number, presence in enumerate(world.alive):
        presence.enter(ROOM, person(number), number)
    world.pass_time(2.0)
    world.fate = list
    world.pass_time(10.0)
    assert [presence.here(ROOM) for presence in world.alive] == [1, 1, 1]
    world.fate = lambda: [0.01]
    world.pass_time(2.0)
    assert [presence.here(ROOM) for presence in world.alive] == [3, 3, 3]


def test_worker_that_stood_still_itself_does_not_bury_the_others() -> None:
    world = World(2)
    here, there = world.alive
    here.enter(ROOM, person(1), "a")
    world.pass_time(2.0)
    there.tick(world.now + 60)
    assert there.here(ROOM) == 1


def test_own_messages_are_passed_over() -> None:
    presence = Presence(NodeId("node"))
    presence.enter(ROOM, person(1), "a")
    for _, message in presence.tick(1.0):
        presence.receive(presence.node, message, 1.0)
    presence.leave(ROOM, member(1), "a")
    assert presence.here(ROOM) == 0
    assert presence.nodes() == {presence.node}


def test_ten_thousand_members_travel_in_payloads_of_32_kilobytes() -> None:
    world = World(2)
    for number in range(10_000):
        world.alive[0].enter(ROOM, person(number, f"Ünïcödé Otter {number}"), number)
    world.pass_time(1.0)
    late = world.add()
    world.pass_time(1.0)
    assert [presence.here(ROOM) for presence in world.alive] == [10_000] * 3
    assert names(late) == names(world.alive[0])
    assert max(world.sizes) <= 32 * 1024
    assert len(late.people(ROOM, 200)) == 200
