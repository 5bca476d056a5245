"""Meetings on workers: how they are planned, entered, steered and shown, and what one worker does for another."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings.commands import MeetingAction
from chatserver.domain.meetings.state import MINUTE, SECOND, MeetingId
from chatserver.domain.moderation.report_access import Asker
from chatserver.store.meeting_records import MeetingCommitted
from tests.handlers.workers import Cluster, Guest, Worker, facilitator, ok, refused
from tests.kit.waiting import eventually

OPERATOR = Asker(member=MemberId("m_operator"), is_operator=True)
GROUP = {"form": "hands", "name": "Evening round", "about": "For those who cannot rest.", "agreement": "Be kind."}


async def plan(worker: Worker, host: Guest, *, minutes: int = 60, **group: Any) -> tuple[str, str]:
    """Open a group with one meeting in so many minutes. Return the ids of both."""
    opened = (await ok(host, "open_group", **{**GROUP, **group}))["group"]["id"]
    date = worker.node.database_now() + minutes * MINUTE
    planned = await ok(host, "plan", group=opened, dates=[date])
    return opened, planned["group"]["dates"][0]["id"]


async def pass_time(span: int, *workers: Worker) -> None:
    """Let time pass on these workers, while everybody is seen every ten seconds."""
    while span > 0:
        for worker in workers:
            worker.node.clock_ahead -= min(span, 10 * SECOND)
        span -= 10 * SECOND
        await turn(*workers)


async def jump(span: int, *workers: Worker) -> None:
    """Let time pass during which nothing is noted or carried out."""
    for worker in workers:
        worker.node.clock_ahead -= span


async def turn(*workers: Worker) -> None:
    for worker in workers:
        worker.meetings.service._seen_at = float("-inf")
        await worker.meetings.service._turn()


async def gathered(worker: Worker, count: int = 3, **group: Any) -> tuple[Guest, list[Guest], str]:
    """A host and guests in a meeting whose time has come. Return them, and the meeting's id."""
    host = await facilitator(worker, "sam")
    _, meeting = await plan(worker, host, minutes=9, **group)
    guests = [await worker.guest() for _ in range(count)]
    for guest in (host, *guests):
        await come(guest, meeting)
    await jump(9 * MINUTE + SECOND, worker)
    await turn(worker)
    return host, guests, meeting


async def come(guest: Guest, meeting: str) -> None:
    await ok(guest, "enter", meeting=meeting, agreement=1)
    await ok(guest, "join", room=meeting)


async def step(host: Guest, meeting: str) -> None:
    seen = (await ok(host, "meeting", meeting=meeting))["meeting"]["step"]
    await ok(host, "step", meeting=meeting, seen=seen)


async def go_to(host: Guest, meeting: str, kind: str) -> None:
    for _ in range(10):
        view = (await ok(host, "meeting", meeting=meeting))["meeting"]
        if view["phases"][view["phase"]]["kind"] == kind:
            return
        await step(host, meeting)
    raise AssertionError(f"{kind} does not come")


def voice_of(guest: Guest) -> dict[str, Any]:
    voice: dict[str, Any] = guest.heard("room_changed")[-1]["room"]["voice"]
    return voice


def newest(guest: Guest) -> dict[str, Any]:
    view: dict[str, Any] = guest.heard("meeting")[-1]["meeting"]
    return view


async def test_a_group_is_planned_signed_up_for_and_entered_once_its_doors_are_open(site: Cluster) -> None:
    worker = await site.worker()
    host, wren = await facilitator(worker, "sam"), await worker.guest()
    group, meeting = await plan(worker, host, seats=1)
    (card,) = (await ok(wren, "groups"))["groups"]
    assert (card["id"], card["name"], card["dates"][0]["free"]) == (group, "Evening round", 1)
    assert "script" not in card
    assert (len(card["phases"]), card["phases"][0]) == (6, {"kind": "gather", "minutes": 5})
    card = (await ok(wren, "sign_up", group=group))["group"]
    assert (card["dates"][0]["place"], card["dates"][0]["free"]) == ("seat", 0)
    otter = await worker.guest()
    assert (await ok(otter, "sign_up", group=group, meetings=[meeting]))["group"]["dates"][0]["place"] == "waiting"
    early = await wren.ask("enter", meeting=meeting, agreement=1)
    assert early["error"]["code"] == "not_yet"
    assert early["error"]["details"]["doors_at"] == card["dates"][0]["doors_at"]
    await jump(51 * MINUTE, worker)
    assert await refused(wren, "enter", meeting=meeting, agreement=0) == "agreement_required"
    view = (await ok(wren, "enter", meeting=meeting, agreement=1))["meeting"]
    assert (view["place"], view["here"], view["stage"]) == ("seat", True, "live")
    assert "step_out" in view["may"]
    assert await refused(otter, "enter", meeting=meeting, agreement=1) == "meeting_full"
    joined = await ok(wren, "join", room=meeting)
    assert joined["room"]["voice"]["who"] == "all"
    assert joined["room"]["voice"]["phase"] == "gather"
    assert await refused(otter, "join", room=meeting) == "room_unknown"
    await ok(wren, "post", room=meeting, text="Good evening.")


