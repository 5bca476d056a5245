"""What hosts do and are shown: offers to one person, notes of screening, a room of their own; and who hosts no more."""

from __future__ import annotations

from typing import Any

import pytest

from chatserver.domain.limits import Limits
from chatserver.domain.meetings.commands import Dismiss
from chatserver.domain.meetings.state import MINUTE, SECOND, MeetingId
from chatserver.domain.people.staff import Role
from tests.handlers.test_meetings import GROUP, come, gathered, go_to, jump, newest, plan, step, turn
from tests.handlers.workers import Cluster, Guest, Worker, facilitator, ok, refused
from tests.kit.waiting import eventually

CRY = "I have the pills in front of me."


async def hired(worker: Worker, login: str, *roles: Role) -> Guest:
    link = await worker.people.accounts.make_invitation([*roles], None)
    welcome = await worker.people.accounts.accept_invitation(link.secret, login, login.title(), "lamp river boots sky")
    guest = Guest(worker, None)
    await ok(guest, "hello", staff=True, token=welcome.token)
    return guest


async def view(guest: Guest, meeting: str) -> dict[str, Any]:
    found: dict[str, Any] = (await ok(guest, "meeting", meeting=meeting))["meeting"]
    return found


# ------------------------------------------------------------------------------------------------ one person, aside


async def test_who_is_offered_a_listener_alone_sees_it_and_is_first_when_they_say_yes(site: Cluster) -> None:
    here, there = await site.worker(), await site.worker()
    host, (robin, wren, _), meeting = await gathered(here)
    there.node.clock_ahead = here.node.clock_ahead
    first = await there.guest()
    await ok(first, "ask", agreement=True)
    far = await there.guest()
    await come(far, meeting)
    await turn(here, there)
    them = far.id_in(meeting)
    assert await refused(wren, "aside", meeting=meeting, member=them) == "not_allowed"
    await ok(host, "aside", meeting=meeting, member=them)
    await turn(there)
    assert newest(far)["offered_until"] > there.node.database_now()
    assert "answer_aside" in newest(far)["may"]
    assert [each["id"] for each in (await view(host, meeting))["people"] if each.get("offered")] == [them]
    for guest in (robin, wren):
        assert "offered" not in str(newest(guest))
    assert await refused(far, "answer_aside", meeting=meeting, yes=True) == "agreement_required"
    for _ in range(2):
        await ok(far, "answer_aside", meeting=meeting, yes=True, agreement=True)
    assert "offered_until" not in newest(far)
    await eventually(lambda: first.member in here.listening.service.state.seekers)
    standing = await ok(far, "standing")
    assert (standing["place"], standing["is_first"]) == (1, True)
    # The host sees that it was answered, not how; and nobody else goes first so soon.
    assert "aside" not in (await view(host, meeting))["may"]
    assert await refused(host, "aside", meeting=meeting, member=robin.id_in(meeting)) == "offered_already"


async def test_an_offer_can_be_declined_and_comes_again_to_others(site: Cluster) -> None:
    worker = await site.worker()
    host, (robin, wren, _), meeting = await gathered(worker)
    await ok(host, "aside", meeting=meeting, member=robin.id_in(meeting))
    await ok(robin, "answer_aside", meeting=meeting, yes=False)
    assert await refused(robin, "answer_aside", meeting=meeting, yes=True, agreement=True) == "offer_gone"
    assert await refused(host, "aside", meeting=meeting, member=robin.id_in(meeting)) == "offered_already"
    await jump(7 * MINUTE, worker)
    await turn(worker)
    await ok(host, "aside", meeting=meeting, member=wren.id_in(meeting))
    # With a wish of their own.
    await ok(wren, "ask", agreement=True, heavy=4)
    await ok(wren, "answer_aside", meeting=meeting, yes=True, agreement=True)
    seeker = worker.listening.service.state.seekers[wren.member]
    assert (seeker.is_referred, seeker.wish.heavy) == (True, 4)


