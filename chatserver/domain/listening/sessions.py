"""What happens in a session: its beginning, extensions and colleagues, its end, what is said afterwards, and its
deletion.

Pure: time and ids arrive as arguments. Everything here writes to a `Changes`.
"""

from __future__ import annotations

import hashlib
from typing import Final, TypeVar

from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening import fair_shares, referrals
from chatserver.domain.listening.changes import Changes
from chatserver.domain.listening.commands import (
    AdmitToRoom,
    AnswerAskIn,
    AskIn,
    Block,
    CloseSessionRoom,
    DropWords,
    EndSession,
    ExpelFromRoom,
    Extend,
    Flag,
    KeepReport,
    NoteWait,
    OpenSessionRoom,
    ReportSession,
    SayNobody,
    Spoke,
    Typed,
)
from chatserver.domain.listening.matching import may_meet, may_take_one_more
from chatserver.domain.listening.rest_rules import after, came_to_nothing, declining, pause_of, spared, taking
from chatserver.domain.listening.state import (
    Asked,
    Ending,
    Left,
    Listener,
    ListeningRules,
    Seeker,
    Session,
    SessionId,
    Wish,
)

_T = TypeVar("_T")

MOST_LISTENERS: Final = 2
MOST_REPORTS: Final = 20
"""Reports of one person kept about one session; further ones say nothing new. One person cannot use up another's."""
MOST_WORDS: Final = 5
"""Come-back words that one session may lead to; beyond it the oldest become invalid."""
ROOM_NAME: Final = "One-to-one"

KEEPS_PLACE: Final = frozenset({Ending.LISTENER_GONE, Ending.STAFF, Ending.ERASED})
"""The listener was lost, and nobody wanted to end it: the seeker is first in the queue again."""


# ------------------------------------------------------------------------------------------------ beginning


def begin(
    changes: Changes, seeker: Seeker, listener: Listener, id: SessionId, now: Millis, rules: ListeningRules
) -> None:
    """Begin a session, because the listener has accepted, in a closed room of its own."""
    assert seeker.proposal is not None
    changes.set_session(
        Session(
            id=id,
            seeker=seeker.member,
            seeker_name=seeker.name,
            listeners=(listener.member,),
            names={listener.member: listener.name},
            wish=seeker.wish,
            asked_at=seeker.asked_at,
            started_at=now,
            ends_at=Millis(now + _length(seeker, listener, rules)),
            last_at=now,
            why=seeker.proposal.why,
        )
    )
    changes.set_listener(taking(listener, now))
    fair_shares.begun(changes, seeker, now)
    referrals.begun(changes, seeker)
    changes.set_seeker(
        replace(
            seeker,
            session=id,
            proposal=None,
            is_first=False,
            is_referred=False,
            lapsed_at=None,
            rests_until=None,
            network="",
            around=(),
            refused_by=frozenset(),
            refused_at=None,
        )
    )
    changes.effects.append(OpenSessionRoom(session=id, name=ROOM_NAME, members=(seeker.member, listener.member)))
    if not (seeker.is_first or seeker.is_referred or seeker.wish.only):
        # A seeker who lost a listener, was referred, or waited for a particular one says nothing about how long others
        # wait.
        changes.effects.append(NoteWait(asked_at=Millis(min(seeker.asked_at, now)), met_at=now))


def _length(seeker: Seeker, listener: Listener, rules: ListeningRules) -> int:
    wanted = rules.length if seeker.wish.minutes is None else seeker.wish.minutes * 60_000
    most = rules.longest if listener.profile.most_minutes is None else listener.profile.most_minutes * 60_000
    return min(wanted, most, rules.longest)


# ------------------------------------------------------------------------------------------------ during


def spoke(changes: Changes, command: Spoke, who: MemberId, now: Millis, rules: ListeningRules) -> SessionId:
    session = changes.own_session(command.session, who)
    spoken = session.spoken or who == session.seeker
    if session.is_live and (now > session.last_at or spoken is not session.spoken):
        last_at = Millis(max(now, session.last_at))
        changes.set_session(replace(session, last_at=last_at, warned=session.warned - {"idle"}, spoken=spoken))
    return session.id


def typed(changes: Changes, command: Typed, who: MemberId, now: Millis, rules: ListeningRules) -> SessionId:
    session = changes.own_session(command.session, who)
    if session.is_live and now > session.typed_at:
        changed = replace(session, typed_at=now)
        if changed.quiet_since(rules) > session.quiet_since(rules):
            changes.set_session(replace(changed, warned=session.warned - {"idle"}))
    return session.id


