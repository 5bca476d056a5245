"""Whom each member hides who is connected to this worker, as the store last said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.hiding import NOBODY_HIDDEN, Hiding


class HidingBook:
    """What those who are connected here have with those whom they hide or who hide them. Most have nothing."""

    def __init__(self) -> None:
        self._of: dict[MemberId, Hiding] = {}
        self._seers: defaultdict[MemberId, set[MemberId]] = defaultdict(set)
        self._asked = 0
        self._as_of: dict[MemberId, int] = {}
        self.changes = 0
        """Counts what was told here, so that somebody who reads the store meanwhile knows that it may be older."""

    def of(self, member: MemberId) -> Hiding:
        """Returns what a member has; nothing for those who are not connected here."""
        return self._of.get(member, NOBODY_HIDDEN)

    def seers(self, other: MemberId) -> Collection[MemberId]:
        """Returns the members here who may not see something of somebody."""
        return self._seers.get(other, ())

    def hides(self, member: MemberId, other: MemberId) -> bool:
        """Returns whether a member who is connected here hides somebody, under whatever name."""
        return any(each.other == other for each in self.of(member).unseen)

    def hiders(self, other: MemberId) -> list[MemberId]:
        """Returns the members here who hide somebody, under whatever name."""
        return [seer for seer in self.seers(other) if self.hides(seer, other)]

    def ask(self) -> int:
        """Number a question to the store, right before it is asked."""
        self._asked += 1
        return self._asked

    def is_older(self, member: MemberId, asked: int) -> bool:
        """Returns whether an answer is older than what is kept of a member: its question, the number of which `ask`
        gave, was asked before the one whose answer that is."""
        return asked < self._as_of.get(member, 0)

    def keep(self, member: MemberId, hiding: Hiding, asked: int | None = None) -> None:
        """Take in what a member has now, as the store answered a question of that number, or the last one."""
        self.drop(member)
        self._as_of[member] = self._asked if asked is None else asked
        if hiding != NOBODY_HIDDEN:
            self._of[member] = hiding
            for other in hiding.others:
                self._seers[other].add(member)

    def drop(self, member: MemberId) -> None:
        """A member is not connected here any more, or has nothing. Again changes nothing."""
        self._as_of.pop(member, None)
        for other in self._of.pop(member, NOBODY_HIDDEN).others:
            self._seers[other].discard(member)
            if not self._seers[other]:
                del self._seers[other]

    def members(self) -> Collection[MemberId]:
        """Returns those here who have anything with anybody."""
        return self._of.keys()
