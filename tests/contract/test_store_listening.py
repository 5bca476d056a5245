"""The listening state, as `chatserver.store.store` promises it, proven for every database."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.commands import (
    Decided,
    KeepWords,
    ListenerLeft,
    ListenerSet,
    NoteWait,
    SeekerLeft,
    SeekerSet,
    SessionForgotten,
    SessionSet,
    ShareForgotten,
    ShareSet,
)
from chatserver.domain.listening.queue_history import Recorded, Span, Wait, WaitOutcome, rounded
from chatserver.domain.listening.state import FairShare, ListeningRules, ListeningState, Profile, Wish
from chatserver.store.records import ListeningChange, Retention, StoreUnavailable
from chatserver.store.store import Store
from tests.store.kit import START, Database, newcomer
from tests.store.listening_kit import at_once, does, listener, seeker, session

DAY = 24 * 3_600_000
ADA, BEA, LIV = MemberId("m_ada"), MemberId("m_bea"), MemberId("m_liv")


# ------------------------------------------------------------------------------------------------ committing


async def test_an_empty_queue_stands_at_its_first_version(store: Store) -> None:
    assert await store.listening_state() == ListeningState()
    assert await store.listening_version() == 0


async def test_what_was_committed_is_what_is_read(store: Store, other: Store) -> None:
    place = seeker(ADA, wish=Wish(topics=("grief",), heavy=4, member=LIV, only=True), avoid=frozenset({BEA}))
    liv = listener(LIV, profile=Profile(lived=("grief",), openings=("Hello, I am here.",)), taken=(START,))
    talk = session("s-1", BEA, LIV, gone={BEA: START}, warned=frozenset({"idle"}))
    committed = await does(store, SeekerSet(seeker=place), ListenerSet(listener=liv), SessionSet(session=talk))
    assert (committed.version, committed.is_changed, committed.has_content_gone) == (1, True, False)
    floor = await other.listening_state()
    assert floor == ListeningState(version=1, seekers={ADA: place}, listeners={LIV: liv}, sessions={talk.id: talk})
    assert await other.listening_version() == 1
    # Again, from the cache of the first read.
    assert await other.listening_state() == floor


async def test_a_share_is_kept_changed_and_erased_with_its_member(store: Store, other: Store) -> None:
    ada = (await newcomer(store, "Ada")).id
    mine, network = FairShare(id=ada, sessions=(START,)), FairShare(id="net:ab", sessions=(START,))
    await does(store, ShareSet(share=mine), ShareSet(share=network))
    more = FairShare(id=ada, sessions=(START,), withdrawn=(START,))
    await does(store, ShareSet(share=more))
    assert (await other.listening_state()).shares == {ada: more, "net:ab": network}
    export = await other.export(ada, START)
    assert export is not None
    assert export.begun == (START,)
    await does(store, ShareForgotten(share="net:ab"))
    await store.erase(ada, START)
    assert (await other.listening_state()).shares == {}


async def test_a_record_is_changed_and_removed(store: Store, other: Store) -> None:
    await does(store, SeekerSet(seeker=seeker(ADA)), ListenerSet(listener=listener(LIV)))
    changed = seeker(ADA, is_first=True)
    await does(other, SeekerSet(seeker=changed), SessionSet(session=session("s-1", ADA, LIV)))
    assert (await store.listening_state()).seekers == {ADA: changed}
    left = (SeekerLeft(member=ADA), ListenerLeft(member=LIV), SessionForgotten(session=session("s-1", ADA, LIV).id))
    await does(store, *left)
    assert await other.listening_state() == ListeningState(version=3)
    # Again, as when a command is sent twice.
    await does(store, *left)
    assert await other.listening_state() == ListeningState(version=4)


async def test_nothing_that_happens_leaves_the_version(store: Store) -> None:
    await does(store, SeekerSet(seeker=seeker(ADA)))
    committed = await does(store)
    assert (committed.version, committed.is_changed) == (1, False)
    assert await store.listening_version() == 1


async def test_two_commits_never_see_the_same_queue(store: Store, other: Store) -> None:
    seen: list[int] = []
    callers = 24

    def count(floor: ListeningState) -> Decided:
        held = floor.listeners[LIV].ignored if floor.listeners else 0
        seen.append(held)
        return Decided(events=(ListenerSet(listener=listener(LIV, ignored=held + 1)),))

    async def call(number: int) -> list[int]:
        on = (store, other)[number % 2]
        return [(await on.commit_listening(ListeningChange(decide=count, now=START))).version for _ in range(5)]

    versions = [version for versions in await at_once(call(i) for i in range(callers)) for version in versions]
    assert sorted(versions) == list(range(1, 5 * callers + 1))
    assert (await store.listening_state()).listeners[LIV].ignored == 5 * callers
    # `decide` may be called again after a rollback, but never with a state that others have changed.
    assert set(seen) == set(range(5 * callers))


async def test_those_who_wait_together_each_find_what_the_one_before_left(store: Store) -> None:
    found: list[tuple[int, int]] = []

    def arrive(number: int) -> Callable[[ListeningState], Decided]:
        def decide(floor: ListeningState) -> Decided:
            found.append((floor.version, len(floor.seekers)))
            return Decided(events=(SeekerSet(seeker=seeker(MemberId(f"m_{number}"))),))

        return decide

    commits = [store.commit_listening(ListeningChange(decide=arrive(i), now=START)) for i in range(40)]
    assert [committed.version for committed in await asyncio.gather(*commits)] == list(range(1, 41))
    assert found == [(i, i) for i in range(40)]


def refuse(floor: ListeningState) -> Decided:
    raise Refusal(Reason.PLACE_GONE)


def stumble(floor: ListeningState) -> Decided:
    raise LookupError("a bug")


@pytest.mark.parametrize(("fails", "error"), [(refuse, Refusal), (stumble, LookupError)])
async def test_one_that_fails_harms_no_other_of_its_batch(
    store: Store, fails: Callable[[ListeningState], Decided], error: type[Exception]
) -> None:
    deciders = [fails if i % 3 == 1 else _arrives(i) for i in range(12)]
    commits = [store.commit_listening(ListeningChange(decide=decide, now=START)) for decide in deciders]
    outcomes = await asyncio.gather(*commits, return_exceptions=True)
    assert [isinstance(outcome, error) for outcome in outcomes] == [i % 3 == 1 for i in range(12)]
    floor = await store.listening_state()
    assert set(floor.seekers) == {f"m_{i}" for i in range(12) if i % 3 != 1}
    assert floor.version == 8


def _arrives(number: int) -> Callable[[ListeningState], Decided]:
    event = SeekerSet(seeker=seeker(MemberId(f"m_{number}")))
    return lambda floor: Decided(events=(event,))


async def test_one_that_the_database_refuses_harms_no_other_of_its_batch(store: Store) -> None:
    # No database can store a number as large as this.
    impossible = NoteWait(asked_at=Millis(2**70), met_at=START)

    def decide(number: int) -> Callable[[ListeningState], Decided]:
        event = SeekerSet(seeker=seeker(MemberId(f"m_{number}")))
        return lambda floor: Decided(events=(event,), effects=(impossible,) if number == 3 else ())

    commits = [store.commit_listening(ListeningChange(decide=decide(i), now=START)) for i in range(6)]
    outcomes = await asyncio.gather(*commits, return_exceptions=True)
    assert [isinstance(outcome, Exception) for outcome in outcomes] == [i == 3 for i in range(6)]
    floor = await store.listening_state()
    assert (floor.version, set(floor.seekers)) == (5, {f"m_{i}" for i in range(6) if i != 3})


async def test_no_more_wait_than_the_backlog_allows(database: Database, store: Store) -> None:
    small = database.store(backlog=4)
    await small.open()
    attempts = [small.commit_listening(ListeningChange(decide=_arrives(i), now=START)) for i in range(9)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    busy = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
    assert [outcome.reason for outcome in busy] == [Reason.BUSY] * 5
    await does(small, SeekerSet(seeker=seeker(ADA)))
    await small.close()
    with pytest.raises(StoreUnavailable):
        await does(small)


async def test_closing_finishes_what_was_accepted(database: Database, store: Store) -> None:
    closing = database.store()
    await closing.open()
    commits = [asyncio.create_task(does(closing, SeekerSet(seeker=seeker(MemberId(f"m_{i}"))))) for i in range(300)]
    await asyncio.sleep(0)
    await closing.close()
    await asyncio.gather(*commits)
    assert len((await store.listening_state()).seekers) == 300


async def test_a_caller_who_gives_up_is_passed_over(store: Store) -> None:
    tasks = [
        asyncio.create_task(store.commit_listening(ListeningChange(decide=_arrives(i), now=START))) for i in range(4)
    ]
    await asyncio.sleep(0)
    tasks[3].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert {"m_0", "m_1", "m_2"} <= set((await store.listening_state()).seekers)


# ------------------------------------------------------------------------------------------------ who is there


async def test_who_was_seen_is_noted_and_only_forwards(store: Store, other: Store) -> None:
    await does(store, *(SeekerSet(seeker=seeker(MemberId(f"m_{i}"))) for i in range(120)))
    await does(store, ListenerSet(listener=listener(LIV)), SessionSet(session=session("s-1", ADA, LIV)))
    people = [MemberId(f"m_{i}") for i in range(120)]
    await other.see([*people, LIV, MemberId("m_nobody"), MemberId("s-1")], Millis(START + 50))
    await store.see([people[0]], Millis(START + 20))
    await store.see([people[1]], Millis(START + 70))
    await store.see([], Millis(START + 90))
    floor = await other.listening_state()
    assert floor.version == 2
    assert {who.seen_at - START for id_, who in floor.seekers.items() if id_ != people[1]} == {50}
    assert (floor.seekers[people[1]].seen_at, floor.listeners[LIV].seen_at) == (START + 70, START + 50)
    assert floor.sessions == {session("s-1", ADA, LIV).id: session("s-1", ADA, LIV)}


async def test_whoever_decides_knows_who_was_seen(store: Store, other: Store) -> None:
    await does(store, SeekerSet(seeker=seeker(ADA)))
    await other.see([ADA], Millis(START + 50))
    seen: list[int] = []

    def look(floor: ListeningState) -> Decided:
        seen.append(floor.seekers[ADA].seen_at)
        return Decided(events=(SeekerSet(seeker=msgspec.structs.replace(floor.seekers[ADA], is_first=True)),))

    await store.commit_listening(ListeningChange(decide=look, now=START))
    assert seen == [START + 50]
    place = (await other.listening_state()).seekers[ADA]
    assert (place.is_first, place.seen_at) == (True, START + 50)


async def test_seeing_and_committing_at_once_lose_nothing(store: Store, other: Store) -> None:
    people = [MemberId(f"m_{i:03}") for i in range(60)]
    await does(store, *(SeekerSet(seeker=seeker(who)) for who in people))

    def touch_all(floor: ListeningState) -> Decided:
        turned = (msgspec.structs.replace(one, is_first=not one.is_first) for one in floor.seekers.values())
        return Decided(events=tuple(SeekerSet(seeker=one) for one in turned))

    async def commit(on: Store) -> None:
        for _ in range(10):
            await on.commit_listening(ListeningChange(decide=touch_all, now=START))

    async def see(on: Store, order: int) -> None:
        for i in range(10):
            await on.see(people[::order], Millis(START + 1 + i))

    await at_once([commit(store), commit(other), see(store, 1), see(other, -1)])
    floor = await store.listening_state()
    assert floor.version == 21
    assert {who.seen_at for who in floor.seekers.values()} == {START + 10}


# ------------------------------------------------------------------------------------------------ hand-overs and words


async def test_the_newest_hand_overs_stand_beside_the_queue(store: Store, other: Store) -> None:
    now = START + DAY
    waits = [(Millis(now - 90_000 * i), Millis(now - 60_000 * i)) for i in (70, 30, 2, 1)]
    for asked_at, met_at in reversed(waits):
        await does(store, effects=(NoteWait(asked_at=asked_at, met_at=met_at),))
    since = waits[-1][1] - ListeningRules().waits_kept
    floor = await other.listening_state()
    assert floor.waits == tuple(wait for wait in waits if wait[1] >= since) == tuple(waits[1:])
    assert floor.version == 0


async def test_hand_overs_are_kept_for_a_week(store: Store, database: Database) -> None:
    await does(store, effects=(NoteWait(asked_at=START, met_at=START),))
    await store.expire(Millis(START + 7 * DAY), Retention())
    assert (await store.listening_state()).waits == ((START, START),)
    await store.expire(Millis(START + 7 * DAY + 1), Retention())
    assert (await store.listening_state()).waits == ()


async def test_words_lead_to_a_listener_until_they_expire(store: Store, other: Store) -> None:
    hashed = hashlib.sha256(b"quiet river").digest()
    words = KeepWords(words_hash=hashed, listener=LIV, expires_at=Millis(START + 10))
    for _ in range(2):
        await does(store, effects=(words,))
    assert await other.listener_of_words(hashed, Millis(START + 9)) == LIV
    assert await other.listener_of_words(hashed, Millis(START + 10)) is None
    assert await other.listener_of_words(b"other", START) is None
    await store.expire(Millis(START + 10), Retention())
    assert await other.listener_of_words(hashed, START) is None


async def test_a_mute_blocks_in_both_directions(store: Store) -> None:
    ada, bea, eve, zoe = [await newcomer(store, name) for name in ("Ada", "Bea", "Eve", "Zoe")]
    await store.set_mute(ada.id, bea.id, True, 9)
    await store.set_mute(eve.id, ada.id, True, 9)
    assert await store.blocked_with(ada.id) == {bea.id, eve.id}
    assert await store.blocked_with(bea.id) == {ada.id}
    assert await store.blocked_with(zoe.id) == frozenset()


async def test_who_stands_on_the_queue_is_not_removed_as_unseen(store: Store) -> None:
    ada, liv, guest = [await newcomer(store, name) for name in ("Ada", "Liv", "Guest")]
    await does(store, SeekerSet(seeker=seeker(ada.id)), ListenerSet(listener=listener(liv.id)))
    await store.expire(Millis(START + 99 * DAY), Retention())
    assert [await store.member(who.id) is not None for who in (ada, liv, guest)] == [True, True, False]


async def test_the_clock_that_all_machines_share_is_told(store: Store, database: Database) -> None:
    told = await store.clock()
    if database.path is not None:
        assert told is None, "a file is on one machine"
    else:
        assert told is not None
        assert abs(told - time.time() * 1000) < 2_000


# ------------------------------------------------------------------------------------------------ timings


async def test_what_ends_is_kept_as_timings_of_nobody_with_the_commit_that_ends_it(
    store: Store, other: Store, database: Database
) -> None:
    talk = session("s-1", ADA, LIV, asked_at=Millis(START + 1), started_at=Millis(START + 31_000))
    wanting = listener(LIV, wants=True, wanted_at=START, profile=Profile(cap=3))
    await does(store, SessionSet(session=talk), SeekerSet(seeker=seeker(BEA, asked_at=START)), now=START)
    await does(store, ListenerSet(listener=wanting), now=START)
    over = msgspec.structs.replace(talk, ended_at=Millis(START + 631_000))
    assert (await other.timings(START, START, 10)) == Recorded((), ())
    await does(store, SessionSet(session=over), SeekerLeft(member=BEA), now=Millis(START + 700_004))
    start = rounded(START)
    waits = (
        Wait(start, rounded(START + 700_004), WaitOutcome.WITHDRAWN, None),
        Wait(rounded(START + 1), rounded(START + 31_000), WaitOutcome.MET, 600_000),
    )
    now = Millis(start + DAY)
    assert set((found := await other.timings(Millis(start - 1), now, 10)).waits) == set(waits)
    assert found.spans == (Span(start, now, 3),), "somebody who listens still does until now"
    await does(store, ListenerSet(listener=msgspec.structs.replace(wanting, wants=False)), now=Millis(start + 60_000))
    assert (await other.timings(Millis(start - 1), now, 10)).spans == (Span(start, Millis(start + 60_000), 3),)
    assert (await other.timings(Millis(start + 30_000), now, 10)) == Recorded(
        (), (Span(Millis(start + 30_000), Millis(start + 60_000), 3),)
    )
    assert len((await other.timings(Millis(start - 1), now, 1)).waits) == 1


async def test_a_refused_command_leaves_no_timing(store: Store) -> None:
    def refuse(floor: ListeningState) -> Decided:
        raise Refusal(Reason.PROPOSAL_GONE)

    with pytest.raises(Refusal):
        await store.commit_listening(ListeningChange(decide=refuse, now=START))
    assert await store.timings(Millis(0), Millis(START + DAY), 10) == Recorded((), ())


async def test_timings_are_kept_for_as_long_as_is_set(store: Store) -> None:
    await does(
        store,
        SeekerSet(seeker=seeker(ADA, asked_at=START)),
        ListenerSet(listener=listener(LIV, wants=True, wanted_at=START)),
    )
    await does(store, SeekerLeft(member=ADA), ListenerLeft(member=LIV), now=Millis(START + 60_000))
    kept = await store.timings(Millis(0), Millis(START + DAY), 10)
    assert (len(kept.waits), len(kept.spans)) == (1, 1)
    retention = Retention(timings_age=2 * DAY)
    await store.expire(Millis(rounded(START) + 2 * DAY), retention)
    assert await store.timings(Millis(0), Millis(START + DAY), 10) == kept
    await store.expire(Millis(rounded(START) + 2 * DAY + 60_001), retention)
    assert await store.timings(Millis(0), Millis(START + DAY), 10) == Recorded((), ())
