"""What is recorded of the queue for the simulator: when somebody asked and how that ended, and when somebody listened.

Pure. It holds no identities: no ids, no topics, no languages, and every time is rounded to GRAIN.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.commands import ListenerLeft, ListenerSet, ListeningEvent, SeekerLeft, SessionSet
from chatserver.domain.listening.state import ListeningState, Seeker, Session

GRAIN: Final = 10_000
"""Milliseconds to which times are rounded."""


class WaitOutcome(StrEnum):
    """How a wait ended."""

    MET = "met"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class Wait(msgspec.Struct, frozen=True):
    """Somebody asked, and at `ended_at` met a listener or left the queue. `length` is how long they then talked, in
    milliseconds; None for seekers who met nobody."""

    asked_at: Millis
    ended_at: Millis
    outcome: WaitOutcome
    length: int | None


class Span(msgspec.Struct, frozen=True):
    """Somebody listened, from `start` until `end`, to up to `cap` people at once."""

    start: Millis
    end: Millis
    cap: int


class Recorded(msgspec.Struct, frozen=True):
    """Some days as they were recorded. Spans that are not over yet end at the moment of reading."""

    waits: tuple[Wait, ...]
    spans: tuple[Span, ...]


def rounded(at: int) -> Millis:
    """Return the nearest moment that is kept."""
    return Millis((at + GRAIN // 2) // GRAIN * GRAIN)


def noted(before: ListeningState, events: Iterable[ListeningEvent], now: Millis) -> list[Wait | Span]:
    """Return what one commit completes. A wait that led to a session is recorded once that is over: only then is its
    length known."""
    found: list[Wait | Span] = []
    for event in events:
        match event:
            case SessionSet(session=session):
                found.extend(_session_over(before.sessions.get(session.id), session))
            case SeekerLeft(member=member):
                found.extend(_left(before.seekers.get(member), now))
            case ListenerSet(listener=listener):
                if not listener.wants:
                    found.extend(_span(before, listener.member, now))
            case ListenerLeft(member=member):
                found.extend(_span(before, member, now))
            case _:
                pass
    return found


def open_spans(state: ListeningState, now: Millis) -> list[Span]:
    """Return the spans of the listeners who listen at this moment."""
    return [span for member in state.listeners for span in _span(state, member, now)]


def _session_over(before: Session | None, after: Session) -> list[Wait | Span]:
    if before is None or not before.is_live or after.ended_at is None:
        return []
    if after.wish.only or not {"lost_listener", "referred"}.isdisjoint(after.why):
        # As with `NoteWait`: they say nothing about how long others wait. A seeker who lost a listener was recorded the
        # first time.
        return []
    length = rounded(max(0, after.ended_at - after.started_at))
    return [Wait(rounded(min(after.asked_at, after.started_at)), rounded(after.started_at), WaitOutcome.MET, length)]


def _left(seeker: Seeker | None, now: Millis) -> list[Wait | Span]:
    if seeker is None or seeker.session is not None or seeker.is_first or seeker.is_referred or seeker.wish.only:
        return []
    outcome, at = (WaitOutcome.WITHDRAWN, now) if seeker.lapsed_at is None else (WaitOutcome.LAPSED, seeker.lapsed_at)
    return [Wait(rounded(min(seeker.asked_at, at)), rounded(at), outcome, None)]


def _span(state: ListeningState, member: MemberId, now: Millis) -> list[Span]:
    listener = state.listeners.get(member)
    if listener is None or not listener.wants or listener.wanted_at is None:
        return []
    span = Span(rounded(listener.wanted_at), rounded(now), listener.profile.cap)
    return [span] if span.start < span.end else []
