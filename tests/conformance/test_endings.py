"""Connections that are too slow, workers that stop, and a store that is away."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet
from tests.conformance.peer import Json, Peer, Refused
from tests.conformance.traffic import Traffic


@pytest.fixture
def encoding() -> Encoding:
    return Encoding.JSON


@contextlib.asynccontextmanager
async def meeting(site: Cluster, traffic: Traffic) -> AsyncIterator[Meet]:
    meet = Meet(site, traffic, Encoding.JSON)
    try:
        yield meet
    finally:
        await meet.see_off()


def _narrow_socket(site: Cluster) -> socket.socket:
    """A connected socket into which the kernel takes little ahead of its reader."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    address = urlsplit(site.http)
    sock.connect((address.hostname, address.port))
    sock.setblocking(False)
    return sock


async def test_a_slow_connection_catches_up_and_holds_up_nobody(traffic: Traffic) -> None:
    """[P-SLOW-1] [P-ORDER-2] [P-DEDUPE-1]"""
    limits = {"outbox_bytes": 65_536, "recovery_publications": 5_000, "ring_publications": 64, "catch_up_seconds": 30}
    with Cluster(limits=limits) as site:
        async with meeting(site, traffic) as meet:
            room = site.rooms.plain()
            writer, quick = await meet(), await meet()
            slow = await meet.silent(sock=_narrow_socket(site))
            await slow.hello()
            for peer in (writer, quick, slow):
                await peer.join(room)
            slow.socket.transport.pause_reading()
            last = 0
            for _ in range(30):
                last = max(await asyncio.gather(*(writer.post(room, "🙂" * 1_900) for _ in range(30))))
            await quick.heard_offset(room, last)
            assert [fact["offset"] for fact in quick.facts(room)] == list(range(1, last + 1))
            assert len(slow.facts(room)) < last
            slow.socket.transport.resume_reading()
            # Seven megabytes through a narrow socket.
            await slow.heard_offset(room, last, patience=30)
            assert [fact["offset"] for fact in slow.facts(room)] == list(range(1, last + 1))
            after = await slow.post(room, "and live again")
            await asyncio.gather(*(peer.heard_offset(room, after) for peer in (quick, slow)))
        assert site.complaints() == []


async def test_a_connection_that_takes_nothing_is_ended(traffic: Traffic) -> None:
    """[P-SLOW-2] It comes back with `since` and has missed nothing."""
    limits = {"outbox_bytes": 65_536, "recovery_publications": 5_000, "catch_up_seconds": 1}
    with Cluster(limits=limits) as site:
        async with meeting(site, traffic) as meet:
            room = site.rooms.plain()
            writer = await meet()
            stalled = await meet.silent(sock=_narrow_socket(site))
            await stalled.hello()
            await writer.join(room)
            position = (await stalled.join(room))["position"]
            stalled.socket.transport.pause_reading()
            last = 0
            for _ in range(25):
                last = max(await asyncio.gather(*(writer.post(room, "🙂" * 1_900) for _ in range(30))))
            await _presence_falls(writer, room)
            stalled.socket.transport.resume_reading()
            assert await stalled.ended() in (4000, 1006)
            back = await meet(token=stalled.token)
            ok = await back.join(room, since=position)
            assert (ok["history"], len(ok["missed"])) == ("exact", last)
        assert site.complaints() == []


async def _presence_falls(peer: Peer, room: str) -> None:
    """Wait until the server has let go of the other one."""
    await peer.push("presence", lambda push: push["channel"] == f"room:{room}" and push["went"])


