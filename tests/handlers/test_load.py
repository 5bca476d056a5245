"""What staff are told of the load by a worker: only what changed, to each from where they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from chatserver.domain.identity import NodeId
from chatserver.domain.operating.load import RoomSample
from chatserver.domain.people.staff import Role
from chatserver.domain.rooms.rooms import RoomId
from chatserver.handlers.operating.load import LoadMonitor
from tests.domain.test_load import sample
from tests.handlers.workers import PLAIN, SLOW, Guest, Worker, open_cluster
from tests.kit.load_picture import LoadPicture

OTHER = NodeId("f" * 12)


def keep(worker: Worker) -> LoadMonitor:
    return worker.load.monitor


async def turn(keeper: LoadMonitor) -> None:
    """As a second passes."""
    keeper.take(keeper._node.id, await keeper.sample())
    keeper._look()
    keeper._show()


async def operator(worker: Worker, login: str = "anna", *, agreed_by: Guest | None = None) -> Guest:
    """An operator at their page. The role of a second one counts as soon as the first has agreed to it."""
    link = await worker.people.accounts.make_invitation([Role.OPERATOR], None)
    welcome = await worker.people.accounts.accept_invitation(link.secret, login, login.title(), "lamp river boots sky")
    if agreed_by is not None:
        await worker.node.store.agree_operator(welcome.sign_in.staff.member, agreed_by.member, worker.node.now())
    guest = Guest(worker, None)
    assert "ok" in await guest.ask("hello", staff=True, token=welcome.token)
    return guest


async def watching(guest: Guest) -> dict[str, Any]:
    ok: dict[str, Any] = (await guest.ask("load"))["ok"]
    return ok


async def test_push_holds_only_what_changed(tmp_path: Path) -> None:
    async with open_cluster(tmp_path) as site:
        worker = await site.worker()
        keeper, anna, ben = keep(worker), await operator(worker), await worker.guest()
        await turn(keeper)
        assert {row["id"] for row in (await watching(anna))["rooms"]} == {PLAIN, SLOW}
        await turn(keeper)
        await ben.ask("join", room=PLAIN, agreement=1)
        await turn(keeper)
        await turn(keeper)
        quiet, came, still = anna.heard("load")
        assert "rooms" not in quiet
        assert came["rooms"] == [{"id": PLAIN, "members": 1}]
        assert "rooms" not in still
        assert all("places" not in push and "floor" not in push for push in (quiet, came, still))


async def test_who_had_no_room_is_told_of_everything_since(tmp_path: Path) -> None:
    """[P-LOAD-2]"""
    async with open_cluster(tmp_path) as site:
        worker = await site.worker()
        keeper, anna, ben = keep(worker), await operator(worker), await worker.guest()
        await turn(keeper)
        picture = LoadPicture(await watching(anna))
        anna.wire.is_stalled, anna.wire.waiting = True, worker.node.limits.outbox_bytes + 1
        await ben.ask("join", room=PLAIN, agreement=1)
        await turn(keeper)
        await ben.ask("join", room=SLOW, agreement=1)
        await turn(keeper)
        assert anna.heard("load") == []
        anna.wire.drain()
        await turn(keeper)
        [push] = anna.heard("load")
        picture.take(push)
        assert picture.busy() == {PLAIN: {"members": 1}, SLOW: {"members": 1}}


async def test_room_that_is_no_more_is_gone_and_one_that_is_renamed_is_told(tmp_path: Path) -> None:
    async with open_cluster(tmp_path) as site:
        worker = await site.worker()
        keeper, anna = keep(worker), await operator(worker)
        await turn(keeper)
        await watching(anna)
        plain = worker.node.rooms[PLAIN]
        worker.node.rooms = {PLAIN: msgspec.structs.replace(plain, name="Calm", capacity=7)}
        await turn(keeper)
        await turn(keeper)
        changed, after = anna.heard("load")
        assert changed["gone"] == [SLOW]
        assert changed["places"] == [{"id": PLAIN, "name": "Calm", "capacity": 7}]
        assert "gone" not in after
        assert "places" not in after


async def test_other_workers_count_until_they_say_goodbye(tmp_path: Path) -> None:
    async with open_cluster(tmp_path) as site:
        worker = await site.worker()
        keeper, anna = keep(worker), await operator(worker)
        now = worker.node.now()
        keeper.take(OTHER, sample(now, name="lamp:2", rooms={PLAIN: RoomSample(members=5, delivered=(1,))}))
        await turn(keeper)
        picture = LoadPicture(await watching(anna))
        assert picture.rooms[PLAIN] == {"id": PLAIN, "members": 5, "p50": 1, "p99": 1}
        assert {row["name"] for row in picture.workers.values()} == {"lamp:1", "lamp:2"}
        keeper.left(OTHER)
        await turn(keeper)
        picture.take(anna.heard("load")[-1])
        assert picture.busy() == {}
        assert picture.totals["workers"] == 1


async def test_closed_rooms_of_sessions_are_in_no_sample(tmp_path: Path) -> None:
    async with open_cluster(tmp_path) as site:
        worker = await site.worker()
        keeper, ben = keep(worker), await worker.guest()
        node = worker.node
        node.hub.meter.posted(RoomId("s-secret"), ben.member, node.monotonic())
        node.hub.meter.posted(PLAIN, ben.member, node.monotonic())
        assert [*(await keeper.sample()).rooms] == [PLAIN]
