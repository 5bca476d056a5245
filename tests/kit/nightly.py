"""How often what is drawn at random is drawn: half as often with each change as in the night.

`TESTS=nightly scripts/test` plays all of it. What failed once is kept by its seed, and played each time.
"""

from __future__ import annotations

import os
from typing import Final

IS_NIGHT: Final = os.environ.get("TESTS") == "nightly"


def drawn(full: int) -> int:
    """Return how many examples of this many are drawn in this run."""
    return full if IS_NIGHT else full // 2
