"""What expires, and what remains of a person who asked to be forgotten."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, Head, Millis, Offset
from chatserver.domain.identity import Persona
from chatserver.domain.rooms.rooms import (
    EditPost,
    Posted,
    Reacted,
    Reaction,
    ReactToPost,
    Redacted,
    RedactPost,
    WritePost,
    room_channel,
)
from chatserver.store.forgetting.forgetting import ERASED, ERASED_NAME
from chatserver.store.records import Retention
from chatserver.store.store import Store
from tests.store.kit import GRIEF, SLEEP, START, change, evolved, hidden, newcomer, replay, say

HOUR = 3_600_000
DAY = 24 * HOUR
ROOM = room_channel(SLEEP)


async def expire_all(store: Store, now: int, retention: Retention) -> dict[ChannelName, Head]:
    heads: dict[ChannelName, Head] = {}
    while found := await store.expire(Millis(now), retention):
        heads |= found
    return heads


# ------------------------------------------------------------------------------------------------ expiring


async def test_what_is_too_old_goes_from_the_front_and_the_rest_stays(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    for i in range(4):
        target = await say(store, ada, f"at {i} h", now=START + i * HOUR)
        await store.commit(
            change(ada, ReactToPost(target=target, reaction=Reaction.HUG, on=True), now=START + i * HOUR)
        )
    await say(store, ada, "elsewhere", where=GRIEF, now=START + 3 * HOUR)
    now = START + 3 * HOUR
    assert await expire_all(store, now, Retention()) == {}
    heads = await expire_all(store, now, Retention(room_age=HOUR))
    assert {channel: (head.first, head.last) for channel, head in heads.items()} == {ROOM: (5, 8)}
    assert (await store.heads([ROOM]))[ROOM] == heads[ROOM]
    assert [p.offset for p in await replay(store, SLEEP)] == [5, 6, 7, 8]
    assert [post.text for post in (await store.page(ROOM, None, 9, ada.id)).posts] == ["at 2 h", "at 3 h"]
    export = await store.export(ada.id, START)
    assert export is not None
    assert [offset for _, offset, _ in export.reactions] == [5, 7]
    assert await say(store, ada, "goes on", now=now) == 9


async def test_an_emptied_room_goes_on_counting(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    for _ in range(3):
        await say(store, ada, "x")
    heads = await expire_all(store, START + 30 * DAY, Retention(member_age=99 * DAY))
    assert (heads[ROOM].first, heads[ROOM].last) == (4, 3)
    assert await replay(store, SLEEP) == []
    assert await say(store, ada, "new", now=START + 30 * DAY) == 4


async def test_what_is_beyond_the_count_goes_but_for_the_newest_minutes(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    for i in range(6):
        await say(store, ada, str(i), now=START + i)
    few = Retention(posts_per_room=2, dedupe_window=600_000)
    assert await expire_all(store, START + 600_002, few) == {
        ROOM: Head((await store.heads([ROOM]))[ROOM].epoch, Offset(3), Offset(6))
    }
    heads = await expire_all(store, START + 900_000, few)
    assert heads[ROOM].first == 5


async def test_expiring_does_a_bounded_piece_at_a_time(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    await asyncio.gather(*(say(store, ada, "x") for _ in range(1_200)))
    firsts = []
    while heads := await store.expire(Millis(START + 2 * DAY), Retention()):
        firsts.append(heads[ROOM].first)
    assert firsts == [1_001, 1_201]


async def test_an_edit_that_outlives_its_post_says_that_the_text_is_gone(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    target = await say(store, ada, "secret")
    await store.commit(change(ada, EditPost(target=target, text="secret, too"), now=START + 5))
    await store.commit(change(ada, ReactToPost(target=target, reaction=Reaction.HUG, on=True), now=START + 6))
    await expire_all(store, START + DAY + 1, Retention())
    edited, reacted = await replay(store, SLEEP)
    assert edited.event == Redacted(target=target)
    assert reacted.event == Reacted(target=target, by=ada.id, reaction=Reaction.HUG, on=True, counts={})


async def test_a_member_not_seen_for_long_is_forgotten_and_their_posts_stay(store: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    target = await say(store, ada, "hi", now=START + 39 * DAY)
    await store.set_mute(ada.id, bea.id, on=True, limit=5)
    await store.set_mute(bea.id, ada.id, on=True, limit=5)
    await store.touch([bea.id], Millis(START + 39 * DAY))
    await expire_all(store, START + 40 * DAY - 1, Retention(room_age=2 * DAY))
    assert await store.member(ada.id) is None
    assert await store.member(bea.id) is not None
    assert (await store.joined_rooms(ada.id), await hidden(store, bea)) == ({}, [])
    (post,) = (await store.page(ROOM, None, 9, bea.id)).posts
    assert (post.offset, post.name, post.text) == (target, "Ada", "hi")
    with pytest.raises(Refusal) as refused:
        await say(store, ada, "a ghost")
    assert refused.value.reason is Reason.AGREEMENT_REQUIRED


# ------------------------------------------------------------------------------------------------ erasing


async def test_an_erasure_removes_the_person_and_says_so_in_every_room(store: Store, other: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    await store.set_code(ada.id, b"code" * 8)
    await store.set_mute(ada.id, bea.id, on=True, limit=5)
    await store.set_mute(bea.id, ada.id, on=True, limit=5)
    gone = await say(store, ada, "taken back before")
    await store.commit(change(ada, RedactPost(target=gone)))
    mine = [await say(store, ada, f"words {i}") for i in range(3)]
    await store.commit(change(ada, EditPost(target=mine[0], text="words, edited", warning="words")))
    there = await say(store, ada, "words", where=GRIEF)
    theirs = await say(store, bea, "theirs")
    for who, target in ((ada, theirs), (bea, theirs), (ada, mine[0]), (bea, mine[0])):
        await store.commit(change(who, ReactToPost(target=target, reaction=Reaction.HUG, on=True)))
    before = evolved(await replay(store, SLEEP))
    heads = await store.heads([ROOM, room_channel(GRIEF)])

    published = await store.erase(ada.id, Millis(START + 9))

    facts = {(p.channel, p.offset): p.event for p in published}
    assert sorted((channel, offset) for channel, offset in facts) == [
        (room_channel(GRIEF), heads[room_channel(GRIEF)].last + 1),
        *((ROOM, heads[ROOM].last + i) for i in range(1, 5)),
    ]
    assert [event for event in facts.values() if isinstance(event, Reacted)] == [
        Reacted(target=theirs, by=ERASED, reaction=Reaction.HUG, on=False, counts={Reaction.HUG: 1})
    ]
    redacted = {(c, event.target) for (c, _), event in facts.items() if isinstance(event, Redacted)}
    assert redacted == {(ROOM, offset) for offset in mine} | {(room_channel(GRIEF), there)}
    # Clients that were connected hold the same posts as those that read the log now, except for the name.
    everything = await replay(other, SLEEP)
    live = evolved([p for p in published if p.channel == ROOM], before)
    nameless = {o: msgspec.structs.replace(p, author=ERASED, name=ERASED_NAME) for o, p in live.items() if p.redacted}
    assert evolved(everything) == live | nameless
    assert [p.offset for p in everything] == list(range(1, heads[ROOM].last + 5))
    assert everything[-4:] == [p for p in published if p.channel == ROOM]
    remains = repr((everything, await replay(other, GRIEF)))
    for trace in ("words", "Ada", ada.id):
        assert trace not in remains
    assert await other.member(ada.id) is None
    assert await other.member_by_code(b"code" * 8) is None
    assert (await other.joined_rooms(ada.id), await hidden(other, bea), await hidden(other, ada)) == ({}, [], [])
    assert await other.export(ada.id, START) is None
    export = await other.export(bea.id, START)
    assert export is not None
    assert export.reactions == ((SLEEP, theirs, Reaction.HUG),)


async def test_two_erased_people_leave_no_clash_and_erasing_again_does_nothing(store: Store) -> None:
    people = [await newcomer(store, name) for name in ("Ada", "Bea")]
    for person in people:
        await store.commit(change(person, WritePost(text="hi"), id_="1"))
    for person in people:
        assert len(await store.erase(person.id, START)) == 1
    assert await store.erase(people[0].id, START) == []
    posted = [p.event.post for p in await replay(store, SLEEP) if isinstance(p.event, Posted)]
    assert [(post.author, post.redacted, post.text) for post in posted] == [(ERASED, True, "")] * 2


async def test_an_erased_person_can_neither_write_nor_join_any_more(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    command = change(ada, WritePost(text="once"), id_="same")
    await store.commit(command)
    await store.erase(ada.id, START)
    for attempt in (store.commit(command), store.join(ada.id, SLEEP, 1), store.rename(ada.id, "Ada", "ada")):
        with pytest.raises(Refusal) as refused:
            await attempt
        assert refused.value.reason in (Reason.AGREEMENT_REQUIRED, Reason.MEMBER_UNKNOWN)


async def test_an_erasure_leaves_nothing_of_somebody_who_goes_on_writing(store: Store, other: Store) -> None:
    for round_ in range(5):
        ada = await newcomer(store, f"Ada {round_}")
        bea = await newcomer(store, f"Bea {round_}")

        async def write_on(ada: Persona = ada) -> None:
            for i in range(40):
                try:
                    await say((store, other)[i % 2], ada, "words", where=(SLEEP, GRIEF)[i % 2])
                except Refusal:
                    return

        writing = [asyncio.create_task(write_on()) for _ in range(3)]
        # Once this one is answered, the others are on their way too.
        await say(store, ada, "words")
        await asyncio.gather(store.erase(ada.id, START), say(other, bea, "unharmed"))
        await asyncio.gather(*writing)
        remains = repr([await replay(store, where) for where in (SLEEP, GRIEF)])
        assert "words" not in remains
        assert ada.id not in remains
