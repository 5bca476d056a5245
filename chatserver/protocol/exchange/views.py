"""What somebody is shown of the exchange: replies, pushes, and what they are made of."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from chatserver.domain.history import Millis
from chatserver.domain.meetings.state import MeetingId


class OfferView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody was found. Until `until` both can say yes, and `yes` is one's own. `minutes` is what each would have,
    and `why` are the topics that both chose. Who it is nobody is told."""

    id: MeetingId
    until: Millis
    minutes: int
    why: tuple[str, ...] = ()
    yes: bool = False


class AfterView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One's last exchange, for an hour: how it ended for oneself, and what one said about it. `was_left` is somebody
    whose partner went before their turn was over; they did nothing wrong."""

    meeting: MeetingId
    how: Literal["even", "left", "was_left"]
    heard: int | None = None
    again: bool = False


class ExchangeView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The exchange as one person sees it; the newest is right. `waiting_since` is there while one waits, `minutes` what
    one asked for, `offer` when somebody was found, and `meeting` while one is in an exchange. `again_at` says from when
    on one can have another. `listens_first` says that one left after one's own turn, and listens first next time;
    `first` that one is first in the line and begins, because somebody left. `lengths` are the minutes to choose from,
    `languages` the languages, and `topics` ids of rooms."""

    practised: bool
    lengths: tuple[int, ...]
    languages: tuple[str, ...]
    version: int = 0
    waiting_since: Millis | None = None
    minutes: int | None = None
    offer: OfferView | None = None
    meeting: MeetingId | None = None
    after: AfterView | None = None
    again_at: Millis | None = None
    listens_first: bool = False
    first: bool = False


class ExchangeScene(Struct, frozen=True, kw_only=True):
    """A moment to practise: what somebody says, and answers to choose from. `right` helps most, for the reason
    `why`."""

    title: str
    says: str
    answers: tuple[str, ...]
    right: int
    why: str


class ExchangeOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="exchange"):
    """The exchange, as it is now."""

    exchange: ExchangeView


class ExchangePracticeOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="exchange_practice"):
    """The practice, and which scenes (numbers from 0) of one's answers are to be thought about again."""

    scenes: tuple[ExchangeScene, ...]
    again: tuple[int, ...] = ()
    practised: bool = False


class ExchangePush(Struct, frozen=True, kw_only=True, tag_field="push", tag="exchange"):
    """The exchange has changed for one who asked for it."""

    exchange: ExchangeView
