"""A publication as the wire shows it."""

from __future__ import annotations

from typing import assert_never

import msgspec

from chatserver.domain.rooms import Edited, Posted, Publication, Reacted, Redacted, RoomChanged
from chatserver.protocol.messages import (
    EditedPush,
    FactPush,
    PostedPush,
    ReactedPush,
    RedactedPush,
    RoomChangedPush,
)


def push_of(publication: Publication) -> FactPush:
    """The push that tells a client of a fact; the same one live and in a recovery."""
    channel, epoch, offset, at = publication.channel, publication.epoch, publication.offset, publication.at
    event = publication.event
    match event:
        case Posted(post=post):
            placed = post if post.offset == offset else msgspec.structs.replace(post, offset=offset)
            return PostedPush(channel=channel, epoch=epoch, offset=offset, at=at, post=placed)
        case Edited():
            return EditedPush(
                channel=channel,
                epoch=epoch,
                offset=offset,
                at=at,
                target=event.target,
                text=event.text,
                edited_at=event.edited_at,
                warning=event.warning,
            )
        case Redacted():
            return RedactedPush(channel=channel, epoch=epoch, offset=offset, at=at, target=event.target)
        case Reacted():
            return ReactedPush(
                channel=channel,
                epoch=epoch,
                offset=offset,
                at=at,
                target=event.target,
                by=event.by,
                reaction=event.reaction,
                on=event.on,
                counts=event.counts,
            )
        case RoomChanged():
            return RoomChangedPush(channel=channel, epoch=epoch, offset=offset, at=at, room=event.room)
        case _:
            assert_never(event)
