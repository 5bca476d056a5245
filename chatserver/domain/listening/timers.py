"""What time and fairness demand of the listening state, and when they will next demand anything.

Pure. The same rules are read in two ways: `apply_due_changes` carries out what is due, `next_due` says when something
will be. Every time at which one acts must be known to the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening import fair_shares, session_followup, sessions
from chatserver.domain.listening.changes import Changes
from chatserver.domain.listening.company_rules import apply_due_to_companies, moments_of_companies
from chatserver.domain.listening.matching import is_resting, loads, may_meet, next_proposals
from chatserver.domain.listening.rest_rules import cap_ends_after, cap_of, declining, is_here, pause_of, rested
from chatserver.domain.listening.state import Ending, Listener, ListeningRules, ListeningState, Seeker, Session


def apply_due_changes(changes: Changes, now: Millis, rules: ListeningRules) -> None:
    """Carry out everything that is due. Later parts see what earlier parts did, and none undoes what one before it did:
    doing it again changes nothing."""
    for session in [*changes.state.sessions.values()]:
        _apply_due_to_session(changes, session, now, rules)
    for listener in [*changes.state.listeners.values()]:
        _apply_due_to_listener(changes, listener, now, rules)
    seats = loads(changes.state)
    for seeker in [*changes.state.seekers.values()]:
        if seeker.session is not None:
            continue
        if _is_gone_for_good(seeker, now, rules):
            changes.drop_seeker(seeker.member)
        elif _lapses(seeker, now, rules):
            changes.set_seeker(replace(seeker, lapsed_at=now, proposal=None))
        elif seeker.proposal is not None:
            _apply_due_to_proposal(changes, seeker, seats, now, rules)
    for share in [*changes.state.shares.values()]:
        if fair_shares.expires_at(share) <= now:
            changes.drop_share(share.id)
    for seeker, proposal in next_proposals(changes.state, now, rules):
        changes.set_seeker(replace(seeker, proposal=proposal))
    apply_due_to_companies(changes, now, rules)


def next_due(state: ListeningState, now: Millis, rules: ListeningRules) -> Millis | None:
    """Return the earliest time at which `apply_due_changes` would do anything; `now` if it would already."""
    due = min(_moments(state, now, rules), default=None)
    if (due is None or due > now) and next_proposals(state, now, rules):
        return now
    return due


def refused(seeker: Seeker, now: Millis) -> Seeker:
    """Return a seeker whom a listener declined, or whose proposal lapsed."""
    assert seeker.proposal is not None
    return replace(seeker, proposal=None, refused_by=seeker.refused_by | {seeker.proposal.listener}, refused_at=now)


def _moments(state: ListeningState, now: Millis, rules: ListeningRules) -> Iterator[Millis]:
    for session in state.sessions.values():
        yield from _moments_of_session(state, session, now, rules)
    for listener in state.listeners.values():
        if listener.paused_until is not None:
            yield listener.paused_until
        if listener.wants:
            yield Millis(listener.active_at + rules.lease)
            if (cap_ends := cap_ends_after(listener, now, rules)) is not None:
                yield cap_ends
    for seeker in state.seekers.values():
        if seeker.session is not None:
            continue
        if seeker.lapsed_at is not None:
            yield Millis(seeker.lapsed_at + rules.grace)
            continue
        yield Millis(seeker.seen_at + rules.grace)
        if seeker.proposal is not None:
            yield seeker.proposal.deadline
            yield Millis(seeker.seen_at + rules.reachable)
            listener_asked = state.listeners.get(seeker.proposal.listener)
            if not _may_stay_asked(seeker, listener_asked, now, rules):
                yield now
            elif listener_asked is not None:
                yield Millis(listener_asked.seen_at + rules.reachable)
        elif is_resting(seeker, now, rules):
            assert seeker.refused_at is not None
            yield Millis(seeker.refused_at + rules.ask_again)
        if seeker.rests_until is not None and seeker.rests_until > now:
            yield seeker.rests_until
    for share in state.shares.values():
        yield fair_shares.expires_at(share)
    yield from moments_of_companies(state, now, rules)


# ------------------------------------------------------------------------------------------------ sessions


def _apply_due_to_session(changes: Changes, session: Session, now: Millis, rules: ListeningRules) -> None:
    if session.ended_at is not None:
        if session.forget_at is not None and session.forget_at <= now:
            session_followup.forget(changes, session, now)
        return
    for member in session.listeners:
        if now - _listener_seen(changes.state, member) >= rules.session_grace:
            sessions.lose_listener(
                changes, changes.state.sessions[session.id], member, Ending.LISTENER_GONE, now, rules
            )
    session = changes.state.sessions[session.id]
    if not session.is_live:
        return
    if now - _seeker_seen(changes.state, session) >= rules.session_grace:
        sessions.end(changes, session, Ending.SEEKER_GONE, now, rules)
    elif session.ends_at <= now:
        sessions.end(changes, session, Ending.LENGTH, now, rules)
    elif now - session.quiet_since(rules) >= rules.idle:
        sessions.end(changes, session, Ending.IDLE, now, rules)
    elif (told := _told(changes.state, session, now, rules)) is not session:
        changes.set_session(told)


def _moments_of_session(
    state: ListeningState, session: Session, now: Millis, rules: ListeningRules
) -> Iterator[Millis]:
    if session.ended_at is not None:
        if session.forget_at is not None:
            yield session.forget_at
        return
    if _told(state, session, now, rules) is not session:
        yield now
    for seen_at in (_seeker_seen(state, session), *(_listener_seen(state, each) for each in session.listeners)):
        yield Millis(seen_at + (rules.reachable if now - seen_at < rules.reachable else rules.session_grace))
        yield Millis(seen_at + rules.session_grace)
    yield session.ends_at
    yield Millis(session.quiet_since(rules) + rules.idle)
    if "length" not in session.warned:
        yield Millis(session.ends_at - rules.warning)
    if "idle" not in session.warned:
        yield Millis(session.quiet_since(rules) + _idle_warning(rules))
    if session.asked is not None:
        yield Millis(session.asked.made_at + 2 * rules.proposal)


def _told(state: ListeningState, session: Session, now: Millis, rules: ListeningRules) -> Session:
    """Return a session with its missing people, its warnings, and whether its question to a colleague still stands. The
    same object if nothing changed."""
    gone: dict[MemberId, Millis] = {}
    for member in session.people:
        seen_at = _seeker_seen(state, session) if member == session.seeker else _listener_seen(state, member)
        if now - seen_at >= rules.reachable:
            gone[member] = seen_at
    warned = set()
    if now >= session.ends_at - rules.warning:
        warned.add("length")
    if now - session.quiet_since(rules) >= _idle_warning(rules):
        warned.add("idle")
    asked = session.asked
    if asked is not None and now - asked.made_at >= 2 * rules.proposal:
        asked = None
    if gone == session.gone and warned == session.warned and asked is session.asked:
        return session
    return replace(session, gone=gone, warned=frozenset(warned), asked=asked)


def _idle_warning(rules: ListeningRules) -> int:
    return rules.idle - rules.idle // 5


def _seeker_seen(state: ListeningState, session: Session) -> Millis:
    seeker = state.seekers.get(session.seeker)
    return Millis(0) if seeker is None or seeker.session != session.id else seeker.seen_at


def _listener_seen(state: ListeningState, member: MemberId) -> Millis:
    listener = state.listeners.get(member)
    return Millis(0) if listener is None else listener.seen_at


# ------------------------------------------------------------------------------------------------ listeners


def _apply_due_to_listener(changes: Changes, listener: Listener, now: Millis, rules: ListeningRules) -> None:
    updated = rested(listener, now)
    if updated.wants and now - updated.active_at >= rules.lease:
        updated = replace(updated, wants=False)
    if updated is not listener:
        changes.set_listener(updated)


# ------------------------------------------------------------------------------------------------ seekers


def _is_gone_for_good(seeker: Seeker, now: Millis, rules: ListeningRules) -> bool:
    return seeker.lapsed_at is not None and now - seeker.lapsed_at >= rules.grace


def _lapses(seeker: Seeker, now: Millis, rules: ListeningRules) -> bool:
    return seeker.lapsed_at is None and now - seeker.seen_at >= rules.grace


def _apply_due_to_proposal(
    changes: Changes, seeker: Seeker, seats: Mapping[MemberId, int], now: Millis, rules: ListeningRules
) -> None:
    assert seeker.proposal is not None
    listener = changes.state.listeners.get(seeker.proposal.listener)
    if (
        listener is None
        or not _may_stay_asked(seeker, listener, now, rules)
        or now - seeker.seen_at >= rules.reachable
        or seats[listener.member] > cap_of(listener, rules)
    ):
        # No listener let the proposal lapse: they are as they were before it.
        changes.set_seeker(replace(seeker, proposal=None))
    elif seeker.proposal.deadline <= now:
        changes.set_seeker(refused(seeker, now))
        ignored = listener.ignored + 1
        changes.set_listener(
            replace(
                declining(listener, now),
                ignored=ignored,
                wants=listener.wants and ignored < rules.most_ignored,
                since=now,
            )
        )


def _may_stay_asked(seeker: Seeker, listener: Listener | None, now: Millis, rules: ListeningRules) -> bool:
    return (
        listener is not None
        and is_here(listener, now, rules)
        and pause_of(listener, now, rules) is None
        and may_meet(seeker, listener)
    )
