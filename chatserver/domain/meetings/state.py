"""A meeting: its script, where it stands in it, and the people in it, as one state.

Pure: types, and the meeting's own clock. `forms.py` is the table of forms, `phases.py` and `turns.py` say what happens
in a phase, `seats.py` who has a place, `timers.py` what time brings, and `decide.py` combines them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NewType

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import RoomId

MeetingId = NewType("MeetingId", str)
"""`m--` and 16 random characters. Also the id of the closed room in which the meeting is written."""

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
REACH: Final = 15 * SECOND
"""Milliseconds after which somebody who was not seen again has lost the connection."""


_BACKSTAGE: Final = "-b"


def room_of_meeting(meeting: MeetingId) -> RoomId:
    """Return the closed room in which a meeting is written."""
    return RoomId(meeting)


def backstage_of(meeting: MeetingId) -> RoomId:
    """Return the closed room in which a meeting's hosts talk with each other."""
    return RoomId(meeting + _BACKSTAGE)


def is_backstage(room: RoomId) -> bool:
    """Return whether a meeting's room is the one of its hosts."""
    return room.endswith(_BACKSTAGE)


def meeting_of_room(room: RoomId) -> MeetingId:
    """Return the meeting to which one of its rooms belongs."""
    return MeetingId(room.removesuffix(_BACKSTAGE))


class Form(StrEnum):
    """How a meeting goes. `forms.py` says what each of them is."""

    CIRCLE = "circle"
    HANDS = "hands"
    THEMED = "themed"
    QUIET = "quiet"
    EXCHANGE = "exchange"
    """Two people, with an equal time for each. The exchange pairs them: no group has such meetings."""


class PhaseKind(StrEnum):
    GATHER = "gather"
    """People come in, and may write."""
    CONTRACT = "contract"
    """Two people say what they would like from each other."""
    WELCOME = "welcome"
    """Hosts speak."""
    CHECKIN = "checkin"
    """Everybody writes one line, in any order."""
    PREPARE = "prepare"
    """Nobody writes: people think of what they want to say."""
    SHARE = "share"
    """One after another has an equal time."""
    HANDS = "hands"
    """Whoever raised a hand has a turn, those first who had the fewest."""
    OPEN = "open"
    """Everybody may write, slowly."""
    QUIET = "quiet"
    """Nobody writes: people work side by side."""
    CLOSING = "closing"
    """Everybody writes one last line."""
    LINGER = "linger"
    """Everybody may write, while a host is there."""


ROUNDS: Final = frozenset((PhaseKind.CHECKIN, PhaseKind.CLOSING))
"""Phases in which everybody writes once."""
TURNS: Final = frozenset((PhaseKind.SHARE, PhaseKind.HANDS))
"""Phases in which one person at a time writes."""


class Phase(msgspec.Struct, frozen=True):
    """One part of the script, and how long it is planned to take."""

    kind: PhaseKind
    minutes: int


class Stage(StrEnum):
    ANNOUNCED = "announced"
    LIVE = "live"
    """From when the doors open."""
    ENDED = "ended"
    CANCELLED = "cancelled"


class Ending(StrEnum):
    """Why a meeting ended."""

    SCRIPT = "script"
    HOST = "host"
    DANGER = "danger"
    NO_HOST = "no_host"
    """No host came, or none came back."""
    TOO_FEW = "too_few"
    LEFT = "left"
    """One of two people has left."""
    ABANDONED = "abandoned"
    """Everybody lost the connection, and nobody came back for hours."""


class Contract(StrEnum):
    """What somebody would like from the other while they speak."""

    LISTEN = "listen"
    ASK = "ask"
    IDEAS = "ideas"


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """Who left a meeting of two before its end, and what was over by then: their own turn, and the other's."""

    member: MemberId
    had_turn: bool
    other_had_turn: bool


class Place(StrEnum):
    """What part somebody has in a meeting."""

    HOST = "host"
    SEAT = "seat"
    """Takes turns."""
    LISTENER = "listener"
    WAITING = "waiting"
    """Wants a seat, and has none. Such a person may be in the meeting and listen."""
    FREED = "freed"
    """Had a seat, which was freed because they missed two meetings of the group in a row. They are told so, and may
    sign up again."""


