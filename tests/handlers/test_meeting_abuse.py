"""Abuse of support groups: seats that nobody uses, hosts who are accused, and people who take and do not give."""

from __future__ import annotations

from chatserver.domain.history import Millis
from chatserver.domain.limits import Limits
from chatserver.domain.meetings.state import MINUTE, SECOND, MeetingId
from chatserver.domain.moderation.report_access import Asker
from tests.handlers.test_meetings import come, gathered, go_to, jump, newest, pass_time, plan, turn
from tests.handlers.workers import Cluster, facilitator, ok

RAIDERS = 30
RAISED = Limits(command_burst=400.0, member_command_burst=400.0)


async def test_thirty_guests_who_sign_up_and_do_not_come_keep_nobody_out(site: Cluster) -> None:
    worker = await site.worker(limits=RAISED)
    host = await facilitator(worker, "sam")
    group, meeting = await plan(worker, host, minutes=30, form="circle")
    for number in range(RAIDERS):
        raider = await worker.guest()
        await ok(raider, "sign_up", group=group, side="listen" if 6 <= number < 11 else "share")
    honest = [await worker.guest() for _ in range(4)]
    for guest in honest:
        card = (await ok(guest, "sign_up", group=group))["group"]
        assert card["dates"][0]["place"] == "waiting"
    await jump(21 * MINUTE, worker)
    await turn(worker)
    await come(host, meeting)
    # The raiders hold all places but one: somebody who waits may be there and listen, and waits on.
    await come(honest[0], meeting)
    await pass_time(14 * MINUTE + 30 * SECOND, worker)
    for guest in honest[1:]:
        await come(guest, meeting)
    await turn(worker)
    found = await site.store.meeting(MeetingId(meeting))
    assert found is not None
    assert {guest.member: found.people[guest.member].place.value for guest in honest} == {
        guest.member: "seat" for guest in honest
    }


async def test_a_host_who_is_accused_learns_nothing_of_it_and_operators_decide(site: Cluster) -> None:
    worker = await site.worker()
    host, (robin, *_), meeting = await gathered(worker)
    await ok(host, "post", room=meeting, text="You are all fools.")
    await ok(robin, "report_post", room=meeting, member=host.id_in(meeting), reason="unkind")
    at = Millis(0)
    moderator, operator = Asker(member=robin.member, is_operator=False), Asker(member=robin.member, is_operator=True)
    elsewhere = [Asker(member=type(robin.member)("m_other"), is_operator=each) for each in (False, True)]
    assert [len((await site.store.queue(asker, at)).open) for asker in elsewhere] == [0, 1]
    # Nor does who made it handle it, nor the host, whatever else they are.
    for asker in (moderator, operator, Asker(member=host.member, is_operator=True)):
        assert (await site.store.queue(asker, at)).open == ()
    assert "unkind" not in str(host.heard("meeting"))


async def test_who_leaves_after_their_own_turn_takes_nothing_from_the_others(site: Cluster) -> None:
    worker = await site.worker(limits=RAISED)
    host, guests, meeting = await gathered(worker, 3, form="circle", no_crosstalk=True)
    await go_to(host, meeting, "share")
    by_id = {guest.id_in(meeting): guest for guest in guests}
    allotment = newest(host)["allotment"]
    first = by_id[newest(host)["turn"]["holder"]]
    await ok(first, "finish", meeting=meeting)
    await ok(first, "step_out", meeting=meeting)
    view = newest(host)
    assert round((view["turn"]["ends_at"] - view["turn"]["since"]) / 1000) == allotment
    second = by_id[view["turn"]["holder"]]
    await ok(second, "finish", meeting=meeting)
    view = newest(host)
    assert round((view["turn"]["ends_at"] - view["turn"]["since"]) / 1000) == allotment
    # Back, they listen: there is no second turn.
    await ok(first, "enter", meeting=meeting, agreement=1)
    assert newest(host)["order"] == [] if "order" in newest(host) else True
    assert (await ok(first, "meeting", meeting=meeting))["meeting"]["place"] == "listener"


async def test_who_loses_the_line_again_and_again_holds_the_others_up_once(site: Cluster) -> None:
    worker = await site.worker(limits=RAISED)
    host, guests, meeting = await gathered(worker, 3, form="circle", no_crosstalk=True)
    await go_to(host, meeting, "share")
    found = await site.store.meeting(MeetingId(meeting))
    assert found is not None
    holder = found.holder
    (away,) = [guest for guest in guests if guest.member == holder]
    for count in (1, 2):
        away.connection.rooms.clear()
        online = worker.node.online.pop(away.member)
        await pass_time(70 * SECOND, worker)
        found = await site.store.meeting(MeetingId(meeting))
        assert found is not None
        assert found.holder != holder
        assert (holder in found.aside, holder in found.had) == ((True, False) if count == 1 else (False, True))
        worker.node.online[away.member] = online
        await ok(away, "meeting", meeting=meeting)
        current = next(guest for guest in guests if guest.member == found.holder)
        if count == 1:
            # They have the rest of it after the present turn.
            await ok(current, "finish", meeting=meeting)
            found = await site.store.meeting(MeetingId(meeting))
            assert found is not None
            assert found.holder == holder
