"""Counts of broken invariants of a listening state, for metrics and tests.

Pure.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.listening.company import Company
from chatserver.domain.listening.matching import loads, next_proposals
from chatserver.domain.listening.rest_rules import cap_of, pause_of, taken_this_week, taken_today
from chatserver.domain.listening.state import Listener, ListeningRules, ListeningState, Proposal, Seeker, Session

_LATE: Final = 10_000
"""Milliseconds by which something may be overdue: the workers responsible wake now and then, and are sometimes
killed."""


class BrokenInvariants(msgspec.Struct, frozen=True, kw_only=True):
    """How many times each promise is broken. All counts are 0 in a state in which everything due was just carried
    out."""

    shared_sessions: int = 0
    """Live sessions that do not have exactly one seeker."""
    double_seekers: int = 0
    """Seekers who are in more than one live session."""
    over_cap: int = 0
    """Listeners with more sessions and proposals at once than they may have."""
    over_day_cap: int = 0
    over_week_cap: int = 0
    in_pause: int = 0
    """Listeners who have a proposal during a pause."""
    double_proposals: int = 0
    """Listeners who have proposals of more than one seeker at a time."""
    orphans: int = 0
    """Places and sessions whose people have been away far longer than the grace, and sessions without anybody."""
    late_proposals: int = 0
    """Proposals that are past their deadline."""
    stale: int = 0
    """Ended sessions that should have been forgotten."""
    wrong_seats: int = 0
    """Seats in companies of people who do not wait, of one person twice, beyond what there are, or beside somebody
    between whom and them there is a block."""
    unhosted_voices: int = 0
    """Companies in which people may write although no host was seen."""
    idle: int = 0
    """Eligible listeners without a proposal although somebody waits whom they could take."""
    idle_ms: int = 0
    """For how many milliseconds the longest of them has waited, as far as the state tells."""

    @property
    def broken(self) -> int:
        """Return the sum of all, except `idle`, which may last for a moment."""
        return sum(getattr(self, name) for name in PROMISES)


PROMISES = tuple(name for name in BrokenInvariants.__struct_fields__ if not name.startswith("idle"))


def check_invariants(state: ListeningState, now: Millis, rules: ListeningRules) -> BrokenInvariants:
    """Count what does not hold at `now`."""
    live = [session for session in state.sessions.values() if session.is_live]
    seats = loads(state)
    asked = Counter(seeker.proposal.listener for seeker in state.seekers.values() if seeker.proposal is not None)
    listeners = state.listeners.values()
    idle = next_proposals(state, now, rules)
    return BrokenInvariants(
        shared_sessions=_shared_sessions(state, live),
        double_seekers=sum(count > 1 for count in Counter(session.seeker for session in live).values()),
        over_cap=sum(_is_over_cap(each, seats[each.member], asked[each.member], rules) for each in listeners),
        over_day_cap=sum(taken_today(each, now) > rules.sessions_a_day for each in listeners),
        over_week_cap=sum(taken_this_week(each, now) > rules.sessions_a_week for each in listeners),
        in_pause=sum(bool(asked[each.member]) and pause_of(each, now, rules) is not None for each in listeners),
        double_proposals=sum(count > 1 for count in asked.values()),
        orphans=_orphans(state, live, now, rules),
        late_proposals=sum(
            seeker.proposal is not None and now >= seeker.proposal.deadline + _LATE for seeker in state.seekers.values()
        ),
        stale=sum(
            session.forget_at is not None and now >= session.forget_at + _LATE for session in state.sessions.values()
        ),
        wrong_seats=_wrong_seats(state, rules),
        unhosted_voices=sum(
            company.is_live
            and company.quiet_at is None
            and now - _host_seen(state, company) >= rules.company.host_grace + _LATE
            for company in state.companies.values()
        ),
        idle=len(idle),
        idle_ms=max((_idle_ms(state, seeker, proposal, now) for seeker, proposal in idle), default=0),
    )


def _wrong_seats(state: ListeningState, rules: ListeningRules) -> int:
    live = [company for company in state.companies.values() if company.is_live]
    seats = Counter(seat.member for company in live for seat in company.seats)
    waiting = {each.member for each in state.seekers.values() if each.session is None and each.lapsed_at is None}
    twice = sum(count > 1 for count in seats.values()) + sum(member not in waiting for member in seats)
    too_many = sum(len(company.seats) > rules.company.seats for company in live)
    apart = sum(not seat.avoid.isdisjoint(company.people) for company in live for seat in company.seats)
    return twice + too_many + apart


def _host_seen(state: ListeningState, company: Company) -> Millis:
    host = None if company.host is None else state.hosts.get(company.host)
    return Millis(0) if host is None else host.seen_at


def _shared_sessions(state: ListeningState, live: list[Session]) -> int:
    """Return the live sessions whose seeker is missing, and seekers whose session does not exist."""
    theirs = {session.id: session.seeker for session in live}
    inside = {seeker.session: member for member, seeker in state.seekers.items() if seeker.session is not None}
    strangers = sum(
        seeker.session is not None and theirs.get(seeker.session) != member for member, seeker in state.seekers.items()
    )
    return strangers + sum(session not in inside for session in theirs)


def _is_over_cap(listener: Listener, seats: int, asked: int, rules: ListeningRules) -> bool:
    """Return whether a listener has more than their cap. One who lowers their cap keeps their sessions, and gets no
    more."""
    return seats > rules.most_cap or (asked > 0 and seats > cap_of(listener, rules))


def _orphans(state: ListeningState, live: list[Session], now: Millis, rules: ListeningRules) -> int:
    away = sum(
        seeker.session is None
        and now - seeker.seen_at >= rules.grace + _LATE
        and (seeker.lapsed_at is None or now - seeker.lapsed_at >= rules.grace + _LATE)
        for seeker in state.seekers.values()
    )
    left = sum(
        any(
            now - seen_at >= rules.session_grace + _LATE
            for seen_at in (
                *(each.seen_at for each in [state.seekers.get(session.seeker)] if each is not None),
                *(each.seen_at for each in map(state.listeners.get, session.listeners) if each is not None),
            )
        )
        or not session.listeners
        or any(member not in state.listeners for member in session.listeners)
        for session in live
    )
    return away + left


def _idle_ms(state: ListeningState, seeker: Seeker, proposal: Proposal, now: Millis) -> int:
    free_since = state.listeners[proposal.listener].since
    return max(0, now - max(seeker.asked_at, free_since, seeker.refused_at or 0, seeker.rests_until or 0))
