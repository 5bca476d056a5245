"""Meetings and groups, as `chatserver.store.meeting_store` promises them, proven for every database."""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings import groups as rules
from chatserver.domain.meetings.commands import MeetingAction
from chatserver.domain.meetings.decide import decide, see
from chatserver.domain.meetings.groups import Group, GroupEdit, GroupId, open_group
from chatserver.domain.meetings.state import MINUTE, SECOND, Form, Meeting, MeetingId, Place, Stage, room_of_meeting
from chatserver.domain.meetings.timers import next_due
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.rooms.rooms import Posted, Room, RoomChanged, Voice, WritePost
from chatserver.store.meeting_records import MeetingChange, MeetingCommitted
from chatserver.store.records import Retention
from chatserver.store.store import Store
from tests.store.kit import START, Database, change, newcomer, replay, say

BEGIN = Millis(START + 60 * MINUTE)
ID = MeetingId("m--one")
GROUP = GroupId("g-evening")


async def group(store: Store, form: Form = Form.CIRCLE, **edit: object) -> tuple[Group, Persona]:
    host = await newcomer(store, "Host")
    asked = msgspec.structs.replace(GroupEdit(name="Evening circle", about="For those who cannot rest."), **edit)
    return await store.add_group(open_group(GROUP, host.id, form, asked)), host


async def planned(store: Store, form: Form = Form.CIRCLE, **edit: object) -> Persona:
    """Plan one meeting, and return its host."""
    opened, host = await group(store, form, **edit)
    await store.plan_meetings(opened.id, lambda found: None, [BEGIN], [ID], ["seed"], START)
    return host


async def do(store: Store, who: MemberId, command: MeetingAction, now: int) -> MeetingCommitted:
    at = Millis(now)
    return await store.commit_meeting(
        MeetingChange(meeting=ID, decide=lambda found: decide(found, command, who, at), now=at)
    )


async def enter(store: Store, *people: Persona, now: int = BEGIN) -> None:
    for who in people:
        await do(store, who.id, c.Enter(name=who.name, agreement=1), now)


async def kept(store: Store) -> Meeting:
    found = await store.meeting(ID)
    assert found is not None
    return found


async def test_what_was_committed_is_what_is_read_and_the_room_follows(store: Store, other: Store) -> None:
    host = await planned(store)
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    before = await kept(other)
    committed = await do(store, ada.id, c.Enter(name="Ada", agreement=1), BEGIN)
    assert committed.meeting == await kept(other)
    assert committed.meeting is not None
    assert (committed.meeting.version, committed.is_changed) == (before.version + 1, True)
    assert [type(each.event) for each in committed.publications] == [RoomChanged]
    await enter(store, host, bea)
    await say(store, ada, "Hello.", where=room_of_meeting(ID), now=BEGIN)
    seen = (await kept(store)).step
    await do(store, host.id, c.Step(seen=seen), BEGIN + SECOND)
    with pytest.raises(Refusal) as refused:
        await say(store, ada, "And", where=room_of_meeting(ID), now=BEGIN + SECOND)
    assert refused.value.reason is Reason.NOT_YOUR_TURN
    await say(store, host, "Welcome.", where=room_of_meeting(ID), now=BEGIN + SECOND)
    assert await other.meeting_versions([ID, MeetingId("m--none")]) == {ID: (await kept(store)).version}
    assert await other.meetings_of(ada.id) == [ID]


async def test_a_refusal_writes_nothing(store: Store) -> None:
    await planned(store)
    ada = await newcomer(store, "Ada")
    before = await kept(store)
    with pytest.raises(Refusal) as refused:
        await do(store, ada.id, c.Enter(name="Ada", agreement=1), START)
    assert refused.value.reason is Reason.NOT_YET
    assert await kept(store) == before
    with pytest.raises(Refusal) as unknown:
        await store.commit_meeting(MeetingChange(meeting=MeetingId("m--no"), decide=lambda found: None, now=START))  # type: ignore[arg-type,return-value]
    assert unknown.value.reason is Reason.MEETING_UNKNOWN


