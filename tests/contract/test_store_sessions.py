"""Sessions' rooms and what sessions leave, as `chatserver.store.records` promises them, proven for every database."""

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
    KeepWords,
    ListenerSet,
    OpenSessionRoom,
    SeekerLeft,
    SeekerSet,
    SessionForgotten,
    SessionSet,
)
from chatserver.domain.listening.state import Asked, Ending, Left, Proposal, SessionId, Wish
from chatserver.domain.moderation.evidence import is_alias
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.rooms.rooms import (
    Posted,
    Reaction,
    ReactToPost,
    Redacted,
    RoomChanged,
    RoomId,
    RoomKind,
    RoomStatus,
    WritePost,
    room_channel,
)
from chatserver.store.forgetting.forgetting import ERASED, ERASED_NAME
from chatserver.store.records import Retention
from chatserver.store.store import Store
from tests.store.kit import GRIEF, SLEEP, START, Database, change, newcomer, replay, say
from tests.store.listening_kit import at_once, does, listener, seeker, session

DAY: Final = 24 * 3_600_000
TALK: Final = SessionId("s-talk")
ROOM: Final = RoomId(TALK)


async def talking(store: Store, id_: SessionId = TALK) -> tuple[Persona, Persona]:
    """A seeker and a listener in a session with a room."""
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
    """What stands in a table that no method of the contract reads."""
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
    # As the same command would, sent again.
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
    # Any worker's next round of forgetting makes the bytes unreadable, once.
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


async def expire_all(store: Store, now: int) -> None:
    while await store.expire(Millis(now), Retention(member_age=999 * DAY)):
        pass


async def test_expiring_leaves_sessions_rooms_to_the_floor(store: Store) -> None:
    ada, _ = await talking(store)
    await say(store, ada, "old, and the floor's", where=ROOM)
    await say(store, ada, "old")
    await expire_all(store, START + 9 * DAY)
    assert len(await replay(store, ROOM)) == 1
    assert await replay(store, SLEEP) == []


async def test_a_room_whose_session_is_nowhere_is_dropped_after_a_day(store: Store, other: Store) -> None:
    ada, _ = await talking(store)
    await say(store, ada, "left behind", where=ROOM)
    await does(store, SessionForgotten(session=TALK))
    await expire_all(other, START + DAY)
    assert await store.room(ROOM) is not None
    await expire_all(other, START + DAY + 1)
    assert await store.room(ROOM) is None
    assert await store.heads([room_channel(ROOM)]) == {}


async def test_reports_debriefs_and_feedback_expire_each_at_its_own_age(
    store: Store, other: Store, database: Database
) -> None:
    ada, liv = await talking(store)
    await say(store, ada, "words in a report", where=ROOM)
    for at in (START, Millis(START + DAY)):
        report = KeepReport(session=TALK, by=ada.id, about=liv.id, reason="r", note="my note", is_call=False, at=at)
        debrief = KeepDebrief(listener=liv.id, note="my evening", at=at)
        feedback = KeepFeedback(heard=2, heavy_before=None, heavy_after=1, at=at)
        await does(store, effects=(report, debrief, feedback))
    await does(store, SessionForgotten(session=TALK), effects=(DropRoom(session=TALK),))
    retention = Retention(member_age=999 * DAY, report_age=3 * DAY, debrief_age=2 * DAY, feedback_age=4 * DAY)

    async def left(after: int) -> list[int]:
        await other.expire(Millis(START + after), retention)
        return [len(await rows(database, f"SELECT at FROM {each}")) for each in ("reports", "debriefs", "feedback")]

    assert await left(2 * DAY) == [2, 2, 2]
    assert await left(2 * DAY + 1) == [2, 1, 2]
    assert await left(3 * DAY + 1) == [1, 0, 2]
    assert await left(4 * DAY + 1) == [0, 0, 1]
    assert await left(5 * DAY + 1) == [0, 0, 0]
    if database.path is not None:
        kept = database.bytes()
        assert not [trace for trace in ("words in a report", "my note", "my evening") if trace.encode() in kept]


async def test_by_default_reports_stay_half_a_year_debriefs_a_quarter_and_feedback_a_year() -> None:
    days = [age / DAY for age in (Retention().report_age, Retention().debrief_age, Retention().feedback_age)]
    assert days == [180, 90, 365]


# ------------------------------------------------------------------------------------------------ showing, erasing


