"""What callers and the store pass each other about second looks at posts."""

from __future__ import annotations

import msgspec

from chatserver.domain.history import ChannelName, CommandId, Millis, Offset
from chatserver.domain.identity import MemberId, NodeId
from chatserver.domain.moderation.alert_floods import Origin
from chatserver.domain.moderation.crisis_phrases import Signal


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """A text to look at: the post that has it, and the command that wrote or changed it, at which time."""

    channel: ChannelName
    author: MemberId
    command_id: CommandId
    post: Offset
    text: str
    at: Millis


class LateSignal(msgspec.Struct, frozen=True, kw_only=True):
    """What a second look found in a text, at which time. Without `origin` it counts towards no flood."""

    look: Look
    signal: Signal
    now: Millis
    origin: Origin | None = None


class Left(msgspec.Struct, frozen=True):
    """A worker that has not said for long how far it is, and what it had looked at."""

    worker: NodeId
    until: Millis


class Texts(msgspec.Struct, frozen=True):
    """Texts of a channel, the newest first, and the offset before which there may be more."""

    looks: tuple[Look, ...]
    before: Offset | None


def text_of(warning: str | None, text: str) -> str:
    """Return what is looked at of a post."""
    return f"{warning or ''}\n{text}"
