"""What seekers and listeners are shown: replies, pushes, and what they are made of."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.state import Need, Pause, SessionId, Trait
from chatserver.domain.rooms.rooms import RoomId
from chatserver.protocol.listening.company import CompanyOffer, CompanyView


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

    While they wait: `company` is the one that they sit in, `offer` where they could sit.
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
    company: CompanyView | None = None
    offer: CompanyOffer | None = None


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