class Attendee(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who signed up for a meeting, or is in it.

    `at` is when they signed up or came, which orders the waiting list. `is_here` says that they entered and have not
    stepped out. `seen_at` is when any worker last had a connection of theirs, by the meeting's clock. `called_until` is
    until when a seat is held for somebody who waits. `is_out` says that a host sent them out until the end. `missed`
    counts the group's last meetings, in a row, for which they had a seat and did not come. `offered_until` is until
    when, by the meeting's clock, they may say yes to talking with one listener instead.
    """

    member: MemberId
    name: str
    place: Place
    at: Millis
    is_here: bool = False
    seen_at: Millis = Millis(0)
    called_until: Millis | None = None
    is_out: bool = False
    missed: int = 0
    offered_until: Millis | None = None


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What screening found in a post of somebody, for the hosts alone. `post` is its offset in the meeting's room,
    `category` and `level` are those of the entry in the moderators' queue, and `at` is the time on the wall's clock."""

    member: MemberId
    post: int
    category: str
    level: int
    at: Millis


class Turn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody's turn, by the meeting's clock. After `ends_at` it goes on for a moment, so that they can finish
    (`is_over`). `raised_at` is when they raised the hand for it."""

    holder: MemberId
    since: Millis
    ends_at: Millis
    is_over: bool = False
    raised_at: Millis = Millis(0)


class Meeting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A meeting. Times are by its own clock (`meeting_time`) while it is live, unless they say otherwise.

    What was planned: `phases` (the script's), `seats` for those who share, places for `listeners`, who are its `hosts`,
    `starts_at` (by the wall's clock), the `agreement` to accept, the `script` for its hosts. `seed` was drawn by
    chance, and orders the turns. With `no_crosstalk` nobody answers after a share. `is_for_known` says that its group
    takes nobody new any more.

    Where it stands: `phase` is an index of `phases`, -1 before the doors open; `step` counts phases and turns. `order`
    are those whose turn comes. `allotment` is the length of a turn in this share; `left_of` holds those of them who
    have less, because they were interrupted. `had` are those whose turn is over, `passed` those who gave it up,
    `postponed` those who went to the end of the order once, `aside` those who lost the connection before their turn was
    over. `saved` is the time that people left unused, and `added` what hosts added. `hands` are the raised hands, with
    the times; `turns` how many turns somebody had. `said` are those who wrote in this round. `answers_until` is until
    when everybody may answer the last share; between two people it is a breath, and nobody writes. `contracts` is what
    two people would like from each other, `hears_first` who of them does not begin in any case, and `gone` who left
    before the end. `held_at` is since when a host holds the meeting, `held_for` for how long
    in all before that. `host_seen_at` is when the last host left. `notes` are what screening found, for hosts.

    After the end: `ended_at`, `ending` and `forget_at`, by the wall's clock.

    The clock: `seen_at` is when anybody who is here was last seen, by the wall's clock, and None where nobody is here.
    `stood` is for how long in all the meeting's clock stood still.
    """

    id: MeetingId
    form: Form
    name: str
    starts_at: Millis
    phases: tuple[Phase, ...]
    seats: int
    listeners: int
    hosts: tuple[MemberId, ...]
    seed: str
    group: str | None = None
    agreement: str = ""
    agreement_version: int = 1
    script: tuple[str, ...] = ()
    no_crosstalk: bool = False
    is_for_known: bool = False
    known: frozenset[MemberId] = frozenset()
    """Who had a place in it, where only those whom the group knows are let in: they may come back."""
    number: int = 0
    """Which of its group's meetings it is, in the order in which they were planned, from 1."""
    stage: Stage = Stage.ANNOUNCED
    version: int = 0
    phase: int = -1
    phase_since: Millis = Millis(0)
    phase_until: Millis | None = None
    step: int = 0
    turn: Turn | None = None
    order: tuple[MemberId, ...] = ()
    allotment: int = 0
    left_of: dict[MemberId, int] = {}
    had: frozenset[MemberId] = frozenset()
    passed: frozenset[MemberId] = frozenset()
    postponed: frozenset[MemberId] = frozenset()
    aside: tuple[MemberId, ...] = ()
    saved: int = 0
    added: int = 0
    hands: dict[MemberId, Millis] = {}
    turns: dict[MemberId, int] = {}
    said: frozenset[MemberId] = frozenset()
    answers_until: Millis | None = None
    notes: tuple[Note, ...] = ()
    contracts: dict[MemberId, Contract] = {}
    hears_first: MemberId | None = None
    gone: Gone | None = None
    held_at: Millis | None = None
    held_for: int = 0
    host_seen_at: Millis | None = None
    are_seats_freed: bool = False
    ended_at: Millis | None = None
    ending: Ending | None = None
    why: str = ""
    forget_at: Millis | None = None
    seen_at: Millis | None = None
    stood: int = 0
    people: dict[MemberId, Attendee] = {}

    @property
    def is_live(self) -> bool:
        return self.stage is Stage.LIVE

    @property
    def is_ahead(self) -> bool:
        """Return whether the meeting is still to come, or goes on."""
        return self.stage in (Stage.ANNOUNCED, Stage.LIVE)

    @property
    def kind(self) -> PhaseKind | None:
        """Return the present phase's kind; None if the meeting is not live."""
        return self.phases[self.phase].kind if self.is_live else None

    @property
    def holder(self) -> MemberId | None:
        """Return whose turn it is."""
        return None if self.turn is None else self.turn.holder

    @property
    def has_backstage(self) -> bool:
        """Return whether its hosts have a room of their own: one host would be alone there."""
        return len(self.hosts) > 1

    def is_host(self, member: MemberId) -> bool:
        return member in self.hosts

    def here(self) -> list[Attendee]:
        """Return those who are in the meeting, also if they have lost the connection."""
        return [each for each in self.people.values() if each.is_here]

    def at(self, place: Place) -> list[Attendee]:
        """Return those with this place, those who signed up first before others."""
        return sorted(
            (each for each in self.people.values() if each.place is place), key=lambda each: (each.at, each.member)
        )


def meeting_time(meeting: Meeting, now: Millis) -> Millis:
    """Return the time by the meeting's clock. It stands still while people are in the meeting and nobody of them is
    seen: an outage costs nobody their turn."""
    return Millis(now - meeting.stood - standing(meeting, now))


def standing(meeting: Meeting, now: Millis) -> int:
    """Return for how long the meeting's clock has been standing still."""
    return 0 if meeting.seen_at is None else max(0, now - meeting.seen_at - REACH)


def wall_time(meeting: Meeting, at: Millis) -> Millis:
    """Return when the meeting's clock shows a time, if it does not stand still any more until then."""
    return Millis(at + meeting.stood)


def is_seen(meeting: Meeting, who: Attendee, time: Millis, within: int = REACH) -> bool:
    """Return whether somebody is in the meeting and was seen within so many milliseconds of its `time`."""
    return who.is_here and time - who.seen_at < within
