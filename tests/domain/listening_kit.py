"""A floor to set up in a few words."""

from __future__ import annotations

from typing import Any

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.listening import commands as on_floor
from chatserver.domain.listening.commands import FloorEffect, ListeningAction
from chatserver.domain.listening.decide import apply_due, decide_and_apply_due, evolve_all
from chatserver.domain.listening.state import ListeningRules, ListeningState, Profile, Session, SessionId, Wish

START = Millis(1_700_000_000_000)
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
RULES = ListeningRules(brief=0)
"""A session counts however short it was: `test_shares` is about those that do not."""
ANNA, BEN, CARA = MemberId("m_anna"), MemberId("m_ben"), MemberId("m_cara")
LEO, LIV, LOU = MemberId("m_leo"), MemberId("m_liv"), MemberId("m_lou")


class Stage:
    """A floor, a clock, and everybody connected unless they are in `away`."""

    def __init__(self, *listeners: MemberId, rules: ListeningRules = RULES, **profile: Any) -> None:
        self.state = ListeningState()
        self.now = START
        self.rules = rules
        self.away: set[MemberId] = set()
        self.effects: list[FloorEffect] = []
        self.number = 0
        for member in listeners:
            self.hire(member, **profile)

    def do(self, who: MemberId, command: ListeningAction) -> SessionId | None:
        decided = decide_and_apply_due(self.state, command, who, self.now, self.rules)
        self.state = evolve_all(self.state, decided.events)
        self.effects.extend(decided.effects)
        for effect in decided.effects:
            if isinstance(effect, on_floor.NoteWait):
                waits = (*self.state.waits, (effect.asked_at, effect.met_at))
                self.state = msgspec.structs.replace(self.state, waits=waits)
        return decided.session

    def hire(self, member: MemberId, **profile: Any) -> None:
        self.do(member, on_floor.Hire(person=Person(member, member)))
        self.do(member, on_floor.MarkReady())
        if profile:
            self.do(member, on_floor.SetProfile(profile=Profile(**profile)))
        self.do(member, on_floor.SetAvailable(on=True))

    def ask(self, who: MemberId, avoid: frozenset[MemberId] = frozenset(), **wish: Any) -> None:
        self.do(who, on_floor.Ask(name=who, wish=Wish(**wish), avoid=avoid, is_open=True))

    def accept(self, listener: MemberId, seeker: MemberId) -> SessionId:
        """The listener accepts, and the seeker writes a first word."""
        session = self.accept_in_silence(listener, seeker)
        self.do(seeker, on_floor.Spoke(session=session))
        return session

    def accept_in_silence(self, listener: MemberId, seeker: MemberId) -> SessionId:
        self.number += 1
        session = self.do(listener, on_floor.Accept(seeker=seeker, session=SessionId(f"s-{self.number}")))
        assert session is not None
        return session

    def meet(self, seeker: MemberId, **wish: Any) -> Session:
        """They ask, and whoever is asked about them accepts."""
        self.ask(seeker, **wish)
        listener = self.asked_about(seeker)
        assert listener is not None
        session = self.accept(listener, seeker)
        return self.state.sessions[session]

    def asked_about(self, seeker: MemberId) -> MemberId | None:
        proposal = self.state.seekers[seeker].proposal
        return None if proposal is None else proposal.listener

    def session(self, session: Session) -> Session:
        return self.state.sessions[session.id]

    def wait(self, span: int) -> None:
        """Time passes; those who are not away are seen every five seconds, do something, and the floor is settled."""
        until = self.now + span
        while self.now < until:
            self.now = Millis(min(self.now + 5_000, until))
            self.see()
            decided = apply_due(self.state, self.now, self.rules)
            self.state = evolve_all(self.state, decided.events)
            self.effects.extend(decided.effects)

    def see(self) -> None:
        seen = {"seen_at": self.now}
        self.state = msgspec.structs.replace(
            self.state,
            seekers={
                member: each if member in self.away else msgspec.structs.replace(each, **seen)
                for member, each in self.state.seekers.items()
            },
            listeners={
                member: each if member in self.away else msgspec.structs.replace(each, **seen)
                for member, each in self.state.listeners.items()
            },
        )

    def did(self, kind: type[FloorEffect]) -> list[Any]:
        return [effect for effect in self.effects if isinstance(effect, kind)]