async def test_fifty_who_want_one_seat_are_one_who_has_it(store: Store, other: Store) -> None:
    await planned(store, seats=1)
    people = [await newcomer(store, f"Guest {number}") for number in range(50)]

    async def come(number: int) -> Reason | None:
        who = people[number]
        try:
            await do((store, other)[number % 2], who.id, c.Enter(name=who.name, agreement=1), BEGIN)
        except Refusal as refusal:
            return refusal.reason
        return None

    answers = await asyncio.gather(*map(come, range(len(people))))
    assert {*answers} == {None, Reason.MEETING_FULL}
    inside = answers.count(None)
    found = await kept(store)
    assert len(found.at(Place.SEAT)) == 1
    assert inside == len(found.here()) == 1 + found.listeners


async def test_the_database_sees_people_as_the_domain_does(store: Store, other: Store) -> None:
    host = await planned(store)
    ada = await newcomer(store, "Ada")
    await enter(store, host, ada)
    expected = await kept(store)
    for who, span in ((ada, 5 * SECOND), (host, 9 * SECOND), (ada, 10 * MINUTE), (host, 10 * MINUTE), (ada, SECOND)):
        now = Millis(BEGIN + span)
        expected = see(expected, who.id, now)
        await store.see_in_meetings([who.id], now)
        assert await kept(other) == expected
    assert expected.stood == 10 * MINUTE - 9 * SECOND - 15 * SECOND


async def test_what_is_due_is_found_and_nothing_while_the_clock_stands_still(store: Store) -> None:
    host = await planned(store)
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    assert await store.due_meetings(START, 5) == []
    doors = Millis(BEGIN - 10 * MINUTE)
    assert await store.due_meetings(doors, 5) == [ID]
    await do(store, MemberId(""), c.ApplyDue(), doors)
    assert await store.due_meetings(doors, 5) == []
    await enter(store, host, ada, bea, now=BEGIN)
    due = next_due(await kept(store))
    assert due == BEGIN + 5 * MINUTE
    # Nobody was seen since: nothing is due, however late it is.
    assert await store.due_meetings(Millis(due), 5) == []
    await store.see_in_meetings([ada.id], Millis(due))
    assert await store.due_meetings(Millis(due), 5) == []
    later = next_due(await kept(store))
    assert later == due + 5 * MINUTE - 15 * SECOND
    for at in range(due, later + 1, 14 * SECOND):
        await store.see_in_meetings([ada.id], Millis(at))
    assert await store.due_meetings(Millis(later), 5) == [ID]


async def test_a_reader_of_the_log_can_check_every_post(store: Store) -> None:
    host = await planned(store)
    people = [await newcomer(store, name) for name in ("Ada", "Bea", "Cleo")]
    now, refused = BEGIN + 6 * MINUTE, set[Reason]()
    await enter(store, host, *people, now=now)
    for _ in range(9):
        now += 5 * SECOND
        await store.see_in_meetings([each.id for each in (host, *people)], Millis(now))
        await do(store, host.id, c.Step(seen=(await kept(store)).step), now)
        for who in (host, *people, *people):
            try:
                await say(store, who, "Words.", where=room_of_meeting(ID), now=now)
            except Refusal as refusal:
                refused.add(refusal.reason)
    assert refused <= {Reason.NOT_YOUR_TURN, Reason.SAID_ONCE, Reason.SLOW_MODE, Reason.ROOM_CLOSED}
    assert refused >= {Reason.NOT_YOUR_TURN, Reason.SAID_ONCE}
    allowed: Voice | None = None
    posts: list[str] = []
    for publication in await replay(store, room_of_meeting(ID)):
        match publication.event:
            case RoomChanged(room=Room(voice=voice)):
                allowed = voice
            case Posted(post=post):
                assert allowed is not None
                assert allowed.is_of(post.author)
                posts.append(allowed.phase)
    assert {"welcome", "checkin", "share"} <= {*posts}


