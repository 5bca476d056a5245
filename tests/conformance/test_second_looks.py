"""The second look on the wire: what the writer is sent after the answer, and what moderators are told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatserver.domain.moderation.text_model import MODEL
from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet
from tests.conformance.personnel import Personnel
from tests.conformance.traffic import Traffic

TEXT = "if i dont wake up dont be sad about it"
"""Words that no list has and the shipped model marks."""


@pytest.fixture(scope="module")
def looking() -> Iterator[Cluster]:
    with Cluster(config={"screening": {"second_look": True}}) as cluster:
        yield cluster


async def test_the_model_offers_help_to_the_writer_alone_after_the_reply(looking: Cluster, traffic: Traffic) -> None:
    """[P-CARE-2] [P-CARE-4]"""
    meet = Meet(looking, traffic, Encoding.JSON)
    try:
        token, _ = await Personnel(looking).hire("moderator")
        moderator = await meet(staff=True, token=token)
        await moderator.ask("reports")
        ada, bo = await meet(), await meet()
        device = await meet(token=ada.token)
        room = looking.rooms.plain()
        for peer in (ada, bo, device):
            await peer.join(room)
        ok = await ada.ask("post", room=room, text=TEXT)
        assert "care" not in ok
        push = await ada.push("care")
        assert push == {"push": "care", "room": room, "care": "self_harm"}
        view = await moderator.push("reports", lambda view: view["open"])
        (report,) = view["open"]
        assert (report["level"], report["offset"], report["about"]) == (2, ok["offset"], ada.member)
        file = await moderator.ask("open_report", report=report["id"], why="to help")
        assert file["note"].split("\n")[1] == MODEL
        for other in (bo, device, moderator):
            await other.ask("ping")
            assert other.pushes("care") == []
    finally:
        await meet.see_off()


async def test_operators_set_how_much_is_marked_and_see_what_that_finds(looking: Cluster, traffic: Traffic) -> None:
    """[P-SCREEN-1] [P-SCREEN-2]"""
    meet = Meet(looking, traffic, Encoding.MSGPACK)
    try:
        token, _ = await Personnel(looking).hire("operator")
        boss = await meet(staff=True, token=token)
        before = await boss.ask("screening")
        assert (before["model"], before["writers"], before["moderators"]) == ("on", 50, 15)
        assert before["first"]["score"] < before["second"]["score"]
        assert before["first"]["found"] > before["second"]["found"] > 0
        assert "marked" not in before["second"], "too few posts were written here"
        assert before["phrases"] == before["bands"] == []
        wanted = {"writers": 60, "moderators": 20, "reason": "more of us"}
        after = await boss.ask("set_screening", **wanted, seen=before["revision"])
        assert (after["writers"], after["moderators"], after["revision"]) == (60, 20, before["revision"] + 1)
        late = await boss.refusal("set_screening", **{**wanted, "writers": 70}, seen=0)
        assert (late["code"], late["details"]) == ("screening_changed", {"revision": after["revision"]})
        wrong = await boss.refusal("set_screening", **{**wanted, "moderators": 51}, seen=after["revision"])
        assert wrong["code"] == "invalid"
        by_hand = {"first": 0.2, "second": 0.6}
        kept = await boss.ask("set_screening", **wanted, by_hand=by_hand, seen=after["revision"])
        assert kept["is_by_hand"]
        assert kept["second"]["score"] == 0.6
    finally:
        await meet.see_off()


async def test_without_a_model_the_page_says_so_and_nothing_can_be_set(site: Cluster, meet: Meet) -> None:
    """[P-SCREEN-2]"""
    token, _ = await Personnel(site).hire("operator")
    boss = await meet(staff=True, token=token)
    seen = await boss.ask("screening")
    assert seen["model"] == "off"
    assert "first" not in seen
    wanted = {"writers": 60, "moderators": 20, "reason": "more of us", "seen": 0}
    refused = await boss.refusal("set_screening", **wanted)
    assert (refused["code"], refused["details"]) == ("not_allowed", {"why": "no_model"})