def extend(changes: Changes, command: Extend, who: MemberId, now: Millis, rules: ListeningRules) -> SessionId:
    """Add time, once the seeker and a listener both want it."""
    session = changes.live_session(command.session, who)
    if not command.on:
        changes.set_session(replace(session, extend_by=session.extend_by - {who}))
        return session.id
    latest = session.started_at + rules.longest
    if session.ends_at >= latest:
        raise Refusal(Reason.NO_MORE_TIME)
    wanted_by = session.extend_by | {who}
    if session.seeker in wanted_by and not wanted_by.isdisjoint(session.listeners):
        session = replace(
            session,
            ends_at=Millis(min(max(session.ends_at, now) + rules.extension, latest)),
            extended=session.extended + 1,
            extend_by=frozenset(),
            warned=session.warned - {"length"},
        )
    else:
        session = replace(session, extend_by=wanted_by)
    changes.set_session(replace(session, last_at=Millis(max(session.last_at, now))))
    return session.id


def ask_in(changes: Changes, command: AskIn, who: MemberId, now: Millis, rules: ListeningRules) -> SessionId:
    """Ask a colleague to join. Their seat is kept for them until they, or the seeker, have answered."""
    changes.own_listener(who)
    session = changes.live_session(command.session, who)
    if session.listeners[0] != who:
        raise Refusal(Reason.NOT_HOLDING)
    asked = Asked(listener=command.listener, by=who, is_handover=command.is_handover, made_at=now)
    before = session.asked
    if before is not None and (before.listener, before.is_handover) == (asked.listener, asked.is_handover):
        return session.id
    if command.listener in session.listeners and not command.is_handover:
        return session.id
    # The seat that an earlier question kept is free again.
    changes.set_session(replace(session, asked=None))
    if not _may_come_in(changes, session, asked, now, rules):
        raise Refusal(Reason.LISTENER_BUSY)
    names = {**session.names, asked.listener: changes.state.listeners[asked.listener].name}
    changes.set_session(replace(session, asked=asked, names=names))
    return session.id


def answer_ask_in(
    changes: Changes, command: AnswerAskIn, who: MemberId, now: Millis, rules: ListeningRules
) -> SessionId:
    """Handle the seeker's answer, then the colleague's; or take the question back."""
    session = changes.state.sessions.get(command.session)
    asked = None if session is None else session.asked
    if session is None or (who not in session.people and (asked is None or who != asked.listener)):
        raise Refusal(Reason.SESSION_UNKNOWN)
    if asked is None:
        # Answered already, or taken back. The people in the session see the result.
        return session.id
    if not command.yes:
        if who in {session.seeker, asked.by, asked.listener}:
            changes.set_session(replace(session, asked=None))
        return session.id
    if who == session.seeker and not asked.agreed:
        changes.set_session(replace(session, asked=replace(asked, agreed=True, made_at=now)))
    elif who == asked.listener:
        if not asked.agreed:
            raise Refusal(Reason.PROPOSAL_GONE)
        _come_in(changes, session, asked, now, rules)
    return session.id


def _may_come_in(changes: Changes, session: Session, asked: Asked, now: Millis, rules: ListeningRules) -> bool:
    colleague = changes.state.listeners.get(asked.listener)
    seeker = changes.state.seekers[session.seeker]
    if colleague is None or asked.listener == asked.by or not may_meet(_anybody(seeker), colleague):
        return False
    if asked.listener in session.listeners:
        return True
    has_seat = asked.is_handover or len(session.listeners) < MOST_LISTENERS
    return has_seat and may_take_one_more(changes.state, colleague, now, rules)


def _anybody(seeker: Seeker) -> Seeker:
    """Return a seeker who may meet any listener again: they met the one they waited for."""
    return replace(seeker, wish=replace(seeker.wish, only=False))


def _come_in(changes: Changes, session: Session, asked: Asked, now: Millis, rules: ListeningRules) -> None:
    colleague = changes.own_listener(asked.listener)
    session = replace(session, asked=None, last_at=Millis(max(session.last_at, now)))
    is_new = asked.listener not in session.listeners
    if is_new:
        if pause_of(colleague, now, rules) is not None:
            raise Refusal(Reason.LISTENER_BUSY)
        session = replace(
            session,
            listeners=(*session.listeners, asked.listener),
            names={**session.names, asked.listener: colleague.name},
            left=_but(session.left, asked.listener),
        )
        changes.set_listener(taking(colleague, now))
        changes.effects.append(AdmitToRoom(session=session.id, member=asked.listener))
    if asked.is_handover:
        others = tuple(member for member in session.listeners if member not in {asked.by, asked.listener})
        session = replace(session, listeners=(asked.listener, asked.by, *others))
        changes.set_session(session)
        leave(changes, session, asked.by, now, rules)
    else:
        changes.set_session(session)