async def test_of_a_session_that_was_handed_over_an_export_tells_and_an_erasure_leaves_nothing(
    store: Store, other: Store
) -> None:
    ada, liv = await talking(store)
    bea = await newcomer(store, "Bea")
    names = {liv.id: "Liv", bea.id: "Bea"}
    handed = session(TALK, ada.id, bea.id, names=names, left={liv.id: Left(at=Millis(START + 7), flagged=True)})
    await does(store, ListenerSet(listener=listener(bea.id)), SessionSet(session=handed))
    theirs = await store.export(liv.id, START)
    assert theirs is not None
    assert [(each.id, each.is_seeker, each.flagged, each.left_at) for each in theirs.sessions] == [
        (TALK, False, True, START + 7)
    ]
    await other.erase(liv.id, Millis(START + 9))
    floor = await store.listening_state()
    assert floor.sessions[TALK].is_live
    assert liv.id.encode() not in msgspec.json.encode(floor)


async def test_an_export_shows_their_place_and_sessions_and_nothing_that_others_said(store: Store) -> None:
    ada, liv = await talking(store)
    # Come-back words led her to her listener, whose id is not hers to know.
    asked = Wish(heavy=4, member=liv.id, only=True)
    said = session(TALK, ada.id, liv.id, wish=asked, heard=2, again=frozenset({ada.id}), flagged=True)
    avoids = seeker(ada.id, wish=asked, avoid=frozenset({MemberId("m_blocks_her")}), session=TALK)
    report = KeepReport(session=TALK, by=ada.id, about=liv.id, reason="r", note="her note", is_call=False, at=START)
    debrief = KeepDebrief(listener=liv.id, note="my evening", at=START)
    await does(store, SessionSet(session=said), SeekerSet(seeker=avoids), effects=(report, debrief))
    hers, theirs = await store.export(ada.id, START), await store.export(liv.id, START)
    assert hers is not None
    assert theirs is not None
    assert hers.place is not None
    assert (hers.place.asked_at, hers.place.wish, hers.listener, hers.staff) == (
        START,
        Wish(heavy=4, only=True),
        None,
        None,
    )
    (mine,) = hers.sessions
    assert (mine.is_seeker, mine.heard, mine.would_talk_again, mine.flagged) == (True, 2, True, None)
    assert [report.note for report in hers.reports] == ["her note"]
    (also,) = theirs.sessions
    assert (also.is_seeker, also.heard, also.wish, also.would_talk_again, also.flagged) == (
        False,
        None,
        None,
        False,
        True,
    )
    assert theirs.listener == listener(liv.id)
    assert ([note.note for note in theirs.debriefs], theirs.reports) == (["my evening"], ())
    for export, secrets in ((hers, ("m_blocks_her", liv.id, "my evening")), (theirs, (ada.id, "her note"))):
        shown = msgspec.json.encode(export).decode()
        assert not [secret for secret in secrets if secret in shown]


async def test_an_erased_seeker_is_nowhere_and_their_session_is_over(store: Store, other: Store) -> None:
    ada, liv = await talking(store)
    offset = await say(store, ada, "her words", where=ROOM)
    await say(store, liv, "their words", where=ROOM)
    published = await other.erase(ada.id, Millis(START + 5))
    assert [type(p.event) for p in published] == [Redacted, RoomChanged]
    assert [p.offset for p in published] == [3, 4]
    floor = await store.listening_state()
    assert (floor.version, floor.seekers) == (2, {})
    over = floor.sessions[TALK]
    assert (over.ending, over.ended_at, over.forget_at) == (Ending.ERASED, START + 5, START + 5)
    assert over.people == (ERASED, liv.id)
    assert ada.id.encode() not in msgspec.json.encode(floor)
    assert f"name of {ada.id}".encode() not in msgspec.json.encode(floor)
    room = await store.room(ROOM)
    assert room is not None
    assert room.status is RoomStatus.CLOSED
    posted = [p.event.post for p in await replay(store, ROOM) if isinstance(p.event, Posted)]
    assert [(post.name, post.text) for post in posted] == [(ERASED_NAME, ""), ("Liv", "their words")]
    assert posted[0].offset == offset
    assert await other.erase(ada.id, Millis(START + 6)) == []
    assert await store.listening_version() == 2


