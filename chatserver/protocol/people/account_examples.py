"""One real example of every message about the staff's accounts."""

from __future__ import annotations

from typing import Final

from chatserver.domain.history import CommandId, Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.people.account_acts import AccountAct
from chatserver.protocol import messages as m
from chatserver.protocol.people import account_messages as ac

_NOW: Final = Millis(1_767_225_600_000)
_ANNA: Final = Person(MemberId("m_Kq3vX8nRt5LwYp2d"), "Anna Berg")
_BEN: Final = Person(MemberId("m_Hs7cM4fZb9QjVe6u"), "Ben Stein")
_ACTS: Final = (
    ac.ActView(seq=42, at=_NOW, action=AccountAct.TRIED, about=_ANNA, detail="3"),
    ac.ActView(seq=41, at=Millis(_NOW - 60_000), action=AccountAct.ROLES, by=_ANNA, about=_BEN, detail="operator"),
    ac.ActView(seq=40, at=Millis(_NOW - 90_000), action=AccountAct.RESET, about=_BEN, is_machine=True),
)
_WAITING: Final = (ac.WaitingView(member=_BEN, at=Millis(_NOW + 86_340_000), by=_ANNA),)

REPLIES: Final[tuple[m.Reply, ...]] = (m.Reply(re=CommandId("o1-3"), ok=ac.AccountsOk(acts=_ACTS, waiting=_WAITING)),)
PUSHES: Final[tuple[m.AnyPush, ...]] = (ac.AccountsPush(acts=_ACTS, waiting=()),)
