"""The messages of one-to-one: asking for a listener, listening, and everything about a session.

A session's conversation is a closed room: its posts travel by the messages of rooms (`messages`).
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from chatserver.domain.errors import Reason
from chatserver.domain.listening.state import Need, Trait
from chatserver.domain.people.staff import Capability
from chatserver.protocol.fields import PRINTABLE, Command, Fields, MemberName, ReportReason, SessionName, Text
from chatserver.protocol.listening.company import CompanyCommand, HostingOk, HostingPush
from chatserver.protocol.listening.views import (
    CheckOk,
    ConsoleOk,
    ConsolePush,
    PracticeOk,
    StandingOk,
    StandingPush,
    TalkOk,
    WordsOk,
)
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
    | CompanyCommand
)
ListeningOk = StandingOk | ConsoleOk | HostingOk | TalkOk | WordsOk | PracticeOk | CheckOk
ListeningPush = StandingPush | ConsolePush | HostingPush
