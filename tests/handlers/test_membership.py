"""What a member reads or leaves is told to their other connections, on this worker and on others."""

from __future__ import annotations

import asyncio

from tests.handlers.test_seats import Time, enter, here
from tests.handlers.workers import PLAIN, SLOW, Cluster
from tests.kit.waiting import eventually


async def test_other_workers_hear_of_what_was_read_and_left(site: Cluster) -> None:
    one, two = await site.worker(), await site.worker()
    time = Time(one, two)
    guest, other = await one.guest(), await one.guest()
    near, far = await one.guest(one.token_of(guest)), await two.guest(one.token_of(guest))
    for each in (guest, near, far, other):
        assert await enter(each, PLAIN) == "in"
    time.exchange()
    posted = await other.ask("post", room=PLAIN, text="for everybody")
    offset = posted["ok"]["offset"] if isinstance(posted["ok"], dict) else posted["offset"]

    assert "ok" in await guest.ask("read", room=PLAIN, offset=offset)
    told = [{"push": "read", "room": PLAIN, "offset": offset}]
    await eventually(lambda: far.heard("read") == told)
    assert near.heard("read") == told
    assert guest.heard("read") == other.heard("read") == []

    assert "ok" in await guest.ask("leave", room=PLAIN)
    await eventually(lambda: far.heard("left") == [{"push": "left", "room": PLAIN}])
    assert near.heard("left") == [{"push": "left", "room": PLAIN}]
    assert guest.heard("left") == other.heard("left") == []
    time.exchange()
    assert here(one, PLAIN) == here(two, PLAIN) == 1
    for each in (near, far):
        assert (await each.ask("post", room=PLAIN, text="still here"))["error"]["code"] == "not_in_room"


async def test_a_room_that_was_left_while_the_bus_was_away_is_left_within_the_minute(site: Cluster) -> None:
    one, two = await site.worker(), await site.worker()
    time = Time(one, two)
    guest, stays = await one.guest(), await one.guest()
    far, back = await two.guest(one.token_of(guest)), await two.guest(one.token_of(stays))
    for each in (guest, stays, far, back):
        for room in (PLAIN, SLOW):
            assert await enter(each, room) == "in"
    time.exchange()
    site.exchange.interrupt()
    assert "ok" in await guest.ask("leave", room=PLAIN)
    # Somebody who left and came in again has not left.
    assert "ok" in await stays.ask("leave", room=PLAIN)
    assert await enter(stays, PLAIN) == "in"
    site.exchange.resume()
    assert far.heard("left") == []
    await two.people.touch()
    assert far.heard("left") == [{"push": "left", "room": PLAIN}]
    assert back.heard("left") == []
    assert {*far.connection.rooms} == {SLOW}
    assert (await far.ask("post", room=PLAIN, text="still here"))["error"]["code"] == "not_in_room"
    assert "ok" in await back.ask("post", room=PLAIN, text="still here")


async def test_who_comes_in_again_while_it_is_looked_for_is_not_taken_out(site: Cluster) -> None:
    worker = await site.worker()
    guest = await worker.guest()
    assert await enter(guest, PLAIN) == "in"
    await site.store.leave(guest.member, PLAIN)
    gate = site.store.hold("left_rooms")
    looking = asyncio.create_task(worker.people.touch())
    await eventually(lambda: "left_rooms" in site.store.waiting)
    assert "ok" in await guest.ask("join", room=PLAIN)
    gate.set()
    await looking
    assert guest.heard("left") == []
    assert {*guest.connection.rooms} == {PLAIN}
