"""What remains of sessions when they expire, or when one of their people is erased."""

from __future__ import annotations

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.commands import (
    DropRoom,
    KeepDebrief,
    KeepFeedback,
    KeepReport,
    KeepWords,
    ListenerSet,
    SeekerSet,
    SessionForgotten,
    SessionSet,
)
from chatserver.domain.listening.state import Asked, Ending, Left, Proposal, SessionId, Wish
from chatserver.domain.moderation.evidence import is_alias
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.rooms.rooms import (
    Posted,
    Redacted,
    RoomChanged,
    RoomStatus,
    room_channel,
)
from chatserver.store.forgetting.forgetting import ERASED, ERASED_NAME
from chatserver.store.records import Retention
from chatserver.store.store import Store
from tests.contract.test_store_sessions import DAY, ROOM, TALK, rows, talking
from tests.store.kit import SLEEP, START, Database, newcomer, replay, say
from tests.store.listening_kit import does, listener, seeker, session


async def expire_all(store: Store, now: int) -> None:
    while await store.expire(Millis(now), Retention(member_age=999 * DAY)):
        pass


async def test_expiring_leaves_sessions_rooms_to_the_queue(store: Store) -> None:
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
    # Come-back words led her to her listener, whose id she must not learn.
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
        # What the case keeps is sealed.
        for trace in (ada.id, "what ada wrote", "my evening", "what liv wrote"):
            assert trace.encode() not in left


async def test_an_erasure_leaves_no_bytes_on_the_queue(store: Store, database: Database) -> None:
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
