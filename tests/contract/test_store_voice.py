"""Who may write in a closed room, and what a member is shown of it, proven for every database."""

from __future__ import annotations

from functools import partial

import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms.rooms import (
    EditPost,
    Posted,
    Publication,
    Room,
    RoomChanged,
    RoomId,
    RoomKind,
    Voice,
    WritePost,
    room_channel,
)
from chatserver.store.closed_rooms import hold
from chatserver.store.core.compiler import Op
from chatserver.store.store import Store
from tests.store.kit import START, Database, change, newcomer, only, replay, say

CIRCLE = RoomId("m--circle")
CHANNEL = room_channel(CIRCLE)
ROOM = Room(id=CIRCLE, name="Circle", about="", kind=RoomKind.MEETING)


def _opened(members: tuple[MemberId, ...]) -> Op[None]:
    held = yield from hold([CIRCLE], members)
    yield from held.open(ROOM, members, START)
    yield from held.save()


def _voiced(voice: Voice, now: int) -> Op[Publication | None]:
    held = yield from hold([CIRCLE], [])
    publication = yield from held.set_voice(CIRCLE, voice, Millis(now))
    yield from held.save()
    return publication


def _admitted(member: MemberId) -> Op[None]:
    held = yield from hold([CIRCLE], [member])
    yield from held.admit(CIRCLE, member, sees_from_now=True)
    yield from held.save()


async def circle(store: Store) -> tuple[Persona, Persona]:
    robin, wren = await newcomer(store, "Robin"), await newcomer(store, "Wren")
    await store._write(partial(_opened, (robin.id, wren.id)))
    return robin, wren


async def voice(store: Store, given: Voice, now: int = START) -> Publication | None:
    return await store._write(partial(_voiced, given, now))


async def refused(store: Store, who: Persona, text: str, now: int = START) -> Reason:
    with pytest.raises(Refusal) as refusal:
        await store.commit(change(who, WritePost(text=text), where=CIRCLE, now=now))
    return refusal.value.reason


async def test_only_who_has_the_voice_writes_and_the_log_alone_says_so(store: Store) -> None:
    robin, wren = await circle(store)
    await voice(store, Voice(who="some", some=(robin.id,), phase="share"))
    assert await refused(store, wren, "may I?") is Reason.NOT_YOUR_TURN
    await say(store, robin, "Thank you.", where=CIRCLE)
    await voice(store, Voice(who="some", some=(wren.id,), phase="share"))
    assert await refused(store, robin, "one more") is Reason.NOT_YOUR_TURN
    await say(store, wren, "And I.", where=CIRCLE)
    allowed, posts = Voice(), 0
    for publication in await replay(store, CIRCLE):
        match publication.event:
            case RoomChanged(room=Room(voice=Voice() as given)):
                allowed = given
            case Posted(post=post):
                posts += 1
                assert allowed.is_of(post.author)
    assert posts == 2
    assert (await store.room(CIRCLE)) is not None


async def test_the_same_voice_again_is_no_fact(store: Store) -> None:
    robin, _ = await circle(store)
    assert await voice(store, Voice(who="some", some=(robin.id,))) is not None
    assert await voice(store, Voice(who="some", some=(robin.id,)), START + 5) is None


async def test_a_round_counts_posts_by_the_rooms_time_whatever_the_clocks_say(store: Store) -> None:
    robin, wren = await circle(store)
    await voice(store, Voice(phase="gather"))
    await say(store, robin, "Hello.", where=CIRCLE, now=START + 5_000)
    # The clock of the worker that begins the round is behind, and that of the one that takes the posts is more so.
    began = await voice(store, Voice(once=True, phase="checkin"), START)
    assert began is not None
    assert isinstance(began.event, RoomChanged)
    assert began.event.room.voice is not None
    assert began.event.room.voice.since == began.at == START + 5_001
    for who in (robin, wren):
        await say(store, who, "Tired.", where=CIRCLE, now=START - 60_000)
        assert await refused(store, who, "And sad.", START + 60_000) is Reason.SAID_ONCE


async def test_who_came_later_is_shown_nothing_of_before(store: Store) -> None:
    robin, wren = await circle(store)
    await voice(store, Voice(phase="open"))
    early = await say(store, robin, "Between us.", where=CIRCLE)
    late = await newcomer(store, "Late")
    await store._write(partial(_admitted, late.id))
    later = await say(store, robin, "Hello, Late.", where=CIRCLE)
    joined, page = await store.join_with_page(late.id, CIRCLE, 1, 50)
    assert [post.offset for post in page.posts] == [later]
    assert not page.more
    assert early == joined.membership.from_offset < later
    page = await store.page(CHANNEL, later, 50, late.id)
    assert (page.posts, page.more) == ((), False)
    assert [post.offset for post in (await store.page(CHANNEL, None, 50, wren.id)).posts] == [early, later]
    # Nor by a correction of what was written before.
    with pytest.raises(Refusal) as refusal:
        await store.commit(change(robin, EditPost(target=early, text="Between"), where=CIRCLE))
    assert refusal.value.reason is Reason.EDIT_TOO_LATE
    edited = only(await store.commit(change(robin, EditPost(target=later, text="Hello."), where=CIRCLE)))
    assert edited.offset > later


async def test_who_goes_and_comes_back_sees_from_then(store: Store) -> None:
    robin, wren = await circle(store)
    first = await say(store, robin, "Before.", where=CIRCLE)
    await store._write(partial(_admitted, wren.id))
    assert (await store.page(CHANNEL, None, 50, wren.id)).posts == ()
    joined = await store.join(wren.id, CIRCLE, 1)
    assert (joined.membership.from_offset, joined.unread) == (first, 0)


async def test_no_voice_names_somebody_who_was_erased(store: Store, database: Database) -> None:
    robin, wren = await circle(store)
    await voice(store, Voice(who="some", some=(robin.id,), phase="share"))
    await say(store, robin, "Hello.", where=CIRCLE)
    await voice(store, Voice(who="some", some=(wren.id, robin.id), phase="share"))
    await store.erase(robin.id, Millis(START + 1_000))
    told = [each.event for each in await replay(store, CIRCLE) if isinstance(each.event, RoomChanged)]
    assert robin.id not in str(told)
    assert robin.id not in str(await store.room(CIRCLE))
    assert wren.id in str(await store.room(CIRCLE))
    assert (await store.page(CHANNEL, Offset(100), 10, wren.id)).posts[0].redacted
