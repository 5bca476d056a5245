"""Who works here: listeners, facilitators, moderators and operators, and what each may do.

Pure. A staff account stands behind an ordinary member, so that what its owner writes has an author like everybody's.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId


class Role(StrEnum):
    LISTENER = "listener"
    FACILITATOR = "facilitator"
    MODERATOR = "moderator"
    OPERATOR = "operator"


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """A staff account as stored, without its secrets. `login` is what its owner types to sign in; `name` is what others
    see. `revoked_at` is None while it is good."""

    member: MemberId
    login: str
    name: str
    roles: frozenset[Role]
    created_at: Millis
    has_totp: bool = False
    revoked_at: Millis | None = None


PRECEDENCE: Final = (Role.OPERATOR, Role.MODERATOR, Role.FACILITATOR, Role.LISTENER)
"""Of several roles the first is the one that others are shown."""


def shown_role(roles: frozenset[Role]) -> Role | None:
    """The role that stands beside a name."""
    return next((role for role in PRECEDENCE if role in roles), None)
