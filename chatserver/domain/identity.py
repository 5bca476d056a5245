"""Who somebody is: a guest with a pseudonym and nothing else.

Pure. No e-mail, no password, no address: a member is an id, a name and the moments that decide when both are forgotten.
"""

from __future__ import annotations

from typing import NewType

import msgspec

from chatserver.domain.history import Millis

MemberId = NewType("MemberId", str)
"""`m_` and 16 random characters. Public: it stands beside everything the member writes."""

NodeId = NewType("NodeId", str)
"""One worker process during one life."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member as stored. `name_key` is what makes names that look alike the same name (`domain/names.py`)."""

    id: MemberId
    name: str
    name_key: str
    created_at: Millis
    seen_at: Millis
    has_code: bool = False


class Person(msgspec.Struct, frozen=True):
    """A member as others meet them now."""

    id: MemberId
    name: str
