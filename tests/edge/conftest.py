"""The edge is tested on uvloop, which production uses; the WebSocket protocol itself on asyncio's own loop as well."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
import uvloop

from tests.edge.chat import chatting
from tests.edge.staff_office import PASSWORD, Office

_UVLOOP = {"uvloop": uvloop.new_event_loop}
_BOTH = {**_UVLOOP, "asyncio": asyncio.new_event_loop}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return _BOTH if item.path.stem in {"test_websocket_protocol", "test_websocket_bounds"} else _UVLOOP


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with chatting(tmp_path) as (served, server), contextlib.AsyncExitStack() as stack:
        await server.worker.people.accounts.add_operator("anna", "Anna Berg", PASSWORD)
        yield Office(served, server, stack)