async def test_in_a_turn_only_its_holder_writes_and_everybody_is_shown_whose_it_is(site: Cluster) -> None:
    worker = await site.worker()
    host, (robin, wren, heron), meeting = await gathered(worker)
    await go_to(host, meeting, "hands")
    await ok(robin, "raise", meeting=meeting, on=True)
    await ok(wren, "raise", meeting=meeting, on=True)
    view = newest(heron)
    assert view["turn"]["holder"] == robin.id_in(meeting)
    assert view["hands"] == [wren.id_in(meeting)]
    assert await refused(wren, "post", room=meeting, text="May I?") == "not_your_turn"
    await ok(robin, "post", room=meeting, text="Thank you.")
    assert await refused(heron, "finish", meeting=meeting) == "not_your_turn"
    await ok(robin, "finish", meeting=meeting)
    assert newest(heron)["turn"]["holder"] == wren.id_in(meeting)
    await eventually(lambda: voice_of(heron)["some"] == [wren.id_in(meeting)])
    assert voice_of(heron)["who"] == "some"
    await ok(wren, "report_post", room=meeting, member=robin.id_in(meeting), reason="unkind")


def is_noted(worker: Worker, meeting: str, number: int) -> bool:
    """Whether a worker knows that so many have written in this round, or that it is over."""
    said = worker.meetings.service._pictures[MeetingId(meeting)].said
    return len(said) in (number, 0)


async def test_in_a_round_everybody_writes_once_and_it_is_over_when_all_have(site: Cluster) -> None:
    worker = await site.worker()
    host, guests, meeting = await gathered(worker)
    await go_to(host, meeting, "checkin")
    for number, guest in enumerate((host, *guests), 1):
        await ok(guest, "post", room=meeting, text="Tired.")
        assert await refused(guest, "post", room=meeting, text="And sad.") in ("said_once", "not_your_turn")
        await eventually(partial(is_noted, worker, meeting, number))
    view = (await ok(host, "meeting", meeting=meeting))["meeting"]
    assert view["phases"][view["phase"]]["kind"] == "hands"


async def test_what_the_view_says_one_may_do_is_what_is_not_refused(site: Cluster) -> None:
    worker = await site.worker()
    host, (robin, wren, _), meeting = await gathered(worker)
    await go_to(host, meeting, "hands")
    await ok(robin, "raise", meeting=meeting, on=True)
    await ok(wren, "raise", meeting=meeting, on=True)
    views = {guest: (await ok(guest, "meeting", meeting=meeting))["meeting"]["may"] for guest in (host, robin, wren)}
    assert {*views[robin]} == {"step_out", "finish"}
    assert {*views[wren]} == {"step_out", "raise"}
    assert {*views[host]} == {
        "step_out",
        "raise",
        "step",
        "call_on",
        "pause",
        "aside",
        "send_out",
        "end_meeting",
    }
    for guest, cmd, fields in (
        (robin, "later", {}),
        (robin, "step", {"seen": 99}),
        (wren, "finish", {}),
        (wren, "pause", {"on": True}),
        (host, "add_time", {}),
    ):
        assert "error" in await guest.ask(cmd, meeting=meeting, **fields)


async def test_two_workers_show_the_same_and_one_goes_on_for_the_other(site: Cluster) -> None:
    here, there = await site.worker(), await site.worker()
    host, (robin, _, _), meeting = await gathered(here)
    there.node.clock_ahead = here.node.clock_ahead
    far = await there.guest()
    await come(far, meeting)
    await turn(here, there)
    await go_to(host, meeting, "hands")
    await ok(robin, "raise", meeting=meeting, on=True)
    await turn(there)
    assert newest(far)["turn"]["holder"] == robin.id_in(meeting)
    # The first worker is gone. Whoever is there goes on: after a minute the turn of somebody lost is over.
    await pass_time(2 * MINUTE, there)
    view = newest(far)
    assert "turn" not in view
    assert view["host_lost"]
    assert robin.id_in(meeting) in [each["id"] for each in view["people"] if each.get("lost")]
    await pass_time(2 * MINUTE, there)
    assert newest(far)["phases"][newest(far)["phase"]]["kind"] == "closing"


