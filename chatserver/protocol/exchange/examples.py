"""One real example of every message of the exchange: Quiet Wren practised, and somebody was found."""

from __future__ import annotations

from typing import Final

from chatserver.domain.exchange import practice
from chatserver.domain.history import CommandId, Millis
from chatserver.domain.meetings.state import MeetingId
from chatserver.protocol import messages as m
from chatserver.protocol.exchange.views import (
    AfterView,
    ExchangeOk,
    ExchangePracticeOk,
    ExchangePush,
    ExchangeScene,
    ExchangeView,
    OfferView,
)

_NOW: Final = Millis(1_767_225_600_000)
_OFFERED: Final = ExchangeView(
    practised=True,
    lengths=(8, 12, 15),
    languages=("en",),
    version=_NOW,
    waiting_since=Millis(_NOW - 90_000),
    minutes=12,
    offer=OfferView(id=MeetingId("m--7c2vq8nfk4x9mz3c"), until=Millis(_NOW + 60_000), minutes=12, why=("sleep",)),
)
_OVER: Final = ExchangeView(
    practised=True,
    lengths=(8, 12, 15),
    languages=("en",),
    version=Millis(_NOW + 1_800_000),
    after=AfterView(meeting=MeetingId("m--7c2vq8nfk4x9mz3c"), how="even"),
    again_at=Millis(_NOW + 2_700_000),
)
_SCENES: Final = tuple(
    ExchangeScene(title=each.title, says=each.says, answers=each.answers, right=each.right, why=each.why)
    for each in practice.SCENES
)
REPLIES: Final[tuple[m.Reply, ...]] = (
    m.Reply(re=CommandId("c8-1"), ok=ExchangeOk(exchange=_OFFERED)),
    m.Reply(re=CommandId("c8-2"), ok=ExchangePracticeOk(scenes=_SCENES)),
)
PUSHES: Final[tuple[m.AnyPush, ...]] = (ExchangePush(exchange=_OVER),)
