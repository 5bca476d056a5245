"""The messages of one-to-one: asking for a listener, listening, and everything about a session.

A session's conversation is a closed room: its posts travel by the messages of rooms (`messages`).
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from chatserver.domain.errors import Reason
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.state import Need, Pause, SessionId, Trait
from chatserver.domain.people.staff import Capability
from chatserver.domain.rooms.rooms import RoomId
from chatserver.protocol.fields import PRINTABLE, Command, Fields, MemberName, ReportReason, SessionName, Text
from chatserver.protocol.refusals import LISTENER, SESSION

Word = Annotated[str, Meta(max_length=64)]
Words = Annotated[tuple[Word, ...], Meta(max_length=24)]
Tongue = Annotated[str, Meta(min_length=2, max_length=16, pattern=r"^[A-Za-z0-9-]+$")]
"""A language, as in BCP 47: `en`, `pt-BR`."""
ProposalName = Annotated[str, Meta(min_length=1, max_length=96, pattern=PRINTABLE)]
Scale = Annotated[int, Meta(ge=1, le=5)]
Minutes = Annotated[int, Meta(ge=5, le=240)]


# --------------------------------------------------------------------------------------------- a seeker's commands


class AskForListener(Command, frozen=True, kw_only=True, tag="ask"):
    """Take a place in the queue, or change one's wishes and keep the place. `agreement` must be true; everything else
    is optional. `topics` and `language` must be among those of `standing`; without `language` the first of them is
    used. `words` are come-back words; with `only`, no other listener is asked."""

    answer: ClassVar[str] = "standing"
    cost: ClassVar[float] = 5.0
    refusals: ClassVar[tuple[Reason, ...]] = (
        Reason.AGREEMENT_REQUIRED,
        Reason.LISTENING_CLOSED,
        Reason.SESSIONS_USED,
        Reason.PLACES_USED,
        Reason.IN_SESSION,
        Reason.WORDS_UNKNOWN,
    )
    example: ClassVar[Fields] = {
        "agreement": True,
        "topics": ("sleep",),
        "need": "listen",
        "language": "en",
        "minutes": 30,
        "heavy": 4,
    }

    agreement: bool
    topics: Words = ()
    need: Need | None = None
    language: Tongue | None = None
    minutes: Minutes | None = None
    not_with: Words = ()
    rather_with: Words = ()
    heavy: Scale | None = None
    words: Annotated[str, Meta(max_length=256)] | None = None
    only: bool = False


class LeaveQueue(Command, frozen=True, kw_only=True, tag="unask"):
    """Give one's place in the queue up. Succeeds also without a place."""

    answer: ClassVar[str] = "standing"
    cost: ClassVar[float] = 2.0


class TakeBack(Command, frozen=True, kw_only=True, tag="take_back"):
    """Take back a place that lapsed while one was away."""

    answer: ClassVar[str] = "standing"
    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.PLACE_GONE,)


class AskStanding(Command, frozen=True, kw_only=True, tag="standing"):
    """Get one's standing. Answered with `standing`; pushes of the same follow whenever it changes."""

    answer: ClassVar[str] = "standing"
    cost: ClassVar[float] = 2.0


class Feedback(Command, frozen=True, kw_only=True, tag="feedback"):
    """Say after a session, privately: did you feel heard (0 no, 1 partly, 2 yes), how heavy is it now. Both are
    optional."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.SESSION_UNKNOWN, Reason.IN_SESSION)
    example: ClassVar[Fields] = {"session": "s-4f9kq2mzx7b3wc8h", "heard": 2, "heavy": 2}

    session: SessionName
    heard: Annotated[int, Meta(ge=0, le=2)] | None = None
    heavy: Scale | None = None


# ------------------------------------------------------------------------------------------ commands of either side


class EndTalk(Command, frozen=True, kw_only=True, tag="end"):
    """End a session. Succeeds also if it has ended."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.SESSION_UNKNOWN,)
    example: ClassVar[Fields] = {"session": "s-4f9kq2mzx7b3wc8h"}

    session: SessionName


