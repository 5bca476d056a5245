"""The rules that protect listeners: pauses, cool-downs, debriefs and caps. Enforced here, not advised.

Pure.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.state import Listener, ListeningRules, ListeningState, Pause, Session

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
NEVER: Final = Millis(2**53)
"""Later than every other time."""


class ListenerState(StrEnum):
    """The state of a listener, in one word."""

    PRACTICE = "practice"
    AWAY = "away"
    FREE = "free"
    BUSY = "busy"
    PAUSED = "paused"


def pause_of(listener: Listener, now: Millis, rules: ListeningRules) -> tuple[Pause, Millis | None] | None:
    """Return why a listener gets nobody now and until when; None if nothing prevents it. A debrief ends only with its
    note. If several reasons apply, the one that ends last. Use this for display: the record's own fields ignore caps
    and debriefs."""
    if listener.owes is not None:
        return Pause.DEBRIEF, None
    reasons = [
        (until, pause)
        for until, pause in (
            (_cap_ends_at(listener.taken, WEEK, rules.sessions_a_week), Pause.WEEK_CAP),
            (_cap_ends_at(listener.taken, DAY, rules.sessions_a_day), Pause.DAY_CAP),
            (_cap_ends_at(listener.declined, HOUR, rules.declines_an_hour), Pause.DECLINES),
            (listener.paused_until, listener.pause or Pause.AFTER_SESSION),
        )
        if until is not None and until > now
    ]
    if not reasons:
        return None
    until, pause = max(reasons)
    return pause, until


def room_to_take(listener: Listener, now: Millis, rules: ListeningRules) -> int:
    """Return how many more sessions the caps of a day and a week leave."""
    return min(
        rules.sessions_a_day - taken_today(listener, now), rules.sessions_a_week - taken_this_week(listener, now)
    )


def taken_today(listener: Listener, now: Millis) -> int:
    """Return the number of sessions begun in the last 24 hours."""
    return sum(at > now - DAY for at in listener.taken)


def taken_this_week(listener: Listener, now: Millis) -> int:
    """Return the number of sessions begun in the last seven days."""
    return sum(at > now - WEEK for at in listener.taken)


def cap_of(listener: Listener, rules: ListeningRules) -> int:
    """Return the most sessions that a listener may have at once."""
    return max(1, min(listener.profile.cap, rules.most_cap))


def is_here(listener: Listener, now: Millis, rules: ListeningRules) -> bool:
    """Return whether a listener is there and wants to listen, busy or not."""
    return (
        listener.wants
        and listener.ready_at is not None
        and now - listener.active_at < rules.lease
        and _is_connected(listener, now, rules)
    )


def _is_connected(listener: Listener, now: Millis, rules: ListeningRules) -> bool:
    return now - listener.seen_at < rules.reachable


def state_of(state: ListeningState, listener: Listener, now: Millis, rules: ListeningRules) -> ListenerState:
    """Return a listener's state, for themselves. A listener with a proposal is still free. For others see `states`."""
    live = sum(session.ended_at is None and listener.member in session.listeners for session in state.sessions.values())
    return _state(listener, live, now, rules, is_there=True)


def states(state: ListeningState, now: Millis, rules: ListeningRules) -> dict[MemberId, ListenerState]:
    """Return every listener's state, for others: a listener who is not connected is away, whatever they want."""
    live = Counter(
        member for session in state.sessions.values() if session.ended_at is None for member in session.listeners
    )
    return {
        member: _state(each, live[member], now, rules, is_there=_is_connected(each, now, rules))
        for member, each in state.listeners.items()
    }


def _state(listener: Listener, live: int, now: Millis, rules: ListeningRules, *, is_there: bool) -> ListenerState:
    if listener.ready_at is None:
        return ListenerState.PRACTICE
    if not listener.wants or not is_there:
        return ListenerState.AWAY
    if pause_of(listener, now, rules) is not None:
        return ListenerState.PAUSED
    return ListenerState.BUSY if live >= cap_of(listener, rules) else ListenerState.FREE


def taking(listener: Listener, now: Millis) -> Listener:
    """Return a listener who begins a session."""
    return msgspec.structs.replace(listener, taken=(*(at for at in listener.taken if at > now - WEEK), now), ignored=0)


def declining(listener: Listener, now: Millis) -> Listener:
    """Return a listener who declines a proposal, or lets it lapse. It is counted, so that nobody looks through all who
    wait."""
    return msgspec.structs.replace(listener, declined=(*(at for at in listener.declined if at > now - DAY), now))


def declined_within(listener: Listener, span: int, now: Millis) -> int:
    """Return how many proposals a listener declined or let lapse in the last `span` milliseconds, at most a day."""
    return sum(at > now - span for at in listener.declined)


def came_to_nothing(session: Session, now: Millis, rules: ListeningRules) -> bool:
    """Return whether a session that ends at `now` costs its listeners neither a pause nor a part of their caps: it was
    over within `rules.brief`, or the seeker wrote nothing at all. A session that a listener marked as heavy always
    costs."""
    return not session.flagged and (not session.spoken or now - session.started_at < rules.brief)


def spared(listener: Listener, session: Session, now: Millis) -> Listener:
    """Return a listener whose part in a session that came to nothing is over: free at once, as if they had not taken
    it."""
    taken = [*listener.taken]
    began = next((at for at in taken if at >= session.started_at), None)
    if began is not None:
        taken.remove(began)
    return msgspec.structs.replace(listener, since=now, taken=tuple(taken))


def after(listener: Listener, session: Session, now: Millis, rules: ListeningRules) -> Listener:
    """Return a listener whose part in a session is over: they get a pause, and after a heavy session a longer one and a
    note to write. One note is enough for all that were heavy since the last."""
    if session.flagged:
        listener = msgspec.structs.replace(listener, owes=listener.owes or session.id)
    until = Millis(now + (rules.cool_down if session.flagged else rules.pause))
    if until <= now or until <= (listener.paused_until or 0):
        return msgspec.structs.replace(listener, since=now)
    pause = Pause.COOL_DOWN if session.flagged else Pause.AFTER_SESSION
    return msgspec.structs.replace(listener, since=now, paused_until=until, pause=pause)


def rested(listener: Listener, now: Millis) -> Listener:
    """Return a listener whose pause may be over."""
    if listener.paused_until is None or listener.paused_until > now:
        return listener
    return msgspec.structs.replace(listener, paused_until=None, pause=None, since=now)


def cap_ends_after(listener: Listener, now: Millis, rules: ListeningRules) -> Millis | None:
    """Return when the caps, including that of declining, will next allow one more session; None if they do now."""
    ends = max(
        _cap_ends_at(listener.taken, WEEK, rules.sessions_a_week) or 0,
        _cap_ends_at(listener.taken, DAY, rules.sessions_a_day) or 0,
        _cap_ends_at(listener.declined, HOUR, rules.declines_an_hour) or 0,
    )
    return Millis(ends) if ends > now else None


def _cap_ends_at(taken: tuple[Millis, ...], span: int, most: int) -> Millis | None:
    """Return when fewer than `most` of these times lie within the last `span`."""
    if most <= 0:
        return NEVER
    if len(taken) < most:
        return None
    return Millis(sorted(taken)[-most] + span)
