"""What workers tell each other arrives as it was sent, and is passed over cheaply when it is their own."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from chatserver.domain.history import ChannelName, Epoch, Millis, Offset
from chatserver.domain.identity import MemberId, NodeId
from chatserver.domain.rooms.rooms import (
    Edited,
    Post,
    Posted,
    Publication,
    Reacted,
    Reaction,
    Redacted,
    Room,
    RoomChanged,
    RoomEvent,
    RoomId,
)
from chatserver.protocol import internode

NODE = NodeId("n_0123456789")
CHANNEL = ChannelName("room:sleep")
MEMBER = MemberId("m_8sXq4KzT1vYh3RbN")
POST = Post(offset=Offset(0), author=MEMBER, name="Stille Meise", text="größer 🙂\n\x00", at=Millis(5))
EVENTS: tuple[RoomEvent, ...] = (
    Posted(POST),
    Edited(target=Offset(1), text="anders", warning=None, edited_at=Millis(6)),
    Redacted(target=Offset(1)),
    Reacted(target=Offset(1), by=MEMBER, reaction=Reaction.HUG, on=True, counts={Reaction.HUG: 1}),
    RoomChanged(room=Room(id=RoomId("sleep"), name="Sleep", about="")),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_kind_of_publication_travels(event: RoomEvent) -> None:
    publication = Publication(channel=CHANNEL, epoch=Epoch("e"), offset=Offset(7), at=Millis(5), event=event)
    payload = internode.encode(NODE, internode.Announced(publication))
    assert internode.decode(payload) == internode.Announced(publication)


def test_every_event_is_among_those_tried() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(RoomEvent))


@pytest.mark.parametrize(
    "message",
    [
        internode.TypingSeen(CHANNEL, MEMBER),
        internode.Canary(1.5),
        internode.NodeLeft(),
        internode.MemberChanged(MEMBER),
        internode.MemberEnded(MEMBER),
        internode.RoomLeft(MEMBER, CHANNEL),
        internode.RoomRead(MEMBER, CHANNEL, Offset(7)),
    ],
    ids=lambda message: type(message).__name__,
)
def test_messages_arrive_as_they_were_sent(message: internode.AnyNodeMessage) -> None:
    assert internode.decode(internode.encode(NODE, message)) == message


def test_the_sender_is_read_without_decoding() -> None:
    payload = internode.encode(NODE, internode.NodeLeft())
    assert len(NODE) == internode.NODE_ID_LENGTH
    assert internode.sender_of(payload) == NODE
    assert internode.sender_of(payload[: internode.NODE_ID_LENGTH] + b"rubbish") == NODE


@pytest.mark.parametrize("payload", [b"", b"short", b"n_0123456789", b"n_0123456789\xc1", b"n_0123456789\x80" * 3])
def test_rubbish_raises_one_kind_of_error(payload: bytes) -> None:
    assert isinstance(internode.sender_of(payload), str)
    with pytest.raises(msgspec.MsgspecError):
        internode.decode(payload)


def test_topics_of_nodes_are_apart_from_channels() -> None:
    assert internode.node_topic(NODE) == "node:n_0123456789"
