"""One evening on three workers: 200 people, a raid, a room that is split, a worker that dies, a moderator who leaves.

At every rest the operators' numbers are the truth, which is kept here beside what is done.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections import Counter
from typing import Any, Final

import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Meet
from tests.conformance.load_console import StaffConsole, at_console, clusters_over
from tests.conformance.peer import Peer, Refused
from tests.conformance.personnel import Personnel
from tests.conformance.traffic import Traffic
from tests.kit.load_picture import LoadPicture
from tests.kit.redis import RedisServer

Json = dict[str, Any]
PEOPLE: Final = 200
FULL: Final = 60
RAIDERS: Final = 12
REST_SECONDS: Final = 6.0
"""How soon after the last thing that anybody does the numbers must be true: a dead worker is mourned for five."""
MINUTE_SECONDS: Final = 60.0
WHY: Final = "It is one of those evenings."


class Evening:
    """Who is where, by what was done: the truth."""

    def __init__(self, meets: list[Meet], desk: StaffConsole) -> None:
        self.meets = meets
        self.desk = desk
        self.places: dict[str, set[str]] = {}
        """The people in each room."""
        self.peers: dict[str, tuple[Peer, int]] = {}
        """Each person's connection, and the worker that it is on."""
        self.staff = Counter({0: 1})
        """The connections of staff by worker: the operator's is the first."""
        self.moderators: Counter[str] = Counter()
        self.alive = {0, 1, 2}
        self.posts: Counter[str] = Counter()
        self.wrote_at = time.monotonic()

    async def arrive(self, worker: int, token: str | None = None) -> Peer:
        hello: Json = {} if token is None else {"token": token}
        peer = await self.meets[worker](**hello)
        self.peers[peer.member["id"]] = peer, worker
        return peer

    async def enter(self, peer: Peer, room: str, **fields: Any) -> None:
        await peer.join(room, **fields)
        self.places.setdefault(room, set()).add(peer.member["id"])

    def moved(self, peer: Peer, old: str, new: str) -> None:
        self.places[old].discard(peer.member["id"])
        self.places.setdefault(new, set()).add(peer.member["id"])

    def gone(self, member: str) -> None:
        del self.peers[member]
        for inside in self.places.values():
            inside.discard(member)

    async def rest(self, what: str) -> LoadPicture:
        """Wait until the numbers are the truth."""
        began = time.monotonic()
        try:
            picture = await self.desk.until(lambda picture: self._complaint(picture) is None)
        except AssertionError:
            raise AssertionError(f"{what}: {self._complaint(self.desk.picture)}") from None
        assert time.monotonic() - began < REST_SECONDS, what
        return picture

    def _complaint(self, picture: LoadPicture) -> str | None:
        members = {room: len(inside) for room, inside in self.places.items() if inside}
        busy = picture.busy()
        connections = Counter({worker: self.staff[worker] for worker in self.alive})
        connections.update(worker for _, worker in self.peers.values())
        for name, shown, true in (
            ("members", {room: row["members"] for room, row in busy.items() if "members" in row}, members),
            ("all members", picture.totals["members"], sum(members.values())),
            ("connections", picture.totals["connections"], connections.total()),
            (
                "connections by worker",
                sorted(row["connections"] for row in picture.workers.values()),
                sorted(connections[worker] for worker in self.alive),
            ),
            (
                "moderators",
                {room: row["moderators"] for room, row in busy.items() if "moderators" in row},
                +self.moderators,
            ),
            ("occupied rooms", picture.totals["occupied"], len(members)),
        ):
            if shown != true:
                return f"{name} are {true}, shown are {shown}"
        return None

    def has_every_post(self, picture: LoadPicture) -> bool:
        """Whether all posts of the last minute are counted; not asked where a minute has passed."""
        if time.monotonic() - self.wrote_at > MINUTE_SECONDS - 10:
            return True
        return {room: row["posts"] for room, row in picture.busy().items() if "posts" in row} == dict(self.posts)


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_numbers_are_the_truth_through_an_evening_of_trouble(redis_server: RedisServer, traffic: Traffic) -> None:
    """[P-LOAD-3] [P-LOAD-4] [P-ROOM-13] [P-ROOM-15] [P-DUTY-1]"""
    with clusters_over(redis_server, 3, {"duty": {"grace_seconds": 3.0, "patience_minutes": 3.0 / 60}}) as sites:
        crew = Personnel(sites[0])
        meets = [Meet(site, traffic, Encoding.JSON) for site in sites]
        try:
            desk = await at_console(meets[0], (await crew.hire("operator"))[0])
            await desk.watch()
            await desk.until(lambda picture: len(picture.workers) == 3)
            evening, boss = Evening(meets, desk), desk.peer
            full, *quiet = (sites[0].rooms.plain() for _ in range(5))

            guard = await at_console(meets[1], (await crew.hire("moderator"))[0])
            await guard.peer.join(full)
            evening.staff[1] += 1
            evening.moderators[full] += 1
            evening.places[full] = {guard.peer.member["id"]}
            await _everybody_comes(evening, full, quiet)
            await evening.rest("everybody is here")
            # The last posts are in the samples of the next second.
            await desk.until(evening.has_every_post)

            await _raid(evening, boss, quiet[0])
            await evening.rest("the raid")

            await _split(evening, boss, full)
            await evening.rest("the split")

            await asyncio.to_thread(sites[2].server.process.kill)
            evening.alive.remove(2)
            lost = [(member, peer) for member, (peer, worker) in evening.peers.items() if worker == 2]
            was = {member: [room for room, inside in evening.places.items() if member in inside] for member, _ in lost}
            for member, _ in lost:
                evening.gone(member)
            await evening.rest("a worker died")
            await asyncio.gather(*(_come_back(evening, peer, was[member]) for member, peer in lost))
            await evening.rest("its people came back")

            await _moderator_leaves(evening, boss, guard.peer, full)
            assert len(desk.picture.workers) == 2
            assert sites[0].complaints() == sites[1].complaints() == []
        finally:
            for meet in meets:
                await meet.see_off()


