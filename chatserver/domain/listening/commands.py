"""The commands, events and effects of listening.

Pure: types only. Every command may be sent again: if its result already holds it is not refused and changes nothing.
"""

from __future__ import annotations

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.listening.company_commands import CompanyAction, CompanyEffect, CompanyEvent
from chatserver.domain.listening.state import FairShare, Listener, Profile, Seeker, Session, SessionId, Wish


class _Struct(msgspec.Struct, frozen=True, kw_only=True):
    pass


# Commands of a seeker. The member who asks is an argument of `decide`.


class Ask(_Struct, frozen=True, kw_only=True):
    """Take a place in the queue. Asking again while waiting changes the wish and keeps the place.

    `avoid` are the members between whom and the seeker there is a block, loaded by the caller. `name` is the seeker's
    name. `network` is the keyed hash of the address that they ask from, in hexadecimal, empty if unknown; `around` are
    those of the wider networks around it, narrowest first; `allowance` multiplies what one network may have. Raises
    LISTENING_CLOSED outside the hours (`is_open`), IN_SESSION while a session of theirs is live, and SESSIONS_USED or
    PLACES_USED if they, or their network, had their share.
    """

    name: str
    wish: Wish
    avoid: frozenset[MemberId]
    is_open: bool
    network: str = ""
    around: tuple[str, ...] = ()
    allowance: int = 1


class OfferFirst(_Struct, frozen=True, kw_only=True):
    """Keep the head of the queue for a member of a meeting, to whom its host offers it. Raises LISTENING_CLOSED, and
    OFFERED_ALREADY."""

    member: MemberId
    is_open: bool


class GiveUpPlace(_Struct, frozen=True, kw_only=True):
    """Leave the queue."""


class TakePlaceBack(_Struct, frozen=True, kw_only=True):
    """Take back a lapsed place, where it was. Raises PLACE_GONE if it no longer exists."""


class GiveFeedback(_Struct, frozen=True, kw_only=True):
    """Say after the end, privately, whether they felt heard (0, 1, 2), and how heavy it is now (1 to 5). Raises
    SESSION_UNKNOWN."""

    session: SessionId
    heard: int | None
    heavy: int | None


# Commands of a listener. Raises NOT_LISTENER if the member is not a listener.


class SetProfile(_Struct, frozen=True, kw_only=True):
    """Set what a listener takes on. The cap is limited to `ListeningRules.most_cap`."""

    profile: Profile


class SetAvailable(_Struct, frozen=True, kw_only=True):
    """Turn listening on or off. Raises NOT_READY before the readiness check."""

    on: bool


class StillHere(_Struct, frozen=True, kw_only=True):
    """Say that the listener did something: the lease begins anew."""


class Accept(_Struct, frozen=True, kw_only=True):
    """Accept the proposal of this seeker. `session` is the id that the session gets. Raises PROPOSAL_GONE if another
    listener answered it, or it was withdrawn or has lapsed."""

    seeker: MemberId
    session: SessionId


class Decline(_Struct, frozen=True, kw_only=True):
    seeker: MemberId


class SayNobody(_Struct, frozen=True, kw_only=True):
    """Say that no first word came: the session ends, costs its listener nothing, and is counted for the seeker. Raises
    NOT_NOBODY if the seeker wrote, or (with `retry_after`) before `ListeningRules.nobody_after`."""

    session: SessionId


class MarkReady(_Struct, frozen=True, kw_only=True):
    """Note that the readiness check was passed."""


class WriteDebrief(_Struct, frozen=True, kw_only=True):
    """Write the note to a supervisor, about the listener, that is due after a heavy session. Raises SESSION_UNKNOWN."""

    session: SessionId
    note: str


# Commands of either side of a session. They raise SESSION_UNKNOWN for a session that the member is not in, and
# SESSION_OVER for one that is no longer live (if that matters).


class EndSession(_Struct, frozen=True, kw_only=True):
    session: SessionId


class Extend(_Struct, frozen=True, kw_only=True):
    """Ask for, or agree to, more time; `on` False takes it back. Raises NO_MORE_TIME at the longest session."""

    session: SessionId
    on: bool


