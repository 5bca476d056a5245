"""Who sees whom, if one hides the other (decision 0131). Pure."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms.rooms import RoomId


class Unseen(NamedTuple):
    """A member who is not shown to another, under the name of one generation, in one room or (None) everywhere."""

    other: MemberId
    generation: int
    room: RoomId | None


class Hiding(msgspec.Struct, frozen=True, kw_only=True):
    """The members whom a member hides, and those who hide them.

    `hidden` are the members they hide, with the name and generation that these had then; `unseen` says where that
    holds, also after a new name. `hidden_from` are the members who hide them, as long as these have the name of that
    generation.
    """

    hidden: tuple[Persona, ...] = ()
    unseen: frozenset[Unseen] = frozenset()
    hidden_from: frozenset[Unseen] = frozenset()

    def is_unseen(self, persona: Persona, room: RoomId) -> bool:
        """Return whether somebody is not shown to this member as present or typing in a room."""
        here = Unseen(persona.id, persona.generation, room)
        everywhere = here._replace(room=None)
        return here in self.unseen or everywhere in self.unseen or everywhere in self.hidden_from

    @property
    def others(self) -> frozenset[MemberId]:
        """Return all members of whom this member may not see something."""
        return frozenset(each.other for each in (*self.unseen, *self.hidden_from))


NOBODY_HIDDEN = Hiding()
