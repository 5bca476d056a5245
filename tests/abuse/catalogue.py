"""Every attack that is played, in an order in which those that share a server leave each other alone."""

from __future__ import annotations

from typing import Final

from tests.abuse import accounts, evasion, floods, listening, moderation, rooms, secrets, work
from tests.abuse.attack import Attack

ON_PEOPLE: Final[tuple[Attack, ...]] = (
    *moderation.ATTACKS,
    *listening.ATTACKS,
    *evasion.ATTACKS,
    *rooms.ATTACKS,
    # Floods come last: what comes in the ten minutes after one may be counted to it.
    *floods.ATTACKS,
)
"""What members, listeners and moderators would suffer from."""
ON_THE_SERVER: Final[tuple[Attack, ...]] = (*secrets.ATTACKS, *accounts.ATTACKS, *work.ATTACKS)
"""What accounts, secrets and the server itself would suffer from."""
ATTACKS: Final = (*ON_PEOPLE, *ON_THE_SERVER)
