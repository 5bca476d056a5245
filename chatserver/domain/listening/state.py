"""The listening state: seekers, listeners and the sessions between them, as one state.

Pure: types only. `matching.py` decides who meets whom, `sessions.py` what happens in a session, `rest_rules.py` when
listeners rest, and `decide.py` combines them.

The invariants that every reachable state keeps (`invariants.py` checks them, as metrics and in tests):

- a seeker is in at most one live session, and a live session has exactly one seeker;
- a listener has no more live sessions and open proposals together than their cap, and none during a pause;
- a proposal is made to one listener, and a listener has one proposal at a time;
- after `apply_due` no eligible listener is free while a seeker waits whom they could take, and who does not rest;
- among seekers, those with fewer sessions today come first, then those who asked first;
- of ten sessions that begin one after another, at most one is a referral's.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.company import Company, CompanyId, CompanyRules, Host
from chatserver.domain.rooms.rooms import RoomId

SessionId = NewType("SessionId", str)
"""`s-` and 16 random characters. Also the id of the closed room that holds the conversation."""


def room_of_session(session: SessionId) -> RoomId:
    """Return the closed room that holds a session's conversation."""
    return RoomId(session)


class Need(StrEnum):
    """What a seeker hopes for. It is optional."""

    LISTEN = "listen"
    THINK = "think"


class Trait(StrEnum):
    """What a listener may have lived through or be, and a seeker may (not) want, besides the topics: age bands."""

    UNDER_25 = "under_25"
    FROM_25_TO_40 = "25_to_40"
    FROM_40_TO_60 = "40_to_60"
    OVER_60 = "over_60"


