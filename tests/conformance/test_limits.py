"""Each limit, exceeded: a typed answer, and others go on."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet
from tests.conformance.peer import Refused
from tests.conformance.traffic import Traffic
from tests.kit.web import WebClient


@pytest.fixture
def encoding() -> Encoding:
    """Limits know no encodings."""
    return Encoding.JSON


async def test_hello_tells_the_configured_limits(strict_meet: Meet) -> None:
    """[P-HELLO-6]"""
    ok = await (await strict_meet.silent()).hello()
    limits = ok["limits"]
    assert (limits["text_length"], limits["warning_length"], limits["frame_bytes"]) == (40, 5, 2_048)


async def test_texts_have_the_configured_length(strict_meet: Meet, strict_room: str) -> None:
    """[P-POST-1] [P-LIMIT-3]"""
    peer = await strict_meet()
    await peer.join(strict_room)
    await peer.post(strict_room, "🙂" * 40, warning="12345")
    error = await peer.refusal("post", room=strict_room, text="x" * 41)
    assert (error["code"], error["details"]) == ("text_too_long", {"limit": 40})
    assert (await peer.refusal("post", room=strict_room, text="x", warning="123456"))["details"] == {"limit": 5}
    assert (await peer.refusal("edit", room=strict_room, offset=1, text="x" * 41))["code"] == "text_too_long"


async def test_a_frame_has_the_configured_size(strict_meet: Meet) -> None:
    """[P-BAD-6] [P-LIMIT-3]"""
    peer = await strict_meet()
    await peer.ask("ping", more="x" * 1_900)
    await peer.send_raw(peer.pack({"cmd": "ping", "id": "big", "more": "x" * 2_048}))
    assert await peer.ended() == 1009


async def test_bad_frames_have_the_configured_number(strict_meet: Meet) -> None:
    """[P-BAD-5]"""
    peer = await strict_meet()
    for _ in range(5):
        await peer.send_raw("rubbish")
    assert await peer.ended() == 4400


async def test_an_edit_is_too_late_after_a_while(strict_meet: Meet, strict_room: str) -> None:
    """[P-POST-3]"""
    peer = await strict_meet()
    await peer.join(strict_room)
    offset = await peer.post(strict_room, "first")
    await peer.ask("edit", room=strict_room, offset=offset, text="in time")
    posted = time.monotonic()
    code = None
    while code is None:
        assert time.monotonic() - posted < 5
        try:
            await peer.ask("edit", room=strict_room, offset=offset, text=f"at {time.monotonic() - posted:.3f}")
        except Refused as refused:
            code = refused.code
    assert code == "edit_too_late"
    await peer.ask("redact", room=strict_room, offset=offset)


async def test_hello_must_come_in_time(strict_meet: Meet) -> None:
    """[P-HELLO-2]"""
    peer = await strict_meet.silent()
    started = time.monotonic()
    assert await peer.ended() == 4200
    assert 0.5 < time.monotonic() - started < 4


async def test_a_member_has_so_many_connections(strict_meet: Meet) -> None:
    """[P-LIMIT-3]"""
    peers = [await strict_meet()]
    while len(peers) < 3:
        peers.append(await strict_meet(token=peers[0].token))
    late = await strict_meet.silent()
    error = await late.refusal("hello", token=peers[0].token)
    assert (error["code"], error["temporary"]) == ("busy", True)
    await peers[1].close()
    await late.until(lambda: True)
    await _eventually_hello(strict_meet, peers[0].token)
    for peer in (peers[0], peers[2]):
        await peer.ask("ping")


async def _eventually_hello(meet: Meet, token: str | None) -> None:
    async with asyncio.timeout(5):
        while True:
            peer = await meet.silent()
            with contextlib.suppress(Refused):
                await peer.hello(token=token)
                return


async def test_a_roster_names_so_many_and_counts_all(strict_meet: Meet, strict_room: str) -> None:
    """[P-ROOM-6]"""
    peers = [await strict_meet() for _ in range(5)]
    for peer in peers[1:]:
        await peer.join(strict_room)
    ok = await peers[0].join(strict_room)
    assert (ok["here"], len(ok["people"])) == (5, 3)


async def test_a_roster_stays_right_when_more_come_and_go_than_are_named(strict_meet: Meet, strict_room: str) -> None:
    """[P-PRESENCE-1]"""
    watcher = await strict_meet()
    held = {person["id"] for person in (await watcher.join(strict_room))["people"]}
    crowd = [await strict_meet() for _ in range(8)]
    await asyncio.gather(*(peer.join(strict_room) for peer in crowd))
    await watcher.push("presence", lambda push: push["here"] == 9)
    await asyncio.gather(*(peer.ask("leave", room=strict_room) for peer in crowd))
    await watcher.until(lambda: watcher.pushes("presence")[-1]["here"] == 1 or None)
    for push in watcher.pushes("presence"):
        held = (held | {person["id"] for person in push["came"]}) - {*push["went"]}
        if push.get("people") is not None:
            held = {person["id"] for person in push["people"]}
    assert held == {watcher.id_in(strict_room)}


async def test_commands_have_a_rate(traffic: Traffic, encoding: Encoding) -> None:
    """[P-LIMIT-1] [P-LIMIT-2] [P-LIMIT-3] [P-HELLO-7] [P-CONNECT-4]"""
    limits = {
        "commands_per_second": 5,
        "command_burst": 40,
        "connections_per_address": 4,
        "guests_per_address_per_hour": 60,
        "guest_burst_per_address": 3,
        "code_tries_per_address_per_hour": 2,
    }
    with Cluster(limits=limits, config={"shared_networks": []}) as site:
        meet = Meet(site, traffic, encoding)
        try:
            await _paced(meet, site)
            await _guests(meet)
            await _crowd(meet, site)
            await _codes(site)
        finally:
            await meet.see_off()
        assert site.complaints() == []


async def _paced(meet: Meet, site: Cluster) -> None:
    room = site.rooms.plain()
    eager, calm = await meet(), await meet()
    for peer in (eager, calm):
        await peer.join(room)
    ids = [await eager.send("post", id=f"eager-{n}", room=room, text=f"{n}") for n in range(60)]
    errors = []
    for command_id in ids:
        try:
            await eager.answer_to(command_id)
        except Refused as refused:
            errors.append((command_id, refused.error))
    assert errors
    assert {error["code"] for _, error in errors} == {"rate_limited"}
    assert all(error["temporary"] and 0 < error["retry_after"] < 10 for _, error in errors)
    await calm.post(room, "I may")
    command_id, error = errors[-1]
    await asyncio.sleep(error["retry_after"])
    eager.heard[:] = [each for each in eager.heard if each.get("re") != command_id]
    await eager.ask("post", id=command_id, room=room, text=command_id.removeprefix("eager-"))
    with contextlib.suppress(ConnectionClosed):
        for _ in range(1_000):
            # What costs most is affordable least often, so this is the shortest flood.
            await eager.send("code")
    assert await eager.ended() == 4201
    await calm.post(room, "and I am still here")


async def _guests(meet: Meet) -> None:
    peers = [await meet.silent() for _ in range(2)]
    await peers[0].hello()
    error = await peers[1].refusal("hello", guest=True)
    assert (error["code"], error["temporary"]) == ("rate_limited", True)
    assert error["retry_after"] > 0
    await peers[1].hello(token=peers[0].token)


async def _crowd(meet: Meet, site: Cluster) -> None:
    async def fill() -> None:
        for _ in range(5):
            await meet.silent()

    with pytest.raises(InvalidStatus) as caught:
        await fill()
    response = caught.value.response
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert b'"busy"' in response.body
    await meet.see_off()


async def _codes(site: Cluster) -> None:
    async with WebClient(base_url=site.http) as client:
        answers = [await client.post("/api/identity/restore", json={"code": "a wrong code"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [404, 404, 429]
    assert answers[-1].json()["error"]["code"] == "rate_limited"
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_a_full_worker_sends_away() -> None:
    """[P-CONNECT-4]"""
    with Cluster(limits={"connections_per_worker": 2}) as site:
        first = await connect(site.ws, subprotocols=["chat.v1.json"])  # type: ignore[list-item]
        second = await connect(site.ws, subprotocols=["chat.v1.json"])  # type: ignore[list-item]
        with pytest.raises(InvalidStatus) as caught:
            await connect(site.ws, subprotocols=["chat.v1.json"])  # type: ignore[list-item]
        assert caught.value.response.status_code == 503
        assert b'"busy"' in caught.value.response.body
        for socket in (first, second):
            await socket.close()


async def test_the_body_of_a_call_has_a_size(strict_site: Cluster) -> None:
    """[P-LIMIT-3] [P-ERROR-1]"""
    async with WebClient(base_url=strict_site.http) as client:
        answer = await client.post("/api/identity/restore", json={"code": "x" * 300})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