async def test_a_worker_that_stops_says_when_to_come_back(traffic: Traffic) -> None:
    """[P-DRAIN-1] [P-ACK-1] [P-RECOVER-1] [P-HELLO-4]"""
    with Cluster(limits={"drain_seconds": 3}) as site:
        async with meeting(site, traffic) as meet:
            room = site.rooms.plain()
            peers = [await meet() for _ in range(5)]
            positions = [(await peer.join(room))["position"] for peer in peers]
            last = max(await asyncio.gather(*(peer.post(room, "acknowledged") for peer in peers)))
            stopping = asyncio.create_task(asyncio.to_thread(site.server.stop))
            for peer in peers:
                assert await peer.ended() == 1012
            delays = [peer.pushes("draining")[0]["reconnect_after"] for peer in peers]
            assert len(set(delays)) == len(delays)
            assert all(0 < delay <= 30 for delay in delays)
            with pytest.raises((OSError, InvalidHandshake)):
                await connect(site.ws, subprotocols=["chat.v1.json"], open_timeout=5)  # type: ignore[list-item]
            assert await stopping == 0
            await asyncio.to_thread(site.server.start)
            for peer, position in zip(peers, positions, strict=True):
                back = await meet(token=peer.token)
                assert back.member == peer.member
                ok = await back.join(room, since=position)
                assert ok["history"] == "exact"
                assert ok["position"] == {**position, "offset": last}
                assert [fact["offset"] for fact in ok["missed"]] == list(range(position["offset"] + 1, last + 1))
        assert site.complaints() == []


async def test_what_was_acknowledged_outlives_a_kill(traffic: Traffic) -> None:
    """[P-ACK-1] [P-DEDUPE-1] The server is killed in the middle; what it acknowledged is there, and nothing twice."""
    with Cluster() as site:
        async with meeting(site, traffic) as meet:
            room = site.rooms.plain()
            peer = await meet()
            position = (await peer.join(room))["position"]
            ids = [await peer.send("post", id=f"kill-{n}", room=room, text=f"kill-{n}") for n in range(200)]
            await peer.answer_to(ids[20])
            site.server.process.kill()
            await peer.ended()
            acknowledged = {each["re"]: each["ok"]["offset"] for each in peer.heard if each.get("re") in ids}
            await asyncio.to_thread(site.server.start)
            back = await meet(token=peer.token)
            ok = await back.join(room, since=position)
            kept = {fact["post"]["text"]: fact["offset"] for fact in ok["missed"]}
            assert acknowledged.items() <= kept.items()
            again = [await back.ask("post", id=each, room=room, text=each) for each in ids]
            assert sorted(answer["offset"] for answer in again) == list(range(1, 201))
            assert all(again[ids.index(each)]["offset"] == offset for each, offset in kept.items())


async def _sent_again(peer: Peer, room: str) -> Json:
    """As a client does: the same, after as long as it is told, until it is taken."""
    while True:
        peer.heard[:] = [each for each in peer.heard if each.get("re") != "kept-1"]
        try:
            return await peer.ask("post", id="kept-1", room=room, text="kept")
        except Refused as refused:
            if refused.code != "storage_unavailable":
                raise
            await asyncio.sleep(refused.error["retry_after"])


async def test_while_the_store_is_away_the_author_is_told_at_once(traffic: Traffic) -> None:
    """[P-ERROR-2] [P-ERROR-1] [P-DEDUPE-1]"""
    with Cluster() as site:
        async with meeting(site, traffic) as meet:
            room = site.rooms.plain()
            wren, otter = await meet(), await meet()
            for peer in (wren, otter):
                await peer.join(room)
            await wren.post(room, "before")
            blocker = sqlite3.connect(site.database, isolation_level=None)
            try:
                blocker.execute("BEGIN IMMEDIATE")
                started = time.monotonic()
                error = await wren.refusal("post", id="kept-1", room=room, text="kept")
                assert (error["code"], error["temporary"]) == ("storage_unavailable", True)
                assert error["retry_after"] > 0
                assert time.monotonic() - started < 7
                await wren.ask("typing", room=room)
                await otter.push("typing")
            finally:
                blocker.close()
            ok = await _sent_again(wren, room)
            await otter.heard_offset(room, ok["offset"])
            assert [fact["post"]["text"] for fact in otter.facts(room)] == ["before", "kept"]
        assert site.complaints() == []