async def test_an_outage_takes_nobody_their_turn(site: Cluster) -> None:
    worker = await site.worker()
    host, (robin, _, heron), meeting = await gathered(worker)
    await go_to(host, meeting, "hands")
    await ok(robin, "raise", meeting=meeting, on=True)
    before = newest(heron)["turn"]["ends_at"]
    await jump(30 * MINUTE, worker)
    await turn(worker)
    after = newest(heron)
    assert after["turn"]["holder"] == robin.id_in(meeting)
    assert after["turn"]["ends_at"] >= before + 29 * MINUTE


async def test_who_steps_out_leaves_the_room_everywhere_and_comes_back_to_listen(site: Cluster) -> None:
    here, there = await site.worker(), await site.worker()
    _, (robin, wren, _), meeting = await gathered(here)
    there.node.clock_ahead = here.node.clock_ahead
    device = await there.guest(here.token_of(robin))
    await ok(device, "join", room=meeting)
    secret = (await ok(wren, "post", room=meeting, text="Between us."))["offset"]
    await ok(robin, "step_out", meeting=meeting)
    assert meeting not in robin.connection.rooms
    await turn(there)
    await turn(there)
    assert meeting not in device.connection.rooms
    assert await refused(robin, "history", room=meeting, before=99) == "not_in_room"
    await ok(robin, "enter", meeting=meeting, agreement=1)
    joined = await ok(robin, "join", room=meeting, since={"epoch": "none", "offset": 1})
    assert joined["posts"] == []
    page = await ok(robin, "history", room=meeting, before=secret + 1)
    assert page["posts"] == []


async def test_who_was_sent_out_is_out_and_moderators_read_why(site: Cluster) -> None:
    worker = await site.worker()
    host, (robin, _, heron), meeting = await gathered(worker)
    them = robin.id_in(meeting)
    assert await refused(heron, "send_out", meeting=meeting, member=them, reason="x") == "not_allowed"
    await ok(host, "send_out", meeting=meeting, member=them, reason="They were cruel.")
    assert meeting not in robin.connection.rooms
    assert await refused(robin, "enter", meeting=meeting, agreement=1) == "sent_out"
    assert await refused(robin, "join", room=meeting) == "room_unknown"
    assert "They were cruel." in str(await site.store.export(host.member, worker.node.now()))


async def test_who_is_erased_or_banned_is_taken_out_and_the_meeting_goes_on(site: Cluster) -> None:
    worker = await site.worker()
    host, (robin, wren, heron), meeting = await gathered(worker)
    await go_to(host, meeting, "hands")
    for guest in (robin, wren):
        await ok(guest, "raise", meeting=meeting, on=True)
    await worker.meetings.before_erasure(robin.member)
    assert newest(heron)["turn"]["holder"] == wren.id_in(meeting)
    await worker.meetings.member_banned(wren.member)
    assert "turn" not in newest(heron)
    assert len(newest(heron)["people"]) == 2


async def test_who_does_not_come_twice_frees_their_seats_in_the_series(site: Cluster) -> None:
    worker = await site.worker()
    sam, wren = await facilitator(worker, "sam"), await worker.guest()
    group = (await ok(sam, "open_group", **GROUP))["group"]["id"]
    now, week = worker.node.database_now(), 7 * 24 * 60 * MINUTE
    await ok(sam, "plan", group=group, dates=[now + 15 * MINUTE + each * week for each in range(3)])
    await ok(wren, "sign_up", group=group)

    async def places() -> list[str | None]:
        (card,) = (await ok(wren, "groups"))["groups"]
        return ["freed" if each.get("freed") else each.get("place") for each in card["dates"]]

    assert await places() == ["seat"] * 3
    for expected in (["seat"] * 2, ["freed"]):
        await jump(20 * MINUTE + SECOND, worker)
        await turn(worker)
        await eventually(lambda: not worker.meetings.service._tasks._tasks)
        await jump(6 * MINUTE, worker)
        await turn(worker)
        assert await places() == expected
        await jump(week - 26 * MINUTE - SECOND, worker)


