"""The store's part of one-to-one listening, and the people in it, for the machine that tries everything on it."""

from __future__ import annotations

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening import commands as on_floor
from chatserver.domain.listening.commands import Decided, ListeningAction
from chatserver.domain.listening.decide import apply_due, decide_and_apply_due, evolve, evolve_all
from chatserver.domain.listening.matching import (
    is_resting,
    may_be_matched,
    may_meet,
)
from chatserver.domain.listening.rest_rules import DAY, cap_of, pause_of
from chatserver.domain.listening.state import (
    Ending,
    ListeningRules,
    ListeningState,
    Need,
    Profile,
    Seeker,
    Session,
    SessionId,
    Wish,
)

RULES = ListeningRules(sessions_a_day=4, sessions_a_week=9, brief=20_000, places_per_network=2)
SEEKERS = [MemberId(f"m_seeker_{number}") for number in range(5)]
LISTENERS = [MemberId(f"m_listener_{number}") for number in range(4)]
HONEST = MemberId("m_honest")
EXPECTED = {
    Reason.LISTENING_CLOSED,
    Reason.SESSIONS_USED,
    Reason.PLACES_USED,
    Reason.NOT_NOBODY,
    Reason.IN_SESSION,
    Reason.PLACE_GONE,
    Reason.PROPOSAL_GONE,
    Reason.SESSION_UNKNOWN,
    Reason.SESSION_OVER,
    Reason.NO_MORE_TIME,
    Reason.NOT_HOLDING,
    Reason.LISTENER_BUSY,
    Reason.NOT_READY,
    Reason.NOT_LISTENER,
    Reason.NO_WORDS_YET,
}

seekers = st.sampled_from(SEEKERS)
listeners = st.sampled_from(LISTENERS)
anybody = st.sampled_from([*SEEKERS, *LISTENERS])
topics = st.lists(st.sampled_from(["sleep", "grief", "work"]), max_size=2, unique=True).map(tuple)
wishes = st.builds(
    Wish,
    topics=topics,
    need=st.sampled_from([None, None, Need.LISTEN, Need.THINK]),
    language=st.sampled_from(["en", "en", "en-GB", "pt"]),
    minutes=st.sampled_from([None, None, 20, 60]),
    not_with=topics,
    rather_with=topics,
    heavy=st.sampled_from([None, 3]),
    member=st.sampled_from([None, *LISTENERS]),
    only=st.booleans(),
)
profiles = st.builds(
    Profile,
    languages=st.sampled_from([("en",), ("en", "pt-BR")]),
    lived=topics,
    not_topics=st.sampled_from([(), (), ("grief",)]),
    most_minutes=st.sampled_from([None, None, 30]),
    cap=st.integers(1, 6),
)
spans = st.one_of(
    st.integers(0, 10_000),
    st.integers(0, 60_000),
    st.sampled_from([15_000, 30_000, 60_000, 180_000, 300_000, 600_000, 3_600_000, DAY]),
)


def copy(state: ListeningState) -> ListeningState:
    """One that shares no table with it."""
    return ListeningState(
        version=state.version,
        seekers={**state.seekers},
        listeners={**state.listeners},
        sessions={**state.sessions},
        shares={**state.shares},
        waits=state.waits,
    )


def turn(seeker: Seeker) -> tuple[int, int, int, str]:
    """Whose turn is first, said once more and apart from the code: lost a listener, had fewer sessions today, asked
    earlier, smaller id."""
    if seeker.is_first:
        return (0, 0, seeker.asked_at, seeker.member)
    return (1, seeker.had, seeker.asked_at, seeker.member)


