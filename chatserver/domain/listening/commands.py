"""What people ask of the floor, what happens on it, and what follows outside of it.

Pure: types only. Every command may be sent again: what is so already is no refusal and changes nothing.
"""

from __future__ import annotations

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.listening.state import FairShare, Listener, Profile, Seeker, Session, SessionId, Wish


class _Struct(msgspec.Struct, frozen=True, kw_only=True):
    pass


# Commands of a seeker. Who asks is an argument of `decide`.


class Ask(_Struct, frozen=True, kw_only=True):
    """Take a place in the queue. Asking again while waiting changes the wish and keeps the place.

    `avoid` are the members between whom and the asker there is a block, loaded by the caller. Raises LISTENING_CLOSED
    outside the hours (`is_open`), and IN_SESSION while a session of theirs is live. `name` is what they are called.
    `network` is the keyed hash of where they ask from, in hexadecimal, empty for nowhere; `around` are those of the
    wider networks around it, narrowest first; `allowance` multiplies what one network may have. Raises SESSIONS_USED
    or PLACES_USED where they, or their network, had their share."""

    name: str
    wish: Wish
    avoid: frozenset[MemberId]
    is_open: bool
    network: str = ""
    around: tuple[str, ...] = ()
    allowance: int = 1


class GiveUpPlace(_Struct, frozen=True, kw_only=True):
    """Leave the queue."""


class TakePlaceBack(_Struct, frozen=True, kw_only=True):
    """Have a lapsed place again, where it was. Raises PLACE_GONE where it is no more."""


class GiveFeedback(_Struct, frozen=True, kw_only=True):
    """After the end, privately: did they feel heard (0, 1, 2), how heavy is it now (1 to 5). Raises SESSION_UNKNOWN."""

    session: SessionId
    heard: int | None
    heavy: int | None


# Commands of a listener. Raises NOT_LISTENER where the asker is no listener of this floor.


class SetProfile(_Struct, frozen=True, kw_only=True):
    """What a listener takes on. The cap is held to `ListeningRules.most_cap`."""

    profile: Profile


class SetAvailable(_Struct, frozen=True, kw_only=True):
    """The explicit intent. Raises NOT_READY before the readiness check."""

    on: bool


class StillHere(_Struct, frozen=True, kw_only=True):
    """The listener did something: the lease begins anew."""


class Accept(_Struct, frozen=True, kw_only=True):
    """Take the proposal of this seeker. `session` is the id that the session gets. Raises PROPOSAL_GONE where it was
    answered by somebody else, withdrawn or passed over."""

    seeker: MemberId
    session: SessionId


class Decline(_Struct, frozen=True, kw_only=True):
    seeker: MemberId


class SayNobody(_Struct, frozen=True, kw_only=True):
    """The listener waited for a first word and none came: the session ends, costs them nothing, and is counted for the
    seeker. Raises NOT_NOBODY where the seeker wrote, or (with `retry_after`) before `ListeningRules.nobody_after`."""

    session: SessionId


class MarkReady(_Struct, frozen=True, kw_only=True):
    """The readiness check was passed."""


class WriteDebrief(_Struct, frozen=True, kw_only=True):
    """The note to a supervisor, about the listener, that is due after a heavy session. Raises SESSION_UNKNOWN."""

    session: SessionId
    note: str


# Commands of either side of a session. Raise SESSION_UNKNOWN for one that the asker is not in, SESSION_OVER for one
# that is no longer live (where that matters).


class EndSession(_Struct, frozen=True, kw_only=True):
    session: SessionId


class Extend(_Struct, frozen=True, kw_only=True):
    """Ask for, or agree to, more time; `on` False takes it back. Raises NO_MORE_TIME at the longest."""

    session: SessionId
    on: bool


class TalkAgain(_Struct, frozen=True, kw_only=True):
    """Privately, after the end: I would like to talk with this person again."""

    session: SessionId
    on: bool


class TakeWords(_Struct, frozen=True, kw_only=True):
    """The seeker's, once both said that they would talk again: keep come-back words under this hash (KeepWords), for
    the first listener who said so. Raises NO_WORDS_YET before that. Asking again keeps others too."""

    session: SessionId
    words_hash: bytes


class Flag(_Struct, frozen=True, kw_only=True):
    """The listener says that a session is (or was) heavy: a cool-down and a debrief follow its end. Where somebody says
    it who left the session, they follow for that one alone, at once."""

    session: SessionId
    on: bool


class AskIn(_Struct, frozen=True, kw_only=True):
    """The holding listener asks a colleague to join, or to take over. Raises NOT_HOLDING, LISTENER_BUSY."""

    session: SessionId
    listener: MemberId
    is_handover: bool


class AnswerAskIn(_Struct, frozen=True, kw_only=True):
    """The seeker's, then the colleague's word on it. Also takes it back, said by the one who asked."""

    session: SessionId
    yes: bool


class Block(_Struct, frozen=True, kw_only=True):
    """Never meet this person again. Ends the session at once. The caller also mutes them."""

    session: SessionId


class ReportSession(_Struct, frozen=True, kw_only=True):
    """Tell the moderators, with the last posts as they stand. `is_call` is the listener's silent call for help.

    `about` is whom it is about: for a seeker one of their listeners, also one who left; for a listener the seeker, or a
    colleague who was there. Where a seeker does not say it is the other one, if there was only one. Raises
    MEMBER_UNKNOWN for somebody whom they did not talk with there. Also from a listener who left."""

    session: SessionId
    reason: str
    note: str
    is_call: bool = False
    about: MemberId | None = None