async def test_a_meeting_that_runs_into_a_bug_holds_up_no_other(site: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = await site.worker()
    service = worker.meetings.service
    (_, bad), (_, good) = [await plan(worker, await facilitator(worker, login)) for login in ("sam", "kim")]
    do = service.do

    async def fail(who: MemberId, meeting: MeetingId, command: MeetingAction) -> MeetingCommitted:
        if meeting == bad:
            raise RuntimeError("a bug")
        return await do(who, meeting, command)

    monkeypatch.setattr(service, "do", fail)
    await jump(51 * MINUTE, worker)
    await turn(worker)
    found = await site.store.meetings([MeetingId(bad), MeetingId(good)])
    assert {id_: each.is_live for id_, each in found.items()} == {bad: False, good: True}


async def test_only_its_own_hosts_change_a_group(site: Cluster) -> None:
    worker = await site.worker()
    sam, kim = await facilitator(worker, "sam"), await facilitator(worker, "kim")
    group, meeting = await plan(worker, sam)
    for cmd, fields in (
        ("change_group", {"group": group, "seen": 1, "seats": 4}),
        ("plan", {"group": group, "dates": [worker.node.database_now() + 600 * MINUTE]}),
        ("end_group", {"group": group}),
        ("cancel", {"meeting": meeting, "why": ""}),
    ):
        assert await refused(kim, cmd, **fields) in ("not_allowed", "meeting_unknown")
    changed = await ok(sam, "change_group", group=group, seen=1, seats=4, cohosts=[kim.member])
    assert changed["group"]["dates"][0]["seats"] == 4
    assert await refused(sam, "change_group", group=group, seen=1, seats=5) == "group_changed"
    wren = await worker.guest()
    assert await refused(sam, "change_group", group=group, seen=2, cohosts=[wren.member]) == "member_unknown"
    assert await refused(wren, "open_group", **GROUP) == "not_allowed"
    await ok(sam, "cancel", meeting=meeting, why="I am ill.")
    view = (await ok(sam, "meeting", meeting=meeting))["meeting"]
    assert (view["stage"], view["why"]) == ("cancelled", "I am ill.")


async def test_hosts_see_who_hosts_with_them_and_whom_they_could_ask(site: Cluster) -> None:
    worker = await site.worker()
    sam, kim = await facilitator(worker, "sam"), await facilitator(worker, "kim")
    found = (await ok(sam, "facilitators"))["facilitators"]
    assert [each["name"] for each in found] == ["Kim"]
    opened = (await ok(sam, "open_group", **GROUP, seats=7, cohosts=[found[0]["id"]]))["group"]
    assert ([each["name"] for each in opened["hosts"]], opened["seats"]) == (["Sam", "Kim"], 7)
    (of_kim,) = (await ok(kim, "groups"))["groups"]
    assert (of_kim["hosts"], of_kim["mine"]) == (opened["hosts"], True)
    wren = await worker.guest()
    (of_wren,) = (await ok(wren, "groups"))["groups"]
    assert "hosts" not in of_wren
    assert await refused(wren, "facilitators") == "not_allowed"


async def test_a_plan_in_the_past_too_long_or_in_no_time_zone_is_refused(site: Cluster) -> None:
    worker = await site.worker()
    sam = await facilitator(worker, "sam")
    group = (await ok(sam, "open_group", **GROUP))["group"]["id"]
    now = worker.node.database_now()
    for fields in (
        {"dates": [now - MINUTE]},
        {"dates": [now + 60 * MINUTE, now + 61 * MINUTE]},
        {"dates": [now + 400 * 24 * 60 * MINUTE]},
        {"dates": [now + 60 * MINUTE * each for each in range(1, 28)]},
        {"first": "2026-02-30T10:00"},
        {"first": "2099-03-16T10:00", "zone": "Europe/Atlantis"},
        {},
    ):
        assert await refused(sam, "plan", group=group, **fields) == "invalid"
    kim = await facilitator(worker, "kim")
    assert await refused(kim, "open_group", **{**GROUP, "script": ["x" * 501]}) == "text_too_long"
    assert await refused(kim, "open_group", **{**GROUP, "script": ["x"] * 41}) == "invalid"
    assert len((await ok(kim, "open_group", **{**GROUP, "script": ["x" * 300] * 40}))["group"]["script"]) == 40


async def test_whoever_looks_at_a_meeting_hears_that_it_is_forgotten(site: Cluster) -> None:
    here, there = await site.worker(), await site.worker()
    host, (robin, *_), meeting = await gathered(here)
    there.node.clock_ahead = here.node.clock_ahead
    far = await there.guest()
    await come(far, meeting)
    await ok(host, "end_meeting", meeting=meeting, why="danger")
    await jump(25 * 60 * MINUTE, here, there)
    await turn(here, there)
    for guest in (host, robin, far):
        assert guest.heard("meeting_gone") == [{"push": "meeting_gone", "id": meeting}]
    assert await refused(robin, "meeting", meeting=meeting) == "meeting_unknown"


async def test_of_a_meeting_a_cry_for_help_shows_moderators_that_post_and_no_other(site: Cluster) -> None:
    worker = await site.worker()
    host, (robin, wren, _), meeting = await gathered(worker)
    await go_to(host, meeting, "checkin")
    await ok(robin, "post", room=meeting, text="My brother died in May.")
    await ok(wren, "post", room=meeting, text="I have the pills in front of me.")
    (report,) = (await site.store.queue(OPERATOR, Millis(0))).open
    assert report.about == wren.member
    file = await site.store.open_report(report.id, OPERATOR, "to look", worker.node.now())
    assert [post.text for post in file.posts] == ["I have the pills in front of me."]