class ExtendTalk(Command, frozen=True, kw_only=True, tag="extend"):
    """Ask for more time, or agree to it; with `on` false, take that back."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (*SESSION, Reason.NO_MORE_TIME)
    example: ClassVar[Fields] = {"session": "s-4f9kq2mzx7b3wc8h"}

    session: SessionName
    on: bool = True


class TalkAgainCommand(Command, frozen=True, kw_only=True, tag="again"):
    """Say after a session, privately: I would like to talk with this person again."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.SESSION_UNKNOWN, Reason.IN_SESSION)
    example: ClassVar[Fields] = {"session": "s-4f9kq2mzx7b3wc8h"}

    session: SessionName
    on: bool = True


class MakeWords(Command, frozen=True, kw_only=True, tag="words"):
    """Make come-back words for the seeker, after both said that they would talk again. Shown once, kept only as a
    hash."""

    answer: ClassVar[str] = "words"
    cost: ClassVar[float] = 20.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.SESSION_UNKNOWN, Reason.NO_WORDS_YET)
    example: ClassVar[Fields] = {"session": "s-4f9kq2mzx7b3wc8h"}

    session: SessionName


class BlockPerson(Command, frozen=True, kw_only=True, tag="block"):
    """End this session and never meet this person again. The other is told only that it has ended."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.SESSION_UNKNOWN,)
    example: ClassVar[Fields] = {"session": "s-4f9kq2mzx7b3wc8h"}

    session: SessionName


class ReportPerson(Command, frozen=True, kw_only=True, tag="report"):
    """Tell the moderators about a session, with what was last written in it. `call` is a listener's silent call for a
    moderator. `about` is the listener a seeker means, if they talked with several there."""

    cost: ClassVar[float] = 10.0
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.SESSION_UNKNOWN, Reason.TEXT_TOO_LONG, Reason.MEMBER_UNKNOWN)
    example: ClassVar[Fields] = {
        "session": "s-4f9kq2mzx7b3wc8h",
        "reason": "pressure",
        "note": "They kept asking where I live.",
    }

    session: SessionName
    reason: ReportReason
    note: Text = ""
    call: bool = False
    about: MemberName | None = None


class AnswerInvitation(Command, frozen=True, kw_only=True, tag="answer"):
    """Answer whether another listener may join or take over: first the seeker, then the colleague who is asked."""

    cost: ClassVar[float] = 2.0
    refusals: ClassVar[tuple[Reason, ...]] = (*SESSION, Reason.PROPOSAL_GONE, Reason.LISTENER_BUSY, Reason.NOT_LISTENER)
    example: ClassVar[Fields] = {"session": "s-4f9kq2mzx7b3wc8h", "yes": True}

    session: SessionName
    yes: bool


# ------------------------------------------------------------------------------------------- a listener's commands


class AskConsole(Command, frozen=True, kw_only=True, tag="console"):
    """Get one's console as a listener. Answered with `console`; pushes of the same follow whenever it changes."""

    answer: ClassVar[str] = "console"
    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.LISTEN
    refusals: ClassVar[tuple[Reason, ...]] = LISTENER


class ChangeProfile(Command, frozen=True, kw_only=True, tag="profile"):
    """Set what a listener is and takes on; replaces the earlier profile. `languages`, `lived` and `not_topics` must be
    among the languages and topics of `console`."""

    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.LISTEN
    refusals: ClassVar[tuple[Reason, ...]] = LISTENER
    example: ClassVar[Fields] = {
        "languages": ("en",),
        "traits": ("40_to_60",),
        "lived": ("sleep",),
        "openings": ("I'm here. No rush.",),
    }

    languages: Annotated[tuple[Tongue, ...], Meta(min_length=1, max_length=12)]
    traits: Annotated[tuple[Trait, ...], Meta(max_length=8)] = ()
    lived: Words = ()
    not_topics: Words = ()
    needs: Annotated[tuple[Need, ...], Meta(min_length=1, max_length=2)] = (Need.LISTEN, Need.THINK)
    most_minutes: Minutes | None = None
    cap: Annotated[int, Meta(ge=1, le=8)] = 2
    openings: Annotated[tuple[Annotated[str, Meta(max_length=500)], ...], Meta(max_length=12)] = ()


class BeAvailable(Command, frozen=True, kw_only=True, tag="available"):
    """Turn listening on or off. Connections that come and go do not change it."""

    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.LISTEN
    refusals: ClassVar[tuple[Reason, ...]] = (*LISTENER, Reason.NOT_READY)
    example: ClassVar[Fields] = {"on": True}

    on: bool


