"""What is noticed in a text before it is saved, and by whom it is paid."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.crisis_phrases import Words
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.rooms.rooms import Restriction, RestrictionKind
from tests.handlers.workers import PLAIN, SLOW, Cluster, Guest, Worker, open_cluster

OPERATOR = Asker(member=MemberId("m_operator"), is_operator=True)
HOURS = 2 * 3_600_000
NUMBER = "ring 07700 900123"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with open_cluster(tmp_path) as opened:
        yield opened


async def test_newcomers_send_no_contact_details_and_others_after_a_warning(site: Cluster) -> None:
    worker = await site.worker()
    guest = await _inside(worker)
    refused = (await guest.ask("post", room=PLAIN, text=NUMBER, anyway=True))["error"]
    assert (refused["code"], refused["details"]) == ("contact_details", {"kinds": ["phone"], "may_send": False})
    later = await site.worker(skew=HOURS)
    same = await later.guest(worker.token_of(guest))
    await same.ask("join", room=PLAIN, agreement=1)
    refused = (await same.ask("post", room=PLAIN, text=NUMBER))["error"]
    assert refused["details"] == {"kinds": ["phone"], "may_send": True}
    assert "ok" in await same.ask("post", room=PLAIN, text=NUMBER, anyway=True)


async def test_a_number_over_two_posts_is_one(site: Cluster) -> None:
    guest = await _inside(await site.worker())
    assert "ok" in await guest.ask("post", room=PLAIN, text="it begins with 07700")
    refused = (await guest.ask("post", room=PLAIN, text="900123"))["error"]
    assert refused["code"] == "contact_details"
    assert "ok" in await guest.ask("post", room=PLAIN, text="never mind")
    assert "ok" in await guest.ask("post", room=PLAIN, text="900123")


async def test_a_number_over_two_posts_is_one_also_where_one_of_them_is_changed(site: Cluster) -> None:
    guest = await _inside(await site.worker())
    first = (await guest.ask("post", room=PLAIN, text="good morning"))["ok"]["offset"]
    assert "ok" in await guest.ask("edit", room=PLAIN, offset=first, text="it begins with 07700")
    assert (await guest.ask("post", room=PLAIN, text="900123"))["error"]["code"] == "contact_details"
    second = (await guest.ask("post", room=PLAIN, text="good night"))["ok"]["offset"]
    refused = (await guest.ask("edit", room=PLAIN, offset=second, text="900123"))["error"]
    assert refused["code"] == "contact_details"
    assert "ok" in await guest.ask("edit", room=PLAIN, offset=first, text="it begins with good news")


async def test_a_warning_and_its_post_are_read_as_one(site: Cluster) -> None:
    guest = await _inside(await site.worker())
    refused = (await guest.ask("post", room=PLAIN, warning="it is 07700", text="900123, at night"))["error"]
    assert refused["details"] == {"kinds": ["phone"], "may_send": False}
    assert "ok" in await guest.ask("post", room=PLAIN, warning="loss", text="900123 things to think of")


async def test_what_a_listener_makes_of_contact_details_that_were_let_through_is_in_the_case(site: Cluster) -> None:
    worker = await site.worker()
    liv, seeker = await worker.listener("liv"), await worker.guest()
    assert "ok" in await seeker.ask("ask", agreement=True, language="en")
    room = (await liv.ask("accept", proposal=await liv.proposal()))["ok"]["room"]
    assert "ok" in await liv.ask("join", room=room)
    said = (await liv.ask("post", room=room, text="write to hello@example.org", anyway=True))["ok"]
    (report,) = (await site.store.queue(OPERATOR, Millis(0))).open
    edit = {"room": room, "offset": said["offset"], "text": "write to liv.berg@example.org"}
    assert "ok" in await liv.ask("edit", **edit), "the kind was let through before"
    file = await site.store.open_report(report.id, OPERATOR, "to look", worker.node.now())
    assert [post.text for post in file.posts] == ["write to liv.berg@example.org"]
    assert [version.text for version in file.earlier] == ["write to hello@example.org"]


async def test_who_may_not_write_costs_nothing_to_read(site: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = await site.worker()
    guest = await _inside(worker)
    read = _count(monkeypatch)
    assert "ok" in await guest.ask("post", room=SLOW, text="hello")
    assert len(read) == 1
    assert (await guest.ask("post", room=SLOW, text="s***s " * 300))["error"]["code"] == "slow_mode"
    assert len(read) == 1
    assert "ok" in await guest.ask("post", room=PLAIN, text="hello")
    assert len(read) == 2


async def test_what_seemed_to_be_refused_and_was_not_is_read_all_the_same(
    site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mute that is over, but not yet on this worker."""
    worker = await site.worker()
    guest = await _inside(worker)
    forever = Restriction(measure="x", kind=RestrictionKind.MUTE, room=PLAIN, until=Millis(1 << 50))
    monkeypatch.setattr(worker.moderation.enforcement, "_restrictions", {guest.member: (forever,)})
    answer = await guest.ask("post", room=PLAIN, text="I am going to kill myself tonight")
    assert answer["ok"]["care"] == "self_harm"
    (report,) = (await site.store.queue(OPERATOR, Millis(0))).open
    assert (report.level, report.reason) == (3, "self_harm")


async def test_a_human_is_told_of_what_could_not_be_read(site: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = await _inside(await site.worker())
    monkeypatch.setattr("chatserver.domain.moderation.crisis_phrases.MOST_STEPS", 50)
    assert "ok" in await guest.ask("post", room=PLAIN, text="how do i want to kill you " * 70)
    reports = (await site.store.queue(OPERATOR, Millis(0))).open
    assert ("unread", 2) in {(report.reason, report.level) for report in reports}


def _count(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    read: list[str] = []
    begin = Words.begin

    def counted(self: Words, text: str) -> object:
        read.append(text)
        return begin(self, text)

    monkeypatch.setattr(Words, "begin", counted)
    return read


async def _inside(worker: Worker) -> Guest:
    guest = await worker.guest()
    for room in (PLAIN, SLOW):
        assert "ok" in await guest.ask("join", room=room, agreement=1)
    return guest
