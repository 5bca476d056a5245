"""What people are shown of groups and meetings: replies, pushes, and what they are made of."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.meetings.groups import GroupId
from chatserver.domain.meetings.state import Contract, Ending, Form, MeetingId, PhaseKind, Stage
from chatserver.domain.rooms.rooms import RoomId

PlaceWord = Literal["host", "seat", "listener", "waiting"]
"""What part somebody has in a meeting."""


class MeetingPerson(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody in a meeting, by their id in its room. `lost` says that they have no connection, `hand` that their hand
    is raised, and to hosts `offered` that they are offered a listener."""

    id: MemberId
    name: str
    place: PlaceWord
    lost: bool = False
    hand: bool = False
    offered: bool = False


class ConcernView(Struct, frozen=True, kw_only=True):
    """What screening found in a post, for hosts. Moderators have an entry about it."""

    member: MemberId
    offset: int
    category: str
    level: int
    at: Millis


class PhaseView(Struct, frozen=True, kw_only=True):
    """One part of the script."""

    kind: PhaseKind
    minutes: int


class TurnView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whose turn it is, and until when. `over` says that their time is over, and that they finish now."""

    holder: MemberId
    since: Millis
    ends_at: Millis
    over: bool = False


class MeetingView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A meeting as one person sees it; the newest is right. Times are estimates: they move while a host holds the
    meeting, and while nobody of it can be reached.

    `me` is one's own id in its `room`, and `place` what one has in it, if anything. `may` are the commands that one
    could give at this moment: the server refuses all others, or they would change nothing. People are shown to those
    who are in the meeting, and to hosts; others see how many seats are `free`. `step` is for the host's `step`. In a
    share, `order` are those whose turn comes, `allotment` is the length of each turn in seconds, `passed` gave theirs
    up, and `aside` lost the connection before theirs was over. `hands` are raised, in the order in which they are
    taken.
    `answers_until` is there while everybody may answer the last share; the share goes on after it. Between two people
    it is a breath in which nobody writes, and `contracts` says what each would like while they speak.
    `called_until` says until when a freed seat is held: `sign_up` takes it. `offered_until` says until when one can
    answer, with `answer_aside`, the offer to talk with one listener and be first. `script`, `notes` (what screening
    found) and `backstage` (the hosts' own room, if there are several) are shown to hosts.
    """

    id: MeetingId
    room: RoomId
    group: GroupId
    name: str
    form: Form
    stage: Stage
    starts_at: Millis
    doors_at: Millis
    me: MemberId
    may: tuple[str, ...]
    phases: tuple[PhaseView, ...]
    seats: int
    free: int
    version: int = 0
    place: PlaceWord | None = None
    here: bool = False
    phase: int = -1
    phase_since: Millis | None = None
    phase_until: Millis | None = None
    step: int = 0
    held: bool = False
    host_lost: bool = False
    people: tuple[MeetingPerson, ...] = ()
    turn: TurnView | None = None
    order: tuple[MemberId, ...] = ()
    allotment: float = 0.0
    passed: tuple[MemberId, ...] = ()
    aside: tuple[MemberId, ...] = ()
    hands: tuple[MemberId, ...] = ()
    answers_until: Millis | None = None
    contracts: dict[MemberId, Contract] = {}
    no_crosstalk: bool = False
    called_until: Millis | None = None
    offered_until: Millis | None = None
    script: tuple[str, ...] = ()
    notes: tuple[ConcernView, ...] = ()
    backstage: RoomId | None = None
    ending: Ending | None = None
    why: str = ""
    forget_at: Millis | None = None


class DateView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A meeting that is ahead or live, before one is in it: numbers, and no names. `place` is one's own. `freed`
    says that one had a seat, which is free again because one missed two meetings. `closed` says that it takes nobody
    new, and that one is new."""

    id: MeetingId
    starts_at: Millis
    doors_at: Millis
    stage: Stage
    seats: int
    free: int
    waiting: int = 0
    place: PlaceWord | None = None
    called_until: Millis | None = None
    freed: bool = False
    closed: bool = False


class GroupCard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A group that meets. `phases` are the parts of its meetings. `mine` says that one is a host of it. Hosts get its
    `script`, its `hosts` with the owner first, and the `revision` for changes; operators all but the names. With
    `no_crosstalk` nobody answers after a share. After as many meetings as `closed_after` (0: never) it takes nobody
    new."""

    id: GroupId
    name: str
    about: str
    form: Form
    language: str
    agreement: str
    agreement_version: int
    minutes: int
    dates: tuple[DateView, ...]
    phases: tuple[PhaseView, ...]
    seats: int
    theme: str = ""
    mine: bool = False
    no_crosstalk: bool = False
    closed_after: int = 0
    script: tuple[str, ...] = ()
    hosts: tuple[Person, ...] = ()
    revision: int | None = None
    ended_at: Millis | None = None


class GroupsOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="groups"):
    """Every group that goes on."""

    groups: tuple[GroupCard, ...]


class GroupOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="group"):
    """One group, as it is now."""

    group: GroupCard


class FacilitatorsOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="facilitators"):
    """Those who may become co-hosts, by their names."""

    facilitators: tuple[Person, ...]


class MeetingOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="meeting"):
    """A meeting, as it is now."""

    meeting: MeetingView


class MeetingPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="meeting"):
    """A meeting that one asked for has changed."""

    meeting: MeetingView


class MeetingGonePush(Struct, frozen=True, kw_only=True, tag_field="push", tag="meeting_gone"):
    """A meeting that one asked for is forgotten."""

    id: MeetingId
