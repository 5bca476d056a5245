"""Reading a log: folded reactions, heads and pages, as `chatserver.store.store` promises."""

from __future__ import annotations

import random
from collections.abc import Sequence

from chatserver.domain.history import ChannelName, Offset
from chatserver.domain.rooms.rooms import (
    Publication,
    Reacted,
    Reaction,
    ReactToPost,
    RoomCommand,
    WritePost,
    room_channel,
)
from chatserver.store.store import Store
from tests.contract.test_store import ROOM
from tests.store.kit import GRIEF, SLEEP, START, change, evolved, newcomer, replay, say


async def test_reactions_that_later_ones_replace_need_not_be_told(store: Store) -> None:
    """A client that gets folded reactions ends up with the same reactions as one that saw them all live."""
    people = [await newcomer(store, name) for name in ("Ada", "Bea", "Cleo")]
    chance = random.Random(11)
    me, since = people[0].id, Offset(0)

    def given(publications: Sequence[Publication]) -> dict[tuple[Offset, Reaction], bool]:
        events = [each.event for each in publications]
        return {
            (event.target, event.reaction): event.on
            for event in events
            if isinstance(event, Reacted) and event.by == me
        }

    for i in range(300):
        who, target = chance.choice(people), Offset(chance.randrange(1, 12))
        command: RoomCommand = ReactToPost(
            target=target, reaction=chance.choice(list(Reaction)[:2]), on=chance.random() < 0.5
        )
        if i < 11 or i % 40 == 0:
            command = WritePost(text=f"text {i}")
        for publication in (await store.commit(change(who, command, now=START + i))).publications:
            if i == 40:
                since = publication.offset
    everything = await replay(store, SLEEP)
    before = evolved(everything[:since])
    told = await store.read_folded(ROOM, since, 1_000, me, 1_000)
    assert len(told.publications) < 60 < len(everything) - since
    assert told.publications[-1] == everything[-1]
    assert [each for each in told.publications if not isinstance(each.event, Reacted)] == [
        each for each in everything[since:] if not isinstance(each.event, Reacted)
    ]
    assert evolved(told.publications, before) == evolved(everything)
    assert given(told.publications) == given(everything[since:])
    assert (await store.read_folded(ROOM, since, 5, me, 1_000)).publications == told.publications[:5]
    assert (await store.read_folded(ROOM, Offset(told.head.last), 5, me, 1_000)).publications == ()
    near = await store.read_folded(ROOM, since, 1_000, me, 30)
    assert near.publications[-1] == everything[since + 29]
    assert evolved(near.publications, before) == evolved(everything[: since + 30])


async def test_heads_name_the_channels_that_exist(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    await say(store, ada, "hi")
    heads = await store.heads([ROOM, room_channel(GRIEF), ChannelName("room:nowhere")])
    assert {channel: (head.first, head.last) for channel, head in heads.items()} == {
        ROOM: (1, 1),
        room_channel(GRIEF): (1, 0),
    }
    assert await store.heads([]) == {}
    assert heads[ROOM].epoch != heads[room_channel(GRIEF)].epoch


async def test_reading_is_bounded_and_knows_the_head(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    for i in range(5):
        await say(store, ada, str(i))
    part = await store.read(ROOM, Offset(1), 2)
    assert ([p.offset for p in part.publications], part.head.last) == ([2, 3], 5)
    for after, limit in ((5, 10), (99, 10), (0, 0)):
        nothing = await store.read(ROOM, Offset(after), limit)
        assert (nothing.publications, nothing.head) == ((), part.head)
    assert (await store.read(room_channel(GRIEF), Offset(0), 10)).publications == ()


async def test_pages_go_back_from_the_newest_post(store: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    for i in range(5):
        target = await say(store, ada, str(i))
        await store.commit(change(bea, ReactToPost(target=target, reaction=Reaction.HUG, on=True)))
    newest = await store.page(ROOM, None, 2, bea.id)
    assert [post.text for post in newest.posts] == ["3", "4"]
    assert newest.more
    assert newest.mine == {post.offset: [Reaction.HUG] for post in newest.posts}
    assert (await store.page(ROOM, None, 2, ada.id)).mine == {}
    oldest = await store.page(ROOM, newest.posts[0].offset, 3, bea.id)
    assert ([post.text for post in oldest.posts], oldest.more) == (["0", "1", "2"], False)
    empty = await store.page(ROOM, Offset(1), 3, bea.id)
    assert (empty.posts, empty.more) == ((), False)
