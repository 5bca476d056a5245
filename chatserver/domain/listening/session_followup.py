"""What follows a session: feedback, another one with the same listener, come-back words, and its end as a record."""

from __future__ import annotations

from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.changes import Changes
from chatserver.domain.listening.commands import (
    DropRoom,
    DropWords,
    GiveFeedback,
    KeepFeedback,
    KeepWords,
    TakeWords,
    TalkAgain,
)
from chatserver.domain.listening.rest_rules import DAY
from chatserver.domain.listening.sessions import MOST_WORDS
from chatserver.domain.listening.state import (
    ListeningRules,
    Session,
    SessionId,
)


def give_feedback(
    changes: Changes, command: GiveFeedback, who: MemberId, now: Millis, rules: ListeningRules
) -> SessionId:
    """Kept with the session, and counted when that is forgotten: until then they may think again."""
    session = changes.own_session(command.session, who)
    if who != session.seeker:
        raise Refusal(Reason.SESSION_UNKNOWN)
    if session.is_live:
        raise Refusal(Reason.IN_SESSION)
    changes.set_session(replace(session, heard=command.heard, heavy_after=command.heavy))
    return session.id


def talk_again(changes: Changes, command: TalkAgain, who: MemberId, now: Millis, rules: ListeningRules) -> SessionId:
    """Private: the other learns of it only after saying it too."""
    session = changes.own_session(command.session, who)
    if session.is_live:
        raise Refusal(Reason.IN_SESSION)
    if not session.blocked:
        again = session.again | {who} if command.on else session.again - {who}
        changes.set_session(replace(session, again=again))
    return session.id


def take_words(changes: Changes, command: TakeWords, who: MemberId, now: Millis, rules: ListeningRules) -> SessionId:
    """Words that lead to the first listener who wants to talk again as well."""
    session = changes.own_session(command.session, who)
    listener = next((member for member in session.listeners if member in session.again), None)
    if who != session.seeker or who not in session.again or listener not in changes.state.listeners:
        raise Refusal(Reason.NO_WORDS_YET)
    assert listener is not None
    words = (*(each for each in session.words if each != command.words_hash), command.words_hash)
    changes.effects.extend(DropWords(words_hash=each) for each in words[:-MOST_WORDS])
    changes.set_session(replace(session, words=words[-MOST_WORDS:]))
    expires_at = Millis(now + rules.words_days * DAY)
    changes.effects.append(KeepWords(words_hash=command.words_hash, listener=listener, expires_at=expires_at))
    return session.id


def forget(changes: Changes, session: Session, now: Millis) -> None:
    """What was written, and who it was between, goes. What the seeker said of it stays, without either's name."""
    changes.drop_session(session.id)
    changes.effects.append(DropRoom(session=session.id))
    if session.heard is not None or session.heavy_after is not None:
        changes.effects.append(
            KeepFeedback(
                heard=session.heard,
                heavy_before=session.wish.heavy,
                heavy_after=session.heavy_after,
                at=session.ended_at or now,
            )
        )