class Wish(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a seeker said when they asked; all of it optional.

    `topics` are ids of themed rooms. `rather_with` and `not_with` name traits and lived experience (topics again).
    `minutes` is the length they would like. `heavy` says how heavy it feels, 1 to 5. `member` is the listener whom
    their come-back words named, and `only` whether they would rather wait for that one than meet somebody else.
    """

    topics: tuple[str, ...] = ()
    need: Need | None = None
    language: str = "en"
    minutes: int | None = None
    not_with: tuple[str, ...] = ()
    rather_with: tuple[str, ...] = ()
    heavy: int | None = None
    member: MemberId | None = None
    only: bool = False


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed match, for one listener until `deadline`. `why` are the reasons, as short keys (`matching.WHY`)."""

    listener: MemberId
    made_at: Millis
    deadline: Millis
    why: tuple[str, ...] = ()


class Seeker(msgspec.Struct, frozen=True, kw_only=True):
    """A member who asked. The record stays through their session, until it is over.

    `had` and then `asked_at` order the queue; `is_first` puts seekers first whose listener was lost, and after them
    `is_referred` somebody to whom a meeting's host offered it (`referrals.py`). `seen_at` is when
    any worker last had a connection of theirs. `lapsed_at` is set when their place was given up because they were away
    for longer than the grace; it can be taken back for as long again. `avoid` are members whom they must not meet
    (blocked in either direction). `refused_by` are the listeners who declined them or let the proposal lapse: they are
    asked again only when nobody else is left, and not before `ListeningRules.ask_again` after the last of them did
    (`refused_at`). `session` is their live session.
    """

    member: MemberId
    name: str
    asked_at: Millis
    wish: Wish
    seen_at: Millis
    is_first: bool = False
    is_referred: bool = False
    lapsed_at: Millis | None = None
    avoid: frozenset[MemberId] = frozenset()
    refused_by: frozenset[MemberId] = frozenset()
    refused_at: Millis | None = None
    proposal: Proposal | None = None
    session: SessionId | None = None
    had: int = 0
    """How many sessions they had had today when they asked: seekers with fewer come before them."""
    rests_until: Millis | None = None
    """Until when nobody is asked about them, because they withdrew from an earlier proposal."""
    is_quiet: bool = False
    """Whether a listener gets the proposal without a sound, for the same reason."""
    network: str = ""
    """The keyed hash of the address they asked from, while they wait. The key changes each day."""
    around: tuple[str, ...] = ()
    """The same for the wider networks around it, narrowest first."""
    alone: bool = False
    """Whether they declined company while they wait: it is not offered to them again by itself."""

    @property
    def networks(self) -> tuple[str, ...]:
        """Return all of them, narrowest first; none if the address is not known."""
        return (self.network, *self.around) if self.network else ()


class FairShare(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a member, or (`fair_shares.py`) a network, had of the listeners lately.

    `sessions` are the beginnings of their sessions, `nobody` when a listener said that nobody was there, `withdrawn`
    when they withdrew while a listener was being asked about them; each oldest first. `offered_at` is when a meeting's
    host offered them to be first. One share is of all referrals together: `others` counts the sessions that began
    since the last of them.
    """

    id: str
    sessions: tuple[Millis, ...] = ()
    nobody: tuple[Millis, ...] = ()
    withdrawn: tuple[Millis, ...] = ()
    offered_at: Millis | None = None
    others: int = 0


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a listener says about themselves, and what they take on. `lived` are topics they know from their own
    life; `not_topics` are topics they would rather not take. `openings` are first words of their own, to send with
    one touch."""

    languages: tuple[str, ...] = ("en",)
    traits: tuple[Trait, ...] = ()
    lived: tuple[str, ...] = ()
    not_topics: tuple[str, ...] = ()
    needs: tuple[Need, ...] = (Need.LISTEN, Need.THINK)
    most_minutes: int | None = None
    cap: int = 2
    openings: tuple[str, ...] = ()


class Pause(StrEnum):
    """Why a listener gets no proposals for a while. The server enforces all of them."""

    AFTER_SESSION = "after_session"
    COOL_DOWN = "cool_down"
    DEBRIEF = "debrief"
    DAY_CAP = "day_cap"
    WEEK_CAP = "week_cap"
    DECLINES = "declines"


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """A staff member who listens. `wants` is their explicit intent, which no connection changes; `active_at` is when
    they last did anything, and holds the intent's lease. `seen_at` is when any worker last had a connection of theirs.

    `since` is when they last became free, which breaks ties in favour of those who have waited longest. `paused_until`
    and `pause` say until when and why they get nobody; a debrief ends only with its note. `taken` are the beginnings of
    their sessions of the last seven days, `declined` the times in the last 24 hours at which they declined a proposal,
    or let it lapse. `ignored` counts proposals without an answer in a row. `ready_at` is when they passed the readiness
    check.
    """

    member: MemberId
    name: str
    profile: Profile = Profile()
    wants: bool = False
    wanted_at: Millis | None = None
    """Since when they want to listen, while they do."""
    active_at: Millis = Millis(0)
    seen_at: Millis = Millis(0)
    since: Millis = Millis(0)
    paused_until: Millis | None = None
    pause: Pause | None = None
    taken: tuple[Millis, ...] = ()
    declined: tuple[Millis, ...] = ()
    ignored: int = 0
    ready_at: Millis | None = None
    owes: SessionId | None = None
    """The heavy session whose debrief note is due before the next."""


class Ending(StrEnum):
    """Why a session ended."""

    SEEKER = "seeker"
    LISTENER = "listener"
    LENGTH = "length"
    IDLE = "idle"
    LISTENER_GONE = "listener_gone"
    SEEKER_GONE = "seeker_gone"
    BLOCKED = "blocked"
    STAFF = "staff"
    """The listener's account was revoked, or a moderator ended it."""
    ERASED = "erased"
    NOBODY = "nobody"
    """The listener said that nobody was there. The seeker is told that it was quiet, as for `IDLE`."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Another listener is asked to join a session: as the second, or (`is_handover`) to take it over. First the seeker
    must agree (`agreed`), then the colleague."""

    listener: MemberId
    by: MemberId
    is_handover: bool
    made_at: Millis
    agreed: bool = False


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A listener's part in a session that they left before its end: since when, and whether it was heavy for them."""

    at: Millis
    flagged: bool = False


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation of a seeker and a listener.

    `listeners` begins with the one who holds it; a second may help. `ends_at` can be moved by mutual consent
    (`extend_by` holds who has asked for it); `last_at` is the last activity in it, from which the idle limit counts.
    `gone` says since when somebody of it has not been seen. `warned` are the warnings already given (`"length"`,
    `"idle"`). After the end: `ended_at`, `ending`, `forget_at` (when its content is deleted), `flagged` (it was heavy),
    `heard` (did you feel heard, 0 no, 1 partly, 2 yes), `heavy_after`, and who wants to talk `again`. `words` are the
    hashes of the come-back words that were given, `blocked` says that one of them never wants to meet the other again:
    then there are none. `reported` holds the reports that were made, so that one that is sent again is not kept twice.
    `left` are listeners who handed it over or left while it went on: they are not in it any more, and can still mark it
    as heavy for them, or report it.
    """

    id: SessionId
    seeker: MemberId
    seeker_name: str
    listeners: tuple[MemberId, ...]
    names: dict[MemberId, str]
    wish: Wish
    asked_at: Millis
    started_at: Millis
    ends_at: Millis
    last_at: Millis
    why: tuple[str, ...] = ()
    extend_by: frozenset[MemberId] = frozenset()
    extended: int = 0
    asked: Asked | None = None
    gone: dict[MemberId, Millis] = {}
    warned: frozenset[str] = frozenset()
    flagged: bool = False
    ended_at: Millis | None = None
    ending: Ending | None = None
    forget_at: Millis | None = None
    heard: int | None = None
    heavy_after: int | None = None
    again: frozenset[MemberId] = frozenset()
    words: tuple[bytes, ...] = ()
    blocked: bool = False
    reported: frozenset[str] = frozenset()
    spoken: bool = False
    """Whether the seeker wrote anything."""
    typed_at: Millis = Millis(0)
    """When one of its people was last seen typing."""
    left: dict[MemberId, Left] = {}

    def quiet_since(self, rules: ListeningRules) -> Millis:
        """Return since when there is silence. Typing breaks it like a post, but without a post no longer than the idle
        limit, so that nobody can hold somebody by it for ever."""
        return Millis(max(self.last_at, min(self.typed_at, self.last_at + rules.idle)))

    @property
    def is_live(self) -> bool:
        return self.ended_at is None

    @property
    def people(self) -> tuple[MemberId, ...]:
        return (self.seeker, *self.listeners)


class ListeningState(msgspec.Struct, frozen=True, kw_only=True):
    """All seekers, listeners, sessions and companies. `version` rises with every commit that changed anything but
    `seen_at`."""

    version: int = 0
    seekers: dict[MemberId, Seeker] = {}
    listeners: dict[MemberId, Listener] = {}
    sessions: dict[SessionId, Session] = {}
    """Live sessions, and ended ones until they are deleted."""
    companies: dict[CompanyId, Company] = {}
    """Companies of seekers who wait, and closed ones until their posts are deleted."""
    hosts: dict[MemberId, Host] = {}
    """Those who keep company, or did lately."""
    shares: dict[str, FairShare] = {}
    """What members and networks had lately, by their ids. A share that no longer matters is dropped."""
    waits: tuple[tuple[Millis, Millis], ...] = ()
    """Recent real hand-overs, oldest first: when asked, when met. Kept without any name."""


class ListeningRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules that an operator may set. Times in milliseconds."""

    grace: int = 3 * 60_000
    """How long a place is kept for somebody who is not connected; afterwards it can be taken back for as long again."""
    session_grace: int = 60_000
    """How long until one side that is not connected counts as gone from a session."""
    reachable: int = 15_000
    """A listener who was not seen for longer gets no proposals."""
    proposal: int = 30_000
    ask_again: int = 60_000
    """How long until listeners who declined a seeker may be asked about them again, if nobody else is left."""
    most_ignored: int = 2
    """Proposals without an answer in a row that set a listener to away."""
    lease: int = 10 * 60_000
    """Without any activity for this long a listener's intent ends. The page asks a minute before."""
    length: int = 45 * 60_000
    longest: int = 120 * 60_000
    """The longest session, with all extensions."""
    extension: int = 15 * 60_000
    idle: int = 10 * 60_000
    warning: int = 5 * 60_000
    """How long before its end a session announces it; the idle limit is announced a fifth of that before."""
    pause: int = 5 * 60_000
    cool_down: int = 30 * 60_000
    sessions_a_day: int = 8
    sessions_a_week: int = 30
    most_cap: int = 4
    declines_an_hour: int = 6
    """Proposals that a listener may decline or let lapse in an hour before they get no more for the rest of it: each
    shows something of somebody who waits."""
    keep: int = 60 * 60_000
    """How long a session's content is kept after its end."""
    words_days: int = 90
    waits_kept: int = 60 * 60_000
    """How far back the estimate looks."""
    member_sessions_a_day: int = 4
    """Sessions that one member may begin in 24 hours."""
    places_per_network: int = 5
    """Places in the queue that one address key may hold at once, times the allowance of a shared network."""
    network_sessions_an_hour: int = 6
    """Sessions that one address key may begin in an hour, times the allowance of a shared network."""
    brief: int = 2 * 60_000
    """A session that ends sooner costs its listener neither a pause nor a part of their caps."""
    nobody_after: int = 30_000
    """How long a listener waits for a first word before they may say that nobody is there."""
    nobody_behind: int = 2
    """Sessions of a day without anybody after which a member comes behind everybody."""
    nobody_most: int = 3
    nobody_rest: int = 60 * 60_000
    """How long they are refused after as many as `nobody_most`."""
    rest: int = 30_000
    """How long nobody is asked about a member who withdrew from a proposal; it doubles with each one in an hour."""
    longest_rest: int = 15 * 60_000
    company: CompanyRules = CompanyRules()