def leave(changes: Changes, session: Session, member: MemberId, now: Millis, rules: ListeningRules) -> None:
    """Remove one of two listeners from the session; the other holds it."""
    session = changes.state.sessions[session.id]
    asked = session.asked
    changes.set_session(
        replace(
            session,
            listeners=tuple(other for other in session.listeners if other != member),
            extend_by=session.extend_by - {member},
            gone=_but(session.gone, member),
            left={**session.left, member: Left(at=now, flagged=session.flagged)},
            asked=None if asked is not None and member in {asked.by, asked.listener} else asked,
        )
    )
    changes.effects.append(ExpelFromRoom(session=session.id, member=member))
    _spare(changes, session, member, now, rules)


def flag(changes: Changes, command: Flag, who: MemberId, now: Millis, rules: ListeningRules) -> SessionId:
    """Mark a session as heavy. Once it is over that cannot be undone: otherwise the pause and the note would be removed
    with it."""
    changes.own_listener(who)
    session = changes.known_session(command.session, who)
    if who in session.left:
        return _flag_what_was_left(changes, session, command, who, rules)
    if session.flagged == command.on or who == session.seeker:
        return session.id
    if not session.is_live and not command.on:
        raise Refusal(Reason.SESSION_OVER)
    session = replace(session, flagged=command.on)
    changes.set_session(session)
    if session.ended_at is not None:
        for listener in session.listeners:
            _spare(changes, session, listener, session.ended_at, rules)
    return session.id


def _flag_what_was_left(
    changes: Changes, session: Session, command: Flag, who: MemberId, rules: ListeningRules
) -> SessionId:
    """Mark a session as heavy for a listener who has left it: what follows concerns them alone, and counts from when
    they left."""
    left = session.left[who]
    if left.flagged == command.on:
        return session.id
    if not command.on:
        raise Refusal(Reason.SESSION_OVER)
    changes.set_session(replace(session, left={**session.left, who: replace(left, flagged=True)}))
    _spare(changes, replace(session, flagged=True), who, left.at, rules)
    return session.id


def block(changes: Changes, command: Block, who: MemberId, now: Millis, rules: ListeningRules) -> SessionId:
    """Block the other person. The session ends, unless it is the second listener who leaves."""
    session = changes.own_session(command.session, who)
    others = frozenset(session.listeners) if who == session.seeker else {who}
    is_second = who in session.listeners[1:]
    # No words lead back to somebody who does not want to meet again, also none that were given already.
    changes.effects.extend(DropWords(words_hash=each) for each in session.words)
    again = session.again - {who} if is_second else frozenset()
    session = replace(session, again=again, words=(), blocked=session.blocked or not is_second)
    changes.set_session(session)
    if session.is_live:
        if is_second:
            leave(changes, session, who, now, rules)
        else:
            end(changes, session, Ending.BLOCKED, now, rules)
            if who == session.seeker and _is_brief(session, now, rules):
                # A seeker who met such a listener may ask again as if they had not.
                fair_shares.give_back(changes, session, to_network=False)
    seeker = changes.state.seekers.get(session.seeker)
    if seeker is not None:
        # They have asked again, or wait for another listener: never for this one.
        changes.set_seeker(replace(seeker, avoid=seeker.avoid | others))
    return session.id


def report(changes: Changes, command: ReportSession, who: MemberId, now: Millis, rules: ListeningRules) -> SessionId:
    """Keep a report. It is a call only if it comes from a listener of the session; otherwise it is an ordinary report.

    If a call is open already the store adds to it, so that calls need no memory here and a new one can be made after
    the answer.
    """
    session = changes.known_session(command.session, who)
    about = _meant(session, command.about, who)
    is_call = command.is_call and who in session.listeners
    if not is_call:
        key = _report_key(command, who)
        own = sum(other.startswith(_digest(who)) for other in session.reported)
        if key in session.reported or own >= MOST_REPORTS:
            return session.id
        changes.set_session(replace(session, reported=session.reported | {key}))
    changes.effects.append(
        KeepReport(
            session=session.id,
            by=who,
            about=None if is_call else about,
            reason=command.reason,
            note=command.note,
            is_call=is_call,
            at=now,
        )
    )
    return session.id


