"""The floor driven at random: people who ask, listen, vanish and come back, and time that passes between.

After every step what one-to-one promises is looked at, and what the store would do outside of the floor is done to a
plain model of rooms, which must always agree with it.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.listening import commands as on_floor
from chatserver.domain.listening.commands import Decided
from chatserver.domain.listening.decide import apply_due, due_at
from chatserver.domain.listening.fair_shares import expires_at
from chatserver.domain.listening.invariants import check_invariants
from chatserver.domain.listening.matching import (
    free_listeners,
    may_meet,
    may_take_one_more,
    pace,
    place,
    places,
)
from chatserver.domain.listening.rest_rules import DAY, WEEK, pause_of
from chatserver.domain.listening.state import (
    Ending,
    Pause,
    Profile,
    SessionId,
    Wish,
)
from tests.domain.listening_model import (
    HONEST,
    LISTENERS,
    RULES,
    SEEKERS,
    ListeningModel,
    anybody,
    listeners,
    profiles,
    seekers,
    spans,
    wishes,
)
from tests.kit.nightly import drawn


class ListeningMachine(ListeningModel):
    # ------------------------------------------------------------------------------------------ rules

    @initialize()
    def begin(self) -> None:
        for member in LISTENERS:
            self.do(member, on_floor.Hire(person=Person(member, member)))
            self.do(member, on_floor.MarkReady())
            self.here.add(member)
            self.do(member, on_floor.SetAvailable(on=True))

    @rule(
        who=anybody,
        wish=wishes,
        avoid=st.frozensets(listeners, max_size=1),
        is_open=st.sampled_from([True] * 9 + [False]),
    )
    def ask(self, who: MemberId, wish: Wish, avoid: frozenset[MemberId], is_open: bool) -> None:
        self.here.add(who)
        network = "ab" if who in SEEKERS[:3] else ""
        self.do(who, on_floor.Ask(name=who, wish=wish, avoid=avoid, is_open=is_open, network=network))

    @rule(who=seekers, wish=st.just(Wish()))
    def ask_for_anything(self, who: MemberId, wish: Wish) -> None:
        self.ask(who, wish, frozenset(), True)

    @rule(who=st.sampled_from(SEEKERS[:3]), times=st.integers(1, 8))
    def come_and_go(self, who: MemberId, times: int) -> None:
        """One guest asks, is met and ends it at once, over and over: whoever was free for somebody else still is."""
        seeker = self.state.seekers.get(who)
        if seeker is not None:
            return
        before = {listener.member: listener for listener in self.state.listeners.values()}
        waits = [each for each in self.state.seekers.values() if each.session is None]
        for _ in range(times):
            self.ask(who, Wish(), frozenset(), True)
            asked = self.state.seekers.get(who)
            if asked is not None and asked.proposal is not None:
                self.accept(who, asked.proposal.listener)
                asked = self.state.seekers[who]
                assert asked.session is not None
                self.do(who, on_floor.EndSession(session=asked.session))
            else:
                self.do(who, on_floor.GiveUpPlace())
        for listener in self.state.listeners.values():
            known = before[listener.member]
            assert (listener.taken, listener.paused_until, listener.owes) == (
                known.taken,
                known.paused_until,
                known.owes,
            )
        if free_listeners(self.state, self.now, RULES) and not waits:
            self.ask(HONEST, Wish(), frozenset(), True)
            proposal = self.state.seekers[HONEST].proposal
            free = free_listeners(self.state, self.now, RULES)
            assert proposal is not None or not any(may_meet(self.state.seekers[HONEST], each) for each in free)
            self.do(HONEST, on_floor.GiveUpPlace())
            self.do(HONEST, on_floor.Dismiss(member=HONEST, is_erased=True))

    @rule(data=st.data(), span=st.sampled_from([0, RULES.nobody_after]))
    def say_nobody(self, data: st.DataObject, span: int) -> None:
        """A listener finds nobody: only where nothing was written, and not at once; then they are free."""
        live = sorted(id for id, session in self.state.sessions.items() if session.is_live)
        if not live:
            return
        id = data.draw(st.sampled_from(live))
        self.here.update(self.state.sessions[id].people)
        self.time_passes(span)
        session = self.state.sessions.get(id)
        if session is None or not session.is_live:
            return
        self.do(session.listeners[0], on_floor.SayNobody(session=id))
        after = self.state.sessions[id]
        may = not session.spoken and self.now >= session.started_at + RULES.nobody_after
        assert (after.ending is Ending.NOBODY) == may

    @rule(who=seekers)
    def withdraw(self, who: MemberId) -> None:
        self.do(who, on_floor.GiveUpPlace())
        seeker = self.state.seekers.get(who)
        assert seeker is None or seeker.session is not None

    @rule(who=seekers)
    def take_back(self, who: MemberId) -> None:
        before = self.state.seekers.get(who)
        self.do(who, on_floor.TakePlaceBack())
        after = self.state.seekers.get(who)
        if before is not None and after is not None:
            assert after.asked_at == before.asked_at

    @rule(who=listeners, profile=profiles)
    def set_profile(self, who: MemberId, profile: Profile) -> None:
        self.do(who, on_floor.SetProfile(profile=profile))

    @rule(who=listeners, on=st.sampled_from([True, True, False]))
    def set_available(self, who: MemberId, on: bool) -> None:
        self.here.add(who)
        self.do(who, on_floor.SetAvailable(on=on))

    @rule()
    def everybody_listens(self) -> None:
        for who in LISTENERS:
            self.here.add(who)
            self.do(who, on_floor.SetAvailable(on=True))
            listener = self.state.listeners.get(who)
            if listener is not None and listener.owes is not None:
                self.do(who, on_floor.WriteDebrief(session=listener.owes, note="I am fine"))

    @rule(who=anybody)
    def still_here(self, who: MemberId) -> None:
        self.do(who, on_floor.StillHere())

    @rule()
    def accept_all(self) -> None:
        """Whoever is asked says yes, twice."""
        for seeker in [*self.state.seekers.values()]:
            if seeker.proposal is not None:
                self.accept(seeker.member, seeker.proposal.listener)

    @rule(who=seekers, wish=st.one_of(st.just(Wish()), wishes))
    def meet(self, who: MemberId, wish: Wish) -> None:
        """Somebody asks, whoever listens is there, and says yes."""
        self.everybody_listens()
        self.ask(who, wish, frozenset(), True)
        self.accept_all()

    @rule(rounds=st.integers(1, 4))
    def talk_on(self, rounds: int) -> None:
        """Those who are in sessions write, and nobody leaves."""
        for _ in range(rounds):
            for session in [*self.state.sessions.values()]:
                if session.is_live and session.seeker in self.here:
                    self.do(session.seeker, on_floor.Spoke(session=session.id))
                    self.do(session.listeners[0], on_floor.StillHere())
            self.time_passes(5 * 60_000)

    @rule(who=listeners, times=st.integers(1, 5))
    def take_many(self, who: MemberId, times: int) -> None:
        """One listener takes as many as care allows, one right after the other."""
        for _ in range(times):
            for seeker in SEEKERS:
                self.here.add(seeker)
                self.do(seeker, on_floor.Ask(name=seeker, wish=Wish(member=who), avoid=frozenset(), is_open=True))
            self.here.add(who)
            self.do(who, on_floor.SetAvailable(on=True))
            self.accept_all()
            for session in [*self.state.sessions.values()]:
                if who in session.listeners:
                    self.do(session.seeker, on_floor.Spoke(session=session.id))
            self.time_passes(RULES.brief)
            for session in [*self.state.sessions.values()]:
                if who in session.listeners:
                    self.do(who, on_floor.EndSession(session=session.id))
            self.time_passes(RULES.pause)

    @rule(who=seekers, is_flagged=st.booleans())
    def part_and_come_back(self, who: MemberId, is_flagged: bool) -> None:
        """A session is heavy, ends well, and both say that they would talk again."""
        seeker = self.state.seekers.get(who)
        if seeker is None or seeker.session is None:
            return
        session = self.state.sessions[seeker.session]
        holder = session.listeners[0]
        self.do(holder, on_floor.Flag(session=session.id, on=is_flagged))
        self.do(who, on_floor.EndSession(session=session.id))
        self.do(who, on_floor.GiveFeedback(session=session.id, heard=2, heavy=2))
        assert self.do(who, on_floor.TakeWords(session=session.id, words_hash=b"hash")) is None
        self.do(who, on_floor.TalkAgain(session=session.id, on=True))
        assert self.do(who, on_floor.TakeWords(session=session.id, words_hash=b"hash")) is None
        self.do(holder, on_floor.TalkAgain(session=session.id, on=True))
        taken = self.do(who, on_floor.TakeWords(session=session.id, words_hash=b"hash"))
        if holder in self.state.listeners:
            assert taken is not None
            assert [type(effect) for effect in taken.effects] == [on_floor.KeepWords]
        if is_flagged:
            after = self.state.listeners[holder]
            paused = pause_of(after, self.now, RULES)
            assert paused is not None
            assert paused[0] is Pause.DEBRIEF
            assert after.owes is not None
            self.do(holder, on_floor.WriteDebrief(session=after.owes, note="I need a walk"))
            paused = pause_of(self.state.listeners[holder], self.now, RULES)
            assert paused is not None
            assert paused[0] is not Pause.DEBRIEF

    @rule(seeker=seekers, listener=listeners)
    def accept(self, seeker: MemberId, listener: MemberId) -> None:
        self.number += 1
        first = self.do(listener, on_floor.Accept(seeker=seeker, session=SessionId(f"s-{self.number}")))
        if first is not None:
            self.number += 1
            again = self.do(listener, on_floor.Accept(seeker=seeker, session=SessionId(f"s-{self.number}")))
            assert again is not None
            assert (again.session, again.events) == (first.session, ())

    @rule(seeker=seekers)
    def decline(self, seeker: MemberId) -> None:
        held = self.state.seekers.get(seeker)
        if held is not None and held.proposal is not None:
            who = held.proposal.listener
            self.do(who, on_floor.Decline(seeker=seeker))
            after = self.state.seekers[seeker].proposal
            assert after is None or after.listener != who

    @rule(data=st.data(), who=anybody)
    def in_session(self, data: st.DataObject, who: MemberId) -> None:
        """Anything that is said about a session, mostly by those who are in it."""
        if not self.state.sessions:
            return
        live = sorted(id for id, each in self.state.sessions.items() if each.is_live)
        session = data.draw(st.sampled_from([*sorted(self.state.sessions), *live, *live]))
        held = self.state.sessions[session]
        asked = () if held.asked is None else (held.asked.listener,)
        who = data.draw(st.sampled_from([who, *held.people, *held.people, *asked]))
        command = data.draw(
            st.one_of(
                st.just(on_floor.EndSession(session=session)),
                st.builds(on_floor.Extend, session=st.just(session), on=st.sampled_from([True, True, False])),
                st.builds(on_floor.TalkAgain, session=st.just(session), on=st.booleans()),
                st.just(on_floor.TakeWords(session=session, words_hash=b"hash")),
                st.builds(on_floor.Flag, session=st.just(session), on=st.booleans()),
                st.builds(on_floor.AskIn, session=st.just(session), listener=listeners, is_handover=st.booleans()),
                st.builds(on_floor.AnswerAskIn, session=st.just(session), yes=st.sampled_from([True, True, False])),
                st.just(on_floor.Block(session=session)),
                st.just(on_floor.ReportSession(session=session, reason="rude", note="")),
                st.just(on_floor.Spoke(session=session)),
                st.just(on_floor.Typed(session=session)),
                st.just(on_floor.GiveFeedback(session=session, heard=2, heavy=1)),
                st.just(on_floor.WriteDebrief(session=session, note="heavy")),
            )
        )
        self.do(who, command)

    @rule(data=st.data(), is_handover=st.booleans())
    def bring_in(self, data: st.DataObject, is_handover: bool) -> None:
        """A colleague is asked in, and everybody says yes."""
        live = sorted(id for id, session in self.state.sessions.items() if session.is_live)
        if not live:
            return
        self.everybody_listens()
        live = sorted(id for id in live if self.state.sessions[id].is_live)
        if not live:
            return
        session = self.state.sessions[data.draw(st.sampled_from(live))]
        colleague = data.draw(listeners)
        holder = session.listeners[0]
        self.do(holder, on_floor.AskIn(session=session.id, listener=colleague, is_handover=is_handover))
        asked = self.state.sessions[session.id].asked
        if asked is None:
            return
        self.do(session.seeker, on_floor.AnswerAskIn(session=session.id, yes=True))
        self.do(asked.listener, on_floor.AnswerAskIn(session=session.id, yes=True))
        after = self.state.sessions[session.id]
        if after.is_live and after.asked is None and asked.is_handover and asked.listener in after.listeners:
            assert after.listeners[0] == asked.listener
            assert asked.by not in after.people

    @rule(who=anybody)
    def vanish(self, who: MemberId) -> None:
        self.here.discard(who)

    @rule(is_seeker=st.booleans(), data=st.data(), span=st.sampled_from([20_000, 59_000, 60_000, 70_000, 400_000]))
    def vanish_from_session(self, is_seeker: bool, data: st.DataObject, span: int) -> None:
        """The one who stays is told, and is free when the grace is over, or meets them again before."""
        live = sorted(id for id, session in self.state.sessions.items() if session.is_live)
        if not live:
            return
        session = self.state.sessions[data.draw(st.sampled_from(live))]
        gone = session.seeker if is_seeker else session.listeners[0]
        self.here.update(session.people)
        self.see()
        self.apply_due()
        for member in session.people:
            if member != gone:
                self.do(member, on_floor.Spoke(session=session.id))
        self.here.discard(gone)
        self.time_passes(span)
        after = self.state.sessions.get(session.id)
        if span >= RULES.session_grace:
            assert after is None or not after.is_live or gone not in after.people
        elif after is not None and after.is_live:
            assert gone in after.gone
        if not is_seeker and after is not None and after.ending is Ending.LISTENER_GONE and span < RULES.grace:
            waits = self.state.seekers[session.seeker]
            assert waits.asked_at == session.asked_at
            assert waits.is_first or waits.session is not None

    @rule(who=anybody)
    def return_(self, who: MemberId) -> None:
        self.here.add(who)
        self.see()
        self.apply_due()

    @rule(who=anybody, is_erased=st.booleans())
    def dismiss(self, who: MemberId, is_erased: bool) -> None:
        self.do(who, on_floor.Dismiss(member=who, is_erased=is_erased))
        assert who not in self.state.listeners
        if is_erased:
            self.began.pop(who, None)
            assert who not in self.state.shares
            assert who not in self.state.seekers
            assert not any(each.seeker == who and each.seeker_name for each in self.state.sessions.values())

    @rule(who=listeners)
    def hire(self, who: MemberId) -> None:
        self.do(who, on_floor.Hire(person=Person(who, who)))
        self.do(who, on_floor.MarkReady())

    @rule(span=spans)
    def time_passes(self, span: int) -> None:
        """Those who are here are seen on the way, as their workers see to it, and a listener now and then does
        something; the floor is settled whenever it says that it is due."""
        until = self.now + span
        while True:
            due = due_at(self.state, self.now, RULES)
            step = min(until, self.now + 5_000 if span < 120_000 else until)
            if due is not None:
                assert due > self.now
                step = min(step, due)
            if step - 1 > self.now:
                assert not apply_due(self.state, Millis(step - 1), RULES).events or step - 1 >= (due or step)
            self.now = Millis(step)
            self.see()
            self.apply_due()
            if self.now >= until:
                return

    @rule(skew=st.integers(-5_000, 5_000), who=anybody)
    def another_clock(self, skew: int, who: MemberId) -> None:
        """A worker whose clock differs a little does the next thing."""
        before, self.now = self.now, Millis(self.now + skew)
        self.here.add(who)
        self.see()
        self.apply_due()
        self.now = Millis(max(before, self.now))
        self.apply_due()

    @rule()
    def apply_due_at_once(self) -> None:
        self.apply_due()

    # ------------------------------------------------------------------------------------------ what always holds

    @invariant()
    def is_settled(self) -> None:
        assert apply_due(self.state, self.now, RULES) == Decided()
        due = due_at(self.state, self.now, RULES)
        assert due is None or due > self.now
        if due is not None:
            early = Millis(due - 1)
            assert apply_due(self.state, early, RULES) == Decided()

    @invariant()
    def keeps_its_promises(self) -> None:
        result = check_invariants(self.state, self.now, RULES)
        assert (result.broken, result.idle, result.idle_ms) == (0, 0, 0), result

    @invariant()
    def nobody_is_in_two_places(self) -> None:
        live = [session for session in self.state.sessions.values() if session.is_live]
        assert max(Counter(session.seeker for session in live).values(), default=0) <= 1
        for session in live:
            assert self.state.seekers[session.seeker].session == session.id
            assert 1 <= len(session.listeners) <= 2
            assert len(set(session.people)) == len(session.people)
        for seeker in self.state.seekers.values():
            assert seeker.session is None or self.state.sessions[seeker.session].is_live
            assert seeker.session is None or seeker.proposal is None
        for listener in self.state.listeners.values():
            assert sum(listener.member in session.listeners for session in live) <= RULES.most_cap
            taken = sorted(listener.taken)
            assert all(b - a >= DAY for a, b in zip(taken, taken[RULES.sessions_a_day :], strict=False))
            assert all(b - a >= WEEK for a, b in zip(taken, taken[RULES.sessions_a_week :], strict=False))

    @invariant()
    def shares_are_fair(self) -> None:
        waiting = Counter(each.network for each in self.state.seekers.values() if each.session is None and each.network)
        assert all(count <= RULES.places_per_network for count in waiting.values())
        for member, began in self.began.items():
            today = [at for at in began.values() if at > self.now - DAY]
            assert len(today) <= RULES.member_sessions_a_day, (member, today)
        assert all(expires_at(share) > self.now for share in self.state.shares.values())
        assert not any(each.network for each in self.state.seekers.values() if each.session is not None)

    @invariant()
    def rooms_follow(self) -> None:
        assert self.rooms.keys() == self.state.sessions.keys()
        for session in self.state.sessions.values():
            assert self.rooms[session.id] == set(session.people)
            assert (session.id in self.closed) == (not session.is_live)

    @invariant()
    def places_are_told(self) -> None:
        told = places(self.state)
        assert sorted(told.values()) == [*range(1, len(told) + 1)]
        assert all(place(self.state, member) == number for member, number in told.items())
        expected = pace(self.state, self.now, RULES)
        for number in told.values():
            seconds, samples = expected.estimate(number)
            assert samples >= 0
            assert seconds is None or seconds >= 0

    @invariant()
    def one_by_one_and_all_agree(self) -> None:
        free = {listener.member for listener in free_listeners(self.state, self.now, RULES)}
        asked = {each.proposal.listener for each in self.state.seekers.values() if each.proposal is not None}
        for listener in self.state.listeners.values():
            is_eligible = listener.member not in asked and may_take_one_more(self.state, listener, self.now, RULES)
            assert (listener.member in free) == is_eligible


TestFloorMachine = ListeningMachine.TestCase
TestFloorMachine.settings = settings(max_examples=drawn(100), stateful_step_count=50, deadline=None)
