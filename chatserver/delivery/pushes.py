"""Turns publications into pushes of the wire."""

from __future__ import annotations

from typing import assert_never

import msgspec

from chatserver.domain.history import Offset
from chatserver.domain.identity import Persona
from chatserver.domain.people.shown_roles import split_role
from chatserver.domain.rooms.aliases import Aliases
from chatserver.domain.rooms.rooms import (
    Edited,
    Post,
    Posted,
    Publication,
    Reacted,
    Redacted,
    Room,
    RoomChanged,
    RoomId,
    room_of,
)
from chatserver.protocol.rooms.messages import (
    EditedPush,
    FactPush,
    PostedPush,
    PostView,
    ReactedPush,
    RedactedPush,
    RoomChangedPush,
    RoomPerson,
)


def post_view(post: Post, room: RoomId, offset: Offset, aliases: Aliases) -> PostView:
    """Return a post of a room as members see it, its author by their alias there."""
    name, role = split_role(post.name)
    return PostView(
        offset=offset,
        author=aliases.in_room(room, post.author, post.generation),
        name=name,
        role=role,
        text=post.text,
        at=post.at,
        warning=post.warning,
        reply_to=post.reply_to,
        edited_at=post.edited_at,
        redacted=post.redacted,
        reactions=post.reactions,
    )


def person_view(persona: Persona, room: RoomId, aliases: Aliases) -> RoomPerson:
    """Return a member who is in a room, by their alias there."""
    name, role = split_role(persona.name)
    return RoomPerson(aliases.in_room(room, persona.id, persona.generation), name, role)


def room_view(room: Room, aliases: Aliases) -> Room:
    """Return a room as its members see it: those who may write by their aliases there."""
    if room.voice is None or not room.voice.some:
        return room
    some = tuple(aliases.in_room(room.id, member, 0) for member in room.voice.some)
    return msgspec.structs.replace(room, voice=msgspec.structs.replace(room.voice, some=some))


def push_of(publication: Publication, aliases: Aliases) -> FactPush:
    """Return the push that tells a client of a fact; the same one live and in a recovery, and for every reader."""
    channel, epoch, offset, at = publication.channel, publication.epoch, publication.offset, publication.at
    event = publication.event
    match event:
        case Posted(post=post):
            view = post_view(post, room_of(channel), offset, aliases)
            return PostedPush(channel=channel, epoch=epoch, offset=offset, at=at, post=view)
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
                by=aliases.in_room(room_of(channel), event.by, event.generation),
                reaction=event.reaction,
                on=event.on,
                counts=event.counts,
            )
        case RoomChanged():
            return RoomChangedPush(
                channel=channel, epoch=epoch, offset=offset, at=at, room=room_view(event.room, aliases)
            )
        case _:
            assert_never(event)
