"""Alerts on the wire: what moderators are shown first, and what no crowd can do to that."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from chatserver.domain.limits import Limits
from chatserver.domain.moderation.report_queue import PAGE
from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet
from tests.conformance.listeners import Listeners
from tests.conformance.peer import Peer
from tests.conformance.personnel import Personnel
from tests.conformance.traffic import Traffic

pytestmark = pytest.mark.timeout(120)
Json = dict[str, Any]
TEXT = (
    "i am going to kill myself tonight. i will shoot my teacher tomorrow. my dad hits me. send me nudes. "
    "kys you worthless loser. how many pills does it take to die"
)
"""Words of all six categories."""
AS_SHIPPED = {
    name: getattr(Limits(), name)
    for name in ("alerts_per_address_per_minute", "new_people_alerts_per_minute", "rings_per_minute")
}


async def pages(moderator: Peer, **fields: Any) -> list[Json]:
    """Everything from page to page."""
    found: list[Json] = []
    while True:
        page = await moderator.ask("report_page", **fields)
        found += page["reports"]
        if "next" not in page or page["next"] is None:
            return found
        fields["after"] = page["next"]


async def until_told(moderator: Peer) -> None:
    """A second without anything that rings: every worker has asked the store by then, twice."""
    rings, since = len(moderator.pushes("ring")), time.monotonic()
    while time.monotonic() - since < 1.5:
        await moderator.ask("ping")
        if len(moderator.pushes("ring")) != rings:
            rings, since = len(moderator.pushes("ring")), time.monotonic()
        await asyncio.sleep(0.05)


async def test_six_guests_bury_nobody(traffic: Traffic, encoding: Encoding) -> None:
    """[P-CARE-3] [P-ALERT-1] [P-ALERT-2] [P-ALERT-3]

    72 posts, 432 alerts, one address, as fast as it goes; then a child reports."""
    with Cluster(limits=AS_SHIPPED, config={"shared_networks": []}) as site:
        meet = Meet(site, traffic, encoding)
        token, _ = await Personnel(site).hire("moderator")
        moderator = await meet(staff=True, token=token)
        await moderator.ask("reports")
        rooms = [site.rooms.plain() for _ in range(12)]
        guests = [await meet() for _ in range(6)]
        child, him = await meet(), await meet()
        for peer in guests:
            for room in rooms:
                await peer.join(room)
        for peer in (child, him):
            await peer.join(rooms[0])
        await asyncio.gather(*(peer.ask("post", room=room, text=TEXT) for peer in guests for room in rooms))
        await until_told(moderator)
        assert 1 <= len(moderator.pushes("ring")) <= 2
        report = {"room": rooms[0], "member": him.id_in(rooms[0]), "reason": "danger"}
        await child.ask("report_post", **report, note="he wants to meet me, I am 13")
        ring = await moderator.push("ring", lambda push: push["kind"] == "danger")
        queue = await moderator.ask("reports")
        first, flood = queue["open"]
        assert (first["id"], first["by"], first["rank"]) == (ring["report"], child.member, 3)
        assert (flood["folds"], flood["parts"], flood["rank"]) == ("words", 6, 3)
        assert (queue["open_count"], queue["ranks"]) == (2, {"now": 2, "reports": 0, "words": 0})
        cards = await pages(moderator, within=flood["id"])
        assert {card["about"]["id"] for card in cards} == {peer.member["id"] for peer in guests}
        part = ""
        for card in cards:
            held = await pages(moderator, within=card["id"])
            assert (card["parts"], len(held), card["new"]) == (71, 71, True)
            assert {each["room"] for each in (card, *held)} == {*rooms}
            part = held[0]["id"]
            file = await moderator.ask("open_report", report=part, why="to look")
            assert file["posts"][-1]["text"] == TEXT
        assert (await moderator.refusal("claim", report=part))["code"] == "report_unknown"
        wrong = await moderator.refusal("report_page", after="somewhere")
        assert (wrong["code"], wrong["details"]["field"]) == ("invalid", "$.after")
        await meet.see_off()
        assert site.complaints() == []


async def test_the_queue_is_read_to_its_end(traffic: Traffic, encoding: Encoding) -> None:
    """[P-ALERT-1] [P-ALERT-3] [P-ALERT-4]"""
    with Cluster(limits={"rings_per_minute": 6}) as site:
        meet = Meet(site, traffic, encoding)
        token, _ = await Personnel(site).hire("moderator")
        moderator = await meet(staff=True, token=token)
        await moderator.ask("reports")
        room = site.rooms.plain()
        people = [await meet() for _ in range(PAGE // 4)]
        for peer in people:
            await peer.join(room)
        for n, peer in enumerate(people):
            for m in range(1, 6):
                about = people[(n + m) % len(people)].id_in(room)
                reason = "danger" if m == 1 else "unkind"
                await peer.ask("report_post", room=room, member=about, reason=reason)
        await until_told(moderator)
        rings = moderator.pushes("ring")
        assert len(rings) <= 8, "six, and one or two for which time has passed"
        queue = await moderator.ask("reports")
        every = queue["open"] + await pages(moderator, after=queue["next"])
        assert len(queue["open"]) == PAGE
        assert len({each["id"] for each in every}) == len(every) == queue["open_count"] == len(people) * 5
        assert queue["ranks"] == {"now": len(people), "reports": len(people) * 4, "words": 0}
        assert [each["rank"] for each in every] == [3] * len(people) + [2] * (len(people) * 4)
        last = every[-1]
        await moderator.ask("claim", report=last["id"])
        (taken,) = [each for each in await pages(moderator) if each["id"] == last["id"]]
        assert taken["due_at"] > last["due_at"]
        await moderator.ask("release", report=last["id"])
        (given,) = [each for each in await pages(moderator) if each["id"] == last["id"]]
        assert given["due_at"] == last["due_at"]
        await meet.see_off()


async def test_who_calls_without_listening_reports_and_a_listener_has_one_call(listening: Listeners) -> None:
    """[P-MOD-2] [P-MOD-1]"""
    token, _ = await listening.personnel.hire("operator")
    moderator = await listening.guest(staff=True, token=token)
    await moderator.ask("reports")
    seeker, listener, session = await listening.pair()
    for n in range(25):
        await seeker.ask("report", session=session, reason="help", call=True, note=f"come {n}")
    await until_told(moderator)
    assert [push for push in moderator.pushes("ring") if push["room"] == session] == []
    for n in range(25):
        await listener.ask("report", session=session, reason="help", call=True, note=f"come {n}")
    await moderator.push("ring", lambda push: push["room"] == session)
    await until_told(moderator)
    assert len([push for push in moderator.pushes("ring") if push["room"] == session]) == 1
    found = [each for each in await pages(moderator) if each["room"] == session]
    assert [(each.get("is_call", False), each["by"], each.get("about")) for each in found] == [
        (True, listener.member, None),
        (False, seeker.member, listener.member),
    ]
    file = await moderator.ask("open_report", report=found[0]["id"], why="to help")
    assert all(f"come {n}" in file["note"] for n in range(25))