async def test_who_leaves_a_round_and_comes_back_has_spoken(store: Store) -> None:
    host = await planned(store)
    ada, bea, cleo = [await newcomer(store, name) for name in ("Ada", "Bea", "Cleo")]
    await enter(store, host, ada, bea, cleo)
    for _ in range(2):
        await do(store, host.id, c.Step(seen=(await kept(store)).step), BEGIN + SECOND)
    await say(store, ada, "Tired.", where=room_of_meeting(ID), now=BEGIN + SECOND)
    await do(store, ada.id, c.StepOut(), BEGIN + SECOND)
    await enter(store, ada, now=BEGIN + SECOND)
    with pytest.raises(Refusal) as refused:
        await say(store, ada, "And sad.", where=room_of_meeting(ID), now=BEGIN + 2 * SECOND)
    assert refused.value.reason is Reason.SAID_ONCE


async def test_a_report_of_a_meeting_is_the_case_of_its_hosts_and_of_nobody_else_there(store: Store) -> None:
    host = await planned(store)
    ada, bea, mo = [await newcomer(store, name) for name in ("Ada", "Bea", "Mo")]
    await enter(store, host, ada, bea, mo)
    await say(store, ada, "You are all fools.", where=room_of_meeting(ID), now=BEGIN)
    await say(store, bea, "I have the pills.", where=room_of_meeting(ID), now=BEGIN)
    await do(store, host.id, c.SendOut(member=ada.id, reason="Cruel."), BEGIN + SECOND)
    late = await newcomer(store, "Late")
    await enter(store, late, now=BEGIN + SECOND)

    async def sees(who: MemberId, *, is_operator: bool = False) -> list[MemberId | None]:
        queue = await store.queue(Asker(member=who, is_operator=is_operator), Millis(0))
        return [each.about for each in queue.open]

    for who in (mo.id, late.id, MemberId("m_elsewhere")):
        assert await sees(who) == [ada.id]
    for who in (host.id, ada.id):
        assert await sees(who, is_operator=True) == []


async def test_a_meeting_that_ended_is_forgotten_in_its_time(store: Store, database: Database) -> None:
    host = await planned(store)
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    await enter(store, host, ada, bea)
    await say(store, ada, "canary-in-a-meeting", where=room_of_meeting(ID), now=BEGIN)
    ended = await do(store, host.id, c.EndMeeting(why="danger"), BEGIN + SECOND)
    assert ended.meeting is not None
    assert ended.meeting.stage is Stage.ENDED
    with pytest.raises(Refusal) as closed:
        await say(store, ada, "more", where=room_of_meeting(ID), now=BEGIN + SECOND)
    assert closed.value.reason is Reason.ROOM_CLOSED
    forget_at = ended.meeting.forget_at
    assert forget_at is not None
    assert await store.due_meetings(Millis(forget_at - 1), 5) == []
    assert await store.due_meetings(forget_at, 5) == [ID]
    gone = await do(store, MemberId(""), c.ApplyDue(), forget_at)
    assert gone.meeting is None
    assert await store.meeting(ID) is None
    assert await store.meetings_of(ada.id) == []
    assert await store.room(room_of_meeting(ID)) is None
    await store.expire(forget_at, Retention())
    if database.path is not None:
        await store.rewrite(forget_at)
        assert b"canary-in-a-meeting" not in database.bytes()


async def test_who_is_erased_is_in_no_meeting_and_no_group(store: Store) -> None:
    host = await planned(store)
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    await enter(store, host, ada, bea)
    exported = await store.export(ada.id, BEGIN)
    assert exported is not None
    assert [(each.name, each.place) for each in exported.meetings] == [("Evening circle", Place.SEAT)]
    for who in (ada, host):
        await store.erase(who.id, Millis(BEGIN + SECOND))
        assert who.id not in str(await kept(store))
        assert await store.meetings_of(who.id) == []
        assert who.id not in str(await replay(store, room_of_meeting(ID)))
    assert await store.groups() == []
    assert host.id not in str(await store.group(GROUP))
    # Whoever is left may still be there.
    assert bea.id in (await kept(store)).people


