"""Reading channels and rooms. Sans-I/O, like `rooms_log`."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import RENEWED, ChannelName, Epoch, Head, HighWater, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import Post, Reaction, Room, RoomId, is_closed_room, room_channel, room_of
from chatserver.store import listening_statements as floor_sql
from chatserver.store import rooms_statements as sql
from chatserver.store.core import decoding
from chatserver.store.core.compiler import Call, Op, Row, by_keys
from chatserver.store.records import LogSlice, Page
from chatserver.store.rooms_log import ChannelState, room_values

NEWEST = 2**62
"""Above every offset."""


def heads(channels: Collection[ChannelName]) -> Op[dict[ChannelName, Head]]:
    if not channels:
        return {}
    rows = yield Call(sql.HEADS, by_keys([*channels], sql.KEYS_AT_ONCE))
    return {ChannelName(row[0]): Head(Epoch(row[1]), Offset(row[2]), Offset(row[3])) for row in rows}


def read(channel: ChannelName, after: Offset, limit: int) -> Op[LogSlice]:
    rows = yield Call(sql.READ, [(channel, after, max(limit, 1))])
    return (yield from _slice_of(channel, rows, limit))


def read_folded(channel: ChannelName, after: Offset, limit: int, whom: MemberId, reach: int) -> Op[LogSlice]:
    rows = yield Call(sql.READ_FOLDED, [(channel, after, after + reach, whom, max(limit, 1))])
    return (yield from _slice_of(channel, rows, limit))


def _slice_of(channel: ChannelName, rows: Sequence[Row], limit: int) -> Op[LogSlice]:
    if not rows:
        raise Refusal(Reason.ROOM_UNKNOWN)
    head = Head(Epoch(rows[0][0]), Offset(rows[0][1]), Offset(rows[0][2]))
    found = [tuple(row)[3:] for row in rows if row[3] is not None][:limit]
    room: Room | None = None
    if any(decoding.needs_room(columns) for columns in found):
        (row,) = yield Call(sql.ROOM, [(channel,)])
        room = decoding.room_of(row)
    return LogSlice(
        head=head,
        publications=tuple(decoding.publication_of(channel, head.epoch, columns, room) for columns in found),
    )


def page(channel: ChannelName, before: Offset | None, limit: int, asker: MemberId) -> Op[Page]:
    after = yield from _sees_from(channel, asker)
    rows = yield Call(sql.PAGE_WITH_HEAD, [(channel, NEWEST if before is None else before, after, limit + 1)])
    if not rows:
        raise Refusal(Reason.ROOM_UNKNOWN)
    head = Head(Epoch(rows[0][0]), Offset(rows[0][1]), Offset(rows[0][2]))
    found = [tuple(row)[3:] for row in rows if row[3] is not None]
    posts = tuple(decoding.post_of(columns) for columns in reversed(found[:limit]))
    mine = yield from my_reactions(channel, posts, asker)
    return Page(head=head, posts=posts, mine=mine, more=len(found) > limit)


def _sees_from(channel: ChannelName, asker: MemberId) -> Op[Offset]:
    """Return the offset up to which nothing is shown to a member. Only a closed room hides anything from its
    members."""
    if not is_closed_room(room_of(channel)):
        return Offset(0)
    rows = yield Call(sql.SEES_FROM, [(channel, asker)])
    return Offset(rows[0][0]) if rows else Offset(0)


def my_reactions(channel: ChannelName, posts: Sequence[Post], asker: MemberId) -> Op[dict[Offset, list[Reaction]]]:
    """Return the asker's reactions on consecutive posts; posts without any are left out."""
    mine: dict[Offset, list[Reaction]] = {}
    if posts:
        rows = yield Call(sql.MY_REACTIONS, [(channel, posts[0].offset, posts[-1].offset, asker)])
        for offset, reaction in rows:
            mine.setdefault(Offset(offset), []).append(Reaction(reaction))
    return mine


def rooms() -> Op[list[Room]]:
    rows = yield Call(sql.ROOMS, [()])
    return [decoding.room_of(row) for row in rows]


def add_rooms(wanted: Sequence[Room]) -> Op[int]:
    known = {room.id for room in (yield from rooms())}
    new = [room for room in {room.id: room for room in wanted}.values() if room.id not in known]
    if new:
        yield from insert_rooms([(ChannelState((room_channel(room.id), new_epoch(), 1, 0, 0)), room) for room in new])
    return len(new)


def insert_rooms(new: Sequence[tuple[ChannelState, Room]]) -> Op[None]:
    """Add rooms that do not exist yet, each with its channel."""
    yield Call(sql.ADD_CHANNELS, [(state.channel, state.epoch, state.first, state.last, state.at) for state, _ in new])
    yield Call(sql.ADD_ROOMS, [_new_room(room) for _, room in new])


def room(id_: RoomId) -> Op[Room | None]:
    rows = yield Call(sql.ROOM_BY_ID, [(id_,)])
    return decoding.room_of(rows[0]) if rows else None


def renew_epochs() -> Op[int]:
    names = [row[0] for row in (yield Call(sql.ALL_CHANNELS, [()]))]
    if names:
        yield Call(sql.SET_EPOCH, [(_later_epoch(), name) for name in names])
    return len(names)


def renew_epoch(channel: ChannelName, epoch: Epoch, below: Offset) -> Op[Head]:
    """Begin one channel anew if it is still in `epoch` and ends below the offset `below`. Return its present head."""
    rows = yield Call(sql.LOCK_CHANNELS, [(channel,)])
    if not rows:
        raise Refusal(Reason.ROOM_UNKNOWN)
    head = ChannelState(rows[0]).head
    if head.epoch != epoch or head.last >= below:
        return head
    renewed = _later_epoch()
    yield Call(sql.SET_EPOCH, [(renewed, channel)])
    return Head(renewed, head.first, head.last)


def high_water() -> Op[HighWater]:
    ((facts,),) = yield Call(sql.ALL_FACTS, [()])
    ((floor,),) = yield Call(floor_sql.VERSION, [()])
    return HighWater(int(facts), int(floor))


def _new_room(room: Room) -> tuple[object, ...]:
    *values, id_ = room_values(room)
    return (id_, *values, room_channel(room.id))


def new_epoch() -> Epoch:
    """Return the first epoch of a new channel."""
    return Epoch(secrets.token_urlsafe(9))


def _later_epoch() -> Epoch:
    """Return a later epoch, which an offset without an epoch is never taken to mean."""
    return Epoch(RENEWED + new_epoch())
