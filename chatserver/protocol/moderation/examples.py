"""One real example of every message of moderation, like `examples`: Quiet Wren reports, Ada Berg answers."""

from __future__ import annotations

from typing import Any, Final

from chatserver.domain.history import CommandId, Epoch, Millis, Offset
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.moderation.evidence import EarlierVersion, Ended
from chatserver.domain.moderation.measures import MeasureKind, Outcome, ReportStatus
from chatserver.domain.rooms.rooms import Post, RoomId
from chatserver.protocol import messages as m
from chatserver.protocol.moderation.views import (
    AnswerView,
    DebriefsOk,
    DebriefView,
    DeclinesView,
    MeasureOk,
    MeasureView,
    ModerationNoticesPush,
    ModerationNoticeView,
    NetworkView,
    NoteView,
    RankCounts,
    ReportOk,
    ReportPageOk,
    ReportsOk,
    ReportsPush,
    ReportView,
    RingPush,
)

_EPOCH: Final = Epoch("b7Jk2mQx")
_NOW: Final = Millis(1_767_225_600_000)
_ROOM: Final = RoomId("sleep")
_WREN: Final = Person(MemberId("m_8sXq4KzT1vYh3RbN"), "Quiet Wren")
_OTTER: Final = Person(MemberId("m_Zp6tW2dLc9GfJ5aM"), "Brave Otter")
_ADA: Final = Person(MemberId("m_c4NwHq8ZyTf2BvKs"), "Ada Berg")
_REPORT: Final = "kX3nW9tQm2ZbP7dL"
_MEASURE: Final = "Vb8sJq4Yc6RfT1hG"


def _id(number: int) -> CommandId:
    return CommandId(f"c3-{number}")


_VIEW: Final = ReportView(
    id=_REPORT,
    at=_NOW,
    due_at=Millis(_NOW + 3_600_000),
    room=_ROOM,
    reason="pressure",
    status=ReportStatus.OPEN,
    offset=Offset(41),
    epoch=_EPOCH,
    by=_WREN,
    about=_OTTER,
    rank=2,
)
_TAKEN: Final = MeasureView(
    id=_MEASURE,
    at=_NOW,
    kind=MeasureKind.MUTE,
    by=_ADA,
    about=_OTTER,
    room=_ROOM,
    reason="Pressing others for where they live.",
    expires_at=Millis(_NOW + 86_400_000),
    report=_REPORT,
    appeal="I only wanted to help.",
    appealed_at=Millis(_NOW + 60_000),
)
_QUEUE: Final[dict[str, Any]] = {
    "version": 12,
    "open": (_VIEW,),
    "open_count": 1,
    "ranks": RankCounts(now=0, reports=1, words=0),
    "closed": (),
    "measures": (_TAKEN,),
    "unread_debriefs": 1,
}
_POST: Final = Post(offset=Offset(41), author=_OTTER.id, name=_OTTER.name, text="Just tell me where you live.", at=_NOW)

REPLIES: Final[tuple[m.Reply, ...]] = (
    m.Reply(re=_id(3), ok=ReportsOk(**_QUEUE)),
    m.Reply(re=_id(13), ok=ReportPageOk(reports=(_VIEW,))),
    m.Reply(
        re=_id(4),
        ok=ReportOk(
            report=_VIEW,
            note="It goes on and on.",
            posts=(_POST,),
            notes=(NoteView(by=_ADA, at=_NOW, note="Second time this week."),),
            measures=(_TAKEN,),
            network=NetworkView(others=30, newcomer=True),
            earlier=(
                EarlierVersion(
                    offset=_POST.offset,
                    author=_POST.author,
                    name=_POST.name,
                    text="Tell me where you live, or else.",
                    at=_NOW,
                    until=Millis(_NOW + 60_000),
                    ended=Ended.EDITED,
                ),
            ),
        ),
    ),
    m.Reply(re=_id(9), ok=MeasureOk(measure=_MEASURE, until=Millis(_NOW + 86_400_000))),
    m.Reply(
        re=_id(11),
        ok=DebriefsOk(
            debriefs=(
                DebriefView(
                    id="Qz5xN8wKj3DvB6mT",
                    at=_NOW,
                    listener=Person(MemberId("m_t7BqYw3eXk5NcR2j"), "Calm Heron"),
                    note="I carried some of it home. I would like to talk tomorrow.",
                ),
            ),
            declines=(
                DeclinesView(
                    listener=Person(MemberId("m_t7BqYw3eXk5NcR2j"), "Calm Heron"), hour=2, hour_cap=6, day=5, sessions=4
                ),
            ),
        ),
    ),
)

PUSHES: Final[tuple[m.AnyPush, ...]] = (
    ReportsPush(**_QUEUE),
    RingPush(report=_REPORT, at=_NOW, room=RoomId("s-4f9kq2mzx7b3wc8h"), kind="call"),
    ModerationNoticesPush(
        measures=(
            ModerationNoticeView(
                id=_MEASURE,
                at=_NOW,
                kind=MeasureKind.MUTE,
                room=_ROOM,
                reason="Pressing others for where they live.",
                until=Millis(_NOW + 86_400_000),
            ),
        ),
        answers=(
            AnswerView(
                id=_REPORT,
                at=_NOW,
                closed_at=Millis(_NOW + 600_000),
                outcome=Outcome.MEASURE,
                reply="Thank you. They can't write for a day.",
            ),
        ),
    ),
)