async def _everybody_comes(evening: Evening, full: str, quiet: list[str]) -> None:
    async def come(number: int) -> None:
        peer = await evening.arrive(number % 3)
        room = full if number < FULL else quiet[number % len(quiet)]
        await evening.enter(peer, room)
        if number % 4 == 0:
            await peer.post(room, "x")
            evening.posts[room] += 1

    for start in range(0, PEOPLE, 20):
        await asyncio.gather(*(come(number) for number in range(start, start + 20)))


async def _raid(evening: Evening, boss: Peer, room: str) -> None:
    """Strangers crowd in. Who was there goes on talking; they wait, do their sum, and read."""
    raid = (await boss.ask("raid", room=room, minutes=10, quiet_minutes=10, reason=WHY))["raid"]
    strangers = await asyncio.gather(*(evening.arrive(number % 3) for number in range(RAIDERS)))

    async def press_in(peer: Peer) -> None:
        proof: str | None = None
        while True:
            try:
                await evening.enter(peer, room, **({} if proof is None else {"proof": proof}))
            except Refused as refused:
                if refused.code == "challenge":
                    proof = await asyncio.to_thread(_solve, refused.error["details"])
                elif refused.code == "joins_slowed":
                    await asyncio.sleep(refused.error["retry_after"])
                else:
                    raise
            else:
                return

    await asyncio.gather(*map(press_in, strangers))
    for peer in strangers:
        assert (await peer.refusal("post", room=room, text="look at me"))["code"] == "read_only"
    witness = next(peer for peer, _ in evening.peers.values() if peer.member["id"] in evening.places[room])
    await witness.post(room, "We go on.")
    for peer in strangers[::2]:
        peer.drop()
        evening.gone(peer.member["id"])
    await boss.ask("end_raid", raid=raid["id"], reason=WHY)


async def _split(evening: Evening, boss: Peer, full: str) -> None:
    """The full room becomes five. Everybody goes where they are led but one, who stays with the others."""
    plan = await boss.ask("plan_split", room=full, parts=5)
    before = {*evening.places[full]}
    rooms = (await boss.ask("split", room=full, seen=plan["revision"], parts=5, reason=WHY))["rooms"]
    assert len(rooms) == 5
    led = {person["id"] for group in plan["groups"][1:] for person in group}
    assert led <= before
    stubborn = next(member for member in sorted(led) if member in evening.peers)

    async def go(member: str) -> None:
        peer, _ = evening.peers[member]
        moved = await peer.push("moved")
        if member == stubborn:
            await peer.ask("settle", room=full, to=full)
            return
        await peer.ask("join", room=moved["to"]["id"])
        await peer.ask("settle", room=full, to=moved["to"]["id"])
        evening.moved(peer, full, moved["to"]["id"])

    await asyncio.gather(*(go(member) for member in led if member in evening.peers))
    sizes = [len(evening.places[room["id"]]) for room in rooms]
    assert max(sizes) <= FULL // 5 + 3


async def _moderator_leaves(evening: Evening, boss: Peer, guard: Peer, room: str) -> None:
    """The room that needs them slows, then only reads, and opens again when they are back."""
    seen = (await boss.ask("house", room=room))["rooms"][0]["revision"]
    await boss.ask("change_room", room=room, seen=seen, needs_moderator=True, reason=WHY)
    witness = next(peer for peer, _ in evening.peers.values() if peer.member["id"] in evening.places[room])

    async def hears(attendance: str) -> None:
        await witness.push("room_changed", lambda push: push["room"].get("attendance") == attendance)

    await guard.ask("leave", room=room)
    evening.moderators[room] -= 1
    evening.places[room].discard(guard.member["id"])
    await evening.rest("the moderator left")
    await hears("slowed")
    await hears("read_only")
    assert (await witness.refusal("post", room=room, text="Is anybody here?"))["code"] == "unattended"
    await evening.desk.until(
        lambda picture: any(each["kind"] == "unattended" and each.get("room") == room for each in picture.attention)
    )
    already = len(witness.heard)
    await guard.join(room)
    evening.moderators[room] += 1
    evening.places[room].add(guard.member["id"])
    await witness.until(
        lambda: next((each for each in witness.heard[already:] if each.get("push") == "room_changed"), None)
    )
    await witness.post(room, "There you are.")
    await evening.rest("the moderator is back")


async def _come_back(evening: Evening, peer: Peer, rooms: list[str]) -> None:
    again = await evening.arrive(0, peer.token)
    for room in rooms:
        await evening.enter(again, room)


def _solve(details: Json) -> str:
    for number in itertools.count():
        proof = f"{details['challenge']}:{number}"
        if int.from_bytes(hashlib.sha256(proof.encode()).digest()) >> (256 - details["bits"]) == 0:
            return proof
    raise AssertionError
