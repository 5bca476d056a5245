"""The rooms of sessions and what sessions leave, as `chatserver.store.store` promises them, proven for every
database."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine
from typing import Any, Final

import asyncpg
import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.listening.commands import (
    AdmitToRoom,
    CloseSessionRoom,
    DropRoom,
    ExpelFromRoom,
    KeepDebrief,
    KeepFeedback,
    KeepReport,
    ListenerSet,
    OpenSessionRoom,
    SeekerLeft,
    SeekerSet,
    SessionForgotten,
    SessionSet,
)
from chatserver.domain.listening.state import SessionId
from chatserver.domain.rooms.rooms import (
    Reaction,
    ReactToPost,
    RoomChanged,
    RoomId,
    RoomKind,
    RoomStatus,
    WritePost,
    room_channel,
)
from chatserver.store.records import Retention
from chatserver.store.store import Store
from tests.store.kit import GRIEF, SLEEP, START, Database, change, newcomer, replay, say
from tests.store.listening_kit import at_once, does, listener, seeker, session

DAY: Final = 24 * 3_600_000
TALK: Final = SessionId("s-talk")
ROOM: Final = RoomId(TALK)


async def talking(store: Store, id_: SessionId = TALK) -> tuple[Persona, Persona]:
    """Return a seeker and a listener in a session with a room."""
    ada, liv = await newcomer(store, "Ada"), await newcomer(store, "Liv")
    await does(
        store,
        SeekerSet(seeker=seeker(ada.id, session=id_)),
        ListenerSet(listener=listener(liv.id)),
        SessionSet(session=session(id_, ada.id, liv.id)),
        effects=(OpenSessionRoom(session=id_, name="One to one", members=(ada.id, liv.id)),),
    )
    return ada, liv


async def refused(attempt: Coroutine[Any, Any, object]) -> Reason:
    with pytest.raises(Refusal) as refusal:
        await attempt
    return refusal.value.reason


async def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    """Return rows that no method of the contract reads."""
    if database.path is not None:
        with sqlite3.connect(database.path) as connection:
            found = connection.execute(query).fetchall()
        connection.close()
        return found
    db = await asyncpg.connect(database.url)
    try:
        return [tuple(row) for row in await db.fetch(query)]
    finally:
        await db.close()


# ------------------------------------------------------------------------------------------------ rooms of sessions


async def test_a_sessions_room_is_for_its_members_and_in_no_lobby(store: Store, other: Store) -> None:
    ada, liv = await talking(store)
    stranger = await newcomer(store, "Eve")
    assert [room.id for room in await other.rooms()] == [GRIEF, SLEEP]
    room = await other.room(ROOM)
    assert room is not None
    assert (room.kind, room.name, room.capacity, room.slow_mode) == (RoomKind.SESSION, "One to one", 8, 0)
    themed = await other.room(SLEEP)
    assert themed is not None
    assert themed.kind is RoomKind.THEMED
    assert await other.room(RoomId("s-other")) is None
    assert ROOM in await other.joined_rooms(ada.id)
    joined = await other.join(liv.id, ROOM, None)
    assert (joined.membership.read, joined.unread) == (0, 0)
    for version in (None, 1):
        assert await refused(store.join(stranger.id, ROOM, version)) is Reason.ROOM_UNKNOWN
    assert await refused(store.join(stranger.id, RoomId("s-other"), 1)) is Reason.ROOM_UNKNOWN
    assert ROOM not in await store.joined_rooms(stranger.id)


async def test_posts_in_a_sessions_room_are_posts_like_all_others(store: Store, other: Store) -> None:
    ada, liv = await talking(store)
    offset = await say(store, ada, "I cannot sleep", where=ROOM)
    await other.commit(change(liv, ReactToPost(target=offset, reaction=Reaction.HUG, on=True), where=ROOM))
    assert [p.offset for p in await replay(other, ROOM)] == [1, 2]
    assert (await other.joined_rooms(liv.id))[ROOM].unread == 1


async def test_who_comes_later_is_admitted_and_who_handed_over_is_out(store: Store, other: Store) -> None:
    ada, liv = await talking(store)
    eve = await newcomer(store, "Eve")
    await say(store, ada, "before", where=ROOM)
    await does(store, effects=(AdmitToRoom(session=TALK, member=eve.id), ExpelFromRoom(session=TALK, member=liv.id)))
    # Again, as when a command is sent twice.
    await does(other, effects=(AdmitToRoom(session=TALK, member=eve.id), ExpelFromRoom(session=TALK, member=liv.id)))
    assert (await other.join(eve.id, ROOM, None)).unread == 0
    await say(other, eve, "I am here", where=ROOM)
    assert await refused(store.join(liv.id, ROOM, 1)) is Reason.ROOM_UNKNOWN
    assert await refused(store.commit(change(liv, WritePost(text="still here?"), where=ROOM)))
    assert ROOM not in await store.joined_rooms(liv.id)


async def test_a_closed_room_is_read_by_its_members_and_written_by_nobody(store: Store, other: Store) -> None:
    ada, _ = await talking(store)
    stranger = await newcomer(store, "Eve")
    await say(store, ada, "kept for an hour", where=ROOM)
    committed = await does(store, effects=(CloseSessionRoom(session=TALK),), now=START + 5)
    (closed,) = committed.publications
    assert (closed.channel, closed.offset, closed.at) == (room_channel(ROOM), 2, START + 5)
    assert isinstance(closed.event, RoomChanged)
    assert closed.event.room.status is RoomStatus.CLOSED
    assert (await replay(other, ROOM))[1] == closed
    assert (await does(other, effects=(CloseSessionRoom(session=TALK),))).publications == ()
    assert (await other.join(ada.id, ROOM, None)).membership.room == ROOM
    await store.leave(ada.id, ROOM)
    assert (await other.join(ada.id, ROOM, None)).membership.room == ROOM
    assert await refused(store.join(stranger.id, ROOM, 1)) is Reason.ROOM_UNKNOWN
    assert await refused(store.commit(change(ada, WritePost(text="more"), where=ROOM))) is Reason.ROOM_CLOSED


async def test_a_dropped_room_leaves_nothing(store: Store, other: Store, database: Database) -> None:
    ada, liv = await talking(store)
    offset = await say(store, ada, "nobody reads this afterwards", where=ROOM)
    await other.commit(change(liv, ReactToPost(target=offset, reaction=Reaction.HUG, on=True), where=ROOM))
    gone = (SeekerLeft(member=ada.id), SessionForgotten(session=TALK))
    committed = await does(store, *gone, effects=(CloseSessionRoom(session=TALK), DropRoom(session=TALK)))
    assert committed.has_content_gone
    assert not (await does(other, effects=(DropRoom(session=TALK),))).has_content_gone
    assert await other.room(ROOM) is None
    assert await other.heads([room_channel(ROOM)]) == {}
    assert await refused(other.join(ada.id, ROOM, None)) is Reason.ROOM_UNKNOWN
    assert ROOM not in await other.joined_rooms(ada.id)
    export = await other.export(ada.id, START)
    assert export is not None
    assert (export.posts, export.sessions, export.place) == ((), (), None)
    # The next `expire` on any worker makes the bytes unreadable, once.
    assert await other.expire(Millis(START + 1), Retention()) == {}
    assert await rows(database, "SELECT dropped, scrubbed FROM upkeep") == [(1, 1)]
    if database.path is not None:
        assert b"nobody reads this" not in database.bytes()


async def test_an_effect_on_what_is_no_more_does_nothing(store: Store) -> None:
    ada, liv = await talking(store)
    nobody, nowhere = MemberId("m_nobody"), SessionId("s-nowhere")
    await does(
        store,
        effects=(
            AdmitToRoom(session=TALK, member=nobody),
            AdmitToRoom(session=nowhere, member=ada.id),
            ExpelFromRoom(session=nowhere, member=ada.id),
            CloseSessionRoom(session=nowhere),
            DropRoom(session=nowhere),
            OpenSessionRoom(session=SessionId("s-second"), name="", members=(nobody, liv.id, liv.id)),
            OpenSessionRoom(session=TALK, name="again", members=(ada.id,)),
        ),
    )
    room = await store.room(ROOM)
    assert room is not None
    assert room.name == "One to one"
    assert RoomId("s-second") in await store.joined_rooms(liv.id)


async def test_all_of_a_sessions_room_in_one_batch(store: Store) -> None:
    ada, liv = await newcomer(store, "Ada"), await newcomer(store, "Liv")
    steps = (
        (OpenSessionRoom(session=TALK, name="", members=(ada.id,)), AdmitToRoom(session=TALK, member=liv.id)),
        ((CloseSessionRoom(session=TALK),)),
    )
    opened, closed, dropped = await at_once(
        [does(store, effects=steps[0]), does(store, effects=steps[1]), does(store, effects=(DropRoom(session=TALK),))]
    )
    assert (opened.publications, [p.offset for p in closed.publications]) == ((), [1])
    assert [each.has_content_gone for each in (opened, closed, dropped)] == [False, False, True]
    assert await store.room(ROOM) is None


# ------------------------------------------------------------------------------------------------ what sessions leave


async def test_a_report_keeps_the_last_posts_as_they_stood(store: Store, database: Database) -> None:
    ada, liv = await talking(store)
    for i in range(60):
        await say(store, (ada, liv)[i % 2], f"post {i}", where=ROOM)
    report = KeepReport(
        session=TALK, by=ada.id, about=liv.id, reason="unkind", note="they laughed", is_call=False, at=START
    )
    await does(store, effects=(report, DropRoom(session=TALK)))
    columns = "by, about, room, reason, note, is_call, status, snapshot"
    (kept,) = await rows(database, f"SELECT {columns} FROM reports")
    assert kept[:5] == (ada.id, liv.id, TALK, "unkind", "they laughed")
    assert (bool(kept[5]), kept[6]) == (False, "open")
    snapshot = msgspec.json.decode(str(kept[7]))
    assert [post["text"] for post in snapshot] == [f"post {i}" for i in range(10, 60)]
    assert snapshot[0]["author"] == ada.id


async def test_feedback_is_kept_without_a_name_and_a_debrief_with_its_listeners(
    store: Store, database: Database
) -> None:
    liv = await newcomer(store, "Liv")
    await does(store, effects=(KeepFeedback(heard=2, heavy_before=None, heavy_after=1, at=START),))
    await does(store, effects=(KeepDebrief(listener=liv.id, note="hard for me", at=START),))
    assert await rows(database, "SELECT * FROM feedback") == [(2, None, 1, START)]
    assert await rows(database, "SELECT listener, note, at FROM debriefs") == [(liv.id, "hard for me", START)]


# ------------------------------------------------------------------------------------------------ time


# ------------------------------------------------------------------------------------------------ showing, erasing


# ------------------------------------------------------------------------------------------------ all at once


async def test_everything_at_once_neither_deadlocks_nor_fails(store: Store, other: Store, database: Database) -> None:
    """Sessions open, close and are dropped while people write in several rooms, join, are seen, erased and forgotten:
    everything that locks several things must lock them in the same order."""
    rounds, pairs = 6, 4
    stores = (store, other)
    people = [(await newcomer(store, f"Ada {i}"), await newcomer(store, f"Liv {i}")) for i in range(pairs)]
    doomed = [await newcomer(store, f"Doomed {i}") for i in range(rounds)]

    async def talk(number: int) -> None:
        ada, liv = people[number]
        for i in range(rounds):
            on = stores[(number + i) % 2]
            ids = [SessionId(f"s-{number}-{i}-{part}") for part in "ab"]
            both = (ada.id, liv.id, doomed[i].id)
            await does(
                on,
                SeekerSet(seeker=seeker(ada.id)),
                *(SessionSet(session=session(id_, *both)) for id_ in ids),
                effects=tuple(OpenSessionRoom(session=id_, name="", members=both) for id_ in ids),
            )
            writing = [
                say(stores[k % 2], (ada, liv)[k % 2], "x", where=(RoomId(ids[k % 2]), SLEEP)[k // 4]) for k in range(8)
            ]
            last_words = [say(on, doomed[i], "words", where=RoomId(id_)) for id_ in ids]
            entering = [stores[k % 2].join(both[k], RoomId(id_), None) for id_ in ids for k in range(2)]
            outcomes = await asyncio.gather(*writing, *last_words, *entering, return_exceptions=True)
            # A person who is erased meanwhile is no longer a member, and their session is over.
            failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
            assert {outcome.reason if isinstance(outcome, Refusal) else outcome for outcome in failed} <= {
                Reason.ROOM_CLOSED,
                Reason.ROOM_UNKNOWN,
            }
            await does(on, effects=tuple(CloseSessionRoom(session=id_) for id_ in reversed(ids)))
            await does(
                on,
                *(SessionForgotten(session=id_) for id_ in ids),
                effects=tuple(DropRoom(session=id_) for id_ in reversed(ids)),
            )

    async def forget() -> None:
        for i in range(rounds):
            await stores[i % 2].erase(doomed[i].id, Millis(START + i))
            await stores[i % 2].expire(Millis(START + i), Retention(posts_per_room=3, dedupe_window=0))

    async def look() -> None:
        everybody = [who.id for pair in people for who in pair]
        for i in range(4 * rounds):
            await stores[i % 2].see(everybody[:: (-1) ** i], Millis(START + i))
            await stores[i % 2].touch(everybody, Millis(START + i * 3_600_000))
            await stores[i % 2].listening_state()

    async with asyncio.timeout(60):
        await at_once([*(talk(number) for number in range(pairs)), forget(), look()])
    assert (await store.listening_state()).sessions == {}
    assert [room.id for room in await store.rooms()] == [GRIEF, SLEEP]
    left = await at_once(store.joined_rooms(who.id) for pair in people for who in pair)
    assert {room for joined in left for room in joined} == {SLEEP, GRIEF}
    if database.path is None:
        await store.close()
        await other.close()
        assert await deadlocks(database) == 0


async def deadlocks(database: Database) -> int:
    """Return how often PostgreSQL rolled back a deadlocked transaction. The stores try again, so otherwise only the
    second that it takes would show it."""
    db = await asyncpg.connect(database.url)
    try:
        async with asyncio.timeout(10):
            # A connection is included in the statistics only once it has ended.
            others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            while await db.fetchval(others) > 1:  # noqa: ASYNC110 (nobody announces it)
                await asyncio.sleep(0.05)
        return int(await db.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))
    finally:
        await db.close()
