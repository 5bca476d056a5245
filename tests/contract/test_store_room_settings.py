"""Rooms that are changed and split, announcements, raids and hours, as `room_settings_store` promises."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

from chatserver.domain.errors import Reason
from chatserver.domain.history import CommandId, Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.audit_log import Act, Verifier
from chatserver.domain.people.staff import Role
from chatserver.domain.rooms import settings as rules
from chatserver.domain.rooms.coverage import Attendance, CoverageRules
from chatserver.domain.rooms.rooms import (
    Publication,
    Reaction,
    ReactToPost,
    Room,
    RoomChanged,
    RoomEdit,
    RoomId,
    RoomStatus,
    WritePost,
)
from chatserver.domain.rooms.settings import Hours
from chatserver.domain.rooms.splitting import Tie
from chatserver.store.records import Retention
from chatserver.store.room_settings_records import StaffAction
from chatserver.store.store import Store
from tests.contract.test_store_moderation import measure, refused
from tests.contract.test_store_staff import hired
from tests.store.kit import GRIEF, SLEEP, START, change, newcomer, only, replay, say

_ids = itertools.count(1)


async def operator(store: Store) -> MemberId:
    return (await hired(store, f"op{next(_ids)}", frozenset({Role.OPERATOR}))).member


def deed(
    by: MemberId, reason: str = "because", *, id_: str | None = None, digest: bytes = b"d", now: int = START
) -> StaffAction:
    command = CommandId(id_ or f"k{next(_ids)}")
    return StaffAction(by=by, command_id=command, digest=digest, reason=reason, now=Millis(now))


async def acts(store: Store) -> list[tuple[str, str, str]]:
    entries = await store.audit_entries(0, 1_000)
    verifier = Verifier()
    verifier.read(entries)
    verifier.finish(await store.audit_head())
    acts = [each.act for each in entries if not each.act.action.startswith("account_")]
    return [(act.action, act.subject, act.reason) for act in acts]


async def test_a_new_room_is_there_for_everybody_and_in_the_audit_log(store: Store, other: Store) -> None:
    boss = await operator(store)
    before = await store.moderation_version()
    made = await store.open_room("Night shift", RoomEdit(about="Up while others sleep."), deed(boss))
    assert made.rooms[0] in (await other.room_settings(START)).rooms
    assert only_change(await replay(other, made.rooms[0].id)) == made.rooms[0]
    assert await other.moderation_version() > before
    assert await acts(store) == [("room_opened", "night-shift", "because")]
    ada = await newcomer(store, "Ada", RoomId("night-shift"))
    assert await say(store, ada, "hello", where=RoomId("night-shift")) == 2


def only_change(publications: Sequence[Publication]) -> Room:
    (publication,) = publications
    event = publication.event
    assert isinstance(event, RoomChanged)
    return event.room


async def test_the_same_command_again_does_it_once(store: Store, other: Store) -> None:
    boss = await operator(store)
    once = deed(boss, id_="same")
    made = await asyncio.gather(
        *(each.open_room("Night shift", RoomEdit(about="x"), once) for each in (store, other, store))
    )
    assert len({each.rooms[0].id for each in made}) == 1
    assert len((await store.room_settings(START)).rooms) == 3
    slower = deed(boss, id_="slower")
    for _ in range(2):
        changed = await other.change_room(SLEEP, 0, RoomEdit(slow_mode=9), slower)
        assert (changed.rooms[0].slow_mode, changed.rooms[0].revision) == (9, 1)
        assert changed.publications[0].offset == 1
    await refused(
        store.change_room(SLEEP, 1, RoomEdit(slow_mode=5), deed(boss, id_="slower", digest=b"e")), Reason.DUPLICATE_ID
    )
    assert [act[0] for act in await acts(store)] == ["room_opened", "room_changed"]


async def test_a_change_is_published_and_says_what_was_changed(store: Store) -> None:
    boss = await operator(store)
    changed = await store.change_room(SLEEP, 0, RoomEdit(capacity=40, topic="Tea"), deed(boss, "too loud"))
    assert only_change(await replay(store, SLEEP)) == changed.rooms[0] == await store.room(SLEEP)
    assert await acts(store) == [("room_changed", SLEEP, "too loud (topic, capacity 200 to 40)")]
    nothing = await store.change_room(SLEEP, 1, RoomEdit(capacity=40), deed(boss))
    assert nothing.publications == ()
    assert len(await acts(store)) == 1


async def test_two_operators_do_not_undo_one_another(store: Store, other: Store) -> None:
    boss, colleague = await operator(store), await operator(store)
    attempts = await asyncio.gather(
        store.change_room(SLEEP, 0, RoomEdit(topic="Tea"), deed(boss)),
        other.change_room(SLEEP, 0, RoomEdit(welcome="Come in"), deed(colleague)),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in attempts) == ["ChangedRooms", "Refusal"]
    room = await store.room(SLEEP)
    assert room is not None
    assert (room.revision, bool(room.topic) + bool(room.welcome)) == (1, 1)


async def test_what_is_refused_writes_nothing(store: Store) -> None:
    boss = await operator(store)
    await refused(store.change_room(RoomId("nowhere"), 0, RoomEdit(topic="x"), deed(boss)), Reason.ROOM_UNKNOWN)
    await refused(store.change_room(SLEEP, 0, RoomEdit(name="Grief"), deed(boss)), Reason.ROOM_NAME_TAKEN)
    await refused(store.change_room(SLEEP, 0, RoomEdit(topic="x"), deed(boss, " ")), Reason.TEXT_EMPTY)
    await refused(store.open_room("grief", RoomEdit(about="x"), deed(boss)), Reason.ROOM_NAME_TAKEN)
    await refused(store.enter(Act(at=START, by=boss, action="x", about=(), subject="", reason="")), Reason.TEXT_EMPTY)
    assert await acts(store) == []
    assert await replay(store, SLEEP) == []


async def test_closing_and_opening_again(store: Store) -> None:
    boss, ada = await operator(store), await newcomer(store, "Ada")
    await store.change_room(SLEEP, 0, RoomEdit(status=RoomStatus.CLOSED), deed(boss))
    await refused(store.commit(change(ada, WritePost(text="x"))), Reason.ROOM_CLOSED)
    await refused(store.join(ada.id, SLEEP, None), Reason.ROOM_CLOSED)
    await store.change_room(SLEEP, 1, RoomEdit(status=RoomStatus.OPEN), deed(boss))
    await say(store, ada, "x")
    assert [act[0] for act in await acts(store)] == ["room_closed", "room_reopened"]


async def test_a_split_leads_members_beside_with_the_agreement_they_accepted(store: Store, other: Store) -> None:
    boss = await operator(store)
    people = [await newcomer(store, name) for name in ("Ada", "Bo", "Cleo", "Dan")]
    stranger = await newcomer(store, "Eve", GRIEF)
    ada, bo, cleo, dan = (each.id for each in people)
    once = deed(boss, "full")
    groups = [[ada, bo], [cleo, dan, stranger.id, MemberId("m_nobody_at_all")]]
    split = await store.split_room(SLEEP, 0, groups, once)
    source, beside = split.rooms
    assert (beside.split_of, beside.id, source.revision) == (SLEEP, "sleep-2", 1)
    assert {publication.channel for publication in split.publications} == {"room:sleep", "room:sleep-2"}
    for who, where in ((ada, []), (cleo, [beside.id]), (stranger.id, [])):
        assert [move.to for move in await other.moves_of(who, START)] == where
    # She need not accept anything, because she has accepted the same agreement.
    assert (await store.join(cleo, beside.id, None)).membership.agreement_version == 1
    await refused(store.join(stranger.id, beside.id, None), Reason.AGREEMENT_REQUIRED)
    assert {move.member for move in (await other.room_settings(START)).moves} == {cleo, dan}
    again = await other.split_room(SLEEP, 0, groups, once)
    assert again.rooms[0].id == SLEEP
    assert len((await store.room_settings(START)).rooms) == 3
    assert await acts(store) == [("room_split", SLEEP, "full (into 2, 4)")]


async def test_a_place_is_confirmed_where_they_wish(store: Store) -> None:
    boss = await operator(store)
    people = [(await newcomer(store, name)).id for name in ("Ada", "Bo", "Cleo", "Dan", "Eli", "Fay")]
    split = await store.split_room(SLEEP, 0, [people[:2], people[2:4], people[4:]], deed(boss))
    second, third = split.rooms[1].id, split.rooms[2].id
    await store.confirm_move(people[2], SLEEP, second)
    await store.confirm_move(people[3], SLEEP, SLEEP)
    await store.confirm_move(people[4], SLEEP, second)
    await store.confirm_move(people[4], SLEEP, second)
    await refused(store.confirm_move(people[5], SLEEP, GRIEF), Reason.ROOM_UNKNOWN)
    assert [bool(await store.moves_of(who, START)) for who in people] == [False] * 5 + [True]
    assert second not in await store.joined_rooms(people[3])
    assert {second, third} & (await store.joined_rooms(people[4])).keys() == {second}


async def test_a_room_beside_is_used_again_and_can_be_read_when_it_is_closed(store: Store) -> None:
    boss = await operator(store)
    people = [await newcomer(store, name) for name in ("Ada", "Bo", "Cleo", "Dan")]
    ids = [each.id for each in people]
    split = await store.split_room(SLEEP, 0, [ids[:2], ids[2:]], deed(boss))
    beside = split.rooms[1]
    await store.join(ids[2], beside.id, None)
    await say(store, people[2], "kept", where=beside.id)
    await store.change_room(beside.id, 1, RoomEdit(status=RoomStatus.CLOSED), deed(boss))
    assert (await store.join(ids[2], beside.id, None)).membership.room == beside.id
    await refused(store.join(ids[0], beside.id, 1), Reason.ROOM_CLOSED)
    await refused(store.commit(change(people[2], WritePost(text="x"), where=beside.id)), Reason.ROOM_CLOSED)
    again = await store.split_room(SLEEP, 1, [ids[2:], ids[:2]], deed(boss))
    assert again.rooms[1].id == beside.id
    assert again.rooms[1].status is RoomStatus.OPEN
    await refused(store.split_room(SLEEP, 1, [ids[2:], ids[:2]], deed(boss)), Reason.ROOM_CHANGED)


async def test_a_circle_is_who_answered_and_reacted_to_whom(store: Store) -> None:
    ada, bo, cleo = [await newcomer(store, name) for name in ("Ada", "Bo", "Cleo")]
    first = await say(store, ada, "hello")
    only(await store.commit(change(bo, WritePost(text="hello you", reply_to=first))))
    only(await store.commit(change(cleo, ReactToPost(target=first, reaction=Reaction.HUG, on=True))))
    await say(store, ada, "elsewhere", where=GRIEF)
    circle = await store.companions(SLEEP, [ada.id, MemberId("m_gone")])
    assert set(circle.ties) == {Tie(bo.id, ada.id), Tie(cleo.id, ada.id)}
    assert circle.created_at == {ada.id: START}


async def test_whoever_is_erased_is_led_nowhere(store: Store) -> None:
    boss = await operator(store)
    people = [(await newcomer(store, name)).id for name in ("Ada", "Bo", "Cleo", "Dan")]
    await store.split_room(SLEEP, 0, [people[:2], people[2:]], deed(boss))
    await store.erase(people[2], START)
    assert [move.member for move in (await store.room_settings(START)).moves] == [people[3]]
    await store.expire(Millis(START + rules.MOVE_KEPT + 1), Retention())
    assert await store.moves_of(people[3], START) == []


async def test_an_announcement_stands_until_it_is_over_or_withdrawn(store: Store, other: Store) -> None:
    boss = await operator(store)
    here = rules.announce("n1", SLEEP, "A moderator is here.", 30, START)
    everywhere = rules.announce("n2", None, "We restart at three.", 60, START)
    for notice in (here, everywhere, here):
        assert await store.announce(notice, deed(boss, "so they know")) == notice
    assert (await other.room_settings(START)).notices == (here, everywhere)
    assert (await other.room_settings(here.until)).notices == (everywhere,)
    await refused(
        store.announce(rules.announce("n3", RoomId("nowhere"), "x", 1, START), deed(boss)), Reason.ROOM_UNKNOWN
    )
    for _ in range(2):
        await other.withdraw("n2", deed(boss, "done"))
    assert (await store.room_settings(START)).notices == (here,)
    await refused(store.withdraw("n1", deed(boss, now=here.until)), Reason.NOTICE_UNKNOWN)
    await refused(store.withdraw("n9", deed(boss)), Reason.NOTICE_UNKNOWN)
    assert [act[:2] for act in await acts(store)] == [
        ("announced", SLEEP),
        ("announced", ""),
        ("announcement_withdrawn", "n2"),
    ]
    await store.expire(Millis(everywhere.until + rules.KEPT + 1), Retention())
    await refused(store.withdraw("n1", deed(boss)), Reason.NOTICE_UNKNOWN)


async def test_a_raid_that_goes_on_is_as_old_as_it_began(store: Store, other: Store) -> None:
    boss = await operator(store)
    first = await store.declare(rules.declare("r1", SLEEP, 60, 10, START), deed(boss, "bots"))
    later = Millis(START + 60_000)
    longer = await other.declare(rules.declare("r2", SLEEP, 120, 10, later), deed(boss, now=later))
    assert (longer.at, longer.until) == (first.at, later + 120 * 60_000)
    assert (await store.room_settings(later)).raids == (longer,)
    for _ in range(2):
        await store.end_raid("r2", deed(boss, now=later))
    assert (await other.room_settings(later)).raids == ()
    await refused(store.end_raid("r9", deed(boss)), Reason.RAID_UNKNOWN)
    assert [act[:2] for act in await acts(store)] == [("raid_declared", SLEEP)] * 2 + [("raid_ended", SLEEP)]


RULES = CoverageRules(grace=60_000, patience=300_000)


async def needing(store: Store) -> MemberId:
    boss = await operator(store)
    await store.change_room(SLEEP, 0, RoomEdit(needs_moderator=True), deed(boss))
    return boss


def later(milliseconds: int) -> Millis:
    return Millis(START + milliseconds)


async def keep(store: Store, at: int, *, is_attended: bool = False) -> Attendance:
    await store.keep_coverage(SLEEP, is_attended=is_attended, rules=RULES, now=later(at))
    return next(room.attendance for room in (await store.room_settings(START)).rooms if room.id == SLEEP)


async def test_a_room_without_the_moderator_whom_it_needs_moves_once_whoever_looks(store: Store, other: Store) -> None:
    await needing(store)
    assert await store.coverages() == {}
    assert await keep(store, 0) is Attendance.ATTENDED
    assert (await other.coverages())[SLEEP].attended_at == START
    before = await store.moderation_version()
    moved = await asyncio.gather(
        *(
            each.keep_coverage(SLEEP, is_attended=False, rules=RULES, now=later(60_000))
            for each in (store, other, store)
        )
    )
    assert sum(len(each.publications) for each in moved) == 1
    assert await other.moderation_version() == before + 1
    assert await keep(store, 60_000 + 299_999) is Attendance.SLOWED
    assert await keep(other, 60_000 + 300_000) is Attendance.READ_ONLY
    changes = [each.event.room.attendance for each in await replay(store, SLEEP) if isinstance(each.event, RoomChanged)]
    assert len(changes) == 3
    assert [each[:2] for each in await acts(store)][1:] == [("room_unattended", SLEEP), ("room_read_only", SLEEP)]
    ada = await newcomer(store, "Ada", SLEEP)
    await refused(say(store, ada, "hello"), Reason.UNATTENDED)
    assert await keep(other, 400_000, is_attended=True) is Attendance.ATTENDED
    assert (await acts(store))[-1][:2] == ("room_attended", SLEEP)
    await say(store, ada, "hello")


async def test_that_somebody_is_there_is_written_down_quietly(store: Store, other: Store) -> None:
    await needing(store)
    await keep(store, 0, is_attended=True)
    version = await store.moderation_version()
    for at in (1_000, 5_000, 50_000, 100_000):
        assert await keep(store, at, is_attended=True) is Attendance.ATTENDED
    assert (await other.coverages())[SLEEP].attended_at == later(100_000)
    assert await store.moderation_version() == version
    assert await keep(other, 159_999) is Attendance.ATTENDED


async def test_a_change_that_ends_the_need_opens_the_room(store: Store) -> None:
    boss = await needing(store)
    await keep(store, 0)
    assert await keep(store, 60_000) is Attendance.SLOWED
    changed = await store.change_room(SLEEP, 1, RoomEdit(needs_moderator=False), deed(boss))
    assert changed.rooms[0].attendance is Attendance.ATTENDED
    assert await store.coverages() == {}
    assert await keep(store, 900_000) is Attendance.ATTENDED
    assert await store.coverages() == {}


async def test_a_room_that_is_opened_again_has_its_grace(store: Store) -> None:
    boss = await needing(store)
    await keep(store, 0)
    await keep(store, 60_000)
    await store.change_room(SLEEP, 1, RoomEdit(status=RoomStatus.CLOSED), deed(boss))
    assert await keep(store, 900_000) is Attendance.ATTENDED
    opened = await store.change_room(SLEEP, 2, RoomEdit(status=RoomStatus.OPEN), deed(boss))
    assert opened.rooms[0].attendance is Attendance.ATTENDED
    assert await keep(store, 900_000) is Attendance.ATTENDED
    assert await keep(store, 959_999) is Attendance.ATTENDED


async def test_nothing_is_kept_of_a_room_that_is_not_there(store: Store) -> None:
    steered = await store.keep_coverage(RoomId("nowhere"), is_attended=True, rules=RULES, now=START)
    assert (steered.rooms, steered.publications) == ((), ())


async def test_hours_that_staff_set_stay_and_are_not_undone_unseen(store: Store, other: Store) -> None:
    boss = await operator(store)
    assert (await store.room_settings(START)).hours is None
    wanted = Hours(hours="mon-fri 18:00-23:00", timezone="Europe/Berlin")
    set_ = await store.set_hours(wanted, deed(boss))
    assert set_.revision == 1
    assert await store.set_hours(wanted, deed(boss)) == set_ == (await other.room_settings(START)).hours
    refusal = await refused(other.set_hours(Hours(hours="never", timezone="UTC"), deed(boss)), Reason.HOURS_CHANGED)
    assert refusal.details == {"revision": 1}
    await other.set_hours(Hours(hours="never", timezone="UTC", revision=1), deed(boss))
    assert (await store.room_settings(START)).hours == Hours(hours="never", timezone="UTC", revision=2)
    assert [act[2] for act in await acts(store)] == [
        "because (mon-fri 18:00-23:00, Europe/Berlin)",
        "because (never, UTC)",
    ]


async def test_what_is_forbidden_somewhere_is_forbidden_beside_it_too(store: Store) -> None:
    boss = await operator(store)
    people = [await newcomer(store, name) for name in ("Ada", "Bo", "Cleo", "Dan")]
    ids = [each.id for each in people]
    beside = (await store.split_room(SLEEP, 0, [ids[:2], ids[2:]], deed(boss))).rooms[1].id
    await store.take_measure(measure(boss, people[2], room=SLEEP), START)
    await store.take_measure(measure(boss, people[3], room=beside), START)
    for who in people[2:]:
        for where in (SLEEP, beside):
            await refused(store.commit(change(who, WritePost(text="x"), where=where)), Reason.MUTED)
        await say(store, who, "x", where=GRIEF)
    await say(store, people[0], "x")
