"""Who sees whom, where one hides the other (decision 0131). Pure."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms.rooms import RoomId


class Unseen(NamedTuple):
    """Somebody who is not shown to a member, under the name of one generation, in one room or (None) everywhere."""

    other: MemberId
    generation: int
    room: RoomId | None


class Hiding(msgspec.Struct, frozen=True, kw_only=True):
    """What a member has with those whom they hide, and with those who hide them.

    `hidden` are those whom they hide, with the name and generation that these had then; `unseen` says where that holds,
    also after a new name. `hidden_from` are those who hide them, as long as these have the name of that generation.
    """

    hidden: tuple[Persona, ...] = ()
    unseen: frozenset[Unseen] = frozenset()
    hidden_from: frozenset[Unseen] = frozenset()

    def is_unseen(self, persona: Persona, room: RoomId) -> bool:
        """Returns whether somebody is not shown to this member as present or typing in a room."""
        here = Unseen(persona.id, persona.generation, room)
        everywhere = here._replace(room=None)
        return here in self.unseen or everywhere in self.unseen or everywhere in self.hidden_from

    @property
    def others(self) -> frozenset[MemberId]:
        """Everybody of whom this member may not see something."""
        return frozenset(each.other for each in (*self.unseen, *self.hidden_from))


NOBODY_HIDDEN = Hiding()
