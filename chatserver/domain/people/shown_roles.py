"""The role beside a member's name in a room.

On the wire the role is a field of its own. The log and the messages between workers hold a name and its role in one
text: the name, and a mark behind it that no name can hold. So posts from before the field are shown right, too.
"""

from __future__ import annotations

from typing import Final, Literal

ShownRole = Literal["moderator"]

_MARKS: Final[dict[ShownRole, str]] = {"moderator": " · moderator"}
"""The mark behind a name. No name holds a "·" or says a role (`names.py`, `reserved_names.py`)."""


def with_role(name: str, role: ShownRole) -> str:
    """Return a name as it is stored for somebody who is shown with a role."""
    return name + _MARKS[role]


def split_role(kept: str) -> tuple[str, ShownRole | None]:
    """Return the name and the role, if any, of a stored name."""
    for role, mark in _MARKS.items():
        if kept.endswith(mark):
            return kept[: -len(mark)], role
    return kept, None
