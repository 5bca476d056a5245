"""How fast one member may write, whatever they connect with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatserver.domain.history import Millis
from chatserver.domain.limits import Limits
from chatserver.domain.rooms.rooms import Restriction, RestrictionKind
from tests.handlers.workers import PLAIN, SLOW, Cluster, Guest, Worker, open_cluster
from tests.kit.waiting import eventually


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with open_cluster(tmp_path) as opened:
        yield opened


async def test_nobody_can_talk_a_rooms_history_out_of_it(site: Cluster) -> None:
    """A post beyond the member's own pace is refused on every connection of theirs, and nobody else's."""
    worker = await site.worker(limits=Limits(posts_per_second=0.001, post_burst=3))
    one = await worker.guest()
    tab = await worker.guest(worker.token_of(one))
    other = await worker.guest()
    for guest in (one, tab, other):
        assert "ok" in await guest.ask("join", room=PLAIN, agreement=1)
    answers = [await (one, tab)[number % 2].ask("post", room=PLAIN, text=f"post {number}") for number in range(4)]
    assert ["ok" in answer for answer in answers] == [True, True, True, False]
    error = answers[3]["error"]
    assert (error["code"], error["temporary"]) == ("rate_limited", True)
    assert error["retry_after"] > 0
    assert "ok" in await other.ask("post", room=PLAIN, text="unharmed")
    assert "ok" in await tab.ask("react", room=PLAIN, offset=1, reaction="hug", on=True)


async def test_edits_are_paced_as_posts_are(site: Cluster) -> None:
    """[P-POST-3]"""
    worker = await site.worker(limits=Limits(posts_per_second=0.001, post_burst=3))
    one = await worker.guest()
    assert "ok" in await one.ask("join", room=PLAIN, agreement=1)
    offset = (await one.ask("post", room=PLAIN, text="first"))["ok"]["offset"]
    answers = [await one.ask("edit", room=PLAIN, offset=offset, text=f"edit {number}") for number in range(4)]
    assert ["ok" in answer for answer in answers] == [True, True, False, False]
    assert answers[-1]["error"]["code"] == "rate_limited"


async def test_a_second_edit_in_slow_mode_counts_as_a_post(site: Cluster) -> None:
    worker = await site.worker()
    one = await worker.guest()
    assert "ok" in await one.ask("join", room=SLOW, agreement=1)
    offset = (await one.ask("post", room=SLOW, text="helo"))["ok"]["offset"]
    wrote = await _last_post(worker, one)
    assert "ok" in await one.ask("edit", room=SLOW, offset=offset, text="hello")
    assert await _last_post(worker, one) == wrote
    while "ok" not in (answer := await one.ask("edit", room=SLOW, offset=offset, text="look at me")):
        assert answer["error"]["code"] == "slow_mode"
        await asyncio.sleep(answer["error"]["retry_after"])
    assert await _last_post(worker, one) >= wrote + 1_000


async def _last_post(worker: Worker, guest: Guest) -> Millis:
    kept = await worker.node.store.export(guest.member, worker.node.now())
    assert kept is not None
    return kept.memberships[0].last_post_at


async def test_a_reaction_cannot_be_toggled_without_end(site: Cluster) -> None:
    """[P-POST-5]"""
    worker = await site.worker()
    one, other = await worker.guest(), await worker.guest()
    for guest in (one, other):
        assert "ok" in await guest.ask("join", room=PLAIN, agreement=1)
    offsets = [(await one.ask("post", room=PLAIN, text=f"{n}"))["ok"]["offset"] for n in range(2)]
    answers = [await one.ask("react", room=PLAIN, offset=offsets[0], reaction="hug", on=n % 2 == 0) for n in range(12)]
    assert ["ok" in answer for answer in answers] == [True] * 10 + [False] * 2
    assert answers[-1]["error"]["code"] == "rate_limited"
    assert "ok" in await one.ask("react", room=PLAIN, offset=offsets[1], reaction="hug", on=True)
    assert "ok" in await other.ask("react", room=PLAIN, offset=offsets[0], reaction="hug", on=True)


async def test_typing_is_shown_once_in_three_seconds(site: Cluster) -> None:
    worker = await site.worker()
    one, other = await worker.guest(), await worker.guest()
    for guest in (one, other):
        assert "ok" in await guest.ask("join", room=PLAIN, agreement=1)
    for _ in range(20):
        assert "ok" in await one.ask("typing", room=PLAIN)
    worker.node.hub.flush()
    assert len(other.heard("typing")) == 1


async def test_who_may_not_write_shows_nothing_of_it_and_keeps_their_name(site: Cluster) -> None:
    """[P-TYPING-1] [P-NAME-4]"""
    worker = await site.worker()
    one, other = await worker.guest(), await worker.guest()
    for guest in (one, other):
        assert "ok" in await guest.ask("join", room=PLAIN, agreement=1)
    muted = Restriction(measure="x", kind=RestrictionKind.MUTE, room=PLAIN, until=Millis(worker.node.now() + 60_000))
    worker.moderation.enforcement._restrictions[one.member] = (muted,)
    assert "ok" in await one.ask("typing", room=PLAIN)
    worker.node.hub.flush()
    assert other.heard("typing") == []
    error = (await one.ask("rename", name="Quiet Heron"))["error"]
    assert (error["code"], error["details"]["measure"]) == ("muted", "x")
    assert "ok" in await other.ask("rename", name="Quiet Heron")


async def test_names_are_taken_three_times_an_hour_and_hurt_nobody(site: Cluster) -> None:
    """[P-NAME-2] [P-NAME-4]"""
    worker = await site.worker(limits=Limits(command_burst=1_000, member_command_burst=1_000))
    one = await worker.guest()
    for name, why in (("kys tonight", "unkind"), ("write me snap wolfie", "contact")):
        error = (await one.ask("rename", name=name))["error"]
        assert (error["code"], error["details"]) == ("name_refused", {"why": why})
    taken = (await worker.guest()).connection.person
    assert taken is not None
    for _ in range(4):
        assert (await one.ask("rename", name=taken.name))["error"]["code"] == "name_taken"
    answers = [await one.ask("rename", name=f"Quiet {bird}") for bird in ("Heron", "Wagtail", "Dunnock", "Linnet")]
    assert ["ok" in answer for answer in answers] == [True, True, True, False]
    assert answers[-1]["error"]["code"] == "rate_limited"


async def test_two_sockets_of_one_member_do_not_both_take_the_last_name_of_the_hour(site: Cluster) -> None:
    """[P-NAME-4]"""
    worker = await site.worker()
    one = await worker.guest()
    again = await worker.guest(worker.token_of(one))
    for bird in ("Heron", "Wagtail"):
        assert "ok" in await one.ask("rename", name=f"Quiet {bird}")
    gate = site.store.hold("rename")
    first = asyncio.create_task(one.ask("rename", name="Quiet Dunnock"))
    await eventually(lambda: site.store.waiting)
    meanwhile = await again.ask("rename", name="Quiet Linnet")
    gate.set()
    assert "ok" in await first
    assert meanwhile["error"]["code"] == "rate_limited"
    assert (await again.ask("rename", name="Quiet Linnet"))["error"]["retry_after"] > 60