class StillThere(Command, frozen=True, kw_only=True, tag="still_here"):
    """Say that the listener is active at the console. Send it at most once a minute."""

    capability: ClassVar[Capability | None] = Capability.LISTEN
    refusals: ClassVar[tuple[Reason, ...]] = LISTENER


class AcceptProposal(Command, frozen=True, kw_only=True, tag="accept"):
    """Accept this proposal, by its `id`. Sent twice, it is the same session."""

    answer: ClassVar[str] = "talk"
    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.LISTEN
    refusals: ClassVar[tuple[Reason, ...]] = (*LISTENER, Reason.PROPOSAL_GONE)
    example: ClassVar[Fields] = {"proposal": "p_kXMKlKHh1sdq4B7EepzhGPRaFGaJvjcNtp3RF_i4"}

    proposal: ProposalName


class DeclineProposal(Command, frozen=True, kw_only=True, tag="decline"):
    """Decline this proposal: another listener is asked."""

    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.LISTEN
    refusals: ClassVar[tuple[Reason, ...]] = (*LISTENER, Reason.PROPOSAL_GONE)
    example: ClassVar[Fields] = {"proposal": "p_kXMKlKHh1sdq4B7EepzhGPRaFGaJvjcNtp3RF_i4"}

    proposal: ProposalName


class SayNobody(Command, frozen=True, kw_only=True, tag="nobody"):
    """Say that nobody was there: ends a session in which the seeker wrote nothing. It costs the listener neither a
    pause nor a part of their caps, and the seeker is told only that it was quiet."""

    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.LISTEN
    refusals: ClassVar[tuple[Reason, ...]] = (*LISTENER, *SESSION, Reason.NOT_NOBODY)
    example: ClassVar[Fields] = {"session": "s-4f9kq2mzx7b3wc8h"}

    session: SessionName


class FlagTalk(Command, frozen=True, kw_only=True, tag="flag"):
    """Mark this session as heavy: a longer pause and a note to a supervisor follow it."""

    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.LISTEN
    refusals: ClassVar[tuple[Reason, ...]] = (*LISTENER, *SESSION)
    example: ClassVar[Fields] = {"session": "s-4f9kq2mzx7b3wc8h"}

    session: SessionName
    on: bool = True


class Invite(Command, frozen=True, kw_only=True, tag="invite"):
    """Ask a colleague to join a session, or to take it over (`handover`). The seeker is asked first."""

    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.LISTEN
    refusals: ClassVar[tuple[Reason, ...]] = (*LISTENER, *SESSION, Reason.NOT_HOLDING, Reason.LISTENER_BUSY)
    example: ClassVar[Fields] = {
        "session": "s-4f9kq2mzx7b3wc8h",
        "listener": "p_r5VdGm8sHp2LzF6xC0kTqWjY7eBnAuOiSw",
        "handover": True,
    }

    session: SessionName
    listener: MemberName
    handover: bool = False


class DebriefNote(Command, frozen=True, kw_only=True, tag="debrief"):
    """Write the note to a supervisor after a heavy session: about the listener, not about the seeker."""

    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.LISTEN
    refusals: ClassVar[tuple[Reason, ...]] = (
        *LISTENER,
        Reason.SESSION_UNKNOWN,
        Reason.TEXT_EMPTY,
        Reason.TEXT_TOO_LONG,
    )
    example: ClassVar[Fields] = {
        "session": "s-4f9kq2mzx7b3wc8h",
        "note": "I carried some of it home. I would like to talk tomorrow.",
    }

    session: SessionName
    note: Text


class AskPractice(Command, frozen=True, kw_only=True, tag="practice"):
    """Get the practice conversation and the questions of the readiness check."""

    answer: ClassVar[str] = "practice"
    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.LISTEN
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.NOT_ALLOWED,)


class AnswerCheck(Command, frozen=True, kw_only=True, tag="ready"):
    """Answer the readiness check: for each question the number of the chosen answer, from 0."""

    answer: ClassVar[str] = "check"
    cost: ClassVar[float] = 5.0
    capability: ClassVar[Capability | None] = Capability.LISTEN
    refusals: ClassVar[tuple[Reason, ...]] = LISTENER
    example: ClassVar[Fields] = {"answers": (0, 2, 1, 0, 1, 2, 0, 1)}

    answers: Annotated[tuple[Annotated[int, Meta(ge=0, le=9)], ...], Meta(max_length=40)]


