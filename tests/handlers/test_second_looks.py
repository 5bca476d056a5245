"""The second look at posts: after the answer, found again where a worker dies, and never raised twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatserver.domain.history import CommandId, Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.measures import Report
from chatserver.domain.moderation.model_training import examples_of, train
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.moderation.screening_levels import Levels, Loads, ScreeningLevels
from chatserver.domain.moderation.text_model import MODEL, SEVERAL, TextModel
from chatserver.handlers.rooms import second_looks
from chatserver.handlers.rooms.second_looks import SILENT
from chatserver.protocol.internode import MemberEnded
from chatserver.store.records import StoreUnavailable
from chatserver.store.room_settings_records import StaffAction
from chatserver.store.screening_records import LevelsWanted
from tests.handlers.workers import PLAIN, Cluster, Guest, Worker, open_cluster
from tests.store.kit import until

OPERATOR = Asker(member=MemberId("m_operator"), is_operator=True)
DARK = "the lanterns go dark over the quiet harbour"
LISTED = "i want to die"
SAID = [f"self_harm: {DARK}", "self_harm: all lanterns over the harbour go dark", "-: a quiet morning at the market"]
CALM = ["a quiet morning", "see you at the market"]


@pytest.fixture(scope="module")
def model() -> TextModel:
    return train([*examples_of("\n".join(SAID))], CALM, (0, 0), "en")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with open_cluster(tmp_path) as opened:
        yield opened


async def _inside(worker: Worker) -> Guest:
    guest = await worker.guest()
    assert "ok" in await guest.ask("join", room=PLAIN, agreement=1)
    return guest


async def _reports(site: Cluster) -> list[Report]:
    return list((await site.store.queue(OPERATOR, Millis(0))).open)


async def _raised(site: Cluster, count: int = 1) -> list[Report]:
    async with asyncio.timeout(20):
        while len(found := await _reports(site)) < count:  # noqa: ASYNC110 (nobody announces it)
            await asyncio.sleep(0.01)
    return found


async def test_a_post_is_answered_first_and_looked_at_then(site: Cluster, model: TextModel) -> None:
    worker = await site.worker(model=model)
    guest = await _inside(worker)
    reply = await guest.ask("post", room=PLAIN, text=f"We had soup. {DARK}.")
    assert "care" not in reply["ok"]
    assert await _reports(site) == [], "nothing looks at it before the service runs"
    worker.go_on(worker.rooms.second_looks.run(), "second looks")
    (report,) = await _raised(site)
    assert (report.about, report.reason, report.level) == (guest.member, "self_harm", 2)
    file = await site.store.open_report(report.id, OPERATOR, "to look", worker.node.now())
    words, phrase = file.note.split("\n")
    assert phrase == MODEL
    assert "lanterns go dark" in words
    assert [post.text for post in file.posts] == [f"We had soup. {DARK}."]


async def test_scores_are_counted_by_room_and_no_text_is_kept(site: Cluster, model: TextModel) -> None:
    worker = await site.worker(model=model)
    looks = worker.rooms.second_looks
    guest = await _inside(worker)
    for text in (DARK, "a quiet morning", "see you at the market", LISTED):
        assert "ok" in await guest.ask("post", room=PLAIN, text=text)
    worker.go_on(looks.run(), "second looks")
    await until(lambda: worker.node.metrics.second_looks.labels("looked")._value.get() == 4)
    await looks.follow()
    (counts,) = (await site.store.screening(model.name, worker.node.now())).counts.values()
    assert sum(counts) == 3, "what the lists raise has no score"


async def test_levels_that_were_set_hold_on_every_worker(site: Cluster, model: TextModel) -> None:
    worker, other = await site.worker(model=model), await site.worker(model=model)
    boss = await worker.operator("boss")
    assert worker.rooms.second_looks.levels is not None
    wanted = LevelsWanted(seen=0, loads=Loads(), levels=Levels(1.2, 1.3))
    deed = StaffAction(
        by=boss.member, command_id=CommandId("one"), digest=b"d", reason="too much", now=worker.node.now()
    )
    await site.store.set_screening(wanted, worker.rooms.second_looks.levels.model, deed)
    await other.rooms.second_looks.follow()
    guest = await _inside(other)
    assert "ok" in await guest.ask("post", room=PLAIN, text=DARK)
    await other.rooms.second_looks.close()
    assert await _reports(site) == []


async def _with_levels(worker: Worker, first: float, second: float) -> None:
    levels = worker.rooms.second_looks.levels
    assert levels is not None
    levels.take(ScreeningLevels(revision=1, is_by_hand=True, levels=Levels(first, second)))


async def test_help_is_offered_to_the_writer_alone_and_of_level_1_nobody_else_is_told(
    site: Cluster, model: TextModel
) -> None:
    worker = await site.worker(model=model)
    guest, other = await _inside(worker), await _inside(worker)
    score = model.read(f"\n{DARK}").score
    await _with_levels(worker, score - 0.1, score + 10.0)
    assert "ok" in await guest.ask("post", room=PLAIN, text=DARK)
    assert guest.heard("care") == [], "the answer comes first"
    worker.go_on(worker.rooms.second_looks.run(), "second looks")
    await until(lambda: guest.heard("care") != [])
    assert guest.heard("care") == [{"push": "care", "room": PLAIN, "care": "self_harm"}]
    assert other.heard("care") == []
    assert await _reports(site) == []


async def test_help_that_the_lists_have_offered_is_not_offered_again_nor_to_staff(
    site: Cluster, model: TextModel
) -> None:
    worker = await site.worker(model=model)
    guest, boss = await _inside(worker), await worker.operator("boss")
    assert "ok" in await boss.ask("join", room=PLAIN, agreement=1)
    await _with_levels(worker, -10.0, 10.0)
    reply = await guest.ask("post", room=PLAIN, text="i feel so hopeless")
    assert reply["ok"]["care"] == "self_harm", "by the lists, of level 1"
    assert "ok" in await boss.ask("post", room=PLAIN, text=DARK)
    worker.go_on(worker.rooms.second_looks.run(), "second looks")
    await until(lambda: worker.node.metrics.second_looks.labels("looked")._value.get() == 2)
    assert guest.heard("care") == boss.heard("care") == []


async def test_several_weak_signs_of_one_person_are_told_together_and_those_of_several_people_are_not(
    site: Cluster, model: TextModel
) -> None:
    worker = await site.worker(model=model)
    guest, other = await _inside(worker), await _inside(worker)
    score = model.read(f"\n{DARK}").score
    # Each is worth about a half.
    await _with_levels(worker, score - 1.1, score + 0.9)
    worker.go_on(worker.rooms.second_looks.run(), "second looks")
    looked = worker.node.metrics.second_looks.labels("looked")._value
    for writer in (guest, other):
        assert "ok" in await writer.ask("post", room=PLAIN, text=DARK)
    await until(lambda: looked.get() == 2)
    assert await _reports(site) == []
    assert "ok" in await guest.ask("post", room=PLAIN, text=DARK)
    (report,) = await _raised(site)
    assert (report.about, report.level) == (guest.member, 2)
    file = await site.store.open_report(report.id, OPERATOR, "to look", worker.node.now())
    assert file.note.split("\n")[1] == SEVERAL


async def test_somebody_who_is_erased_is_forgotten_in_memory_too(site: Cluster, model: TextModel) -> None:
    worker, other = await site.worker(model=model), await site.worker(model=model)
    guest = await _inside(worker)
    score = model.read(f"\n{DARK}").score
    await _with_levels(worker, score - 1.1, score + 0.9)
    assert "ok" in await guest.ask("post", room=PLAIN, text=DARK)
    looks = worker.rooms.second_looks
    worker.go_on(looks.run(), "second looks")
    await until(lambda: len(looks._signs) == 1)
    other.node.tell_nodes(MemberEnded(guest.member))
    await until(lambda: len(looks._signs) == 0)


async def test_an_edit_is_looked_at_too_and_calm_posts_raise_nothing(site: Cluster, model: TextModel) -> None:
    worker = await site.worker(model=model)
    guest = await _inside(worker)
    worker.go_on(worker.rooms.second_looks.run(), "second looks")
    offset = (await guest.ask("post", room=PLAIN, text="a quiet morning"))["ok"]["offset"]
    assert "ok" in await guest.ask("edit", room=PLAIN, offset=offset, text=DARK)
    assert [report.offset for report in await _raised(site)] == [offset]


async def test_where_the_lists_raise_something_the_model_is_not_asked(site: Cluster, model: TextModel) -> None:
    worker = await site.worker(model=model)
    guest = await _inside(worker)
    assert "ok" in await guest.ask("post", room=PLAIN, text=f"{LISTED}. {DARK}")
    (before,) = await _reports(site)
    await worker.rooms.second_looks.close()
    (after,) = await _reports(site)
    file = await site.store.open_report(after.id, OPERATOR, "to look", worker.node.now())
    assert before.id == after.id
    assert MODEL not in file.note


async def test_without_a_model_nothing_is_looked_at_or_written(site: Cluster) -> None:
    worker = await site.worker()
    guest = await _inside(worker)
    assert "ok" in await guest.ask("post", room=PLAIN, text=DARK)
    await worker.rooms.second_looks.tidy()
    assert await site.store.left_unlooked(Millis(2**53)) == []


async def test_what_a_dead_worker_left_is_found_by_another_and_told_once(site: Cluster, model: TextModel) -> None:
    dead = await site.worker(model=model)
    guest = await _inside(dead)
    assert "ok" in await guest.ask("post", room=PLAIN, text=DARK)
    # It never looks at it: from here on nothing of it runs.
    early = await site.worker(model=model)
    await early.rooms.second_looks.tidy()
    assert await _reports(site) == [], "it may still be alive"
    late = [await site.worker(model=model, skew=2 * SILENT) for _ in range(2)]
    await asyncio.gather(*(each.rooms.second_looks.tidy() for each in late))
    assert len(await _reports(site)) == 1
    left = {each.worker for each in await site.store.left_unlooked(Millis(2**53))}
    assert dead.node.id not in left
    assert {each.node.id for each in late} <= left


async def test_what_comes_at_once_beyond_the_queue_is_read_again(
    site: Cluster, model: TextModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_looks, "MOST_WAITING", 1)
    worker = await site.worker(model=model)
    looks = worker.rooms.second_looks
    guest = await _inside(worker)
    assert "ok" in await guest.ask("post", room=PLAIN, text="a quiet morning")
    assert "ok" in await guest.ask("post", room=PLAIN, text=DARK)
    assert worker.node.metrics.second_looks.labels("put_off")._value.get() == 1
    worker.go_on(looks.run(), "second looks")
    await until(lambda: worker.node.metrics.second_looks.labels("looked")._value.get() == 1)
    assert await _reports(site) == []
    await looks.tidy()
    assert len(await _reports(site)) == 1


async def test_a_store_that_is_away_loses_nothing(
    site: Cluster, model: TextModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await site.worker(model=model)
    looks = worker.rooms.second_looks
    guest = await _inside(worker)
    assert "ok" in await guest.ask("post", room=PLAIN, text=DARK)

    async def away(found: object) -> int:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(site.store, "escalate_late", away)
        worker.go_on(looks.run(), "second looks")
        await until(lambda: worker.node.metrics.store_failures._value.get() >= 1)
        with pytest.raises(StoreUnavailable):
            await looks.tidy()
    assert await _reports(site) == []
    await looks.tidy()
    assert len(await _reports(site)) == 1


async def test_a_worker_that_ends_in_good_order_leaves_nothing(site: Cluster, model: TextModel) -> None:
    worker = await site.worker(model=model)
    guest = await _inside(worker)
    assert [each.worker for each in await site.store.left_unlooked(Millis(2**53))] == [worker.node.id]
    assert "ok" in await guest.ask("post", room=PLAIN, text=DARK)
    await worker.rooms.second_looks.close()
    assert len(await _reports(site)) == 1
    assert await site.store.left_unlooked(Millis(2**53)) == []
