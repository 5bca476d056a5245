"""Seats in rooms and shares of listeners, as commands over connections meet them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from chatserver.domain.history import Millis
from chatserver.domain.limits import Limits
from chatserver.domain.listening.commands import ApplyDue
from chatserver.domain.listening.rest_rules import pause_of, taken_today
from chatserver.domain.rooms.rooms import Room, RoomId, room_channel
from chatserver.handlers.rooms import seats
from chatserver.protocol.internode import Lease
from tests.handlers.workers import Cluster, Guest, Worker, open_cluster
from tests.kit.waiting import eventually

DOZEN = [RoomId(f"room{number}") for number in range(12)]
CAPACITY = 20
HERE, THERE = b"\x01" * 12, b"\x02" * 12
OPEN = Limits(newcomer_share=1.0, rooms_per_member=100)
"""Where a test is about idle seats only."""


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with open_cluster(tmp_path) as site:
        await site.store.add_rooms([Room(id=each, name=each, about="", capacity=CAPACITY) for each in DOZEN])
        yield site


class Time:
    """A clock that only a test moves."""

    def __init__(self, *workers: Worker) -> None:
        self.seconds = 1_000.0
        self._workers = workers
        for worker in workers:
            worker.node.monotonic = lambda: self.seconds

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds

    def exchange(self) -> None:
        """What workers tell each other arrives, and each looks round."""
        for _ in range(3):
            self.seconds += 0.2
            for one, other in itertools.permutations(self._workers, 2):
                if other.node.id not in one.node.presence.nodes():
                    one.node.presence.receive(other.node.id, Lease(0), self.seconds)
            told = [(one, one.node.presence.tick(self.seconds)) for one in self._workers]
            for one, messages in told:
                for _topic, message in messages:
                    for other in self._workers:
                        if other is not one:
                            other.node.presence.receive(one.node.id, message, self.seconds)
            for worker in self._workers:
                seats.look_round(worker.node)


async def enter(guest: Guest, room: RoomId, **fields: object) -> str:
    """The code of the refusal, or "in"."""
    reply = await guest.ask("join", room=room, agreement=1, **fields)
    return "in" if "ok" in reply else str(reply["error"]["code"])


def here(worker: Worker, room: RoomId) -> int:
    return worker.node.presence.here(room_channel(room))


# ------------------------------------------------------------------------------------------------ one member


async def test_who_is_refused_in_another_room_keeps_the_seat_that_they_would_have_given_up(site: Cluster) -> None:
    """[P-SEAT-1] The agreement is shown first, and it may be that nobody accepts it."""
    worker = await site.worker()
    guest = await worker.guest()
    for room in DOZEN[:3]:
        assert await enter(guest, room) == "in"
    asked = {"room": DOZEN[3], "instead_of": DOZEN[0]}
    assert (await guest.ask("join", **asked))["error"]["code"] == "agreement_required"
    assert guest.heard("reading") == []
    assert [here(worker, room) for room in DOZEN[:4]] == [1, 1, 1, 0]
    assert "ok" in await guest.ask("join", **asked, agreement=1)
    assert guest.heard("reading") == [{"push": "reading", "channel": room_channel(DOZEN[0])}]
    assert [here(worker, room) for room in DOZEN[:4]] == [0, 1, 1, 1]


async def test_a_member_has_seats_in_three_rooms_over_all_connections_and_is_told_which(site: Cluster) -> None:
    """[P-SEAT-1]"""
    worker = await site.worker()
    guest = await worker.guest()
    again = await worker.guest(worker.token_of(guest))
    assert [await enter(one, room) for one, room in zip((guest, again, guest), DOZEN, strict=False)] == ["in"] * 3
    reply = await again.ask("join", room=DOZEN[3], agreement=1)
    assert reply["error"]["code"] == "seats_used"
    assert not reply["error"]["temporary"]
    assert reply["error"]["details"] == {"limit": 3, "rooms": [{"id": each, "name": each} for each in DOZEN[:3]]}
    assert await enter(again, DOZEN[0]) == "in"
    for one in (guest, again):
        assert "ok" in await one.ask("leave", room=DOZEN[0])
    assert await enter(again, DOZEN[3]) == "in"


async def test_a_seat_can_be_given_up_for_another_on_all_connections(site: Cluster) -> None:
    worker = await site.worker()
    guest = await worker.guest()
    again = await worker.guest(worker.token_of(guest))
    for room in DOZEN[:3]:
        assert await enter(guest, room) == await enter(again, room) == "in"
    assert await enter(again, DOZEN[3], instead_of=DOZEN[1]) == "in"
    assert (here(worker, DOZEN[1]), here(worker, DOZEN[3])) == (0, 1)
    for one in (guest, again):
        assert one.heard("reading") == [{"push": "reading", "channel": room_channel(DOZEN[1])}]
        # The fourth seat is nobody's: they read on, and choose again to write there.
        assert (await one.ask("post", room=DOZEN[1], text="and here"))["error"]["code"] == "seats_used"
    assert await enter(guest, DOZEN[1], instead_of=DOZEN[0]) == "in"
    assert "ok" in await guest.ask("post", room=DOZEN[1], text="and here")


async def test_seats_on_another_worker_count_as_well(site: Cluster) -> None:
    one, other = await site.worker(), await site.worker()
    time = Time(one, other)
    guest = await one.guest()
    for room in DOZEN[:3]:
        assert await enter(guest, room) == "in"
    time.exchange()
    assert await enter(await other.guest(one.token_of(guest)), DOZEN[3]) == "seats_used"


async def test_seats_that_are_asked_for_at_one_moment_are_not_more(site: Cluster) -> None:
    worker = await site.worker()
    guest = await worker.guest()
    connections = [guest, *[await worker.guest(worker.token_of(guest)) for _ in range(5)]]
    gate = site.store.hold("join_with_page")
    asked = [asyncio.create_task(enter(one, room)) for one, room in zip(connections, DOZEN, strict=False)]
    await eventually(lambda: "join_with_page" in site.store.waiting)
    gate.set()
    assert sorted(await asyncio.gather(*asked)) == ["in"] * 3 + ["seats_used"] * 3


# ------------------------------------------------------------------------------------------------ one place


async def test_sixty_silent_guests_of_two_addresses_leave_seats_for_whoever_comes(site: Cluster) -> None:
    """Each of them tries every room, as whoever filled all of them in 16 seconds did."""
    worker = await site.worker(limits=Limits(rooms_per_member=3))
    for number in range(60):
        crowd = await worker.guest(address=(HERE, THERE)[number % 2])
        for room in DOZEN:
            await enter(crowd, room)
    for room in DOZEN:
        assert here(worker, room) < CAPACITY
    for room in DOZEN:
        assert await enter(await worker.guest(address=b"\x03" * 12), room) == "in"


async def test_the_networks_of_one_household_share_seats_and_places_on_all_workers(site: Cluster) -> None:
    one, other = await site.worker(), await site.worker()
    time, around = Time(one, other), (b"\x56" * 12, b"\x48" * 12)
    for number in range(10):
        guest = await (one, other)[number % 2].guest(address=bytes([number]) * 12, around=around)
        assert await enter(guest, DOZEN[0]) == "in"
        time.exchange()
    for worker in (one, other):
        guest = await worker.guest(address=b"\x77" * 12, around=around)
        assert await enter(guest, DOZEN[0]) != "in"
    assert await enter(await one.guest(address=THERE), DOZEN[0]) == "in"
    for number in range(10):
        guest = await one.guest(address=bytes([100 + number]) * 12, around=around)
        assert "ok" in await guest.ask("ask", agreement=True)
    reply = await (await one.guest(address=b"\x78" * 12, around=around)).ask("ask", agreement=True)
    assert reply["error"]["code"] == "places_used"


async def test_one_address_has_a_share_of_a_room_for_its_newcomers_on_all_workers(site: Cluster) -> None:
    one, other = await site.worker(), await site.worker()
    time = Time(one, other)
    for number in range(5):
        assert await enter(await (one, other)[number % 2].guest(address=HERE), DOZEN[0]) == "in"
        time.exchange()
    for worker in (one, other):
        reply = await (await worker.guest(address=HERE)).ask("join", room=DOZEN[0], agreement=1)
        assert reply["error"]["code"] == "room_full"
        assert [each["id"] for each in reply["error"]["details"]["rooms"]]
        assert DOZEN[0] not in {each["id"] for each in reply["error"]["details"]["rooms"]}
        assert await enter(await worker.guest(address=THERE), DOZEN[0]) == "in"
    # Ten times as many from where an operator said that many share an address.
    assert await enter(await one.guest(address=HERE, allowance=10), DOZEN[0]) == "in"


async def test_whoever_is_here_for_an_hour_counts_for_no_place(site: Cluster) -> None:
    worker = await site.worker()
    tokens = []
    for _ in range(5):
        guest = await worker.guest(address=HERE)
        assert await enter(guest, DOZEN[0]) == "in"
        tokens.append(worker.token_of(guest))
    known, now = await worker.guest(address=THERE), worker.node.now
    worker.node.now = lambda: Millis(now() + 3_600_000)
    assert await enter(await worker.guest(worker.token_of(known), address=HERE), DOZEN[0]) == "in"
    assert seats.crowds(worker.node) == {}


async def test_what_operators_are_told_of_a_crowd_is_how_many_newcomers_are_of_one_place(site: Cluster) -> None:
    worker = await site.worker(limits=OPEN)
    for number in range(10):
        await enter(await worker.guest(address=HERE if number < 7 else THERE), DOZEN[0])
    assert seats.crowds(worker.node) == {DOZEN[0]: 7}


# ------------------------------------------------------------------------------------------------ idle seats


async def fill(worker: Worker, room: RoomId, count: int = CAPACITY) -> list[Guest]:
    guests = [await worker.guest() for _ in range(count)]
    for guest in guests:
        assert await enter(guest, room) == "in"
    return guests


async def test_in_a_full_room_the_idle_give_their_seats_up_to_whoever_comes(site: Cluster) -> None:
    """[P-SEAT-2]"""
    worker = await site.worker(limits=OPEN)
    time, room = Time(worker), DOZEN[0]
    crowd = await fill(worker, room)
    time.pass_(899)
    time.exchange()
    newcomer = await worker.guest()
    assert await enter(newcomer, room) == "room_full"
    time.pass_(1)
    time.exchange()
    # Nobody loses anything before somebody wants in.
    assert here(worker, room) == CAPACITY
    assert not any(guest.heard("reading") for guest in crowd)
    assert await enter(newcomer, room) == "in"
    time.exchange()
    assert here(worker, room) == CAPACITY
    (reader,) = [guest for guest in crowd if guest.heard("reading")]
    assert reader.heard("reading") == [{"push": "reading", "channel": room_channel(room)}]
    # They read on, live.
    assert "ok" in await newcomer.ask("post", room=room, text="hello everybody")
    await eventually(lambda: [each["post"]["text"] for each in reader.heard("posted")] == ["hello everybody"])
    assert "ok" in await reader.ask("history", room=room, before=2)
    assert "ok" in await reader.ask("read", room=room, offset=1)


@pytest.mark.parametrize(
    "act",
    [
        ("post", {"text": "still here"}),
        ("typing", {}),
        ("read", {"offset": 1}),
        ("history", {"before": 2}),
    ],
    ids=lambda act: act[0],
)
async def test_whoever_does_anything_keeps_the_seat(site: Cluster, act: tuple[str, dict[str, object]]) -> None:
    worker = await site.worker(limits=OPEN)
    time, room = Time(worker), DOZEN[0]
    crowd = await fill(worker, room)
    time.pass_(600)
    for guest in crowd[1:]:
        assert "ok" in await guest.ask(act[0], room=room, **act[1])
    time.pass_(600)
    time.exchange()
    for number, expected in enumerate(("in", "room_full")):
        assert await enter(await worker.guest(), room) == expected, number
        time.exchange()
    assert [bool(guest.heard("reading")) for guest in crowd] == [True, *[False] * (CAPACITY - 1)]


async def test_a_reader_who_writes_has_a_seat_again_and_in_a_full_room_a_little_slack(site: Cluster) -> None:
    """[P-SEAT-3]"""
    worker = await site.worker(limits=OPEN)
    time, room = Time(worker), DOZEN[0]
    crowd = await fill(worker, room)
    time.pass_(900)
    time.exchange()
    for _ in range(CAPACITY):
        assert await enter(await worker.guest(), room) == "in"
        time.exchange()
    assert all(guest.heard("reading") for guest in crowd)
    # The room is full of people who are awake: two come back over the capacity, the third is told to read.
    replies = [await guest.ask("post", room=room, text="I was away") for guest in crowd[:3]]
    assert ["ok" in reply for reply in replies] == [True, True, False]
    assert replies[2]["error"]["code"] == "only_reading"
    assert replies[2]["error"]["details"]["rooms"]
    assert await enter(crowd[2], room) == "only_reading"
    assert here(worker, room) == CAPACITY + 2
    assert "ok" in await crowd[0].ask("leave", room=room)
    assert await enter(crowd[2], room) == "in"
    assert "ok" in await crowd[2].ask("post", room=room, text="I was away")


async def test_idle_people_of_another_worker_make_room_as_well(site: Cluster) -> None:
    one, other = await site.worker(limits=OPEN), await site.worker(limits=OPEN)
    time, room = Time(one, other), DOZEN[0]
    crowd = await fill(one, room)
    time.exchange()
    time.pass_(900)
    time.exchange()
    assert await enter(await other.guest(), room) == "in"
    time.exchange()
    assert here(one, room) == here(other, room) == CAPACITY
    assert sum(bool(guest.heard("reading")) for guest in crowd) == 1


async def test_whoever_is_awake_on_one_device_keeps_the_seat_on_another(site: Cluster) -> None:
    one, other = await site.worker(limits=OPEN), await site.worker(limits=OPEN)
    time, room = Time(one, other), DOZEN[0]
    crowd = await fill(one, room, CAPACITY)
    awake = await other.guest(one.token_of(crowd[0]))
    assert await enter(awake, room) == "in"
    time.exchange()
    time.pass_(900)
    assert "ok" in await awake.ask("typing", room=room)
    time.exchange()
    for _ in range(CAPACITY - 1):
        assert await enter(await one.guest(), room) == "in"
        time.exchange()
    assert await enter(await one.guest(), room) == "room_full"
    assert not crowd[0].heard("reading")


async def test_within_a_quarter_of_an_hour_everybody_finds_a_seat_everywhere(site: Cluster) -> None:
    """At its worst: every address is another, so that only their silence tells."""
    worker = await site.worker(limits=Limits(rooms_per_member=100))
    time = Time(worker)
    for number in range(CAPACITY):
        silent = await worker.guest(address=bytes([number]) * 12)
        for room in DOZEN:
            assert await enter(silent, room) == "in"
    honest = await worker.guest()
    assert {await enter(honest, room) for room in DOZEN} == {"room_full"}
    time.pass_(900)
    time.exchange()
    assert {await enter(honest, room) for room in DOZEN} == {"in"}


# ------------------------------------------------------------------------------------------------ listeners


async def test_one_guest_who_asks_and_ends_leaves_all_listeners_free(site: Cluster) -> None:
    """[P-SHARE-2] One guest used up all listeners for the day."""
    worker = await site.worker()
    listeners = [await worker.listener(name) for name in ("anna", "ben", "cleo")]
    keeper, guest = worker.listening.service, await worker.guest(address=HERE)
    refusals = []
    for _ in range(6):
        reply = await guest.ask("ask", agreement=True)
        if "error" in reply:
            refusals.append(reply["error"])
            continue
        proposal = keeper.state.seekers[guest.member].proposal
        assert proposal is not None
        listener = next(each for each in listeners if each.member == proposal.listener)
        session = (await listener.ask("accept", proposal=await listener.proposal()))["ok"]["session"]
        assert "ok" in await guest.ask("end", session=session)
    assert [each["code"] for each in refusals] == ["sessions_used"] * 2
    assert refusals[0]["details"]["again_at"] > worker.node.now() + 23 * 3_600_000
    for each in keeper.state.listeners.values():
        assert pause_of(each, keeper.now(), keeper.rules) is None
        assert taken_today(each, keeper.now()) == 0
    honest = await worker.guest(address=THERE)
    standing = (await honest.ask("ask", agreement=True))["ok"]
    assert (standing["being_asked"], standing["listeners"], standing["free"]) == (True, 3, 2)


async def test_thirty_guests_of_one_address_hold_five_places(site: Cluster) -> None:
    worker = await site.worker()
    codes = []
    for _ in range(30):
        reply = await (await worker.guest(address=HERE)).ask("ask", agreement=True)
        codes.append(reply.get("error", {}).get("code", "ok"))
    assert codes == ["ok"] * 5 + ["places_used"] * 25
    other = (await (await worker.guest(address=THERE)).ask("ask", agreement=True))["ok"]
    assert (other["place"], other["waiting"]) == (6, 6)
    pupil = (await (await worker.guest(address=HERE, allowance=10)).ask("ask", agreement=True))["ok"]
    assert pupil["place"] == 7


async def test_nobody_was_there_is_told_to_the_seeker_as_quiet(site: Cluster) -> None:
    """[P-LISTEN-6]"""
    worker = await site.worker()
    listener = await worker.listener("anna")
    seeker = await worker.guest()
    assert "ok" in await seeker.ask("ask", agreement=True)
    session = (await listener.ask("accept", proposal=await listener.proposal()))["ok"]["session"]
    view = (await listener.ask("console"))["ok"]["sessions"][0]
    assert view["nobody_at"] == view["started_at"] + 30_000
    assert "nobody_at" not in (await seeker.ask("standing"))["ok"]["session"]
    early = (await listener.ask("nobody", session=session))["error"]
    assert (early["code"], early["temporary"]) == ("not_nobody", False)
    now = worker.node.now
    worker.node.now = lambda: Millis(now() + 30_000)
    await worker.node.store.see([listener.member, seeker.member], worker.node.now())
    assert "ok" in await listener.ask("nobody", session=session)
    assert (await seeker.ask("standing"))["ok"]["session"]["ending"] == "idle"
    console = (await listener.ask("console"))["ok"]
    assert (console["sessions"][0]["ending"], console["state"], console["today"]) == ("you", "free", 0)


async def test_asking_again_and_again_takes_no_lock_of_the_queue(site: Cluster) -> None:
    """Guests who may not ask, and who look where they stand, are answered from what this worker knows."""
    worker = await site.worker()
    waiting = [await worker.guest(address=HERE) for _ in range(5)]
    for guest in waiting:
        assert "ok" in await guest.ask("ask", agreement=True)
    await worker.listening.service.do(waiting[0].member, ApplyDue())
    commits = count(worker.node.store, "commit_listening")
    others = [await worker.guest(address=HERE) for _ in range(5)]
    for guest in others:
        assert (await guest.ask("ask", agreement=True))["error"]["code"] == "places_used"
    for guest in waiting:
        assert "ok" in await guest.ask("standing")
    assert commits() == 0


def count(store: object, name: str) -> Callable[[], int]:
    """How many times a method is called from now on."""
    found, calls = getattr(store, name), []

    async def counted(*args: object) -> object:
        calls.append(args)
        return await found(*args)

    setattr(store, name, counted)
    return lambda: len(calls)