# ------------------------------------------------------------------------------------------------------------ views


class SessionPerson(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody in a session, with the role that the server gives them. `gone_since` is given while they have no
    connection; presence and typing come by the room's own pushes."""

    id: MemberId
    name: str
    role: Literal["seeker", "listener"]
    gone_since: Millis | None = None


class InvitationView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A colleague was asked to join. `waits_for` says whose answer is missing."""

    listener: SessionPerson
    handover: bool
    waits_for: Literal["seeker", "listener"]


class SessionView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A session as one of its people sees it. `me` is their own id in it; every session has ids of its own.

    `extend` says who has asked for more time. `idle_at` is when it would end if nobody says anything. After the end:
    `ended_at`, `ending` ("you", "other", "length", "idle", "gone", "staff"), `forget_at` (when what was written is
    deleted), `again` (one's own private answer), `hides` (the member hides somebody of it), and, for the seeker,
    `again_both`: both said so, and `words` gives come-back words. `nobody_at` is sent to listeners until the seeker
    writes: from then on they may send `nobody`.
    """

    id: SessionId
    room: RoomId
    me: MemberId
    people: tuple[SessionPerson, ...]
    started_at: Millis
    ends_at: Millis
    idle_at: Millis
    can_extend: bool
    extension_minutes: int
    extend: tuple[MemberId, ...] = ()
    invitation: InvitationView | None = None
    why: tuple[str, ...] = ()
    flagged: bool = False
    heavy: int | None = None
    need: Need | None = None
    topics: tuple[str, ...] = ()
    ended_at: Millis | None = None
    ending: Literal["you", "other", "length", "idle", "gone", "staff"] | None = None
    forget_at: Millis | None = None
    again: bool = False
    heard: int | None = None
    heavy_after: int | None = None
    again_both: bool = False
    hides: bool = False
    nobody_at: Millis | None = None


class StandingOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="standing", omit_defaults=True):
    """A seeker's standing.

    `none`: not asked. `waiting`: `place` counts from 1; `estimate_seconds` is absent if it cannot be known;
    `estimate_from` is the number of hand-overs of the last hour behind it; `kept_seconds` is how long a place is kept
    for somebody who is away; `being_asked` says that a listener is being asked at this moment; `is_first` that they are
    at the head because their listener was lost. `lapsed`: the place was given up at `lapsed_at` and can be taken back
    until `gone_at`. `session`: in one. `ended`: it is over, and its room can be read until `forget_at`.

    `after_others` says that they had a session today, so that seekers with fewer come before them.

    `open` says whether listeners are here at this hour, `opens_at` when again; `listeners` is how many listen now, and
    `free` how many of them could take somebody at this moment; `topics` (ids of rooms) and `languages` are the choices
    of `ask`.
    """

    version: int
    state: Literal["none", "waiting", "lapsed", "session", "ended"]
    open: bool
    listeners: int
    waiting: int
    kept_seconds: int
    length_minutes: int
    idle_minutes: int
    languages: tuple[str, ...]
    topics: tuple[RoomId, ...]
    opens_at: Millis | None = None
    place: int | None = None
    asked_at: Millis | None = None
    estimate_seconds: int | None = None
    estimate_from: int | None = None
    being_asked: bool = False
    is_first: bool = False
    lapsed_at: Millis | None = None
    gone_at: Millis | None = None
    session: SessionView | None = None
    free: int = 0
    after_others: bool = False


