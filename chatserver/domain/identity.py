"""The identity of a member: a guest with a pseudonym and nothing else.

Pure. No e-mail, no password, no address: a member is an id, a name and the times that decide when both are forgotten.
"""

from __future__ import annotations

from typing import NewType

import msgspec

from chatserver.domain.history import Millis

MemberId = NewType("MemberId", str)
"""`m_` and 16 random characters. Members see only an alias of another's (`domain/rooms/aliases.py`)."""

NodeId = NewType("NodeId", str)
"""One worker process during one life."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member as stored. `name_key` is what makes names that look alike the same name (`domain/people/names.py`).
    `generation` rises with each new name, `credentials` whenever they sign out everywhere else."""

    id: MemberId
    name: str
    name_key: str
    created_at: Millis
    seen_at: Millis
    has_code: bool = False
    generation: int = 0
    credentials: int = 0

    @property
    def persona(self) -> Persona:
        """Return the member as others see them now."""
        return Persona(self.id, self.name, self.generation)


class Person(msgspec.Struct, frozen=True):
    """A member, or an alias of one, with a name."""

    id: MemberId
    name: str


class Persona(Person, frozen=True):
    """A member as others see them now: under the name of this generation. It is internal; on the wire is a `Person`
    with an alias."""

    generation: int = 0