class TalkAgain(_Struct, frozen=True, kw_only=True):
    """Say privately, after the end: I would like to talk with this person again."""

    session: SessionId
    on: bool


class TakeWords(_Struct, frozen=True, kw_only=True):
    """Give the seeker come-back words, once both said that they would talk again: they are stored under this hash
    (KeepWords), for the first listener who said so. Raises NO_WORDS_YET before that. Asking again stores further
    words."""

    session: SessionId
    words_hash: bytes


class Flag(_Struct, frozen=True, kw_only=True):
    """Mark a session as heavy: a cool-down and a debrief follow its end. If the listener has left the session, they
    follow for that listener alone, at once."""

    session: SessionId
    on: bool


class AskIn(_Struct, frozen=True, kw_only=True):
    """Ask a colleague to join, or to take over; only the holding listener may. Raises NOT_HOLDING, LISTENER_BUSY."""

    session: SessionId
    listener: MemberId
    is_handover: bool


class AnswerAskIn(_Struct, frozen=True, kw_only=True):
    """Answer for the seeker, then for the colleague. The listener who asked can also take the question back."""

    session: SessionId
    yes: bool


class Block(_Struct, frozen=True, kw_only=True):
    """Never meet this person again. Ends the session at once. The caller also mutes them."""

    session: SessionId


class ReportSession(_Struct, frozen=True, kw_only=True):
    """Tell the moderators, with the last posts as they stand. `is_call` is the listener's silent call for help.

    `about` is the member it is about: for a seeker one of their listeners, also one who left; for a listener the
    seeker, or a colleague who was there. If a seeker gives none it is the listener, if there was only one. Raises
    MEMBER_UNKNOWN for somebody with whom they did not talk there. Also accepted from a listener who left.
    """

    session: SessionId
    reason: str
    note: str
    is_call: bool = False
    about: MemberId | None = None


class Spoke(_Struct, frozen=True, kw_only=True):
    """Note that somebody wrote in it: the idle limit counts anew. Worth sending at most twice a minute for each
    session."""

    session: SessionId


class Typed(_Struct, frozen=True, kw_only=True):
    """Note that somebody is typing in it: the idle limit counts anew, within bounds. Worth sending as seldom as
    `Spoke`."""

    session: SessionId


# Commands of the service itself (`who` is not used).


class ApplyDue(_Struct, frozen=True, kw_only=True):
    """Carry out what is due because time has passed."""


class Hire(_Struct, frozen=True, kw_only=True):
    """Note that a staff member who listens signed in, or changed their name."""

    person: Person


class Dismiss(_Struct, frozen=True, kw_only=True):
    """Remove a member who was erased, or whose listener account was revoked."""

    member: MemberId
    is_erased: bool


class StepOut(_Struct, frozen=True, kw_only=True):
    """Remove a listener from every session, because their account was given back by a link whose user need not be its
    owner. They keep everything else."""

    member: MemberId


class KeepApart(_Struct, frozen=True, kw_only=True):
    """Note that somebody hides another from now on, outside any session: a seeker of the two never meets the other."""

    other: MemberId


class Renamed(_Struct, frozen=True, kw_only=True):
    person: Person


ListeningAction = (
    Ask
    | OfferFirst
    | GiveUpPlace
    | TakePlaceBack
    | GiveFeedback
    | SetProfile
    | SetAvailable
    | StillHere
    | Accept
    | Decline
    | SayNobody
    | MarkReady
    | WriteDebrief
    | EndSession
    | Extend
    | TalkAgain
    | TakeWords
    | Flag
    | AskIn
    | AnswerAskIn
    | Block
    | ReportSession
    | Spoke
    | Typed
    | CompanyAction
    | ApplyDue
    | Hire
    | Dismiss
    | StepOut
    | KeepApart
    | Renamed
)


# Events. An event that sets a record holds it whole, so that applying it twice changes nothing.


