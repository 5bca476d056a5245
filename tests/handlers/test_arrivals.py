"""Credentials that end, and where members come from, on workers that share a store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.protocol.codes import Close
from tests.handlers.workers import KEY, Cluster, open_cluster


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with open_cluster(tmp_path) as opened:
        yield opened


async def test_a_code_that_is_used_ends_every_older_token_and_connection(site: Cluster) -> None:
    here, there = await site.worker(), await site.worker()
    ann = await here.guest()
    token = here.token_of(ann)
    far = await there.guest(token)
    code = await here.people.identities.make_code(ann.member)
    _, fresh = await here.people.identities.restore(code)
    assert ann.wire.closed_with == Close.SIGNED_OUT
    assert await there.people.identities.known(token) is None
    assert await there.people.identities.known(fresh) is not None
    for refused in (
        there.people.identities.export,
        there.people.identities.erase,
        there.people.identities.sign_out_others,
    ):
        with pytest.raises(Refusal) as refusal:
            await refused(token)
        assert refusal.value.reason is Reason.IDENTITY_REQUIRED
    # The bus may have lost it: each worker asks for itself.
    far.wire.closed_with = None
    await there.people.arrivals.tick()
    assert far.wire.closed_with == Close.SIGNED_OUT
    # Whoever came with the new token stays.
    near = await there.guest(fresh)
    await there.people.arrivals.tick()
    assert near.wire.closed_with is None


async def test_signing_out_elsewhere_ends_the_code_that_somebody_may_know(site: Cluster) -> None:
    worker = await site.worker()
    ann = await worker.guest()
    identities = worker.people.identities
    code = await identities.make_code(ann.member)
    member, fresh = await identities.sign_out_others(worker.token_of(ann))
    assert not member.has_code
    with pytest.raises(Refusal) as refusal:
        await identities.restore(code)
    assert refusal.value.reason is Reason.CODE_UNKNOWN
    again = await identities.known(fresh)
    assert again is not None
    assert again.id == ann.member


async def test_a_token_of_an_earlier_release_is_good_until_the_generation_rises(site: Cluster) -> None:
    worker = await site.worker()
    ann = await worker.guest()
    identities = worker.people.identities
    old = jwt.encode({"sub": ann.member, "iat": 1}, KEY, algorithm="HS256")
    assert await identities.known(old) is not None
    await identities.sign_out_others(old)
    assert await identities.known(old) is None
    assert await identities.known(jwt.encode({"sub": ann.member, "gen": "1"}, KEY, algorithm="HS256")) is None


async def test_a_hello_that_overlaps_with_the_end_of_its_token_is_refused(site: Cluster) -> None:
    worker = await site.worker()
    ann = await worker.guest()
    held = worker.node.store
    assert worker.people.arrivals.is_good(ann.member, 0)
    worker.people.arrivals.end_older(ann.member, 1)
    assert not worker.people.arrivals.is_good(ann.member, 0)
    assert worker.people.arrivals.is_good(ann.member, 1)
    assert await held.credentials_since(Millis(0)) == {}
    with pytest.raises(Refusal) as refusal:
        await held.raise_credentials(MemberId("m_nobody"), Millis(1), drops_code=False)
    assert refusal.value.reason is Reason.MEMBER_UNKNOWN
