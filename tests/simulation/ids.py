"""The aliases of all workers of the simulation, which its judge can compute too."""

from __future__ import annotations

from typing import Final

from chatserver.domain.rooms.aliases import Aliases

ALIASES: Final = Aliases(b"the simulation's")
