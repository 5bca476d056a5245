"""How fast one member may do what is no post: react, show that they write, be called something else.

Pure: the clock arrives as an argument, in seconds of any monotonic one. One `Paces` belongs to one member on one
worker.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.limits import Bucket
from chatserver.domain.moderation.crisis_phrases import Category, Signal
from chatserver.domain.text.contact_details import find_contacts

TYPING_SECONDS: Final = 2.8
"""The least time between two signs of writing in one room. Clients wait three seconds; the network may bring two of
them a little closer together."""
TOGGLES_A_MINUTE: Final = 10.0
"""How often one member may put or take back reactions on one post: each of the five, and each of them back. So often
they may hide one person and show them again."""
_REMEMBERED: Final = 64
"""Posts and rooms that are remembered of one member; more is no hurry to be held up in."""
_ELSEWHERE: Final = frozenset(
    [
        "discord",
        "facebook",
        "insta",
        "instagram",
        "kik",
        "messenger",
        "onlyfans",
        "signal",
        "skype",
        "snap",
        "snapchat",
        "telegram",
        "tiktok",
        "twitter",
        "viber",
        "wechat",
        "whatsapp",
        "wickr",
    ]
)
"""Places where people are met: with one more word, a name says where to find somebody."""
_WORD: Final = re.compile(r"[^\W_]+")
_UNKIND: Final = frozenset({Category.HOSTILE, Category.GROOMING, Category.METHOD})
"""What a name may not say: everybody in the room reads it with each post. That somebody is in need is no such thing."""


class Paces:
    """What one member did lately."""

    __slots__ = ("_toggled", "_typed")

    def __init__(self) -> None:
        self._typed: dict[Hashable, float] = {}
        self._toggled: dict[Hashable, Bucket] = {}

    def may_type(self, room: Hashable, now: float) -> bool:
        """Whether their writing may be shown in a room again; if so it counts."""
        if now - self._typed.get(room, float("-inf")) < TYPING_SECONDS:
            return False
        self._typed.pop(room, None)
        self._typed[room] = now
        _bound(self._typed)
        return True

    def toggle(self, what: Hashable, now: float) -> float:
        """Count a reaction on a post, or hiding somebody. Return 0.0, or how long to wait; then it is not counted."""
        bucket = self._toggled.pop(what, None) or Bucket(TOGGLES_A_MINUTE / 60, TOGGLES_A_MINUTE, now)
        self._toggled[what] = bucket
        _bound(self._toggled)
        return bucket.take(1.0, now)


def require_kind_name(name: str, signals: tuple[Signal, ...]) -> None:
    """Raise NAME_REFUSED where a name hurts those who read it (`why` "unkind"; `signals` are what the word lists find
    in it), or leads somebody away from here (`why` "contact")."""
    if any(each.category in _UNKIND for each in signals):
        raise Refusal(Reason.NAME_REFUSED, details={"why": "unkind"})
    words = _WORD.findall(unicodedata.normalize("NFKC", name).casefold())
    if find_contacts(name) or (len(words) > 1 and not _ELSEWHERE.isdisjoint(words)):
        raise Refusal(Reason.NAME_REFUSED, details={"why": "contact"})


def _bound(table: dict[Hashable, float] | dict[Hashable, Bucket]) -> None:
    while len(table) > _REMEMBERED:
        del table[next(iter(table))]