async def test_an_erased_listener_holds_nobody(store: Store, other: Store) -> None:
    ada, liv = await talking(store)
    bea, eve = await newcomer(store, "Bea"), await newcomer(store, "Eve")
    proposal = Proposal(listener=liv.id, made_at=START, deadline=Millis(START + 9))
    await does(
        store,
        SeekerSet(seeker=seeker(bea.id, proposal=proposal, avoid=frozenset({liv.id}), refused_by=frozenset({liv.id}))),
        SeekerSet(seeker=seeker(eve.id, wish=Wish(member=liv.id, only=True))),
        SessionSet(
            session=session(
                "s-other",
                eve.id,
                eve.id,
                asked=Asked(listener=liv.id, by=eve.id, is_handover=False, made_at=START),
                again=frozenset({eve.id}),
            )
        ),
        effects=(KeepWords(words_hash=b"words", listener=liv.id, expires_at=Millis(START + DAY)),),
    )
    await other.erase(liv.id, Millis(START + 5))
    floor = await store.listening_state()
    assert floor.listeners == {}
    assert floor.seekers[ada.id] == seeker(ada.id, is_first=True)
    assert floor.seekers[bea.id] == seeker(bea.id)
    assert floor.seekers[eve.id] == seeker(eve.id)
    assert floor.sessions[TALK].ending is Ending.ERASED
    assert floor.sessions[SessionId("s-other")] == session("s-other", eve.id, eve.id, again=frozenset({eve.id}))
    assert liv.id.encode() not in msgspec.json.encode(floor)
    assert await store.listener_of_words(b"words", START) is None


async def test_a_report_outlives_who_made_it_and_shows_whom_it_is_about(
    store: Store, other: Store, database: Database
) -> None:
    ada, liv = await talking(store)
    await say(store, ada, "what ada wrote", where=ROOM)
    await say(store, liv, "what liv wrote", where=ROOM)
    report = KeepReport(session=TALK, by=ada.id, about=liv.id, reason="unkind", note="", is_call=False, at=START)
    await does(store, effects=(report,))
    await does(store, effects=(KeepDebrief(listener=liv.id, note="my evening", at=START),))
    for who in (ada, liv):
        await other.erase(who.id, START)
    ((id_, by, about),) = await rows(database, "SELECT id, by, about FROM reports")
    assert by is None
    assert is_alias(MemberId(str(about)))
    file = await store.open_report(str(id_), Asker(member=MemberId("m_moderator"), is_operator=True), "to look", START)
    assert [(post.author, post.name, post.text) for post in file.posts] == [
        (ERASED, ERASED_NAME, ""),
        (about, "Liv", "what liv wrote"),
    ]
    assert await rows(database, "SELECT * FROM debriefs") == []
    if database.path is not None:
        await store.rewrite(START)
        left = database.bytes()
        # What the case keeps stands there sealed only.
        for trace in (ada.id, "what ada wrote", "my evening", "what liv wrote"):
            assert trace.encode() not in left


async def test_an_erasure_leaves_no_bytes_on_the_floor(store: Store, database: Database) -> None:
    ada, liv = await talking(store)
    wish = Wish(topics=("a topic of her own",), heavy=5)
    await does(store, SeekerSet(seeker=seeker(ada.id, wish=wish, session=TALK)))
    for i in range(40):
        await does(store, SeekerSet(seeker=seeker(MemberId(f"m_{i}"), wish=Wish(topics=("x" * 150,)))))
        await say(store, ada, f"her words {i}", where=ROOM)
    await store.erase(ada.id, START)
    await store.erase(liv.id, START)
    assert await store.rewrite(START)
    if database.path is not None:
        left = database.bytes()
        for trace in (ada.id, liv.id, "a topic of her own", "her words"):
            assert trace.encode() not in left
    assert len((await store.listening_state()).seekers) == 40


# ------------------------------------------------------------------------------------------------ all at once


async def test_everything_at_once_neither_deadlocks_nor_fails(store: Store, other: Store, database: Database) -> None:
    """Sessions that open, close and are dropped while people write in several rooms at once, join, are seen, erased and
    forgotten: whoever locks more than one thing locks in the same order."""
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
            # Who is erased meanwhile is no member any more, and the session with them is over.
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
    """How often PostgreSQL undid a transaction because two waited for each other: the stores would have tried again,
    and nobody would have noticed but for the second that it took."""
    db = await asyncpg.connect(database.url)
    try:
        async with asyncio.timeout(10):
            # A connection counts for the last time when it ends.
            others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            while await db.fetchval(others) > 1:  # noqa: ASYNC110 (nobody announces it)
                await asyncio.sleep(0.05)
        return int(await db.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))
    finally:
        await db.close()
