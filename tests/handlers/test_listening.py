"""One worker's picture of the floor: how it is kept, and whom it is shown to."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any

import msgspec
import pytest

from chatserver.domain.history import Millis
from chatserver.domain.limits import Limits
from chatserver.domain.listening.commands import ApplyDue
from chatserver.domain.listening.opening_hours import parse_hours
from chatserver.domain.listening.state import Ending, SessionId
from chatserver.domain.rooms.rooms import RoomId
from chatserver.handlers.listening import service as floors
from chatserver.handlers.listening.heartbeat import Heartbeat
from chatserver.handlers.listening.opening_hours import Clock
from tests.handlers.workers import PLAIN, SLOW, Cluster, Guest, Worker
from tests.kit.waiting import eventually


async def test_phone_that_fell_asleep_in_a_session_is_seen_although_its_connection_stays(site: Cluster) -> None:
    """Its packets vanish: it owes the answer to a ping, and is not seen any more."""
    worker = await site.worker()
    seeker, listener = await ask(worker), await worker.listener("ada")
    await session(seeker, listener)
    keeper, heartbeat = worker.listening.service, Heartbeat(worker.node)

    async def seen(at: int) -> tuple[int, int]:
        await heartbeat.tell(keeper.picture, Millis(at))
        await keeper._load()
        return keeper.state.seekers[seeker.member].seen_at, keeper.state.listeners[listener.member].seen_at

    later = keeper.now() + 60_000
    assert await seen(later) == (later, later)
    assert seeker.wire.is_watched_closely
    assert listener.wire.is_watched_closely
    listener.wire.owes = 10.0
    assert await seen(later + 10_000) == (later + 10_000, later)
    # It wakes up: nothing has happened.
    listener.wire.owes = 0.0
    assert await seen(later + 15_000) == (later + 15_000, later + 15_000)


async def test_somebody_whose_sign_is_late_was_last_seen_when_they_were_asked(site: Cluster) -> None:
    worker = await site.worker()
    seeker = await ask(worker)
    keeper = worker.listening.service
    await keeper._load()
    asked = keeper.state.seekers[seeker.member].seen_at
    seeker.wire.owes = 3.0
    await Heartbeat(worker.node).tell(keeper.picture, Millis(asked + 10_000))
    await keeper._load()
    assert keeper.state.seekers[seeker.member].seen_at == asked + 7_000
    assert not seeker.wire.is_watched_closely


async def test_typing_breaks_the_silence_of_a_session_and_is_noted_seldom(
    site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await site.worker()
    worker.follow()
    seeker, listener = await ask(worker), await worker.listener("ada")
    room = await session(seeker, listener)
    keeper, key = worker.listening.service, SessionId(room)
    began = keeper.state.sessions[key].last_at
    noted: list[str] = []
    done = keeper.do

    async def count(who: Any, command: Any) -> Any:
        noted.append(type(command).__name__)
        return await done(who, command)

    monkeypatch.setattr(keeper, "do", count)
    for _ in range(5):
        assert "ok" in await seeker.ask("typing", room=room)
    await eventually(lambda: keeper.state.sessions[key].typed_at > began)
    assert noted.count("Typed") == 1
    assert keeper.state.sessions[key].quiet_since(keeper.rules) > began
    # A post after it is noted all the same: from it the bound counts.
    assert "ok" in await seeker.ask("post", room=room, text="at last")
    await eventually(lambda: keeper.state.sessions[key].last_at > began)


async def a_pair(site: Cluster) -> tuple[Worker, Worker]:
    """Two workers that follow the floor."""
    pair = await site.worker(), await site.worker()
    for worker in pair:
        worker.follow()
    return pair


async def ask(worker: Worker, **wish: Any) -> Guest:
    seeker = await worker.guest()
    assert "ok" in await seeker.ask("ask", agreement=True, **wish)
    return seeker


async def session(seeker: Guest, listener: Guest) -> RoomId:
    """The session of a seeker who is suggested to this listener. Both are in its room."""
    accepted = await listener.ask("accept", proposal=await listener.proposal())
    assert "ok" in accepted, accepted
    room = RoomId(accepted["ok"]["room"])
    for each in (seeker, listener):
        assert "ok" in await each.ask("join", room=room)
    return room


def last(guest: Guest, kind: str) -> dict[str, Any]:
    """The newest view that was pushed; an empty one before the first."""
    return next(iter(guest.heard(kind)[::-1]), {})


def _sees_waiting(guest: Guest, count: int) -> bool:
    return last(guest, "standing").get("waiting") == count


def _is_out_of(guest: Guest, room: RoomId) -> bool:
    return room not in guest.connection.rooms


# ------------------------------------------------------------------------------------------------ keeping up


async def test_what_another_worker_changed_is_shown_as_soon_as_the_bus_tells(
    site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floors, "POLL_SECONDS", 3_600.0)
    here, there = await a_pair(site)
    seeker = await ask(here)
    await ask(there)
    await eventually(lambda: last(seeker, "standing").get("waiting") == 2)


async def test_what_the_bus_lost_is_found_within_a_second(site: Cluster) -> None:
    here, there = await a_pair(site)
    site.exchange.interrupt()
    seeker = await ask(here)
    await ask(there)
    await eventually(lambda: last(seeker, "standing").get("waiting") == 2, timeout=1.0)


async def test_a_queue_that_was_there_before_is_known_from_the_start(site: Cluster) -> None:
    early = await site.worker()
    seeker = await ask(early)
    late = await site.worker()
    again = await late.guest(early.token_of(seeker))
    assert (await again.ask("standing"))["ok"]["state"] == "waiting"


async def test_many_who_wait_for_the_same_version_share_one_read(site: Cluster) -> None:
    here, there = await site.worker(), await site.worker()
    await ask(there)
    reads = 0
    floor_of_store = site.store.listening_state

    async def counted() -> Any:
        nonlocal reads
        reads += 1
        return await floor_of_store()

    site.store.listening_state = counted  # type: ignore[method-assign]
    before = reads
    guests = [await here.guest() for _ in range(5)]
    await eventually(lambda: here.listening.service._known > 0)
    assert reads == before, "hearing of it alone reads nothing"
    for guest in guests:
        assert "ok" in await guest.ask("ask", agreement=True)
    assert reads <= before + len(guests)


# ------------------------------------------------------------------------------------------------ showing


async def test_a_view_is_sent_only_when_it_differs(site: Cluster) -> None:
    here, there = await a_pair(site)
    seeker = await ask(here)
    learner = await there.listener("anna")
    await learner.ask("available", on=False)
    version = there.listening.service.state.version
    await eventually(lambda: here.listening.service.state.version >= version)
    await here.listening.service._show(again=True)
    # The answer comes after everything that was sent before it. That the listener came and went at once is no change.
    assert (await seeker.ask("standing"))["ok"]["listeners"] == 0
    shown = len(seeker.heard("standing"))
    await learner.ask("profile", languages=["de"], openings=["Hello."])
    version = there.listening.service.state.version
    await eventually(lambda: here.listening.service.state.version >= version)
    await here.listening.service._show(again=True)
    await seeker.ask("standing")
    assert len(seeker.heard("standing")) == shown
    await ask(there)
    await eventually(lambda: last(seeker, "standing").get("waiting") == 2)
    assert len(seeker.heard("standing")) == shown + 1


async def test_whoever_has_not_asked_is_not_told_of_the_others(site: Cluster) -> None:
    """Every open page asks where it stands once: with a full house each place in the queue would be told to all."""
    here, there = await a_pair(site)
    onlooker, leaver = await here.guest(), await ask(here)
    assert (await onlooker.ask("standing"))["ok"]["waiting"] == 1
    await ask(there)
    await eventually(lambda: last(leaver, "standing").get("waiting") == 2)
    await leaver.ask("unask")
    await ask(there)
    await eventually(lambda: len(here.listening.service.state.seekers) == 2)
    await here.listening.service._show(again=True)
    assert onlooker.heard("standing") == []
    assert last(leaver, "standing")["waiting"] == 2, "nor is whoever has left"
    assert (await onlooker.ask("standing"))["ok"]["waiting"] == 2, "but whoever asks is told"


async def test_a_slow_connection_is_told_when_it_has_room_again(site: Cluster) -> None:
    here, there = await a_pair(site)
    slow, quick = await ask(here), await ask(here)
    await eventually(lambda: last(slow, "standing").get("waiting") == 2)
    slow.wire.waiting = here.node.limits.outbox_bytes + 1
    for number in (3, 4):
        await ask(there)
        await eventually(partial(_sees_waiting, quick, number))
    assert last(slow, "standing")["waiting"] == 2
    slow.wire.waiting = 0
    await eventually(lambda: last(slow, "standing")["waiting"] == 4)
    assert [each["waiting"] for each in slow.heard("standing")][-2:] == [2, 4], "what was in between is left out"


async def test_a_connection_that_has_gone_is_told_nothing(site: Cluster) -> None:
    worker, _ = await a_pair(site)
    gone, other = await ask(worker), await ask(worker)
    await eventually(lambda: last(other, "standing") or True)
    worker.dispatcher.closed(gone.connection)
    shown = len(gone.wire.written)
    await ask(worker)
    await eventually(lambda: last(other, "standing").get("waiting") == 3)
    assert len(gone.wire.written) == shown


# ------------------------------------------------------------------------------------------------ sessions


async def test_speech_is_noted_now_and_then(site: Cluster) -> None:
    worker = await site.worker()
    seconds = 1_000.0
    worker.node.monotonic = lambda: seconds
    listener = await worker.listener("anna")
    seeker = await ask(worker)
    room = await session(seeker, listener)
    keeper, before = worker.listening.service, worker.listening.service.state.version
    for number in range(3):
        for each in (seeker, listener):
            assert "ok" in await each.ask("post", room=room, text=f"word {number}")
    await eventually(lambda: keeper.state.version == before + 1)
    noted = keeper.state.sessions[SessionId(room)].last_at
    seconds += floors.SPOKE_SECONDS
    assert "ok" in await seeker.ask("post", room=room, text="another")
    await eventually(lambda: keeper.state.sessions[SessionId(room)].last_at > noted)
    assert keeper.state.version == before + 2


async def test_of_somebody_who_is_erased_nothing_is_left(site: Cluster) -> None:
    here, there = await a_pair(site)
    listener = await there.listener("anna")
    seeker = await ask(here, heavy=5)
    assert seeker.connection.person is not None
    name = seeker.connection.person.name
    room = await session(seeker, listener)
    await here.people.identities.erase(here.token_of(seeker))
    await eventually(lambda: last(listener, "console")["sessions"][0].get("ending") == "staff")
    state = there.listening.service.state
    assert state.seekers == {}
    ended = state.sessions[SessionId(room)]
    assert (ended.ending, ended.seeker_name, ended.wish.heavy) == (Ending.ERASED, "", None)
    assert name not in str(last(listener, "console"))


async def test_whoever_may_listen_no_more_leaves_within_a_second(site: Cluster) -> None:
    """With Redis away, on a worker that did not revoke it."""
    here, there = await a_pair(site)
    listener = await there.listener("anna")
    seeker = await ask(here)
    room = await session(seeker, listener)
    await here.people.accounts.add_operator("olga", "Olga", "lamp river boots sky")
    site.exchange.interrupt()
    await site.store.revoke_staff(listener.member, here.node.now())
    await eventually(lambda: last(seeker, "standing").get("state") == "waiting", timeout=2.0)
    assert last(seeker, "standing")["is_first"]
    await eventually(lambda: listener.member not in there.listening.service.state.listeners)
    assert here.listening.service.state.sessions[SessionId(room)].ending is Ending.STAFF


async def test_who_handed_over_is_out_of_the_room_on_every_worker(site: Cluster) -> None:
    here, there = await a_pair(site)
    first, second = await there.listener("anna"), await here.listener("ben")
    seeker = await ask(here)
    for_first = here.listening.service.state.seekers[seeker.member].proposal
    assert for_first is not None
    if for_first.listener != first.member:
        first, second = second, first
    room = await session(seeker, first)
    site.exchange.interrupt()
    assert "ok" in await first.ask("invite", session=room, listener=await first.colleague(second), handover=True)
    assert "ok" in await seeker.ask("answer", session=room, yes=True)
    assert "ok" in await second.ask("answer", session=room, yes=True)
    await eventually(lambda: room not in first.connection.rooms)
    assert room in seeker.connection.rooms
    assert (await first.ask("post", room=room, text="still here"))["error"]["code"] == "not_in_room"
    assert (await first.ask("join", room=room))["error"]["code"] == "room_unknown"
    assert "ok" in await second.ask("join", room=room)


async def test_nobody_stays_in_a_room_that_is_forgotten(site: Cluster) -> None:
    worker = await site.worker()
    listener = await worker.listener("anna")
    seeker = await ask(worker)
    assert "ok" in await seeker.ask("join", room=PLAIN, agreement=1)
    room = await session(seeker, listener)
    await seeker.ask("end", session=room)
    later = await site.worker(skew=61 * 60_000)
    await later.listening.service.do(floors.NOBODY, ApplyDue())
    worker.follow()
    for each in (seeker, listener):
        await eventually(partial(_is_out_of, each, room))
    assert PLAIN in seeker.connection.rooms
    assert worker.node.presence.here(f"room:{room}") == 0  # type: ignore[arg-type]


async def test_who_handed_over_finds_it_under_what_they_left(site: Cluster) -> None:
    worker = await site.worker()
    first = await worker.listener("anna")
    seeker = await ask(worker)
    room = await session(seeker, first)
    second = await worker.listener("ben")
    assert "ok" in await first.ask("invite", session=room, listener=await first.colleague(second), handover=True)
    assert "ok" in await seeker.ask("answer", session=room, yes=True)
    assert "ok" in await second.ask("answer", session=room, yes=True)
    shown = (await first.ask("console"))["ok"]
    assert "sessions" not in shown
    (left,) = shown["left"]
    assert (left["id"], left["seeker"]["id"], left["flagged"]) == (room, seeker.id_in(room), False)
    assert "ok" in await first.ask("flag", session=room, on=True)
    assert "ok" in await first.ask("report", session=room, reason="unkind")
    shown = (await first.ask("console"))["ok"]
    assert (shown["left"][0]["flagged"], shown["owes"], shown["pause"]) == (True, room, "debrief")
    theirs = (await second.ask("console"))["ok"]
    assert not theirs["sessions"][0].get("flagged")
    assert "left" not in theirs
    assert "left" not in (await seeker.ask("standing"))["ok"]


async def test_conversations_do_not_count_as_rooms(site: Cluster) -> None:
    worker = await site.worker(limits=Limits(rooms_per_connection=1))
    listener = await worker.listener("anna")
    for _ in range(2):
        # In one at once with the listener, who is still in the room of the earlier one.
        seeker = await ask(worker)
        room = await session(seeker, listener)
        assert "ok" in await seeker.ask("join", room=PLAIN, agreement=1), "nor is a room kept from who talks"
        assert (await seeker.ask("join", room=SLOW, agreement=1))["error"]["code"] == "too_many_rooms"
        assert room in listener.connection.rooms
    assert "ok" in await listener.ask("join", room=PLAIN, agreement=1)
    assert len(listener.connection.rooms) == 3


# ------------------------------------------------------------------------------------------------ who is there


def _listeners(worker: Worker, state: str) -> float:
    return float(worker.node.metrics.floor_listeners.labels(state)._value.get())


async def test_whoever_closed_the_page_is_away_for_others_and_who_is_here_stays_so_on_a_quiet_queue(
    site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floors, "SEEN_SECONDS", 0.1)
    monkeypatch.setattr(floors, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(floors, "RESTATE_SECONDS", 0.1)
    worker = await site.worker()
    worker.listening.service.rules = msgspec.structs.replace(worker.listening.service.rules, reachable=2_000)
    stays, goes = await worker.listener("anna"), await worker.listener("ben")
    worker.follow()
    await eventually(lambda: _listeners(worker, "free") == 2)
    worker.dispatcher.closed(goes.connection)
    await eventually(lambda: (_listeners(worker, "free"), _listeners(worker, "away")) == (1, 1))
    await eventually(lambda: [each.member for each in worker.listening.service.picture.listening] == [stays.member])
    view = (await stays.ask("console"))["ok"]
    assert (view["state"], "colleagues" in view) == ("free", False)
    version, since = worker.listening.service.state.version, time.monotonic()
    while time.monotonic() - since < 2.5:
        # Nothing happens, for longer than anybody unseen would count as here.
        assert _listeners(worker, "free") == 1
        await asyncio.sleep(0.05)
    assert worker.listening.service.state.version == version


async def test_closing_time_is_told_to_those_who_wait_and_they_keep_their_place(
    site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floors, "RESTATE_SECONDS", 0.1)
    worker = await site.worker()
    seeker = await ask(worker)
    before = (await seeker.ask("standing"))["ok"]
    assert (before["open"], before["state"]) == (True, "waiting")
    worker.listening.service._hours = Clock(parse_hours("never"), "UTC")
    worker.follow()
    await eventually(lambda: last(seeker, "standing").get("open") is False)
    told = last(seeker, "standing")
    assert (told["state"], told["place"], told["asked_at"]) == ("waiting", 1, before["asked_at"])
    again = (await seeker.ask("ask", agreement=True, heavy=4))["ok"]
    assert (again["open"], again["state"], again["asked_at"]) == (False, "waiting", before["asked_at"])
    late = await worker.guest()
    assert (await late.ask("ask", agreement=True))["error"]["code"] == "listening_closed"


# ------------------------------------------------------------------------------------------------ what is whose


async def test_nobody_sees_what_is_not_theirs(site: Cluster) -> None:
    worker = await site.worker()
    listener, other = await worker.listener("anna"), await worker.listener("ben")
    await other.ask("profile", languages=["en"], lived=["slow"], not_topics=["slow"], openings=["My own first words."])
    seekers = [
        await ask(worker, topics=["plain"], heavy=number % 5 + 1, not_with=[f"secret-{number}"]) for number in range(5)
    ]
    talking = await session(seekers[0], listener)
    await seekers[0].ask("report", session=talking, reason="my reason", note="my note")
    for seeker in seekers:
        told = str((await seeker.ask("standing"))["ok"])
        for another in {*seekers} - {seeker}:
            assert another.member not in told
            assert str(another.connection.person and another.connection.person.name) not in told
        for secret in ("secret-", "My own first words.", "my reason", "my note", other.member, "lived"):
            assert secret not in told
    suggested = 0
    for console in (listener, other):
        view = (await console.ask("console"))["ok"]
        suggested += "proposal" in view
        for seeker in seekers:
            assert seeker.connection.person is not None
            assert seeker.member not in str(view), "no listener is told a member's id"
            is_mine = console is listener and seeker is seekers[0]
            assert (seeker.connection.person.name in str(view)) == is_mine, "nor a name before they talk"
        for secret in ("secret-", "my reason", "my note"):
            assert secret not in str(view), "whom somebody would not meet is told to nobody"
    assert suggested == 2
    assert "My own first words." not in str((await listener.ask("console"))["ok"])