class Spoke(_Struct, frozen=True, kw_only=True):
    """Somebody wrote in it: the idle limit counts anew. Worth sending at most twice a minute for each session."""

    session: SessionId


class Typed(_Struct, frozen=True, kw_only=True):
    """Somebody is writing in it: the idle limit counts anew, within bounds. Worth sending as seldom as `Spoke`."""

    session: SessionId


# Commands of the service itself (`who` is not used).


class ApplyDue(_Struct, frozen=True, kw_only=True):
    """Time has passed."""


class Hire(_Struct, frozen=True, kw_only=True):
    """A staff member who listens signed in, or changed their name."""

    person: Person


class Dismiss(_Struct, frozen=True, kw_only=True):
    """Somebody is no more, or listens no more: erased, or their account was revoked."""

    member: MemberId
    is_erased: bool


class StepOut(_Struct, frozen=True, kw_only=True):
    """A listener's account was given back by a link, and whoever holds that need not be its owner: they are in no
    session any more, and keep everything else."""

    member: MemberId


class KeepApart(_Struct, frozen=True, kw_only=True):
    """Somebody hides another from now on, outside of any session: whichever of them waits never meets the other."""

    other: MemberId


class Renamed(_Struct, frozen=True, kw_only=True):
    person: Person


ListeningAction = (
    Ask
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
    | ApplyDue
    | Hire
    | Dismiss
    | StepOut
    | KeepApart
    | Renamed
)


# Events. Those that set a record hold it whole, so that applying one twice changes nothing.


class SeekerSet(_Struct, frozen=True, kw_only=True):
    """Somebody asked, or something about their place changed."""

    seeker: Seeker


class SeekerLeft(_Struct, frozen=True, kw_only=True):
    """Somebody is on the floor no more: withdrew, lapsed for good, was erased, or their session is over."""

    member: MemberId


class ListenerSet(_Struct, frozen=True, kw_only=True):
    listener: Listener


class ListenerLeft(_Struct, frozen=True, kw_only=True):
    member: MemberId


class SessionSet(_Struct, frozen=True, kw_only=True):
    """A session began or changed."""

    session: Session


class SessionForgotten(_Struct, frozen=True, kw_only=True):
    """Its content and its record go."""

    session: SessionId


class ShareSet(_Struct, frozen=True, kw_only=True):
    """What a member or a network had of the listeners changed."""

    share: FairShare


class ShareForgotten(_Struct, frozen=True, kw_only=True):
    """It is too long ago to matter, or its member was erased."""

    share: str


FloorEvent = (
    SeekerSet | SeekerLeft | ListenerSet | ListenerLeft | SessionSet | SessionForgotten | ShareSet | ShareForgotten
)


# Effects: what the same transaction does outside the floor. The store carries them out.


class OpenSessionRoom(_Struct, frozen=True, kw_only=True):
    """The closed room of a new session, with its members."""

    session: SessionId
    name: str
    members: tuple[MemberId, ...]


class AdmitToRoom(_Struct, frozen=True, kw_only=True):
    """Somebody is a member of the session's room from now on."""

    session: SessionId
    member: MemberId


class ExpelFromRoom(_Struct, frozen=True, kw_only=True):
    """Somebody is no more a member of it (who handed over keeps nothing of what comes after)."""

    session: SessionId
    member: MemberId


class CloseSessionRoom(_Struct, frozen=True, kw_only=True):
    """The session is over: nobody writes any more. Published in the room as `room_changed`."""

    session: SessionId


class DropRoom(_Struct, frozen=True, kw_only=True):
    """The session's content and room are removed from the database and its files."""

    session: SessionId


class NoteWait(_Struct, frozen=True, kw_only=True):
    """A real hand-over, for the estimate; no name stands with it."""

    asked_at: Millis
    met_at: Millis


class KeepWords(_Struct, frozen=True, kw_only=True):
    """Come-back words that lead to a listener until they expire."""

    words_hash: bytes
    listener: MemberId
    expires_at: Millis


class DropWords(_Struct, frozen=True, kw_only=True):
    """Come-back words that were given lead nowhere any more."""

    words_hash: bytes


class KeepReport(_Struct, frozen=True, kw_only=True):
    """A report or a silent call, with a snapshot of the session's last posts taken in the same transaction."""

    session: SessionId
    by: MemberId
    about: MemberId | None
    reason: str
    note: str
    is_call: bool
    at: Millis


class KeepDebrief(_Struct, frozen=True, kw_only=True):
    """A listener's note to a supervisor. `session` is the one after which it was written: nobody who was in it reads
    the note as a supervisor."""

    listener: MemberId
    note: str
    at: Millis
    session: SessionId | None = None


class KeepFeedback(_Struct, frozen=True, kw_only=True):
    """What a seeker said afterwards, beside how heavy it was before, without either's name."""

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
)


class Decided(_Struct, frozen=True, kw_only=True):
    """What a command leads to: events for the floor, effects for the rest, and the session it speaks of, if any."""

    events: tuple[FloorEvent, ...] = ()
    effects: tuple[FloorEffect, ...] = ()
    session: SessionId | None = None