class ProposalView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A seeker, proposed to this listener until `deadline`. The name is told when it is accepted: `id` is this
    proposal's, and differs when the same person is proposed again. `quiet`: they withdrew from a proposal lately, so no
    sound should be played for it."""

    id: str
    asked_at: Millis
    deadline: Millis
    topics: tuple[str, ...] = ()
    need: Need | None = None
    language: str = "en"
    minutes: int | None = None
    heavy: int | None = None
    why: tuple[str, ...] = ()
    came_back: bool = False
    quiet: bool = False


class Colleague(Struct, frozen=True, kw_only=True):
    """Another listener who is here. `free` says whether they could take a session now."""

    id: MemberId
    name: str
    free: bool


class LeftSession(Struct, frozen=True, kw_only=True):
    """A session that this listener handed over, or left before its end, while it is kept. They can still `flag` it for
    themselves, and `report` it; they cannot enter its room. `seeker` is the person they talked with."""

    id: SessionId
    seeker: SessionPerson
    started_at: Millis
    left_at: Millis
    flagged: bool


class ProfileView(Struct, frozen=True, kw_only=True):
    """What a listener is and takes on, as `profile` set it."""

    languages: tuple[str, ...]
    traits: tuple[Trait, ...]
    lived: tuple[str, ...]
    not_topics: tuple[str, ...]
    needs: tuple[Need, ...]
    most_minutes: int | None
    cap: int
    openings: tuple[str, ...]


class ConsoleOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="console", omit_defaults=True):
    """A listener's console.

    `state`: `practice` (not ready yet), `away`, `free`, `busy` (as many as they take), `paused`. `lease_until` is when
    listening is turned off if they do nothing. `pause` and `paused_until` say why and until when they get nobody.
    `today` and `week` count their sessions against the caps. `owes` is the session whose note to a supervisor is due.
    `topics` (ids of rooms) and `languages` are the choices of a seeker. `left` are sessions that they left before the
    end.
    """

    version: int
    state: Literal["practice", "away", "free", "busy", "paused"]
    wants: bool
    profile: ProfileView
    most_cap: int
    languages: tuple[str, ...]
    topics: tuple[RoomId, ...]
    today: int
    day_cap: int
    week: int
    week_cap: int
    waiting: int
    pause: Pause | None = None
    paused_until: Millis | None = None
    lease_until: Millis | None = None
    oldest_asked_at: Millis | None = None
    owes: SessionId | None = None
    proposal: ProposalView | None = None
    invitations: tuple[SessionView, ...] = ()
    sessions: tuple[SessionView, ...] = ()
    colleagues: tuple[Colleague, ...] = ()
    left: tuple[LeftSession, ...] = ()


class StandingPush(StandingOk, frozen=True, kw_only=True, tag_field="push", tag="standing", omit_defaults=True):
    """The same as the reply, whenever it changed. Not a fact: the newest is right."""


class ConsolePush(ConsoleOk, frozen=True, kw_only=True, tag_field="push", tag="console", omit_defaults=True):
    """The same as the reply, whenever it changed. Not a fact: the newest is right."""


class TalkOk(Struct, frozen=True, tag_field="ok", tag="talk"):
    """The session that a command began."""

    session: SessionId
    room: RoomId


class WordsOk(Struct, frozen=True, tag_field="ok", tag="words"):
    """The come-back words, which lead to this listener and name nobody."""

    words: str
    expires_at: Millis


class SceneLine(Struct, frozen=True, kw_only=True):
    """One answer that a learner may give, the scripted seeker's reply, and advice. `next` is the number of the scene
    that follows, or null at the end."""

    text: str
    reply: tuple[str, ...]
    advice: str
    is_good: bool
    next: int | None


class SceneView(Struct, frozen=True, kw_only=True):
    """A moment of the practice conversation."""

    says: tuple[str, ...]
    answers: tuple[SceneLine, ...]


class QuestionView(Struct, frozen=True, kw_only=True):
    """A question of the readiness check."""

    text: str
    answers: tuple[str, ...]


class PracticeOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="practice"):
    """The practice conversation, from scene 0, and the questions of the check."""

    scenes: tuple[SceneView, ...]
    questions: tuple[QuestionView, ...]


class CheckOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="check"):
    """Whether the check was passed; if not, the questions (numbers from 0) with a wrong answer, with the reasons."""

    passed: bool
    again: dict[int, str]


ListeningCommand = (
    AskForListener
    | LeaveQueue
    | TakeBack
    | AskStanding
    | Feedback
    | EndTalk
    | ExtendTalk
    | TalkAgainCommand
    | MakeWords
    | BlockPerson
    | ReportPerson
    | AnswerInvitation
    | AskConsole
    | ChangeProfile
    | BeAvailable
    | StillThere
    | AcceptProposal
    | DeclineProposal
    | SayNobody
    | FlagTalk
    | Invite
    | DebriefNote
    | AskPractice
    | AnswerCheck
)
ListeningOk = StandingOk | ConsoleOk | TalkOk | WordsOk | PracticeOk | CheckOk
ListeningPush = StandingPush | ConsolePush