def _meant(session: Session, about: MemberId | None, who: MemberId) -> MemberId | None:
    """Return the member whom a report is about. With several listeners none is guessed: the posts show it. A listener's
    report is about the seeker, unless they name a colleague. Raises MEMBER_UNKNOWN."""
    met = [each for each in (*session.listeners, *session.left) if each != who]
    if about is None:
        return session.seeker if who != session.seeker else met[0] if len(met) == 1 else None
    if about == who or about not in (session.seeker, *met):
        raise Refusal(Reason.MEMBER_UNKNOWN)
    return about


def _report_key(command: ReportSession, who: MemberId) -> str:
    return _digest(who) + _digest("\0".join((command.reason, command.note, str(command.is_call), command.about or "")))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()


# ------------------------------------------------------------------------------------------------ the end


def end_session(changes: Changes, command: EndSession, who: MemberId, now: Millis, rules: ListeningRules) -> SessionId:
    """End the session, on either side's word. A second listener leaves alone."""
    session = changes.own_session(command.session, who)
    if session.is_live:
        if who in session.listeners[1:]:
            leave(changes, session, who, now, rules)
        else:
            end(changes, session, Ending.SEEKER if who == session.seeker else Ending.LISTENER, now, rules)
    return session.id


def say_nobody(changes: Changes, command: SayNobody, who: MemberId, now: Millis, rules: ListeningRules) -> SessionId:
    """End a session in which the seeker wrote nothing, because its listener says that nobody is there."""
    changes.own_listener(who)
    session = changes.own_session(command.session, who)
    if who == session.seeker:
        raise Refusal(Reason.SESSION_UNKNOWN)
    if session.is_live:
        if session.spoken:
            raise Refusal(Reason.NOT_NOBODY)
        if (wait := session.started_at + rules.nobody_after - now) > 0:
            raise Refusal(Reason.NOT_NOBODY, retry_after=wait / 1000)
        fair_shares.was_nobody(changes, session, now)
        end(changes, session, Ending.NOBODY, now, rules)
    return session.id


def end(changes: Changes, session: Session, ending: Ending, now: Millis, rules: ListeningRules) -> None:
    """End a live session. Its room closes; every listener gets the pause that is due; the seeker is removed, or first
    in the queue again if the listener was lost."""
    session = replace(
        session,
        ended_at=now,
        ending=ending,
        forget_at=Millis(now + rules.keep),
        asked=None,
        extend_by=frozenset(),
        gone={},
    )
    changes.set_session(session)
    changes.effects.append(CloseSessionRoom(session=session.id))
    for member in session.listeners:
        _spare(changes, session, member, now, rules)
    is_unused = ending is Ending.LISTENER and _is_brief(session, now, rules)
    is_declined = is_unused and not session.spoken and now - session.started_at < rules.nobody_after
    if is_declined and (holder := changes.state.listeners.get(session.listeners[0])) is not None:
        # Nobody could have written yet: it is as if the listener had not accepted, and is counted like declining.
        changes.set_listener(declining(holder, now))
    if ending in KEEPS_PLACE or is_declined or (is_unused and session.spoken):
        fair_shares.give_back(changes, session)
    seeker = changes.state.seekers.get(session.seeker)
    if seeker is None or seeker.session != session.id:
        return
    if ending in KEEPS_PLACE:
        changes.set_seeker(replace(seeker, session=None, is_first=True, asked_at=session.asked_at))
    else:
        changes.drop_seeker(seeker.member)


def lose_listener(
    changes: Changes, session: Session, member: MemberId, ending: Ending, now: Millis, rules: ListeningRules
) -> None:
    """Remove a listener who is lost. If there is another, that one holds the session."""
    if len(session.listeners) > 1:
        leave(changes, session, member, now, rules)
    else:
        end(changes, session, ending, now, rules)


def without(session: Session, member: MemberId) -> Session:
    """Return a session's record without the name, and the wishes, of an erased member."""
    names = {other: "" if other == member else name for other, name in session.names.items()}
    if member != session.seeker:
        return replace(session, names=names, again=session.again - {member}, left=_but(session.left, member))
    return replace(session, seeker_name="", wish=Wish(), heard=None, heavy_after=None, again=frozenset())


def _but(members: dict[MemberId, _T], member: MemberId) -> dict[MemberId, _T]:
    return {other: value for other, value in members.items() if other != member}


def _spare(changes: Changes, session: Session, member: MemberId, now: Millis, rules: ListeningRules) -> None:
    listener = changes.state.listeners.get(member)
    if listener is None:
        return
    if came_to_nothing(session, now, rules):
        changes.set_listener(spared(listener, session, now))
    else:
        changes.set_listener(after(listener, session, now, rules))


def _is_brief(session: Session, now: Millis, rules: ListeningRules) -> bool:
    return now - session.started_at < rules.brief


# ------------------------------------------------------------------------------------------------ afterwards
