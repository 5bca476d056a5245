"""Meetings that are run from a seed, and a reader of their rooms' logs who knows nothing else.

10,000 of them: python -m tests.domain.meeting_proof 10000 [--from K]. About eight minutes of one core.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from random import Random
from typing import Final, NamedTuple

from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings.commands import MeetingAction, MeetingEffect
from chatserver.domain.meetings.state import MINUTE, SECOND, Form, PhaseKind
from chatserver.domain.rooms.decide import decide as decide_in_room
from chatserver.domain.rooms.rooms import (
    Membership,
    Noticed,
    Posted,
    Room,
    RoomId,
    RoomKind,
    RoomRules,
    RoomState,
    RoomStatus,
    Voice,
    WritePost,
)
from tests.domain.meeting_kit import HOST, NOBODY, SECOND_HOST, START, Stage

_RULES: Final = RoomRules()
_FORMS: Final = (Form.CIRCLE, Form.CIRCLE, Form.CIRCLE, Form.HANDS, Form.THEMED, Form.QUIET)
_REFUSED: Final = frozenset(
    (Reason.NOT_YOUR_TURN, Reason.SAID_ONCE, Reason.SLOW_MODE, Reason.ROOM_CLOSED, Reason.ROOM_UNKNOWN)
)
"""Why the room may refuse a post."""


class Entry(NamedTuple):
    """One fact of a room's log: a voice that was set, or a post with its length."""

    at: Millis
    voice: Voice | None = None
    author: MemberId = NOBODY
    length: int = 0


class LoggedRoom:
    """The meeting's room as the store has it: the rules of rooms decide posts, and what is published is kept."""

    def __init__(self) -> None:
        self.log: list[Entry] = []
        self._room: Room | None = None
        self._members: dict[MemberId, Membership] = {}
        self._at = 0

    def take(self, effect: MeetingEffect, now: Millis) -> None:
        """Carry out an effect as `store/closed_rooms.py` does."""
        match effect:
            case c.OpenRoom(meeting=meeting, name=name, voice=voice):
                self._room = Room(id=RoomId(meeting), name=name, about="", kind=RoomKind.MEETING)
                self._set_voice(voice, now)
            case c.SetVoice(voice=voice):
                self._set_voice(voice, now)
            case c.Admit(member=member):
                assert self._room is not None
                wrote_at = max((each.at for each in self.log if each.author == member), default=Millis(0))
                self._members[member] = Membership(
                    room=self._room.id, agreement_version=1, last_post_at=Millis(wrote_at)
                )
            case c.Expel(member=member):
                self._members.pop(member, None)
            case c.CloseRoom():
                assert self._room is not None
                self._room = replace(self._room, status=RoomStatus.CLOSED)

    def _set_voice(self, voice: Voice, now: Millis) -> None:
        assert self._room is not None
        self._at = max(self._at + 1, now)
        voice = replace(voice, since=Millis(self._at))
        self._room = replace(self._room, voice=voice)
        self.log.append(Entry(Millis(self._at), voice=voice))

    def write(self, who: MemberId, text: str, now: Millis) -> Reason | None:
        """Write a post, and return why it was refused."""
        if self._room is None:
            return Reason.ROOM_UNKNOWN
        state = RoomState(room=self._room, membership=self._members.get(who))
        at = Millis(max(self._at, now))
        try:
            events = decide_in_room(state, WritePost(text=text), Persona(who, who, 0), _RULES, at, Noticed())
        except Refusal as refusal:
            return refusal.reason
        for event in events:
            assert isinstance(event, Posted)
            self._at = at
            self._members[who] = replace(self._members[who], last_post_at=at)
            self.log.append(Entry(at, author=who, length=len(text)))
        return None


class Proof(NamedTuple):
    """What was seen in one meeting. `problems` is empty if everything that meetings promise held."""

    problems: list[str]
    counts: Counter[str]


def prove(log: list[Entry]) -> list[str]:
    """Read a log, and return every post that the newest voice before it does not allow (M1). In a phase with turns that
    is everybody but the holder; in a round it is a second post of one person."""
    problems: list[str] = []
    voice: Voice | None = None
    last: dict[MemberId, Millis] = {}
    said: set[MemberId] = set()
    for number, entry in enumerate(log):
        if entry.voice is not None:
            voice, said = entry.voice, set()
            continue
        if voice is None:
            problems.append(f"post {number} before any voice")
            continue
        if voice.who != "all" and entry.author not in voice.some:
            problems.append(f"post {number} of {entry.author}, where {voice.some} had the voice in {voice.phase}")
        if voice.who == "none":
            problems.append(f"post {number} where nobody had the voice")
        if voice.once and entry.author in said:
            problems.append(f"post {number}: {entry.author} spoke twice in {voice.phase}")
        if voice.length and entry.length > voice.length:
            problems.append(f"post {number} is longer than {voice.length}")
        before = last.get(entry.author)
        if voice.pace and before is not None and entry.at - before < voice.pace * SECOND:
            problems.append(f"post {number} came too soon after {entry.author}'s last")
        said.add(entry.author)
        last[entry.author] = entry.at
    return problems


