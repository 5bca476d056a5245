"""The log of a channel, as `chatserver.store.records` promises it, proven for every database."""

from __future__ import annotations

import asyncio
import random

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import (
    Edited,
    EditPost,
    Post,
    Posted,
    Publication,
    Reacted,
    Reaction,
    ReactToPost,
    Redacted,
    RedactPost,
    RoomChanged,
    RoomCommand,
    RoomEvent,
    RoomId,
    RoomState,
    WritePost,
    room_channel,
)
from chatserver.store.records import StoreUnavailable
from chatserver.store.store import Store
from tests.store.kit import GRIEF, SLEEP, START, Database, change, evolved, newcomer, only, replay, room, say, seeded

ROOM = room_channel(SLEEP)


# ------------------------------------------------------------------------------------------------ order


async def test_offsets_count_from_one_in_each_channel(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    assert [await say(store, ada, "one"), await say(store, ada, "two")] == [1, 2]
    assert await say(store, ada, "elsewhere", where=GRIEF) == 1


async def test_what_was_acknowledged_is_what_is_read(store: Store, other: Store) -> None:
    ada = await newcomer(store, "Ada")
    command = WritePost(text="Awake again", warning="night", reply_to=Offset(1))
    await say(store, ada, "first")
    written = only(await store.commit(change(ada, command)))
    assert isinstance(written.event, Posted)
    assert written.event.post.offset == written.offset == 2
    assert (await other.read(ROOM, Offset(1), 10)).publications == (written,)


async def test_no_offset_is_missing_or_used_twice_under_concurrent_authors_on_two_stores(
    store: Store, other: Store
) -> None:
    rooms = [RoomId(f"room-{i}") for i in range(3)]
    await store.add_rooms([room(id_) for id_ in rooms])
    authors = [await newcomer(store, f"Author {i}", *rooms) for i in range(16)]
    acked: dict[tuple[RoomId, Offset], str] = {}

    async def write(number: int) -> None:
        for i in range(12):
            where = rooms[(number + i) % 3]
            text = f"{number:02} {i:02}"
            offset = await say((store, other)[(number + i) % 2], authors[number], text, where=where)
            assert (where, offset) not in acked
            acked[(where, offset)] = text

    await asyncio.gather(*(write(number) for number in range(16)))
    for where in rooms:
        publications = await replay(other, where)
        assert [publication.offset for publication in publications] == list(range(1, 65))
        for publication in publications:
            assert isinstance(publication.event, Posted)
            assert publication.event.post.text == acked[(where, publication.offset)]
        for number in range(16):
            own = [text for text in _texts(publications) if text.startswith(f"{number:02} ")]
            assert own == sorted(own)


async def test_a_reader_never_sees_an_offset_before_those_below_it(store: Store, other: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")

    async def write() -> None:
        await asyncio.gather(*(say(s, a, "x") for i in range(60) for s, a in ((store, ada), (other, bea))))

    writing = asyncio.create_task(write())
    seen = 0
    while seen < 120:
        part = await other.read(ROOM, Offset(seen), 500)
        assert [p.offset for p in part.publications] == list(range(seen + 1, part.head.last + 1))
        seen = part.head.last
    await writing


async def test_time_in_a_channel_never_runs_backwards(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    await say(store, ada, "from a clock that is ahead", now=START + 5_000)
    behind = only(await store.commit(change(ada, WritePost(text="from one that is not"), now=START)))
    assert behind.at == START + 5_000
    assert isinstance(behind.event, Posted)
    assert behind.event.post.at == behind.at
    assert (await replay(store, SLEEP))[1] == behind


# ------------------------------------------------------------------------------------------------ sending again


async def test_the_same_command_again_gets_the_same_offset_on_any_worker(store: Store, other: Store) -> None:
    ada = await newcomer(store, "Ada")
    command = change(ada, WritePost(text="once"), id_="same")
    first = await store.commit(command)
    for again in (store, other):
        repeated = await again.commit(command)
        assert repeated.repeated
        assert repeated.publications == first.publications
    assert len(await replay(store, SLEEP)) == 1


async def test_the_same_command_on_two_workers_at_once_is_written_once(store: Store, other: Store) -> None:
    ada = await newcomer(store, "Ada")
    for i in range(20):
        command = change(ada, WritePost(text=f"once {i}"), id_=f"same-{i}")
        results = await asyncio.gather(*(s.commit(command) for s in (store, other, store, other)))
        assert len({only(result).offset for result in results}) == 1
        assert [result.repeated for result in results].count(False) == 1
    assert len(await replay(store, SLEEP)) == 20


async def test_a_repeat_is_answered_before_anything_is_decided(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    command = change(ada, WritePost(text="once"), id_="same")
    await store.commit(command)

    def refuse(state: RoomState) -> list[RoomEvent]:
        raise Refusal(Reason.SLOW_MODE)

    assert (await store.commit(msgspec.structs.replace(command, decide=refuse))).repeated


async def test_an_id_that_was_used_for_something_else_is_refused(store: Store, other: Store) -> None:
    ada = await newcomer(store, "Ada")
    await store.commit(change(ada, WritePost(text="this"), id_="same"))
    for where, text in ((SLEEP, "that"), (GRIEF, "this")):
        with pytest.raises(Refusal) as refused:
            await other.commit(change(ada, WritePost(text=text), id_="same", where=where))
        assert refused.value.reason is Reason.DUPLICATE_ID


async def test_one_id_in_two_rooms_at_once_is_written_in_one(store: Store, other: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    for i in range(10):
        results = await asyncio.gather(
            store.commit(change(ada, WritePost(text="hi"), id_=f"same-{i}")),
            store.commit(change(bea, WritePost(text="unharmed"))),
            other.commit(change(ada, WritePost(text="hi"), id_=f"same-{i}", where=GRIEF)),
            other.commit(change(bea, WritePost(text="unharmed"), where=GRIEF)),
            return_exceptions=True,
        )
        refusals = [result for result in results if isinstance(result, Refusal)]
        assert [refusal.reason for refusal in refusals] == [Reason.DUPLICATE_ID]
        assert isinstance(results[1], type(results[3]))
    total = len(await replay(store, SLEEP)) + len(await replay(store, GRIEF))
    assert total == 30


async def test_two_people_may_use_the_same_id(store: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    first = await store.commit(change(ada, WritePost(text="hi"), id_="1"))
    second = await store.commit(change(bea, WritePost(text="hi"), id_="1"))
    assert [only(first).offset, only(second).offset] == [1, 2]


async def test_a_repeat_shows_a_post_as_it_stands_now(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    command = change(ada, WritePost(text="too much said"), id_="same")
    offset = only(await store.commit(command)).offset
    await store.commit(change(ada, RedactPost(target=offset)))
    repeated = only(await store.commit(command))
    assert isinstance(repeated.event, Posted)
    assert (repeated.event.post.redacted, repeated.event.post.text) == (True, "")


# ------------------------------------------------------------------------------------------------ deciding


async def test_a_refusal_reaches_its_own_caller_and_harms_no_other(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    texts = ["a", " ", "b", " ", "c"]
    results = await asyncio.gather(
        *(store.commit(change(ada, WritePost(text=text))) for text in texts), return_exceptions=True
    )
    assert [isinstance(result, Refusal) for result in results] == [False, True, False, True, False]
    assert sorted(_texts(await replay(store, SLEEP))) == ["a", "b", "c"]


async def test_a_bug_in_one_decision_reaches_its_own_caller_and_harms_no_other(store: Store) -> None:
    ada = await newcomer(store, "Ada")

    def broken(state: RoomState) -> list[RoomEvent]:
        raise ZeroDivisionError

    def misguided(state: RoomState) -> list[RoomEvent]:
        return [Redacted(target=Offset(77))]

    results = await asyncio.gather(
        store.commit(change(ada, WritePost(text="a"))),
        store.commit(change(ada, WritePost(text="b"), answer=broken)),
        store.commit(change(ada, WritePost(text="b"), answer=misguided)),
        store.commit(change(ada, WritePost(text="c"))),
        return_exceptions=True,
    )
    assert [type(result).__name__ for result in results] == ["Committed", "ZeroDivisionError", "KeyError", "Committed"]
    assert [p.offset for p in await replay(store, SLEEP)] == [1, 2]


async def test_an_unknown_channel_is_refused(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    for attempt in (
        store.commit(change(ada, WritePost(text="hello?"), where=RoomId("nowhere"))),
        store.read(ChannelName("room:nowhere"), Offset(0), 10),
    ):
        with pytest.raises(Refusal) as refused:
            await attempt
        assert refused.value.reason is Reason.ROOM_UNKNOWN


async def test_a_command_that_changes_nothing_writes_nothing(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    target = await say(store, ada, "as it is")
    command = change(ada, EditPost(target=target, text="as it is"), id_="same")
    for _ in range(2):
        committed = await store.commit(command)
        assert (committed.publications, committed.repeated) == ((), False)
    assert (await store.heads([ROOM]))[ROOM].last == 1


async def test_a_decision_sees_the_room_the_membership_and_the_target(store: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    target = await say(store, ada, "hi", now=START + 9)
    await store.commit(change(ada, ReactToPost(target=target, reaction=Reaction.HUG, on=True)))
    await store.commit(change(bea, ReactToPost(target=target, reaction=Reaction.HUG, on=True)))
    await store.commit(change(ada, ReactToPost(target=target, reaction=Reaction.STRENGTH, on=True)))
    seen: list[RoomState] = []

    def look(state: RoomState) -> list[RoomEvent]:
        seen.append(state)
        return []

    await store.commit(change(ada, EditPost(target=target, text="x"), answer=look))
    await store.commit(change(ada, EditPost(target=Offset(2), text="x"), answer=look))
    stranger = msgspec.structs.replace(ada, id=MemberId("m_stranger"))
    await store.commit(change(stranger, WritePost(text="x"), answer=look))
    state, not_a_post, unknown = seen
    assert state.room == room(SLEEP)
    assert state.membership is not None
    assert state.membership.last_post_at == START + 9
    assert state.target is not None
    assert (state.target.text, state.target.reactions) == ("hi", {Reaction.HUG: 2, Reaction.STRENGTH: 1})
    assert state.target_reactions == {Reaction.HUG, Reaction.STRENGTH}
    assert not_a_post.target is None
    assert (unknown.membership, unknown.target) == (None, None)


async def test_slow_mode_holds_also_for_posts_that_are_sent_together(database: Database) -> None:
    store = await seeded(database.store(), room(SLEEP, slow_mode=10))
    ada = await newcomer(store, "Ada", SLEEP)
    results = await asyncio.gather(*(say(store, ada, str(i)) for i in range(5)), return_exceptions=True)
    assert [isinstance(result, Refusal) for result in results].count(False) == 1
    await say(store, ada, "later", now=START + 10_000)
    await store.close()


async def test_one_command_may_have_several_events(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    changed = room(SLEEP, topic="Tonight: the small hours", slow_mode=3)

    def both(state: RoomState) -> list[RoomEvent]:
        post = Post(offset=Offset(0), author=ada.id, name=ada.name, text="I set the topic", at=START)
        return [Posted(post), RoomChanged(room=changed)]

    command = change(ada, WritePost(text="x"), answer=both, id_="same")
    written = await store.commit(command)
    assert [publication.offset for publication in written.publications] == [1, 2]
    repeated = await store.commit(command)
    assert repeated.publications == written.publications
    assert tuple(await replay(store, SLEEP)) == written.publications
    assert changed in await store.rooms()


# ------------------------------------------------------------------------------------------------ what is kept


async def test_texts_come_back_as_they_were_written(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    texts = ["é \U0001f600", "'; DROP TABLE log; --", "line\nline", "\\x00 $1 %s :name ?", "ﷺ" * 2_000]
    for text in texts:
        await say(store, ada, text)
    assert [post.text for post in (await store.page(ROOM, None, 10, ada.id)).posts] == texts


async def test_an_edit_changes_the_post_and_is_rendered_from_it(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    target = await say(store, ada, "first")
    for i, text in enumerate(("second", "third")):
        await store.commit(change(ada, EditPost(target=target, text=text, warning="w"), now=START + i))
    posted, *edits = await replay(store, SLEEP)
    assert isinstance(posted.event, Posted)
    assert (posted.event.post.text, posted.event.post.warning) == ("third", "w")
    assert [edit.event for edit in edits] == [
        Edited(target=target, text="third", warning="w", edited_at=Millis(START + 1))
    ] * 2


async def test_a_redacted_post_keeps_its_place_and_nothing_else(store: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    command = change(ada, WritePost(text="secret", warning="secret"))
    target = only(await store.commit(command)).offset
    await store.commit(change(bea, ReactToPost(target=target, reaction=Reaction.HUG, on=True)))
    await store.commit(change(ada, EditPost(target=target, text="secret, too")))
    await store.commit(change(ada, RedactPost(target=target)))
    publications = await replay(store, SLEEP)
    assert "secret" not in repr(publications)
    # Nobody can test guesses of the text either: its commands match whatever is sent under their ids.
    assert (await store.commit(change(ada, WritePost(text="a guess"), id_=command.command_id))).repeated
    assert [p.offset for p in publications] == [1, 2, 3, 4]
    (post,) = (await store.page(ROOM, None, 10, bea.id)).posts
    assert (post.offset, post.author, post.redacted, post.text, post.reactions) == (1, ada.id, True, "", {})
    assert (await store.page(ROOM, None, 10, bea.id)).mine == {}


async def test_reactions_are_counted_once_for_each_person(store: Store, other: Store) -> None:
    people = [await newcomer(store, name) for name in ("Ada", "Bea", "Cleo")]
    target = await say(store, people[0], "hi")

    def react(on: bool) -> list[asyncio.Task[object]]:
        return [
            asyncio.create_task(s.commit(change(p, ReactToPost(target=target, reaction=Reaction.HUG, on=on))))
            for p in people
            for s in (store, other)
        ]

    await asyncio.gather(*react(on=True))
    (post,) = (await store.page(ROOM, None, 1, people[0].id)).posts
    assert post.reactions == {Reaction.HUG: 3}
    assert len(await replay(store, SLEEP)) == 4
    await asyncio.gather(*react(on=False))
    page = await store.page(ROOM, None, 1, people[0].id)
    assert (page.posts[0].reactions, page.mine) == ({}, {})
    last = (await replay(store, SLEEP))[-1].event
    assert isinstance(last, Reacted)
    assert (last.on, last.counts) == (False, {})


async def test_a_log_replayed_leads_to_the_posts_of_those_who_were_there(store: Store) -> None:
    people = [await newcomer(store, name) for name in ("Ada", "Bea", "Cleo")]
    chance = random.Random(7)
    live = evolved([])
    for i in range(150):
        who, target = chance.choice(people), Offset(chance.randrange(1, i + 2))
        commands: list[RoomCommand] = [
            WritePost(text=f"text {i}"),
            EditPost(target=target, text=f"edited {i}"),
            ReactToPost(target=target, reaction=chance.choice(list(Reaction)), on=chance.random() < 0.7),
            RedactPost(target=target),
        ]
        command = chance.choice(commands)
        try:
            committed = await store.commit(change(who, command, now=START + i))
        except Refusal:
            continue
        live = evolved(committed.publications, live)
    assert evolved(await replay(store, SLEEP, limit=7)) == live
    assert list((await store.page(ROOM, None, 500, people[0].id)).posts) == [live[key] for key in sorted(live)]


# ------------------------------------------------------------------------------------------------ reading


# ------------------------------------------------------------------------------------------------ bounds


async def test_work_beyond_the_backlog_is_refused_at_once(database: Database) -> None:
    store = await seeded(database.store(backlog=8))
    ada = await newcomer(store, "Ada")
    results = await asyncio.gather(*(say(store, ada, str(i)) for i in range(30)), return_exceptions=True)
    refusals = [result for result in results if isinstance(result, Refusal)]
    assert {refusal.reason for refusal in refusals} == {Reason.BUSY}
    assert len(refusals) == 22
    assert await say(store, ada, "room again") == 9
    await store.close()


async def test_closing_finishes_what_was_accepted(database: Database) -> None:
    store = await seeded(database.store())
    ada = await newcomer(store, "Ada")
    writing = [asyncio.create_task(say(store, ada, str(i))) for i in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert sorted(await asyncio.gather(*writing)) == list(range(1, 51))
    with pytest.raises(StoreUnavailable):
        await say(store, ada, "too late")
    await store.open()
    assert len(await replay(store, SLEEP)) == 50
    await store.close()


async def test_after_a_backup_was_restored_every_numbering_gets_another_name(database: Database) -> None:
    store = await seeded(database.store())
    ada = await newcomer(store, "Ada")
    await say(store, ada, "hi")
    before = await store.heads([ROOM, room_channel(GRIEF)])
    assert isinstance(store, Store)
    assert await store.renew_epochs() == 2
    after = await store.heads([ROOM, room_channel(GRIEF)])
    assert len({head.epoch for head in (*before.values(), *after.values())}) == 4
    assert after[ROOM].last == 1
    await store.close()


async def test_one_channel_begins_anew_once_where_more_was_seen_of_it_than_there_is(store: Store, other: Store) -> None:
    ada = await newcomer(store, "Ada")
    await say(store, ada, "hi")
    before = await store.heads([ROOM, room_channel(GRIEF)])
    epoch = before[ROOM].epoch
    assert await store.renew_epoch(ROOM, epoch, Offset(1)) == before[ROOM]
    both = await asyncio.gather(*(each.renew_epoch(ROOM, epoch, Offset(2)) for each in (store, other)))
    assert both[0] == both[1]
    assert (both[0].epoch != epoch, both[0].first, both[0].last) == (True, 1, 1)
    after = await other.heads([ROOM, room_channel(GRIEF)])
    assert after == {**before, ROOM: both[0]}
    with pytest.raises(Refusal) as refused:
        await store.renew_epoch(ChannelName("room:nowhere"), epoch, Offset(2))
    assert refused.value.reason is Reason.ROOM_UNKNOWN


async def test_how_far_a_database_has_come_grows_with_its_facts(store: Store) -> None:
    empty = await store.high_water()
    ada = await newcomer(store, "Ada")
    assert await store.high_water() == empty
    await say(store, ada, "hi")
    posted = await store.high_water()
    assert empty.is_behind(posted)
    assert not posted.is_behind(empty)
    assert posted.facts == empty.facts + 1


async def test_writing_can_be_proven(store: Store) -> None:
    await asyncio.gather(*(store.check_writable() for _ in range(5)))


async def test_rooms_are_added_once_and_listed_in_lobby_order(store: Store, other: Store) -> None:
    new = [room(RoomId("work"), position=2), room(RoomId("anger"), position=1, agreement="Be kind", topic="Today")]
    added = await asyncio.gather(store.add_rooms(new), other.add_rooms(new))
    assert sum(added) == 2
    assert await store.add_rooms([room(SLEEP, topic="other"), *new]) == 0
    assert await other.rooms() == [room(GRIEF), room(SLEEP), new[1], new[0]]


def _texts(publications: list[Publication]) -> list[str]:
    return [publication.event.post.text for publication in publications if isinstance(publication.event, Posted)]
