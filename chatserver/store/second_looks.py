"""Second looks at posts: how far each worker is, what it left, and escalations after a post was saved. Sans-I/O, like
`rooms_log`.
"""

from __future__ import annotations

from collections.abc import Sequence

from chatserver.domain.history import ChannelName, CommandId, Millis, Offset
from chatserver.domain.identity import MemberId, NodeId
from chatserver.domain.moderation.crisis_phrases import Category
from chatserver.store import rooms_statements as rooms_sql
from chatserver.store import second_looks_statements as sql
from chatserver.store.core import decoding
from chatserver.store.core.compiler import Call, Op
from chatserver.store.core.sealing import Sealer
from chatserver.store.escalations import Raised, escalate, escalation_id
from chatserver.store.records import RoomChange
from chatserver.store.rooms_log import ChannelState
from chatserver.store.second_looks_records import LateSignal, Left, Look, Texts, text_of


def note(worker: NodeId, until: Millis) -> Op[None]:
    known = yield Call(sql.SET_UNTIL, [(until, worker)])
    if not known:
        yield Call(sql.ADD_LOOK, [(worker, until)])


def left(before: Millis) -> Op[list[Left]]:
    rows = yield Call(sql.LEFT, [(before,)])
    return [Left(NodeId(worker), Millis(until)) for worker, until in rows]


def end(worker: NodeId, until: Millis) -> Op[None]:
    yield Call(sql.DROP_LOOK, [(worker, until)])


def channels_since(since: Millis) -> Op[list[ChannelName]]:
    rows = yield Call(sql.CHANNELS_SINCE, [(since,)])
    return [ChannelName(name) for (name,) in rows]


def texts(channel: ChannelName, before: Offset, since: Millis, limit: int) -> Op[Texts]:
    rows = yield Call(sql.TEXTS, [(channel, before, since, limit)])
    looks = tuple(
        Look(
            channel=channel,
            author=MemberId(author),
            command_id=CommandId(command_id),
            post=Offset(post),
            text=text_of(warning, text),
            at=Millis(at),
        )
        for _, at, author, command_id, post, text, warning, redacted in rows
        # A post without a command is one of an erased person.
        if command_id is not None and not redacted
    )
    return Texts(looks, Offset(rows[-1][0]) if len(rows) == limit else None)


def escalate_late(found: Sequence[LateSignal], sealer: Sealer) -> Op[int]:
    """Save escalations of posts that are there already. Return how many were not known before.

    A post that was changed or taken back since it was looked at raises nothing: what it says now is looked at anew. One
    command raises nothing twice, and nothing that its words raised by the lists."""
    rows = yield Call(rooms_sql.LOCK_ROOMS, [(name,) for name in sorted({each.look.channel for each in found})])
    rooms = {ChannelState(row).channel: decoding.room_of(row[5:]) for row in rows}
    places = [(each.look.channel, each.look.post) for each in found if each.look.channel in rooms]
    posts = {}
    if places:
        for row in (yield Call(rooms_sql.FIND_POSTS, list(dict.fromkeys(places)))):
            post = decoding.post_of(row[1:])
            posts[(row[0], post.offset)] = post
    there = []
    for each in found:
        kept = posts.get((each.look.channel, each.look.post))
        is_same = kept is not None and not kept.redacted and text_of(kept.warning, kept.text) == each.look.text
        if kept is not None and is_same and kept.author == each.look.author:
            there.append(each)
    ids = {
        escalation_id(each.look.author, each.look.command_id, category): each.look
        for each in there
        for category in Category
    }
    if not ids:
        return 0
    known = {ids[row[0]] for row in (yield Call(sql.RAISED_BEFORE, [(id_,) for id_ in ids]))}
    raised: list[Raised] = [
        (_change(each), rooms[each.look.channel], each.look.post) for each in there if each.look not in known
    ]
    if raised:
        yield from escalate(raised, sealer)
    return len(raised)


def _change(found: LateSignal) -> RoomChange:
    """Return the command that wrote the words, as an escalation sees it."""
    look = found.look
    return RoomChange(
        channel=look.channel,
        author=look.author,
        command_id=look.command_id,
        digest=b"",
        now=found.now,
        target=None,
        decide=lambda state: (),
        signals=(found.signal,),
        origin=found.origin,
    )
