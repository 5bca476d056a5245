"""What the hub's tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.delivery.hub_kit import HubCluster, open_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[HubCluster]:
    async with open_site(tmp_path) as opened:
        yield opened
