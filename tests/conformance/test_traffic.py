"""Everything that is said is in the AsyncAPI document, and what is in the document is said."""

from __future__ import annotations

from typing import Final, get_args

import pytest

from chatserver import __version__
from chatserver.protocol.asyncapi import document, tag_of
from chatserver.protocol.codec import Encoding
from chatserver.protocol.exchange.messages import ExchangeCommand, ExchangeReply, ExchangesPush
from chatserver.protocol.listening.company import CompanyCommand, HostingOk, HostingPush
from chatserver.protocol.listening.messages import ListeningCommand, ListeningOk, ListeningPush
from chatserver.protocol.meetings.messages import MeetingCommand, MeetingReply, MeetingsPush
from chatserver.protocol.moderation.messages import ModerationCommand, ModerationOk, ModerationPush
from chatserver.protocol.operating.messages import OperatingCommand, OperatingPush, OperatingReply
from chatserver.protocol.operating.screening_messages import ScreeningCommand, ScreeningOk
from tests.conformance.clusters import Cluster, Meet
from tests.conformance.listeners import Listeners, view
from tests.conformance.personnel import Personnel
from tests.conformance.traffic import Traffic

pytestmark = pytest.mark.both_encodings

RARE = {"push.draining", "push.gap", "push.room_changed", "push.reading", "push.care"}
"""Said when a worker stops, a connection fell behind by more than is kept, an operator changes a room, a seat goes to
somebody else, or the model reads along: see `test_second_looks.py`."""
ONE_TO_ONE: Final = {
    f"{kind}.{tag_of(each)}"
    for kind, union in (("command", ListeningCommand), ("reply", ListeningOk), ("push", ListeningPush))
    for each in get_args(union)
}
OF_COMPANY: Final = {f"command.{tag_of(each)}" for each in get_args(CompanyCommand)} | {
    f"reply.{tag_of(HostingOk)}",
    f"push.{tag_of(HostingPush)}",
}
"""What is said of company while one waits: `test_company.py` hears each."""
OF_EXCHANGE: Final = {
    f"{kind}.{tag_of(each)}"
    for kind, union in (("command", ExchangeCommand), ("reply", ExchangeReply), ("push", ExchangesPush))
    for each in get_args(union) or (union,)
}
"""What is said of the even exchange, which is off here: see `tests/handlers/test_exchange.py`."""
OF_MEETINGS: Final = {
    f"{kind}.{tag_of(each)}"
    for kind, union in (("command", MeetingCommand), ("reply", MeetingReply), ("push", MeetingsPush))
    for each in get_args(union)
}
"""What is said of groups and their meetings: see `test_meetings.py`; `test_authorization.py` gives each command."""
FOR_STAFF: Final = {
    f"{kind}.{tag_of(each)}"
    for kind, union in (
        ("command", ModerationCommand | OperatingCommand | ScreeningCommand),
        ("reply", ModerationOk | OperatingReply | ScreeningOk),
        ("push", ModerationPush | OperatingPush),
    )
    for each in get_args(union)
} | {f"{kind}.{each}" for kind in ("command", "reply", "push") for each in ("load", "accounts")}
"""What moderation and the operators' page say: `test_moderation.py`, `test_load.py`, `test_room_settings.py` and
`test_staff.py` hear each."""


async def test_a_tour_of_every_message(site: Cluster, room: str, encoding: Encoding) -> None:
    """[P-ENC-1] [P-REPLY-1] [P-FIELDS-1] Each command once, each reply and push heard, each as its schema says."""
    traffic = Traffic()
    meet = Meet(site, traffic, encoding)
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
        tablet = await meet(token=otter.token)
        await tablet.join(room)
        await otter.ask("typing", room=room)
        await otter.ask("read", room=room, offset=first)
        await otter.ask("history", room=room, before=99)
        await wren.ask("mute", member=otter.id_in(room), on=True)
        await wren.ask("rename", name=f"Tour {wren.letters}")
        await wren.ask("code")
        await otter.refusal("edit", room=room, offset=first, text="not mine")
        await otter.ask("leave", room=room)
        for kind in ("posted", "edited", "redacted", "reacted", "presence", "typing"):
            await wren.push(kind)
        for kind in ("counts", "self"):
            await device.push(kind)
        for kind in ("read", "left"):
            await tablet.push(kind)
    finally:
        await meet.see_off()
    assert traffic.names == document(__version__)["components"]["messages"].keys() - (
        RARE | ONE_TO_ONE | OF_MEETINGS | OF_EXCHANGE | FOR_STAFF
    )


async def test_a_tour_of_one_to_one(
    listening_site: Cluster, listening_personnel: Personnel, encoding: Encoding
) -> None:
    """Every command, reply and push of it, each valid against its schema."""
    traffic = Traffic()
    listening = Listeners(listening_site, listening_personnel, traffic, encoding)
    listener, colleague = await listening.listener(cap=2), await listening.listener()
    await colleague.ask("practice")
    await listener.ask("still_here")
    seeker = await listening.seeker(heavy=3)
    await seeker.ask("take_back")
    first, second = (listener, colleague)
    if "proposal" not in await first.ask("console"):
        first, second = second, first
    shown = await first.ask("console")
    await first.ask("decline", proposal=shown["proposal"]["id"])
    await first.refusal("nobody", session="s-none")
    session = await listening.session(seeker, second)
    await seeker.ask("extend", session=session)
    await second.ask("flag", session=session)
    colleagues = (await view(second, "console", lambda it: it.get("colleagues")))["colleagues"]
    await second.ask("invite", session=session, listener=colleagues[0]["id"])
    await seeker.ask("answer", session=session, yes=False)
    await seeker.ask("report", session=session, reason="other")
    await seeker.ask("end", session=session)
    await seeker.ask("feedback", session=session, heard=2, heavy=1)
    for peer in (seeker, second):
        await peer.ask("again", session=session)
    await seeker.ask("words", session=session)
    await second.ask("debrief", session=session, note="I am well.")
    await seeker.ask("block", session=session)
    await view(seeker, "standing", lambda it: it["state"] == "ended")
    await listening.ask(seeker)
    await seeker.ask("unask")
    await seeker.push("standing")
    await second.push("console")
    await listening.see_off()
    # `test_listening.py` hears of a session in which nobody was.
    assert traffic.names >= ONE_TO_ONE - OF_COMPANY - {"command.nobody"}
