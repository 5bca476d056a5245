"""The edge is tested on uvloop, which production uses; the WebSocket protocol itself on asyncio's own loop as well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

_UVLOOP = {"uvloop": uvloop.new_event_loop}
_BOTH = {**_UVLOOP, "asyncio": asyncio.new_event_loop}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return _BOTH if item.path.stem in {"test_websocket_protocol", "test_websocket_bounds"} else _UVLOOP
