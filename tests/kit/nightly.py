"""How many random examples tests draw: half as many for each change as in the nightly run.

`TESTS=nightly scripts/test` draws all of them. Seeds that failed once are kept, and run each time.
"""

from __future__ import annotations

import os
from typing import Final

IS_NIGHT: Final = os.environ.get("TESTS") == "nightly"


def drawn(full: int) -> int:
    """Return how many of `full` examples are drawn in this run."""
    return full if IS_NIGHT else full // 2
