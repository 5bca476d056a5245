"""The load of rooms and workers, as staff see it: whole, then what changes, and true at rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet, Rooms
from tests.conformance.load_console import at_console, clusters_over
from tests.conformance.personnel import Personnel
from tests.conformance.traffic import Traffic
from tests.kit.load_picture import LoadPicture
from tests.kit.redis import RedisServer
from tests.kit.web import WebClient

GONE_SECONDS = 5.0
MINUTE_SECONDS = 60.0


@pytest.fixture(scope="module")
def load_site() -> Iterator[Cluster]:
    with Cluster() as site:
        yield site
        assert site.complaints() == []


@pytest.fixture(scope="module")
def load_personnel(load_site: Cluster) -> Personnel:
    return Personnel(load_site)


@pytest.fixture
async def load_meet(load_site: Cluster, traffic: Traffic, encoding: Encoding) -> AsyncIterator[Meet]:
    meet = Meet(load_site, traffic, encoding)
    yield meet
    await meet.see_off()


@pytest.fixture
def load_rooms(load_site: Cluster) -> Rooms:
    return load_site.rooms


async def test_load_is_for_moderators_and_operators(load_meet: Meet, load_personnel: Personnel) -> None:
    """[P-LOAD-1]"""
    guest = await load_meet()
    assert (await guest.refusal("load"))["code"] == "not_allowed"
    for roles, may in ((["listener", "facilitator"], False), (["moderator"], True), (["operator"], True)):
        desk = await at_console(load_meet, (await load_personnel.hire(*roles))[0])
        if may:
            assert (await desk.watch())["workers"]
        else:
            assert (await desk.peer.refusal("load"))["code"] == "not_allowed"


async def test_who_may_no_more_is_told_no_more(load_site: Cluster, load_meet: Meet, load_personnel: Personnel) -> None:
    """[P-LOAD-1]"""
    boss, _ = await load_personnel.hire("operator")
    token, member = await load_personnel.hire("moderator")
    desk = await at_console(load_meet, token)
    witness = await at_console(load_meet, boss)
    await desk.watch()
    await witness.watch()
    async with WebClient(base_url=load_site.http, headers={"authorization": f"Bearer {boss}"}) as http:
        answer = await http.post("/api/staff/roles", json={"member": member["id"], "roles": ["listener"]})
        assert answer.status_code == httpx.codes.NO_CONTENT, answer.text
    await desk.peer.push("self", lambda push: push.get("roles") == ["listener"])
    # Pushes go out to everybody in the same moment: what comes to the witness would have come here.
    heard = len(desk.peer.pushes("load"))
    seen = len(witness.peer.pushes("load"))
    await witness.peer.push("load", skip=seen + 2)
    await desk.peer.ask("ping")
    assert len(desk.peer.pushes("load")) <= heard + 1
    assert (await desk.peer.refusal("load"))["code"] == "not_allowed"


async def test_pushes_over_the_picture_are_the_picture(
    load_meet: Meet, load_personnel: Personnel, load_rooms: Rooms
) -> None:
    """[P-LOAD-2] [P-LOAD-3]"""
    desk = await at_console(load_meet, (await load_personnel.hire("operator"))[0])
    await desk.watch()
    room, quiet = load_rooms.plain(), load_rooms.plain()
    wren, otter = await load_meet(), await load_meet()
    again = await load_meet(token=wren.token)
    guard = await load_meet.silent()
    await guard.hello(token=(await load_personnel.hire("moderator"))[0], staff=True)
    for peer in (wren, otter, again, guard):
        await peer.join(room)
    await otter.join(quiet)
    offset = await wren.post(room, "one")
    await again.post(room, "two")
    await otter.ask("react", room=room, offset=offset, reaction="hug", on=True)
    picture = await desk.until(
        lambda p: (
            p.rooms[room].get("posts") == 2 and p.rooms[room].get("reactions") == 1 and p.rooms[quiet] != {"id": quiet}
        )
    )
    row = picture.rooms[room]
    assert (row["members"], row["writers"], row["moderators"]) == (3, 1, 1)
    assert 1 <= row["p50"] <= row["p99"]
    assert picture.rooms[quiet] == {"id": quiet, "members": 1}
    assert picture.places[room] == {"id": room, "name": room, "capacity": 200}

    fresh = LoadPicture(await desk.peer.ask("load"))
    desk.picture.take(desk.peer.pushes("load")[-1])
    assert desk.picture.busy() == fresh.busy()
    assert desk.picture.places == fresh.places
    await otter.ask("react", room=room, offset=offset, reaction="hug", on=False)
    await otter.ask("leave", room=quiet)
    await desk.until(lambda p: p.rooms[quiet] == {"id": quiet})


async def test_watching_ends(load_meet: Meet, load_personnel: Personnel) -> None:
    """[P-LOAD-5]"""
    desk = await at_console(load_meet, (await load_personnel.hire("operator"))[0])
    witness = await at_console(load_meet, (await load_personnel.hire("operator"))[0])
    await desk.watch()
    await witness.watch()
    await desk.peer.push("load")
    await desk.peer.ask("load", watch=False)
    heard, seen = len(desk.peer.pushes("load")), len(witness.peer.pushes("load"))
    await witness.peer.push("load", skip=seen + 1)
    await desk.peer.ask("ping")
    assert len(desk.peer.pushes("load")) == heard


# --------------------------------------------------------------------------------------------- three workers


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_numbers_are_the_truth_at_every_rest(redis_server: RedisServer, traffic: Traffic) -> None:
    """[P-LOAD-3] [P-LOAD-4]

    200 members on three workers, some of them on two; then one worker is killed, and another one stops.
    """
    with clusters_over(redis_server, 3) as sites:
        token, _ = await Personnel(sites[0]).hire("operator")
        meets = [Meet(site, traffic, Encoding.JSON) for site in sites]
        try:
            desk = await at_console(meets[0], token)
            await desk.watch()
            await desk.until(lambda p: len(p.workers) == 3)
            rooms = [sites[0].rooms.plain() for _ in range(8)]
            inside: dict[tuple[str, int], set[str]] = {}
            posts = dict.fromkeys(rooms, 0)
            reactions = dict.fromkeys(rooms, 0)

            async def settle(number: int) -> None:
                peer = await meets[number % 3]()
                here = [(peer, number % 3)]
                if number % 10 == 0:
                    here.append((await meets[(number + 1) % 3](token=peer.token), (number + 1) % 3))
                if number % 15 == 0:
                    here.append((await meets[number % 3](token=peer.token), number % 3))
                for room in {rooms[number % 8], rooms[number % 3]}:
                    for each, worker in here:
                        await each.join(room)
                        inside.setdefault((room, worker), set()).add(peer.member["id"])
                    if number % 4 == 0:
                        offset = await peer.post(room, "x")
                        posts[room] += 1
                        await peer.ask("react", room=room, offset=offset, reaction="hug", on=True)
                        reactions[room] += 1

            began = time.monotonic()
            for start in range(0, 200, 20):
                await asyncio.gather(*(settle(number) for number in range(start, start + 20)))

            def truth(workers: set[int]) -> dict[str, int]:
                return {
                    room: len(set().union(*(inside.get((room, worker), set()) for worker in workers))) for room in rooms
                }

            def is_true(picture: LoadPicture, workers: set[int]) -> bool:
                here = {room: row["members"] for room, row in picture.busy().items() if "members" in row}
                return here == truth(workers) and picture.totals["members"] == sum(here.values())

            def has_all(picture: LoadPicture) -> bool:
                # On a very slow machine the first posts count no more.
                return time.monotonic() - began > MINUTE_SECONDS - 10 or (
                    {room: picture.rooms[room].get("posts", 0) for room in rooms} == posts
                    and {room: picture.rooms[room].get("reactions", 0) for room in rooms} == reactions
                )

            started = time.monotonic()
            at_rest = await desk.until(lambda p: is_true(p, {0, 1, 2}) and has_all(p))
            assert time.monotonic() - started < GONE_SECONDS
            assert sum(row["members"] for row in at_rest.workers.values()) == at_rest.totals["members"]
            connections = sum(row["connections"] for row in at_rest.workers.values())
            assert connections == 1 + 200 + 20 + 14 == at_rest.totals["connections"]

            sites[1].server.process.kill()
            killed = time.monotonic()
            await desk.until(lambda p: len(p.workers) == 2 and is_true(p, {0, 2}))
            assert time.monotonic() - killed < GONE_SECONDS

            await asyncio.to_thread(sites[2].server.stop)
            stopped = time.monotonic()
            await desk.until(lambda p: len(p.workers) == 1 and is_true(p, {0}))
            assert time.monotonic() - stopped < 2.5
            assert sites[0].complaints() == sites[2].complaints() == []
        finally:
            for meet in meets:
                await meet.see_off()
