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
