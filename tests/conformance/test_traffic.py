"""Everything that is said is in the AsyncAPI document, and what is in the document is said."""

from __future__ import annotations

from chatserver import __version__
from chatserver.protocol.asyncapi import document
from chatserver.protocol.codec import Encoding
from tests.conformance.house import House, Meet
from tests.conformance.traffic import Traffic

RARE = {"push.draining", "push.gap", "push.room_changed"}
"""Said when a worker stops, when a connection fell behind by more than is kept, and when an operator changes a room."""


async def test_a_tour_of_every_message(house: House, room: str, encoding: Encoding) -> None:
    """[P-ENC-1] [P-REPLY-1] Each command once, each reply and push heard, each valid against its schema."""
    traffic = Traffic()
    meet = Meet(house, traffic, encoding)
    try:
        wren, otter = await meet(), await meet()
        device = await meet(token=wren.token)
        await device.ask("rooms", watch=True)
        await wren.ask("ping")
        for peer in (wren, otter):
            await peer.join(room, since={"epoch": "elsewhere", "offset": 3})
        first = await wren.post(room, "hello", warning="a greeting")
        await otter.post(room, "hello to you", reply_to=first)
        await otter.ask("react", room=room, offset=first, reaction="hug", on=True)
        await wren.ask("edit", room=room, offset=first, text="hello everybody")
        await wren.ask("redact", room=room, offset=first)
        await otter.ask("typing", room=room)
        await otter.ask("read", room=room, offset=first)
        await otter.ask("history", room=room, before=99)
        await wren.ask("mute", member=otter.member["id"], on=True)
        await wren.ask("rename", name=f"Tour {wren.letters}")
        await wren.ask("code")
        await otter.refusal("edit", room=room, offset=first, text="not mine")
        await otter.ask("leave", room=room)
        for kind in ("posted", "edited", "redacted", "reacted", "presence", "typing"):
            await wren.push(kind)
        for kind in ("counts", "self"):
            await device.push(kind)
    finally:
        await meet.see_off()
    assert traffic.names == document(__version__)["components"]["messages"].keys() - RARE
