"""Commands of one person that meet in the same moment, clocks that are wrong, and sockets that take nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chatserver.delivery.hub import Hub
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.limits import Limits
from chatserver.domain.rooms.rooms import RoomId, room_channel
from chatserver.handlers.operating.health import OK, Health
from chatserver.handlers.people.members import reload_member
from chatserver.protocol.codes import Close
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.records import Committed, RoomChange
from tests.handlers.workers import PLAIN, SLOW, Cluster, open_cluster
from tests.kit.waiting import eventually

HOUR = 3_600_000


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with open_cluster(tmp_path) as opened:
        yield opened


async def test_name_taken_on_another_tab_during_a_join_is_the_one_that_is_shown(site: Cluster) -> None:
    worker = await site.worker()
    one = await worker.guest()
    other = await worker.guest(worker.token_of(one))
    gate = site.store.hold("join_with_page")
    joining = asyncio.create_task(one.ask("join", room=PLAIN, agreement=1))
    await eventually(lambda: site.store.waiting)
    renamed = await other.ask("rename", name="Brave Otter")
    gate.set()
    joined = await joining
    assert renamed["ok"]["member"]["name"] == "Brave Otter"
    assert [person["name"] for person in joined["ok"]["people"]] == ["Brave Otter"]
    (shown,) = worker.node.presence.people(room_channel(PLAIN), 10)
    assert shown.name == "Brave Otter"


async def test_other_tabs_never_hear_the_old_name_after_the_new_one(site: Cluster) -> None:
    worker = await site.worker()
    one = await worker.guest()
    other = await worker.guest(worker.token_of(one))
    third = await worker.guest(worker.token_of(one))
    stranger = await worker.guest()
    assert stranger.connection.person is not None
    for guest in (one, stranger):
        await guest.ask("join", room=PLAIN, agreement=1)
    alias = stranger.id_in(PLAIN)
    gate = site.store.hold("hiding")
    muting = asyncio.create_task(one.ask("mute", member=alias, on=True))
    await eventually(lambda: site.store.waiting)
    await other.ask("rename", name="Brave Otter")
    gate.set()
    await muting
    assert [push["member"]["name"] for push in third.heard("self")][-1] == "Brave Otter"


async def test_who_is_erased_while_saying_hello_does_not_stay(site: Cluster) -> None:
    worker = await site.worker()
    one = await worker.guest()
    token = worker.token_of(one)
    gate = site.store.hold("hiding_and_bars")
    coming = asyncio.create_task(worker.guest(token))
    await eventually(lambda: site.store.waiting)
    await worker.people.identities.erase(token)
    assert one.wire.closed_with == Close.IDENTITY_ENDED
    gate.set()
    outcome = (await asyncio.gather(coming, return_exceptions=True))[0]
    assert isinstance(outcome, AssertionError)
    assert "identity_unknown" in str(outcome)


@pytest.mark.parametrize("skew", [HOUR, -HOUR], ids=["an hour ahead", "an hour behind"])
async def test_worker_whose_clock_is_wrong_silences_nobody_in_a_slow_room(site: Cluster, skew: int) -> None:
    right, wrong = await site.worker(), await site.worker(skew=skew)
    here, there = await right.guest(), await wrong.guest()
    for guest in (here, there):
        await guest.ask("join", room=SLOW, agreement=1)
    assert "ok" in await there.ask("post", room=SLOW, text="my clock is wrong")
    assert "ok" in await here.ask("post", room=SLOW, text="mine is right")
    assert (await here.ask("post", room=SLOW, text="too soon"))["error"]["code"] == "slow_mode"
    await asyncio.sleep(1.1)
    assert "ok" in await here.ask("post", room=SLOW, text="a second later")
    assert "ok" in await there.ask("post", room=SLOW, text="here too")


async def test_lobby_counts_do_not_pile_up_for_a_socket_that_takes_nothing(site: Cluster) -> None:
    limits = Limits(outbox_bytes=2_000)
    worker = await site.worker(limits=limits)
    watcher, walker = await worker.guest(), await worker.guest()
    await watcher.ask("rooms", watch=True)
    watcher.wire.is_stalled = True
    presence, channel, person = worker.node.presence, room_channel(PLAIN), walker.connection.person
    assert person is not None
    for _ in range(150):
        presence.enter(channel, person, walker)
        await worker.rooms.tell_presence()
        await worker.rooms._lobby.tell_counts()
        presence.leave(channel, person.id, walker)
        await worker.rooms.tell_presence()
        await worker.rooms._lobby.tell_counts()
    assert watcher.wire.waiting <= 2 * limits.outbox_bytes
    presence.enter(channel, person, walker)
    await worker.rooms.tell_presence()
    await worker.rooms._lobby.tell_counts()
    watcher.wire.drain()
    await worker.rooms._lobby.tell_counts()
    assert watcher.heard("counts")[-1]["here"][PLAIN] == 1


async def test_lobby_and_metrics_learn_nothing_of_a_closed_room(site: Cluster) -> None:
    worker = await site.worker()
    watcher, talker = await worker.guest(), await worker.guest()
    await watcher.ask("rooms", watch=True)
    person = talker.connection.person
    assert person is not None
    for room in (RoomId("s-abcdefghijklmnop"), PLAIN):
        worker.node.presence.enter(room_channel(room), person, talker)
    await worker.rooms.tell_presence()
    await worker.rooms._lobby.tell_counts()
    assert watcher.heard("counts")[-1]["here"] == {PLAIN: 1}
    assert b"s-abcdefghijklmnop" not in worker.node.metrics.exposition()


async def test_news_of_oneself_does_not_pile_up_for_a_socket_that_takes_nothing(site: Cluster) -> None:
    limits = Limits(outbox_bytes=2_000, member_command_burst=10_000, command_burst=10_000)
    worker = await site.worker(limits=limits)
    one = await worker.guest()
    stalled = await worker.guest(worker.token_of(one))
    strangers = [await worker.guest() for _ in range(6)]
    for guest in (one, *strangers):
        await guest.ask("join", room=PLAIN, agreement=1)
    stalled.wire.is_stalled = True
    for turn in range(60):
        stranger = strangers[turn % len(strangers)]
        assert "ok" in await one.ask("mute", member=stranger.id_in(PLAIN), on=turn // len(strangers) % 2 == 0)
    assert stalled.wire.waiting <= 2 * limits.outbox_bytes
    assert stalled.wire.closed_with == Close.TOO_SLOW


async def test_store_with_too_much_to_do_is_said_by_statusz_and_is_no_bug(
    site: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    worker = await site.worker()
    guest = await worker.guest()
    await guest.ask("join", room=PLAIN, agreement=1)
    # A store that takes on nothing, on the same file.
    busy = SqliteStore(tmp_path / "chat.db", backlog=0)
    await busy.open()
    hub = Hub(
        worker.node.id,
        busy,
        worker.node.bus,
        worker.node.limits,
        worker.node.metrics,
        worker.node.now,
        worker.node.aliases,
    )
    worker.node.store = busy
    clockwork = asyncio.create_task(worker.jobs.run())
    assert (await Health(worker.node).check())["store"] not in ("", OK)
    with pytest.raises(Refusal):
        await hub.prepare(room_channel(PLAIN), None)
    await eventually(lambda: any(record.message == "job_postponed" for record in caplog.records), timeout=8)
    clockwork.cancel()
    await asyncio.gather(clockwork, return_exceptions=True)
    assert hub.channels == 0
    await hub.close()
    await busy.close()
    assert not [record for record in caplog.records if record.exc_info]


async def test_change_told_by_another_worker_while_the_store_is_away_is_loaded_when_it_is_back(
    site: Cluster, tmp_path: Path
) -> None:
    here, there = await site.worker(), await site.worker()
    one = await here.guest()
    other = await there.guest(here.token_of(one))
    assert one.connection.person is not None
    there.node.store = SqliteStore(tmp_path / "chat.db")
    # Not open yet: away.
    reloading = asyncio.create_task(reload_member(there.node, one.connection.person.id))
    await one.ask("rename", name="Brave Otter")
    there.node.store = site.store
    await reloading
    assert other.heard("self")[-1]["member"]["name"] == "Brave Otter"


async def test_who_was_erased_where_the_bus_lost_it_is_found_by_the_sweep(site: Cluster) -> None:
    here, there = await site.worker(), await site.worker()
    one = await here.guest()
    other = await there.guest(here.token_of(one))
    stranger = await there.guest()
    # Workers of these tests hear nothing of each other: every announcement is lost.
    await here.people.identities.erase(here.token_of(one))
    assert one.wire.closed_with == Close.IDENTITY_ENDED
    assert other.wire.closed_with is None
    await there.people.touch()
    assert other.wire.closed_with == Close.IDENTITY_ENDED
    assert stranger.wire.closed_with is None


async def test_a_repeat_that_a_busy_store_cannot_look_up_may_be_sent_again(
    site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await site.worker()
    guest = await worker.guest()
    await guest.ask("join", room=PLAIN, agreement=1)

    async def send() -> dict[str, Any]:
        frame = {"cmd": "post", "id": "mine", "room": PLAIN, "text": "I was here"}
        await worker.dispatcher.receive(guest.connection, json.dumps(frame))
        return [each for each in guest.wire.pushes() if each.get("re") == "mine"][-1]

    async def refuse(change: RoomChange) -> Committed:
        raise Refusal(Reason.BUSY, retry_after=1.0)

    posted = await send()
    await guest.ask("leave", room=PLAIN)
    with monkeypatch.context() as patch:
        patch.setattr(site.store, "commit", refuse)
        assert (await send())["error"]["code"] == "busy"
    assert (await send())["ok"] == posted["ok"]
