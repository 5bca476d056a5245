"""Presence against a model: whatever the bus does, all workers agree with the truth."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from chatserver.delivery.presence import Presence
from chatserver.domain.history import ChannelName
from chatserver.domain.identity import MemberId, NodeId, Persona
from chatserver.domain.rooms.seats import Newcomer
from tests.delivery.test_presence import OTHER_ROOM, ROOM, World, member
from tests.kit.nightly import drawn

NEWCOMERS = {0: Newcomer("ab", 2_000), 1: Newcomer("ab", 1_000, ("wide",)), 2: Newcomer("cd", 2_000, ("wide",))}
"""Of those who come, these are new."""


class Agreement(RuleBasedStateMachine):
    """Whatever is done, in whatever weather: when it is quiet, every worker knows the truth."""

    def __init__(self) -> None:
        super().__init__()
        self.random = Random(0)
        self.world = World(2, self.weather)
        self.truth: dict[tuple[NodeId, ChannelName, MemberId], set[int]] = {}
        self.given: dict[MemberId, Persona] = {}
        self.pages: dict[NodeId, dict[ChannelName, dict[tuple[MemberId, int], str]]] = {}
        """What somebody on each worker shows, who was there from its start: whoever came and did not go."""

    def weather(self) -> list[float]:
        draw = self.random.random()
        if draw < 0.2:
            return []
        delays = [self.random.uniform(0.0, 0.6)]
        return delays * 2 if draw > 0.85 else delays

    node = st.integers(0, 3)
    who = st.integers(0, 5)
    where = st.sampled_from([ROOM, OTHER_ROOM])
    tab = st.integers(0, 1)

    def pick(self, node: int) -> Presence:
        return self.world.alive[node % len(self.world.alive)]

    @rule(seed=st.integers(0, 2**32))
    def weather_changes(self, seed: int) -> None:
        self.random.seed(seed)

    @rule(node=node, who=who, where=where, tab=tab)
    def enters(self, node: int, who: int, where: ChannelName, tab: int) -> None:
        presence = self.pick(node)
        named = self.given.get(member(who), Persona(member(who), "Otter"))
        presence.enter(where, named, tab, NEWCOMERS.get(who))
        self.truth.setdefault((presence.node, where, named.id), set()).add(tab)

    @rule(node=node, who=who, where=where, tab=tab)
    def leaves(self, node: int, who: int, where: ChannelName, tab: int) -> None:
        presence = self.pick(node)
        presence.leave(where, member(who), tab)
        self.truth.get((presence.node, where, member(who)), set()).discard(tab)

    @rule(who=who, name=st.sampled_from(["Heron", "Robin", "Otter"]))
    def is_renamed(self, who: int, name: str) -> None:
        before = self.given.get(member(who), Persona(member(who), "Otter"))
        renamed = self.given[member(who)] = Persona(member(who), name, before.generation + (name != before.name))
        for presence in self.world.alive:
            presence.rename(renamed)

    @precondition(lambda self: len(self.world.alive) < 4)
    @rule()
    def worker_starts(self) -> None:
        self.world.add()

    @precondition(lambda self: len(self.world.alive) > 1)
    @rule(node=node, says_goodbye=st.booleans())
    def worker_ends(self, node: int, says_goodbye: bool) -> None:
        presence = self.pick(node)
        (self.world.stop if says_goodbye else self.world.kill)(presence)
        self.truth = {key: tabs for key, tabs in self.truth.items() if key[0] != presence.node}

    @rule(seconds=st.floats(0.05, 3.0))
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)
        self.pages_are_told()

    def pages_are_told(self) -> None:
        for presence in self.world.alive:
            page = self.pages.setdefault(presence.node, {})
            for channel, change in presence.drain_changes().items():
                shown = page.setdefault(channel, {})
                for each in change.went:
                    shown.pop((each.id, each.generation), None)
                shown.update({(each.id, each.generation): each.name for each in change.came})

    @invariant()
    def a_short_list_is_the_beginning_of_a_long_one(self) -> None:
        for presence in self.world.alive:
            for channel in (ROOM, OTHER_ROOM):
                # The list that was kept, one that is made anew, and one to be kept until something changes.
                kept = presence.people(channel, 3)
                assert kept == presence.people(channel, 10)[:3] == presence.people(channel, 3)

    @rule()
    def it_is_quiet_and_all_agree(self) -> None:
        self.world.fate = lambda: [0.01]
        self.world.pass_time(5.0)
        self.pages_are_told()
        for channel in (ROOM, OTHER_ROOM):
            expected = {
                member_id: self.given.get(member_id, Persona(member_id, "Otter"))
                for (_, where, member_id), tabs in self.truth.items()
                if tabs and where == channel
            }
            for presence in self.world.alive:
                assert {each.id: each for each in presence.people(channel, 100)} == expected
                shown = self.pages[presence.node].get(channel, {})
                assert shown == {(each.id, each.generation): each.name for each in expected.values()}
                assert presence.here(channel) == len(expected)
                new = [each for who, each in NEWCOMERS.items() if member(who) in expected]
                networks = Counter(network for each in new for network in each.networks)
                assert presence.newcomers(channel, 0) == networks
            answered = [presence.own_counts().get(channel, 0) for presence in self.world.alive]
            assert sum(answered) == len(expected), "everybody is answered for once"
        self.world.fate = self.weather

    def teardown(self) -> None:
        self.it_is_quiet_and_all_agree()


def test_all_workers_agree_with_the_truth_whatever_the_bus_did() -> None:
    run_state_machine_as_test(
        Agreement, settings=settings(max_examples=drawn(200), stateful_step_count=40, deadline=None)
    )