class ListeningModel(RuleBasedStateMachine):
    """Saves what is decided, as the store does, and judges each step as it is done."""

    def __init__(self) -> None:
        super().__init__()
        self.now = Millis(1_700_000_000_000)
        self.state = ListeningState()
        self.here: set[MemberId] = set()
        self.number = 0
        self.rooms: dict[SessionId, set[MemberId]] = {}
        self.closed: set[SessionId] = set()
        self.began: dict[MemberId, dict[SessionId, Millis]] = {}
        """The sessions of each member since they were last erased, but for those that somebody else spoiled."""

    def do(self, who: MemberId, command: ListeningAction) -> Decided | None:
        """As the store does it. A refusal changes nothing; sending again neither, wherever the id says that it can."""
        before = copy(self.state)
        try:
            decided = decide_and_apply_due(self.state, command, who, self.now, RULES)
        except Refusal as refusal:
            if refusal.reason not in EXPECTED:
                raise
            return None
        finally:
            assert self.state == before
        assert decided == decide_and_apply_due(self.state, command, who, self.now, RULES)
        self.save(decided)
        return decided

    def save(self, decided: Decided) -> None:
        before = self.state
        kept = copy(before)
        state = evolve_all(before, decided.events)
        assert before == kept
        one_by_one = before
        for event in decided.events:
            one_by_one = evolve(one_by_one, event)
            assert evolve(one_by_one, event) == one_by_one
        assert state == one_by_one == evolve_all(state, decided.events)
        waits = state.waits
        for effect in decided.effects:
            match effect:
                case on_floor.OpenSessionRoom(session=session, members=members):
                    assert session not in self.rooms
                    self.rooms[session] = set(members)
                case on_floor.AdmitToRoom(session=session, member=member):
                    assert session not in self.closed
                    self.rooms[session].add(member)
                case on_floor.ExpelFromRoom(session=session, member=member):
                    self.rooms[session].remove(member)
                case on_floor.CloseSessionRoom(session=session):
                    assert session in self.rooms
                    assert session not in self.closed
                    self.closed.add(session)
                case on_floor.DropRoom(session=session):
                    assert session in self.closed
                    del self.rooms[session]
                    self.closed.remove(session)
                case on_floor.NoteWait(asked_at=asked_at, met_at=met_at):
                    assert asked_at <= met_at
                    waits = (*waits, (asked_at, met_at))
                case _:
                    pass
        self.check_fairness(before, state)
        self.state = msgspec.structs.replace(state, waits=waits, version=state.version + bool(decided.events))

    def check_fairness(self, before: ListeningState, after: ListeningState) -> None:
        """Whoever was asked about, nobody before them could have met that listener at that moment."""
        for member, seeker in after.seekers.items():
            proposal = seeker.proposal
            if proposal is None or proposal == getattr(before.seekers.get(member), "proposal", None):
                continue
            listener = after.listeners[proposal.listener]
            assert may_meet(seeker, listener)
            assert proposal.made_at == self.now < proposal.deadline
            for other in after.seekers.values():
                if may_be_matched(other, self.now, RULES) and turn(other) < turn(seeker):
                    assert not may_meet(other, listener) or (
                        listener.member in other.refused_by and is_resting(other, self.now, RULES)
                    )
        for session_id, session in after.sessions.items():
            if session_id not in before.sessions:
                self.check_new_session(before, session)
            if session.ending in {Ending.LISTENER, Ending.LISTENER_GONE, Ending.STAFF, Ending.ERASED, Ending.BLOCKED}:
                self.began.get(session.seeker, {}).pop(session_id, None)

    def check_new_session(self, before: ListeningState, session: Session) -> None:
        listener = before.listeners[session.listeners[0]]
        assert pause_of(listener, self.now, RULES) is None
        live = sum(each.is_live and listener.member in each.listeners for each in before.sessions.values())
        assert live < cap_of(listener, RULES)
        assert before.seekers[session.seeker].session is None
        assert session.started_at < session.ends_at <= session.started_at + RULES.longest
        self.began.setdefault(session.seeker, {})[session.id] = session.started_at

    def see(self) -> None:
        """What every worker tells the store: who is connected."""
        state = self.state
        self.state = msgspec.structs.replace(
            state,
            seekers={
                member: msgspec.structs.replace(each, seen_at=max(each.seen_at, self.now))
                if member in self.here
                else each
                for member, each in state.seekers.items()
            },
            listeners={
                member: msgspec.structs.replace(each, seen_at=max(each.seen_at, self.now))
                if member in self.here
                else each
                for member, each in state.listeners.items()
            },
        )

    def apply_due(self) -> None:
        self.save(apply_due(self.state, self.now, RULES))
