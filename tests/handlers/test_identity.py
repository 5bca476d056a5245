"""Who is behind a token or a code, without any connection."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from chatserver.domain.people.comeback import hash_code
from chatserver.handlers.people import code_hashing
from tests.edge.chat import chatting


async def test_codes_are_hashed_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together, most = [0], [0]
    guard = threading.Lock()

    def counted(code: str, pepper: bytes) -> bytes:
        with guard:
            together[0] += 1
            most[0] = max(most[0], together[0])
        time.sleep(0.01)
        try:
            return hash_code(code, pepper)
        finally:
            with guard:
                together[0] -= 1

    monkeypatch.setattr(code_hashing, "hash_code", counted)
    async with chatting(tmp_path) as (_, server):
        identities = server.worker.people.identities
        members = [(await identities.arrive(None))[0] for _ in range(4)]
        codes = await asyncio.gather(*(identities.make_code(member.id) for member in members))
        restored = await asyncio.gather(*(identities.restore(code) for code in codes))
    assert [member.id for member, _ in restored] == [member.id for member in members]
    assert most == [1]