async def test_while_listening_is_closed_nobody_is_offered_a_listener(
    site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await site.worker()
    host, (robin, *_), meeting = await gathered(worker)
    monkeypatch.setattr(worker.listening.service._hours, "is_open", lambda now: False)
    assert "aside" not in (await view(host, meeting))["may"]
    assert await refused(host, "aside", meeting=meeting, member=robin.id_in(meeting)) == "listening_closed"


# ------------------------------------------------------------------------------------------------ hosts alone


async def test_a_cry_for_help_is_noted_to_the_hosts_on_every_worker_and_to_nobody_else(site: Cluster) -> None:
    here, there = await site.worker(), await site.worker()
    sam, kim = await facilitator(here, "sam"), await facilitator(there, "kim")
    _, meeting = await plan(here, sam, minutes=9, cohosts=[kim.member])
    robin, wren = await here.guest(), await here.guest()
    for guest in (sam, kim, robin, wren):
        await come(guest, meeting)
        await view(guest, meeting)
    offset = (await ok(robin, "post", room=meeting, text=CRY))["offset"]
    await eventually(lambda: "notes" in newest(sam))
    await turn(there)
    for host, alias in ((sam, robin.id_in(meeting)), (kim, robin.id_in(meeting))):
        (note,) = newest(host)["notes"]
        assert (note["member"], note["offset"], note["level"] >= 2) == (alias, offset, True)
    for guest in (robin, wren):
        assert "notes" not in str(guest.heard("meeting"))
    assert len((await view(kim, meeting))["notes"]) == 1


async def test_hosts_have_a_room_of_their_own_that_goes_with_the_meeting(site: Cluster) -> None:
    worker = await site.worker()
    sam, kim = await facilitator(worker, "sam"), await facilitator(worker, "kim")
    _, meeting = await plan(worker, sam, minutes=9, cohosts=[kim.member])
    robin = await worker.guest()
    for guest in (sam, kim, robin):
        await come(guest, meeting)
    backstage = (await view(sam, meeting))["backstage"]
    assert "backstage" not in await view(robin, meeting)
    for host in (sam, kim):
        await ok(host, "join", room=backstage)
    await ok(sam, "post", room=backstage, text="Robin seems tired.")
    assert await refused(robin, "join", room=backstage) == "room_unknown"
    assert "Robin seems tired." not in str(robin.heard("posted"))
    await jump(10 * MINUTE, worker)
    await turn(worker)
    # Whose turn it is in the meeting matters nothing here, and a word here is no word there.
    await go_to(sam, meeting, "checkin")
    await ok(kim, "post", room=backstage, text="I take the next one.")
    await ok(kim, "post", room=meeting, text="Tired.")
    await ok(kim, "step_out", meeting=meeting)
    assert backstage not in kim.connection.rooms
    await ok(sam, "end_meeting", meeting=meeting, why="danger")
    assert await refused(sam, "post", room=backstage, text="x") == "room_closed"
    await jump(25 * 60 * MINUTE, worker)
    await turn(worker)
    for room in (meeting, backstage):
        assert await refused(sam, "join", room=room) == "room_unknown"
    assert "Robin seems tired." not in str(await site.store.export(sam.member, worker.node.now()))


async def test_one_host_alone_has_no_room_backstage(site: Cluster) -> None:
    worker = await site.worker()
    host, _, meeting = await gathered(worker)
    assert "backstage" not in await view(host, meeting)


# ------------------------------------------------------------------------------------------------ who hosts


async def test_operators_change_call_off_and_end_groups_of_others_and_moderators_do_not(site: Cluster) -> None:
    worker = await site.worker()
    sam = await facilitator(worker, "sam")
    olga, mo = await hired(worker, "olga", Role.OPERATOR), await hired(worker, "mo", Role.MODERATOR)
    # A new operator's role begins to count later.
    for guest in (olga, mo):
        guest.connection.roles = frozenset({Role.OPERATOR if guest is olga else Role.MODERATOR})
    group, meeting = await plan(worker, sam)
    (card,) = (await ok(olga, "groups"))["groups"]
    assert (card.get("mine", False), card["revision"]) == (False, 1)
    (card,) = (await ok(mo, "groups"))["groups"]
    assert "revision" not in card
    fields = {"group": group, "seen": 1, "no_crosstalk": True}
    assert await refused(mo, "change_group", **fields) == "not_allowed"
    assert (await ok(olga, "change_group", **fields))["group"]["no_crosstalk"] is True
    assert await refused(olga, "plan", group=group, dates=[worker.node.database_now() + MINUTE]) == "not_allowed"
    assert await refused(mo, "cancel", meeting=meeting) == "not_allowed"
    assert "cancel" in (await view(olga, meeting))["may"]
    await ok(olga, "cancel", meeting=meeting, why="The house is closed.")
    assert (await view(sam, meeting))["stage"] == "cancelled"
    assert await refused(mo, "end_group", group=group) == "not_allowed"
    assert (await ok(olga, "end_group", group=group))["group"]["ended_at"] > 0


async def test_a_host_whose_account_is_revoked_hosts_no_more_and_the_other_goes_on(site: Cluster) -> None:
    worker = await site.worker()
    sam, kim = await facilitator(worker, "sam"), await facilitator(worker, "kim")
    _, meeting = await plan(worker, sam, minutes=9, cohosts=[kim.member])
    robin, wren = await worker.guest(), await worker.guest()
    for guest in (sam, kim, robin, wren):
        await come(guest, meeting)
    await jump(9 * MINUTE + SECOND, worker)
    await turn(worker)
    await site.store.set_staff(sam.member, frozenset({Role.LISTENER}), now=worker.node.now())
    worker.meetings.staff_changed()
    await worker.meetings.service._turn()
    assert meeting not in sam.connection.rooms
    assert await refused(sam, "step", meeting=meeting, seen=99) == "meeting_unknown"
    assert len((await view(kim, meeting))["people"]) == 3
    await step(kim, meeting)
    assert (await ok(robin, "groups"))["groups"][0]["name"] == GROUP["name"]


# ------------------------------------------------------------------------------------------------ refusals


COMMANDS: dict[str, dict[str, Any]] = {
    "sit_back": {"on": True},
    "raise": {"on": True},
    "finish": {},
    "later": {},
    "pass": {"on": True},
    "answer_aside": {"yes": True, "agreement": True},
    "step": {"seen": 99},
    "call_on": {"member": "other"},
    "add_time": {},
    "pause": {"on": True},
    "aside": {"member": "other"},
    "send_out": {"member": "other", "reason": "x"},
    "end_meeting": {},
}
OF_HOSTS = {"step", "call_on", "add_time", "pause", "aside", "send_out", "end_meeting"}
WHY_NOT = {
    # Somebody who is not in it, who was sent out, whose turn it is not, and who only listens.
    "stranger": dict.fromkeys(COMMANDS, "meeting_unknown"),
    "sent_out": {each: "not_allowed" if each in OF_HOSTS else "not_in_room" for each in COMMANDS},
    "sharer": {
        "sit_back": "phase_over",
        "raise": "phase_over",
        "finish": "not_your_turn",
        "answer_aside": "offer_gone",
        **dict.fromkeys(OF_HOSTS, "not_allowed"),
    },
    "listener": {
        "raise": "phase_over",
        "finish": "not_your_turn",
        "later": "not_your_turn",
        "pass": "not_your_turn",
        "answer_aside": "offer_gone",
        **dict.fromkeys(OF_HOSTS, "not_allowed"),
    },
    "dismissed": dict.fromkeys(COMMANDS, "meeting_unknown"),
    "host": {"raise": "phase_over", "finish": "not_your_turn", "call_on": "phase_over", "sit_back": "not_allowed"},
}


async def test_every_command_out_of_phase_out_of_turn_or_by_the_wrong_person_is_refused_by_name(site: Cluster) -> None:
    worker = await site.worker(limits=Limits(command_burst=400.0, member_command_burst=400.0))
    host, guests, meeting = await gathered(worker, 4, form="circle")
    await jump(6 * MINUTE, worker)
    await turn(worker)
    await go_to(host, meeting, "share")
    late = await worker.guest()
    await come(late, meeting)
    shown = await view(host, meeting)
    waiting = [guest for guest in guests if guest.id_in(meeting) in shown["order"]]
    other = guests[0].id_in(meeting)
    gone = waiting.pop()
    await ok(host, "send_out", meeting=meeting, member=gone.id_in(meeting), reason="Cruel.")
    dismissed = waiting.pop()
    await worker.meetings.service.do(dismissed.member, MeetingId(meeting), Dismiss())
    people = {
        "stranger": await worker.guest(),
        "sent_out": gone,
        "sharer": waiting.pop(),
        "listener": late,
        "dismissed": dismissed,
        "host": host,
    }
    found = {
        who: {
            cmd: await refused(guest, cmd, meeting=meeting, **_meant(fields, other))
            for cmd, fields in COMMANDS.items()
            if cmd in WHY_NOT[who]
        }
        for who, guest in people.items()
    }
    assert found == WHY_NOT
    for who in ("sharer", "listener"):
        assert not {*(await view(people[who], meeting))["may"]} & WHY_NOT[who].keys()


def _meant(fields: dict[str, Any], other: str) -> dict[str, Any]:
    return {name: other if value == "other" else value for name, value in fields.items()}


async def test_before_its_doors_open_and_after_its_end_nothing_of_it_can_be_steered(site: Cluster) -> None:
    worker = await site.worker()
    sam, wren = await facilitator(worker, "sam"), await worker.guest()
    group, meeting = await plan(worker, sam, minutes=30)
    await ok(wren, "sign_up", group=group)
    for cmd, fields in COMMANDS.items():
        if cmd not in ("call_on", "aside", "send_out"):
            who = sam if cmd in OF_HOSTS else wren
            assert await refused(who, cmd, meeting=meeting, **fields) == "not_yet"
    await jump(25 * MINUTE, worker)
    await turn(worker)
    for guest in (sam, wren):
        await come(guest, meeting)
    them = wren.id_in(meeting)
    await ok(sam, "end_meeting", meeting=meeting, why="danger")
    for cmd, fields in COMMANDS.items():
        if cmd != "end_meeting":
            who = sam if cmd in OF_HOSTS else wren
            assert await refused(who, cmd, meeting=meeting, **_meant(fields, them)) == "doors_closed"
