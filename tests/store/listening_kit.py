"""What tests of the floor's keeping share: records, and commits whose decisions are given."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.commands import Decided, FloorEffect, ListeningEvent
from chatserver.domain.listening.state import Listener, Seeker, Session, SessionId, Wish
from chatserver.store.records import ListeningChange, ListeningCommitted
from chatserver.store.store import Store
from tests.store.kit import START

T = TypeVar("T")


def seeker(who: MemberId, **fields: object) -> Seeker:
    place = Seeker(member=who, name=f"name of {who}", asked_at=START, wish=Wish(), seen_at=START)
    return msgspec.structs.replace(place, **fields)


def listener(who: MemberId, **fields: object) -> Listener:
    return msgspec.structs.replace(Listener(member=who, name=f"name of {who}", seen_at=START), **fields)


def session(id_: str, who: MemberId, *listeners: MemberId, **fields: object) -> Session:
    talk = Session(
        id=SessionId(id_),
        seeker=who,
        seeker_name=f"name of {who}",
        listeners=listeners,
        names={member: f"name of {member}" for member in (who, *listeners)},
        wish=Wish(),
        asked_at=START,
        started_at=START,
        ends_at=Millis(START + 45 * 60_000),
        last_at=START,
    )
    return msgspec.structs.replace(talk, **fields)


async def does(
    store: Store, *events: ListeningEvent, effects: tuple[FloorEffect, ...] = (), now: int = START
) -> ListeningCommitted:
    """Commit events and effects, whatever stands on the floor."""
    decided = Decided(events=events, effects=effects)
    return await store.commit_listening(ListeningChange(decide=lambda state: decided, now=Millis(now)))


async def at_once(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The outcomes of calls that run together."""
    return list(await asyncio.gather(*calls))