class SeekerSet(_Struct, frozen=True, kw_only=True):
    """A seeker asked, or something about their place changed."""

    seeker: Seeker


class SeekerLeft(_Struct, frozen=True, kw_only=True):
    """A seeker has left: they withdrew, lapsed for good, were erased, or their session is over."""

    member: MemberId


class ListenerSet(_Struct, frozen=True, kw_only=True):
    listener: Listener


class ListenerLeft(_Struct, frozen=True, kw_only=True):
    member: MemberId


class SessionSet(_Struct, frozen=True, kw_only=True):
    """A session began or changed."""

    session: Session


class SessionForgotten(_Struct, frozen=True, kw_only=True):
    """A session's content and record are removed."""

    session: SessionId


class ShareSet(_Struct, frozen=True, kw_only=True):
    """What a member or a network had of the listeners changed."""

    share: FairShare


class ShareForgotten(_Struct, frozen=True, kw_only=True):
    """A share is too old to matter, or its member was erased."""

    share: str


ListeningEvent = (
    SeekerSet
    | SeekerLeft
    | ListenerSet
    | ListenerLeft
    | SessionSet
    | SessionForgotten
    | ShareSet
    | ShareForgotten
    | CompanyEvent
)


# Effects: what the same transaction does outside the listening state. The store carries them out.


class OpenSessionRoom(_Struct, frozen=True, kw_only=True):
    """Open the closed room of a new session, with its members."""

    session: SessionId
    name: str
    members: tuple[MemberId, ...]


class AdmitToRoom(_Struct, frozen=True, kw_only=True):
    """Make somebody a member of the session's room."""

    session: SessionId
    member: MemberId


class ExpelFromRoom(_Struct, frozen=True, kw_only=True):
    """Remove somebody from it (a listener who handed over sees nothing of what follows)."""

    session: SessionId
    member: MemberId


class CloseSessionRoom(_Struct, frozen=True, kw_only=True):
    """Close the room of a session that is over: nobody can write. Published in the room as `room_changed`."""

    session: SessionId


class DropRoom(_Struct, frozen=True, kw_only=True):
    """Remove the session's content and room from the database and its files."""

    session: SessionId


class NoteWait(_Struct, frozen=True, kw_only=True):
    """Record a real hand-over, for the estimate; without a name."""

    asked_at: Millis
    met_at: Millis


class KeepWords(_Struct, frozen=True, kw_only=True):
    """Store come-back words that lead to a listener until they expire."""

    words_hash: bytes
    listener: MemberId
    expires_at: Millis


class DropWords(_Struct, frozen=True, kw_only=True):
    """Invalidate come-back words that were given."""

    words_hash: bytes


class KeepReport(_Struct, frozen=True, kw_only=True):
    """Store a report or a silent call, with a snapshot of the session's last posts taken in the same transaction."""

    session: SessionId
    by: MemberId
    about: MemberId | None
    reason: str
    note: str
    is_call: bool
    at: Millis


class KeepDebrief(_Struct, frozen=True, kw_only=True):
    """Store a listener's note to a supervisor. `session` is the one after which it was written: nobody who was in it
    reads the note as a supervisor."""

    listener: MemberId
    note: str
    at: Millis
    session: SessionId | None = None


class KeepFeedback(_Struct, frozen=True, kw_only=True):
    """Store what a seeker said afterwards, beside how heavy it was before, without either's name."""

    heard: int | None
    heavy_before: int | None
    heavy_after: int | None
    at: Millis


FloorEffect = (
    OpenSessionRoom
    | AdmitToRoom
    | ExpelFromRoom
    | CloseSessionRoom
    | DropRoom
    | NoteWait
    | KeepWords
    | DropWords
    | KeepReport
    | KeepDebrief
    | KeepFeedback
    | CompanyEffect
)


class Decided(_Struct, frozen=True, kw_only=True):
    """The result of a command: events for the listening state, effects outside it, and the session concerned, if
    any."""

    events: tuple[ListeningEvent, ...] = ()
    effects: tuple[FloorEffect, ...] = ()
    session: SessionId | None = None
