"""Whom each member who is connected to this worker hides, as the store last said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.hiding import NOBODY_HIDDEN, Hiding


class HidingBook:
    """For the members who are connected here: whom they hide, and who hides them. Most have nobody."""

    def __init__(self) -> None:
        self._of: dict[MemberId, Hiding] = {}
        self._seers: defaultdict[MemberId, set[MemberId]] = defaultdict(set)
        self._asked = 0
        self._as_of: dict[MemberId, int] = {}
        self.changes = 0
        """Counts what was told here, so that somebody who reads the store meanwhile knows that it may be older."""

    def of(self, member: MemberId) -> Hiding:
        """Return what a member has; nothing for those who are not connected here."""
        return self._of.get(member, NOBODY_HIDDEN)

    def seers(self, other: MemberId) -> Collection[MemberId]:
        """Return the members here who may not see something of somebody."""
        return self._seers.get(other, ())

    def hides(self, member: MemberId, other: MemberId) -> bool:
        """Return whether a member who is connected here hides somebody, under whatever name."""
        return any(each.other == other for each in self.of(member).unseen)

    def hiders(self, other: MemberId) -> list[MemberId]:
        """Return the members here who hide somebody, under whatever name."""
        return [seer for seer in self.seers(other) if self.hides(seer, other)]

    def ask(self) -> int:
        """Number a question to the store, right before it is asked."""
        self._asked += 1
        return self._asked

    def is_older(self, member: MemberId, asked: int) -> bool:
        """Return whether an answer of the store is older than what is kept of a member. `ask` gave the number of its
        question."""
        return asked < self._as_of.get(member, 0)

    def keep(self, member: MemberId, hiding: Hiding, asked: int | None = None) -> None:
        """Keep what a member has, as the store answered the question of that number, or the last question."""
        self.drop(member)
        self._as_of[member] = self._asked if asked is None else asked
        if hiding != NOBODY_HIDDEN:
            self._of[member] = hiding
            for other in hiding.others:
                self._seers[other].add(member)

    def drop(self, member: MemberId) -> None:
        """Forget a member who is not connected here any more, or has nothing. Doing it again changes nothing."""
        self._as_of.pop(member, None)
        for other in self._of.pop(member, NOBODY_HIDDEN).others:
            self._seers[other].discard(member)
            if not self._seers[other]:
                del self._seers[other]

    def members(self) -> Collection[MemberId]:
        """Return those here who hide somebody, or are hidden."""
        return self._of.keys()
