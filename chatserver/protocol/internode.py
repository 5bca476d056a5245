"""Messages between workers over the bus. Not public, and never a fact that is not in the store.

Every payload starts with the sender's NodeId, so that a worker skips its own announcements without decoding them (it
served its own connections when it committed).
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from chatserver.domain.history import ChannelName, Offset
from chatserver.domain.identity import MemberId, NodeId
from chatserver.domain.meetings.state import MeetingId
from chatserver.domain.operating.load import Sample
from chatserver.domain.rooms.rooms import Publication
from chatserver.domain.shared_limits import Holding, Spending

NODE_ID_LENGTH: Final = 12
TOPIC_LOAD: Final = "load"
"""The topic of every worker's samples, which are larger than all other messages."""
TOPIC_NODES: Final = "nodes"
"""The topic that every worker hears. Channel topics are the channels' own names."""


def node_topic(node: NodeId) -> str:
    """Return the topic on which one worker hears itself (canary) and is addressed alone (snapshots)."""
    return f"node:{node}"


class Announced(Struct, frozen=True, tag="a"):
    """A committed publication, on its channel's topic."""

    publication: Publication


class TypingSeen(Struct, frozen=True, tag="t"):
    """Somebody is writing, on the channel's topic."""

    channel: ChannelName
    member: MemberId
    generation: int = 0


class Canary(Struct, frozen=True, tag="c"):
    """A worker's message to itself: proof that the bus carries. `sent` is the sender's monotonic clock in seconds."""

    sent: float


class PresenceDelta(Struct, frozen=True, tag="pd"):
    """What changed among a worker's own people. `seq` counts its deltas from 1 without a hole, so that a missed one is
    noticed; `came` maps channel to (member, name, generation of the name), also for a new name of one who was there;
    `went` to members.
    Of those who came `new` says which are newcomers (a short keyed hash of where from, until when they are new, and the
    hashes of the wider networks around the first);
    `idle` and `awake` say who in a full room has done nothing for long, and who has done something again.
    """

    seq: int
    came: dict[ChannelName, list[tuple[MemberId, str, int]]]
    went: dict[ChannelName, list[MemberId]]
    new: dict[MemberId, tuple[str, int, tuple[str, ...]]] = {}
    idle: dict[ChannelName, list[MemberId]] = {}
    awake: dict[ChannelName, list[MemberId]] = {}


class PresenceSnapshot(Struct, frozen=True, tag="ps"):
    """All of a worker's own people after its delta `seq`, in `parts` messages, of which this is `part`, from 0."""

    seq: int
    part: int
    parts: int
    people: dict[ChannelName, list[tuple[MemberId, str, int]]]
    new: dict[MemberId, tuple[str, int, tuple[str, ...]]] = {}
    idle: dict[ChannelName, list[MemberId]] = {}


class Lease(Struct, frozen=True, tag="pl"):
    """A worker lives, and its last delta was `seq`. Sent every second; without one for four, its people are gone."""

    seq: int


class SnapshotWanted(Struct, frozen=True, tag="pw"):
    """The sender wants a snapshot on its own topic: it missed something of the worker on whose topic this is sent, or,
    on the topic of all workers, it is new."""


class NodeLeft(Struct, frozen=True, tag="nl"):
    """A worker stops now: forget its people at once."""


class MemberChanged(Struct, frozen=True, tag="mc"):
    """A member's name or mutes changed: their other connections should reload both."""

    member: MemberId


class HidingChanged(Struct, frozen=True, tag="hc"):
    """One of these members hides the other, or no longer: workers with connections of either should reload whom they
    hide."""

    members: list[MemberId]


class MemberEnded(Struct, frozen=True, tag="me"):
    """A member was erased: close their connections everywhere."""

    member: MemberId


class CredentialsRaised(Struct, frozen=True, tag="cr"):
    """A member signed out everywhere else: connections under an older generation than this are over."""

    member: MemberId
    credentials: int


class SeatGivenUp(Struct, frozen=True, tag="su"):
    """A member gives their seat in a room up, to take one elsewhere: their other connections become readers there."""

    member: MemberId
    channel: ChannelName


class RoomLeft(Struct, frozen=True, tag="rl"):
    """A member left a room: their other connections are no longer in it either."""

    member: MemberId
    channel: ChannelName


class RoomRead(Struct, frozen=True, tag="rr"):
    """A member has read a room up to an offset, told on the topic of a worker where they are in it too."""

    member: MemberId
    channel: ChannelName
    offset: Offset


class StaffChanged(Struct, frozen=True, tag="sc"):
    """The account, roles or sign-ins of a staff member changed: check again who may still be connected with it."""

    member: MemberId


class ListeningChanged(Struct, frozen=True, tag="fc"):
    """The listening state has this version now: workers that show it should read it again."""

    version: int


class MeetingChanged(Struct, frozen=True, tag="mt"):
    """A meeting has this version now, or (0) is forgotten: workers that show it should read it again."""

    meeting: MeetingId
    version: int


class ModerationChanged(Struct, frozen=True, tag="md"):
    """Something of moderation changed: workers should read its version."""

    version: int


class DrainWanted(Struct, frozen=True, tag="dw"):
    """An operator wants the worker on whose topic this is sent to drain and end."""


class Spent(Struct, frozen=True, tag="sp"):
    """What the sender let keys of shared limits spend since its last message, and how many they have open there."""

    spent: list[Spending]
    held: list[Holding]


class LoadTold(Struct, frozen=True, tag="lt"):
    """The sender's sample at this moment. Sent every second; without one for four, its numbers are gone."""

    sample: Sample


AnyNodeMessage = (
    Announced
    | TypingSeen
    | Canary
    | PresenceDelta
    | PresenceSnapshot
    | Lease
    | SnapshotWanted
    | NodeLeft
    | MemberChanged
    | HidingChanged
    | MemberEnded
    | CredentialsRaised
    | SeatGivenUp
    | RoomLeft
    | RoomRead
    | StaffChanged
    | ListeningChanged
    | MeetingChanged
    | ModerationChanged
    | DrainWanted
    | LoadTold
    | Spent
)

_encoder = msgspec.msgpack.Encoder()
_decoder: Final[msgspec.msgpack.Decoder[AnyNodeMessage]] = msgspec.msgpack.Decoder(AnyNodeMessage)


def encode(sender: NodeId, message: AnyNodeMessage) -> bytes:
    """Return the bus payload of `message`: the sender's id in ASCII, then msgpack."""
    return sender.encode("ascii") + _encoder.encode(message)


def sender_of(payload: bytes) -> NodeId:
    """Return the sender of a payload, without decoding it."""
    return NodeId(payload[:NODE_ID_LENGTH].decode("ascii", "replace"))


def decode(payload: bytes) -> AnyNodeMessage:
    """Return the message in a payload. Raises msgspec.MsgspecError on anything else."""
    return _decoder.decode(memoryview(payload)[NODE_ID_LENGTH:])
