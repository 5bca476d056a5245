"""Rates of one member for everything that is not a post: reacting, typing, renaming.

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
"""The least seconds between two signs of typing in one room. Clients wait three seconds; the network may bring two of
them a little closer together."""
TOGGLES_A_MINUTE: Final = 10.0
"""How often a minute one member may add or remove reactions on one post: each of the five, and each of them back. As
often they may hide one person and show them again."""
_REMEMBERED: Final = 64
"""Posts and rooms that are remembered of one member; with more of them there is no need for a limit."""
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
"""Names of services: with one more word, a name says where to find somebody."""
_WORD: Final = re.compile(r"[^\W_]+")
_UNKIND: Final = frozenset({Category.HOSTILE, Category.GROOMING, Category.METHOD})
"""What a name may not say, because everybody in the room reads it with each post. That somebody is in need is not among
it."""


class Paces:
    """What one member did lately."""

    __slots__ = ("_toggled", "_typed")

    def __init__(self) -> None:
        self._typed: dict[Hashable, float] = {}
        self._toggled: dict[Hashable, Bucket] = {}

    def may_type(self, room: Hashable, now: float) -> bool:
        """Return whether their typing may be shown in a room again; if so it counts."""
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
    """Raise NAME_REFUSED if a name is hurtful (`why` "unkind"; `signals` are what the word lists find in it), or holds
    contact details (`why` "contact")."""
    if any(each.category in _UNKIND for each in signals):
        raise Refusal(Reason.NAME_REFUSED, details={"why": "unkind"})
    words = _WORD.findall(unicodedata.normalize("NFKC", name).casefold())
    if find_contacts(name) or (len(words) > 1 and not _ELSEWHERE.isdisjoint(words)):
        raise Refusal(Reason.NAME_REFUSED, details={"why": "contact"})


def _bound(table: dict[Hashable, float] | dict[Hashable, Bucket]) -> None:
    while len(table) > _REMEMBERED:
        del table[next(iter(table))]
