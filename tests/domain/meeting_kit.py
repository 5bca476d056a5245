"""A meeting to set up in a few words, and a model of the room in which it is written."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings.commands import Decided, MeetingAction, MeetingEffect
from chatserver.domain.meetings.decide import decide, see
from chatserver.domain.meetings.forms import FORMS
from chatserver.domain.meetings.state import MINUTE, SECOND, Form, Meeting, MeetingId, PhaseKind, Place
from chatserver.domain.meetings.timers import next_due
from chatserver.domain.rooms.rooms import Voice

START = Millis(1_700_000_000_000)
ROBIN, WREN, HERON, FINCH, TERN = (MemberId(f"m_{name}") for name in ("robin", "wren", "heron", "finch", "tern"))
HOST, SECOND_HOST = MemberId("m_host"), MemberId("m_cohost")
NOBODY = MemberId("")


def planned(form: Form = Form.CIRCLE, **fields: Any) -> Meeting:
    """Return a meeting that begins at START, of a group in which nobody answers after a share."""
    rules = FORMS[form]
    meeting = Meeting(
        id=MeetingId("m--1"),
        form=form,
        name="Evening circle",
        starts_at=START,
        phases=rules.phases,
        seats=rules.seats,
        listeners=rules.listeners,
        hosts=(HOST,),
        seed="seed",
        group="g_1",
        no_crosstalk=True,
    )
    return replace(meeting, **fields)


class Room:
    """The meeting's room: who may write, who is in it, and whether a post was taken."""

    def __init__(self) -> None:
        self.voice: Voice | None = None
        self.since = 0
        self.members: set[MemberId] = set()
        self.from_now: set[MemberId] = set()
        self.said: dict[MemberId, int] = {}
        self.is_open = self.is_gone = False
        self.posts: list[tuple[MemberId, Voice]] = []
        self.phases: list[str] = []
        self._clock = 0

    def take(self, effect: MeetingEffect) -> None:
        self._clock += 1
        match effect:
            case c.OpenRoom(voice=voice):
                self.is_open, self.voice, self.since = True, voice, self._clock
            case c.SetVoice(voice=voice):
                assert self.is_open
                self.voice, self.since = voice, self._clock
                self.phases.append(voice.phase)
            case c.Admit(member=member, sees_from_now=sees_from_now):
                assert self.is_open
                self.members.add(member)
                (self.from_now.add if sees_from_now else self.from_now.discard)(member)
            case c.Expel(member=member):
                self.members.discard(member)
            case c.CloseRoom():
                self.is_open = False
            case c.DropMeeting():
                self.is_open, self.is_gone = False, True
                self.members.clear()

    def write(self, who: MemberId) -> bool:
        """Write a post, if that is allowed."""
        voice = self.voice
        if not self.is_open or who not in self.members or voice is None or not voice.is_of(who):
            return False
        if voice.once and self.said.get(who, -1) >= self.since:
            return False
        self._clock += 1
        self.said[who] = self._clock
        self.posts.append((who, voice))
        return True


class Stage:
    """A meeting, a clock, its room, and everybody connected unless they are in `away`."""

    def __init__(self, form: Form = Form.CIRCLE, **fields: Any) -> None:
        self.meeting: Meeting | None = planned(form, **fields)
        self.now = Millis(START - 60 * MINUTE)
        self.away: set[MemberId] = set()
        self.room = Room()
        self.effects: list[MeetingEffect] = []

    @property
    def state(self) -> Meeting:
        assert self.meeting is not None
        return self.meeting

    @property
    def kind(self) -> PhaseKind | None:
        return self.state.kind

    def do(self, who: MemberId, command: MeetingAction, **options: bool) -> Decided:
        decided = decide(self.state, command, who, self.now, **options)
        self.meeting = decided.meeting
        self.effects.extend(decided.effects)
        for effect in decided.effects:
            self.room.take(effect)
        return decided

    def refusal(self, who: MemberId, command: MeetingAction) -> Reason:
        try:
            self.do(who, command)
        except Refusal as refusal:
            return refusal.reason
        raise AssertionError(f"{command} was not refused")

    def enter(self, *members: MemberId, **fields: Any) -> None:
        for member in members:
            self.away.discard(member)
            self.do(member, c.Enter(name=member, agreement=1, **fields))

    def sign_up(self, *members: MemberId, **fields: Any) -> None:
        for member in members:
            self.do(member, c.SignUp(name=member, **fields))

    def place(self, member: MemberId) -> Place | None:
        found = self.state.people.get(member)
        return None if found is None else found.place

    def write(self, who: MemberId) -> bool:
        was_written = self.room.write(who)
        if was_written:
            self.do(who, c.Spoke())
        return was_written

    def see(self) -> None:
        """Note everybody who is connected, and carry out what waited for them."""
        for member in [*self.state.people] if self.meeting is not None else []:
            if member not in self.away:
                self.meeting = see(self.state, member, self.now)

    def wait(self, span: int, every: int = 5 * SECOND) -> None:
        """Let time pass: people are seen, and what is due is carried out when it is due."""
        until = self.now + span
        while self.now < until and self.meeting is not None:
            due = next_due(self.meeting)
            target = min(self.now + every, until)
            if due is not None and self.now < due < target:
                target = due
            self.now = Millis(target)
            self.see()
            self.do(NOBODY, c.ApplyDue())

    def wait_until(self, at: int) -> None:
        self.wait(at - self.now)

    def run_to(self, kind: PhaseKind, within: int = 90 * MINUTE) -> None:
        """Let time pass until a phase begins."""
        until = self.now + within
        while self.kind is not kind:
            assert self.now < until, f"{kind} did not begin; it is {self.kind}"
            self.wait(5 * SECOND)

    def gathered(self, *members: MemberId) -> Stage:
        """Return this stage at START, with these people and the host in the meeting."""
        self.wait_until(START - 10 * MINUTE)
        self.enter(HOST, *members)
        self.wait_until(START)
        return self

    def step(self) -> None:
        self.do(HOST, c.Step(seen=self.state.step))