async def test_a_report_tells_moderators_why_somebody_was_sent_out(store: Store) -> None:
    host = await planned(store)
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    await enter(store, host, ada, bea)
    await say(store, bea, "Go away, all of you.", where=room_of_meeting(ID), now=BEGIN)
    await do(store, host.id, c.SendOut(member=bea.id, reason="They were cruel."), BEGIN)
    exported = await store.export(host.id, BEGIN)
    assert exported is not None
    assert [each.note for each in exported.reports] == ["They were cruel."]
    with pytest.raises(Refusal) as refused:
        await store.commit(change(bea, WritePost(text="x"), where=room_of_meeting(ID), now=BEGIN))
    assert refused.value.reason is Reason.ROOM_UNKNOWN


# ------------------------------------------------------------------------------------------------ groups


async def test_a_changed_group_changes_the_meetings_that_are_ahead(store: Store) -> None:
    await planned(store)
    edit = GroupEdit(agreement="Be kind.", seats=8)
    changed = await store.change_group(GROUP, partial(rules.change_group, seen=1, edit=edit), START)
    assert (changed.revision, changed.agreement_version) == (2, 2)
    found = await kept(store)
    assert (found.agreement, found.agreement_version, found.seats) == ("Be kind.", 2, 8)
    with pytest.raises(Refusal) as refused:
        await store.change_group(GROUP, partial(rules.change_group, seen=1, edit=edit), START)
    assert (refused.value.reason, refused.value.details) == (Reason.GROUP_CHANGED, {"revision": 2})


async def test_a_group_that_ends_calls_its_meetings_off(store: Store) -> None:
    await planned(store)
    await store.end_group(GROUP, "I am moving away.", lambda found: None, START)
    found = await kept(store)
    assert (found.stage, found.why) == (Stage.CANCELLED, "I am moving away.")
    assert await store.groups() == []
    with pytest.raises(Refusal) as refused:
        await store.plan_meetings(GROUP, lambda found: None, [BEGIN], [MeetingId("m--two")], ["seed"], START)
    assert refused.value.reason is Reason.GROUP_ENDED


async def test_a_plan_that_is_sent_again_is_one_plan(store: Store) -> None:
    await planned(store)
    again = await store.plan_meetings(GROUP, lambda found: None, [BEGIN], [ID], ["seed"], START)
    assert again == [await kept(store)]
    with pytest.raises(Refusal) as overlap:
        await store.plan_meetings(GROUP, lambda found: None, [BEGIN], [MeetingId("m--two")], ["seed"], START)
    assert overlap.value.reason is Reason.INVALID


async def test_nobody_signs_up_for_more_than_ten_meetings_at_once(store: Store, other: Store) -> None:
    opened, _ = await group(store)
    ids = [MeetingId(f"m--{number}") for number in range(12)]
    dates = [Millis(BEGIN + number * 24 * 60 * MINUTE) for number in range(12)]
    await store.plan_meetings(opened.id, lambda found: None, dates, ids, ["seed"] * 12, START)
    ada = await newcomer(store, "Ada")

    async def sign_up(number: int) -> Reason | None:
        def asked(found: Meeting) -> c.Decided:
            return decide(found, c.SignUp(name="Ada"), ada.id, START)

        try:
            await (store, other)[number % 2].sign_up(ada.id, [ids[number]], asked, START)
        except Refusal as refusal:
            return refusal.reason
        return None

    answers = await asyncio.gather(*map(sign_up, range(12)))
    assert answers.count(None) == 10
    assert answers.count(Reason.TOO_MANY_SIGN_UPS) == 2
    assert len(await store.meetings_of(ada.id)) == 10
    (found,) = await store.groups()
    assert [each.starts_at for each in found.meetings] == dates
