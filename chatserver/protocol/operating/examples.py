"""One real example of every message about rooms, announcements and workers: Ada Berg is the operator, and Quiet Wren is
led to a room beside hers."""

from __future__ import annotations

from typing import Any, Final

from chatserver.domain.history import CommandId, Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.moderation.screening_outcomes import OutcomeSum
from chatserver.domain.rooms.coverage import Attendance
from chatserver.domain.rooms.rooms import Room, RoomId
from chatserver.domain.rooms.settings import Notice, Raid
from chatserver.protocol import messages as m
from chatserver.protocol.operating import messages as ho
from chatserver.protocol.operating import screening_messages as sc

_NOW: Final = Millis(1_767_225_600_000)
_SLEEP: Final = RoomId("sleep")
_BESIDE: Final = RoomId("sleep-2")
_WREN: Final = Person(MemberId("m_8sXq4KzT1vYh3RbN"), "Quiet Wren")
_OTTER: Final = Person(MemberId("m_Zp6tW2dLc9GfJ5aM"), "Brave Otter")
_WHY: Final = "It is full every night."
_ROOM: Final = Room(
    id=_SLEEP,
    name="Can't sleep",
    about="For nights that are long.",
    agreement="Be kind.",
    capacity=40,
    revision=4,
    split_at=30,
)
_ROOM_BESIDE: Final = Room(
    id=_BESIDE,
    name="Can't sleep · 2",
    about="For nights that are long.",
    agreement="Be kind.",
    capacity=40,
    revision=1,
    split_of=_SLEEP,
)
_NOTICE: Final = Notice(
    id="6f2c51d0a7be9f01", text="We restart at three. You lose nothing.", at=_NOW, until=Millis(_NOW + 3_600_000)
)
_RAID: Final = Raid(id="7a1b51d0a7be9f02", room=_SLEEP, at=_NOW, until=Millis(_NOW + 3_600_000), quiet=600_000)
_HOME: Final = ho.PlaceToBe(id=_SLEEP, name="Can't sleep", agreement_version=1)
_THERE: Final = ho.PlaceToBe(id=_BESIDE, name="Can't sleep · 2", agreement_version=1)


def _id(number: int) -> CommandId:
    return CommandId(f"h4-{number}")


_seen: Final[dict[str, Any]] = {"room": _SLEEP, "seen": 3, "reason": _WHY}

REPLIES: Final[tuple[m.Reply, ...]] = (
    m.Reply(
        re=_id(2),
        ok=ho.RoomSettingsOk(
            notices=[_NOTICE],
            raids=[_RAID],
            hours="mon-fri 18:00-23:00",
            timezone="Europe/Berlin",
            hours_revision=1,
            rooms=[_ROOM, _ROOM_BESIDE],
        ),
    ),
    m.Reply(re=_id(4), ok=ho.RoomOk(room=_ROOM)),
    m.Reply(re=_id(9), ok=ho.NoticeOk(notice=_NOTICE)),
    m.Reply(re=_id(12), ok=ho.PlanOk(revision=3, groups=[[_OTTER], [_WREN]], plan="b7Jk2mQxR4tYw1Zc")),
    m.Reply(re=_id(13), ok=ho.SplitOk(rooms=[_ROOM, _ROOM_BESIDE])),
    m.Reply(re=_id(14), ok=ho.RaidOk(raid=_RAID)),
    m.Reply(
        re=_id(15),
        ok=sc.ScreeningOk(
            model=sc.ModelState.ON,
            revision=3,
            writers=50,
            moderators=15,
            writers_bounds=(5, 150),
            moderators_bounds=(2, 50),
            scores=(-0.5, 1.3),
            posts=48_210,
            fewest=2_000,
            week=_NOW,
            first=sc.LevelView(score=0.14, marked=48.7, found=54, urgent_found=61, near_marked=16),
            second=sc.LevelView(score=0.36, marked=14.2, found=32, urgent_found=40, near_marked=7),
            choices=(sc.LoadChoice(moderators=5, found=19), sc.LoadChoice(moderators=15, found=32)),
            rooms=(sc.RoomLevel(_SLEEP, 0.04),),
            since=_NOW,
            until=_NOW,
            phrases=(OutcomeSum(phrase="little ones", nothing=9, of=9),),
            bands=(OutcomeSum(low=0.2, high=0.4, nothing=6, of=11),),
            others=OutcomeSum(nothing=14, of=31),
        ),
    ),
)
PUSHES: Final[tuple[m.AnyPush, ...]] = (
    ho.NoticesPush(notices=[_NOTICE]),
    ho.MovedPush(room=_SLEEP, to=_THERE, beside=[_HOME, _THERE], at=_NOW),
    ho.StandbyPush(rooms=[ho.AloneRoom(id=_SLEEP, name="Can't sleep", attendance=Attendance.SLOWED)]),
)