class Run:
    """One meeting from its doors to its end, with people who come late, fall silent, lose the line and speak out of
    turn."""

    def __init__(self, seed: int) -> None:
        self.random = Random(f"meeting {seed}")
        form = self.random.choice(_FORMS)
        self.hosts = (HOST, SECOND_HOST)[: self.random.choice((1, 1, 2))]
        self.people = [MemberId(f"m_{number}") for number in range(self.random.randint(3, 10))]
        self.stage = Stage(form, hosts=self.hosts, seed=str(seed), no_crosstalk=self.random.random() < 0.5)
        self.room = LoggedRoom()
        self.problems: list[str] = []
        self.counts: Counter[str] = Counter()
        self.given: list[int] = []
        """The lengths of turns that nobody had less or more for a reason."""
        self._taken = 0

    def run(self) -> Proof:
        stage = self.stage
        stage.wait_until(START - 10 * MINUTE)
        for host in self.hosts:
            self._do(host, c.Enter(name=host, agreement=1))
        for who in self.people:
            if self.random.random() < 0.7:
                self._do(who, c.Enter(name=who, agreement=1))
        while stage.meeting is not None and stage.state.is_live:
            self._wait(self.random.choice((5, 15, 40, 90)) * SECOND)
            for _ in range(self.random.randint(1, 3)):
                self._act()
        self.counts["meetings"] += 1
        self.problems += prove(self.room.log)
        if len({*self.given}) > 1:
            self.problems.append(f"turns of one share of {sorted({*self.given})} ms")
        return Proof(self.problems, self.counts)

    def _take_effects(self) -> None:
        for effect in self.stage.effects[self._taken :]:
            self.room.take(effect, self.stage.now)
        self._taken = len(self.stage.effects)

    def _do(self, who: MemberId, command: MeetingAction) -> None:
        if self.stage.meeting is None:
            return
        before = self.stage.state.turn
        try:
            self.stage.do(who, command)
        except Refusal as refusal:
            self.counts[f"refused {refusal.reason}"] += 1
        self._take_effects()
        self._note_turn(before)

    def _note_turn(self, before: object) -> None:
        state = self.stage.meeting
        if state is None or state.turn is None or state.turn == before or state.kind is not PhaseKind.SHARE:
            return
        turn = state.turn
        if turn.since == (before.since if isinstance(before, type(turn)) else None) or state.added:
            return
        if turn.holder not in state.left_of:
            self.given.append(turn.ends_at - turn.since)
            self.counts["turns"] += 1

    def _wait(self, span: int) -> None:
        """Let time pass in steps, so that each effect is taken at its time."""
        until = self.stage.now + span
        while self.stage.now < until and self.stage.meeting is not None:
            before = self.stage.state.turn
            self.stage.wait(min(15 * SECOND, until - self.stage.now), 15 * SECOND)
            self._take_effects()
            self._note_turn(before)

    def _act(self) -> None:
        random, stage = self.random, self.stage
        if stage.meeting is None:
            return
        who = random.choice((*self.people, *self.hosts))
        holder = stage.state.holder
        match random.choice(("write", "write", "write", "holder", "line", "member", "member", "host", "come")):
            case "write":
                self._write(who)
            case "holder" if holder is not None:
                self._write(holder)
                if random.random() < 0.3:
                    self._do(holder, c.Finish())
            case "line":
                (stage.away.add if random.random() < 0.25 else stage.away.discard)(who)
            case "member":
                command: MeetingAction = random.choice(
                    (c.Raise(on=True), c.Later(), c.Pass(on=True), c.Pass(on=False), c.Finish(), c.SitBack(on=True))
                )
                self._do(who, c.StepOut() if random.random() < 0.05 else command)
            case "host":
                host, step = random.choice(self.hosts), stage.state.step
                self._do(
                    host,
                    random.choice(
                        (
                            c.Step(seen=step if random.random() < 0.3 else step - 1),
                            c.Pause(on=random.random() < 0.3),
                            c.CallOn(member=who),
                            c.Aside(member=who),
                        )
                    ),
                )
            case "come":
                stage.away.discard(who)
                self._do(who, c.Enter(name=who, agreement=1, listens=random.random() < 0.2))
            case _:
                pass

    def _write(self, who: MemberId) -> None:
        text = "x" * self.random.choice((3, 40, 40, 300))
        reason = self.room.write(who, text, self.stage.now)
        self.counts["posts" if reason is None else f"post refused {reason}"] += 1
        if reason is None:
            self._do(who, c.Spoke())
        elif reason not in _REFUSED and reason is not Reason.TEXT_TOO_LONG:
            self.problems.append(f"a post was refused with {reason}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.domain.meeting_proof", description=__doc__)
    parser.add_argument("meetings", type=int, help="how many")
    parser.add_argument("--from", type=int, metavar="K", dest="first", default=0, help="beginning with this seed")
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    failed, began = 0, time.process_time()
    for seed in range(given.first, given.first + given.meetings):
        proof = Run(seed).run()
        counts.update(proof.counts)
        if proof.problems:
            failed += 1
            print(f"seed {seed}: {proof.problems[:3]}", flush=True)
    took = time.process_time() - began
    print(f"{given.meetings} meetings from seed {given.first}, {failed} failed; {took:.0f} s of CPU")
    print(dict(sorted(counts.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
