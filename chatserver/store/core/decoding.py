"""Turns rows into domain objects.

Pure. A `log` row of a later event is built from the present state of the post that it refers to, so a removed text
appears nowhere, and replaying a log leads to the same posts as having seen it live.
"""

from __future__ import annotations

from typing import Final, assert_never

import msgspec

from chatserver.domain.history import ChannelName, Epoch, Millis, Offset
from chatserver.domain.identity import Member, MemberId
from chatserver.domain.people.staff import Role, Staff
from chatserver.domain.rooms.rooms import (
    Edited,
    Membership,
    Post,
    Posted,
    Publication,
    Reacted,
    Reaction,
    Redacted,
    Room,
    RoomChanged,
    RoomEvent,
    Voice,
)
from chatserver.store.core.compiler import Row

POST_COLUMNS: Final = 11
PUBLICATION_COLUMNS: Final = 21
"""How many columns a post and a publication take in a row, as `statements` selects them."""
STAFF_COLUMNS: Final = 8
"""How many columns a staff account takes in a row, as `staff_statements` selects them."""

_replace = msgspec.structs.replace
_decode_counts = msgspec.json.Decoder(dict[Reaction, int]).decode
_encode = msgspec.json.Encoder().encode
_decode_voice = msgspec.json.Decoder(Voice).decode


def counts_json(counts: dict[Reaction, int]) -> str | None:
    """Return the stored form of a post's counts."""
    return _encode(counts).decode() if counts else None


def counts_of(kept: str | None) -> dict[Reaction, int]:
    return _decode_counts(kept) if kept else {}


def voice_json(voice: Voice | None) -> str | None:
    """Return the stored form of who may write in a room."""
    return None if voice is None else _encode(voice).decode()


def post_of(row: Row) -> Post:
    """Return a post from `POST_COLUMNS` columns."""
    offset, author, name, text, at, warning, reply_to, edited_at, redacted, reactions, generation = row
    return Post(
        offset=offset,
        author=author,
        name=name,
        text=text,
        at=at,
        warning=warning,
        reply_to=reply_to,
        edited_at=edited_at,
        redacted=bool(redacted),
        reactions=counts_of(reactions),
        generation=generation,
    )


def publication_of(channel: ChannelName, epoch: Epoch, row: Row, room: Room | None) -> Publication:
    """Return a publication from `PUBLICATION_COLUMNS` columns. `room` is the channel's room as it is now."""
    return Publication(
        channel=channel, epoch=epoch, offset=Offset(row[0]), at=Millis(row[4]), event=_event_of(row, room)
    )


def needs_room(row: Row) -> bool:
    """Return whether `publication_of` needs the room for this row."""
    return bool(row[POST_COLUMNS] == KIND_ROOM_CHANGED)


KIND_POSTED: Final = "posted"
KIND_EDITED: Final = "edited"
KIND_REDACTED: Final = "redacted"
KIND_REACTED: Final = "reacted"
KIND_ROOM_CHANGED: Final = "room_changed"


def kind_of(event: RoomEvent) -> str:
    """Return the kind of row that stores an event."""
    match event:
        case Posted():
            return KIND_POSTED
        case Edited():
            return KIND_EDITED
        case Redacted():
            return KIND_REDACTED
        case Reacted():
            return KIND_REACTED
        case RoomChanged():
            return KIND_ROOM_CHANGED
        case _:
            assert_never(event)


def _event_of(row: Row, room: Room | None) -> RoomEvent:
    kind, target, reaction, is_on, kept, text, warning, edited_at, reactions, voice = row[POST_COLUMNS:]
    match kind:
        case "posted":
            return Posted(post_of(row[:POST_COLUMNS]))
        case "edited" if kept is None:
            # The post has expired and its text with it. A client that still holds it is told that it is gone.
            return Redacted(target=target)
        case "edited":
            return Edited(target=target, text=text, warning=warning, edited_at=edited_at or row[4])
        case "redacted":
            return Redacted(target=target)
        case "reacted":
            return Reacted(
                target=target,
                by=row[1],
                reaction=Reaction(reaction),
                on=bool(is_on),
                counts=counts_of(reactions),
                generation=row[POST_COLUMNS - 1],
            )
        case "room_changed" if room is not None:
            # Who might write then, not who may now.
            return RoomChanged(room=room if voice is None else _replace(room, voice=_decode_voice(voice)))
        case _:
            raise ValueError(f"a log row of a kind that is not known: {kind}")


def room_of(row: Row) -> Room:
    """Return a room from its columns, in the order of its fields; further columns are ignored."""
    # Not strict: SQLite has no booleans.
    fields = dict(zip(Room.__struct_fields__, row, strict=False))
    voice = fields.pop("voice", None)
    room = msgspec.convert(fields, Room, strict=False)
    return room if voice is None else _replace(room, voice=_decode_voice(voice))


def membership_of(row: Row) -> Membership:
    """Return a membership from its columns. The fifth, which says whether it is joined, is the caller's."""
    return Membership(
        room=row[0], agreement_version=row[1], read=row[2], last_post_at=row[3], from_offset=Offset(row[5])
    )


def member_of(row: Row) -> Member:
    id_, name, name_key, created_at, seen_at, has_code, generation, credentials = row
    return Member(
        id=MemberId(id_),
        name=name,
        name_key=name_key,
        created_at=created_at,
        seen_at=seen_at,
        has_code=bool(has_code),
        generation=generation,
        credentials=credentials,
    )


def roles_of(kept: str) -> frozenset[Role]:
    """Return roles from their stored form, separated by spaces."""
    return frozenset(Role(name) for name in kept.split())


def staff_of(row: Row) -> Staff:
    """Return a staff account from `STAFF_COLUMNS` columns."""
    who, login, name, roles, created_at, has_totp, revoked_at, operator_from = row
    return Staff(
        member=who,
        login=login,
        name=name,
        roles=roles_of(roles),
        created_at=created_at,
        has_totp=bool(has_totp),
        revoked_at=revoked_at,
        operator_from=operator_from,
    )
