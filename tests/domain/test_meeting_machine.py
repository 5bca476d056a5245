"""A meeting driven at random: people who come, speak, vanish and come back, hosts who steer, and time that passes.

After every step what meetings promise is checked. What the store would do outside of a meeting is done to a plain model
of its room, which must always agree with it.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chatserver.domain.errors import Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings.commands import MeetingAction
from chatserver.domain.meetings.decide import decide
from chatserver.domain.meetings.forms import DEAD, DOORS, FORMS, HOST_LOST, OVERRUN, allotment
from chatserver.domain.meetings.groups import length_of
from chatserver.domain.meetings.options import may
from chatserver.domain.meetings.phases import voice_of
from chatserver.domain.meetings.state import (
    MINUTE,
    SECOND,
    TURNS,
    Ending,
    Form,
    PhaseKind,
    Place,
    is_seen,
    meeting_time,
    standing,
)
from chatserver.domain.meetings.timers import next_due
from tests.domain.meeting_kit import (
    FINCH,
    HERON,
    HOST,
    NOBODY,
    ROBIN,
    SECOND_HOST,
    START,
    TERN,
    WREN,
    Stage,
)
from tests.kit.nightly import drawn

SHARERS = (ROBIN, WREN, HERON, FINCH, TERN)
PEOPLE = (*SHARERS, HOST, SECOND_HOST)
SEATS = 3
SLACK = 30 * MINUTE
people, hosts, sharers = st.sampled_from(PEOPLE), st.sampled_from((HOST, SECOND_HOST)), st.sampled_from(SHARERS)
seldom = st.sampled_from((False, False, False, True))
on_or_off = st.sampled_from((True, True, False))


class MeetingMachine(RuleBasedStateMachine):
    """One meeting, from before its doors open until it is forgotten."""

    @initialize(
        form=st.sampled_from((Form.CIRCLE, Form.CIRCLE, Form.CIRCLE, Form.HANDS, Form.HANDS, Form.THEMED, Form.QUIET)),
        phase=st.sampled_from((-1, 0, 1, 2, 3, 4, 4, 4, 5)),
        no_crosstalk=st.booleans(),
    )
    def begin(self, form: Form, phase: int, no_crosstalk: bool) -> None:
        self.stage = Stage(
            form,
            seats=SEATS,
            listeners=min(2, FORMS[form].listeners),
            hosts=(HOST, SECOND_HOST),
            no_crosstalk=no_crosstalk,
        )
        self.stage.now = Millis(START - DOORS - 2 * MINUTE)
        self.stage.away.update(PEOPLE)
        self.in_time: set[MemberId] = set()
        self.given: dict[MemberId, int] = {}
        self.lost_since: int | None = None
        if phase >= 0:
            self._go_to(phase)

    def _go_to(self, phase: int) -> None:
        """Let everybody come, and the meeting go on to a phase."""
        self.time_passes(2 * MINUTE)
        self.everybody_comes()
        self.time_passes(10 * MINUTE)
        if phase > 0:
            self.time_passes(5 * MINUTE)
        while self.stage.meeting is not None and self.stage.state.is_live and self.stage.state.phase < phase:
            self.step(HOST, False)

    def do(self, who: MemberId, command: MeetingAction, *, is_moderator: bool = False) -> bool:
        if self.stage.meeting is None:
            return False
        try:
            self.stage.do(who, command, is_moderator=is_moderator)
        except Refusal:
            return False
        return True

    # ------------------------------------------------------------------------------------------ people

    @rule(who=sharers, listens=st.sampled_from((False, False, True)))
    def sign_up(self, who: MemberId, listens: bool) -> None:
        if self.do(who, c.SignUp(name=who, listens=listens)) and not listens:
            self.in_time.add(who)

    @rule(who=sharers)
    def sign_off(self, who: MemberId) -> None:
        if self.do(who, c.SignOff()):
            self.in_time.discard(who)

    @rule(who=people, listens=st.sampled_from((False, False, False, True)))
    def enter(self, who: MemberId, listens: bool) -> None:
        if self.do(who, c.Enter(name=who, agreement=1, listens=listens)):
            self.stage.away.discard(who)
            if listens and self.stage.place(who) is not Place.SEAT:
                self.in_time.discard(who)

    @rule()
    def everybody_comes(self) -> None:
        for who in PEOPLE:
            self.enter(who, False)

    @rule(who=people, is_so=seldom)
    def step_out(self, who: MemberId, is_so: bool) -> None:
        if not is_so:
            return
        self.do(who, c.StepOut())
        self.in_time.discard(who)

    @rule(who=people)
    def lose_the_line(self, who: MemberId) -> None:
        self.stage.away.add(who)

    @rule(who=people)
    def find_the_line(self, who: MemberId) -> None:
        if self.stage.meeting is not None and (found := self.stage.state.people.get(who)) and found.is_here:
            self.stage.away.discard(who)
            self.stage.see()
            self.do(NOBODY, c.ApplyDue())

    @rule(who=people, on=on_or_off)
    def raise_hand(self, who: MemberId, on: bool) -> None:
        self.do(who, c.Raise(on=on))

    @rule(who=people, on=on_or_off)
    def sit_back(self, who: MemberId, on: bool) -> None:
        if self.do(who, c.SitBack(on=on)) and on:
            self.in_time.discard(who)

    @rule(who=people, command=st.sampled_from((c.Finish(), c.Later(), c.Pass(on=True), c.Pass(on=False))))
    def take_turns(self, who: MemberId, command: MeetingAction) -> None:
        self.do(who, command)

    @rule()
    def finish(self) -> None:
        if self.stage.meeting is not None and (holder := self.stage.state.holder) is not None:
            self.do(holder, c.Finish())

    @rule(who=people)
    def write(self, who: MemberId) -> None:
        before = self.stage.state.holder if self.stage.meeting is not None else None
        kind = self.stage.state.kind if self.stage.meeting is not None else None
        if self.stage.room.write(who):
            # M1, and M2: in a phase with turns nobody but the holder.
            assert kind is not None
            if kind in TURNS and self.stage.state.held_at is None and self.stage.state.answers_until is None:
                assert who == before
            self.do(who, c.Spoke())

    # ------------------------------------------------------------------------------------------ hosts

    @rule(who=hosts, is_old=st.sampled_from((False, False, True)))
    def step(self, who: MemberId, is_old: bool) -> None:
        if self.stage.meeting is None:
            return
        before = self.stage.state.step
        self.do(who, c.Step(seen=before - is_old))

    @rule(who=hosts, command=st.sampled_from((c.AddTime(), c.Pause(on=True), c.Pause(on=False))))
    def steer(self, who: MemberId, command: MeetingAction) -> None:
        self.do(who, command)

    @rule(who=hosts, member=sharers)
    def call_on(self, who: MemberId, member: MemberId) -> None:
        self.do(who, c.CallOn(member=member))

    @rule(who=hosts, member=sharers, is_so=seldom)
    def send_out(self, who: MemberId, member: MemberId, is_so: bool) -> None:
        if is_so and self.do(who, c.SendOut(member=member, reason="x")):
            self.in_time.discard(member)

    @rule(who=hosts, member=sharers)
    def offer(self, who: MemberId, member: MemberId) -> None:
        self.do(who, c.Aside(member=member))

    @rule(who=sharers, yes=on_or_off)
    def answer_offer(self, who: MemberId, yes: bool) -> None:
        self.do(who, c.AnswerAside(yes=yes))

    @rule(who=sharers, post=st.integers(1, 3))
    def screening_finds(self, who: MemberId, post: int) -> None:
        self.do(who, c.NoteConcern(post=post, category="self_harm", level=2))

    @rule(who=hosts, is_so=seldom)
    def end_meeting(self, who: MemberId, is_so: bool) -> None:
        if is_so:
            self.do(who, c.EndMeeting())

    @rule(who=sharers, is_so=seldom)
    def dismiss(self, who: MemberId, is_so: bool) -> None:
        if is_so and self.do(who, c.Dismiss()):
            self.in_time.discard(who)
            assert self.stage.meeting is None or who not in str(self.stage.meeting)

    # ------------------------------------------------------------------------------------------ time

    @rule(span=st.sampled_from((SECOND, 10 * SECOND, 45 * SECOND, 2 * MINUTE, 5 * MINUTE)))
    def time_passes(self, span: int) -> None:
        """People are seen every ten seconds, and what is due is carried out when it is due, and not before."""
        stage, until = self.stage, self.stage.now + span
        while stage.now < until and stage.meeting is not None:
            due = next_due(stage.meeting)
            target = min(stage.now + 10 * SECOND, until)
            if due is not None and stage.now < due < target:
                target = due
            if due is not None and target < due:
                # M9: nothing would change before.
                early = decide(stage.meeting, c.ApplyDue(), NOBODY, Millis(target))
                assert early.meeting == stage.meeting
            stage.now = Millis(target)
            stage.see()
            self.do(NOBODY, c.ApplyDue())
            self._look_at_turn()
            self._look_at_hosts()

    @rule(span=st.sampled_from((20 * SECOND, 10 * MINUTE, 60 * MINUTE)))
    def everything_is_away(self, span: int) -> None:
        """No worker lives, and nothing is noted: afterwards nobody has lost any of their turn."""
        stage = self.stage
        if stage.meeting is None or stage.meeting.seen_at is None:
            return
        before = stage.meeting
        stage.now = Millis(stage.now + span)
        if stage.now >= START + DEAD:
            return
        stage.see()
        self.do(NOBODY, c.ApplyDue())
        if not stage.room.is_gone and before.turn is not None:
            here = is_seen(before, before.people[before.turn.holder], meeting_time(before, Millis(stage.now - span)))
            has_time = before.turn.ends_at + OVERRUN - meeting_time(before, Millis(stage.now - span)) > 15 * SECOND
            is_back = before.turn.holder not in stage.away and before.held_at is None
            if here and is_back and has_time:
                assert stage.state.holder == before.turn.holder

    # ------------------------------------------------------------------------------------------ promises

    def _look_at_turn(self) -> None:
        if self.stage.meeting is None or (turn := self.stage.state.turn) is None:
            return
        # M2: one holder, who is in the meeting and takes turns.
        holder = self.stage.state.people[turn.holder]
        assert holder.is_here
        assert holder.place in (Place.SEAT, Place.HOST)

    def _look_at_hosts(self) -> None:
        """M8: without a host nobody has the voice for long, but in the last round."""
        state = self.stage.meeting
        if state is None or not state.is_live or not FORMS[state.form].needs_host or state.kind is PhaseKind.GATHER:
            self.lost_since = None
            return
        time = meeting_time(state, self.stage.now)
        if any(is_seen(state, each, time) for each in state.at(Place.HOST)):
            self.lost_since = None
        elif self.lost_since is None:
            self.lost_since = time
        elif time - self.lost_since > HOST_LOST and state.held_at is None and state.turn is None:
            assert state.kind in (PhaseKind.CLOSING, PhaseKind.LINGER)

    @invariant()
    def carrying_out_twice_changes_nothing(self) -> None:
        """M9."""
        if self.stage.meeting is not None:
            once = decide(self.stage.meeting, c.ApplyDue(), NOBODY, self.stage.now)
            if once.meeting is not None:
                twice = decide(once.meeting, c.ApplyDue(), NOBODY, self.stage.now)
                assert (twice.meeting, twice.effects) == (once.meeting, ())

    @invariant()
    def seats_are_never_more_than_there_are(self) -> None:
        """M3."""
        if self.stage.meeting is not None:
            assert len(self.stage.state.at(Place.SEAT)) <= SEATS

    @invariant()
    def the_room_agrees(self) -> None:
        """M1: what the log says of who may write is what the meeting says, and those inside are its members."""
        state = self.stage.meeting
        if state is None or not state.is_live:
            return
        assert self.stage.room.members == {each.member for each in state.here()}
        voice = self.stage.room.voice
        assert voice is not None
        now = voice_of(state)
        assert (voice.who, voice.some, voice.once, voice.phase) == (now.who, now.some, now.once, now.phase)

    @invariant()
    def turns_are_equal(self) -> None:
        """M4: everybody was given the same, but for what a host added for all who were to come."""
        state = self.stage.meeting
        if state is None or state.kind is not PhaseKind.SHARE or state.turn is None or state.added or state.held_for:
            return
        if state.held_at is None and state.turn.holder not in state.left_of:
            assert state.turn.ends_at - state.turn.since == state.allotment
            assert state.allotment <= allotment(state.phases[state.phase].minutes, 1)

    @invariant()
    def everybody_is_accounted_for(self) -> None:
        """M5: in a share each seated person who was there when it began has a turn, had it, passed or was put off."""
        state = self.stage.meeting
        if state is None or state.kind is not PhaseKind.SHARE:
            return
        known = {*state.order, *state.aside, *state.had, *state.passed, state.holder}
        assert {each.member for each in state.at(Place.SEAT)} <= known

    @invariant()
    def who_signed_up_in_time_has_a_seat_first(self) -> None:
        """M11."""
        state = self.stage.meeting
        if state is None or state.kind is not PhaseKind.GATHER or not state.are_seats_freed:
            return
        seated = {each.member for each in state.at(Place.SEAT)}
        waiting = [each for each in state.at(Place.WAITING) if each.is_here and each.member in self.in_time]
        assert not waiting or seated <= self.in_time

    @invariant()
    def it_ends(self) -> None:
        """M6: by the time that the meeting was seen."""
        state = self.stage.meeting
        if state is not None and state.is_live:
            assert meeting_time(state, self.stage.now) <= START + length_of(state) + SLACK + 10 * MINUTE
        elif state is not None and state.ending is Ending.SCRIPT:
            assert PhaseKind.CLOSING in self.stage.room.phases

    @rule(who=people)
    def what_one_may_is_what_is_not_refused(self, who: MemberId) -> None:
        """M7."""
        state, now = self.stage.meeting, self.stage.now
        if state is None or standing(state, now):
            return
        allowed = {*may(state, who, now)}
        undone = decide(state, c.ApplyDue(), who, now)
        for word, commands in attempts(who).items():
            does = False
            for command in commands:
                try:
                    does |= decide(state, command, who, now) != undone
                except Refusal:
                    continue
            assert does is (word in allowed), word

    @rule()
    def forgetting(self) -> None:
        """An ended meeting is forgotten in its time, and its room with it (M10)."""
        state = self.stage.meeting
        if state is not None and state.forget_at is not None:
            self.stage.now = Millis(max(self.stage.now, state.forget_at))
            self.do(NOBODY, c.ApplyDue())
            assert self.stage.meeting is None
            assert self.stage.room.is_gone


def attempts(who: MemberId) -> dict[str, list[MeetingAction]]:
    """Return, by its word, every command that the test tries, written down apart from the code that answers `may`."""
    both = (True, False)
    return {
        "sign_up": [c.SignUp(name="", listens=each) for each in both],
        "sign_off": [c.SignOff()],
        "enter": [c.Enter(name="", agreement=1, listens=each) for each in both],
        "step_out": [c.StepOut()],
        "sit_back": [c.SitBack(on=each) for each in both],
        "raise": [c.Raise(on=each) for each in both],
        "finish": [c.Finish()],
        "later": [c.Later()],
        "pass": [c.Pass(on=each) for each in both],
        "answer_aside": [c.AnswerAside(yes=each) for each in both],
        "step": [c.Step(seen=10_000)],
        "call_on": [c.CallOn(member=each) for each in PEOPLE],
        "add_time": [c.AddTime()],
        "pause": [c.Pause(on=each) for each in both],
        "aside": [c.Aside(member=each) for each in PEOPLE],
        "send_out": [c.SendOut(member=each, reason="") for each in PEOPLE],
        "end_meeting": [c.EndMeeting()],
        "cancel": [c.Cancel(why="")],
    }


TestMeetingMachine = MeetingMachine.TestCase
TestMeetingMachine.settings = settings(max_examples=drawn(100), stateful_step_count=50, deadline=None)
